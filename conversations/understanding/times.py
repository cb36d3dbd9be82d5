"""Times of day in what people type and say; every reader looks at a fixed number of words from its place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from conversations.understanding.dates import (
    MONTHS,
    ORDINALS,
    REFUSING,
    WEEKDAYS,
    FoundDate,
    is_about_the_past,
    is_hour_before_name,
    words_of,
)

PARTS_OF_DAY: Final = {
    "morning": (8, 12), "afternoon": (12, 18), "evening": (16, 20), "tonight": (16, 20), "lunchtime": (12, 14),
    "lunch": (12, 14), "mornings": (8, 12), "afternoons": (12, 18), "evenings": (16, 20),
}  # fmt: skip
OTHER_MEANINGS_OF_A_NUMBER: Final = frozenset(
    {"pounds", "pound", "quid", "percent", "years", "year", "months", "weeks", "days", "minutes", "mins", "times", "bedroom", "bed",
     "radiators", "people", "rooms", "hours", "hour", "degrees", "bar", "bars", "litres", "inch", "inches", "metres"}
)  # fmt: skip
NO_PLURALS: Final = frozenset({"is", "was", "works", "suits", "sounds", "looks", "seems", "does", "thanks", "please", "yes", "plus"})
"""What ends like the name of several things and may follow an hour: “10 suits me”."""
# Stands in the list of words where the day was said, so that its numbers are not taken for hours.
DAY: Final = "|"
STREETS: Final = frozenset(
    {"street", "st", "road", "rd", "lane", "ln", "avenue", "ave", "close", "drive", "way", "court", "place", "crescent", "terrace",
     "gardens", "grove", "hill", "square", "mews", "row", "walk", "quay", "parade", "rise", "cottages"}
)  # fmt: skip
STREETS_IN_SPANISH: Final = frozenset({"calle", "avenida", "plaza", "paseo", "camino", "carretera"})
AFTER_THE: Final = frozenset(
    {*MONTHS, *ORDINALS, *WEEKDAYS, "first", "second", "third", "last", "latest", "earliest", "next", "following", "same", "other", "day",
     "week", "month", "morning", "afternoon", "evening", "night", "one", "earlier", "later", "better", "sooner"}
)  # fmt: skip
"""What follows “the” after an hour: “at 10 the next day”, “14 the latest”."""
HOMES: Final = frozenset({"flat", "apartment", "house"})
WORDS_OF_A_STREET: Final = 3
NO_STREET: Final = frozenset(
    {"at", "on", "in", "to", "and", "or", "till", "until", "-", ":", DAY, "am", "pm", "o'clock", "oclock", "please"}
)
LEADS_TO_A_PART: Final = frozenset({"in", "the", "a", "do", "make", "any", "on", "of", "this", "free", "available"})
OPENS: Final = 8
CLOSES: Final = 18


@dataclass(frozen=True, slots=True)
class FoundWindow:
    """A time of day that was meant as "HH:MM-HH:MM", the words that said so, and how sure that is (0 to 1)."""

    window: str
    text: str
    confidence: float


def find_window(text: str, *, day: FoundDate | None = None, expected: bool = False) -> FoundWindow | None:
    """The time of day that `text` asks for as "HH:MM-HH:MM", or None.

    “between 10 and 12”, “after 3”, “before noon”, “not before 2”, “half past two”, “tomorrow morning”, “any time”. Hours from
    one to seven without am or pm are afternoon hours. One time alone (“at half past ten”) is the hour from it on.
    `day` is what `find_date` found in the same text; `expected` says that a time was just asked for: with one of
    them a bare “10 to 12” will do, with the latter a bare “10”.
    """
    words = words_of(text)
    if day is not None:
        words[day.start : day.end] = [DAY] + [word for word in words[day.start : day.end] if word in PARTS_OF_DAY]
    for index in range(len(words)):
        found = _span_at(words, index, expected, expected or day is not None)
        if found is not None and (expected or not is_about_the_past(words, index)):
            start, end, after = found
            return FoundWindow(f"{_clock(start)}-{_clock(end)}", " ".join(words[index:after]), 0.9)
    return _part_of_day(words, expected)


def _span_at(words: list[str], index: int, expected: bool, dated: bool) -> tuple[int, int, int] | None:
    """Minutes from midnight of start and end said from `index` on, and the index after it."""
    word = words[index]
    before = words[index - 1] if index else ""
    if word in {"between", "from"}:
        return _pair(words, index + 1, certain=True)
    if word in {"after", "before", "until", "till", "by"}:
        return _bounded(words, index + 1, is_after=(word == "after") != (before == "not"))
    if word in {"earlier", "later"} and words[index + 1 : index + 2] == ["than"] and before in {"no", "not"}:
        return _bounded(words, index + 2, is_after=word == "earlier")
    # “The gauge is at 1” tells no time.
    tells_time = words[index + 1 : index + 2] != ["least"] and (expected or before not in {"is", "are", "was", "reads"})
    if word in {"at", "around", "about"} and tells_time:
        pair = _pair(words, index + 1, certain=word == "at")
        if pair is not None:
            return pair
        time = _time(words, index + 1)
        certain = word == "at" or expected or (time is not None and time[2])
        if time is None or not certain or _means_something_else(words, time[1]):
            return None
        return time[0], min(time[0] + 60, 24 * 60 - 1), time[1]
    if before in {"/", "-", "."}:
        return None
    pair = _pair(words, index, certain=dated)
    if pair is not None:
        return pair
    time = _time(words, index)
    if time is not None and (time[2] or expected) and not _means_something_else(words, time[1]):
        return time[0], min(time[0] + 60, 24 * 60 - 1), time[1]
    return None


def _bounded(words: list[str], index: int, *, is_after: bool) -> tuple[int, int, int] | None:
    """From the time at `index` on, or until then, within the hours in which anybody is visited."""
    time = _time(words, index)
    if time is None or _means_something_else(words, time[1]):
        return None
    start, end = (time[0], CLOSES * 60) if is_after else (OPENS * 60, time[0])
    return (start, end, time[1]) if start < end else None


def _pair(words: list[str], index: int, *, certain: bool) -> tuple[int, int, int] | None:
    first = _time(words, index)
    if first is None or first[1] >= len(words) or words[first[1]] not in {"and", "to", "till", "until", "-"}:
        return None
    second = _time(words, first[1] + 1)
    if second is None or _means_something_else(words, second[1]):
        return None
    if not (certain or first[2] or second[2]):
        return None
    start, end = first[0], second[0]
    if end <= start and end + 12 * 60 < 24 * 60:
        end += 12 * 60
    elif start >= 12 * 60 and end - start > 8 * 60:
        return None
    return (start, end, second[1]) if start < end else None


def _time(words: list[str], index: int) -> tuple[int, int, bool] | None:
    """Minutes from midnight of a time at `index`, the index after it, and whether it can only be a time."""
    if index >= len(words):
        return None
    if words[index] in {"noon", "midday"}:
        return 12 * 60, index + 1, True
    spoken = _past_or_to(words, index)
    if spoken is not None:
        return spoken
    hour = words[index]
    if not hour.isdigit() or len(hour) > 2 or not 1 <= int(hour) <= 23 or is_of_a_house(words, index):
        return None
    minutes, end, certain = 0, index + 1, False
    if words[end : end + 1] in ([":"], ["."]) and end + 1 < len(words) and _is_minutes(words[end + 1]):
        minutes, certain, end = int(words[end + 1]), True, end + 2
    elif end < len(words) and _is_minutes(words[end]) and words[end] in {"15", "30", "45", "00"}:
        minutes, end = int(words[end]), end + 1
    return _with_half_of_day(words, end, int(hour), minutes, certain)


def is_of_a_house(words: list[str], index: int) -> bool:
    """Whether the number at `index` is that of a house: “14 Mill Lane”, “calle Molino 5”, “flat 3”."""
    for word in words[index + 1 : index + 1 + WORDS_OF_A_STREET]:
        if word in NO_STREET:
            break
        if word in STREETS:
            return True
    if words[index + 1 : index + 2] == ["the"] and _is_name_of_a_house(words[index + 2 :]):
        return True
    before = words[max(index - WORDS_OF_A_STREET, 0) : index]
    return bool(STREETS_IN_SPANISH & set(before)) or (before[-1:] != [] and before[-1] in HOMES)


def _is_name_of_a_house(rest: list[str]) -> bool:
    """Whether nothing but a name follows “the”, or a postcode after it: “14 The Elms”, and not “at 2 the postcode is …”."""
    is_one = rest[:1] != [] and rest[0].isalpha() and rest[0] not in AFTER_THE
    return is_one and (len(rest) == 1 or any(character.isdigit() for character in rest[1]))


def _with_half_of_day(words: list[str], end: int, hour: int, minutes: int, certain: bool) -> tuple[int, int, bool] | None:
    half = words[end] if end < len(words) else ""
    if half in {"am", "pm"}:
        if not 1 <= hour <= 12:
            return None
        return (hour % 12 + (12 if half == "pm" else 0)) * 60 + minutes, end + 1, True
    if half in {"o'clock", "oclock", "ish"}:
        return _likely(hour) * 60 + minutes, end + 1, True
    return _likely(hour) * 60 + minutes, end, certain


def _past_or_to(words: list[str], index: int) -> tuple[int, int, bool] | None:
    rest = words[index : index + 3]
    if rest[:1] == ["half"] and len(rest) >= 2:
        position = 2 if rest[1] == "past" else 1
        hour = rest[position] if position < len(rest) else ""
        if hour.isdigit() and len(hour) <= 2 and 1 <= int(hour) <= 12:
            return _likely(int(hour)) * 60 + 30, index + position + 1, True
    is_quarter = len(rest) == 3 and rest[0] == "quarter" and rest[1] in {"past", "to"}
    if is_quarter and rest[2].isdigit() and len(rest[2]) <= 2 and 1 <= int(rest[2]) <= 12:
        return _likely(int(rest[2])) * 60 + (15 if rest[1] == "past" else -15), index + 3, True
    return None


def _likely(hour: int) -> int:
    """The hour of the day when neither am nor pm was said: nobody is visited at three at night."""
    return hour + 12 if 1 <= hour < OPENS else hour


def _is_minutes(word: str) -> bool:
    return word.isdigit() and len(word) == 2 and int(word) < 60


def _means_something_else(words: list[str], index: int) -> bool:
    """Whether the number before `index` is a price, a length or part of a date or address."""
    if index >= len(words):
        return False
    follower = words[index]
    is_name = DAY in words and is_hour_before_name(words, index - 1)
    dated = (follower in MONTHS and not is_name) or follower in ORDINALS or (follower == "of" and words[index + 1 : index + 2] != [])
    counts = follower.isalpha() and len(follower) > 3 and follower.endswith("s") and follower not in NO_PLURALS
    return dated or counts or follower in OTHER_MEANINGS_OF_A_NUMBER or follower in {"/", ":"}


def _part_of_day(words: list[str], expected: bool) -> FoundWindow | None:
    for index, word in enumerate(words):
        follower = words[index + 1] if index + 1 < len(words) else ""
        before = words[index - 1] if index else ""
        if not expected and is_about_the_past(words, index - (before == "this")):
            continue
        if word == "first" and follower == "thing":
            return _window(OPENS, OPENS + 2, "first thing", 0.85)
        if word in PARTS_OF_DAY and before != "good" and (index > 0 or expected):
            start, end = _other_part(word) if _is_refused(words[max(index - 4, 0) : index]) else PARTS_OF_DAY[word]
            if before == "early":
                end = start + 2
            elif before == "late":
                start = end - 2
            return _window(start, end, word, 0.85)
        if word in {"anytime", "whenever"} or (word, follower) in {("any", "time"), ("any", "slot"), ("all", "day")}:
            return _window(OPENS, CLOSES, word, 0.7)
    return None


def _is_refused(before: list[str]) -> bool:
    """Whether the words right before a part of the day say that it is not wanted: “I can't do mornings”."""
    while before and before[-1] in LEADS_TO_A_PART:
        before = before[:-1]
    return before[-1:] != [] and (before[-1] in REFUSING or before[-2:] in (["anything", "but"], ["time", "but"]))


def _other_part(word: str) -> tuple[int, int]:
    """The hours of the day that are left when a part of it is not wanted."""
    start, end = PARTS_OF_DAY[word]
    return (end, CLOSES) if start - OPENS < CLOSES - end else (OPENS, start)


def _window(start_hour: int, end_hour: int, text: str, confidence: float) -> FoundWindow:
    return FoundWindow(f"{_clock(start_hour * 60)}-{_clock(end_hour * 60)}", text, confidence)


def _clock(minutes: int) -> str:
    return f"{minutes // 60:02d}:{minutes % 60:02d}"
