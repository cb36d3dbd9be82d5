"""Looking back at decisions: what a draft would have changed, why each row did not match, and that they come out the same again."""

from __future__ import annotations

import io
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st
from lxml import html

from routing.models import Decision, Rule, RuleSet
from routing.need import Need
from routing.rules.cells import canonical
from routing.rules.compile import document_of_rows
from routing.rules.dry_run import dry_run
from routing.rules.evaluate import Table
from routing.rules.explain import rows_above
from routing.rules.publish import new_draft_from, publish
from routing.rules.recalling import RecallingTable
from routing.rules.schema import fact_named
from routing.services.decide import decide, replayed
from routing.services.forgetting import forget
from routing.services.replaying import ask_again, ask_all_again
from tests.routing.conftest import ROWS, Company, make_draft
from tests.routing.test_cells import WORDS

REST: tuple[str, dict[str, str], dict[str, Any]] = ("The rest", {}, {"handler": "assistant"})
NO: tuple[str, dict[str, str], dict[str, Any]] = ("Nobody", {}, {"escalate": False})


@pytest.fixture
def manager(client: Client, db: None) -> Client:
    client.force_login(User.objects.create(username="mia", is_staff=True, is_superuser=True))
    return client


@pytest.fixture
def week(published: RuleSet) -> RuleSet:
    """Six decisions: three smelled gas, two asked for a person, one for nothing special."""
    for number, need in enumerate([Need(reason="gas_smell")] * 3 + [Need(reason="no_heating", asked_for_human=True)] * 2 + [Need()]):
        decide(need, subject=f"c{number}")
    return published


def text_of(response: Any) -> str:
    return " ".join(html.fromstring(response.content.decode()).text_content().split())


def page(client: Client, name: str, draft: RuleSet, **query: Any) -> Any:
    return client.get(reverse(f"admin:routing_ruleset_{name}", args=[draft.pk]), query)


def cells_of(response: Any, table: int) -> list[list[str]]:
    found = html.fromstring(response.content.decode()).find_class("rule-table")[table]
    return [[" ".join(cell.text_content().split()) for cell in row.xpath("td")] for row in found.xpath("tbody/tr")]


class TestDryRun:
    def test_changes_are_counted_by_queue_and_by_reason(self, manager: Client, company: Company, week: RuleSet) -> None:
        """From and to, the most first; each count opens its decisions; what stays in its queue is said to."""
        rows = [
            ("Gas goes to service", {"reason": "gas_smell"}, {"handler": "human", "queue": "service"}),
            ("Whoever asks", {"asked_for_human": "yes"}, {"handler": "human", "queue": "service", "priority_class": 2}),
            REST,
        ]
        draft = make_draft(rows)
        review = page(manager, "publish", draft)
        assert "5 of 6 would have been decided otherwise." in text_of(review)
        assert cells_of(review, 0) == [["Urgent", "Service", "3"], ["Service", "Service the same, but not in all", "2"]]
        assert cells_of(review, 1)[1][0] == "no heating"
        address = html.fromstring(review.content.decode()).xpath("//table[contains(@class, 'rule-counts')]//a/@href")[0]
        chosen = manager.get(reverse("admin:routing_ruleset_publish", args=[draft.pk]) + address.partition("#")[0])
        assert "The 3 decisions of one count" in text_of(chosen)
        assert len(cells_of(chosen, 2)) == 3
        gas = Decision.objects.filter(subject="c0").get()
        assert reverse("admin:routing_decision_change", args=[gas.pk]) in chosen.content.decode()

    def test_rows_that_nobody_could_take_are_named(self, manager: Client, company: Company) -> None:
        """Without agents every row for people; then those whose skill nobody has, unless a step drops it."""
        draft = make_draft()
        told = "none of the active agents serves its queue"
        assert text_of(page(manager, "publish", draft)).count(told) == 3
        ann = company.agent("ann", state="offline")
        named = text_of(page(manager, "publish", draft))
        assert (named.count(told), "Row 1, “A smell of gas goes to people first”: none" in named) == (1, True)
        step = company.urgent.steps.create(after_seconds=60, without_skills=True)
        assert told not in text_of(page(manager, "publish", draft))
        step.delete()
        ann.skill_rows.create(skill=company.gas, proficiency=1)
        assert told not in text_of(page(manager, "publish", draft))
        company.urgent.min_proficiency = 2
        company.urgent.save()
        assert text_of(page(manager, "publish", draft)).count(told) == 1

    def test_the_days_are_chosen(self, manager: Client, company: Company, week: RuleSet) -> None:
        """Seven when nothing is said; nonsense says so and looks at seven."""
        draft = make_draft([REST])
        with connection.cursor() as cursor:
            cursor.execute("SET session_replication_role = replica")
            cursor.execute("UPDATE routing_decision SET decided_at = now() - interval '20 days' WHERE subject IN ('c0', 'c1')")
            cursor.execute("SET session_replication_role = DEFAULT")
        assert "3 of 4 would have been" in text_of(page(manager, "publish", draft))
        assert "5 of 6 would have been" in text_of(page(manager, "publish", draft, days=30))
        for wrong in ("0", "many", "100000", ""):
            assert "3 of 4 would have been" in text_of(page(manager, "publish", draft, days=wrong))
        assert "less than or equal to 366" in text_of(page(manager, "publish", draft, days="100000"))

    def test_thresholds_and_points_are_followed_to_the_queue(self, company: Company) -> None:
        """A draft of either says where each need would go by all published tables with it, and where it goes now."""
        routing: list[Any] = [
            ("Upset", {"escalation": "upset"}, {"handler": "human", "queue": "service"}),
            ("Worth much", {"score": ">= 50"}, {"handler": "human", "queue": "billing"}),
            REST,
        ]
        escalates = {"escalate": True, "escalation_reason": "upset"}
        publish(make_draft([("Very", {"sentiment": "< -0.5"}, escalates), NO], "escalation"), by="tests")
        publish(make_draft([("Gold", {"tier": "gold"}, {"points": 60}), ("Rest", {}, {"points": 0})], "scoring"), by="tests")
        publish(make_draft(routing), by="tests")
        decide(Need(sentiment=-0.6, reason="no_heating"), subject="c1")
        decide(Need(tier="gold", score=60), subject="c2")
        stricter = dry_run(make_draft([("Very", {"sentiment": "< -0.9"}, escalates), NO], "escalation"))
        assert stricter.by_queue == [("service", "assistant", 1)]
        assert stricter.by_reason == [("no_heating", "service", "assistant", 1)]
        cheaper = dry_run(make_draft([("Gold", {"tier": "gold"}, {"points": 40}), ("Rest", {}, {"points": 0})], "scoring"))
        assert cheaper.by_queue == [("billing", "assistant", 1)]
        assert cheaper.changed[0].before == {"points": 60}

    @pytest.mark.parametrize("kind", ["scoring", "escalation"])
    def test_without_a_routing_table_nobody_knows_where_it_would_go(self, manager: Client, week: RuleSet, kind: str) -> None:
        """What changes is counted all the same."""
        RuleSet.objects.filter(status="published").update(status="retired")
        first = {"points": 5} if kind == "scoring" else {"escalate": True, "escalation_reason": "gas"}
        last = {"points": 0} if kind == "scoring" else {"escalate": False}
        draft = make_draft([("Gas", {"reason": "gas_smell"}, first), ("Rest", {}, last)], kind)
        assert ["nowhere yet", "nowhere yet the same, but not in all"] in [row[:2] for row in cells_of(page(manager, "publish", draft), 0)]

    def test_a_need_of_another_time_does_not_break_the_page(self, manager: Client, company: Company, week: RuleSet) -> None:
        """It is counted as one that cannot be asked."""
        rule = week.rules.first()
        for need in ({"colour": "red"}, {"score": "many"}, ["x"]):
            Decision.objects.create(subject="old", need=need, rule_set=week, rule=rule, handler="assistant", sentence="Old")
        shown = text_of(page(manager, "publish", new_draft_from(week)))
        assert "0 of 9 would have been decided otherwise. 3 cannot be asked any more." in shown

    def test_ten_thousand_decisions_are_asked_in_a_few_seconds(self, manager: Client, company: Company) -> None:
        """All needs differ; those that no cell tells apart are asked once. Each is read once."""
        cells = {"tier": "gold", "sentiment": "< 0.99"}
        rows: list[Any] = [(f"Score {n}", cells | {"score": str(n)}, {"handler": "assistant"}) for n in range(199)]
        first = publish(make_draft([*rows, REST]), by="tests")
        like = decide(Need(), subject="c")
        Decision.objects.bulk_create(
            (another(like, subject=f"c{n}", need=_need(n).to_json()) for n in range(9_999)),
            batch_size=2_000,
        )
        draft = new_draft_from(first)
        draft.rules.filter(position__lte=100).update(outputs={"handler": "callback"})
        begun = timezone.now()
        with CaptureQueriesContext(connection) as queries:
            run = dry_run(draft)
        assert (run.looked_at, len(run.changed)) == (10_000, 5_000)
        assert run.by_queue == [("assistant", "callback", 5_000)]
        assert len(queries) <= 16
        assert (timezone.now() - begun).total_seconds() < 8
        assert page(manager, "publish", draft).status_code == 200


def _need(number: int) -> Need:
    return Need(score=number % 200, tier="gold", sentiment=number / 10_000, facts={"reference": f"HH-{number}"})


def another(decision: Decision, **changes: Any) -> Decision:
    """A decision like it, not stored yet."""
    fields = {field.attname: getattr(decision, field.attname) for field in Decision._meta.concrete_fields if field.attname != "id"}
    return Decision(**fields | changes)


CELLS: dict[str, list[str]] = {
    "reason": ["gas_smell", "not gas_smell, no_heating"],
    "score": ["< 2", "1..3", "(1..3)", "2", "!= 2", ">= -1.5 and < 2.5"],
    "in_hours": ["yes", "no"],
    "facts.age": ["old", "not old"],
}


@given(
    rows=st.lists(st.fixed_dictionaries({}, optional={name: st.sampled_from(cells) for name, cells in CELLS.items()}), max_size=5),
    needs=st.lists(
        st.builds(
            Need,
            reason=st.sampled_from(["gas_smell", "no_heating", "billing_question", "gone"]),
            score=st.sampled_from([-2, -1.5, -1, 0, 1, 1.5, 2, 2.25, 2.5, 3, 4]),
            in_hours=st.booleans(),
            facts=st.sampled_from([{}, {"age": "old"}, {"age": "new"}]),
        ),
        min_size=10,
        max_size=40,
    ),
)
def test_a_table_that_recalls_answers_as_one_that_does_not(rows: list[dict[str, str]], needs: list[Need]) -> None:
    """Whatever the cells, whatever was asked before."""
    table = Table.from_document(RuleSet(pk=1, kind="routing", version=1), document_of(rows))
    recalling = RecallingTable.of(table)
    assert [recalling.answer(need).trace for need in needs] == [table.answer(need).trace for need in needs]


def document_of(rows: list[dict[str, str]]) -> dict[str, Any]:
    """Compiled without the check of what is out of reach, which would refuse most rows made by chance."""
    found = [{name: canonical(cell, fact, WORDS) for name, cell in row.items() if (fact := fact_named(name))} for row in rows]
    written = [Rule(pk=number, description="x") for number in range(1, len(rows) + 2)]
    outputs = {"handler": "assistant", "queue": "", "priority_class": 3, "required_skills": [], "service_level": ""}
    return document_of_rows("routing", written, [*found, {}], [outputs] * len(written))


class TestExplaining:
    def test_each_row_above_says_its_first_cell_that_failed(self, published: RuleSet) -> None:
        """One by one, by the version that decided, also when there are more than the sentence names."""
        answer, _escalation = replayed(decide(Need(sentiment=-0.9, asked_for_human=True, in_hours=False, failed_turns=2), subject="c"))
        listed, not_listed = rows_above(answer)
        assert [(each.row, each.why) for each in listed] == [
            (1, "reason is unknown, not gas_smell"),
            (2, "in opening hours is no, not yes"),
        ]
        assert not_listed == 0

    def test_of_a_long_table_the_nearest_are_listed(self, company: Company) -> None:
        """Fifty, and how many more there are."""
        rows: list[Any] = [(f"Score {n}", {"score": str(n)}, {"handler": "assistant"}) for n in range(1, 71)]
        publish(make_draft([*rows, REST]), by="tests")
        listed, not_listed = rows_above(replayed(decide(Need(), subject="c"))[0])
        assert (len(listed), listed[0].row, not_listed) == (50, 21, 20)

    def test_one_row_more_than_the_sentence_names_is_said_as_one(self, company: Company) -> None:
        rows: list[Any] = [(f"Score {n}", {"score": str(n)}, {"handler": "assistant"}) for n in range(1, 5)]
        publish(make_draft([*rows, REST]), by="tests")
        assert decide(Need(), subject="c").sentence.endswith("Neither did row 1.")

    @pytest.mark.parametrize("kind", ["routing", "scoring", "escalation"])
    def test_trying_any_kind_lists_the_rows_above(self, manager: Client, company: Company, kind: str) -> None:
        first, last = {
            "routing": ({"handler": "callback"}, {"handler": "assistant"}),
            "scoring": ({"points": 3}, {"points": 0}),
            "escalation": ({"escalate": True, "escalation_reason": "gold"}, {"escalate": False}),
        }[kind]
        draft = make_draft([("Gold", {"tier": "gold"}, first), ("Rest", {}, last)], kind)
        assert "Row 1 (“Gold”): customer tier is standard, not gold." in text_of(page(manager, "try", draft, ask=1))


class TestAskingAgain:
    def test_every_decision_of_every_version_comes_out_the_same(self, company: Company, week: RuleSet) -> None:
        """Before and after publications of both tables, with facts, and after going back."""
        publish(make_draft([("Upset", {"sentiment": "< 0"}, {"escalate": True, "escalation_reason": "upset"}), NO], "escalation"), by="x")
        publish(make_draft([("Old", {"facts.age": "old"}, {"handler": "callback"}), *ROWS]), by="tests")
        decide(Need(sentiment=-0.3, facts={"age": "old"}), subject="c7")
        decide(Need(facts={"age": "new"}, asked_for_human=True), subject="c8")
        publish(new_draft_from(week), by="tests")
        decide(Need(reason="gas_smell"), subject="c9")
        asked = list(ask_all_again(timezone.now() - timezone.timedelta(days=1)))
        assert len(asked) == 9
        assert all(each.same for each in asked)
        assert replay_command() == "9 of 9 decisions come out the same.\n"

    def test_one_that_does_not_is_named(self, manager: Client, company: Company, week: RuleSet) -> None:
        """By the command, which fails, and on its page; also one of another row with the same outcome."""
        rule = week.rules.last()
        odd = Decision.objects.create(
            subject="odd", need=Need(reason="gas_smell").to_json(), rule_set=week, rule=rule, handler="assistant", sentence="By hand"
        )
        with pytest.raises(CommandError, match="1 do not"):
            replay_command()
        again = page_of(manager, odd, ask_again=1)
        assert "handler: assistant → human" in text_of(again)
        assert "different" in text_of(again)
        other_row = Decision.objects.create(
            subject="row", need=Need().to_json(), rule_set=week, rule=week.rules.first(), handler="assistant", sentence="By hand"
        )
        assert [name for name, _then, _now in ask_again(other_row).differences] == ["rule"]

    def test_a_managers_button_says_same(self, manager: Client, company: Company, week: RuleSet) -> None:
        """The page lists the rows above, and asks again when it is asked to; nothing is stored."""
        decision = Decision.objects.get(subject="c5")
        shown = page_of(manager, decision)
        assert "Row 1 (“A smell of gas goes to people first”): reason is unknown, not gas_smell." in text_of(shown)
        assert b"?ask_again=1" in shown.content
        assert "The same row matched" in text_of(page_of(manager, decision, ask_again=1))
        assert Decision.objects.count() == 6

    def test_what_was_forgotten_is_not_asked(self, manager: Client, company: Company, week: RuleSet) -> None:
        forget(["c5"])
        decision = Decision.objects.get(subject="c5")
        assert "erased" in ask_again(decision).why_not
        assert "erased" in text_of(page_of(manager, decision, ask_again=1))
        assert replay_command("--days", "1") == "5 of 5 decisions come out the same.\n"

    def test_a_decision_of_another_time_is_shown_and_says_why_it_cannot_be_asked(
        self, manager: Client, company: Company, week: RuleSet
    ) -> None:
        """Its need held a fact that tables do not ask about any more, and the command counts it among those that do not come out."""
        old = Decision.objects.create(
            subject="old", need={"weather": "rain", "reason": "leak"}, rule_set=week, rule=week.rules.last(), handler="assistant",
            sentence="Long ago",
        )  # fmt: skip
        shown = text_of(page_of(manager, old, ask_again=1))
        assert "weather" in shown
        assert "rain" in shown
        assert "Not part of a need: weather." in shown
        with pytest.raises(CommandError, match="1 do not"):
            replay_command()

    @pytest.mark.parametrize("days", ["0", "x", "-1", "99999"])
    def test_nonsense_days_are_refused(self, db: None, days: str) -> None:
        with pytest.raises(CommandError, match="not a number of days"):
            replay_command("--days", days)


def page_of(client: Client, decision: Decision, **query: Any) -> Any:
    response = client.get(reverse("admin:routing_decision_change", args=[decision.pk]), query)
    assert response.status_code == 200
    return response


def replay_command(*arguments: str) -> str:
    told = io.StringIO()
    call_command("replay_decisions", *arguments, stdout=told)
    return told.getvalue()
