"""What supervisors do to queues, to work and to people: each one transaction, with who did it in the history or the log.

Doing what is done already changes nothing. `by` is the user who does it.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from conversations.models import Conversation
from conversations.services import announce, manager_log, ownership, timeline
from conversations.services.timeline import NewEntry
from routing.models import AgentProfile, Presence, Queue, Reservation, WorkItem
from routing.services import presence, queueing, supervising
from routing.services.locks import lock_live_reservation, lock_live_work, lock_subject
from routing.services.reservations import NoCapacity


class CannotSteer(Exception):
    """It is not as the supervisor saw it, or cannot be done; the message is a sentence for them."""


def name_of(user: Any) -> str:
    """What histories and colleagues' screens call a supervisor."""
    return str(user.get_full_name() or user.get_username())


def pause(queue: Queue, *, by: Any, why: str) -> None:
    """Nothing of the queue is offered until it goes on. Pausing twice keeps the first supervisor and reason."""
    with transaction.atomic():
        if supervising.pause_queue(queue, by=name_of(by), why=why):
            manager_log.note(by, Queue, _("%(queue)s paused: %(why)s") % {"queue": queue.name, "why": why})


def resume(queue: Queue, *, by: Any) -> None:
    """The queue's work is offered again."""
    with transaction.atomic():
        if supervising.resume_queue(queue):
            manager_log.note(by, Queue, _("%(queue)s goes on") % {"queue": queue.name})


def set_state(agent: AgentProfile, state: str, away_reason: str = "", *, by: Any) -> None:
    """Sets somebody's state; their screen says who did it. Work they have stays theirs."""
    with transaction.atomic():
        after = presence.set_state(agent, state, away_reason, by=name_of(by))
        said = f"{after.get_state_display()}: {after.away_reason}" if after.away_reason else after.get_state_display()
        manager_log.note(by, AgentProfile, _("%(agent)s set to %(state)s") % {"agent": agent.display_name, "state": said})


def change_class(work_item: WorkItem, priority_class: int, *, by: Any) -> None:
    """Puts waiting work into another priority class, 1 to 9.

    Locks the work's subject, then its conversation and the work. Raises CannotSteer when somebody has it or it has ended.
    """
    with transaction.atomic():
        conversation, live = _lock(work_item)
        if live.priority_class == priority_class:
            return
        before = live.priority_class
        try:
            supervising.change_class(live, priority_class)
        except queueing.WorkEnded as ended:
            raise CannotSteer(str(ended)) from None
        words = _("From class %(before)d to class %(after)d.") % {"before": before, "after": priority_class}
        _note(conversation, live, "work.class_changed", words, by, {"priority_class": priority_class})


def give(work_item: WorkItem, agent: AgentProfile, *, by: Any, seen_with: int | None) -> None:
    """Offers work to one agent; whoever has it or is offered it, loses it, and the AI agent answers until it is taken.

    `seen_with` is the id of the agent whom the supervisor saw it with, None for nobody. Locks the work's subject, then its
    conversation, the work, its reservation and the agents. Raises CannotSteer.
    """
    with transaction.atomic():
        conversation, live = _lock(work_item)
        held = lock_live_reservation(live)
        if held is not None and held.agent_id == agent.pk:
            return
        _must_be_as_seen(held, seen_with)
        _must_be_there(agent)
        try:
            supervising.offer_to(live, agent, by=name_of(by))
        except NoCapacity:
            sentence = _("%(agent)s has no room for this now, or does not do this kind of work. Choose somebody else.")
            raise CannotSteer(sentence % {"agent": agent.display_name}) from None
        if held is None:
            words = _("Offered to %(agent)s.") % {"agent": agent.display_name}
        else:
            words = _("Taken from %(before)s and offered to %(agent)s.") % {"before": held.agent.display_name, "agent": agent.display_name}
        _note(conversation, live, "work.moved", words, by, {"queue": live.queue.code})
        _let_go(conversation)


def take_back(work_item: WorkItem, *, by: Any, seen_with: int | None) -> None:
    """Puts work that somebody has or is offered back into its line, at its old place; the AI agent answers meanwhile.

    Locks and `seen_with` as in `give`. Raises CannotSteer.
    """
    with transaction.atomic():
        conversation, live = _lock(work_item)
        held = lock_live_reservation(live)
        if held is None:
            return
        _must_be_as_seen(held, seen_with)
        queueing.requeue(live)
        words = _("Taken from %(before)s, back to the line of %(queue)s.") % {"before": held.agent.display_name, "queue": live.queue.name}
        _note(conversation, live, "work.moved", words, by, {"queue": live.queue.code})
        _let_go(conversation)


def _lock(work_item: WorkItem) -> tuple[Conversation | None, WorkItem]:
    """The work as it is now, and its conversation's row, both locked. Raises CannotSteer when it has ended."""
    conversation = _conversation_of(work_item)
    if conversation is None:
        lock_subject(work_item.subject)
    else:
        conversation = ownership.lock_with_work(conversation)
    live = lock_live_work(work_item.subject)
    if live is None or live.pk != work_item.pk:
        raise CannotSteer(_("This work has ended meanwhile."))
    return conversation, live


def _conversation_of(work_item: WorkItem) -> Conversation | None:
    try:
        return Conversation.objects.filter(public_id=UUID(work_item.subject)).first()
    except ValueError:
        return None


def _must_be_as_seen(held: Reservation | None, seen_with: int | None) -> None:
    if held is None and seen_with is not None:
        raise CannotSteer(_("It went back to the line meanwhile. Look again before you move it."))
    if held is not None and held.agent_id != seen_with:
        sentence = _("It is with %(agent)s meanwhile. Look again before you move it.")
        raise CannotSteer(sentence % {"agent": held.agent.display_name})


def _must_be_there(agent: AgentProfile) -> None:
    there = (Presence.State.AVAILABLE, Presence.State.AWAY)
    if not Presence.objects.filter(agent=agent, agent__active=True, state__in=there).exists():
        raise CannotSteer(_("%(agent)s is offline and would not see it. Choose somebody else.") % {"agent": agent.display_name})


def _let_go(conversation: Conversation | None) -> None:
    """Whoever had the conversation has it no longer, from this instant; their phone is taken off the call after commit."""
    if conversation is not None and conversation.owner_kind == Conversation.Owner.HUMAN:
        ownership.let_go(conversation)
        announce.work_changed(conversation)


def _note(conversation: Conversation | None, work: WorkItem, kind: str, words: str, by: Any, data: dict[str, Any]) -> None:
    """In the conversation's history, for colleagues; in the admin's log for work that is no conversation of ours."""
    if conversation is None:
        manager_log.note(by, WorkItem, f"{work}: {words}")
        return
    new = NewEntry(kind=kind, actor_kind="agent", actor_name=name_of(by), audience="staff", body=words, data=data)
    timeline.append(conversation.pk, new)
