"""Harbor Home Services, loaded once for many tests, and the record emptied between them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from django.core.management import call_command

from conversations.demo.load import load
from routing.models import ServiceHours, ServiceHoursException
from tests.support.emptying.rows import empty

THE_RECORD: Final = (
    "conversations_customer", "conversations_webhookrecord", "conversations_chatsessionrecord",
    "routing_decision", "routing_workitem", "routing_presence",
)  # fmt: skip
AS_LOADED: Final = (
    "UPDATE routing_agentprofile SET load = 0",
    "UPDATE conversations_entrypoint SET mode = 'live', live_share_percent = 100",
)


@contextmanager
def demo_company() -> Iterator[None]:
    """The demo company in an otherwise empty database, open around the clock, since tests run at any hour.

    Everything is gone afterwards.
    """
    call_command("flush", interactive=False, reset_sequences=False, verbosity=0)
    load()
    ServiceHoursException.objects.all().delete()
    ServiceHours.objects.update(expression="24/7")
    yield
    call_command("flush", interactive=False, reset_sequences=False, verbosity=0)


def empty_the_record() -> None:
    """Forgets every customer and all work; the company, its people and its policy stay."""
    empty(*THE_RECORD, then=AS_LOADED)
