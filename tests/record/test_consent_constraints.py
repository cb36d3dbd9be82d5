"""The database itself refuses every bad row about consent."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from conversations.models import Consent, ContactPreference, Customer, EntryPoint, Suppression
from tests.record import rows
from tests.record.test_constraints import refused

pytestmark = pytest.mark.django_db
NOW = timezone.now()
LATER = NOW + timedelta(days=1)


def consent(of: Customer | None = None, **changes: Any) -> Consent:
    sam = of or rows.customer()
    values = {"customer": sam, "original_customer": sam, "purpose": "sms", "decision": "revoked", "given_by": "customer"}
    return Consent.objects.create(**{**values, "assurance": "claimed", "how": "typed", "recorded_by": "tests", **changes})


def suppression(**changes: Any) -> Suppression:
    values = {"kind": "phone", "value": "+447700900123", "value_hash": "0" * 64, "reason": "Asked.", "added_by": "tests"}
    return Suppression.objects.create(**{**values, **changes})


REQUEST = {
    "decision": "given", "asked_for": True, "kind": "phone", "value": "+447700900123", "expires_at": LATER, "wording": "Shall we call you?",
}  # fmt: skip


@pytest.mark.parametrize(
    ("constraint", "changes"),
    [
        ("consent_purpose_is_known", {"purpose": "world peace"}),
        ("consent_way_is_known", {"purpose": "marketing", "way": "fax"}),
        ("consent_decision_is_known", {"decision": "maybe"}),
        ("consent_is_given_by_somebody_known", {"given_by": "a friend"}),
        ("consent_is_given_in_a_known_way", {"how": "nodded"}),
        ("consent_assurance_is_known", {"assurance": "sure"}),
        ("only_offers_come_in_several_ways", {"way": "email"}),
        ("consent_is_for_a_whole_identifier_or_for_any", {"kind": "email"}),
        ("consent_is_for_a_whole_identifier_or_for_any", {"value": "sam@example.org"}),
        ("consent_is_for_a_whole_identifier_or_for_any", {"kind": "fax", "value": "1"}),
        ("consent_number_is_e164", {"kind": "phone", "value": "07700 900123"}),
        ("agreeing_keeps_the_words_agreed_to", {"decision": "given", "assurance": "verified"}),
        ("a_request_is_for_one_number_and_ends", {**REQUEST, "expires_at": None}),
        ("a_request_is_for_one_number_and_ends", {**REQUEST, "kind": "", "value": ""}),
        ("a_request_is_for_one_number_and_ends", {**REQUEST, "purpose": "marketing"}),
        ("a_request_is_for_one_number_and_ends", {**REQUEST, "decision": "refused", "expires_at": None}),
        ("a_request_keeps_the_words_that_were_told", {**REQUEST, "wording": ""}),
        ("a_request_keeps_the_words_that_were_told", {**REQUEST, "wording": "  "}),
        ("only_a_yes_ends_and_after_it_began", {"expires_at": LATER}),
        ("only_a_yes_ends_and_after_it_began", {**REQUEST, "at": LATER}),
        ("a_customer_who_agrees_has_shown_who_they_are", {"decision": "given", "wording": "May we?"}),
        ("consent_says_who_wrote_it_down", {"recorded_by": ""}),
    ],
)
def test_consent_rules(constraint: str, changes: dict[str, Any]) -> None:
    """A yes or a no is about something known, by somebody known, with the words that were agreed to."""
    refused(constraint, lambda: consent(**changes))


def test_what_is_allowed() -> None:
    """A request, a no of anybody, a yes to a recording on a call that shows no number."""
    consent(**REQUEST)
    consent()
    consent(purpose="recording", decision="given", wording="May we?", how="said")


@pytest.mark.parametrize("changes", [{"decision": "given"}, {"purpose": "marketing"}, {"value": "x"}, {"at": LATER}, {"wording": "else"}])
def test_consents_never_change(changes: dict[str, Any]) -> None:
    """No update reaches what was said."""
    row = consent()
    refused("append-only", lambda: Consent.objects.filter(pk=row.pk).update(**changes))
    refused("consents_are_never_deleted", lambda: Consent.objects.filter(pk=row.pk).delete())


def test_joining_moves_a_consent_and_erasure_empties_it_once() -> None:
    """Both leave what was agreed to, and when."""
    row = consent(kind="phone", value="+447700900123", note="Sam called.")
    ada = rows.customer("Ada")
    Consent.objects.filter(pk=row.pk).update(customer=ada)
    Consent.objects.filter(pk=row.pk).update(value="0" * 64, note="", erased_at=NOW)
    refused("append-only", lambda: Consent.objects.filter(pk=row.pk).update(value="1" * 64, erased_at=LATER))
    refused("append-only", lambda: Consent.objects.filter(pk=consent().pk).update(erased_at=NOW, decision="refused"))


def test_a_repetition_is_kept_once() -> None:
    """The same source is one row, whoever it is filed under."""
    consent(source_id="x")
    refused("source_id", lambda: consent(source_id="x"))


@pytest.mark.parametrize(
    ("constraint", "changes"),
    [
        ("suppressed_kind_is_known", {"kind": "fax"}),
        ("suppressed_number_is_e164", {"value": "0770"}),
        ("suppressed_value_has_its_hash", {"value_hash": "short"}),
        ("suppression_says_why_and_by_whom", {"reason": ""}),
        ("suppression_says_why_and_by_whom", {"added_by": ""}),
        ("lifted_suppression_says_why_and_by_whom", {"lifted_at": NOW}),
        ("lifted_suppression_says_why_and_by_whom", {"lifted_by": "Maya"}),
    ],
)
def test_suppression_rules(constraint: str, changes: dict[str, Any]) -> None:
    """The list says what, why and who, both for putting on and for taking off."""
    refused(constraint, lambda: suppression(**changes))


def test_a_value_is_on_the_list_once() -> None:
    """After it was taken off it may be put on again; nothing is ever deleted."""
    first = suppression()
    refused("suppressed_value_stands_once", suppression)
    refused("suppressions_are_never_deleted", lambda: Suppression.objects.filter(pk=first.pk).delete())
    Suppression.objects.filter(pk=first.pk).update(lifted_at=NOW, lifted_by="Maya", lifted_reason="They asked.")
    suppression()


def test_preference_rules() -> None:
    """One a record, by a way that there is, from somebody."""
    sam = rows.customer()
    of_sam = {"customer": sam, "original_customer": sam}
    refused("preferred_way_is_known", lambda: ContactPreference.objects.create(**of_sam, way="fax", updated_by="tests"))
    refused("contact_preference_says_who_wrote_it_down", lambda: ContactPreference.objects.create(**of_sam))
    ContactPreference.objects.create(**of_sam, updated_by="tests")
    refused("original_customer", lambda: ContactPreference.objects.create(**of_sam, updated_by="tests"))


def test_an_entry_point_records_by_a_known_policy() -> None:
    """Anything else would leave open whether a call may be recorded."""
    door = rows.entry_point()
    refused("entry_point_recording_policy_is_known", lambda: EntryPoint.objects.filter(pk=door.pk).update(recording_policy="secretly"))
