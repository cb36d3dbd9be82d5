"""What the transports delivered against what the record says, session by session.

The raw side is written before anything is made of it. `WebhookRecord` rows are the calls: those of kind `answer`, and events of
inbound calls (a caller who gave up before the answer leaves only these), one call per id however often a webhook was
repeated; the legs to agents are outbound and no calls of customers, and a call that was turned away (refused, or answered without
listening, as at a number that is not ours) is no contact, nor is a call out that the platform did not place. `ChatSessionRecord`
rows are the chat sessions. The recorded side are `Interaction` rows. They meet by the transport's own id (`provider_id`), which
is unique among interactions.

Of text messages the platform knows no sessions: which of them are one line is ours to say. So each one that was delivered to us is
compared, with the entry that has its id (`source_id`), once however often its webhook came. One at a number that takes none is no
contact, and one whose words and id have gone after their time, or with a person, is not looked for.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.db import connection
from django.utils.dateparse import parse_datetime
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from conversations.selectors.limbo import LONGEST_CALL
from reporting.period import Period

TOLERANCE_SECONDS = 2.0
TERMINAL_STATUSES = ("completed", "busy", "cancelled", "unanswered", "rejected", "failed", "timeout")
"""The call statuses after which the platform sends no other (Vonage Voice API, event webhooks)."""

# One row per session (or text message): a raw session of the period with its interaction, or an interaction of the period without a raw
# session. The far side is looked for at any time, so that midnight makes no mismatch.
_SESSIONS = """
WITH raw AS (
    SELECT 'voice' AS channel, provider_id AS session_id, min(received_at) AS first_seen_at,
           bool_or(kind = 'answer' AND (answer ? 'refused' OR answered_at IS NOT NULL AND NOT answer @> '[{"action": "input"}]'))
               AS turned_away
      FROM conversations_webhookrecord
     WHERE (kind = 'answer' OR kind = 'event' AND body->>'direction' = 'inbound') AND provider_id <> ''
       AND received_at >= %(looked_at_from)s AND received_at < %(ends_at)s
     GROUP BY provider_id
    HAVING min(received_at) >= %(starts_at)s AND min(received_at) < %(ends_at)s
    UNION ALL
    SELECT 'chat', session_id, started_at, FALSE
      FROM conversations_chatsessionrecord
     WHERE started_at >= %(starts_at)s AND started_at < %(ends_at)s
), events AS (
    SELECT event.provider_id AS session_id,
           min(event.body->>'direction') AS direction,
           min(event.body->>'start_time') FILTER (WHERE event.body->>'start_time' <> '') AS start_time,
           min(event.body->>'status') FILTER (WHERE event.body->>'status' = ANY(%(terminal)s)) AS end_status,
           min(event.body->>'duration') FILTER (WHERE event.body->>'status' = 'completed') AS duration
      FROM conversations_webhookrecord event
      JOIN raw ON raw.session_id = event.provider_id AND raw.channel = 'voice'
     WHERE event.kind = 'event'
     GROUP BY event.provider_id
)
SELECT raw.channel, raw.session_id, raw.first_seen_at, TRUE AS is_raw,
       events.direction AS raw_direction, events.start_time AS raw_start, events.end_status AS raw_end_status,
       events.duration AS raw_duration, count(*) OVER (PARTITION BY raw.channel, raw.session_id) AS copies,
       interaction.id, interaction.direction, interaction.started_at, interaction.answered_at,
       interaction.ended_at, interaction.state, interaction.end_reason
  FROM raw
  LEFT JOIN events ON events.session_id = raw.session_id AND raw.channel = 'voice'
  LEFT JOIN conversations_interaction interaction
         ON interaction.provider_id = raw.session_id AND interaction.channel = raw.channel
 WHERE interaction.id IS NOT NULL OR raw.turned_away IS NOT TRUE
UNION ALL
SELECT interaction.channel, interaction.provider_id, interaction.started_at, FALSE,
       NULL, NULL, NULL, NULL, 1,
       interaction.id, interaction.direction, interaction.started_at, interaction.answered_at,
       interaction.ended_at, interaction.state, interaction.end_reason
  FROM conversations_interaction interaction
 WHERE interaction.started_at >= %(starts_at)s AND interaction.started_at < %(ends_at)s
   AND NOT EXISTS (SELECT 1 FROM conversations_chatsessionrecord chat
                    WHERE interaction.channel = 'chat' AND chat.session_id = interaction.provider_id)
   AND NOT EXISTS (SELECT 1 FROM conversations_webhookrecord call
                    WHERE interaction.channel = 'voice' AND call.provider_id = interaction.provider_id)
   AND interaction.end_reason <> 'not_placed'
   AND interaction.channel <> 'sms'
UNION ALL
SELECT 'sms', text.session_id, text.first_seen_at, TRUE,
       NULL, NULL, NULL, NULL, 1,
       interaction.id, interaction.direction, interaction.started_at, interaction.answered_at,
       interaction.ended_at, interaction.state, interaction.end_reason
  FROM (SELECT provider_id AS session_id, min(received_at) AS first_seen_at,
               bool_or(answer ? 'refused' OR body_hash = '') AS is_not_looked_for
          FROM conversations_webhookrecord
         WHERE kind = 'text' AND provider_id <> '' AND received_at >= %(looked_at_from)s AND received_at < %(ends_at)s
         GROUP BY provider_id
        HAVING min(received_at) >= %(starts_at)s AND min(received_at) < %(ends_at)s) text
  LEFT JOIN conversations_entry said ON said.source_id = 'text:' || text.session_id
  LEFT JOIN conversations_interaction interaction ON interaction.id = said.interaction_id
 WHERE said.id IS NOT NULL OR text.is_not_looked_for IS NOT TRUE
UNION ALL
SELECT 'sms', said.source_id, said.recorded_at, FALSE,
       NULL, NULL, NULL, NULL, 1,
       interaction.id, interaction.direction, interaction.started_at, interaction.answered_at,
       interaction.ended_at, interaction.state, interaction.end_reason
  FROM conversations_entry said
  JOIN conversations_interaction interaction ON interaction.id = said.interaction_id AND interaction.channel = 'sms'
 WHERE said.kind = 'message' AND said.actor_kind = 'customer' AND said.source_id IS NOT NULL
   AND said.recorded_at >= %(starts_at)s AND said.recorded_at < %(ends_at)s
   AND NOT EXISTS (SELECT 1 FROM conversations_webhookrecord text
                    WHERE text.provider_id = substr(said.source_id, 6) AND text.kind = 'text')
 ORDER BY 3, 2, 10
"""


@dataclass(frozen=True, slots=True)
class Mismatch:
    """One way in which a session and its record differ. `field` is `missing`, `phantom`, `duplicate` or a field's name."""

    field: str
    label: str | Promise
    raw: str
    recorded: str


@dataclass(frozen=True, slots=True)
class Session:
    """One call, chat session or text message: as the transport saw it, as the record has it, and where they differ."""

    channel: str
    session_id: str
    at: datetime
    is_raw: bool
    copies: int
    interaction_id: int | None
    fields_compared: int
    mismatches: tuple[Mismatch, ...]

    @property
    def is_missing(self) -> bool:
        return self.interaction_id is None

    @property
    def is_phantom(self) -> bool:
        return not self.is_raw

    @property
    def is_duplicate(self) -> bool:
        return self.copies > 1

    @property
    def is_recorded_once(self) -> bool:
        return self.is_raw and not self.is_missing and not self.is_duplicate

    @property
    def fields_agreeing(self) -> int:
        return self.fields_compared - sum(each.field in FIELDS for each in self.mismatches)


FIELDS: Mapping[str, str | Promise] = {
    "direction": _("Direction"),
    "start": _("Start"),
    "end_status": _("How it ended"),
    "duration": _("Length"),
}


def sessions(period: Period) -> Iterator[Session]:
    """Every session of the period, raw or recorded, oldest first. One query."""
    with connection.cursor() as cursor:
        cursor.execute(
            _SESSIONS,
            {
                "starts_at": period.starts_at,
                "ends_at": period.ends_at,
                "looked_at_from": period.starts_at - LONGEST_CALL,
                "terminal": list(TERMINAL_STATUSES),
            },
        )
        names = [column.name for column in cursor.description or ()]
        for row in cursor.fetchall():
            yield _session(dict(zip(names, row, strict=True)))


def mismatches(period: Period) -> list[Session]:
    """The sessions that the record has not, has twice, has without a transport record, or has differently."""
    return [session for session in sessions(period) if session.mismatches]


def _session(row: Mapping[str, Any]) -> Session:
    found: list[Mismatch] = []
    compared = 0
    if not row["is_raw"]:
        found.append(Mismatch("phantom", _("No transport record"), "", str(row["session_id"])))
    elif row["id"] is None:
        found.append(Mismatch("missing", _("Not in the record"), str(row["session_id"]), ""))
    else:
        if row["copies"] > 1:
            found.append(Mismatch("duplicate", _("In the record more than once"), "1", str(row["copies"])))
        if row["channel"] == "voice":
            for field, raw, recorded, agrees in _compared(row):
                compared += 1
                if not agrees:
                    found.append(Mismatch(field, FIELDS[field], raw, recorded))
    return Session(
        channel=row["channel"],
        session_id=row["session_id"],
        at=row["first_seen_at"],
        is_raw=row["is_raw"],
        copies=row["copies"],
        interaction_id=row["id"],
        fields_compared=compared,
        mismatches=tuple(found),
    )


def _compared(row: Mapping[str, Any]) -> Iterator[tuple[str, str, str, bool]]:
    """(field, raw, recorded, whether they agree) for what the platform has said about a call so far."""
    if row["raw_direction"]:
        yield "direction", row["raw_direction"], row["direction"], row["raw_direction"] == row["direction"]
    start = _moment(row["raw_start"])
    recorded_start = row["answered_at"] or row["started_at"]
    if start:
        apart = abs((start - recorded_start).total_seconds())
        yield "start", start.isoformat(), recorded_start.isoformat(), apart <= TOLERANCE_SECONDS
    if row["raw_end_status"]:
        recorded = row["end_reason"] if row["state"] == "ended" else str(_("not ended"))
        yield "end_status", row["raw_end_status"], recorded, recorded == row["raw_end_status"]
    elif row["state"] == "ended":
        yield "end_status", str(_("not ended")), row["end_reason"], False
    if (row["raw_duration"] or "").isdecimal() and row["ended_at"]:
        seconds = (row["ended_at"] - recorded_start).total_seconds()
        yield "duration", row["raw_duration"], f"{seconds:.0f}", abs(seconds - int(row["raw_duration"])) <= TOLERANCE_SECONDS


def _moment(text: str | None) -> datetime | None:
    """The platform's time, which is UTC when it names no zone; None when it is not a time at all."""
    try:
        moment = parse_datetime(text or "")
    except ValueError:
        return None
    return moment.replace(tzinfo=UTC) if moment and moment.tzinfo is None else moment
