"""What routing tells us: shown on screens, and followed where a conversation has to. Connected when the app is ready."""

from __future__ import annotations

from typing import Any

from conversations.flows import overflowing, wrapping_up
from conversations.models import Conversation
from conversations.services import announce, callbacks, delivery
from routing.models import Presence, Queue, Reservation, WorkItem
from routing.signals import presence_changed, queue_changed, reservation_changed, work_item_changed


def connect() -> None:
    """Listens to routing's signals."""
    reservation_changed.connect(_show_offer, dispatch_uid="conversations.show_offer")
    work_item_changed.connect(_show_work, dispatch_uid="conversations.show_work")
    presence_changed.connect(_show_presence, dispatch_uid="conversations.show_presence")
    queue_changed.connect(_show_queue, dispatch_uid="conversations.show_queue")


def _show_offer(sender: Any, reservation: Reservation, **kwargs: Any) -> None:
    announce.offer_changed(reservation.agent_id, reservation.pk, reservation.state)
    if reservation.state not in (*Reservation.LIVE_STATES, Reservation.State.COMPLETED):
        delivery.stop_ringing_for(reservation.pk)


def _show_work(sender: Any, work_item: WorkItem, **kwargs: Any) -> None:
    conversation = Conversation.objects.filter(public_id=work_item.subject).first()
    announce.work_changed(conversation)
    if conversation is not None and work_item.state == WorkItem.State.COMPLETED:
        wrapping_up.leave_nobody_without_work(conversation)
    elif conversation is not None and work_item.kind == callbacks.KIND_OF_WORK and work_item.state == WorkItem.State.QUEUED:
        overflowing.tell(conversation)


def _show_presence(sender: Any, presence: Presence, **kwargs: Any) -> None:
    announce.presence_changed(presence.agent_id)


def _show_queue(sender: Any, queue: Queue, **kwargs: Any) -> None:
    announce.work_changed()
