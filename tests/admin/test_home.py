"""The admin's home page: sections, and what needs attention."""

from datetime import timedelta

import pytest
from django.contrib import admin
from django.core.cache import cache
from django.urls import reverse
from django.utils import timezone

from conversations.models import Conversation, Interaction, KnowledgeArticle, MatchCandidate
from cxhub.admin_site import SECTIONS, section_of
from cxhub.tasks import HEARTBEAT_KEY
from routing.models import RuleSet
from tests.reporting import cast

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def worker_runs():
    cache.set(HEARTBEAT_KEY, timezone.now().isoformat())


@pytest.fixture
def manager(client):
    user = cast.manager()
    client.force_login(user)
    return user


@pytest.fixture
def calm():
    """A company where nothing needs anybody."""
    cast.playbook(status="published")
    cast.rules()


def raised(client) -> dict[str, int]:
    context = client.get("/admin/").context
    return {each.concern.code: each.count for each in context["concerns"]}


def test_strangers_sign_in_where_everybody_does(client):
    assert client.get("/admin/", follow=True).redirect_chain[-1][0].startswith("/accounts/login/")


def test_agents_are_refused(client):
    client.force_login(cast.agent().user)
    assert client.get("/admin/", follow=True).status_code == 403


def test_every_model_is_in_one_section_and_every_name_in_the_sections_is_a_model(client, manager):
    labels = [label for _title, _icon, models in SECTIONS.values() for label in models]
    assert len(labels) == len(set(labels))
    shown = [model["model"] for section in client.get("/admin/").context["app_list"] for model in section["models"]]
    assert len(shown) == len(set(shown))
    for model in shown:
        assert section_of(model) in SECTIONS
    registered = {model._meta.label for model in admin.site._registry}
    assert {label for label in labels if label.startswith("conversations.")} <= registered


def test_the_sections_are_those_of_the_product(client, manager):
    names = [section["name"] for section in client.get("/admin/").context["app_list"]]
    assert names == ["Customers", "Conversations", "Calls we make", "Routing", "AI agents", "Reporting", "Personal data", "System"]


def test_the_page_leads_to_inbox_and_reports(client, manager):
    text = client.get("/admin/").content.decode()
    assert 'href="/inbox/"' in text
    assert 'href="/reports/"' in text


def test_a_calm_day_says_so(client, manager, calm):
    response = client.get("/admin/")
    assert raised(client) == {}
    assert "Nothing needs you now" in response.content.decode()


def test_silent_background_work_is_told(client, manager, calm):
    cache.set(HEARTBEAT_KEY, (timezone.now() - timedelta(minutes=3)).isoformat())
    assert "more than 2 minutes" in client.get("/admin/").content.decode()
    cache.delete(HEARTBEAT_KEY)
    assert "has never run" in client.get("/admin/").content.decode()


class TestNeedsAttention:
    @pytest.fixture(autouse=True)
    def in_the_admin(self, manager, calm):
        self.now = timezone.now()

    def conversation(self, **values) -> Conversation:
        return cast.conversation(cast.customer(), self.now - timedelta(minutes=30), **values)

    def rows(self, client, code: str) -> str:
        return client.get(f"/reports/attention/{code}/").content.decode()

    def test_work_past_its_deadline(self, client):
        cast.handoff(self.conversation(), self.now - timedelta(minutes=2))
        cast.handoff(self.conversation(), self.now)
        assert raised(client) == {"waiting": 1}
        assert "Service" in self.rows(client, "waiting")

    def test_handoffs_nobody_accepted(self, client):
        late, accepted, canceled = (self.conversation() for _number in range(3))
        cast.handoff(late, self.now - timedelta(minutes=6), deadline=self.now + timedelta(hours=1))
        cast.handoff(accepted, self.now - timedelta(minutes=6), accepted_after=9, deadline=self.now + timedelta(hours=1))
        cast.handoff(canceled, self.now - timedelta(minutes=6), canceled_after=9)
        assert raised(client) == {"handoffs": 1}
        assert f"Conversation {late.pk}" in self.rows(client, "handoffs")

    def test_interactions_that_never_ended(self, client):
        talk = self.conversation()
        for hours, seconds in ((4, None), (3, None), (4, 60)):
            cast.call(talk, self.now - timedelta(hours=hours), seconds=seconds)
        silent = self.conversation()
        cast.chat(silent, self.now - timedelta(minutes=36))
        cast.chat(talk, self.now - timedelta(minutes=34))
        assert raised(client) == {"endless": 2}

    def test_turns_nobody_works_on(self, client):
        owed, leased, answered = (self.conversation() for _number in range(3))
        for talk, done, lease in ((owed, 0, None), (leased, 0, self.now + timedelta(minutes=1)), (answered, 1, None)):
            cast.says(talk, "customer", "Hello?")
            Conversation.objects.filter(pk=talk.pk).update(
                turn_wanted_seq=1, turn_done_seq=done, turn_lease_until=lease, last_entry_at=self.now - timedelta(minutes=10)
            )
        assert raised(client) == {"turns": 1}
        assert f"Conversation {owed.pk}" in self.rows(client, "turns")

    def test_sessions_the_record_has_not(self, client):
        lost = cast.chat(self.conversation(), recorded=False)
        assert raised(client) == {"unreconciled": 1}
        assert lost in self.rows(client, "unreconciled")

    def test_candidates(self, client):
        MatchCandidate.objects.create(customer=cast.customer("Mary"), other=cast.customer("M. Price"))
        assert raised(client) == {"candidates": 1}
        assert "M. Price" in self.rows(client, "candidates")

    def test_drafts(self, client):
        RuleSet.objects.create(kind="routing", version=9)
        cast.playbook(version=2)
        assert raised(client) == {"draft-rules": 1, "draft-playbooks": 1}

    def test_a_door_without_a_playbook(self, client):
        door = cast.chat_door()
        type(door).objects.filter(pk=door.pk).update(playbook_code="gone")
        assert raised(client) == {"doors": 1}
        type(door).objects.filter(pk=door.pk).update(mode="off")
        assert raised(client) == {}

    def test_no_published_table(self, client):
        RuleSet.objects.update(status="retired")
        assert raised(client) == {"rules": 1}
        assert reverse("admin:routing_ruleset_changelist") in self.rows(client, "rules")

    def test_a_queue_whose_work_comes_to_wait_for_nobody(self, client):
        queue = cast.queue("billing")
        step = queue.steps.create(after_seconds=60, becomes_kind="callback")
        assert raised(client) == {"untaken": 1}
        assert "Billing" in self.rows(client, "untaken")
        agent = cast.agent("Ann")
        agent.routing_profile.work_rows.create(kind="callback", weight=agent.capacity)
        assert raised(client) == {"untaken": 1}, "Ann does not serve the queue"
        agent.routing_profile.queue_rows.create(queue=cast.queue("sales"))
        step.queue.steps.create(after_seconds=90, also_queue=cast.queue("sales"))
        assert raised(client) == {}
        agent.routing_profile.work_rows.update(weight=agent.capacity + 1)
        assert raised(client) == {"untaken": 1}

    def test_an_article_that_cannot_be_found(self, client):
        KnowledgeArticle.objects.create(slug="boiler", title="Boiler", body="Turn it on.", url="/boiler")
        assert raised(client) == {"articles": 1}

    def test_every_concern_leads_to_its_rows(self, client):
        cast.handoff(self.conversation(), self.now - timedelta(minutes=2))
        assert 'href="/reports/attention/waiting/"' in client.get("/admin/").content.decode()

    def test_the_home_page_asks_a_bounded_number_of_times(self, client, django_assert_max_num_queries):
        for _number in range(5):
            talk = self.conversation()
            cast.chat(talk, recorded=False)
            cast.handoff(talk, self.now - timedelta(minutes=9))
        with django_assert_max_num_queries(24):
            client.get("/admin/")
        assert Interaction.objects.count() == 0
