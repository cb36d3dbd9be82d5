"""Which of several things a text chooses: by its place, its name, its day or its hour."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from conversations.assistant import acts
from conversations.understanding import corrections
from conversations.understanding.dates import MONTHS, WEEKDAYS
from conversations.understanding.facts import Fact
from conversations.understanding.times import is_of_a_house

ORDINALS: Final = (
    ("first", "1st", "one", "1", "earliest", "a"),
    ("second", "2nd", "two", "2", "b"),
    ("third", "3rd", "three", "3", "c"),
)
FEW_WORDS: Final = 6
DIGIT: Final = re.compile(r"\d")
ANY_OF_THEM: Final = re.compile(
    r"\b(?:any(?: of (?:them|those|these))?|any ?time|either|whichever|whatever(?:'s| is| suits| works| you)"
    r"|(?:you|you can) (?:choose|pick|decide)"
    r"|do(?:n'?t| not) (?:mind|care which)|not (?:fussed|bothered|fussy)|no preference|up to you|all the same"
    r"|soonest|earliest|asap|as soon as possible)\b"
)
NARROWS: Final = re.compile(
    rf"\b(?:{'|'.join((*WEEKDAYS, *(each for each in MONTHS if each != 'may')))}|today|tomorrow|tonight|(?:week|day|month)(?:s|ends?)?"
    r"|(?:mon|tues|wednes|thurs|fri|satur|sun)days|(?:morning|afternoon|evening|lunch|lunchtime)s?|noon|midday|after|before|between)\b"
)
"""A day or a part of it: of all the times there are, and not only of those on offer."""
POINTS: Final = re.compile(r"\b(?:the|that)(?: \w+){1,3} (?:one|slot|window|option|time)\b")
"""“The afternoon one”: of those on offer."""
BEFORE_A_CHOICE: Final = frozenset(
    {
        "the", "option", "number", "choice", "slot", "i'll", "i", "will", "would", "i'd", "like", "take", "let's", "let", "us",
        "yes", "please", "ok", "okay", "with", "go", "for", "have", "that", "make", "it", "actually", "no", "sorry", "wait", "rather", "oh",
    }
)  # fmt: skip
AFTER_A_CHOICE: Final = frozenset(
    {
        "one", "option", "slot", "please", "then", "is", "fine", "good", "works", "would", "be", "thanks", "thank", "you",
        "suits", "me", "great",
    }
)  # fmt: skip
_ONE: Final = r"(?: (?:one|slot|time|window|option))?(?:,? (?:please|then|thanks|is (?:fine|good|better|best)|suits me(?: better)?))*"
_I_TAKE: Final = r"(?:(?:i'll (?:take|have)|we'll take|let's take|i want|give me|make (?:it|that)|take|yes,?|ok,?|rather) )*"
LAST: Final = re.compile(rf"{_I_TAKE}(?:last one|last|the (?:last|later|latest){_ONE})")
EARLIER: Final = re.compile(rf"{_I_TAKE}the (?:earlier|early){_ONE}")
NOT_CHOSEN: Final = re.compile(r"(?:^|(?<= ))not (?:the )?\w+(?: one)?\b|\b(?:rather |better )?(?:than|instead of) the \w+(?: one)?\b")
"""“Not the first”, “rather than the first”: named, and not meant."""
CLOCK: Final = re.compile(r"(?<![\w:])([01]?\d|2[0-3])(?:[:.]([0-5]\d))?\s*(am|pm|o'clock)?(?!\w)")
TELLING_WORD: Final = re.compile(r"\b(?!(?:the|and|for|with|one|your?|our|new)\b)[a-z]{3,}")
MIDDAY: Final = 12


def choice(text: str, options: int) -> int | None:
    """The index of the option that a text names by its place (“the second one”), or None."""
    if not options or len(acts.plain(text)) > acts.LONGEST_ACT:
        return None
    return _last_of(text, lambda said: _choice(said, options))


def _last_of(text: str, meant: Callable[[str], int | None]) -> int | None:
    """What the words mean, in small letters; where they take something back, what they say last."""
    found = (meant(acts.plain(said)) for said in corrections.tries(text))
    return next((index for index in found if index is not None), None)


def _choice(said: str, options: int) -> int | None:
    words = NOT_CHOSEN.sub(" ", said).strip(" ,")
    if LAST.fullmatch(words):
        return options - 1
    if EARLIER.fullmatch(words):
        return 0
    if NARROWS.search(words):
        return None
    return 0 if ANY_OF_THEM.search(words) else _place(words, options)


def takes_any(text: str) -> bool:
    """Whether a text leaves the choice to whoever offers, and names no day or part of one: “any time”, “whatever is easiest”."""
    words = acts.plain(text)
    is_only_that = len(words.split()) <= FEW_WORDS and DIGIT.search(words) is None
    return is_only_that and ANY_OF_THEM.search(words) is not None and NARROWS.search(words) is None


def _place(words: str, options: int) -> int | None:
    """The index that words name by its place alone."""
    named = _bare_choice(words.split())
    for index, names in enumerate(ORDINALS[:options]):
        if named in names or re.search(rf"\bthe {names[0]}\b(?! choice)|\boption (?:{names[2]}|{names[3]})\b", words):
            return index
    return None


def _bare_choice(words: list[str]) -> str:
    """The one word that is left of “I'll take the second one, please”; empty when more or nothing is left."""
    while words and words[0].strip(",") in BEFORE_A_CHOICE:
        words = words[1:]
    left, rest = words[:1], words[1:]
    return left[0].strip(",") if left and all(word in AFTER_A_CHOICE for word in rest) else ""


def names_it(text: str, name: str) -> bool:
    """Whether a text says a name in full."""
    return acts.plain(name) in acts.plain(text)


def shares_a_word(text: str, name: str) -> bool:
    """Whether a text has a telling word of what something is called: “the drain one” of “Clearing a blocked drain”."""
    said, called = (set(TELLING_WORD.findall(each.lower())) for each in (text, name))
    return bool(said & called)


def chosen_name(text: str, names: Sequence[str]) -> int | None:
    """The index of the name that the text is or contains, or that it points at by place."""
    words = acts.plain(text)
    for index, name in enumerate(names):
        if words == acts.plain(name) or (len(words) <= 3 * acts.LONGEST_ACT and acts.plain(name) in words):
            return index
    return choice(text, len(names))


def chosen_slot(text: str, offered: Sequence[Mapping[str, Any]], facts: Sequence[Fact], answer: bool | None) -> int | None:
    """The index of the offered window (`start`, `end` ISO, `label`) that a text means, or None.

    By its words, by its place, also of those of a day, by its day or hour when that fits exactly one, or by yes when only one was offered.
    """
    named = chosen_name(text, [str(slot.get("label", "")) for slot in offered])
    if named is not None:
        return named
    starts = [datetime.fromisoformat(str(slot["start"])) for slot in offered]
    given = {fact.name: fact.value for fact in facts}
    fitting = [index for index, start in enumerate(starts) if _fits(start, given, acts.plain(text))]
    place = _last_of(text, lambda said: _place(said, len(fitting))) if given.keys() & {"date", "time_window"} else None
    if place is not None:
        return fitting[place]
    if len(fitting) == 1 and ("date" in given or "time_window" in given or CLOCK.search(acts.plain(text))):
        return fitting[0]
    return 0 if answer and len(offered) == 1 else None


def _fits(start: datetime, given: Mapping[str, str], words: str) -> bool:
    if "date" in given and given["date"] != start.date().isoformat():
        return False
    if "time_window" in given:
        first, last = given["time_window"].split("-")
        return first <= f"{start:%H:%M}" < last
    hours = [_hour(match) for match in CLOCK.finditer(words) if not _is_of_a_house(words, match)]
    return "date" in given or any(hour == (start.hour, start.minute) for hour in hours)


def _is_of_a_house(words: str, match: re.Match[str]) -> bool:
    before = words[: match.start()].split()
    return is_of_a_house([*before, match[1], *words[match.end() :].split()], len(before))


def _hour(match: re.Match[str]) -> tuple[int, int]:
    hour = int(match[1])
    if (match[3] == "pm" and hour < MIDDAY) or (not match[3] and hour < 7):
        hour += MIDDAY
    return hour, int(match[2] or 0)
