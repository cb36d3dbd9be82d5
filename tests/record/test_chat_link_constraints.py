"""The database itself refuses every bad row of a link back into the chat."""

from typing import Any

import pytest
from django.utils import timezone

from conversations.models import ChatLink
from tests.record import rows
from tests.record.test_constraints import refused

pytestmark = pytest.mark.django_db
NOW = timezone.now()


def link(**changes: Any) -> ChatLink:
    values = {"interaction": rows.interaction(), "value": "+447700900123", "token_hash": "0" * 64, "expires_at": NOW}
    return ChatLink.objects.create(**{**values, **changes})


def test_a_link_goes_to_a_number() -> None:
    """Nothing but a phone number in its normal form."""
    refused("chat_link_goes_to_a_number", lambda: link(value="jane@example.org"))


def test_a_link_that_opened_a_chat_is_used() -> None:
    """The chat that it opened is named only once it is used."""
    refused("chat_link_that_opened_a_chat_is_used", lambda: link(used_by=rows.interaction()))
