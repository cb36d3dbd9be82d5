"""What the company declares its own facts to be: cells are held to it, and versions that were published keep what they meant."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from hypothesis import given, settings
from hypothesis import strategies as st

from routing.models import DeclaredFact, Rule, RuleSet
from routing.need import Need
from routing.rules.cells import canonical, matches
from routing.rules.compile import TableRefused, compile_rule_set, document_of_rows
from routing.rules.evaluate import Table
from routing.rules.explain import explain
from routing.rules.publish import PublishRefused, new_draft_from, publish, roll_back_to
from routing.rules.reach import unreachable_rows
from routing.rules.recalling import RecallingTable
from routing.rules.schema import Fact, Vocabulary
from routing.services.decide import decide, replay
from tests.routing.conftest import Company, make_draft
from tests.routing.test_rule_admin import form_data, manager, save, text_of, url

__all__ = ["manager"]

ASSISTANT: dict[str, Any] = {"handler": "assistant"}
CALLBACK: dict[str, Any] = {"handler": "callback"}
REST: tuple[str, dict[str, str], dict[str, Any]] = ("Rest", {}, ASSISTANT)
FLOOR = Fact("facts.floor", "floor", "number", "", lowest=0, highest=99)


@pytest.fixture
def tiers(db: None) -> DeclaredFact:
    fact = DeclaredFact.objects.create(name="tier")
    for value in ("standard", "gold"):
        fact.values.create(value=value)
    return fact


@pytest.fixture
def floors(db: None) -> DeclaredFact:
    return DeclaredFact.objects.create(name="facts.floor", kind="number", lowest=0, highest=99)


@pytest.mark.parametrize(
    ("cell", "typed", "sentence"),
    [
        ("when_tier", "gold, glod", "At character 7: “Customer tier” is never “glod”. It can be: gold, standard."),
        ("when_facts.floor", "> 100", "At character 3: 100 is outside what “floor” can be (0 to 99)"),
        ("when_facts.floor", "high", "cannot be read"),
        ("further_facts", "floor: >= 3 and < 200", "floor: At character 12: 200 is outside"),
    ],
)
def test_a_cell_outside_of_what_was_declared_is_marked_where_it_is(
    manager: Client, company: Company, published: RuleSet, tiers: DeclaredFact, floors: DeclaredFact, cell: str, typed: str, sentence: str
) -> None:
    """The position of the error, and what the fact can be; nothing is stored."""
    draft = new_draft_from(published)
    columns = "" if cell == "further_facts" else "?columns=all"
    page = save(manager, draft, {f"rules-2-{cell}": typed}, columns)
    assert page.status_code == 200
    assert sentence in text_of(page)
    assert draft.rules.get(position=3).conditions == published.rules.get(position=3).conditions


def test_a_declared_number_decides_and_what_is_no_number_matches_nothing(company: Company, floors: DeclaredFact) -> None:
    """Said as text, compared as a number, explained with it; a text that is none, or none at all, is not known."""
    rows = [("High up", {"facts.floor": ">= 3"}, CALLBACK), ("Not the tenth", {"facts.floor": "!= 10"}, ASSISTANT), REST]
    publish(make_draft(rows), by="x")
    high = decide(Need(facts={"floor": "12"}), subject="c1")
    assert (high.handler, high.sentence.split(" matched, ")[1]) == ("callback", "“High up”: floor is 12.")
    for said in ({"floor": "2.5"}, {"floor": "twelve"}, {}, {"floor": "9" * 20}):
        low = decide(Need(facts=said), subject="c1")
        assert (low.handler, low.trace["row"]) == ("assistant", 2)
    assert "floor is not known, not >= 3" in low.sentence


def test_what_was_published_keeps_its_meaning_when_the_declaration_changes(
    company: Company, floors: DeclaredFact, tiers: DeclaredFact
) -> None:
    """A replay gives the same, whatever is declared later; a draft and going back are held to what is declared now."""
    first = publish(make_draft([("High", {"facts.floor": ">= 3", "tier": "gold"}, CALLBACK), REST]), by="x")
    decision = decide(Need(tier="gold", facts={"floor": "12"}), subject="c1")
    floors.delete()
    tiers.values.get(value="gold").delete()
    again = decide(Need(tier="gold", facts={"floor": "4"}), subject="c2")
    assert {decision.handler, replay(decision).handler, again.handler} == {"callback"}
    with pytest.raises(TableRefused, match="never “gold”"):
        compile_rule_set(new_draft_from(first))
    publish(make_draft([REST]), by="x")
    with pytest.raises(PublishRefused, match="Row 1, column “Customer tier”: At character 1: “Customer tier” is never “gold”"):
        roll_back_to(RuleSet.objects.get(pk=first.pk), by="x")


def test_a_manager_declares_a_fact_and_hears_which_tables_do_not_fit(manager: Client, company: Company, db: None) -> None:
    """The published table decides on, the draft cannot be published; both are named with row and character."""
    published = publish(make_draft([("Gold", {"tier": "gold"}, CALLBACK), REST]), by="x")
    new_draft_from(published)
    page = manager.get(reverse("admin:routing_declaredfact_add"))
    data = form_data(page.content, "declaredfact_form") | {"name": "tier", "values-0-value": "standard", "values-1-value": "silver"}
    told = text_of(manager.post(reverse("admin:routing_declaredfact_add"), data, follow=True))
    assert "Routing v2 (Draft) does not fit it, so it cannot be published: Row 1, column “Customer tier”: At character 1" in told
    assert "Routing v1 (Published) keeps deciding as it was published, but does not fit it: Row 1" in told
    assert decide(Need(tier="gold"), subject="c1").handler == "callback"
    assert [each.value for each in DeclaredFact.objects.get().values.all()] == ["silver", "standard"]


@pytest.mark.parametrize(
    ("filled_in", "sentence"),
    [
        ({"name": "reason", "values-0-value": "x"}, "“reason” is not a fact whose values you declare"),
        ({"name": "facts.tier", "values-0-value": "x"}, "“facts.tier” is not a fact whose values you declare"),
        ({"name": "facts.Floor", "values-0-value": "x"}, "“facts.Floor” is not a fact"),
        ({"name": "tier"}, "Name at least one value"),
        ({"name": "tier", "kind": "number"}, "This fact is a word, never a number."),
        ({"name": "tier", "lowest": "1", "values-0-value": "x"}, "Only a number has this."),
        ({"name": "facts.floor", "kind": "number", "lowest": "9", "highest": "1"}, "This is less than the lowest."),
        ({"name": "facts.floor", "kind": "number", "values-0-value": "x"}, "A number has no list of values."),
        ({"name": "tier", "values-0-value": 'a", "b'}, "Letters, digits, spaces"),
    ],
)
def test_a_declaration_that_cannot_be_is_refused_at_its_field(
    manager: Client, filled_in: dict[str, str], sentence: str
) -> None:
    """Each with a sentence, and nothing stored."""
    address = reverse("admin:routing_declaredfact_add")
    answer = manager.post(address, form_data(manager.get(address).content, "declaredfact_form") | filled_in)
    assert sentence in text_of(answer)
    assert not DeclaredFact.objects.exists()


def test_the_list_says_what_a_fact_can_be_and_where_it_is_used(
    manager: Client, company: Company, tiers: DeclaredFact, floors: DeclaredFact
) -> None:
    """In words a manager reads; bounds stand apart as what only a number has."""
    tiers.values.filter(value="gold").update(meaning="Pays for Harbor Care")
    publish(make_draft([("Gold", {"tier": "gold"}, CALLBACK), REST]), by="x")
    listed = text_of(manager.get(reverse("admin:routing_declaredfact_changelist")))
    assert "gold (Pays for Harbor Care)" in listed
    assert "Routing v1 (Published)" in listed
    assert "0 to 99" in listed
    assert "no rule set" in listed
    page = text_of(manager.get(reverse("admin:routing_declaredfact_change", args=[tiers.pk])))
    assert "Routing v1 (Published)" in page
    assert "When it is a number" in page


def test_examples_and_try_it_offer_what_was_declared(
    manager: Client, company: Company, tiers: DeclaredFact, floors: DeclaredFact
) -> None:
    """A list for the tier, a number for the floor; a word for it is refused."""
    draft = make_draft([("High gold", {"facts.floor": "> 3", "tier": "gold"}, CALLBACK), REST], example=False)
    tried = text_of(manager.get(url("try", draft), {"need_tier": "gold", "need_facts.floor": "4", "ask": "1"}))
    assert "Row 1 of routing version 1 matched" in tried
    assert "“four” is not a number." in text_of(manager.get(url("try", draft), {"need_facts.floor": "four", "ask": "1"}))
    assert "Select a valid choice" in text_of(manager.get(url("try", draft), {"need_tier": "silver", "ask": "1"}))
    example = {"cases-0-name": "Up", "cases-0-need_tier": "gold", "cases-0-need_facts.floor": "4", "cases-0-expect_handler": "callback"}
    assert save(manager, draft, example).status_code == 302
    assert draft.cases.get().need == {"tier": "gold", "facts": {"floor": "4"}}
    page = form_data(manager.get(url("change", draft)).content)
    assert (page["cases-0-need_facts.floor"], page["rules-0-when_facts.floor"], page["rules-0-further_facts"].strip()) == ("4", "> 3", "")


CELLS = st.sampled_from(["", "> 3", "<= 3", "!= 3", "3", "1..5", ">= 0 and < 5", "!= 3 and > 1", "> 5 and != 7"])
SAID = st.sampled_from([None, "3", "4", "-1", "5.5", "7", "many", "120"])


@settings(max_examples=60, deadline=None)
@given(st.lists(CELLS, min_size=1, max_size=4), SAID)
def test_the_engine_the_explanation_and_the_reach_agree_on_declared_numbers(written: list[str], said: str | None) -> None:
    """The engine's row is the first whose cell matches; a row that is out of reach is never it; a recalled answer is the same."""
    words = Vocabulary(declared={"facts.floor": FLOOR})
    found = [{"facts.floor": cell} if (cell := canonical(text, FLOOR, words)) else {} for text in written]
    rows = [Rule(pk=number, description=str(number)) for number in range(len(found) + 1)]
    outputs = [{"handler": "assistant", "queue": "", "priority_class": 3, "required_skills": [], "service_level": ""}] * len(rows)
    document = document_of_rows("routing", rows, [*found, {}], outputs, {"facts.floor"})
    table = Table.from_document(RuleSet(pk=1, kind="routing", version=1), document)
    need = Need(facts={} if said is None else {"floor": said})
    answer = table.answer(need)
    value = table.value_of(need, "facts.floor")
    assert answer.row == next(n for n, cells in enumerate([*found, {}], start=1) if matches(cells.get("facts.floor", ""), value))
    assert answer.row not in {each.row for each in unreachable_rows([*found, {}], {"facts.floor": FLOOR})}
    recalling = RecallingTable.of(table)
    assert recalling.row_for(need) == recalling.row_for(need) == answer.row
    assert explain(answer)
