"""The state of every call made anew from the raw webhooks: what was lost or spoilt is seen, and put right."""

import random
from datetime import timedelta
from io import StringIO
from uuid import uuid4

import pytest
from django.core.management import call_command
from django.db import DatabaseError, transaction
from django.utils import timezone

from conversations.models import CallLeg, Entry, EntryPoint, Interaction, WebhookRecord
from conversations.selectors.invariants import legs_unlike_their_reports
from tests.record import rows
from tests.support import triggers
from tests.voice import stories
from tests.voice.platform import Caller, post
from tests.voice.stories import Telling
from tests.voice.test_calls import call_of


def rebuilt(*, repair: bool = False) -> str:
    """What the command says; it fails when something differs and was not to be put right."""
    out = StringIO()
    try:
        call_command("rebuild_calls", *(["--repair"] if repair else []), stdout=out)
    except SystemExit:
        assert not repair
    return out.getvalue()


def everything() -> list[tuple[object, ...]]:
    calls = Interaction.objects.order_by("provider_id").values_list(
        "provider_id", "state", "end_reason", "started_at", "answered_at", "ended_at"
    )
    columns = [field.name for field in CallLeg._meta.concrete_fields if field.name not in ("id", "first_heard_at")]
    return [*calls, *CallLeg.objects.order_by("leg_id").values_list(*columns)]


@pytest.fixture
def told(number: EntryPoint) -> None:
    """Each story of a caller, and the phone of a person."""
    chance = random.Random(1)
    for story in stories.TO_US:
        webhooks = story(Telling())
        for door, body in chance.sample(webhooks, len(webhooks)):
            post(f"/voice/{door}/", body)
    call = Interaction.objects.first()
    assert call is not None
    leg = Caller(number="441632960100", dialled="441632960111")
    for status in ("started", "ringing", "busy"):
        post(f"/voice/agent/{call.public_id}/{uuid4()}/event/", leg.event(status, direction="outbound"))


def test_a_call_to_a_number_that_is_none_of_ours_breaks_nothing(number: EntryPoint) -> None:
    """What was reported of its leg is in a row as well, so nothing differs, and `doctor` has nothing to say."""
    post("/voice/answer/", Caller(dialled="441632960999").answer())
    assert rebuilt() == "1 legs looked at, 0 differ.\n"
    assert not Interaction.objects.exists()


@pytest.mark.parametrize(
    ("door", "changes", "status"),
    [
        ("answer", {"to": "nobody"}, 400),
        ("answer", {"uuid": "not an id"}, 400),
        ("event", {"uuid": "not an id", "status": "completed"}, 204),
        ("event", {"status": ""}, 400),
        ("agent/11111111-2222-4333-8444-555555555555/11111111-2222-4333-8444-555555555556/event", {"status": "busy"}, 404),
    ],
)
def test_what_is_refused_leaves_no_leg_that_differs(number: EntryPoint, door: str, changes: dict[str, str], status: int) -> None:
    """As of every leg that anything was reported about there is a row; what names no leg is about none."""
    assert post(f"/voice/{door}/", Caller().answer() | changes).status_code == status
    assert ", 0 differ." in rebuilt()
    assert not Interaction.objects.exists()


def test_what_is_right_stays_as_it_is(told: None) -> None:
    before = everything()
    assert rebuilt() == "7 legs looked at, 0 differ.\n"
    assert rebuilt(repair=True) == "7 legs looked at, 0 differ.\n"
    assert everything() == before


def test_legs_that_are_gone_come_back_as_they_were(told: None) -> None:
    """With their calls and roles: nothing but the raw webhooks is needed."""
    before = everything()
    CallLeg.objects.all().delete()
    assert "7 legs looked at, 7 differ; --repair puts them right." in rebuilt()
    assert not CallLeg.objects.exists()
    assert rebuilt(repair=True).endswith("7 legs looked at, 7 put right.\n")
    assert everything() == before
    assert CallLeg.objects.filter(role="agent").count() == 1


def test_spoilt_rows_are_named_and_put_right(told: None) -> None:
    before = everything()
    CallLeg.objects.filter(state="ended").update(price=99, answered_by="machine")
    said = rebuilt()
    assert "The leg's row differs: answered_by, price." in said
    rebuilt(repair=True)
    assert everything() == before


def test_a_call_that_was_reported_over_ends(caller: Caller) -> None:
    """The process died after the raw webhook was kept: the history, and what hangs on the end, come with the repair."""
    post("/voice/answer/", caller.answer())
    kept = {"token_id": "x", "body_hash": "x", "kind": "event", "provider_id": caller.uuid}
    WebhookRecord.objects.create(**kept, body=caller.event("completed"))
    assert "The call is still live, and was over at" in rebuilt()
    rebuilt(repair=True)
    assert (call_of(caller).state, call_of(caller).end_reason) == ("ended", "completed")
    assert Entry.objects.filter(kind="interaction.ended").count() == 1


def test_a_call_that_nobody_filed_is_filed(caller: Caller) -> None:
    kept = {"body_hash": "x", "kind": "event", "provider_id": caller.uuid}
    WebhookRecord.objects.create(**kept, token_id="1", body=caller.event("cancelled"))
    assert "There is no such call, although it reached one of our numbers." in rebuilt()
    rebuilt(repair=True)
    assert (call_of(caller).state, call_of(caller).end_reason) == ("ended", "cancelled")
    assert rebuilt() == "1 legs looked at, 0 differ.\n"


def test_doctor_sees_what_is_not_as_it_was_reported(caller: Caller) -> None:
    """Once webhooks that are being worked on must be through."""
    post("/voice/answer/", caller.answer())
    post("/voice/event/", caller.event("completed"))
    with triggers.ignored("conversations.WebhookRecord:webhooks_are_append_only"):
        WebhookRecord.objects.update(received_at=timezone.now() - timedelta(minutes=5))
    assert legs_unlike_their_reports() == []
    CallLeg.objects.update(first_heard_at=timezone.now() - timedelta(minutes=5), sip_code=1)
    Interaction.objects.update(state="active", ended_at=None, wrap_up_due_at=None)
    wrong = legs_unlike_their_reports()
    assert wrong[0] == f"Leg {caller.uuid} is not as it was reported: sip_code."
    assert wrong[1].startswith(f"Call {caller.uuid} is over since")


@pytest.mark.parametrize(
    ("rule", "values"),
    [
        ("call_leg_has_an_id", {"leg_id": ""}),
        ("call_leg_state_is_known", {"state": "levitate"}),
        ("call_leg_role_is_known", {"role": "nobody"}),
        ("call_leg_has_a_role_exactly_on_a_call", {"role": "customer"}),
        ("call_leg_direction_is_known", {"direction": "sideways"}),
        ("call_leg_is_answered_by_either", {"answered_by": "dog"}),
        ("call_leg_has_an_end_exactly_when_ended", {"state": "ended"}),
        ("call_leg_has_an_end_exactly_when_ended", {"end_status": "busy"}),
        ("call_leg_has_an_end_exactly_when_ended", {"ended_at": "2026-01-01T00:00Z"}),
        ("duration_seconds", {"duration_seconds": -1}),
    ],
)
def test_the_database_refuses_a_leg_that_cannot_be(number: EntryPoint, rule: str, values: dict[str, object]) -> None:
    call = rows.interaction(door=number)
    on_a_call = {"role": "agent", "interaction": call} if values.get("role") == "nobody" else {}
    with pytest.raises(DatabaseError, match=rule), transaction.atomic():
        CallLeg.objects.create(**{"leg_id": "x"} | on_a_call | values)


def test_a_call_has_one_leg_of_its_customer(number: EntryPoint) -> None:
    call = rows.interaction(door=number)
    CallLeg.objects.create(leg_id="1", interaction=call, role="customer")
    with pytest.raises(DatabaseError, match="call_has_one_leg_of_its_customer"), transaction.atomic():
        CallLeg.objects.create(leg_id="2", interaction=call, role="customer")
