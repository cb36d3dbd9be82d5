"""What managers change is kept by the database: who, on which page, before and after; and nobody can change that."""

from __future__ import annotations

from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth.models import User
from django.db import DatabaseError, connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from lxml import html

from routing.models import AgentProfile, Presence, Queue, ReasonCode, ReasonPhrase, Territory, TerritoryPostcode
from routing.services import presence, reservations
from tests.routing.conftest import Company
from tests.routing.test_rule_admin import form_data

AUDITED = [
    *("AgentProfile", "AgentSkill", "DispositionCode", "Queue", "ReasonCode", "ReasonPhrase", "RoutingProfile"),
    *("RoutingProfileQueue", "RoutingProfileWork", "ServiceHours", "ServiceHoursException", "ServiceLevel", "Skill", "Team"),
    *("Territory", "TerritoryPostcode"),
]


@pytest.fixture
def manager(client: Client, db: None) -> Client:
    client.force_login(User.objects.create(username="mia", is_staff=True, is_superuser=True))
    return client


def events_of(model: str) -> Any:
    return apps.get_model("routing", f"{model}Event").objects.order_by("pgh_id")


def page_of(manager: Client, name: str, pk: int) -> str:
    page = manager.get(reverse(f"admin:routing_{name}_history", args=[pk]))
    assert page.status_code == 200
    return " ".join(html.fromstring(page.content.decode()).get_element_by_id("content-main").text_content().split())


def send(manager: Client, address: str, **values: str) -> int:
    """Opens a form of the admin, fills in what changes and saves it."""
    model = address.split("/")[3]
    return manager.post(address, form_data(manager.get(address).content, f"{model}_form") | values).status_code


def test_a_changed_queue_says_who_where_before_and_after(manager: Client, company: Company) -> None:
    """The row, the page, and what people call the values."""
    address = reverse("admin:routing_queue_change", args=[company.service.pk])
    assert send(manager, address, name="Front desk", service_level=str(company.urgent.service_level_id)) == 302
    event = events_of("Queue").filter(pgh_label="changed").get()
    assert (event.pgh_obj_id, event.name, event.pgh_context["name"], event.pgh_context["url"]) == (
        company.service.pk,
        "Front desk",
        "mia",
        address,
    )
    page = page_of(manager, "queue", company.service.pk)
    assert "mia Changed: Queue Name: Service → Front desk Service level: Standard → Urgent" in page
    assert "No request Added: Queue" in page


def test_the_rows_that_are_edited_on_a_page_are_in_its_history(manager: Client, company: Company) -> None:
    """Phrases of a reason: added, changed and deleted ones, also after they are gone."""
    reason = ReasonCode.objects.get(code="gas_smell")
    phrase = ReasonPhrase.objects.create(reason=reason, text="It smells")
    address = reverse("admin:routing_reasoncode_change", args=[reason.pk])
    send(manager, address, **{"phrases-0-text": "It smells of gas"})
    send(manager, address, **{"phrases-0-DELETE": "on"})
    assert not ReasonPhrase.objects.filter(pk=phrase.pk).exists()
    page = page_of(manager, "reasoncode", reason.pk)
    assert "mia Changed: Reason phrase Text: It smells → It smells of gas" in page
    assert "mia Deleted: Reason phrase Text: It smells of gas" in page
    assert page.index("Deleted:") < page.index("Changed:") < page.index("Added: Reason phrase")
    assert "It smells" not in page_of(manager, "reasoncode", ReasonCode.objects.get(code="no_heating").pk)


@pytest.mark.parametrize("model", AUDITED)
def test_every_table_of_policy_is_kept_and_its_history_never_changes(company: Company, model: str) -> None:
    """Not by the ORM, not by SQL."""
    events = events_of(model)
    if not events.exists():
        events.create(pgh_label="added", pgh_obj_id=0, **_required(events.model))
    for statement in (f'UPDATE "{events.model._meta.db_table}" SET pgh_label = \'x\'', f'DELETE FROM "{events.model._meta.db_table}"'):
        with pytest.raises(DatabaseError, match=r"[Cc]annot"), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)


def _required(model: Any) -> dict[str, Any]:
    return {
        field.attname: "2026-01-01" if field.get_internal_type() == "DateField" else 0
        for field in model._meta.fields
        if not field.null and not field.primary_key and not field.has_default() and not field.name.startswith("pgh_") and field.name != "id"
    } | {"id": 0}


def test_plain_sql_is_kept_too(company: Company) -> None:
    """Whatever makes the change, with nobody's name on it."""
    TerritoryPostcode.objects.create(territory=Territory.objects.get(), prefix="LS1")
    with connection.cursor() as cursor:
        cursor.execute("UPDATE routing_territorypostcode SET prefix = 'LS2'")
        cursor.execute("DELETE FROM routing_territorypostcode")
    kept = events_of("TerritoryPostcode").values_list("pgh_label", "prefix", "pgh_context")
    assert list(kept) == [("added", "LS1", None), ("changed", "LS2", None), ("deleted", "LS2", None)]


def test_work_and_presence_leave_no_history_and_cost_no_statement(company: Company) -> None:
    """The load of an agent changes all day; only what a manager decides about them is kept."""
    ann = company.agent("ann", state="away")
    before = events_of("AgentProfile").count()
    with CaptureQueriesContext(connection) as queries:
        presence.set_state(ann, "available")
        reservations.assign(subject="c1", kind="messaging", agent=ann)
        reservations.complete("c1")
    assert not [query["sql"] for query in queries if "pghistory" in query["sql"]]
    assert events_of("AgentProfile").count() == before
    assert "load" not in {field.name for field in events_of("AgentProfile").model._meta.fields}
    AgentProfile.objects.filter(pk=ann.pk).update(capacity=4)
    assert events_of("AgentProfile").last().capacity == 4


def test_only_the_admin_names_the_manager_to_the_database(manager: Client, company: Company) -> None:
    """Elsewhere no request pays for it; in the admin a page that is only read does not either."""
    ann = company.agent("ann", state="away")
    agent = Client()
    agent.force_login(ann.user)
    with CaptureQueriesContext(connection) as queries:
        agent.post(reverse("inbox:presence"), {"state": "available"})
        manager.get(reverse("admin:routing_queue_changelist"))
    assert Presence.objects.get(agent=ann).state == "available"
    assert not [query["sql"] for query in queries if "pghistory" in query["sql"]]
    assert Queue.objects.count() == 3
