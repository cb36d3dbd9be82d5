"""The inbox shows the waiting line in the order in which routing offers it."""

from __future__ import annotations

from datetime import timedelta

from django.urls import reverse
from django.utils import timezone

from routing.models import WorkItem
from tests.inbox.conftest import Cast


def test_what_waited_too_long_stands_before_a_nearer_deadline(cast: Cast) -> None:
    """As in a dispatch pass: within a class, what is over its longest wait goes first."""
    for name in ("Nearer Nora", "Longer Lou"):
        cast.hands_over(cast.chat(name))
    now = timezone.now()
    lou = WorkItem.objects.latest("pk")
    WorkItem.objects.filter(pk=lou.pk).update(deadline=now + timedelta(hours=1), in_good_time=False)
    page = cast.client(cast.ann).get(reverse("inbox:lists"), {"tab": "waiting"}).content.decode()
    assert 0 < page.index("Longer Lou") < page.index("Nearer Nora")
