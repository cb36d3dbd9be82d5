"""Where scripted customers act: the demo company in a database of its own, which is gone afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.test.utils import override_settings

from conversations.demo.load import load
from routing.models import ServiceHours, ServiceHoursException
from routing.simulation.database import own_database

ALWAYS_OPEN: Final = "24/7"
CLOSED: Final = "off"
TABLES_OF_THE_RECORD: Final = (
    "conversations_customer, conversations_webhookrecord, conversations_chatsessionrecord, routing_decision, routing_workitem"
)
APART: Final[dict[str, Any]] = {
    "CACHES": {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "LOCATION": "evaluation"}},
    "CHANNEL_LAYERS": {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}},
    "VONAGE_GATEWAY": "off",
    "VONAGE_APPLICATION_ID": "evaluation",
    "VONAGE_API_KEY": "evaluation",
    "VONAGE_SIGNATURE_SECRET": "only between this command and itself",
    "VOICE_REPLY_BUDGET_MS": 30_000,
}
"""Nothing that is played here is pushed to a screen, kept in the company's cache or sent to the phone platform."""


@contextmanager
def scratch_company() -> Iterator[None]:
    """The demo company, and no customer, in a database of its own; every connection of this process leads there.

    Not for a process that serves anybody. Raises routing.simulation.database.NoDatabase.
    """
    company = connection.settings_dict["NAME"]
    with own_database() as name, override_settings(**APART, STORAGES=_without_collected_files()):
        _go_to(name)
        try:
            call_command("migrate", verbosity=0, interactive=False)
            load()
            yield
        finally:
            _go_to(company)


def _without_collected_files() -> dict[str, Any]:
    """The storages, of which that for pages and music looks nothing up: nobody fetches what is named here, so nothing need be collected."""
    return {**settings.STORAGES, "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}


def set_the_clock(*, is_open: bool) -> None:
    """Has the office be open, or closed, whatever time it is; the emergency line always is open."""
    ServiceHoursException.objects.all().delete()
    ServiceHours.objects.update(expression=ALWAYS_OPEN)
    if not is_open:
        ServiceHours.objects.filter(code="office").update(expression=CLOSED)


def forget_everybody() -> None:
    """Empties the record, so that no scenario meets another one's customer. Only within `scratch_company`."""
    with connection.cursor() as cursor:
        cursor.execute(f"TRUNCATE {TABLES_OF_THE_RECORD} CASCADE")


def _go_to(name: str) -> None:
    connection.close()
    close_pool = getattr(connection, "close_pool", None)
    if close_pool and getattr(connection, "pool", None):
        close_pool()
    connection.settings_dict["NAME"] = name
