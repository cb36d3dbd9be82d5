"""Handing a conversation to a person, with a package that says everything they need."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import transaction
from django.db.models.functions import Now

from conversations.models import Conversation, Handoff, Interaction
from conversations.services import announce, call_state, callbacks, ownership, timeline
from conversations.services.timeline import NewEntry
from routing.models import AgentProfile, Decision, Reservation, WorkItem
from routing.services import queueing

CALL: Final = "live_voice"
"""The kind of work whose customer holds the line."""
LAST_AGENT_COUNTS_FOR: Final = timedelta(days=30)
MOST_CONVERSATIONS: Final = 20

@dataclass(frozen=True, slots=True)
class Package:
    """What the person is told: why, a summary, facts ({name, value, from}), what was tried, the next step."""

    why: str
    summary: str
    facts: list[Mapping[str, Any]] = field(default_factory=list)
    tried: list[str] = field(default_factory=list)
    next_step: str = ""


def request(
    conversation: Conversation,
    decision: Decision,
    package: Package,
    *,
    interaction: Interaction | None,
    preferred_agent: AgentProfile | None = None,
    calls_back: bool = False,
    since: datetime | None = None,
) -> Handoff:
    """Queues the conversation for a person and stores the package; a repetition refreshes the waiting one.

    Who took care of the customer last is asked first, unless another agent is to be. `calls_back` makes new work a call back, which no
    step changes, and `since` has it wait since an earlier time. One transaction; the offer follows after
    commit. Locks the conversation with its work. A turn calls it while it holds the conversation (`turns.hold`), so that nobody can
    have taken over.
    """
    with transaction.atomic():
        row = ownership.lock_with_work(conversation)
        live = WorkItem.objects.filter(subject=row.public_id.hex, state__in=WorkItem.LIVE_STATES).first()
        is_call_back = _is_promised_a_call(live) if live else calls_back
        kind = callbacks.KIND_OF_WORK if is_call_back else kind_of_work(row)
        preferred = preferred_agent or (None if live else _last_agent(row))
        work_item = queueing.enqueue(subject=row.public_id.hex, kind=kind, decision=decision, preferred_agent=preferred, since=since)
        if calls_back and live is None:
            queueing.keep_kind(row.public_id.hex, callbacks.KIND_OF_WORK)
        stored = _stored(package)
        handoff, created = Handoff.objects.update_or_create(
            work_item=work_item, defaults={"conversation": row, "interaction": interaction, **stored}
        )
        if created:
            timeline.append(
                row.pk,
                NewEntry(
                    kind="handoff.requested",
                    actor_kind="assistant",
                    audience="staff",
                    body=package.why,
                    interaction=interaction,
                    data={"handoff": handoff.pk, "queue": work_item.queue.code, **stored},
                ),
            )
        announce.work_changed(row)
    return handoff


def repack(conversation: Conversation, waiting: WorkItem, package: Package, *, interaction: Interaction | None) -> bool:
    """Stores a newer package of work that waits as it is, without a place, a queue or an offer being looked at again.

    Says whether it still waits; where it does not, nothing is stored. A turn calls it while it holds the conversation (`turns.hold`).
    """
    still = Handoff.objects.filter(work_item=waiting.pk, work_item__state__in=(WorkItem.State.QUEUED, WorkItem.State.RESERVED))
    is_stored = bool(still.update(interaction=interaction, **_stored(package)))
    if is_stored:
        announce.work_changed(conversation)
    return is_stored


def wait_on(conversation: Conversation) -> None:
    """A customer who is not called back waits on as before, at their old place, and no step makes it a call back again.

    Must run in a transaction; locks the work's subject and the work, and an agent who was offered the call back.
    """
    queueing.keep_kind(conversation.public_id.hex, kind_of_work(conversation))


def let_the_line_go(conversation: Conversation) -> None:
    """Where nobody holds a line any more, what waits for a person is no call from now on; it keeps its place, and steps count as before.

    Locks as `wait_on`.
    """
    kind = kind_of_work(conversation)
    if kind != CALL:
        queueing.turn_into(conversation.public_id.hex, kind, instead_of=CALL)


def note_accepted(conversation: Conversation) -> None:
    """The packages that waited for a person have reached one."""
    Handoff.objects.filter(conversation=conversation, accepted_at__isnull=True).update(accepted_at=Now())


def renew(ended: WorkItem, work_item: WorkItem, *, conversation: Conversation) -> None:
    """Gives a conversation's new work the package of the work that it follows. Must run in a transaction."""
    before = Handoff.objects.filter(work_item=ended).first()
    if before and not Handoff.objects.filter(work_item=work_item).exists():
        Handoff.objects.create(
            conversation=conversation,
            interaction_id=before.interaction_id,
            work_item=work_item,
            why=before.why,
            summary=before.summary,
            facts=before.facts,
            tried=before.tried,
            next_step=before.next_step,
            requested_at=before.requested_at,
        )


def _stored(package: Package) -> dict[str, Any]:
    """The package as its row keeps it."""
    content = {
        "why": package.why,
        "summary": package.summary,
        "facts": [dict(fact) for fact in package.facts],
        "tried": list(package.tried),
        "next_step": package.next_step,
    }
    return dict(timeline.clean(content))


def _is_promised_a_call(work: WorkItem) -> bool:
    """Whether work that waits was made a call back, which the customer was told and saying more does not undo."""
    return work.state in (WorkItem.State.QUEUED, WorkItem.State.RESERVED) and work.kind == callbacks.KIND_OF_WORK


def _last_agent(conversation: Conversation) -> AgentProfile | None:
    """Who took a conversation of the customer last, not too long ago, and is still there. Two statements."""
    theirs = Conversation.objects.filter(customer=conversation.customer_id).order_by("-pk").values_list("public_id", flat=True)
    taken = Reservation.objects.filter(
        work_item__subject__in=[public_id.hex for public_id in theirs[:MOST_CONVERSATIONS]],
        accepted_at__gte=Now() - LAST_AGENT_COUNTS_FOR,
        agent__active=True,
    )
    last = taken.select_related("agent").order_by("-accepted_at").first()
    return last.agent if last else None


def kind_of_work(conversation: Conversation) -> str:
    """`CALL` while a call of the conversation is up, `messaging` otherwise.

    A phone that we ring and that was not let in by the chat's code is no line to talk on.
    """
    calls = conversation.interactions.filter(channel="voice").exclude(state=Interaction.State.ENDED)
    return CALL if any(not call_state.waits_for_code(call) for call in calls) else "messaging"
