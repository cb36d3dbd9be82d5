"""Consents to be read, and the do-not-contact list that managers keep."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from conversations.models import Consent, Customer, Suppression
from conversations.services import consent, merging, suppression
from conversations.services.consent import Said
from tests.reporting import cast

pytestmark = pytest.mark.django_db
LIST = "admin:conversations_suppression"
BY_AGENT = Said(given_by="agent", how="said", recorded_by="Ann", assurance="claimed", note="On the doorstep.")


@pytest.fixture
def maya(client: Client) -> User:
    manager = cast.manager()
    client.force_login(manager)
    return manager


@pytest.fixture
def sam() -> Customer:
    """Somebody who agreed to calls and wants no offers."""
    found = cast.customer("Sam Okafor", phone="+441632960111")
    consent.record(found, purpose="outbound_call", decision="given", wording="May we call you?", said=BY_AGENT)
    consent.revoke(found, "marketing", said=BY_AGENT)
    return found


def test_the_customers_page_says_what_holds(client: Client, maya: User, sam: Customer) -> None:
    text = client.get(reverse("admin:conversations_customer_change", args=[sam.pk])).content.decode()
    for words in ("Calls from us", "Agreed", "Taken back", "On the doorstep.", "Not asked yet, so not allowed.", "Ann"):
        assert words in text


def test_what_joined_records_said_takes_no_more_statements(client: Client, maya: User, sam: Customer) -> None:
    """Each line names the record that it comes from."""
    address = reverse("admin:conversations_customer_change", args=[sam.pk])
    counts = []
    for purpose in ("sms", "contact", "recording"):
        other = cast.customer(f"Record of {purpose}")
        consent.revoke(other, purpose, said=BY_AGENT)
        merging.join_customers(other, sam, evidence={}, made_by="Ann")
        client.get(address)
        with CaptureQueriesContext(connection) as captured:
            assert f"from the joined record Record of {purpose}" in client.get(address).content.decode()
        counts.append(sum("conversations_customer" in each["sql"] and '"root_id"' in each["sql"] for each in captured))
    assert counts[0] == counts[2]


def test_the_ledger_is_read_and_never_changed(client: Client, maya: User, sam: Customer) -> None:
    page = client.get(reverse("admin:conversations_consent_changelist"), {"purpose__exact": "marketing"})
    assert [row.purpose for row in page.context["cl"].result_list] == ["marketing"]
    row = Consent.objects.get(purpose="outbound_call")
    address = reverse("admin:conversations_consent_change", args=[row.pk])
    assert "May we call you?" in client.get(address).content.decode()
    assert client.post(address, {"decision": "refused"}).status_code == 403
    assert client.get(reverse("admin:conversations_consent_add")).status_code == 403


def test_a_manager_puts_a_number_on_the_list_and_takes_it_off(client: Client, maya: User) -> None:
    """Both with a reason and a name; the row stays."""
    add = reverse(f"{LIST}_add")
    assert client.post(add, {"kind": "phone", "value": "+44 1632 960111", "reason": "Asked in a letter."}).status_code == 302
    row = Suppression.objects.get()
    assert (row.value, row.added_by) == ("+441632960111", str(maya))
    again = client.post(add, {"kind": "phone", "value": "+441632960111", "reason": "Again."})
    assert "It is on the list already." in again.content.decode()
    address = reverse(f"{LIST}_change", args=[row.pk])
    assert client.post(address, {"lifted_reason": ""}).status_code == 302
    assert suppression.is_suppressed("phone", "+441632960111")
    assert client.post(address, {"lifted_reason": "They asked."}).status_code == 302
    assert not suppression.is_suppressed("phone", "+441632960111")
    row.refresh_from_db()
    assert (row.lifted_by, row.lifted_reason) == (str(maya), "They asked.")
    assert client.post(reverse(f"{LIST}_delete", args=[row.pk]), {"post": "yes"}).status_code == 403
    client.post(add, {"kind": "phone", "value": "+441632960111", "reason": "Once more."})
    assert suppression.is_suppressed("phone", "+441632960111")


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"value": "nonsense"}, "is not a phone number"),
        ({"kind": "email", "value": "nobody"}, "is not an email address"),
        ({"reason": ""}, "required"),
        ({"kind": "fax"}, "not one of the available choices"),
    ],
)
def test_what_is_wrong_is_said(client: Client, maya: User, fields: dict[str, str], words: str) -> None:
    filled = {"kind": "phone", "value": "+441632960111", "reason": "Asked.", **fields}
    assert words in client.post(reverse(f"{LIST}_add"), filled).content.decode()
    assert not Suppression.objects.exists()
