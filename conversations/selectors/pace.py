"""How fast and how far the AI agent has gone with a line, for stopping what leads nowhere."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from django.db import connection
from django.db.models import Q

from conversations.models import Entry

LINES_LOOKED_AT: Final = 24
OURS: Final = Q(kind="message", actor_kind__in=[Entry.Actor.ASSISTANT, Entry.Actor.SYSTEM])
A_PERSON: Final = Q(kind="message", actor_kind=Entry.Actor.AGENT) | Q(kind="handoff.accepted")
STOPPED: Final = "assistant.stopped"
TOOL_USED: Final = """kind = 'tool.called' AND data @> '{"allowed": true, "error": ""}'"""
"""A call of a tool as the history keeps it; one that was refused is no use of it."""
USED: Final = f"""
SELECT coalesce(jsonb_object_agg(tool, calls), '{{}}') FROM (
    SELECT data ->> 'tool' AS tool, count(*) AS calls FROM conversations_entry
     WHERE conversation_id = %(conversation)s AND {TOOL_USED} GROUP BY 1
) AS counted
"""  # noqa: S608  # a condition of our own


@dataclass(frozen=True, slots=True)
class Said:
    """One message of a line."""

    seq: int
    by_customer: bool
    text: str


@dataclass(frozen=True, slots=True)
class Pace:
    """Replies in the last minute and since somebody or something brought the matter on, how often each tool was used, the last
    messages since a person spoke, oldest first, and after which entry the AI agent has stopped, 0 when it has not.

    `headway_seq` is the last entry with which the matter was brought on.
    """

    replies_in_a_minute: int
    replies_in_a_row: int
    used: Mapping[str, int]
    said: tuple[Said, ...]
    headway_seq: int
    stopped_seq: int


PACE: Final = f"""
WITH entry AS (
    SELECT seq, kind, actor_kind, body, interaction_id, recorded_at,
           kind = 'message' AND actor_kind IN ('assistant', 'system') AS is_ours
      FROM conversations_entry WHERE conversation_id = %(conversation)s
), marks AS (
    SELECT count(*) FILTER (WHERE is_ours AND recorded_at > statement_timestamp() - interval '1 minute') AS in_a_minute,
           coalesce(max(seq) FILTER (WHERE kind = 'message' AND actor_kind = 'agent' OR kind = 'handoff.accepted'), 0) AS person,
           coalesce(max(seq) FILTER (
               WHERE kind IN ('fact.learned', 'identity.proven', 'conversation.joined', 'interaction.started')
                  OR kind LIKE 'booking.%%' OR kind LIKE 'consent.%%'), 0) AS headway,
           coalesce(max(seq) FILTER (WHERE kind = 'assistant.stopped'), 0) AS stopped
      FROM entry
), said AS (
    SELECT seq, actor_kind = 'customer' AS by_customer, body FROM entry, marks
     WHERE kind = 'message' AND interaction_id = %(interaction)s AND seq > person AND actor_kind <> 'agent'
     ORDER BY seq DESC LIMIT %(most)s
)
SELECT in_a_minute, (SELECT count(*) FROM entry WHERE is_ours AND seq > greatest(person, headway)), ({USED}),
       (SELECT coalesce(jsonb_agg(jsonb_build_array(seq, by_customer, body) ORDER BY seq), '[]') FROM said),
       headway, CASE WHEN stopped > person THEN stopped ELSE 0 END
  FROM marks
"""  # noqa: S608  # a statement of our own


def pace_of(conversation_id: int, interaction_id: int) -> Pace:
    """One statement."""
    with connection.cursor() as cursor:
        cursor.execute(PACE, {"conversation": conversation_id, "interaction": interaction_id, "most": LINES_LOOKED_AT})
        in_a_minute, in_a_row, used, said, headway, stopped = cursor.fetchone()
    return Pace(in_a_minute, in_a_row, json.loads(used), tuple(Said(*each) for each in json.loads(said)), headway, stopped)


def tools_used(conversation_id: int) -> dict[str, int]:
    """How often each tool has run in a conversation, as far as the history keeps it."""
    with connection.cursor() as cursor:
        cursor.execute(USED, {"conversation": conversation_id})
        used: dict[str, int] = json.loads(cursor.fetchone()[0])
    return used


def is_silent(conversation_id: int) -> bool:
    """Whether the AI agent has stopped and neither it nor a person has said anything since."""
    spoken = Entry.objects.filter(OURS | A_PERSON | Q(kind=STOPPED), conversation=conversation_id)
    last = spoken.order_by("-seq").values_list("kind", flat=True).first()
    return last == STOPPED
