"""What routing tells us, shown on screens. Connected when the app is ready."""

from __future__ import annotations

from typing import Any

from conversations.models import Conversation
from conversations.services import announce
from routing.models import Reservation, WorkItem
from routing.signals import reservation_changed, work_item_changed


def connect() -> None:
    """Listens to routing's two signals."""
    reservation_changed.connect(_show_offer, dispatch_uid="conversations.show_offer")
    work_item_changed.connect(_show_work, dispatch_uid="conversations.show_work")


def _show_offer(sender: Any, reservation: Reservation, **kwargs: Any) -> None:
    announce.offer_changed(reservation.agent_id, reservation.pk, reservation.state)


def _show_work(sender: Any, work_item: WorkItem, **kwargs: Any) -> None:
    announce.work_changed(Conversation.objects.filter(public_id=work_item.subject).first())
