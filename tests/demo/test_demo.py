"""The demo company: complete, and the same however often it is loaded."""

import json
from collections.abc import Iterable
from io import StringIO

import numpy as np
import phonenumbers
import pytest
from django.apps import apps
from django.contrib.auth import get_user_model
from django.core.management import call_command

from conversations.demo import source
from conversations.demo.load import texts_to_ship
from conversations.inbox.placeholders import unknown_placeholders
from conversations.models import EntryPoint, KnowledgeArticle, KnowledgePassage, Playbook, PlaybookForm, SavedReply, Technician
from conversations.understanding import vectors
from conversations.understanding.embed import embed
from routing.models import AgentProfile, Queue, ReasonCode, Rule, RuleSet, ServiceHours, Skill, Team, TerritoryPostcode
from routing.need import Need
from routing.selectors.untaken import steps_into_work_nobody_takes
from routing.services.decide import decide

pytestmark = pytest.mark.django_db

COMPARED = ("routing", "conversations", "auth")


def demo() -> str:
    out = StringIO()
    call_command("demo", stdout=out)
    return out.getvalue()


def all_rows() -> dict[str, list[tuple[object, ...]]]:
    """Every row of our tables, so that any difference shows."""
    models: Iterable = (model for app in COMPARED for model in apps.get_app_config(app).get_models(include_auto_created=True))
    return {model._meta.label: sorted(map(repr, model.objects.values_list())) for model in models}


def test_loading_twice_gives_the_same_rows() -> None:
    demo()
    before = all_rows()
    demo()
    assert all_rows() == before


def test_what_a_manager_changed_outlives_the_next_load() -> None:
    demo()
    Queue.objects.filter(code="service").update(name="Front desk")
    ReasonCode.objects.get(code="leak").phrases.all().delete()
    get_user_model().objects.get(username="ann").set_password("mine")
    demo()
    assert Queue.objects.get(code="service").name == "Front desk"
    assert not ReasonCode.objects.get(code="leak").phrases.exists()


def test_the_sign_ins_that_are_printed_work() -> None:
    printed = demo()
    for username in ("maya", "ann", "ben"):
        user = get_user_model().objects.get(username=username)
        password = printed.rsplit(":", 1)[1].strip()
        assert username in printed
        assert user.check_password(password)
    assert get_user_model().objects.get(username="maya").is_staff
    assert not get_user_model().objects.get(username="ann").is_staff


def test_the_company_is_complete() -> None:
    demo()
    assert ReasonCode.objects.count() >= 14
    assert all(reason.phrases.count() >= 14 for reason in ReasonCode.objects.all())
    assert KnowledgeArticle.objects.count() >= 25
    assert set(KnowledgePassage.objects.values_list("article", flat=True)) == set(KnowledgeArticle.objects.values_list("pk", flat=True))
    assert all(80 <= len(article.body.split()) <= 250 for article in KnowledgeArticle.objects.all())
    assert (Queue.objects.count(), Team.objects.count(), AgentProfile.objects.count()) == (3, 2, 6)
    assert SavedReply.objects.filter(active=True).count() >= 8
    assert not any(unknown_placeholders(reply.body) for reply in SavedReply.objects.all())
    assert Technician.objects.filter(shifts__isnull=False).distinct().count() >= 3
    assert {form.code for form in PlaybookForm.objects.all()} >= {"booking", "quote", "billing"}
    assert {row.kind for row in RuleSet.objects.filter(status="published")} == {"routing", "scoring", "escalation"}
    assert all(row.cases.count() >= 4 for row in RuleSet.objects.all())


def test_both_doors_share_one_playbook_that_discloses_the_ai() -> None:
    demo()
    chat = EntryPoint.objects.get(channel="chat", address="/harborhome")
    phone = EntryPoint.objects.get(channel="voice", address="+441632960100")
    assert chat.playbook == phone.playbook
    assert "AI" in chat.playbook.disclosure
    assert Playbook.objects.filter(status="published").count() == 1


def test_someone_can_take_every_kind_of_work() -> None:
    """Each queue has agents with each skill that its rules ask for, and a call takes all of an agent's capacity."""
    demo()
    for rule in Rule.objects.filter(rule_set__kind="routing", outputs__has_key="queue"):
        agents = AgentProfile.objects.filter(routing_profile__queues__code=rule.outputs["queue"])
        for code in rule.outputs.get("required_skills", []):
            agents = agents.filter(skill_rows__skill=Skill.objects.get(code=code))
        assert agents.count() >= 2, rule
    for agent in AgentProfile.objects.all():
        weights = {row.kind: row.weight for row in agent.routing_profile.work_rows.all()}
        assert weights == {"live_voice": agent.capacity, "callback": agent.capacity, "messaging": 2}
    assert not steps_into_work_nobody_takes().exists()


def test_the_published_table_sends_gas_to_a_person_and_a_question_to_the_assistant() -> None:
    demo()
    gas = decide(Need(reason="gas_smell", urgency="emergency", in_hours=False), subject="one")
    question = decide(Need(reason="price_question", line_of_business="sales"), subject="two")
    assert (gas.handler, gas.queue.code if gas.queue else None, gas.priority_class) == ("human", "urgent", 1)
    assert question.handler == "assistant"


def test_every_number_is_reserved_for_drama_and_every_postcode_is_nobodys() -> None:
    demo()
    numbers = [
        *AgentProfile.objects.values_list("phone_number", flat=True),
        *EntryPoint.objects.filter(channel="voice").values_list("address", flat=True),
    ]
    assert all(number.startswith("+441632960") for number in numbers)
    assert all(phonenumbers.is_possible_number(phonenumbers.parse(number)) for number in numbers)
    assert {prefix[:2] for prefix in TerritoryPostcode.objects.values_list("prefix", flat=True)} == {"HB", "SX"}


def test_hours_follow_the_country_and_its_holidays() -> None:
    demo()
    office = ServiceHours.objects.get(code="office")
    assert (office.time_zone, office.country) == ("Europe/London", "GB")
    assert office.exceptions.exists()


def test_every_form_field_has_a_prompt_and_every_article_a_reason() -> None:
    codes = {row["code"] for row in source.reasons()}
    assert {article.reason for article in source.articles()} <= codes
    assert all(article.url == f"/help/{article.slug}" for article in source.articles())
    assert all(field["prompt"] for form in source.playbook()["forms"] for field in form["fields"])


def test_the_embeddings_that_ship_are_those_of_the_model() -> None:
    """Half precision costs less than a thousandth; `manage.py demo --write-vectors` makes them anew."""
    texts = sorted(set(texts_to_ship()))
    assert set(map(vectors.digest, texts)) == set(vectors.shipped())
    some = texts[::40]
    assert np.abs(vectors.remembered(some) - embed(some)).max() < 1e-3


def test_the_sample_day_can_be_simulated() -> None:
    """With the demo company's queues, skills and agents, and one agent who is not hired yet."""
    demo()
    out = StringIO()
    folder = source.FOLDER / "simulation"
    call_command(
        "simulate_routing", folder / "trace.csv", folder / "staffing.csv", time_zone="Europe/London", json=True, stdout=out
    )
    found = json.loads(out.getvalue())
    assert [queue["queue"] for queue in found["queues"]] == ["billing", "service", "urgent"]
    assert found["all"]["came"] == len((folder / "trace.csv").read_text().splitlines()) - 1
    assert (found["all"]["inversions"], found["all"]["still_waiting"]) == (0, 0)
    assert len(found["notes"]) == 1
    assert "Temp" in found["notes"][0]
