"""Offers: taken, declined, run out, worked on, finished. `routing.services.dispatch` makes them.

An agent's load rises when an offer is made and falls when the reservation ends, in the same transaction and under
the agent's row lock.
"""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from routing.models import AgentProfile, Presence, Reservation, WorkItem
from routing.services.announce import announce_presence, announce_reservation, announce_work_item
from routing.services.dispatch import dispatch_after_commit, dispatch_for_agent_after_commit
from routing.services.load import give_back
from routing.services.locks import lock_agents, lock_live_reservation, lock_live_work, lock_subject

MISSED_AN_OFFER = "missed an offer"


class ReservationGone(LookupError):
    """The offer cannot be taken or declined any more; the message is a sentence for the agent."""


def accept(reservation_id: int, agent: AgentProfile) -> Reservation:
    """The agent takes the offer. Taking it twice is taking it once.

    Raises ReservationGone when it is somebody else's, has run out, or was taken back.
    """
    with transaction.atomic():
        work_item, reservation = _lock_offer(reservation_id, agent)
        if reservation.state in (Reservation.State.ACCEPTED, Reservation.State.WRAPPING):
            return reservation
        _must_be_open(reservation)
        reservation.state = Reservation.State.ACCEPTED
        reservation.accepted_at = timezone.now()
        reservation.save(update_fields=["state", "accepted_at"])
        _move(work_item, WorkItem.State.ASSIGNED)
        announce_reservation(reservation)
    return reservation


def reject(reservation_id: int, agent: AgentProfile) -> None:
    """The agent declines the offer; the work goes back to the line and keeps its place. Raises ReservationGone."""
    with transaction.atomic():
        work_item, reservation = _lock_offer(reservation_id, agent)
        if reservation.state == Reservation.State.REJECTED:
            return
        _must_be_open(reservation)
        _back_to_the_line(work_item, reservation, Reservation.State.REJECTED)


def expire_due() -> int:
    """Ends every offer that ran out, each in its own transaction; returns how many.

    The work goes back to the line and keeps its place; the agent, who seems not to be there, becomes away.
    """
    due = (
        Reservation.objects.filter(state=Reservation.State.PENDING, expires_at__lte=timezone.now())
        .order_by("expires_at")
        .values_list("pk", flat=True)
    )
    return sum(_expire(reservation_id) for reservation_id in list(due))


def wrap_up(subject: str) -> None:
    """The talking is over, the writing-up is not: capacity stays taken. Does nothing unless somebody has the work."""
    with transaction.atomic():
        lock_subject(subject)
        work_item = lock_live_work(subject)
        if work_item is None or work_item.state != WorkItem.State.ASSIGNED:
            return
        reservation = lock_live_reservation(work_item)
        _move(work_item, WorkItem.State.WRAPPING)
        if reservation is not None:
            reservation.state = Reservation.State.WRAPPING
            reservation.save(update_fields=["state"])
            announce_reservation(reservation)


def complete(subject: str) -> None:
    """Ends the subject's live work, frees the capacity, then a dispatch pass follows. Does nothing when there is none."""
    with transaction.atomic():
        lock_subject(subject)
        work_item = lock_live_work(subject)
        if work_item is None:
            return
        reservation = lock_live_reservation(work_item)
        only_offered = work_item.state == WorkItem.State.RESERVED
        if reservation is not None:
            end_reservation(
                reservation, Reservation.State.RESCINDED if only_offered else Reservation.State.COMPLETED
            )
        _move(work_item, WorkItem.State.CANCELED if only_offered else WorkItem.State.COMPLETED)


def end_reservation(reservation: Reservation, state: Reservation.State) -> None:
    """Ends a live reservation and gives the agent its capacity back; a dispatch pass follows on commit.

    The caller holds the rows of the work item and of the reservation; takes the agent's.
    """
    agent = lock_agents([reservation.agent_id])[reservation.agent_id]
    worked = reservation.state in (Reservation.State.ACCEPTED, Reservation.State.WRAPPING)
    now = timezone.now()
    reservation.state = state
    reservation.ended_at = now
    reservation.save(update_fields=["state", "ended_at"])
    give_back(agent.pk, reservation.weight)
    if worked:
        Presence.objects.filter(agent=agent).update(idle_since=now)
    announce_reservation(reservation)
    dispatch_for_agent_after_commit(agent)


def _lock_offer(reservation_id: int, agent: AgentProfile) -> tuple[WorkItem, Reservation]:
    found = Reservation.objects.filter(pk=reservation_id, agent=agent).values_list("work_item_id", flat=True).first()
    if found is None:
        raise ReservationGone(_("This offer is not yours."))
    work_item = WorkItem.objects.select_for_update(of=("self",)).select_related("queue").get(pk=found)
    reservation = Reservation.objects.select_for_update(of=("self",)).get(pk=reservation_id)
    reservation.work_item = work_item
    return work_item, reservation


def _must_be_open(reservation: Reservation) -> None:
    if reservation.state == Reservation.State.PENDING and reservation.expires_at > timezone.now():
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
        work_item = (
            WorkItem.objects.select_for_update(of=("self",))
            .select_related("queue")
            .filter(reservations=reservation_id)
            .first()
        )
        reservation = Reservation.objects.select_for_update(of=("self",)).select_related("agent").get(pk=reservation_id)
        if work_item is None or reservation.state != Reservation.State.PENDING:
            return False
        _back_to_the_line(work_item, reservation, Reservation.State.TIMEOUT)
        away = Presence.objects.filter(agent=reservation.agent, state=Presence.State.AVAILABLE)
        if away.update(state=Presence.State.AWAY, away_reason=MISSED_AN_OFFER, since=timezone.now()):
            announce_presence(Presence.objects.select_related("agent").get(agent=reservation.agent))
    return True


def _back_to_the_line(work_item: WorkItem, reservation: Reservation, state: Reservation.State) -> None:
    end_reservation(reservation, state)
    _move(work_item, WorkItem.State.QUEUED)
    dispatch_after_commit(work_item.queue.group)


def _move(work_item: WorkItem, state: WorkItem.State) -> None:
    work_item.state = state
    if state not in WorkItem.LIVE_STATES:
        work_item.ended_at = timezone.now()
    work_item.save(update_fields=["state", "ended_at"])
    announce_work_item(work_item)
