"""Offers: taken, declined, run out, worked on, finished. `routing.services.dispatch` makes them.

An agent's load rises when an offer is made and falls when the reservation ends, in the same transaction and under
the agent's row lock.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial

from django.db import transaction
from django.db.models import Exists, F, OuterRef, QuerySet
from django.utils.translation import gettext as _

from routing import clock
from routing.models import AgentProfile, Decision, Interruption, Presence, Queue, Reservation, RoutingProfileWork, WorkItem
from routing.services.ageing import enter_queue
from routing.services.announce import announce_presence, announce_reservation, announce_work_item
from routing.services.dispatch import dispatch_after_commit, dispatch_for_agent_after_commit, dispatch_if_it_may_be_laid_aside
from routing.services.interrupting import give_capacity_back
from routing.services.load import take
from routing.services.locks import lock_agents, lock_live_reservation, lock_live_work, lock_subject
from routing.services.service_levels import deadline, service_level_of
from routing.services.sweeping import each_by_itself

MISSED_AN_OFFER = "missed an offer"


class ReservationGone(LookupError):
    """The offer cannot be taken or declined any more; the message is a sentence for the agent."""


class NoCapacity(RuntimeError):
    """The agent cannot take this work now; the message is a sentence for the agent."""


def accept(reservation_id: int, agent: AgentProfile) -> Reservation:
    """The agent takes the offer. Taking it twice is taking it once.

    Takes the subject's lock, the work item and the reservation. Raises ReservationGone when it is somebody else's, has
    run out, or was taken back. A dispatch pass follows on commit when other work may interrupt it, which may wait for that.
    """
    with transaction.atomic():
        work_item, reservation = _lock_offer(reservation_id, agent)
        if reservation.state in (Reservation.State.ACCEPTED, Reservation.State.WRAPPING):
            return reservation
        _must_be_open(reservation)
        reservation.state = Reservation.State.ACCEPTED
        reservation.accepted_at = clock.now()
        reservation.save(update_fields=["state", "accepted_at"])
        Presence.objects.filter(agent=agent).exclude(missed_in_a_row=0).update(missed_in_a_row=0)
        _move(work_item, WorkItem.State.ASSIGNED)
        announce_reservation(reservation)
        dispatch_if_it_may_be_laid_aside(work_item.kind, agent)
    return reservation


def reject(reservation_id: int, agent: AgentProfile) -> None:
    """The agent declines the offer; the work goes back to the line and keeps its place. Declining twice is declining once.

    A dispatch pass follows on commit. Takes the subject's lock, the work item, the reservation and the agent's row.
    Raises ReservationGone when it is somebody else's, has run out, was taken already or was taken back.
    """
    with transaction.atomic():
        work_item, reservation = _lock_offer(reservation_id, agent)
        if reservation.state == Reservation.State.REJECTED:
            return
        _must_be_open(reservation)
        _back_to_the_line(work_item, reservation, Reservation.State.REJECTED)


def take_back(reservation_id: int) -> bool:
    """An offer that nobody answered is taken back, since what they were rung for is over, or they have gone; the work keeps its place.

    Says whether it was open until now. A dispatch pass follows on commit. Takes the subject's lock, the work item, the reservation
    and the agent's row.
    """
    with transaction.atomic():
        work_item, reservation = _lock_with_work(reservation_id)
        if reservation.state != Reservation.State.PENDING:
            return False
        _back_to_the_line(work_item, reservation, Reservation.State.RESCINDED)
    return True


def stay_open(reservation_id: int, agent: AgentProfile, *, seconds: int) -> Reservation:
    """An offer stands for so many seconds from now, since the agent is being rung for it; it never becomes shorter.

    Takes the subject's lock, the work item and the reservation. Raises ReservationGone as `accept`, and when it was taken already.
    """
    with transaction.atomic():
        _work_item, reservation = _lock_offer(reservation_id, agent)
        _must_be_open(reservation)
        reservation.expires_at = max(reservation.expires_at, clock.now() + timedelta(seconds=seconds))
        reservation.save(update_fields=["expires_at"])
        announce_reservation(reservation)
    return reservation


def expire_due() -> int:
    """Ends every offer that ran out, each in its own transaction; returns how many.

    The work goes back to the line and keeps its place; an agent who misses as many in a row as their profile allows becomes
    away. Takes for each the subject's lock, the work item, the reservation and the agent's row. One that cannot be ended keeps no
    other from its end; raises ExceptionGroup afterwards.
    """
    due = (
        Reservation.objects.filter(state=Reservation.State.PENDING, expires_at__lte=clock.now())
        .order_by("expires_at")
        .values_list("pk", flat=True)
    )
    return sum(each_by_itself(list(due), _expire))


def wrap_up(subject: str) -> None:
    """The talking is over, the writing-up is not: capacity stays taken. Does nothing unless somebody has the work.

    Takes the subject's lock, the work item and its reservation. Raises nothing of its own.
    """
    _turn(subject, WorkItem.State.ASSIGNED, WorkItem.State.WRAPPING, Reservation.State.WRAPPING)


def end_wrap_ups() -> list[str]:
    """Completes the work whose time for writing up has run out; returns its subjects. Each is a transaction of its own.

    That time does not begin while the work is laid aside, but here afterwards. Takes for each the subject's lock, the work item,
    its reservation and the agent's row. One that fails keeps no other from its end; raises ExceptionGroup afterwards.
    """
    written_up = Reservation.objects.filter(state=Reservation.State.WRAPPING).exclude(Exists(_laid_aside()))
    timed = written_up.filter(wraps_up_until=None, agent__routing_profile__work_rows__in=_timed_work())
    due = written_up.filter(wraps_up_until__lte=clock.now()).order_by("wraps_up_until").values_list("pk", flat=True)
    begins = [partial(_begin_time_for_wrap_up, reservation_id) for reservation_id in timed.values_list("pk", flat=True)]
    ends = [partial(_end_wrap_up, reservation_id) for reservation_id in due]
    return [subject for subject in each_by_itself([*begins, *ends], lambda act: act()) if subject]


def _laid_aside() -> QuerySet[Interruption]:
    return Interruption.objects.filter(laid_aside=OuterRef("pk"), ended_at=None)


def _timed_work() -> QuerySet[RoutingProfileWork]:
    """How the kind of a reservation's work is weighed, where its writing-up ends by itself."""
    return RoutingProfileWork.objects.filter(kind=OuterRef("work_item__kind"), wrap_up_seconds__isnull=False)


def _begin_time_for_wrap_up(reservation_id: int) -> str:
    """Returns no subject, since nothing has ended."""
    with transaction.atomic():
        work_item, reservation = _lock_with_work(reservation_id)
        if reservation.state == Reservation.State.WRAPPING and reservation.wraps_up_until is None:
            reservation.wraps_up_until = _end_of_wrap_up(reservation, work_item.kind)
            reservation.save(update_fields=["wraps_up_until"])
            announce_reservation(reservation)
    return ""


def _end_wrap_up(reservation_id: int) -> str:
    """The subject of the work that has ended with it; empty when it goes on."""
    with transaction.atomic():
        work_item, reservation = _lock_with_work(reservation_id)
        if reservation.state != Reservation.State.WRAPPING or not reservation.wraps_up_until:
            return ""
        end_reservation(reservation, Reservation.State.COMPLETED)
        _move(work_item, WorkItem.State.COMPLETED)
    return work_item.subject


def talk_again(subject: str) -> None:
    """Ends a wrap-up, because the talking goes on. Does nothing unless somebody is wrapping up.

    Takes the subject's lock, the work item and its reservation. Raises nothing of its own.
    """
    _turn(subject, WorkItem.State.WRAPPING, WorkItem.State.ASSIGNED, Reservation.State.ACCEPTED)


def complete(subject: str) -> None:
    """Ends the subject's live work and frees the capacity; a dispatch pass follows on commit. Does nothing when there is none.

    What waits is completed, what is only offered is cancelled. Takes the subject's lock, the work item, its reservation
    and the row of the agent who has it. Raises nothing of its own.
    """
    with transaction.atomic():
        lock_subject(subject)
        work_item = lock_live_work(subject)
        if work_item is None:
            return
        reservation = lock_live_reservation(work_item)
        only_offered = work_item.state == WorkItem.State.RESERVED
        if reservation is not None:
            end_reservation(reservation, Reservation.State.RESCINDED if only_offered else Reservation.State.COMPLETED)
        _move(work_item, WorkItem.State.CANCELED if only_offered else WorkItem.State.COMPLETED)


def assign(*, subject: str, kind: str, agent: AgentProfile) -> Reservation:
    """The agent takes work unasked, whether or not it waits; an offer of it to somebody else is taken back.

    Work of a subject that has none goes to the queue it was in last, or was decided for, or the agent's first one.
    Takes the subject's lock and the agent's row. Raises NoCapacity when the agent has no room, does not do this kind
    of work, or somebody else has it.
    """
    with transaction.atomic():
        lock_subject(subject)
        work_item = lock_live_work(subject)
        reservation = lock_live_reservation(work_item) if work_item else None
        if reservation is not None and reservation.agent_id == agent.pk:
            return accept(reservation.pk, agent) if reservation.state == Reservation.State.PENDING else reservation
        if reservation is not None and reservation.state != Reservation.State.PENDING:
            raise NoCapacity(_("Somebody else has this work already."))
        locked = lock_with_room(agent, kind if work_item is None else work_item.kind, reservation)
        if reservation is not None:
            end_reservation(reservation, Reservation.State.RESCINDED)
        if work_item is None:
            work_item = _unasked_work(subject, kind, agent)
        return _assign_now(work_item, locked)


def end_reservation(reservation: Reservation, state: Reservation.State) -> None:
    """Ends a live reservation and gives the agent its capacity back; a dispatch pass follows on commit.

    The caller holds the rows of the work item and of the reservation; takes the agent's.
    """
    agent = lock_agents([reservation.agent_id])[reservation.agent_id]
    worked = reservation.state in (Reservation.State.ACCEPTED, Reservation.State.WRAPPING)
    now = clock.now()
    reservation.state = state
    reservation.ended_at = now
    reservation.save(update_fields=["state", "ended_at"])
    give_capacity_back(reservation, agent)
    if worked:
        Presence.objects.filter(agent=agent).update(idle_since=now)
    announce_reservation(reservation)
    dispatch_for_agent_after_commit(agent)


def _lock_offer(reservation_id: int, agent: AgentProfile) -> tuple[WorkItem, Reservation]:
    if not Reservation.objects.filter(pk=reservation_id, agent=agent).exists():
        raise ReservationGone(_("This offer is not yours."))
    return _lock_with_work(reservation_id)


def _lock_with_work(reservation_id: int) -> tuple[WorkItem, Reservation]:
    """A reservation and its work item, locked after their subject."""
    lock_subject(WorkItem.objects.values_list("subject", flat=True).get(reservations=reservation_id))
    work_item = WorkItem.objects.select_for_update(of=("self",)).select_related("queue").get(reservations=reservation_id)
    reservation = Reservation.objects.select_for_update(of=("self",), no_key=True).select_related("agent").get(pk=reservation_id)
    reservation.work_item = work_item
    return work_item, reservation


def lock_with_room(agent: AgentProfile, kind: str, others: Reservation | None) -> tuple[AgentProfile, int]:
    """Locks the agent (and who holds the offer, by rising id); returns the agent and the weight of the kind for them.

    Raises NoCapacity when the agent has no room for it, laid work aside, or does not do this kind of work.
    """
    locked = lock_agents([agent.pk] if others is None else [agent.pk, others.agent_id])[agent.pk]
    limit = RoutingProfileWork.objects.filter(profile=locked.routing_profile_id, kind=kind).first()
    if limit is None:
        raise NoCapacity(_("Your routing profile does not include this kind of work."))
    if locked.laid_aside:
        raise NoCapacity(_("You laid work aside for what you have now. Finish that first, then take more."))
    at_once = Reservation.objects.filter(agent=locked, state__in=Reservation.LIVE_STATES, work_item__kind=kind).count()
    if locked.load + limit.weight > locked.capacity or at_once >= limit.max_at_once:
        raise NoCapacity(_("You have no room for this now. Finish something first, then take it."))
    return locked, limit.weight


def _unasked_work(subject: str, kind: str, agent: AgentProfile) -> WorkItem:
    decision = Decision.objects.filter(subject=subject, queue__isnull=False).select_related("service_level").first()
    queue = (
        Queue.objects.filter(work_items__subject=subject).order_by("-work_items__pk").first()
        or (decision.queue if decision else None)
        or Queue.objects.filter(profile_rows__profile=agent.routing_profile_id).order_by("profile_rows__order").first()
    )
    if queue is None:
        raise NoCapacity(_("Your routing profile serves no queue, so you cannot take work."))
    now = clock.now()
    work = WorkItem(
        subject=subject,
        kind=kind,
        decision=decision,
        priority_class=decision.priority_class if decision else 3,
        created_at=now,
        enqueued_at=now,
        deadline=deadline(now, service_level_of(decision, queue), queue.hours),
    )
    enter_queue(work, queue, now)
    work.save(force_insert=True)
    return work


def _assign_now(work_item: WorkItem, agent_and_weight: tuple[AgentProfile, int]) -> Reservation:
    """Offered and accepted in one go: the work item still passes through both states."""
    agent, weight = agent_and_weight
    now = clock.now()
    if work_item.state == WorkItem.State.QUEUED:
        _move(work_item, WorkItem.State.RESERVED)
    reservation = Reservation.objects.create(
        work_item=work_item,
        agent=agent,
        state=Reservation.State.ACCEPTED,
        weight=weight,
        reason=_("They took it themselves."),
        offered_at=now,
        accepted_at=now,
        expires_at=now,
    )
    take(agent.pk, weight)
    _move(work_item, WorkItem.State.ASSIGNED)
    announce_reservation(reservation)
    dispatch_if_it_may_be_laid_aside(work_item.kind, agent)
    return reservation


def _must_be_open(reservation: Reservation) -> None:
    if reservation.state == Reservation.State.PENDING and reservation.expires_at > clock.now():
        return
    sentences = {
        Reservation.State.PENDING: _("The time to answer this offer has run out. It goes to somebody else."),
        Reservation.State.TIMEOUT: _("The time to answer this offer has run out. It went back to the line."),
        Reservation.State.REJECTED: _("You declined this offer. It went back to the line."),
        Reservation.State.CANCELED: _("The customer does not need a person any more."),
        Reservation.State.RESCINDED: _("This offer was taken back."),
        Reservation.State.COMPLETED: _("This work is finished already."),
    }
    state = Reservation.State(reservation.state)
    raise ReservationGone(sentences.get(state, _("You have taken this already.")))


def _expire(reservation_id: int) -> bool:
    with transaction.atomic():
        work_item, reservation = _lock_with_work(reservation_id)
        if reservation.state != Reservation.State.PENDING:
            return False
        _back_to_the_line(work_item, reservation, Reservation.State.TIMEOUT)
        _note_a_missed_offer(reservation.agent)
    return True


def _note_a_missed_offer(agent: AgentProfile) -> None:
    """After as many in a row as their profile allows, the agent is set away. The caller holds the agent's row."""
    Presence.objects.filter(agent=agent).update(missed_in_a_row=F("missed_in_a_row") + 1)
    missed = Presence.objects.filter(
        agent=agent, state=Presence.State.AVAILABLE, missed_in_a_row__gte=F("agent__routing_profile__missed_offers_before_away")
    )
    if missed.update(state=Presence.State.AWAY, away_reason=MISSED_AN_OFFER, since=clock.now(), set_by=""):
        announce_presence(Presence.objects.select_related("agent").get(agent=agent))


def _turn(subject: str, before: WorkItem.State, after: WorkItem.State, held_as: Reservation.State) -> None:
    """Moves work that somebody has from one state to another, together with their reservation."""
    with transaction.atomic():
        lock_subject(subject)
        work_item = lock_live_work(subject)
        if work_item is None or work_item.state != before:
            return
        _move(work_item, after)
        reservation = lock_live_reservation(work_item)
        if reservation is not None:
            reservation.state = held_as
            reservation.wraps_up_until = _end_of_wrap_up(reservation, work_item.kind) if held_as == Reservation.State.WRAPPING else None
            reservation.save(update_fields=["state", "wraps_up_until"])
            announce_reservation(reservation)
            if held_as == Reservation.State.ACCEPTED:
                dispatch_if_it_may_be_laid_aside(work_item.kind, reservation.agent)


def _end_of_wrap_up(reservation: Reservation, kind: str) -> datetime | None:
    """When the writing-up ends by itself; None when it takes as long as it takes, or is laid aside."""
    is_aside = Interruption.objects.filter(laid_aside=reservation, ended_at=None)
    limits = RoutingProfileWork.objects.filter(~Exists(is_aside), profile__agents=reservation.agent_id, kind=kind)
    seconds = limits.values_list("wrap_up_seconds", flat=True).first()
    return None if seconds is None else clock.now() + timedelta(seconds=seconds)


def _back_to_the_line(work_item: WorkItem, reservation: Reservation, state: Reservation.State) -> None:
    """Nobody has given back what was only rung for: who was asked is asked again at once."""
    end_reservation(reservation, state)
    if state != Reservation.State.RESCINDED:
        work_item.given_back_at = reservation.ended_at
        work_item.save(update_fields=["given_back_at"])
    _move(work_item, WorkItem.State.QUEUED)
    dispatch_after_commit(work_item.queue.group)


def _move(work_item: WorkItem, state: WorkItem.State) -> None:
    work_item.state = state
    if state == WorkItem.State.ASSIGNED and work_item.answered_at is None:
        work_item.answered_at = clock.now()
    if state not in WorkItem.LIVE_STATES:
        work_item.ended_at = clock.now()
    work_item.save(update_fields=["state", "answered_at", "ended_at"])
    announce_work_item(work_item)
