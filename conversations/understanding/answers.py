"""What one answer holds of the facts that show who somebody is: people tell them in one breath, and in any order."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final

from django.utils import timezone

from conversations.likeness import dates, folding
from conversations.likeness.numbers import as_digits
from conversations.understanding.identifiers import ORDER_NUMBER
from conversations.understanding.names import LITTLE_WORDS, NOT_NAMES, find_name
from conversations.understanding.normalise import clean
from conversations.understanding.postcodes import find_postcode
from conversations.understanding.spoken import to_typed

LONGEST: Final = 500
WORD: Final = re.compile(r"[^\W_]+(?:['’.-][^\W_]+)*")
INTRODUCTIONS: Final = {
    "date_of_birth": r"(?:was |am )?born(?: on)?(?: the)?|(?:date of birth|birth ?da(?:y|te)|d\.?o\.?b\b\.?)(?: is| was)?(?: on)?(?: the)?"
    r"|nac(?:í|i|ido|ida)(?: el)?(?: d[ií]a)?|fecha de nacimiento(?: es)?(?: el)?",
    "postcode": r"post ?code(?: is)?|zip(?: code)?(?: is)?|c[oó]digo postal(?: es)?",
    "order_number": r"(?:order|booking|visit)? ?(?:reference|order number)(?: number)?(?: is)?"
    r"|(?:n[uú]mero de )?(?:pedido|reserva|referencia)(?: es)?",
    "account_number": r"(?:customer|account)(?: number| no\b\.?)(?: is)?|n[uú]mero de (?:cliente|cuenta)(?: es)?",
}
"""Words that say which fact follows, as people speak English and Spanish; other languages have only what is a fact by its own form."""
NAMED_IN_SPANISH: Final = re.compile(
    r"(?:\bme llamo|\bmi nombre(?: completo)? es|\b(?:le )?habla|\ba nombre de|^soy(?! (?:de|del|el|la|un|una|cliente)\b))\s+",
    re.IGNORECASE,
)
NUMBER: Final = r"[\s:,]*(?P<value>[\w-]*\d[\w-]*)"
NUMERIC_DATE: Final = re.compile(r"(?<![\w-])\d{1,4}(?P<mark>[-/. ])\d{1,2}(?P=mark)\d{1,4}(?![\w-])")
AROUND: Final = r"(?:\b(?:and|my|the|i|it|it's|is|with|y|mi|el|la|es|con)\b\s*)*"
PARTS: Final = re.compile(r"[,;.:!?]\s|[,;.:!?]$|\s-\s|\b(?:and|then)\b", re.IGNORECASE)
LITTLE_IN_SPANISH: Final = frozenset({"el", "la", "mi", "y", "es", "con", "de", "del", "un", "una", "su", "que"})
WORDS_OF_A_DATE: Final = 6
LONGEST_JOINT: Final = 3
"""Words between the numbers of a date are short: “of”, “the”, “de”."""


@dataclass(frozen=True, slots=True)
class _Span:
    value: str
    start: int
    end: int


def facts_in(answer: str, asked: str, wanted: Collection[str], *, languages: Sequence[str], region: str) -> dict[str, str]:
    """The readings in one hypothesis of an answer, by the names of the facts `wanted`; `asked` is the one that was asked for.

    An answer that holds none of the others is all for the asked one, as it was given. Otherwise each is taken from its
    words, and the asked one from what is left, when that is like it. `languages` and `region` are those of `likeness` and
    `facts`. Reads at most 500 characters.
    """
    text = to_typed(clean(answer[:LONGEST].replace("\n", ", ")))
    rest, found = text, {}
    for fact in ("postcode", "order_number", "account_number", "date_of_birth"):
        span = _span(fact, rest, languages, region) if fact in wanted else None
        if span:
            found[fact] = span.value
            rest = _without(rest, span, fact)
    name = _name(rest, expected=bool(found)) if "name" in wanted else ""
    if name:
        found["name"] = name
    if not found.keys() - {asked}:
        return {asked: answer.strip()} if asked in found or _may_be(asked, text, languages) else {}
    return found


def _may_be(asked: str, text: str, languages: Sequence[str]) -> bool:
    """Whether an answer may hold what was asked for, perhaps misheard. “How long will this take?” begins as no answer does, and has
    neither a name nor anything that counts in it."""
    words = ["".join(folding.tokens(word[0])) for word in WORD.finditer(text)]
    begins_as_none = bool(words) and words[0] in NOT_NAMES | LITTLE_WORDS
    if not begins_as_none or asked not in {"name", *INTRODUCTIONS}:
        return bool(words)
    return find_name(text, expected=True) is not None if asked == "name" else any(_counts(each, languages) for each in words)


def _counts(word: str, languages: Sequence[str]) -> bool:
    """Whether a word is a number, has a digit in it, or is a month."""
    has_digit = any(letter.isdigit() for letter in word)
    return has_digit or as_digits(word, languages) is not None or any(word in dates.month_words(each) for each in languages)


def _span(fact: str, text: str, languages: Sequence[str], region: str) -> _Span | None:
    if fact == "postcode":
        found = find_postcode(text, region=region.upper(), expected=False)
        start = text.rfind(found[1]) if found else 0
        return _Span(found[1], start, start + len(found[1])) if found else None
    if fact == "date_of_birth":
        return _birth(text, languages)
    order = ORDER_NUMBER.search(text) if fact == "order_number" else None
    if order and any(character.isdigit() for character in order[3]):
        return _Span(order[0], *order.span())
    introduced = re.search(rf"\b(?:{INTRODUCTIONS[fact]}){NUMBER}", text, re.IGNORECASE)
    return _Span(introduced["value"], *introduced.span()) if introduced else None


def _birth(text: str, languages: Sequence[str]) -> _Span | None:
    """A whole date: in digits with marks, in numbers after words that announce it, or in numbers around a month's name."""
    marked = [_Span(match[0], *match.span()) for match in NUMERIC_DATE.finditer(text)]
    candidates = [*marked, *_in_numbers(text, languages)]
    return next((each for each in candidates if _is_whole_date(each.value, languages)), None)


def _in_numbers(text: str, languages: Sequence[str]) -> list[_Span]:
    """The numbers that follow an introduction, or stand around each month's name, with the short words between them."""
    words = list(WORD.finditer(text))
    folded = ["".join(folding.tokens(word[0])) for word in words]
    is_number = [_is_number(each, languages) for each in folded]
    months = [at for at, word in enumerate(folded) if any(word in dates.month_words(language) for language in languages)]
    introduced = re.search(rf"\b(?:{INTRODUCTIONS['date_of_birth']})\b", text, re.IGNORECASE)
    announced = [at for at, word in enumerate(words) if introduced and is_number[at] and word.start() > introduced.end()][:1]
    spans = []
    for place in [*announced, *months]:
        first = _reach(place, -1, folded, is_number) if place in months else place
        last = _reach(place, 1, folded, is_number)
        start, end = words[first].start(), words[last].end()
        spans.append(_Span(text[start:end], start, end))
    return spans


def _reach(place: int, step: int, folded: Sequence[str], is_number: Sequence[bool]) -> int:
    """How far the numbers go from a place in one direction: the place of the last."""
    reached = at = place
    while 0 <= at + step < len(folded) and abs(at + step - place) <= WORDS_OF_A_DATE:
        at += step
        if is_number[at]:
            reached = at
        elif len(folded[at]) > LONGEST_JOINT:
            break
    return reached


def _is_number(word: str, languages: Sequence[str]) -> bool:
    return word[:1].isdigit() or as_digits(word, languages) is not None


def _is_whole_date(value: str, languages: Sequence[str]) -> bool:
    readings = dates.read([value], languages, latest_year=timezone.localdate().year)
    return any(each.year and each.month and each.day for each in readings)


def _without(text: str, span: _Span, fact: str) -> str:
    """`text` without a fact and the words that announce it; a comma stands there, so that what was apart stays apart."""
    before = re.sub(rf"\b{AROUND}(?:{INTRODUCTIONS[fact]})[\s:,]*$", "", text[: span.start], flags=re.IGNORECASE)
    return f"{before.rstrip()}, {text[span.end :].lstrip(' ,.;')}"


def _name(rest: str, *, expected: bool) -> str:
    """A name that announces itself, or one of the parts that are left, when something else was told beside it."""
    rest = NAMED_IN_SPANISH.sub("my name is ", rest.strip())
    announced = find_name(rest, expected=False)
    if announced:
        return announced[0]
    parts = [part.strip(" ,.;:!?") for part in PARTS.split(rest)] if expected else []
    said = (part for part in parts if set(part.lower().split()) - LITTLE_IN_SPANISH)
    return next((found[0] for part in said if (found := find_name(part, expected=True))), "")
