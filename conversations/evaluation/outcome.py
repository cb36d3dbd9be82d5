"""What the record says after a scripted customer: the end state that is graded, and nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from conversations.models import Booking, Conversation, Entry, Handoff, Interaction
from routing.models import WorkItem

SHOWN: Final = frozenset({"message", "disclosure.shown", "booking.made", "booking.changed", "booking.cancelled", "language.chosen"})


@dataclass(frozen=True, slots=True)
class Visit:
    """A visit in the schedule; `start` is in the company's zone."""

    service: str
    name: str
    phone: str
    postcode: str
    start: datetime
    cancelled: bool


@dataclass(frozen=True, slots=True)
class HandedOver:
    """Work that waits for a person: in which line, and why."""

    queue: str
    why: str
    handler: str


@dataclass(frozen=True, slots=True)
class EndState:
    """Where everything stands. `said` is what the AI agent said, in order, `history` that with what the customer said; `reasked`
    are the facts that it asked for again.

    `language` is the one the last answer was given in; `disclosed` whether each line was told that an AI answers.
    """

    visits: tuple[Visit, ...] = ()
    moved: int = 0
    reason: str = ""
    facts: dict[str, str] = field(default_factory=dict)
    handed_over: tuple[HandedOver, ...] = ()
    callback_to: str = ""
    said: tuple[str, ...] = ()
    history: tuple[str, ...] = ()
    sources: frozenset[str] = frozenset()
    reasked: tuple[str, ...] = ()
    language: str = ""
    disclosed: bool = True


NOTHING_DONE = EndState()
"""Where everything stands when an agent has only greeted: what a do-nothing agent is graded on."""


def end_state(provider_ids: Sequence[str], *, reasked: Sequence[str], zone: ZoneInfo) -> EndState:
    """Reads the end state of some lines' conversation."""
    lines = list(Interaction.objects.filter(provider_id__in=provider_ids).select_related("conversation").order_by("pk"))
    if not lines:
        return NOTHING_DONE
    ids = {line.conversation_id for line in lines} | {line.original_conversation_id for line in lines}
    last = Conversation.objects.select_related("reason", "customer").get(pk=lines[-1].conversation_id)
    entries = list(Entry.objects.filter(conversation__in=ids).order_by("pk"))
    spoke = [each for each in entries if each.kind == "message" and each.actor_kind != Entry.Actor.CUSTOMER]
    callbacks = [str(each.data.get("phone", "")) for each in entries if each.kind == "callback.requested"]
    told = {each.interaction_id for each in entries if each.kind == "disclosure.shown"}
    return EndState(
        visits=tuple(_visit(row, zone) for row in Booking.objects.filter(conversation__in=ids).order_by("pk")),
        moved=_times_moved(entries),
        reason=last.reason.code if last.reason else "",
        facts={name: str(row["value"]) for name, row in last.facts.items()},
        handed_over=_handed_over(ids),
        callback_to=callbacks[-1] if callbacks else "",
        said=tuple(each.body for each in spoke),
        history=tuple(f"{each.actor_kind}: {each.body}" for each in entries if each.kind in SHOWN),
        sources=frozenset(str(source["title"]) for each in spoke for source in each.data.get("sources", [])),
        reasked=tuple(reasked),
        language=last.language or last.customer.language,
        disclosed=all(line.pk in told for line in lines),
    )


def last_said(provider_id: str) -> dict[str, Any]:
    """The data of what was said last on a line, with its `body`; empty when nothing was."""
    line = Interaction.objects.get(provider_id=provider_id)
    spoke = Entry.objects.filter(interaction=line, kind="message").exclude(actor_kind=Entry.Actor.CUSTOMER)
    entry = spoke.order_by("-pk").first()
    return {**entry.data, "body": entry.body} if entry else {}


def _times_moved(entries: Sequence[Entry]) -> int:
    """How often a visit got another time; a corrected name changes it, too, but moves nothing."""
    told = [each.data for each in entries if each.kind in ("booking.made", "booking.changed")]
    times: dict[str, str] = {}
    moved = 0
    for data in told:
        reference, start = str(data["reference"]), str(data["window_start"])
        moved += times.get(reference, start) != start
        times[reference] = start
    return moved


def _visit(row: Booking, zone: ZoneInfo) -> Visit:
    start = row.window.lower.astimezone(zone)
    return Visit(row.service, row.name, row.phone, row.postcode, start, row.state == Booking.State.CANCELLED)


def _handed_over(ids: set[int]) -> tuple[HandedOver, ...]:
    rows = Handoff.objects.filter(conversation__in=ids).select_related("work_item__queue", "work_item__decision").order_by("pk")
    return tuple(_work(row.work_item) for row in rows)


def _work(item: WorkItem) -> HandedOver:
    decision = item.decision
    return HandedOver(item.queue.code, decision.escalation_reason if decision else "", decision.handler if decision else "")
