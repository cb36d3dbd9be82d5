"""Campaigns and the rules of calling in the admin: previewed, started, paused, stopped, and how far they are."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from conversations.models import Audience, CallingRegion, DialAttempt, Playbook
from conversations.services import dialing
from tests.outbound.calling import callable_customer, open_hours, policy, wanted
from tests.outbound.campaigns import audience, campaign, somebody_with_a_visit, visit
from tests.record import rows
from tests.reporting import cast

pytestmark = pytest.mark.django_db


@pytest.fixture
def manager(client: Client) -> Any:
    user = cast.manager()
    client.force_login(user)
    return user


@pytest.fixture(autouse=True)
def _always_open() -> None:
    open_hours()
    policy()


def page(row: Any, name: str = "change") -> str:
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_{name}", args=[row.pk])


def test_a_draft_says_whom_it_would_call(client: Client, manager: Any) -> None:
    somebody_with_a_visit()
    visit(rows.customer("Kim Lee"), "+447700900999")
    text = client.get(page(campaign(starts=False))).content.decode()
    assert "it would find 2 people, 2 of them with a number" in text
    assert "Of the first 2 with a number, 1 have agreed" in text
    assert "1: they have not agreed to be called" in text


def test_it_is_started_paused_and_stopped_here(client: Client, manager: Any) -> None:
    somebody_with_a_visit()
    draft = campaign(starts=False)
    for step, state in (("start", "running"), ("pause", "paused"), ("start", "running"), ("stop", "stopped")):
        assert client.post(page(draft, step)).status_code == 302
        draft.refresh_from_db()
        assert draft.state == state
    assert "Campaign ended before: 1" in client.get(page(draft)).content.decode()
    assert client.get(page(draft, "start")).status_code == 405
    assert "can be started" in client.post(page(draft, "start"), follow=True).content.decode()


def test_who_may_not_run_campaigns_cannot(client: Client) -> None:
    reader = cast.manager()
    User.objects.filter(pk=reader.pk).update(is_superuser=False)
    reader.user_permissions.set(Permission.objects.filter(codename="view_campaign"))
    client.force_login(reader)
    draft = campaign(starts=False)
    assert "Start calling" not in client.get(page(draft)).content.decode()
    assert client.post(page(draft, "start")).status_code == 403


def test_an_audience_is_checked_when_it_is_saved(client: Client, manager: Any) -> None:
    url = reverse("admin:conversations_audience_add")
    refused = client.post(url, {"name": "Tomorrow", "source": "bookings", "filters": "colour: red"})
    assert refused.status_code == 200
    assert client.post(url, {"name": "Tomorrow", "source": "bookings", "filters": "from_hours: 20\nto_hours: 44"}).status_code == 302
    assert Audience.objects.get().filters == {"from_hours": 20, "to_hours": 44}


def test_holidays_of_a_country_are_added_to_a_region(client: Client, manager: Any) -> None:
    region = CallingRegion.objects.get()
    inlines = {f"{name}-{key}": "0" for name in ("hours", "holidays") for key in ("TOTAL_FORMS", "INITIAL_FORMS")}
    form = {"name": "Here", "prefixes": "+44", "source": "", "holidays_of": "GB", **inlines}
    assert client.post(page(region), form).status_code == 302
    assert region.holidays.count() > 10
    assert client.post(page(region), form | {"prefixes": "44"}).status_code == 200


def test_calls_that_were_made_are_read(client: Client, manager: Any) -> None:
    attempt = dialing.permit(wanted(*callable_customer()))
    assert attempt.number in client.get(page(attempt)).content.decode()
    assert DialAttempt.objects.count() == 1


def test_a_campaign_that_runs_is_not_changed(client: Client, manager: Any) -> None:
    running = campaign(audience(), ends_at=timezone.now() + timedelta(days=1))
    client.post(page(running), {"name": "Another name", "at_once": 99})
    running.refresh_from_db()
    assert running.at_once == 5


def test_an_opening_fills_in_only_what_is_known(client: Client, manager: Any) -> None:
    draft = Playbook.objects.create(code="new", name="New", persona="p", disclosure="I am an AI.", languages=["en"], version=1)
    text = client.get(page(draft)).content.decode()
    assert "openings of calls that we make" in text.lower()


def test_every_change_of_a_rule_is_kept_with_who_made_it(client: Client, manager: Any) -> None:
    region = CallingRegion.objects.get()
    inlines = {f"{name}-{key}": "0" for name in ("hours", "holidays") for key in ("TOTAL_FORMS", "INITIAL_FORMS")}
    client.post(page(region), {"name": "Britain", "prefixes": "+44", "source": "Ours.", "holidays_of": "", **inlines})
    text = client.get(page(region, "history")).content.decode()
    assert "Britain" in text
    assert "manager" in text
