"""One cell: how it is read, where it is wrong, what it matches; and which rows no need can reach."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import pytest
import zen
from hypothesis import given
from hypothesis import strategies as st

from routing.need import Need
from routing.rules.cells import CellError, canonical, matches
from routing.rules.reach import unreachable_rows
from routing.rules.schema import FACTS, Fact, Vocabulary, fact_named

WORDS = Vocabulary(
    {
        "reasons": {"gas_smell": "Gas smell", "no_heating": "No heating"},
        "urgencies": {"normal": "", "high": "", "emergency": ""},
        "territories": {"north": ""},
        "lines_of_business": {"heating": ""},
        "escalations": {"safety": ""},
    }
)


class TestCells:
    @pytest.mark.parametrize(
        ("fact", "cell", "expression"),
        [
            ("reason", "gas_smell", '"gas_smell"'),
            ("reason", ' "gas_smell" , no_heating ', '"gas_smell", "no_heating"'),
            ("reason", "not gas_smell", '!= "gas_smell"'),
            ("reason", 'not in ["gas_smell", "no_heating"]', 'not in ["gas_smell", "no_heating"]'),
            ("reason", '!= "gas_smell"', '!= "gas_smell"'),
            ("sentiment", "< -0.5", "< -0.5"),
            ("failed_turns", ">=2", ">= 2"),
            ("failed_turns", ">= 0 and < 5", ">= 0 and < 5"),
            ("score", "1..5", "[1..5]"),
            ("score", "(1..5]", "(1..5]"),
            ("score", "= 3", "== 3"),
            ("in_hours", "Yes", "true"),
            ("in_hours", "false", "false"),
            ("facts.building_age", "old", '"old"'),
            ("reason", "  ", ""),
            ("score", "-", ""),
        ],
    )
    def test_a_cell_is_read_the_short_way_and_the_engines_way(self, fact: str, cell: str, expression: str) -> None:
        """Both ways of writing end in the engine's own syntax."""
        found = fact_named(fact)
        assert found is not None
        assert canonical(cell, found, WORDS) == expression

    @pytest.mark.parametrize(
        ("fact", "cell"),
        [
            ("sentiment", "> > 5"),
            ("sentiment", "> 5 5"),
            ("sentiment", "angry"),
            ("sentiment", "> 2"),
            ("failed_turns", "5..1"),
            ("failed_turns", "[1..5"),
            ("failed_turns", "true"),
            ("reason", "gas"),
            ("reason", '"gas_smell'),
            ("reason", "gas_smell,"),
            ("reason", "> 5"),
            ("reason", "startsWith($, 'g')"),
            ("in_hours", "maybe"),
            ("in_hours", "1"),
            ("language", 'en" or true or "'),
            ("tier", "\x00"),
            ("score", "x" * 100_000),
            ("score", 5),
            ("score", None),
            ("reason", ["gas_smell"]),
        ],
    )
    def test_a_cell_that_cannot_be_used_is_refused_with_a_sentence(self, fact: str, cell: object) -> None:
        """Syntax, type, value list and length are checked before the engine could skip the cell in silence."""
        with pytest.raises(CellError) as refused:
            canonical(cell, FACTS[fact], WORDS)
        assert 10 < len(str(refused.value)) < 400

    @pytest.mark.parametrize(
        ("fact", "cell", "at"),
        [
            ("reason", "gas_smell, no_heating, gsa", 23),
            ("reason", "  not gas_smell, gsa", 17),
            ("reason", 'not in ["gas_smell", "gsa"]', 21),
            ("reason", "gas_smell,", 10),
            ("tier", "gold, @", 6),
            ("score", ">= 2 and <> 5", 9),
            ("score", ">= 2 or < 5", 4),
            ("sentiment", "> 0 and < 7", 10),
            ("sentiment", "-0.5..3", 6),
            ("score", "[1..5", 5),
            ("in_hours", " maybe", 1),
            ("score", "1" * 102_400, 200),
        ],
    )
    def test_a_refusal_says_where_in_the_cell(self, fact: str, cell: str, at: int) -> None:
        """The character at which what was typed stops making sense, also after spaces and in the middle of a list."""
        with pytest.raises(CellError) as refused:
            canonical(cell, FACTS[fact], WORDS)
        assert refused.value.at == at

    @given(st.text(max_size=40), st.sampled_from(list(FACTS.values())))
    def test_no_text_makes_a_cell_that_the_engine_cannot_evaluate(self, cell: str, fact: Any) -> None:
        """Whatever is typed is refused by name or usable; nothing else comes out."""
        at = 0
        try:
            if expression := canonical(cell, fact, WORDS):
                zen.compile_unary_expression(expression)
        except CellError as refused:
            at = refused.at or 0
        assert 0 <= at <= len(cell)

    @given(
        st.sampled_from(["gas_smell", "not gas_smell", "gas_smell, no_heating", "not gas_smell, no_heating", ""]),
        st.sampled_from(["< -0.5", ">= 0 and < 0.5", "(-0.5..0.5]", "!= 0", ""]),
        st.sampled_from(["yes", "no", ""]),
        st.sampled_from(["old", "not old", ""]),
        st.sampled_from(["gas_smell", "no_heating", "other"]),
        st.sampled_from([-1.0, -0.5, 0.0, 0.5, 1.0]),
        st.booleans(),
        st.sampled_from([None, "old", "new"]),
    )
    def test_an_explanation_judges_a_cell_as_the_engine_does(
        self, reason: str, sentiment: str, hours: str, age: str, is_reason: str, is_sentiment: float, is_open: bool, is_age: str | None
    ) -> None:
        """`matches` and the table agree on every row, so that “why not” is never a lie."""
        cells = {"reason": reason, "sentiment": sentiment, "in_hours": hours, "facts.age": age}
        expressions = {}
        for name, cell in cells.items():
            fact = fact_named(name)
            assert fact is not None
            if expression := canonical(cell, fact, WORDS):
                expressions[name] = expression
        need = Need(
            reason=is_reason, sentiment=is_sentiment, in_hours=is_open, facts={"age": is_age} if is_age else {}
        )
        values = {"reason": is_reason, "sentiment": is_sentiment, "in_hours": is_open, "facts.age": is_age}
        by_hand = all(matches(expression, values[name]) for name, expression in expressions.items())
        assert (_first_row(expressions, need) == "1") is by_hand


def _first_row(expressions: dict[str, str], need: Need) -> str:
    rules = [{"_id": "1", **expressions}, {"_id": "2", **dict.fromkeys(expressions, "")}]
    document = {
        "nodes": [
            {"id": "in", "name": "in", "type": "inputNode", "position": {"x": 0, "y": 0}},
            {
                "id": "table",
                "name": "table",
                "type": "decisionTableNode",
                "position": {"x": 0, "y": 0},
                "content": {
                    "hitPolicy": "first",
                    "inputs": [{"id": name, "name": name, "field": name} for name in expressions],
                    "outputs": [{"id": "o", "name": "o", "field": "o"}],
                    "rules": [{**rule, "o": rule["_id"]} for rule in rules],
                },
            },
            {"id": "out", "name": "out", "type": "outputNode", "position": {"x": 0, "y": 0}},
        ],
        "edges": [
            {"id": "a", "sourceId": "in", "targetId": "table", "type": "edge"},
            {"id": "b", "sourceId": "table", "targetId": "out", "type": "edge"},
        ],
    }
    answer = zen.ZenEngine().create_decision(document).evaluate(need.to_json())
    return str(answer["result"]["o"])


REACH_CELLS: dict[str, list[str]] = {
    "reason": ["gas_smell", "not gas_smell", "gas_smell, no_heating", "not gas_smell, no_heating"],
    "score": ["< 2", ">= 2", "1..3", "(1..3)", "2", "!= 2", "> 1 and < 3 and != 2", "> 3 and < 1"],
    "in_hours": ["yes", "no"],
    "failed_turns": [">= 0", "0", "> 0"],
    "facts.age": ["old", "not old"],
}
REACHED_BY = [
    {"reason": reason, "score": score, "in_hours": hours, "failed_turns": failed, "facts.age": age}
    for reason in ("gas_smell", "no_heating", "other")
    for score in (0.5, 1, 1.5, 2, 2.5, 3, 3.5)
    for hours in (True, False)
    for failed in (0, 1)
    for age in (None, "old", "new")
]
judged = lru_cache(maxsize=None)(matches)


def reach_facts() -> dict[str, Fact]:
    return {name: fact for name in REACH_CELLS if (fact := fact_named(name))}


class TestReach:
    @given(
        st.lists(
            st.fixed_dictionaries({}, optional={name: st.sampled_from(cells) for name, cells in REACH_CELLS.items()}), max_size=6
        )
    )
    def test_a_row_is_out_of_reach_when_no_need_of_all_reaches_it_and_only_then(self, rows: list[dict[str, str]]) -> None:
        """Against every need of a grid that has a point in each region of every cell; each row is asked as the engine would."""
        facts = reach_facts()
        conditions = [{name: canonical(cell, facts[name], WORDS) for name, cell in row.items()} for row in rows]
        reached = set()
        for values in REACHED_BY:
            for number, cells in enumerate([*conditions, {}], start=1):
                if all(judged(cell, values[name]) for name, cell in cells.items()):
                    reached.add(number)
                    break
        first_open = next((number for number, cells in enumerate(conditions, start=1) if not cells), len(rows) + 1)
        found = unreachable_rows([*conditions, {}], facts)
        assert {each.row for each in found} == set(range(1, first_open)) - reached
        for each in found:
            assert all(number < each.row for number in each.above)

    def test_too_many_pieces_are_left_to_the_comparison_with_each_row_alone(self) -> None:
        """Ten facts in all their mixtures: no answer is better than a wrong one, and it comes at once."""
        names = [f"facts.f{number}" for number in range(10)]
        rows = [dict.fromkeys(names[at:], f"not {value}") for at in range(9) for value in ("a", "b", "c")]
        facts = {name: fact for name in names if (fact := fact_named(name))}
        conditions = [{name: canonical(cell, facts[name], WORDS) for name, cell in row.items()} for row in [*rows, rows[0]]]
        assert [each.row for each in unreachable_rows([*conditions, {}], facts)] == [28]
