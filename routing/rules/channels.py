"""What names a channel, and where nothing may: this list is there to forbid what the rest of routing has never heard of.

Routing decides alike however somebody comes, because it cannot know how they came. That is proven in two places: the source of
what makes and reads a need (`names_in_source`, a system check), and what managers write into tables (`words_in_table`, at publishing,
by the system check and on the report). A fact of a table may be excepted, with a reason, in `ChannelException`.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from itertools import pairwise
from pathlib import Path

from django.utils.translation import gettext as _

from routing.models import ChannelException, RuleSet
from routing.need import Need
from routing.rules.schema import DECLARED_FACT_PREFIX, FACTS, OUTPUTS, fact_named

CHANNELS = frozenset(
    (
        "channel", "channels", "chat", "chats", "webchat", "widget", "phone", "phones", "telephone", "voice", "sms", "whatsapp",
        "inbound", "call", "calls", "called", "caller", "calling",
    )
)  # fmt: skip
CHANNEL_PAIRS = frozenset((("entry", "point"), ("entry", "points"), ("text", "message"), ("web", "site"), ("caller", "id")))
_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")
_NAME = re.compile(r"[A-Za-z_][\w.]*")


@dataclass(frozen=True, slots=True)
class NamedInSource:
    """A name in a source file that names a channel."""

    path: Path
    line: int
    name: str


@dataclass(frozen=True, slots=True)
class NamedInTable:
    """A column or a cell that names a channel; `row` counts from 1, and is None for an example, which has a name."""

    fact: str
    word: str
    row: int | None
    example: str = ""

    @property
    def sentence(self) -> str:
        """Why this is refused, and what to do; without where it is."""
        return _(
            "“%(word)s” names a channel, and the same need must go the same way on every channel. "
            "Ask for something else, or have the fact declared as a channel exception."
        ) % {"word": self.word[:60]}

    def __str__(self) -> str:
        place = _("Row %(row)d") % {"row": self.row} if self.row else f"“{self.example}”"
        return _("%(place)s, column “%(fact)s”: %(sentence)s") % {"place": place, "fact": self.fact, "sentence": self.sentence}


def names_a_channel(text: str) -> bool:
    """Whether a name such as `entry_point` or `facts.cameByPhone`, or a text such as “web chat”, names a channel."""
    words = [word.lower() for word in _WORD.findall(text)]
    return not CHANNELS.isdisjoint(words) or not CHANNEL_PAIRS.isdisjoint(pairwise(words))


def names_of_the_schema() -> list[str]:
    """The fields of a need, the facts and the outputs of tables that name a channel; there must be none."""
    names = [field.name for field in fields(Need)]
    names += [*FACTS, *(str(fact.label) for fact in FACTS.values())]
    names += [output.name for outputs in OUTPUTS.values() for output in outputs]
    return [name for name in names if names_a_channel(name)]


def names_in_source(paths: Iterable[Path]) -> list[NamedInSource]:
    """Every identifier, attribute, parameter, import and text that looks like a name, and names a channel, in these source files."""
    return [
        NamedInSource(path, line, name)
        for path in paths
        for line, name in sorted(_names(ast.parse(path.read_text(encoding="utf-8"))))
        if names_a_channel(name)
    ]


def words_in_table(rows: Iterable[tuple[int, Mapping[str, object]]]) -> Iterator[NamedInTable]:
    """What names a channel in rows: the name of a fact, or a word in a cell of free text. The other cells choose from lists."""
    for number, conditions in rows:
        for name, cell in conditions.items() if isinstance(conditions, Mapping) else ():
            if names_a_channel(name):
                yield NamedInTable(name, name, number)
            elif (fact := fact_named(name)) and fact.type == "text" and names_a_channel(str(cell)):
                yield NamedInTable(name, str(cell), number)


def undeclared(rule_set: RuleSet, declared: Collection[str] | None = None) -> list[NamedInTable]:
    """What names a channel in the rows and the examples of a set, without what is declared as an exception."""
    excepted = declared_exceptions() if declared is None else declared
    rows = rule_set.rules.order_by("position", "pk").values_list("conditions", flat=True)
    found = list(words_in_table(enumerate(rows, start=1)))
    for case in rule_set.cases.all():
        told = case.need.get("facts") if isinstance(case.need, dict) else None
        said = {f"{DECLARED_FACT_PREFIX}{name}": value for name, value in told.items()} if isinstance(told, dict) else {}
        found += [NamedInTable(each.fact, each.word, None, case.name) for each in words_in_table([(0, said)])]
    return [each for each in found if each.fact not in excepted]


def declared_exceptions() -> frozenset[str]:
    """The facts that managers have declared to be exceptions. One query."""
    return frozenset(ChannelException.objects.values_list("fact", flat=True))


def _names(tree: ast.AST) -> set[tuple[int, str]]:
    found: set[tuple[int, str]] = set()
    for node in ast.walk(tree):
        line = getattr(node, "lineno", 0)
        if isinstance(node, ast.Name):
            found.add((line, node.id))
        elif isinstance(node, ast.Attribute):
            found.add((line, node.attr))
        elif isinstance(node, ast.arg | ast.keyword) and node.arg:
            found.add((line, node.arg))
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found.add((line, node.name))
        elif isinstance(node, ast.alias):
            found.update((line, name) for name in (node.name, node.asname) if name)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and _NAME.fullmatch(node.value):
            found.add((line, node.value))
    return found
