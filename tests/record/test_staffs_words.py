"""Card numbers that people of the company type beside the history: into notes, reasons and details of the record."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.contrib.auth import get_user_model
from django.test import Client

from conversations.models import Consent, ContactPreference, Customer, CustomerLink, LegalHold, Proof, Suppression
from conversations.services import consent, holds, importing, merging, proving, suppression, weaving
from conversations.services.consent import Said
from conversations.services.import_files import open_file
from conversations.services.import_report import add_up
from conversations.services.import_rows import Options
from tests.record import parties, rows, whole_person

pytestmark = pytest.mark.usefixtures("company")
CARD = "4111 1111 1111 1111"
WORDS = f"Paid with {CARD}"


def attests() -> None:
    proving.attest(parties.call(), by="Ann", note=WORDS)
    assert Proof.objects.get().note == "Paid with •••• •••• •••• 1111"


def notes_a_consent() -> None:
    said = Said(given_by="agent", how="said", recorded_by="Ann", assurance="verified", note=WORDS)
    consent.record(rows.customer(), purpose="sms", decision="refused", said=said)
    consent.prefer(rows.customer(), way="text", times=WORDS, language="en", updated_by="Ann")
    assert Consent.objects.exists()
    assert ContactPreference.objects.exists()


def places_a_hold() -> None:
    holds.place(rows.customer(), reason=WORDS, by="maya")
    assert LegalHold.objects.exists()


def keeps_a_number_from_calls() -> None:
    row, _new = suppression.suppress("phone", "+447700900123", reason=WORDS, added_by="maya")
    suppression.lift(row, reason=WORDS, lifted_by="maya")
    assert Suppression.objects.exists()


def joins_records_and_conversations() -> None:
    one, other = rows.conversation(), rows.conversation()
    weaving.join_by_hand(one, other, reason=WORDS, made_by="ann")
    merging.join_customers(one.customer, other.customer, evidence={"sentence": WORDS}, made_by="maya")
    assert CustomerLink.objects.exists()


def corrects_a_record() -> None:
    """On the page that managers have for it."""
    customer = rows.customer()
    browser = Client()
    browser.force_login(get_user_model().objects.create_superuser("root"))
    changed = {"name": customer.name, "address": WORDS, "language": "en", "tier": "standard", "open_balance": "0"}
    assert browser.post(f"/admin/conversations/customer/{customer.pk}/change/", changed).status_code == 302
    customer.refresh_from_db()
    assert customer.address == "Paid with •••• •••• •••• 1111"


@pytest.mark.parametrize(
    "types",
    [attests, notes_a_consent, places_a_hold, keeps_a_number_from_calls, joins_records_and_conversations, corrects_a_record],
)
def test_a_card_number_is_kept_nowhere(types: Callable[[], None]) -> None:
    """In no column of any table, with or without its gaps."""
    types()
    assert whole_person.found({CARD, CARD.replace(" ", "")}) == {}


def test_a_cell_of_an_import_with_a_card_number_is_left_out_and_told() -> None:
    """The rest of the row counts; a system's own number for somebody is not taken for a card's."""
    text = f"external_id,name,address,attributes.payment\n4111111111111111,Ada Brand,1 Quay,{CARD}\n1002,Ben {CARD},2 Quay,cash\n"
    report = add_up(importing.run(open_file(text.encode()).rows, Options(system="crm")))
    ada, ben = Customer.objects.order_by("pk")
    assert (ada.name, ada.attributes) == ("Ada Brand", {})
    assert (ben.name, ben.address, ben.attributes) == ("", "2 Quay", {"payment": "cash"})
    told = [(each.line, each.column) for row in report.shown for each in row.problems if "payment card" in each.sentence]
    assert told == [(2, "attributes.payment"), (3, "name")]
    assert not any(CARD in text for texts in whole_person.everything().values() for text in texts)
