"""What becomes of calls that go on while the company's record is brought up to date."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.apps.registry import Apps
from django.utils import timezone
from pytest_django import DjangoDbBlocker

from conversations.models import CallSeat, Interaction
from conversations.services import call_seats, call_state
from tests.support.migrating import database_at
from tests.support.structure import functions, tables_like

OURS = "^(conversations|routing)"


def old_calls(models: Apps, until: datetime) -> None:
    """Ann talks on one call, Ben's phone rings for another; a third is over, a fourth had a phone, and a fifth names Ann as well."""
    level = models.get_model("routing", "RoutingProfile").objects.create(name="Everything")
    agents = {}
    for name in ("Ann", "Ben"):
        user = models.get_model("auth", "User").objects.create(username=name.lower())
        agents[name] = models.get_model("routing", "AgentProfile").objects.create(user=user, display_name=name, routing_profile=level)
    door = models.get_model("conversations", "EntryPoint").objects.create(
        name="Number", channel="voice", address="+441632960100", company_name="Harbor", playbook_code="harbor"
    )

    def leg(name: str, state: str, leg_id: str) -> dict[str, Any]:
        return {"attempt": "a", "id": leg_id, "state": state, "agent": agents[name].pk, "name": name, "until": until.timestamp()}

    calls = {
        "talks": leg("Ann", "talking", "leg-ann"),
        "rings": leg("Ben", "ringing", "leg-ben"),
        "unnamed": leg("Ben", "ringing", ""),
        "twice": leg("Ann", "talking", "leg-ann-too"),
        "over": leg("Ann", "talking", "leg-over"),
        "had": None,
    }
    for name, kept in calls.items():
        customer = models.get_model("conversations", "Customer").objects.create()
        conversation = models.get_model("conversations", "Conversation").objects.create(customer=customer, original_customer=customer)
        over = {"ended_at": timezone.now(), "end_reason": "completed"} if name == "over" else {}
        models.get_model("conversations", "Interaction").objects.create(
            conversation=conversation,
            original_conversation=conversation,
            entry_point=door,
            channel="voice",
            direction="inbound",
            provider_id=name,
            state="ended" if name == "over" else "active",
            data={"agent_leg": kept, "room": "CON-1"},
            **over,
        )


def test_who_is_on_a_call_has_a_place_on_it_afterwards(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> None:
    """Whose phone rings or who talks goes on doing so, once each; what is over or was never named leaves nothing.

    And the database is built like one that was made today, in one step.
    """
    until = datetime.now(UTC) + timedelta(seconds=40)
    with django_db_blocker.unblock():
        new_company = tables_like(OURS) | functions()
    with django_db_blocker.unblock(), database_at("conversations", "0038_call_seats") as (models, migrate_on):
        old_calls(models, until)
        migrate_on()
        assert tables_like(OURS) | functions() == new_company
        seats = {seat.interaction.provider_id: seat for seat in CallSeat.objects.select_related("interaction", "agent")}
        assert {name: (seat.name, seat.state, seat.leg_id, seat.purpose) for name, seat in seats.items()} == {
            "talks": ("Ann", "connected", "leg-ann", "answer"),
            "rings": ("Ben", "ringing", "leg-ben", "answer"),
        }
        assert seats["talks"].until == pytest.approx(until, abs=timedelta(milliseconds=1))
        calls = {call.provider_id: call for call in Interaction.objects.all()}
        assert all("agent_leg" not in call.data and call.data["room"] == "CON-1" for call in calls.values())
        places = {name: call_state.place_of(call).at for name, call in calls.items()}
        assert places == {"talks": "room", "rings": "waiting"} | dict.fromkeys(("unnamed", "twice", "over", "had"), "voice")
        assert call_state.person_is_on(calls["talks"])
        assert call_seats.connect(seats["rings"]) is not None
        assert [ended.name for name in ("talks", "rings") for ended in call_seats.end_all(calls[name])] == ["Ann", "Ben"]
