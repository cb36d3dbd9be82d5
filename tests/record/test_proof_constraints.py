"""The database itself refuses every bad row about who somebody is."""

from typing import Any

import pytest
from django.utils import timezone

from conversations.models import Customer, Identifier, Interaction, KnowledgeCheck, OneTimeCode, Playbook, Proof, SharedIdentifier
from tests.record import rows
from tests.record.test_constraints import refused

pytestmark = pytest.mark.django_db
NOW = timezone.now()


def identifier(**changes: Any) -> Identifier:
    sam = rows.customer()
    values = {"customer": sam, "original_customer": sam, "kind": "email", "value": "sam@example.org", "assurance": "claimed"}
    return Identifier.objects.create(**{**values, "source": "tests", **changes})


def proof(line: Interaction | None = None, **changes: Any) -> Proof:
    on = line or rows.interaction()
    values = {"interaction": on, "customer": on.conversation.customer, "original_customer": on.conversation.customer}
    return Proof.objects.create(**{**values, "method": "one_time_code", "level": "verified", "made_by": "tests", **changes})


def code(line: Interaction | None = None, **changes: Any) -> OneTimeCode:
    values = {"interaction": line or rows.interaction(), "way": "email", "kind": "email", "value": "sam@example.org"}
    return OneTimeCode.objects.create(**{**values, "code_hash": "0" * 64, "expires_at": NOW, **changes})


def shared(**changes: Any) -> SharedIdentifier:
    return SharedIdentifier.objects.create(
        **{"kind": "phone", "value": "+441632960000", "customers": 9, "shown_as": "network_hint", **changes}
    )


def test_a_postcode_is_kept_in_one_form() -> None:
    """Spaces and small letters are refused, so that a postcode is found however it was written."""
    refused("customer_postcode_has_capitals_and_digits_only", lambda: Customer.objects.create(postcode="hb1 1aa"))


@pytest.mark.parametrize(
    ("constraint", "changes"),
    [
        ("identifier_was_shown_in_a_known_way", {"shown_as": "knowledge"}),
        ("external_identifier_names_its_system", {"kind": "external", "value": "10042"}),
    ],
)
def test_identifier_rules(constraint: str, changes: dict[str, Any]) -> None:
    """An identifier's words come from their lists, and another system's id names the system."""
    refused(constraint, lambda: identifier(**changes))


@pytest.mark.parametrize(
    ("constraint", "changes"),
    [
        ("proof_method_is_known", {"method": "a nice voice"}),
        ("answers_to_questions_prove_less_than_anything_else", {"method": "knowledge", "level": "verified"}),
        ("answers_to_questions_prove_less_than_anything_else", {"method": "one_time_code", "level": "knowledge"}),
        ("answers_to_questions_prove_less_than_anything_else", {"level": "network_hint"}),
        ("an_agent_who_attests_says_what_was_checked", {"method": "agent"}),
        ("proof_is_of_a_whole_identifier_or_of_none", {"kind": "email"}),
        ("proof_is_of_a_whole_identifier_or_of_none", {"value": "sam@example.org"}),
    ],
)
def test_proof_rules(constraint: str, changes: dict[str, Any]) -> None:
    """What was proven is one of the known things, in a known way."""
    refused(constraint, lambda: proof(**changes))


@pytest.mark.parametrize(
    ("constraint", "changes"),
    [
        ("one_time_code_is_tried_at_most_five_times", {"attempts": 6}),
        ("one_time_code_goes_to_a_phone_or_an_email_address", {"kind": "visitor"}),
        ("one_time_code_way_is_known", {"way": "post"}),
        ("one_time_code_is_used_or_ended_not_both", {"used_at": NOW, "ended_at": NOW}),
    ],
)
def test_one_time_code_rules(constraint: str, changes: dict[str, Any]) -> None:
    """A code goes to a place where it can be read, and is tried a few times at most."""
    refused(constraint, lambda: code(**changes))


def test_a_line_has_one_live_code() -> None:
    """A second code is refused while the first one lives; after it was used or ended there may be another."""
    line = rows.interaction()
    code(line, used_at=NOW)
    code(line, ended_at=NOW)
    code(line)
    refused("interaction_has_one_live_one_time_code", lambda: code(line))


@pytest.mark.parametrize(
    ("constraint", "changes"),
    [
        ("shared_identifier_kind_is_known", {"kind": "fax"}),
        ("shared_identifier_is_shared_up_to_a_known_assurance", {"shown_as": "claimed"}),
        ("shared_identifier_is_dated_when_allowed", {"allowed_by": "Maya"}),
        ("shared_identifier_is_dated_when_allowed", {"allowed_at": NOW}),
    ],
)
def test_shared_identifier_rules(constraint: str, changes: dict[str, Any]) -> None:
    """A shared value says how far it is shared, and who decided otherwise, with the time."""
    refused(constraint, lambda: shared(**changes))


def test_a_value_is_shared_once() -> None:
    """The same value does not stand twice among the shared ones."""
    shared()
    refused("shared_identifier_stands_once", shared)


def test_right_answers_are_about_a_record() -> None:
    """A check that was right says whose answers they were."""
    refused("right_answers_are_about_a_record", lambda: KnowledgeCheck.objects.create(interaction=rows.interaction(), is_right=True))


def test_a_playbook_asks_questions_only_to_open_something() -> None:
    """Questions that open nothing are refused."""
    refused(
        "playbook_asks_questions_only_to_open_something",
        lambda: Playbook.objects.create(code="x", name="X", disclosure="An AI.", knowledge_check=["name"]),
    )
