"""The database itself refuses every bad key of a host site."""

from typing import Any

import pytest
from django.utils import timezone

from conversations.models import HostSiteKey
from tests.record import rows
from tests.record.test_constraints import refused

pytestmark = pytest.mark.django_db
NOW = timezone.now()


def key(**changes: Any) -> HostSiteKey:
    values = {"entry_point": rows.entry_point(), "system": "shop", "kid": "2026-11", "public_key": "PEM", "made_by": "Maya"}
    return HostSiteKey.objects.create(**{**values, **changes})


@pytest.mark.parametrize(
    ("constraint", "changes"),
    [
        ("host_site_key_algorithm_is_allowed", {"algorithm": "none"}),
        ("host_site_key_is_a_secret_or_public_as_its_algorithm_needs", {"algorithm": "HS256"}),
        ("host_site_key_is_a_secret_or_public_as_its_algorithm_needs", {"sealed_secret": "sealed"}),
        ("host_site_has_a_short_name", {"system": "The Shop"}),
        ("host_site_key_has_an_id", {"kid": ""}),
        ("host_site_key_has_a_last_day_exactly_when_retiring", {"state": "retiring"}),
        ("host_site_key_has_a_last_day_exactly_when_retiring", {"accepted_until": NOW}),
        ("host_site_key_says_who_revoked_it_and_when", {"state": "revoked"}),
        ("host_site_key_says_who_revoked_it_and_when", {"revoked_by": "Maya", "revoked_at": NOW}),
    ],
)
def test_host_site_key_rules(constraint: str, changes: dict[str, Any]) -> None:
    """A key is of an allowed kind, named, and says how long it counts."""
    refused(constraint, lambda: key(**changes))


def test_a_key_id_names_one_key_of_an_entry_point() -> None:
    """The same id at another page is another key."""
    key()
    refused("host_site_key_id_is_unique_per_entry_point", key)
    key(entry_point=rows.entry_point("chat", "/elsewhere"))
