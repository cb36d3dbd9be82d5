"""Managers change a table in the admin, try it, see what would change, publish it."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from lxml import html

from routing.models import Decision, Rule, RuleSet
from routing.need import Need
from routing.rules.publish import new_draft_from, publish
from routing.services.decide import decide
from tests.routing.conftest import Company, make_draft


@pytest.fixture
def manager(client: Client, db: None) -> Client:
    client.force_login(User.objects.create(username="mia", is_staff=True, is_superuser=True))
    return client


def url(name: str, rule_set: RuleSet) -> str:
    return reverse(f"admin:routing_ruleset_{name}", args=[rule_set.pk])


def form_data(page: bytes, form_id: str = "ruleset_form") -> dict[str, Any]:
    """What a browser would send back unchanged."""
    form = html.fromstring(page.decode()).get_element_by_id(form_id)
    return {name: value for name, value in form.form_values() if "__prefix__" not in name}


def save(manager: Client, draft: RuleSet, changes: dict[str, Any], columns: str = "") -> Any:
    """Opens the draft's page, fills in the changes, and saves."""
    address = url("change", draft) + columns
    page = manager.get(address)
    assert page.status_code == 200
    return manager.post(address, form_data(page.content) | changes | {"_save": "Save"})


def text_of(response: Any) -> str:
    return " ".join(html.fromstring(response.content.decode()).text_content().split())


def test_a_manager_changes_a_row_publishes_and_the_next_decision_follows(
    manager: Client, company: Company, published: RuleSet
) -> None:
    """From the published version to a draft, a changed row, a review, and a decision by the new version."""
    response = manager.post(url("draft", published))
    draft = RuleSet.objects.get(status="draft")
    assert response.headers["Location"] == url("change", draft)
    assert save(manager, draft, {"rules-1-then_queue": "billing", "rules-1-when_asked_for_human": "yes"}).status_code == 302
    review = manager.get(url("publish", draft))
    assert "0 of 0 would have been decided otherwise" in text_of(review)
    manager.post(url("publish", draft), {"note": "People who ask go to billing."})
    decision = decide(Need(asked_for_human=True), subject="c1")
    assert decision.queue == company.billing
    draft.refresh_from_db()
    assert (draft.status, draft.published_by, decision.rule_set) == ("published", "mia", draft)
    published.refresh_from_db()
    assert published.status == "retired"


@pytest.mark.parametrize(
    ("cell", "typed", "sentence"),
    [
        ("when_sentiment", "> > 5", "cannot be read"),
        ("when_failed_turns", "many", "cannot be read"),
        ("when_reason", "gas", "is never “gas”"),
        ("when_reason", "x" * 300, "at most 200 characters"),
        ("then_priority_class", "77", "less than or equal to 9"),
        ("then_queue", "nowhere", "Select a valid choice"),
        ("when_escalation", "sfety", "is never “sfety”"),
        ("when_reason", "gas_smell, gsa", "At character 12: “Reason” is never “gsa”"),
        ("when_sentiment", "> 0 and < 7", "At character 11: 7 is outside"),
        ("when_reason", "x" * 102_400, "at most 200 characters"),
        ("further_facts", "floor: 3\nbuilding_age: old, @", "building age: At character 6"),
        ("further_facts", "building_age: " + "x" * 102_400, "At character 201: The cell is 102400 characters long"),
        ("further_facts", "building age old", "a colon"),
        ("further_facts", "building_age: old\ntier: gold", "“tier” has a place of its own"),
        ("further_facts", "Building!: old", "cannot be the name of a fact"),
        ("further_facts", "\x00: old", "cannot be the name of a fact"),
        ("position", "9" * 20, "less than or equal to 99999"),
    ],
)
def test_a_wrong_cell_is_marked_where_it_is(
    manager: Client, company: Company, published: RuleSet, cell: str, typed: str, sentence: str
) -> None:
    """The error stands in the cell's own column and row, nothing is stored, and what was typed is kept."""
    draft = new_draft_from(published)
    response = save(manager, draft, {f"rules-2-{cell}": typed})
    assert response.status_code == 200
    row = html.fromstring(response.content.decode()).get_element_by_id("rules-2")
    marked = row.find_class(f"field-{cell}")[0]
    assert sentence in marked.text_content()
    (field,) = marked.xpath(f".//*[@name='rules-2-{cell}']")
    if "character 1" in sentence:
        assert (field.get("aria-invalid"), field.get("data-wrong-at")) == ("true", sentence.split()[2].rstrip(":"))
    assert [rule.conditions for rule in draft.rules.all()] == [rule.conditions for rule in published.rules.all()]


def test_short_and_long_ways_of_writing_are_kept_as_typed(
    manager: Client, company: Company, published: RuleSet
) -> None:
    """Bare words, lists, negations, spans, further facts; the published table decides by them."""
    draft = new_draft_from(published)
    response = save(
        manager,
        draft,
        {
            "rules-2-when_reason": "not gas_smell, no_heating",
            "rules-2-when_sentiment": "-1..-0.5",
            "rules-2-further_facts": "building_age: old\nfloor: 3",
            "rules-2-when_failed_turns": "",
        },
    )
    assert response.status_code == 302
    row = draft.rules.order_by("position")[2]
    assert row.conditions == {
        "reason": "not gas_smell, no_heating",
        "sentiment": "-1..-0.5",
        "facts.building_age": "old",
        "facts.floor": "3",
    }
    publish(draft, by="tests")
    need = Need(reason="billing_question", sentiment=-0.6, facts={"building_age": "old", "floor": "3"})
    assert decide(need, subject="c1").rule == row
    assert decide(Need(reason="billing_question", sentiment=-0.6), subject="c1").rule != row


def test_rows_change_places_and_are_numbered_anew(manager: Client, company: Company, published: RuleSet) -> None:
    """A row that is given the number of another stands in its place; a new row too; the numbers have no holes."""
    draft = new_draft_from(published)
    save(manager, draft, {"rules-2-position": "1"})
    assert [rule.description[:5] for rule in draft.rules.order_by("position")] == ["Anger", "A sme", "Whoev", "Every"]
    save(
        manager,
        draft,
        {
            "rules-4-position": "2",
            "rules-4-description": "Heating in the cold",
            "rules-4-when_reason": "no_heating",
            "rules-4-then_handler": "callback",
        },
    )
    rows = list(draft.rules.order_by("position"))
    assert [rule.position for rule in rows] == [1, 2, 3, 4, 5]
    assert (rows[1].description, rows[1].outputs["handler"]) == ("Heating in the cold", "callback")


def test_a_draft_that_cannot_be_published_yet_is_saved_with_a_warning(
    manager: Client, company: Company, published: RuleSet
) -> None:
    """Work in progress is not lost; the page and the review say what is missing, and publishing is refused."""
    draft = new_draft_from(published)
    response = save(manager, draft, {"rules-3-when_urgency": "high"})
    assert response.status_code == 302
    assert "The last row must match anything" in text_of(manager.get(url("change", draft)))
    assert "The last row must match anything" in text_of(manager.get(url("publish", draft)))
    refused = manager.post(url("publish", draft), {"note": "x"})
    assert "Not published." in text_of(refused)
    draft.refresh_from_db()
    assert draft.status == "draft"


def test_what_is_wrong_with_a_stored_row_stands_in_the_row(manager: Client, company: Company, published: RuleSet) -> None:
    """A row out of reach says so beside what it is for, a value that is gone in its own cell, a channel in the cell that names it."""
    draft = new_draft_from(published)
    rows = list(draft.rules.order_by("position"))
    rows[1].conditions = {"reason": "gas_smell", "in_hours": "yes"}
    rows[2].conditions = {"reason": "no_heating, gone", "facts.way_in": "phone"}
    Rule.objects.bulk_update(rows, ["conditions"])
    page = html.fromstring(manager.get(url("change", draft)).content.decode())

    def noted(row: int, field: str) -> str:
        return str(page.get_element_by_id(f"rules-{row}").find_class(f"field-{field}")[0].text_content())

    assert "row 1 above it takes everything" in noted(1, "description")
    assert "At character 13: “Reason” is never “gone”" in noted(2, "when_reason")
    assert "“phone” names a channel" in noted(2, "further_facts")
    assert "names a channel" in text_of(manager.get(url("publish", draft)))


def test_a_table_of_two_hundred_rows_is_saved_as_one_form(manager: Client, company: Company) -> None:
    """Far more fields than a web form usually has; the last one counts as the first."""
    rows = [(f"Score {n}", {"score": str(n)}, {"handler": "assistant"}) for n in range(199)]
    draft = make_draft([*rows, ("The rest", {}, {"handler": "assistant"})])
    assert save(manager, draft, {"rules-198-then_handler": "callback"}).status_code == 302
    assert draft.rules.get(position=199).outputs["handler"] == "callback"


def test_an_example_guards_publishing(manager: Client, company: Company, published: RuleSet) -> None:
    """An example is filled in by form; a change that breaks it is named and refused."""
    draft = new_draft_from(published)
    save(
        manager,
        draft,
        {
            "cases-1-name": "Gas at night",
            "cases-1-need_reason": "gas_smell",
            "cases-1-need_in_hours": "no",
            "cases-1-expect_queue": "urgent",
            "cases-1-expect_priority_class": "1",
            "cases-1-expect_required_skills": ["gas"],
        },
    )
    case = draft.cases.get(name="Gas at night")
    assert case.need == {"reason": "gas_smell", "in_hours": False}
    assert case.expected == {"queue": "urgent", "priority_class": 1, "required_skills": ["gas"]}
    assert "right Gas at night" in text_of(manager.get(url("publish", draft)))
    save(manager, draft, {"rules-0-then_queue": "service"})
    refused = manager.post(url("publish", draft), {"note": "x"})
    assert "“Gas at night”: Queue should be “urgent” and is “service” (row 1)." in text_of(refused)


@pytest.mark.parametrize(
    ("field", "typed", "sentence"),
    [
        ("further_facts", "building_age: o\x00ld", "too long or cannot be read"),
        ("further_facts", "building_age: " + "x" * 100_000, "too long or cannot be read"),
        ("further_facts", "Building age: old", "cannot be the name of a fact"),
        ("further_facts", "\x00: old", "cannot be the name of a fact"),
        ("need_score", "9" * 40, "less than or equal to"),
        ("need_score", "9" * 5000, "Enter a whole number"),
        ("need_failed_turns", "9" * 30, "less than or equal to"),
        ("need_open_balance", "1e308", "less than or equal to"),
        ("need_open_balance", "nan", "Enter a number"),
    ],
)
def test_a_need_that_cannot_be_asked_is_refused_where_it_is(
    manager: Client, company: Company, published: RuleSet, field: str, typed: str, sentence: str
) -> None:
    """In an example, which is not stored, and where a table is tried."""
    draft = new_draft_from(published)
    example = {"cases-1-name": "Odd", "cases-1-expect_handler": "assistant", f"cases-1-{field}": typed}
    refused = save(manager, draft, example)
    assert sentence in html.fromstring(refused.content.decode()).get_element_by_id("cases-1").text_content()
    assert draft.cases.count() == 1
    assert sentence in text_of(manager.get(url("try", draft), {field: typed, "ask": "1"}))


def test_the_review_shows_what_past_decisions_would_become(
    manager: Client, company: Company, published: RuleSet
) -> None:
    """A dry run over stored decisions names the differing outputs, and stores nothing."""
    decide(Need(asked_for_human=True), subject="c1")
    decide(Need(), subject="c2")
    draft = new_draft_from(published)
    save(manager, draft, {"rules-1-then_queue": "billing"})
    page = text_of(manager.get(url("publish", draft)))
    assert "1 of 2 would have been decided otherwise." in page
    assert "Queue: service → billing" in page
    assert Decision.objects.count() == 2


def test_trying_answers_and_explains_without_storing(manager: Client, company: Company, published: RuleSet) -> None:
    """The form asks any version; the answer says which row and why."""
    page = text_of(manager.get(url("try", published), {"need_sentiment": "-0.9", "need_failed_turns": "2", "ask": "1"}))
    assert "Row 3 of routing version 1 matched" in page
    assert "sentiment is -0.9" in page
    assert not Decision.objects.exists()
    wrong = text_of(manager.get(url("try", published), {"need_sentiment": "-7", "ask": "1"}))
    assert "greater than or equal to -1" in wrong


def test_a_published_version_is_shown_and_never_changed(manager: Client, company: Company, published: RuleSet) -> None:
    """Its page has its rows and examples in words and no fields; posting to it is refused; deleting too."""
    page = manager.get(url("change", published))
    assert "A smell of gas goes to people first" in text_of(page)
    assert "An ordinary need nothing is known Who assistant" in text_of(page)
    assert b'name="rules-0' not in page.content
    assert manager.post(url("change", published), {"note": "changed"}).status_code == 403
    assert manager.post(url("delete", published), {"post": "yes"}).status_code == 403
    assert "Only a draft can be published" in text_of(manager.get(url("publish", published), follow=True))


def test_who_publishes_second_is_told_by_whom_it_was(manager: Client, company: Company) -> None:
    """Both had the same draft open; what the first said of it stays."""
    draft = make_draft()
    assert manager.get(url("publish", draft)).status_code == 200
    publish(draft, by="kim", note="Theirs")
    told = text_of(manager.post(url("publish", draft), {"note": "Mine"}, follow=True))
    assert f"Routing v{draft.version} (Published) is not a draft any more: kim published it at" in told
    draft.refresh_from_db()
    assert draft.note == "Theirs"


def test_going_back_publishes_a_copy_under_a_new_number(
    manager: Client, company: Company, published: RuleSet
) -> None:
    """Rolling back keeps every version; the copy says where it comes from."""
    publish(new_draft_from(published), by="tests")
    published.refresh_from_db()
    manager.post(url("roll_back", published))
    copy = RuleSet.objects.get(status="published")
    assert (copy.version, copy.note) == (3, "Back to version 1.")


def test_a_new_table_starts_empty_with_the_next_number(manager: Client, company: Company, published: RuleSet) -> None:
    """A set added by hand is a draft."""
    manager.post(reverse("admin:routing_ruleset_add"), {"kind": "scoring", "note": "Points"})
    added = RuleSet.objects.get(kind="scoring")
    assert (added.version, added.status, added.author.username) == (1, "draft", "mia")
    assert manager.get(url("change", added)).status_code == 200


def test_only_those_who_may_change_tables_publish_them(client: Client, company: Company, published: RuleSet) -> None:
    """Staff without the permission are refused on every page that changes something."""
    client.force_login(User.objects.create(username="guest", is_staff=True))
    draft = new_draft_from(published)
    assert client.post(url("publish", draft), {"note": "x"}).status_code == 403
    assert client.post(url("draft", published)).status_code == 403
    assert client.post(url("roll_back", published)).status_code == 403
    assert client.get(url("try", published)).status_code == 403


def test_text_of_managers_is_inert(manager: Client, company: Company) -> None:
    """Markup in descriptions and notes is shown, not run."""
    rows = [("<script>alert(1)</script>", {}, {"handler": "assistant"})]
    draft = make_draft(rows)
    published = publish(draft, by="tests", note="<img src=x onerror=alert(1)>")
    decide(Need(), subject="c1")
    for address in (url("change", published), url("try", published) + "?ask=1", reverse("admin:routing_decision_changelist")):
        page = manager.get(address).content
        assert b"<script>alert" not in page
        assert b"<img src=x" not in page
