"""The database itself refuses every bad row about erasing, keeping and handing out."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from conversations.models import ConnectorRequest, Entry, ErasedIdentifier, ErasureRequest, ErasureStep, LegalHold, RetentionRule
from conversations.services import timeline
from routing.models import Decision
from tests.record import rows
from tests.record.test_constraints import refused

pytestmark = pytest.mark.django_db
NOW = timezone.now()


def erasure(**changes: Any) -> ErasureRequest:
    values = {"customer": rows.customer(), "ground": "asked", "requested_by": "tests"}
    return ErasureRequest.objects.create(**{**values, **changes})


@pytest.mark.parametrize(
    ("constraint", "changes"),
    [
        ("erasure_state_is_known", {"state": "soon"}),
        ("erasure_ground_is_known", {"ground": "spring"}),
        ("erasure_case_is_a_short_number", {"case": "Sam Okafor"}),
        ("erasure_is_dated_when_done", {"state": "done", "started_at": NOW}),
        ("erasure_is_dated_when_done", {"finished_at": NOW}),
        ("erasure_under_way_says_since_when", {"state": "running"}),
        ("erasure_under_way_says_since_when", {"state": "done", "finished_at": NOW}),
    ],
)
def test_erasure_rules(constraint: str, changes: dict[str, Any]) -> None:
    """Words come from their lists, no name stands in the number of a case, and what is done is dated."""
    refused(constraint, lambda: erasure(**changes))


def test_a_customer_has_one_unfinished_erasure() -> None:
    """A second one is refused until the first is done."""
    first = erasure()
    refused("customer_has_one_unfinished_erasure", lambda: erasure(customer=first.customer))
    ErasureRequest.objects.filter(pk=first.pk).update(state="done", started_at=NOW, finished_at=NOW)
    erasure(customer=first.customer)


@pytest.mark.parametrize(
    ("constraint", "changes"),
    [
        ("erasure_step_state_is_known", {"state": "soon"}),
        ("erasure_step_is_dated_when_done", {"state": "done"}),
        ("erasure_step_is_dated_when_done", {"done_at": NOW}),
        ("erasure_has_a_step_once", {"name": "files"}),
    ],
)
def test_step_rules(constraint: str, changes: dict[str, Any]) -> None:
    """A step stands once, and is dated when it is done."""
    row = erasure()
    ErasureStep.objects.create(request=row, position=1, name="files")
    refused(constraint, lambda: ErasureStep.objects.create(**{"request": row, "position": 2, "name": "hashes", **changes}))


@pytest.mark.parametrize(
    ("constraint", "changes"),
    [
        ("erased_identifier_kind_is_known", {"kind": "fax"}),
        ("erased_identifier_is_a_hash", {"value_hash": "+447700900123"}),
        ("erased_identifier_stands_once", {"value_hash": "a" * 64}),
        ("erased_identifier_stands_once", {"value_hash": "a" * 64, "kind": "email"}),
    ],
)
def test_erased_identifier_rules(constraint: str, changes: dict[str, Any]) -> None:
    """Only a hash is kept of an erased value, and it once."""
    row = erasure()
    ErasedIdentifier.objects.create(request=row, kind="phone", value_hash="a" * 64)
    values = {"request": row, "kind": "phone", "value_hash": "b" * 64}
    refused(constraint, lambda: ErasedIdentifier.objects.create(**{**values, **changes}))


@pytest.mark.parametrize(
    ("constraint", "changes"),
    [
        ("connector_is_asked_once_for_an_erasure", {"connector": "crm"}),
        ("connector_request_state_is_known", {"state": "soon"}),
        ("connector_request_is_dated_when_done", {"state": "done"}),
        ("connector_request_is_dated_when_done", {"done_at": NOW}),
        ("confirmed_connector_request_keeps_no_references", {"state": "done", "done_at": NOW, "references": ["crm:10042"]}),
    ],
)
def test_connector_request_rules(constraint: str, changes: dict[str, Any]) -> None:
    """A system is asked once for an erasure, and nothing that it was asked with is left when it has confirmed."""
    row = erasure()
    ConnectorRequest.objects.create(erasure=row, connector="crm", customers=[])
    values = {"erasure": row, "connector": "schedule", "customers": []}
    refused(constraint, lambda: ConnectorRequest.objects.create(**{**values, **changes}))


@pytest.mark.parametrize(
    ("constraint", "changes"),
    [
        ("retention_kind_is_known", {"kind": "everything"}),
        ("retention_keeps_at_least_a_day", {"keep_days": 0}),
        ("retention_rule_stands_once_for_a_kind", {"kind": "codes"}),
    ],
)
def test_retention_rules(constraint: str, changes: dict[str, Any]) -> None:
    """There is one rule for each known kind, of a day or more."""
    RetentionRule.objects.all().delete()
    RetentionRule.objects.create(kind="codes", keep_days=30)
    refused(constraint, lambda: RetentionRule.objects.create(**{"kind": "webhooks", "keep_days": 30, **changes}))


@pytest.mark.parametrize(
    ("constraint", "changes"),
    [
        ("legal_hold_says_why", {"reason": " "}),
        ("legal_hold_is_dated_when_lifted", {"lifted_by": "maya"}),
        ("legal_hold_is_dated_when_lifted", {"lifted_at": NOW}),
        ("legal_hold_ends_after_it_began", {"placed_at": NOW, "ends_at": NOW}),
    ],
)
def test_legal_hold_rules(constraint: str, changes: dict[str, Any]) -> None:
    """A hold says why, and who lifted it when."""
    sam = rows.customer()
    values = {"customer": sam, "original_customer": sam, "reason": "Dispute 12", "placed_by": "maya"}
    refused(constraint, lambda: LegalHold.objects.create(**{**values, **changes}))


def message(**changes: Any) -> Entry:
    values = {"seq": 1, "kind": "message", "actor_kind": "customer", "actor_name": "Sam", "body": "I am Sam", "source_id": "chat:1"}
    return Entry.objects.create(**{**values, "conversation": rows.conversation(), "data": {"client_id": "a", "spoken": True}, **changes})


def test_a_redacted_entry_may_lose_more_and_nothing_else() -> None:
    """What a card's masking left goes with the person, under the mark that was there; nothing is ever written into an entry."""
    stored = message()
    timeline.redact(stored, reason="card")
    timeline.erase([stored.pk], reason="erased")
    stored.refresh_from_db()
    assert (stored.data, stored.source_id, stored.redaction_reason) == ({"spoken": True}, None, "card")
    written = ({"body": "other"}, {"data": {"spoken": True, "more": 1}}, {"actor_name": "Ann"}, {"source_id": "x"}, {"redacted_at": NOW})
    for changes in written:
        refused("append-only", lambda changes=changes: Entry.objects.filter(pk=stored.pk).update(**changes))


@pytest.mark.parametrize("changes", [{"body": "x"}, {"data": {"spoken": False}}, {"actor_name": "Ann"}, {"source_id": "x"}, {"seq": 2}])
def test_a_redaction_only_takes_away(changes: dict[str, Any]) -> None:
    """One that also writes something is refused."""
    stored = message()
    values = {"body": "", "redacted_at": NOW, "redaction_reason": "x", **changes}
    refused("append-only", lambda: Entry.objects.filter(pk=stored.pk).update(**values))


def test_a_decision_forgets_once_and_only_what_was_told() -> None:
    """The facts go, with a mark; anything else about a decision never changes."""
    made = rows.decision(need={"reason": "leak", "facts": {"postcode": "HB1 4QT"}}, trace={"row": 1, "values": {"postcode": "HB1 4QT"}})
    chosen = Decision.objects.filter(pk=made.pk)
    refused("append-only", lambda: chosen.update(forgotten_at=NOW, need={"reason": "other", "facts": {}}))
    refused("append-only", lambda: chosen.update(forgotten_at=NOW, need={"reason": "leak", "facts": {}}, handler="callback"))
    refused("append-only", lambda: chosen.update(need={"reason": "leak", "facts": {}}))
    chosen.update(forgotten_at=NOW, need={"reason": "leak", "facts": {}}, trace={"row": 1})
    refused("append-only", lambda: chosen.update(forgotten_at=NOW + timedelta(days=1)))
