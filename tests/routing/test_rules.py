"""Tables: what a table must have, what it answers, and why."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from routing.models import Decision, RuleSet, RuleSetCase
from routing.need import Need
from routing.rules.compile import NodeNotAllowed, TableRefused, check_nodes, compile_rule_set
from routing.rules.dry_run import dry_run
from routing.rules.evaluate import Outcome, Table, table_of
from routing.rules.publish import PublishRefused, new_draft_from, publish, roll_back_to, run_cases
from routing.rules.published import NoPublishedRules
from routing.rules.schema import InvalidNeed
from routing.services.decide import UnknownDestination, decide, replay, score
from tests.routing.conftest import ROWS, Company, make_draft

CATCH_ALL: tuple[str, dict[str, str], dict[str, Any]] = ("Everything else", {}, {"handler": "assistant"})


class TestTables:
    @pytest.mark.parametrize(
        ("rows", "sentence"),
        [
            ([], "no rows"),
            ([("a", {"reason": "gas_smell"}, {"handler": "assistant"})], "Row 1: The last row must match anything"),
            ([("a", {}, {"handler": "assistant"}), CATCH_ALL], "Row 1: This row matches anything"),
            (
                [("a", {"score": "> 1"}, {"handler": "assistant"}), ("b", {"score": ">1"}, {"handler": "assistant"}), CATCH_ALL],
                "Row 2: This row can never match: row 1",
            ),
            (
                [("a", {"score": "> 1"}, {"handler": "assistant"}), ("b", {"score": "5", "tier": "x"}, {"handler": "callback"}), CATCH_ALL],
                "Row 2: This row can never match: row 1 above it takes everything",
            ),
            (
                [
                    ("a", {"in_hours": "yes", "urgency": "not high"}, {"handler": "assistant"}),
                    ("b", {"in_hours": "no"}, {"handler": "assistant"}),
                    ("c", {"urgency": "normal", "score": "> 3"}, {"handler": "callback"}),
                    CATCH_ALL,
                ],
                "Row 3: This row can never match: rows 1, 2 above it",
            ),
            ([("a", {"score": "> 3 and < 1"}, {"handler": "assistant"}), CATCH_ALL], "Row 1: This row can never match: no need"),
            ([("a", {"sentiment": "> > 5"}, {"handler": "assistant"}), CATCH_ALL], "Row 1, column “Sentiment”: At character 1:"),
            ([("a", {"reason": "gas_smell, gsa"}, {"handler": "assistant"}), CATCH_ALL], "Row 1, column “Reason”: At character 12:"),
            ([("a", {"channel": "voice"}, {"handler": "assistant"}), CATCH_ALL], "“channel” is not a fact"),
            ([("a", {"score": "1"}, {}), CATCH_ALL], "Row 1, column “Who”: This is needed."),
            ([("a", {"score": "1"}, {"handler": "human"}), CATCH_ALL], "Row 1, column “Queue”"),
            ([("a", {"score": "1"}, {"handler": "robot"}), CATCH_ALL], "There is no “robot”"),
            ([("a", {"score": "1"}, {"handler": "human", "queue": "nowhere"}), CATCH_ALL], "There is no “nowhere”"),
            ([("a", {"score": "1"}, {"handler": "assistant", "priority_class": 0}), CATCH_ALL], "from 1 to 9"),
            ([("a", {"score": "1"}, {"handler": "assistant", "priority_class": True}), CATCH_ALL], "from 1 to 9"),
            ([("a", {"score": "1"}, {"handler": "assistant", "required_skills": "gas"}), CATCH_ALL], "A list"),
            ([("a", {"score": "1"}, {"handler": "assistant", "required_skills": ["magic"]}), CATCH_ALL], "“magic”"),
            ([("a", {"score": "1"}, {"handler": "assistant", "price": 5}), CATCH_ALL], "“price” is not an output"),
            ([("a", {"score": "x" * 102_400}, {"handler": "assistant"}), CATCH_ALL], "102400 characters"),
            ([("a", ["score"], {"handler": "assistant"}), CATCH_ALL], "not a set of cells"),
        ],
    )
    def test_a_table_that_cannot_be_used_is_refused_by_row_and_column(
        self, company: Company, rows: list[Any], sentence: str
    ) -> None:
        """Every problem names its place; publishing refuses with the same words."""
        draft = make_draft(rows)
        with pytest.raises(TableRefused) as refused:
            compile_rule_set(draft)
        assert sentence in str(refused.value)
        with pytest.raises(PublishRefused) as unpublished:
            publish(draft, by="tests")
        assert sentence in str(unpublished.value)
        draft.refresh_from_db()
        assert draft.status == "draft"

    def test_a_row_that_cannot_be_read_hides_no_other(self, company: Company) -> None:
        """What a broken cell would have matched is unknown, so nothing is said about the rows below it."""
        rows = [("a", {"score": "> > 5"}, {"handler": "assistant"}), ("b", {"score": "1"}, {"handler": "assistant"}), CATCH_ALL]
        with pytest.raises(TableRefused) as refused:
            compile_rule_set(make_draft(rows))
        assert [(problem.row, problem.column) for problem in refused.value.problems] == [(1, "score")]

    def test_all_problems_come_at_once(self, company: Company) -> None:
        """A manager sees everything that is wrong, not one thing after the other."""
        rows = [("a", {"score": "> > 5", "reason": "gas"}, {"handler": "robot"}), ("b", {"score": "x"}, {})]
        with pytest.raises(TableRefused) as refused:
            compile_rule_set(make_draft(rows))
        places = [(problem.row, problem.column) for problem in refused.value.problems]
        assert {(1, "score"), (1, "reason"), (1, "handler"), (2, "score"), (2, "handler")} <= set(places)

    @pytest.mark.parametrize("node", ["functionNode", "expressionNode", "customNode", "decisionNode", "switchNode", None])
    def test_no_other_type_of_node_is_accepted(self, company: Company, node: str | None) -> None:
        """A document that could run code or open connections is refused."""
        document = compile_rule_set(make_draft())
        document["nodes"].append({"id": "x", "name": "x", "type": node, "content": "fetch('http://x')"})
        with pytest.raises(NodeNotAllowed):
            check_nodes(document)
        with pytest.raises(NodeNotAllowed):
            Table.from_document(make_draft(), document)


class TestPublishing:
    @pytest.mark.parametrize("kind", ["routing", "scoring", "escalation"])
    def test_nothing_is_published_without_an_example(self, company: Company, kind: str) -> None:
        """Of any kind; going back to a version that decided before needs none."""
        rest = {"routing": {"handler": "assistant"}, "scoring": {"points": 1}, "escalation": {"escalate": False}}[kind]
        draft = make_draft([("The rest", {}, rest)], kind, example=False)
        with pytest.raises(PublishRefused, match="There is no example"):
            publish(draft, by="tests")
        old = RuleSet.objects.create(kind=kind, version=7, status="retired", compiled=compile_rule_set(draft), published_at=timezone.now())
        with connection.cursor() as cursor:
            cursor.execute("SET session_replication_role = replica")
            cursor.execute("UPDATE routing_rule SET rule_set_id = %s WHERE rule_set_id = %s", [old.pk, draft.pk])
            cursor.execute("SET session_replication_role = DEFAULT")
        assert roll_back_to(old, by="tests").status == "published"

    def test_a_draft_that_is_gone_is_refused_kindly(self, company: Company) -> None:
        """Somebody deleted it while the page was open."""
        draft = make_draft()
        RuleSet.objects.filter(pk=draft.pk).delete()
        with pytest.raises(PublishRefused, match="deleted meanwhile"):
            publish(draft, by="tests")

    def test_publishing_retires_the_version_before(self, published: RuleSet) -> None:
        """One version is published at a time; each keeps its number, who and when."""
        second = publish(new_draft_from(published), by="Mia", note="Second.")
        published.refresh_from_db()
        assert (published.status, second.status, second.version) == ("retired", "published", 2)
        assert (second.published_by, second.note) == ("Mia", "Second.")

    def test_what_is_published_cannot_be_published_again(self, published: RuleSet) -> None:
        """Neither the published version nor a retired one."""
        with pytest.raises(PublishRefused, match="not a draft"):
            publish(published, by="tests")

    def test_an_older_draft_gets_a_newer_number(self, published: RuleSet) -> None:
        """Versions count publications upwards."""
        early, late = new_draft_from(published), new_draft_from(published)
        assert publish(late, by="tests").version == 3
        assert publish(early, by="tests").version == 4

    def test_a_failing_example_is_named_with_what_came_out(self, company: Company) -> None:
        """Publishing is refused with one sentence for each failure."""
        draft = make_draft()
        RuleSetCase.objects.create(
            rule_set=draft, name="Gas", need={"reason": "gas_smell"}, expected={"queue": "billing", "priority_class": 1}
        )
        RuleSetCase.objects.create(rule_set=draft, name="Odd", need={"channel": "voice"}, expected={"queue": "x"})
        RuleSetCase.objects.create(rule_set=draft, name="Typed", need={"score": "many"}, expected={"queue": "x"})
        RuleSetCase.objects.create(rule_set=draft, name="Vain", need={}, expected={})
        with pytest.raises(PublishRefused) as refused:
            publish(draft, by="tests")
        assert refused.value.failures == [
            "“Gas”: Queue should be “billing” and is “urgent” (row 1).",
            "“Odd”: Not part of a need: channel.",
            "“Typed”: “Score” of a need cannot be 'many'.",
            "“Vain” expects nothing.",
        ]

    def test_examples_travel_with_copies_and_pass_regardless_of_the_order_of_skills(self, company: Company) -> None:
        """A draft from a version has its examples."""
        draft = make_draft(example=False)
        RuleSetCase.objects.create(
            rule_set=draft, name="Gas", need={"reason": "gas_smell"}, expected={"required_skills": ["gas"], "handler": "human"}
        )
        copy = new_draft_from(publish(draft, by="tests"))
        assert [(result.name, result.row, result.failures) for result in run_cases(copy)] == [("Gas", 1, ())]

    def test_going_back_publishes_a_copy(self, published: RuleSet) -> None:
        """The older version decides again, under a new number."""
        other = make_draft([CATCH_ALL])
        publish(other, by="tests")
        assert decide(Need(reason="gas_smell"), subject="c").handler == "assistant"
        copy = roll_back_to(published, by="Mia")
        assert (copy.version, copy.status) == (3, "published")
        assert decide(Need(reason="gas_smell"), subject="c").rule_set == copy

    def test_a_dry_run_tells_what_would_differ(self, published: RuleSet) -> None:
        """Only what differs, with before and after; nothing is stored."""
        decide(Need(reason="gas_smell"), subject="c1")
        decide(Need(), subject="c2")
        draft = make_draft([("Gas by phone later", {"reason": "gas_smell"}, {"handler": "callback"}), CATCH_ALL])
        run = dry_run(draft)
        assert (run.looked_at, len(run.changed), run.complete) == (2, 1, True)
        change = run.changed[0]
        assert (change.before["handler"], change.after["handler"], change.row) == ("human", "callback", 1)
        assert Decision.objects.count() == 2


class TestDeciding:
    def test_a_decision_is_stored_with_its_row_facts_and_sentence(self, published: RuleSet, company: Company) -> None:
        """Who, where, how urgent, by which row, and why in words."""
        decision = decide(Need(sentiment=-0.9, failed_turns=3), subject="c1")
        decision.refresh_from_db()
        assert (decision.handler, decision.queue, decision.priority_class) == ("human", company.billing, 2)
        assert decision.rule.description == ROWS[2][0]
        assert decision.need["sentiment"] == -0.9
        assert decision.trace["cells"] == {"sentiment": "< -0.5", "failed_turns": ">= 2"}
        assert decision.sentence == (
            "Row 3 of routing version 1 matched, “Anger after failed answers goes to billing”: "
            "sentiment is -0.9 and failed answers is 3. "
            "Row 1 (“A smell of gas goes to people first”) did not: reason is unknown, not gas_smell. "
            "Row 2 (“Whoever asks for a person gets one”) did not: asked for a person is no, not yes."
        )

    def test_a_decision_is_replayed_by_its_own_version(self, published: RuleSet) -> None:
        """Later publications do not change what an old decision says."""
        decision = decide(Need(reason="gas_smell"), subject="c1")
        publish(make_draft([CATCH_ALL]), by="tests")
        assert replay(decision) == Outcome.of(decision)
        assert replay(decision, Need()).handler == "assistant"
        assert Decision.objects.count() == 1

    def test_the_same_need_is_always_decided_alike(self, published: RuleSet) -> None:
        """No clock, no chance, no channel."""
        need = Need(reason="no_heating", sentiment=-0.2, facts={"building_age": "old"})
        assert Outcome.of(decide(need, subject="a")) == Outcome.of(decide(need, subject="b"))

    def test_without_a_published_table_deciding_says_so(self, company: Company) -> None:
        """No default is made up."""
        make_draft()
        with pytest.raises(NoPublishedRules, match="Routing"):
            decide(Need(), subject="c1")

    @pytest.mark.parametrize(
        "wrong",
        [
            {"sentiment": "bad"},
            {"sentiment": float("nan")},
            {"open_balance": float("inf")},
            {"failed_turns": True},
            {"in_hours": "yes"},
            {"reason": None},
            {"facts": {"a": 1}},
        ],
    )
    def test_a_need_of_wrong_types_is_refused(self, published: RuleSet, wrong: dict[str, Any]) -> None:
        """A fact that no cell could be compared with is an error, not a silent miss."""
        with pytest.raises(InvalidNeed):
            decide(Need(**wrong), subject="c1")
        assert not Decision.objects.exists()

    def test_a_queue_that_is_gone_is_an_error_with_its_name(self, published: RuleSet, company: Company) -> None:
        """Nothing is routed to nowhere."""
        company.profile.queue_rows.all().delete()
        company.urgent.delete()
        with pytest.raises(UnknownDestination, match="urgent"):
            decide(Need(reason="gas_smell"), subject="c1")

    def test_a_long_table_explains_the_nearest_rows_only(self, company: Company) -> None:
        """The sentence stays short."""
        rows = [(f"Row for {n}", {"score": f"> {100 - n}"}, {"handler": "assistant"}) for n in range(30)]
        publish(make_draft([*rows, CATCH_ALL]), by="tests")
        sentence = decide(Need(), subject="c1").sentence
        assert "which takes what no other row takes" in sentence
        assert sentence.endswith("Neither did rows 1 to 27.")
        assert sentence.count("did not:") == 3

    def test_scoring_uses_the_same_machinery(self, company: Company) -> None:
        """Points are a table too; without one nothing scores."""
        need = Need(tier="gold")
        assert score(need) == 0
        publish(
            make_draft([("Gold", {"tier": "gold"}, {"points": 40}), ("Rest", {}, {"points": 0})], "scoring"), by="tests"
        )
        assert score(need) == 40

    def test_a_draft_is_evaluated_as_it_stands(self, company: Company) -> None:
        """Changing a draft changes what it says at once; nothing is kept."""
        draft = make_draft([CATCH_ALL])
        assert table_of(draft).answer(Need()).outcome.handler == "assistant"
        draft.rules.update(outputs={"handler": "after_hours"})
        assert table_of(draft).answer(Need()).outcome.handler == "after_hours"
