"""Opening hours as managers type them, read into rules: which days a rule is about, and the times it gives them.

The days of a rule (weekdays, months, weeks, the first Monday) are understood by opening-hours-py; the times are ours. As a
whole the library does not do: it drops the night of “Fr 22:00-06:00” when Saturday has a rule of its own.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any, Final

from django.utils.translation import gettext as _
from opening_hours import OpeningHours, validate

MINUTES_OF_A_DAY: Final = 24 * 60
LONGEST_EXPRESSION: Final = 500
Span = tuple[int, int]
"""Minutes from the midnight that a day begins with: the first open one, and the first closed one, which may be past the next midnight."""

_TIMES = r"\d{1,2}:\d{2}\s*-\s*\d{1,2}:\d{2}(?:\s*,\s*\d{1,2}:\d{2}\s*-\s*\d{1,2}:\d{2})*"
_RULE = re.compile(rf"(?P<days>.*?)\s*(?P<times>{_TIMES})?\s*(?P<state>open|off|closed)?", re.DOTALL)
_SPAN = re.compile(r"(\d{1,2}):(\d{2})\s*-\s*(\d{1,2}):(\d{2})")
_ADDED_RULE = re.compile(r"(?<=:\d\d)\s*,\s*(?=[^\d\s]|\d{4}\b)")
_HOLIDAYS = re.compile(r"\b(PH|SH)\b")
_NOT_UNDERSTOOD = re.compile(r"\|\||\"|\b(?:sunrise|sunset|dawn|dusk|unknown)\b|\d:\d")


class InvalidHours(ValueError):
    """Hours cannot be read; the message says what is wrong, for managers."""


@dataclass(frozen=True, slots=True)
class OpeningRule:
    """One rule. Of several that are about a day, a later one replaces, adds to or takes from what the earlier ones gave."""

    spans: tuple[Span, ...]
    opens: bool
    adds: bool
    on_holidays: bool
    days: Any
    """The library's reading of the days; None means every day."""

    def is_about(self, day: date, *, is_holiday: bool) -> bool:
        """Whether the rule gives or takes times on a day."""
        if self.on_holidays:
            return is_holiday
        return self.days is None or bool(self.days.is_open(datetime.combine(day, time(12))))

    def applied(self, spans: tuple[Span, ...]) -> tuple[Span, ...]:
        """The times of a day that the rule is about, when earlier rules gave it `spans`."""
        if not self.opens:
            return _without(spans, self.spans)
        return united((*spans, *self.spans)) if self.adds else self.spans


def read_rules(expression: str) -> tuple[OpeningRule, ...]:
    """The rules of an expression, in their order. Raises InvalidHours."""
    if not expression.strip() or len(expression) > LONGEST_EXPRESSION:
        raise _unreadable(expression)
    rules = [
        _read_rule(text, adds=position > 0)
        for group in expression.rstrip().removesuffix(";").split(";")
        for position, text in enumerate(_ADDED_RULE.split(group))
    ]
    first_holiday = next((number for number, rule in enumerate(rules) if rule.on_holidays), len(rules))
    if not all(rule.on_holidays for rule in rules[first_holiday:]):
        raise InvalidHours(_("Put the rule for public holidays (PH) last: a later rule overrides an earlier one."))
    return tuple(rules)


def read_times(text: str) -> tuple[Span, ...]:
    """The times of one day, such as “09:00-12:00,22:00-02:00”; none for an empty text. Raises InvalidHours."""
    if not text.strip():
        return ()
    if len(text) > LONGEST_EXPRESSION or not re.fullmatch(_TIMES, text.strip()):
        raise InvalidHours(_("Write times such as “10:00-14:00” or “09:00-12:00,13:00-17:00”; empty means closed."))
    return united(tuple(_span(found) for found in _SPAN.finditer(text)))


def written(spans: tuple[Span, ...]) -> str:
    """Times as they are typed and `read_times` reads them, such as “09:00-12:00,22:00-02:00”; empty for none."""
    return ",".join(f"{_clock(begin)}-{_clock(_typed_end(begin, end))}" for span in spans for begin, end in _within_a_day(span))


def united(spans: tuple[Span, ...]) -> tuple[Span, ...]:
    """The same open minutes, in order, with no two spans that touch."""
    joined: list[Span] = []
    for begin, end in sorted(spans):
        if joined and begin <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((begin, end))
    return tuple(joined)


def _read_rule(text: str, *, adds: bool) -> OpeningRule:
    found = _RULE.fullmatch(text.strip())
    days = found["days"].strip() if found else ""
    if not found or not text.strip() or _NOT_UNDERSTOOD.search(days):
        raise _unreadable(text)
    spans = read_times(found["times"] or "") or ((0, MINUTES_OF_A_DAY),)
    opens = found["state"] in (None, "open")
    if not opens and not found["times"]:
        spans = ((0, 2 * MINUTES_OF_A_DAY),)
    if days == "24/7":
        days = ""
    on_holidays = days == "PH"
    if not on_holidays and _HOLIDAYS.search(days):
        raise InvalidHours(
            _("Give public holidays a rule of their own, such as “; PH off”. School holidays (SH) are not known: enter their dates.")
        )
    return OpeningRule(spans, opens, adds, on_holidays, _read_days(days, text) if days and not on_holidays else None)


def _read_days(days: str, rule: str) -> Any:
    whole_days = f"{days} 00:00-24:00"
    if not validate(whole_days):
        raise _unreadable(rule)
    return OpeningHours(whole_days)


def _span(found: re.Match[str]) -> Span:
    begin_hour, begin_minute, end_hour, end_minute = (int(part) for part in found.groups())
    begin, end = begin_hour * 60 + begin_minute, end_hour * 60 + end_minute
    if begin == end:
        raise InvalidHours(_("“%(times)s” begins and ends at the same time. Write 00:00-24:00 for a whole day.") % {"times": found[0]})
    if end < begin:
        end += MINUTES_OF_A_DAY
    if max(begin_minute, end_minute) > 59 or begin >= MINUTES_OF_A_DAY or end > begin + MINUTES_OF_A_DAY:
        raise InvalidHours(
            _("“%(times)s” are no times of one day. Write times from 00:00 to 24:00; an end before the beginning is on the next day.")
            % {"times": found[0]}
        )
    return begin, end


def _without(spans: tuple[Span, ...], closed: tuple[Span, ...]) -> tuple[Span, ...]:
    for begin, end in closed:
        parts = [part for span in spans for part in ((span[0], min(span[1], begin)), (max(span[0], end), span[1]))]
        spans = tuple((first, last) for first, last in parts if first < last)
    return spans


def _within_a_day(span: Span) -> tuple[Span, ...]:
    """The same minutes in spans that can be typed: none longer than 24 hours."""
    begin, end = span
    if end - begin <= MINUTES_OF_A_DAY:
        return (span,)
    return (begin, begin + MINUTES_OF_A_DAY), (MINUTES_OF_A_DAY - 1, end)


def _typed_end(begin: int, end: int) -> int:
    is_tomorrow = end > MINUTES_OF_A_DAY and end - MINUTES_OF_A_DAY < begin
    return end - MINUTES_OF_A_DAY if is_tomorrow else end


def _clock(minutes: int) -> str:
    return f"{minutes // 60:02d}:{minutes % 60:02d}"


def _unreadable(text: str) -> InvalidHours:
    return InvalidHours(
        _("“%(hours)s” cannot be read. Write hours such as “Mo-Fr 08:00-18:00; Sa 09:00-13:00; PH off”.") % {"hours": text.strip()[:200]}
    )
