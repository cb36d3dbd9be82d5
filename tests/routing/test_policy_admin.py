"""The admin pages of routing's policy, people and work."""

from __future__ import annotations

import pytest
from django.contrib import admin
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from lxml import html

from routing.models import AgentProfile, ChannelException, Presence, Queue, RuleSet, ServiceHours, Territory, TerritoryPostcode, WorkItem
from routing.need import Need
from routing.services import queueing, reservations
from routing.services.decide import decide
from tests.routing.conftest import Company
from tests.routing.line import GAS, offers, wait

READ_ONLY = ("decision", "workitem", "reservation", "presence")


@pytest.fixture
def manager(client: Client, db: None) -> Client:
    client.force_login(User.objects.create(username="mia", is_staff=True, is_superuser=True))
    return client


def test_every_page_opens(manager: Client, company: Company, published: RuleSet) -> None:
    """Lists, searches, forms and records of all of routing."""
    ann = company.agent("ann")
    ServiceHours.objects.create(code="day", name="Day", time_zone="Europe/London", expression="Mo-Fr 08:00-18:00")
    ChannelException.objects.create(fact="facts.way_in", reason="A trial", declared_by=ann.user)
    decision = decide(Need(asked_for_human=True, facts={"floor": "3"}), subject="c1")
    queueing.enqueue(subject="c1", kind="messaging", decision=decision)
    reservations.assign(subject="c1", kind="messaging", agent=ann)
    models = [model for model in admin.site._registry if model._meta.app_label == "routing"]
    assert len(models) == 18
    for model in models:
        name = f"admin:routing_{model._meta.model_name}"
        assert manager.get(reverse(f"{name}_changelist"), {"q": "a"}).status_code == 200, name
        row = model._default_manager.first()
        if row is not None:
            assert manager.get(reverse(f"{name}_change", args=[row.pk])).status_code == 200, name
        added = manager.get(reverse(f"{name}_add")).status_code
        assert added == (403 if model._meta.model_name in READ_ONLY else 200), name


def test_hours_that_cannot_be_read_are_told_at_the_field(manager: Client, company: Company) -> None:
    """A typing mistake is explained, not stored."""
    page = manager.post(
        reverse("admin:routing_servicehours_add"),
        {"name": "Day", "code": "day", "time_zone": "Europe/London", "expression": "Mo-Fr 8 to 18"}
        | {"exceptions-TOTAL_FORMS": "0", "exceptions-INITIAL_FORMS": "0"},
    )
    assert "cannot be read" in page.content.decode()
    assert not ServiceHours.objects.exists()


def test_a_queue_that_a_table_names_cannot_be_deleted_nor_renumbered(
    manager: Client, company: Company, published: RuleSet
) -> None:
    """Routing never points to nowhere; a queue that nothing names may go."""
    assert manager.post(reverse("admin:routing_queue_delete", args=[company.urgent.pk]), {"post": "yes"}).status_code == 403
    page = manager.get(reverse("admin:routing_queue_change", args=[company.urgent.pk])).content.decode()
    assert 'name="code"' not in page
    spare = Queue.objects.create(code="spare", name="Spare", service_level=company.service.service_level)
    assert manager.post(reverse("admin:routing_queue_delete", args=[spare.pk]), {"post": "yes"}).status_code == 302


def test_a_step_into_a_kind_that_nobody_takes_is_warned_of(manager: Client, company: Company) -> None:
    """It is saved, since the profile may follow; once somebody takes it, nothing is said."""
    queue, there = company.service, reverse("admin:routing_queue_change", args=[company.service.pk])
    company.agent("ann")

    def page_after_saving(stored: int) -> str:
        step = queue.steps.first()
        forms = {"steps-TOTAL_FORMS": "1", "steps-INITIAL_FORMS": str(stored), "steps-0-id": str(step.pk) if step else ""}
        row = {"queue": str(queue.pk), "after_seconds": "60", "raise_class_by": "0", "becomes_kind": "callback"}
        fields = {"name": "Service", "service_level": queue.service_level_id, "group": "main", "min_proficiency": "1", "hours": ""}
        return manager.post(there, fields | forms | {f"steps-0-{name}": value for name, value in row.items()}, follow=True).content.decode()

    assert "becomes “callback”, which none of its agents takes" in page_after_saving(0)
    assert queue.steps.get().becomes_kind == "callback"
    company.profile.work_rows.create(kind="callback", weight=6)
    assert "which none of its agents takes" not in page_after_saving(1)


def test_capacity_cannot_fall_below_the_work_in_hand(manager: Client, company: Company) -> None:
    """The form says so before the database would."""
    ann = company.agent("ann")
    reservations.assign(subject="c1", kind="messaging", agent=ann)
    page = manager.post(
        reverse("admin:routing_agentprofile_change", args=[ann.pk]),
        {"user": ann.user_id, "display_name": "Ann", "routing_profile": company.profile.pk, "capacity": "1", "active": "on"}
        | {"skill_rows-TOTAL_FORMS": "0", "skill_rows-INITIAL_FORMS": "0"},
    )
    assert "They have work of weight 2 now" in page.content.decode()
    assert AgentProfile.objects.get(pk=ann.pk).capacity == 6


def agent_page(manager: Client, agent: AgentProfile, skills: dict[str, object] | None = None, **changed: str) -> str:
    """What a manager sees who saves an agent's page."""
    profile = agent.routing_profile_id
    fields = {"user": agent.user_id, "display_name": "Ann", "routing_profile": profile, "capacity": "6", "active": "on"} | changed
    rows = skills or {"skill_rows-TOTAL_FORMS": "0"}
    page = reverse("admin:routing_agentprofile_change", args=[agent.pk])
    sent = {name: value for name, value in (fields | rows).items() if value}
    return manager.post(page, sent | {"skill_rows-INITIAL_FORMS": "0"}, follow=True).content.decode()


def test_nobody_is_made_inactive_who_has_work(manager: Client, company: Company) -> None:
    """It would be with somebody who cannot sign in any more; without work they may be."""
    ann = company.agent("ann")
    reservations.assign(subject="c1", kind="messaging", agent=ann)
    assert "They have work now." in agent_page(manager, ann, active="")
    assert AgentProfile.objects.get(pk=ann.pk).active
    reservations.complete("c1")
    agent_page(manager, ann, active="")
    assert not AgentProfile.objects.get(pk=ann.pk).active


class TestWhatWaitsWhilePolicyChanges:
    """It is offered as soon as the page is saved, not only when the sweep comes round."""

    @pytest.fixture
    def ann(self, client: Client, deciding_company: Company) -> AgentProfile:
        client.force_login(User.objects.create(username="mia", is_staff=True, is_superuser=True))
        return deciding_company.agent("ann")

    def test_an_agent_gets_the_skill(self, client: Client, deciding_company: Company, ann: AgentProfile) -> None:
        """Or more room."""
        wait("c1", GAS)
        assert offers(ann) == []
        row = {"skill_rows-TOTAL_FORMS": "1", "skill_rows-0-skill": deciding_company.gas.pk, "skill_rows-0-proficiency": "3"}
        agent_page(client, ann, row | {"skill_rows-0-agent": ann.pk})
        assert offers(ann) == ["c1"]

    def test_a_profile_gets_the_kind_of_work(self, client: Client, deciding_company: Company, ann: AgentProfile) -> None:
        """Or the queue."""
        profile = deciding_company.profile
        wait("c1", kind="callback")
        assert offers(ann) == []
        page = reverse("admin:routing_routingprofile_change", args=[profile.pk])
        opened = html.fromstring(client.get(page).content.decode()).get_element_by_id("routingprofile_form")
        sent = {name: value for name, value in opened.form_values() if "__prefix__" not in name}
        first = f"work_rows-{sent['work_rows-INITIAL_FORMS']}"
        client.post(page, sent | {f"{first}-kind": "callback", f"{first}-weight": "2", f"{first}-max_at_once": "1", "_save": "Save"})
        assert offers(ann) == ["c1"]


def test_postcodes_are_put_into_their_normal_form(manager: Client, company: Company) -> None:
    """Typed as people write them, stored as they are compared."""
    territory = Territory.objects.get().pk
    manager.post(
        reverse("admin:routing_territory_change", args=[territory]),
        {"name": "North", "postcodes-TOTAL_FORMS": "1", "postcodes-INITIAL_FORMS": "0", "postcodes-0-prefix": " ls 1 "},
    )
    assert TerritoryPostcode.objects.get().prefix == "LS1"


def test_what_happened_is_only_shown(manager: Client, company: Company, published: RuleSet) -> None:
    """Work, offers, presence and decisions are not changed by hand, whoever asks."""
    ann = company.agent("ann")
    reservations.assign(subject="c1", kind="messaging", agent=ann)
    item = WorkItem.objects.get()
    assert manager.post(reverse("admin:routing_workitem_change", args=[item.pk]), {"state": "queued"}).status_code == 403
    assert manager.post(reverse("admin:routing_presence_change", args=[ann.pk]), {"state": "away"}).status_code == 403
    assert Presence.objects.get().state == "available"




class TestInterruptions:
    def save(self, manager: Client, company: Company, typed: dict[str, str]) -> tuple[str, dict[str, list[str]]]:
        """The profile's page, saved with what calls and chats may interrupt; and what is stored then."""
        calls, chats = company.profile.work_rows.order_by("kind")
        rows = {
            f"work_rows-{number}-{name}": str(value)
            for number, row in enumerate((calls, chats))
            for name, value in {"id": row.pk, "profile": row.profile_id, "kind": row.kind, "weight": row.weight, "max_at_once": 1}.items()
        }
        forms = {f"{part}-{which}_FORMS": count for part, count in (("work_rows", 2), ("queue_rows", 0)) for which in ("TOTAL", "INITIAL")}
        interrupts = {"work_rows-0-interrupts": typed.get("live_voice", ""), "work_rows-1-interrupts": typed.get("messaging", "")}
        there = reverse("admin:routing_routingprofile_change", args=[company.profile.pk])
        page = manager.post(there, {"name": "All", "missed_offers_before_away": "1"} | rows | forms | interrupts)
        return page.content.decode(), dict(company.profile.work_rows.values_list("kind", "interrupts"))

    def test_what_may_interrupt_what_is_typed_and_shown(self, manager: Client, company: Company) -> None:
        """Each kind once, in one order; empty takes it back."""
        page, stored = self.save(manager, company, {"live_voice": " messaging, messaging"})
        assert (page, stored) == ("", {"live_voice": ["messaging"], "messaging": []})
        shown = manager.get(reverse("admin:routing_routingprofile_change", args=[company.profile.pk])).content.decode()
        assert 'name="work_rows-0-interrupts" value="messaging"' in shown
        assert self.save(manager, company, {})[1] == {"live_voice": [], "messaging": []}

    @pytest.mark.parametrize(
        ("typed", "says"),
        [
            ({"live_voice": "live_voice"}, "does not interrupt itself"),
            ({"live_voice": "fax"}, "“fax” is not among the kinds of work of this profile"),
            ({"live_voice": "messaging", "messaging": "live_voice"}, "“messaging” interrupts other work itself"),
        ],
    )
    def test_what_cannot_be_interrupted_is_told_at_the_field(
        self, manager: Client, company: Company, typed: dict[str, str], says: str
    ) -> None:
        """And nothing is stored."""
        page, stored = self.save(manager, company, typed)
        assert says in page
        assert stored == {"live_voice": [], "messaging": []}


def test_a_phone_of_an_agent_is_one_that_can_be_rung(manager: Client, company: Company) -> None:
    """However it is spaced; what costs whoever rings it, and what is no whole number, is told at the field."""
    ann = company.agent("ann")
    assert "costs whoever rings it" in agent_page(manager, ann, phone_number="+44 909 879 0000")
    assert "costs whoever rings it" in agent_page(manager, ann, phone_number="+88 299 123 4567")
    assert "no whole number" in agent_page(manager, ann, phone_number="+1 555 0001")
    assert "with its country code" in agent_page(manager, ann, phone_number="01632 960111")
    assert AgentProfile.objects.get(pk=ann.pk).phone_number == ""
    agent_page(manager, ann, phone_number="+44 1632 960 111")
    assert AgentProfile.objects.get(pk=ann.pk).phone_number == "+441632960111"
