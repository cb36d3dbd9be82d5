"""The text of one cell: read, checked against its fact, and put into the rule engine's own syntax.

A cell is written the short way or the engine's way; both mean the same:

=====================  =======================================  ==============================
type of fact           the short way                            the engine's way
=====================  =======================================  ==============================
choice, text           ``gas_smell`` · ``gas_smell, no_heat``   ``"gas_smell"`` · ``"a", "b"``
                       ``not billing`` · ``not a, b``           ``!= "a"`` · ``not in ["a", "b"]``
number                 ``5`` · ``>= 2`` · ``>= 0 and < 5``      ``5`` · ``>= 2`` · ``[0..5)``
yes or no              ``yes`` · ``no``                         ``true`` · ``false``
=====================  =======================================  ==============================

An empty cell, or ``-``, matches anything.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import zen
from django.utils.translation import gettext as _

from routing.rules.schema import Fact, Vocabulary

LONGEST_CELL = 200
_NUMBER = r"-?\d{1,9}(?:\.\d{1,4})?"
_COMPARISON = re.compile(rf"(>=|<=|==|!=|=|>|<)\s*({_NUMBER})")
_SPAN = re.compile(rf"([\[(])?\s*({_NUMBER})\s*\.\.\s*({_NUMBER})\s*([\])])?")
_AND = re.compile(r"\s+and\s+")
_COMMA = re.compile(",")
_PLAIN_NUMBER = re.compile(_NUMBER)
_NEGATED = re.compile(r"(?:not\s+in\b|not\b|!=)\s*", re.IGNORECASE)
_AMONG = re.compile(r"(?:in\b|==?)\s*", re.IGNORECASE)
_WORD = re.compile(r"[^\W_][\w .:+/-]{0,59}")
_YES_NO = {"yes": "true", "true": "true", "no": "false", "false": "false"}
_SAMPLES: dict[str, str | float | bool] = {"choice": "sample", "text": "sample", "number": 0.5, "yes_no": True}


class CellError(ValueError):
    """A cell cannot be used; the message says why, in a sentence for managers.

    `at` is where in the cell's text the trouble begins, counted from 0; None when it is about the whole cell.
    """

    def __init__(self, message: str, at: int | None = None) -> None:
        super().__init__(message)
        self.at = at


def canonical(cell: object, fact: Fact, vocabulary: Vocabulary) -> str:
    """The cell in the engine's unary syntax, or an empty text when it matches anything.

    Raises CellError: too long, not readable, of the wrong type, or naming a value that the fact cannot have.
    """
    if not isinstance(cell, str):
        raise CellError(_("A cell is a text; this one is %(type)s.") % {"type": type(cell).__name__})
    if len(cell) > LONGEST_CELL:
        raise CellError(
            _("The cell is %(length)d characters long; %(longest)d are the most.")
            % {"length": len(cell), "longest": LONGEST_CELL},
            LONGEST_CELL,
        )
    text = cell.strip()
    if text in ("", "-"):
        return ""
    try:
        if fact.type == "number":
            expression = _number_cell(text, fact)
        elif fact.type == "yes_no":
            expression = _yes_no_cell(text)
        else:
            expression = _words_cell(text, fact, vocabulary)
    except CellError as error:
        if error.at is not None:
            error.at += len(cell) - len(cell.lstrip())
        raise
    _prove(expression, fact)
    return expression


def matches(expression: str, value: object) -> bool:
    """Whether a canonical cell matches a value; a missing value matches only an empty cell."""
    if not expression:
        return True
    if value is None:
        parts = [expression] if '"' in expression else expression.split(" and ")
        return all(part.startswith(("!=", "not in")) for part in parts)
    return bool(zen.evaluate_unary_expression(expression, {"$": value}))


def _yes_no_cell(text: str) -> str:
    try:
        return _YES_NO[text.lower()]
    except KeyError:
        raise CellError(_("“%(cell)s” is neither “yes” nor “no”.") % {"cell": text}, 0) from None


def _number_cell(text: str, fact: Fact) -> str:
    if span := _SPAN.fullmatch(text):
        return _span(span, fact)
    if _PLAIN_NUMBER.fullmatch(text):
        _within(text, fact, 0)
        return text
    parts = []
    for start, part in _parts(text, _AND):
        comparison = _COMPARISON.fullmatch(part)
        if not comparison:
            readable = _COMPARISON.match(part) or _SPAN.match(part)
            raise CellError(
                _("“%(cell)s” cannot be read. Write a number, a comparison such as “>= 2”, or a span such as “1..5”.")
                % {"cell": text},
                start + (readable.end() if readable else 0),
            )
        operator, number = comparison.groups()
        _within(number, fact, start + comparison.start(2))
        parts.append(f"{'==' if operator == '=' else operator} {number}")
    return " and ".join(parts)


def _parts(text: str, between: re.Pattern[str], start: int = 0) -> Iterator[tuple[int, str]]:
    """What stands between separators, from `start` on: where each part begins, and the part without spaces around it."""
    for separator in [*between.finditer(text, start), None]:
        part = text[start : separator.start() if separator else len(text)]
        yield start + len(part) - len(part.lstrip()), part.strip()
        start = separator.end() if separator else start


def _span(span: re.Match[str], fact: Fact) -> str:
    opening, low, high, closing = span.groups()
    if bool(opening) != bool(closing):
        raise CellError(_("The span “%(cell)s” lacks a bracket.") % {"cell": span.group()}, 0 if closing else len(span.group()))
    if float(low) > float(high):
        raise CellError(_("The span “%(cell)s” runs backwards; it can never match.") % {"cell": span.group()}, span.start(2))
    _within(low, fact, span.start(2))
    _within(high, fact, span.start(3))
    return f"{opening or '['}{low}..{high}{closing or ']'}"


def _within(number: str, fact: Fact, at: int) -> None:
    value = float(number)
    if (fact.lowest is not None and value < fact.lowest) or (fact.highest is not None and value > fact.highest):
        raise CellError(
            _("%(number)s is outside what “%(fact)s” can be (%(lowest)s to %(highest)s).")
            % {
                "number": number,
                "fact": fact.label,
                "lowest": "…" if fact.lowest is None else f"{fact.lowest:g}",
                "highest": "…" if fact.highest is None else f"{fact.highest:g}",
            },
            at,
        )


def _words_cell(text: str, fact: Fact, vocabulary: Vocabulary) -> str:
    negated = _NEGATED.match(text)
    among = None if negated else _AMONG.match(text)
    marked = negated or among
    start = marked.end() if marked else 0
    if text[start:].startswith("[") and text.endswith("]"):
        start, text = start + 1, text[:-1]
    words = []
    for at, part in _parts(text, _COMMA, start):
        word = _word(part, text, at)
        if fact.values and word not in (known := vocabulary.of(fact.values)):
            raise CellError(
                _("“%(fact)s” is never “%(word)s”. It can be: %(known)s.")
                % {"fact": fact.label, "word": word, "known": _short_list(sorted(known))},
                at,
            )
        words.append(word)
    quoted = [f'"{word}"' for word in words]
    if not negated:
        return ", ".join(quoted)
    return f"!= {quoted[0]}" if len(quoted) == 1 else f"not in [{', '.join(quoted)}]"


def _word(part: str, cell: str, at: int) -> str:
    word = part
    if len(part) >= 2 and part[0] == part[-1] and part[0] in "\"'":
        word = part[1:-1]
    if not _WORD.fullmatch(word):
        raise CellError(
            _("“%(cell)s” cannot be read at “%(part)s”. Write one or more values, separated by commas.")
            % {"cell": cell, "part": part},
            at,
        )
    return word


def _short_list(values: list[str]) -> str:
    shown = ", ".join(values[:12])
    return f"{shown}, …" if len(values) > 12 else shown


def _prove(expression: str, fact: Fact) -> None:
    """The engine itself must read the cell and be able to compare it with a value of the fact's type.

    Inside a table the engine skips a cell that it cannot evaluate, so the proof has to come first.
    """
    try:
        zen.compile_unary_expression(expression)
        zen.evaluate_unary_expression(expression, {"$": _SAMPLES[fact.type]})
    except RuntimeError as error:
        reason = str(error).splitlines()[0][:200]
        raise CellError(
            _("The rule engine cannot use “%(cell)s”: %(reason)s") % {"cell": expression, "reason": reason}
        ) from error
