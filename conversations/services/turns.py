"""The AI agent's duty to answer: claimed by a lease, kept in the conversation's row, found again by a sweep.

A turn is due while `turn_wanted_seq > turn_done_seq` and the assistant owns the open conversation.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from django.db import connection
from django.db.models.functions import Now

from conversations.models import Conversation
from conversations.selectors.limbo import turns_nobody_works_on
from conversations.services import async_connections, timeline
from routing.compiled import CompiledOnce, Given

AsUnderstood = tuple[int | None, str, float, int]
"""The reason's number, the urgency, the sentiment and the score of a need."""
OVER = (None, "", "done")
"""Steps at which nothing is being asked."""
HELD = ("fence", "turn_worker", "turn_wanted_seq", "joined_into_id", "status", "form_state", "failed_turns")
LOCKED: Final = CompiledOnce(
    lambda: Conversation.objects.filter(pk=Given("conversation")).order_by().select_for_update(no_key=True).only(*HELD)
)
STAYS = frozenset({"running", "announce", "callback", "aside", "line"})
"""What does not go along with a place that is carried elsewhere."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A turn that one worker holds: which words it answers, and the fence it began under."""

    conversation_id: int
    worker: str
    fence: int
    wanted_seq: int
    done_seq: int
    attempts: int


@dataclass(frozen=True, slots=True)
class Look:
    """How a turn stands: whether its worker still has it, whether the customer said more, whether the AI agent was stopped everywhere."""

    is_held: bool
    is_overtaken: bool
    is_stopped: bool


class TurnLost(Exception):
    """The turn is not this worker's any more: a person took over, it ended, or the lease ran out and another has it."""


class TurnOvertaken(Exception):
    """The customer said more since the turn began."""


CLAIM = """
UPDATE conversations_conversation
   SET turn_worker = %s,
       turn_lease_until = clock_timestamp() + make_interval(secs => %s),
       turn_attempts = turn_attempts + 1
 WHERE id = %s AND status = 'open' AND joined_into_id IS NULL AND owner_kind = 'assistant'
   AND turn_wanted_seq > turn_done_seq
   AND (turn_lease_until IS NULL OR turn_lease_until < clock_timestamp())
RETURNING fence, turn_wanted_seq, turn_done_seq, turn_attempts, set_config('synchronous_commit', 'off', true)
"""
"""Nobody waits for the disk: with the machine's end the claim is lost as well as its worker, and the turn is due."""

LOOK = """
SELECT asked.worker,
       coalesce(row.fence = asked.fence AND row.turn_worker = asked.worker AND row.joined_into_id IS NULL AND row.status = 'open', false),
       coalesce(row.turn_wanted_seq > asked.wanted_seq, false),
       EXISTS (SELECT FROM conversations_assistantswitch WHERE stopped_at IS NOT NULL)
  FROM unnest(%s::bigint[], %s::bigint[], %s::text[], %s::bigint[]) AS asked (id, fence, worker, wanted_seq)
  LEFT JOIN conversations_conversation AS row ON row.id = asked.id
"""

TAKE_AWAY = """
UPDATE conversations_conversation
   SET turn_worker = %s,
       turn_lease_until = clock_timestamp() + make_interval(secs => %s)
 WHERE id = %s AND status = 'open' AND joined_into_id IS NULL AND owner_kind = 'assistant'
   AND turn_wanted_seq > turn_done_seq
   AND NOT (form_state ? 'running' AND coalesce(turn_lease_until > clock_timestamp(), false))
RETURNING fence, turn_wanted_seq, turn_done_seq, turn_attempts
"""

UNDERSTOOD = """
UPDATE conversations_conversation SET reason_id = %s, urgency = %s, sentiment = %s, score = %s WHERE id = %s
RETURNING set_config('synchronous_commit', 'off', true)
"""
"""Not waited for either: the end of the turn is, and a turn that did not end is understood anew."""

FINISH = """
UPDATE conversations_conversation
   SET form_state = %s::jsonb, failed_turns = %s, turn_done_seq = %s, turn_worker = '', turn_lease_until = NULL, turn_attempts = 0
 WHERE id = %s AND turn_worker = %s
RETURNING turn_wanted_seq > turn_done_seq
"""


def claim(conversation_id: int, *, worker: str, lease: timedelta) -> Claim | None:
    """Takes the turn when one is due and nobody's lease is running; None otherwise. `worker` is unique per claim.

    A transaction of its own: whatever else were in it might be lost should the machine end.
    """
    with connection.cursor() as cursor:
        cursor.execute(CLAIM, [worker, lease.total_seconds(), conversation_id])
        row = cursor.fetchone()
    return Claim(conversation_id, worker, *row[:-1]) if row else None


def take_away(conversation_id: int, *, worker: str, lease: timedelta) -> Claim | None:
    """Takes a turn that is due from whoever works on it; None when none is due, or a tool is changing something just now."""
    with connection.cursor() as cursor:
        cursor.execute(TAKE_AWAY, [worker, lease.total_seconds(), conversation_id])
        row = cursor.fetchone()
    return Claim(conversation_id, worker, *row) if row else None


def due(*, unclaimed_for: timedelta, limit: int = 200) -> list[int]:
    """Conversations whose turn nobody works on, by the database's clock as leases are; those that wait longest first."""
    found = turns_nobody_works_on(Now(), unclaimed_for=unclaimed_for).order_by("last_entry_at")
    return list(found.values_list("pk", flat=True)[:limit])


def hold(claim: Claim, *, even_if_overtaken: bool = False) -> Conversation:
    """The conversation's row, locked, as far as a turn ends with it, when it is still this worker's. Must run in a transaction.

    Raises TurnLost, and TurnOvertaken unless that does not matter to the caller.
    """
    row = LOCKED.get(conversation=claim.conversation_id)
    ours = row.fence == claim.fence and row.turn_worker == claim.worker
    if not ours or row.joined_into_id or row.status != Conversation.Status.OPEN:
        raise TurnLost
    if row.turn_wanted_seq > claim.wanted_seq and not even_if_overtaken:
        raise TurnOvertaken
    return row


def is_changing_something(conversation: Conversation) -> bool:
    """Whether a worker that is alive runs a tool which changes something. Call with the conversation's row locked."""
    begun = Conversation.objects.filter(pk=conversation.pk, form_state__has_key="running")
    return begun.filter(turn_lease_until__gt=Now()).exists()


async def look(claims: Sequence[Claim]) -> dict[str, Look]:
    """How each of some turns stands, by its worker: one statement for all, without a lock, on the event loop."""
    columns = zip(*((each.conversation_id, each.fence, each.worker, each.wanted_seq) for each in claims), strict=True)
    async with async_connections.connection() as connected:
        cursor = await connected.execute(LOOK, [list(column) for column in columns])
        return {worker: Look(*found) for worker, *found in await cursor.fetchall()}


def finish(claim: Claim, *, form_state: Mapping[str, Any], failed_turns: int) -> bool:
    """Ends the turn: what it answered is done and the lease is free. Call after `hold`, in its transaction.

    Says whether another turn is due by then. Whoever says more after the transaction finds the lease free.
    """
    state = json.dumps(timeline.clean(dict(form_state)))
    with connection.cursor() as cursor:
        cursor.execute(FINISH, [state, failed_turns, claim.wanted_seq, claim.conversation_id, claim.worker])
        row = cursor.fetchone()
    return bool(row and row[0])


def release(claim: Claim) -> None:
    """Frees the lease of a turn that is to be taken anew at once, because the customer said more."""
    Conversation.objects.filter(pk=claim.conversation_id, turn_worker=claim.worker).update(
        turn_worker="", turn_lease_until=None, turn_attempts=0
    )


def put_off(claim: Claim, *, retry_in: timedelta) -> None:
    """Leaves a turn that failed to the sweep, not before `retry_in`."""
    Conversation.objects.filter(pk=claim.conversation_id, turn_worker=claim.worker).update(
        turn_worker="", turn_lease_until=Now() + retry_in
    )


def note_state(claim: Claim, changes: Mapping[str, Any], *, without: str = "") -> None:
    """Merges `changes` into the form state at once, dropping one key. Call after `hold`, in its transaction."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE conversations_conversation SET form_state = (form_state - %s) || %s::jsonb WHERE id = %s",
            [without, json.dumps(timeline.clean(dict(changes))), claim.conversation_id],
        )


def carry_state(source: Conversation, target: Conversation) -> None:
    """Has the places of parties in a conversation go along where it goes on, each by the line that it is of.

    What is being done by a tool stays, and so does a promise to call back. Needs the locks of both.
    """
    state = source.form_state
    carried = dict(state.get("aside", {}))
    if state.get("step") not in OVER and state.get("line"):
        carried[str(state["line"])] = {name: value for name, value in state.items() if name not in STAYS}
    if carried:
        aside = {**carried, **target.form_state.get("aside", {})}
        Conversation.objects.filter(pk=target.pk).update(form_state={**target.form_state, "aside": aside})


def understanding_of(conversation: Conversation) -> AsUnderstood:
    """What the row that was read says of the need."""
    return conversation.reason_id, conversation.urgency, conversation.sentiment, conversation.score


def note_understanding(conversation: Conversation, *, stood: AsUnderstood) -> None:
    """Keeps what was understood about the need, as the conversation was changed, unless it is what `stood` in its row.

    A transaction of its own, as for `claim`.
    """
    conversation.sentiment = max(-1.0, min(1.0, conversation.sentiment))
    understood = understanding_of(conversation)
    if understood != stood:
        with connection.cursor() as cursor:
            cursor.execute(UNDERSTOOD, [*understood, conversation.pk])
