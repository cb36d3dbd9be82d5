"""What a table may ask (facts of a `Need`) and what it may answer (outputs), with types and value lists."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from routing.models import Decision, DeclaredFact, DeclaredFactValue, Queue, ReasonCode, Rule, RuleSet, ServiceLevel, Skill, Territory
from routing.need import Need

if TYPE_CHECKING:
    from django_stubs_ext import StrPromise

FactType = Literal["choice", "text", "number", "yes_no"]
OutputType = Literal["choice", "whole_number", "choices", "text", "yes_no"]
DECLARED_FACT_PREFIX = "facts."
DECLARED_FACT_NAME = re.compile(r"facts\.[a-z][a-z0-9_]{0,39}")
_SAID_NUMBER = re.compile(r"[-+]?[0-9]{1,16}(?:\.[0-9]{1,9})?")
LARGEST_NUMBER = 10**15
"""The engine reads no number that is much larger."""


@dataclass(frozen=True, slots=True)
class Fact:
    """A column that rows may ask about. `values` names the list of `Vocabulary` that a choice comes from.

    `only_in` names the one kind of table that may ask; empty means every kind.
    """

    name: str
    label: str | StrPromise
    type: FactType
    help_text: str | StrPromise
    values: str = ""
    lowest: float | None = None
    highest: float | None = None
    only_in: str = ""


@dataclass(frozen=True, slots=True)
class Output:
    """A column that rows answer. `values` names the list of `Vocabulary` that a choice comes from."""

    name: str
    label: str | StrPromise
    type: OutputType
    help_text: str | StrPromise
    values: str = ""
    default: str | int | bool | tuple[str, ...] = ""
    required: bool = False
    lowest: int = 0
    highest: int = 0


_CHOICE_HELP = gettext_lazy("One or more values, separated by commas; start with “not” for all the others.")
_NUMBER_HELP = gettext_lazy("A number, a comparison such as “>= 2” or “< -0.5”, or a span such as “1..5”.")
_YES_NO_HELP = gettext_lazy("“yes” or “no”.")

FACTS: dict[str, Fact] = {
    fact.name: fact
    for fact in (
        Fact("reason", gettext_lazy("Reason"), "choice", _CHOICE_HELP, values="reasons"),
        Fact("urgency", gettext_lazy("Urgency"), "choice", _CHOICE_HELP, values="urgencies"),
        Fact("sentiment", gettext_lazy("Sentiment"), "number", _NUMBER_HELP, lowest=-1, highest=1),
        Fact("language", gettext_lazy("Language"), "text", _CHOICE_HELP),
        Fact("tier", gettext_lazy("Customer tier"), "text", _CHOICE_HELP),
        Fact("score", gettext_lazy("Score"), "number", _NUMBER_HELP),
        Fact("territory", gettext_lazy("Territory"), "choice", _CHOICE_HELP, values="territories"),
        Fact(
            "line_of_business",
            gettext_lazy("Line of business"),
            "choice",
            _CHOICE_HELP,
            values="lines_of_business",
        ),
        Fact("asked_for_human", gettext_lazy("Asked for a person"), "yes_no", _YES_NO_HELP),
        Fact("failed_turns", gettext_lazy("Failed answers"), "number", _NUMBER_HELP, lowest=0),
        Fact("open_balance", gettext_lazy("Open balance"), "number", _NUMBER_HELP),
        Fact("in_hours", gettext_lazy("In opening hours"), "yes_no", _YES_NO_HELP),
        Fact("assistant_answers", gettext_lazy("The AI agent answers"), "yes_no", _YES_NO_HELP),
        Fact(
            "escalation",
            gettext_lazy("Escalation"),
            "choice",
            gettext_lazy("What the escalation table answers: one or more of its words, separated by commas."),
            values="escalations",
            only_in=RuleSet.Kind.ROUTING,
        ),
    )
}

OUTPUTS: dict[str, tuple[Output, ...]] = {
    RuleSet.Kind.ROUTING: (
        Output(
            "handler",
            gettext_lazy("Who"),
            "choice",
            gettext_lazy("Who acts next."),
            values="handlers",
            required=True,
        ),
        Output(
            "queue",
            gettext_lazy("Queue"),
            "choice",
            gettext_lazy("Needed when a person acts next."),
            values="queues",
            default="",
        ),
        Output(
            "priority_class",
            gettext_lazy("Class"),
            "whole_number",
            gettext_lazy("1 goes first, 9 last. Work of a lower number always goes before work of a higher one."),
            default=3,
            lowest=1,
            highest=9,
        ),
        Output(
            "required_skills",
            gettext_lazy("Skills"),
            "choices",
            gettext_lazy("Only agents with all of these are offered the work."),
            values="skills",
            default=(),
        ),
        Output(
            "service_level",
            gettext_lazy("Service level"),
            "choice",
            gettext_lazy("Empty means the service level of the queue."),
            values="service_levels",
            default="",
        ),
    ),
    RuleSet.Kind.SCORING: (
        Output(
            "points",
            gettext_lazy("Points"),
            "whole_number",
            gettext_lazy("The score of a need that this row matches."),
            default=0,
            lowest=-1000,
            highest=1000,
        ),
    ),
    RuleSet.Kind.ESCALATION: (
        Output(
            "escalate", gettext_lazy("Escalate"), "yes_no", gettext_lazy("Whether a person should take over."), default=False
        ),
        Output(
            "escalation_reason",
            gettext_lazy("Escalation"),
            "text",
            gettext_lazy("A word for why, such as “repeated_failure”. The routing table says where it goes."),
            default="",
        ),
    ),
}


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The value lists of a moment: list name -> value -> label; and the facts whose type the company declared, by name."""

    lists: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    declared: Mapping[str, Fact] = field(default_factory=dict)

    def of(self, name: str) -> Mapping[str, str]:
        """The values of one list with their labels."""
        return self.lists[name]

    def fact_named(self, name: str) -> Fact | None:
        """The fact of a column, as the company declared it or as free text."""
        return self.declared.get(name) or fact_named(name)

    def facts_of(self, kind: str) -> list[Fact]:
        """The facts that a table of this kind may ask about; of the company's own those whose type is declared."""
        own = [fact for name, fact in self.declared.items() if name not in FACTS]
        return [*(self.declared.get(fact.name, fact) for fact in FACTS.values() if fact.only_in in ("", kind)), *own]

    @classmethod
    def current(cls) -> Vocabulary:
        """Reads the lists that managers keep; eight small queries."""
        unknown = {"unknown": _("Unknown")}
        reasons = list(ReasonCode.objects.values_list("code", "name", "line_of_business"))
        declared = list(DeclaredFact.objects.prefetch_related("values"))
        return cls(
            {
                "reasons": unknown | {code: name for code, name, _line in reasons},
                "lines_of_business": unknown | {line: line for _code, _name, line in reasons if line},
                "territories": unknown | dict(Territory.objects.values_list("code", "name")),
                "escalations": {reason: reason.replace("_", " ") for reason in sorted(_escalations())},
                "urgencies": {value: str(label) for value, label in ReasonCode._meta.get_field("urgency").choices or ()},
                "handlers": {value: str(label) for value, label in Decision.Handler.choices},
                "queues": dict(Queue.objects.values_list("code", "name")),
                "skills": dict(Skill.objects.values_list("code", "name")),
                "service_levels": dict(ServiceLevel.objects.values_list("code", "name")),
                **{row.name: {each.value: each.meaning or each.value for each in row.values.all()} for row in declared},
            },
            {row.name: _as_declared(row, fact) for row in declared if (fact := fact_named(row.name))},
        )


def _escalations() -> set[str]:
    """The words that any version of the escalation table answers, drafts and retired ones included."""
    answers = Rule.objects.filter(rule_set__kind=RuleSet.Kind.ESCALATION).values_list("outputs__escalation_reason", flat=True)
    return {answer for answer in answers if isinstance(answer, str) and answer}


class InvalidNeed(ValueError):
    """A need holds a value of the wrong type; the message names it."""


def fact_named(name: str) -> Fact | None:
    """The fact of a column: a field of `Need`, or a declared fact such as `facts.building_age`, which is free text here."""
    if name in FACTS:
        return FACTS[name]
    if DECLARED_FACT_NAME.fullmatch(name):
        return Fact(name, name.removeprefix(DECLARED_FACT_PREFIX).replace("_", " "), "text", _CHOICE_HELP)
    return None


def declared_values(name: str) -> dict[str, str]:
    """The values that the company declared for a fact, with their labels; none when it is free text or a number. One query."""
    values = DeclaredFactValue.objects.filter(fact__name=name).values_list("value", "meaning")
    return {value: meaning or value for value, meaning in values}


def _as_declared(row: DeclaredFact, fact: Fact) -> Fact:
    if row.kind == DeclaredFact.Kind.NUMBER:
        return replace(fact, type="number", help_text=_NUMBER_HELP, lowest=row.lowest, highest=row.highest)
    return replace(fact, type="choice", values=row.name)


def value_of(need: Need, name: str, *, number: bool = False) -> Any:
    """What a need says of one fact; None for a declared fact that it does not have.

    Declared facts are texts; with `number` it is the number that is written there, and None when it is none.
    """
    if not name.startswith(DECLARED_FACT_PREFIX):
        return getattr(need, name)
    said = need.facts.get(name.removeprefix(DECLARED_FACT_PREFIX))
    return said if said is None or not number else number_in(said)


def number_in(text: str) -> float | None:
    """The number that a text is, or None when it is something else or larger than the engine reads."""
    value = float(text) if _SAID_NUMBER.fullmatch(text.strip()) else None
    return value if value is not None and abs(value) <= LARGEST_NUMBER else None


def check_need(need: Need) -> None:
    """Raises InvalidNeed when a value has a type that its cells could not be compared with."""
    for fact in FACTS.values():
        value = getattr(need, fact.name)
        if fact.type == "yes_no":
            right = isinstance(value, bool)
        elif fact.type == "number":
            right = isinstance(value, int | float) and not isinstance(value, bool) and -LARGEST_NUMBER <= value <= LARGEST_NUMBER
        else:
            right = isinstance(value, str)
        if not right:
            raise InvalidNeed(
                _("“%(fact)s” of a need cannot be %(value)s.") % {"fact": fact.label, "value": repr(value)[:60]}
            )
    if not all(isinstance(part, str) for pair in need.facts.items() for part in pair):
        raise InvalidNeed(_("Declared facts of a need are texts by name."))
