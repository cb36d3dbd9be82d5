"""How fast and how far the AI agent has gone with a line, for stopping what leads nowhere."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from django.db.models import Count, Max, Q
from django.db.models.functions import Now

from conversations.models import Entry

LINES_LOOKED_AT: Final = 24
OURS: Final = Q(kind="message", actor_kind__in=[Entry.Actor.ASSISTANT, Entry.Actor.SYSTEM])
A_PERSON: Final = Q(kind="message", actor_kind=Entry.Actor.AGENT) | Q(kind="handoff.accepted")
HEADWAY: Final = (
    Q(kind__in=["fact.learned", "identity.proven", "conversation.joined", "interaction.started"])
    | Q(kind__startswith="booking.")
    | Q(kind__startswith="consent.")
)
STOPPED: Final = "assistant.stopped"
TOOL_USED: Final = Q(kind="tool.called", data__allowed=True, data__error="")
"""A call of a tool as the history keeps it; one that was refused is no use of it."""


@dataclass(frozen=True, slots=True)
class Said:
    """One message of a line."""

    seq: int
    by_customer: bool
    text: str


@dataclass(frozen=True, slots=True)
class Pace:
    """Replies in the last minute and since somebody or something brought the matter on, how often tools were used, the last
    messages since a person spoke, oldest first, and after which entry the AI agent has stopped, 0 when it has not.

    `headway_seq` is the last entry with which the matter was brought on.
    """

    replies_in_a_minute: int
    replies_in_a_row: int
    tool_calls: int
    said: tuple[Said, ...]
    headway_seq: int
    stopped_seq: int


def pace_of(conversation_id: int, interaction_id: int) -> Pace:
    """Three statements."""
    rows = Entry.objects.filter(conversation=conversation_id)
    marks = rows.aggregate(
        minute=Count("pk", filter=OURS & Q(recorded_at__gt=Now() - timedelta(minutes=1))),
        tools=Count("pk", filter=TOOL_USED),
        person=Max("seq", filter=A_PERSON),
        headway=Max("seq", filter=HEADWAY),
        stopped=Max("seq", filter=Q(kind=STOPPED)),
    )
    person, headway = marks["person"] or 0, marks["headway"] or 0
    in_a_row = rows.filter(OURS, seq__gt=max(person, headway)).count()
    spoken = rows.filter(kind="message", interaction=interaction_id, seq__gt=person).exclude(actor_kind=Entry.Actor.AGENT)
    last = list(spoken.order_by("-seq").values_list("seq", "actor_kind", "body")[:LINES_LOOKED_AT])
    said = tuple(Said(seq, kind == Entry.Actor.CUSTOMER, body) for seq, kind, body in reversed(last))
    stopped = marks["stopped"] or 0
    return Pace(marks["minute"], in_a_row, marks["tools"], said, headway, stopped if stopped > person else 0)


def is_silent(conversation_id: int) -> bool:
    """Whether the AI agent has stopped and neither it nor a person has said anything since."""
    spoken = Entry.objects.filter(OURS | A_PERSON | Q(kind=STOPPED), conversation=conversation_id)
    last = spoken.order_by("-seq").values_list("kind", flat=True).first()
    return last == STOPPED
