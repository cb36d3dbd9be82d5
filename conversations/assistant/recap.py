"""The wrap-up of an interaction that ended: written once, to its conversation's history, whatever the channel was.

An interaction owes one from its end on (`Interaction.wrap_up_due_at`); the sweep writes it, so nothing is lost when a process
dies. The same pass compares the drafts of that line with what a person then said.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Final

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from conversations.assistant import tracing
from conversations.assistant.drafts import compare_drafts
from conversations.assistant.recording import TurnRecord
from conversations.assistant.tools import check_area
from conversations.assistant.wrap_up import short, visit_of
from conversations.assistant.writing.base import (
    CORRECTED,
    NOT_SERVED,
    SERVED,
    FactSaid,
    Happened,
    Heard,
    Outcome,
    Said,
    Suggested,
    WrapUp,
    Writer,
)
from conversations.assistant.writing.choice import choose_writer, written
from conversations.assistant.writing.endings import ending_of
from conversations.models import Conversation, Entry, Interaction, TurnTrace
from conversations.selectors import said as saying
from conversations.services import facts, timeline, wrap_ups
from conversations.services.facts import FACT_LABELS
from conversations.services.timeline import NewEntry
from conversations.understanding.moods import moods
from routing.models import DispositionCode

logger = logging.getLogger(__name__)

KIND: Final = "wrapped_up"
MOST_AT_ONCE: Final = 10
MOST_ROUNDS: Final = 5
MOST_MOODS: Final = 60
LEASE: Final = timedelta(minutes=2)
"""How long one worker may write; then the wrap-up is due again."""
SAID: Final = ("message", "speech")
"""What was typed or heard, and what was written down from a recording."""
MESSAGE_LEFT: Final = "voicemail"
PRICES: Final = "prices"
"""The kind of the card that shows what something costs."""
HAPPENED: Final = Q(kind__startswith="booking.") | Q(kind__startswith="action.") | Q(kind__startswith="ticket.") | Q(
    kind__in=["tool.called", "callback.requested", "callback.changed", "callback.cancelled", "handoff.requested", MESSAGE_LEFT]
)


@dataclass(slots=True)
class _Owed:
    """A line that owes a wrap-up, with what was heard on it, and then with what was written of it: none when nobody said anything."""

    line: Interaction
    heard: Heard
    record: TurnRecord
    found: WrapUp | None = None


def sweep() -> int:
    """Writes what is owed and due; returns how many it wrote. One that fails is logged and tried again after the lease.

    A few are written at the same time, since a writer may wait for a network; then come the next.
    """
    done = 0
    for _round in range(MOST_ROUNDS):
        claimed = wrap_ups.claim(limit=MOST_AT_ONCE, lease=LEASE)
        done += _write(claimed, raises=False)
        if len(claimed) < MOST_AT_ONCE:
            break
    return done


def write(number: int) -> bool:
    """Writes the wrap-up of an interaction and what became of its drafts, once; says whether this call did it.

    The writer works before any transaction is begun. Locks the conversation's row and then the interaction's. Raises what the
    writer raises: nothing is written.
    """
    return bool(_write([number], raises=True))


def _write(numbers: list[int], *, raises: bool) -> int:
    rows = Interaction.objects.select_related("conversation__customer", "conversation__reason", "entry_point")
    owing = rows.filter(pk__in=numbers, wrap_up_due_at__isnull=False).order_by("wrap_up_due_at", "pk")
    owed = [_Owed(line, heard_in(line.conversation, line), TurnRecord()) for line in owing]
    problems = written(_all_written(choose_writer(), owed)) if owed else []
    done = 0
    for each, problem in zip(owed, problems, strict=True):
        try:
            if problem:
                raise problem
            done += _keep(each)
        except Exception:
            if raises:
                raise
            logger.exception("wrap_up_not_written", extra={"interaction": each.line.pk})
    return done


async def _all_written(writer: Writer, owed: list[_Owed]) -> list[BaseException | None]:
    """Has each written; what went wrong with it, or None."""

    async def one(each: _Owed) -> None:
        if each.heard.said or each.heard.happened:
            each.found = await writer.wrap_up(each.heard, each.record)

    return list(await asyncio.gather(*map(one, owed), return_exceptions=True))


def _keep(owed: _Owed) -> bool:
    line, record = owed.line, owed.record
    with transaction.atomic():
        row = wrap_ups.settle(line.pk)
        if row is None:
            return False
        compare_drafts(line)
        if owed.found is None:
            # Nobody said anything, so there is nothing to know.
            return False
        entry = timeline.append(row.pk, _entry(row, owed, owed.found))
        purpose, upto = TurnTrace.Purpose.WRAP_UP, upto_of(owed.heard)
        tracing.keep_writing(row, line, record, purpose=purpose, upto=upto, entry_seq=entry.seq)
    return True


def suggested_for(conversation: Conversation) -> Suggested:
    """How the conversation probably ended so far, for whoever is about to close it: at once, so without asking a model."""
    return ending_of(heard_in(conversation))


def upto_of(heard: Heard) -> int:
    """The number of the last words that a writer knew of."""
    return max((each.seq for each in heard.said), default=0)


def heard_in(conversation: Conversation, line: Interaction | None = None) -> Heard:
    """What was said and done in a conversation, or on one line of it; what was taken out of the history is left out."""
    rows = Entry.objects.filter(Q(kind__in=SAID) | HAPPENED, redacted_at__isnull=True)
    rows = rows.filter(interaction=line) if line else rows.filter(conversation=conversation)
    entries = list(rows.order_by("recorded_at", "pk"))
    spoken = _with_moods([_said(each) for each in entries if each.kind in SAID])
    known = [each for each in saying.said_in(conversation) if each.counts]
    outcomes = DispositionCode.objects.filter(active=True).order_by("code")
    name = next((str(each.value) for each in known if each.name == "name"), conversation.customer.name)
    return Heard(
        said=tuple(spoken),
        happened=tuple(_happened(each, entries) for each in entries if each.kind not in SAID),
        facts=tuple(
            FactSaid(each.name, label_of(each.name), facts.written(each.name, each.value), each.seq, each.is_own) for each in known
        ),
        reason=conversation.reason.name if conversation.reason else "",
        urgency=conversation.urgency,
        name=name,
        outcomes=tuple(Outcome(each.code, each.name) for each in outcomes),
        language=conversation.customer.language,
        waiting=line is not None and _waited(conversation, entries),
    )


def label_of(fact: str) -> str:
    """What a fact is called."""
    return str(FACT_LABELS.get(fact, fact.replace("_", " ").capitalize()))


def _said(entry: Entry) -> Said:
    field: dict[str, Any] = entry.data.get("field") or {}
    unknown = bool(entry.data.get("unanswered") or entry.data.get("failed"))
    sources = [] if unknown else [str(each.get("title", "")) for each in entry.data.get("sources") or ()]
    if any(each.get("kind") == PRICES for each in entry.data.get("cards") or ()):
        sources.append(_("Price list"))
    asked = str(field.get("fact", ""))
    return Said(entry.seq, entry.actor_kind, entry.actor_name, entry.body, asked=asked, sources=tuple(sources), unknown=unknown)


def _with_moods(said: list[Said]) -> list[Said]:
    """The customer's own words with how they sounded, the last of them when there are very many."""
    own = [index for index, each in enumerate(said) if each.by == Entry.Actor.CUSTOMER and each.text.strip()][-MOST_MOODS:]
    for index, mood in zip(own, moods([said[index].text for index in own]), strict=True):
        said[index] = replace(said[index], mood=mood)
    return said


def _happened(entry: Entry, entries: Sequence[Entry]) -> Happened:
    """What was done; of a message that was left, with its words where they were written down."""
    if entry.kind != MESSAGE_LEFT:
        return Happened(entry.seq, entry.kind, entry.body, _detail(entry), visit_of(entry))
    words = [each.body for each in entries if each.kind == "speech" and each.data.get("recording") == entry.data.get("recording")]
    told = _("Left a message: “%(words)s”.") if words else _("Left a message, which is not written down.")
    return Happened(entry.seq, entry.kind, told % {"words": short(" ".join(words))})


def _detail(entry: Entry) -> str:
    """Of a promised call which of them it is, that a visit was only put right, and of an area that was looked up whether it is served."""
    if entry.kind.startswith(("callback.", "action.")):
        return str(entry.data.get("item") or "")
    if entry.data.get("corrected"):
        return CORRECTED
    result = entry.data.get("result") or {}
    if entry.data.get("tool") != check_area.TOOL.name or "served" not in result:
        return ""
    return SERVED if result["served"] else NOT_SERVED


def _waited(conversation: Conversation, entries: Sequence[Entry]) -> bool:
    """Whether a person had been asked for before what was said and done on a line, and none had spoken by its end. One statement."""
    if not entries:
        return False
    asked = Q(kind="handoff.requested", pk__lt=entries[0].pk)
    answered = Q(kind="message", actor_kind=Entry.Actor.AGENT, pk__lte=entries[-1].pk)
    told = Entry.objects.filter(asked | answered, conversation=conversation).order_by("-pk")
    return told.values_list("kind", flat=True).first() == "handoff.requested"


def _entry(conversation: Conversation, owed: _Owed, found: WrapUp) -> NewEntry:
    line, record = owed.line, owed.record
    data: dict[str, Any] = {
        "channel": line.channel,
        "mood": found.mood.as_data() if found.mood else None,
        "suggested": found.outcome.code,
        "because": found.outcome.because,
        "disposition": conversation.disposition.code if conversation.disposition else "",
        "action_items": [each.as_data() for each in found.action_items],
        "open_questions": [each.as_data() for each in found.open_questions],
        "with_person": any(each.by == Entry.Actor.AGENT for each in owed.heard.said),
        "writer": "model" if record.answered_by_model else "extractive",
        "fallback": record.fallback,
    }
    return NewEntry(
        kind=KIND, actor_kind="system", audience="staff", body=found.summary, data=data, interaction=line, source_id=f"wrap_up:{line.pk}"
    )
