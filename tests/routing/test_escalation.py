"""The escalation table says whether and why; its answer is a fact that the routing table sends somewhere."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from routing.models import Decision, Rule, RuleSet
from routing.need import Need
from routing.rules.compile import TableRefused, compile_rule_set
from routing.rules.dry_run import dry_run
from routing.rules.evaluate import Outcome
from routing.rules.publish import new_draft_from, publish
from routing.services.decide import decide, replay
from tests.routing.conftest import Company, make_draft
from tests.routing.test_rule_admin import save, text_of, url

Rows = list[tuple[str, dict[str, str], dict[str, Any]]]
THRESHOLDS: Rows = [
    ("Two misses", {"failed_turns": ">= 2"}, {"escalate": True, "escalation_reason": "not_helped"}),
    ("Fury", {"sentiment": "<= -0.75"}, {"escalate": True, "escalation_reason": "upset"}),
    ("The rest", {}, {"escalate": False}),
]
DESTINATIONS: Rows = [
    ("Who was not helped gets a person", {"escalation": "not_helped"}, {"handler": "human", "queue": "service"}),
    ("Who is upset is called back", {"escalation": "upset"}, {"handler": "callback", "queue": "billing"}),
    ("The assistant goes on", {}, {"handler": "assistant"}),
]


@pytest.fixture
def escalating(company: Company) -> RuleSet:
    """Both tables, published; returns the one of thresholds."""
    thresholds = publish(make_draft(THRESHOLDS, "escalation"), by="tests")
    publish(make_draft(DESTINATIONS), by="tests")
    return thresholds


@pytest.fixture
def manager(client: Client, db: None) -> Client:
    client.force_login(User.objects.create(username="mia", is_staff=True, is_superuser=True))
    return client


class TestDeciding:
    def test_a_threshold_of_one_table_is_sent_somewhere_by_the_other(self, escalating: RuleSet, company: Company) -> None:
        """The reason is stored as a fact, the version and the row are kept, and the sentence names both rows."""
        decision = decide(Need(failed_turns=2), subject="c1")
        decision.refresh_from_db()
        assert (decision.handler, decision.queue, decision.escalation_reason) == ("human", company.service, "not_helped")
        assert decision.need["escalation"] == "not_helped"
        assert decision.escalation_rule_set == escalating
        assert decision.trace["cells"] == {"escalation": '"not_helped"'}
        assert (decision.trace["escalation"]["row"], decision.trace["escalation"]["cells"]) == (1, {"failed_turns": ">= 2"})
        assert decision.sentence == (
            "Row 1 of routing version 1 matched, “Who was not helped gets a person”: escalation is not_helped. "
            "Row 1 of escalation version 1 matched, “Two misses”: failed answers is 2."
        )

    def test_what_does_not_escalate_says_so(self, escalating: RuleSet) -> None:
        """The row that let the need pass is named too."""
        decision = decide(Need(failed_turns=1), subject="c1")
        assert (decision.handler, decision.escalation_reason, decision.need["escalation"]) == ("assistant", "", "")
        assert "escalation is none, not upset" in decision.sentence
        assert decision.sentence.endswith("Row 3 of escalation version 1 matched, “The rest”, which takes what no other row takes.")

    def test_only_the_table_says_that_a_need_escalates(self, escalating: RuleSet) -> None:
        """What a caller writes into the fact does not count."""
        assert decide(Need(escalation="not_helped"), subject="c1").handler == "assistant"

    def test_without_an_escalation_table_nothing_escalates(self, company: Company) -> None:
        """Routing works as before."""
        make_draft(THRESHOLDS, "escalation")
        publish(make_draft(DESTINATIONS), by="tests")
        decision = decide(Need(failed_turns=5), subject="c1")
        assert (decision.handler, decision.escalation_rule_set, decision.escalation_reason) == ("assistant", None, "")
        assert replay(decision) == Outcome.of(decision)

    def test_a_decision_is_replayed_by_its_own_versions_of_both_tables(self, escalating: RuleSet) -> None:
        """Later publications change nothing; another need is asked of the same two versions."""
        decision = decide(Need(failed_turns=2), subject="c1")
        publish(make_draft([("Nobody", {}, {"escalate": False})], "escalation"), by="tests")
        publish(make_draft([("The assistant", {}, {"handler": "assistant"})]), by="tests")
        decision = Decision.objects.get(pk=decision.pk)
        assert replay(decision) == Outcome.of(decision)
        other = replay(decision, Need(sentiment=-0.9))
        assert (other.handler, other.escalation_reason) == ("callback", "upset")
        assert replay(decision, replace(Need(), escalation="upset")).handler == "assistant"

    def test_a_decision_from_before_the_table_was_asked_keeps_its_reason(self, escalating: RuleSet) -> None:
        """Its need has no such fact, and its reason came from a row."""
        routing = RuleSet.objects.get(kind="routing")
        rule = Rule.objects.get(rule_set=routing, position=3)
        need = {name: value for name, value in Need(failed_turns=2).to_json().items() if name != "escalation"}
        old = Decision.objects.create(
            subject="c1", need=need, rule_set=routing, rule=rule, handler="assistant", escalation_reason="complaint", sentence="-"
        )
        assert replay(old) == Outcome.of(old)


class TestTables:
    @pytest.mark.parametrize(
        ("kind", "rows", "sentence"),
        [
            ("routing", [("a", {"escalation": "not_helpd"}, {"handler": "assistant"}), DESTINATIONS[-1]], "is never “not_helpd”"),
            ("routing", [("a", {"score": "1"}, {"handler": "assistant", "escalation_reason": "x"}), DESTINATIONS[-1]], "not an output"),
            ("escalation", [("a", {"escalation": "upset"}, {"escalate": False}), THRESHOLDS[-1]], "Only a table of the kind “Routing”"),
            ("scoring", [("a", {"escalation": "upset"}, {"points": 1}), ("b", {}, {"points": 0})], "Only a table of the kind “Routing”"),
            ("escalation", [("a", {"score": "1"}, {"escalate": True}), THRESHOLDS[-1]], "a word for why is needed"),
            ("escalation", [("a", {"score": "1"}, {"escalation_reason": 'x"; evil'}), THRESHOLDS[-1]], "letters"),
        ],
    )
    def test_what_the_tables_may_not_say_to_each_other(
        self, escalating: RuleSet, kind: str, rows: Rows, sentence: str
    ) -> None:
        """A misspelt reason, a circle, an escalation without a reason."""
        with pytest.raises(TableRefused) as refused:
            compile_rule_set(make_draft(rows, kind))
        assert sentence in str(refused.value)

    def test_a_draft_leaves_out_what_its_kind_of_table_does_not_answer_any_more(self, company: Company) -> None:
        """A version from before the change can be drafted from, and the draft published."""
        old = make_draft([("All", {}, {"handler": "assistant", "escalation_reason": "x"})])
        draft = new_draft_from(old)
        assert publish(draft, by="tests").cases.get().expected == {"handler": "assistant"}

    def test_a_dry_run_of_either_table_tells_what_would_differ(self, escalating: RuleSet) -> None:
        """Thresholds are compared with the published ones, destinations with what was decided."""
        decide(Need(failed_turns=2), subject="c1")
        decide(Need(), subject="c2")
        thresholds = make_draft([("Three", {"failed_turns": ">= 3"}, THRESHOLDS[0][2]), THRESHOLDS[-1]], "escalation")
        run = dry_run(thresholds)
        assert [(change.before, change.after) for change in run.changed] == [
            ({"escalate": True, "escalation_reason": "not_helped"}, {"escalate": False, "escalation_reason": ""})
        ]
        destinations = make_draft([("Later", {"escalation": "not_helped"}, {"handler": "callback"}), DESTINATIONS[-1]])
        run = dry_run(destinations)
        subjects = dict(Decision.objects.values_list("pk", "subject"))
        assert [(subjects[change.decision_id], change.after["handler"]) for change in run.changed] == [("c1", "callback")]


class TestManagers:
    def test_a_changed_threshold_is_followed_by_the_next_decision(
        self, manager: Client, escalating: RuleSet, company: Company
    ) -> None:
        """Three misses instead of two: drafted, changed, reviewed, published in the admin."""
        assert decide(Need(failed_turns=2), subject="c1").handler == "human"
        manager.post(url("draft", escalating))
        draft = RuleSet.objects.get(status="draft")
        assert save(manager, draft, {"rules-0-when_failed_turns": ">= 3"}).status_code == 302
        assert "1 of 1 would have been decided otherwise" in text_of(manager.get(url("publish", draft)))
        manager.post(url("publish", draft), {"note": "Patience."})
        assert decide(Need(failed_turns=2), subject="c2").handler == "assistant"
        third = decide(Need(failed_turns=3), subject="c3")
        assert (third.handler, third.escalation_rule_set) == ("human", draft)

    def test_trying_the_routing_table_goes_the_whole_way(self, manager: Client, escalating: RuleSet) -> None:
        """Both rows are named; a reason that is said is taken at its word; thresholds can be tried alone."""
        routing = RuleSet.objects.get(kind="routing")
        page = text_of(manager.get(url("try", routing), {"need_failed_turns": "2", "ask": "1"}))
        assert "Row 1 of routing version 1 matched" in page
        assert "Row 1 of escalation version 1 matched" in page
        said = text_of(manager.get(url("try", routing), {"need_escalation": "upset", "ask": "1"}))
        assert "Row 2 of routing version 1 matched" in said
        assert "of escalation version" not in said
        alone = text_of(manager.get(url("try", escalating), {"need_sentiment": "-0.9", "ask": "1"}))
        assert "Row 2 of escalation version 1 matched" in alone
        assert not Decision.objects.exists()

    def test_only_the_routing_table_has_the_column(self, manager: Client, escalating: RuleSet) -> None:
        """It is shown there from the start, and an example says what the escalation table answered."""
        thresholds, destinations = new_draft_from(escalating), new_draft_from(RuleSet.objects.get(kind="routing"))
        assert b"when_escalation" not in manager.get(url("change", thresholds) + "?columns=all").content
        example = {"cases-0-name": "Upset", "cases-0-need_escalation": "upset", "cases-0-expect_handler": "callback"}
        assert save(manager, destinations, example).status_code == 302
        assert destinations.cases.get().need == {"escalation": "upset"}
        assert publish(destinations, by="tests").status == "published"

    def test_an_escalation_without_a_word_is_marked_where_it_is_missing(self, manager: Client, escalating: RuleSet) -> None:
        """The form says so before anything is stored."""
        draft = new_draft_from(escalating)
        response = save(manager, draft, {"rules-0-then_escalation_reason": ""})
        assert response.status_code == 200
        assert "a word for why is needed" in text_of(response)
