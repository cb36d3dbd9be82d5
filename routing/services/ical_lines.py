"""The lines of an iCalendar file: whether they can be read at all, and where each event and its properties stand.

The `icalendar` library reads the file and does not say where something is wrong; this does.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from django.utils.translation import gettext as _
from icalendar.parser import Contentline

MOST_BYTES: Final = 1_000_000
MOST_EVENTS: Final = 2_000
LONGEST_RULE: Final = 500
SHOWN: Final = 60
_TOO_OFTEN = re.compile(r"FREQ=(?:SECONDLY|MINUTELY|HOURLY)|BY(?:HOUR|MINUTE|SECOND)=", re.IGNORECASE)
_YEARLY = re.compile(r"FREQ=YEARLY(?:;|$)", re.IGNORECASE)


class UnreadableCalendar(ValueError):
    """A calendar file cannot be used; the message says where, what is wrong, and what to do."""


@dataclass(slots=True)
class EventPlace:
    """Where an event begins, and where each of its properties stands: the numbers of their lines."""

    line: int
    properties: dict[str, int] = field(default_factory=dict)

    def line_of(self, name: str | None) -> int:
        """The line of a property, or of the event's beginning."""
        return self.properties.get(name or "", self.line)


def at_line(line: int, sentence: str) -> UnreadableCalendar:
    """What is wrong, with the number of the line."""
    return UnreadableCalendar(_("Line %(line)d: %(sentence)s") % {"line": line, "sentence": sentence})


def text_of(data: bytes) -> str:
    """The text of a file. Raises UnreadableCalendar when it is too large or not in UTF-8."""
    if len(data) > MOST_BYTES:
        raise UnreadableCalendar(
            _("This file is larger than the %(most)d kB that can be imported. Export only the calendar of the exceptional days.")
            % {"most": MOST_BYTES // 1000}
        )
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise at_line(line, _("a character is not in UTF-8. Export the calendar again, as iCalendar (.ics) in UTF-8.")) from error
    return text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "")


def event_places(text: str) -> list[EventPlace]:
    """Where the events of a file stand, in their order. Raises UnreadableCalendar at the first line that cannot be read."""
    places: list[EventPlace] = []
    opened: list[tuple[str, int]] = []
    last = 1
    for number, line in _unfolded(text):
        name, value = _parts(number, line)
        last = number
        if not opened and (name, value.upper()) != ("BEGIN", "VCALENDAR"):
            raise at_line(number, _("this is no calendar. Choose a file that a calendar exported as iCalendar (.ics)."))
        if name == "BEGIN":
            opened.append((value.upper(), number))
            if value.upper() == "VEVENT":
                places.append(EventPlace(number))
        elif name == "END":
            begun, begun_at = opened.pop()
            if begun != value.upper():
                raise at_line(
                    number,
                    _("%(end)s ends here, but %(begun)s of line %(at)d has not ended. Export the calendar again.")
                    % {"end": value[:SHOWN], "begun": begun[:SHOWN], "at": begun_at},
                )
        else:
            _check_rule(number, name, value, in_zone=any(each == "VTIMEZONE" for each, _at in opened))
            if opened[-1][0] == "VEVENT":
                places[-1].properties.setdefault(name, number)
    if opened or not places:
        raise at_line(last, _incomplete(opened))
    if len(places) > MOST_EVENTS:
        raise at_line(
            places[MOST_EVENTS].line,
            _("here begins the event after the first %(most)d, and no more can be imported at once. Export a shorter time.")
            % {"most": MOST_EVENTS},
        )
    return places


def _unfolded(text: str) -> Iterator[tuple[int, str]]:
    """Each content line with the number of the first line that it is written on."""
    number, parts = 0, list[str]()
    for current, line in enumerate(text.split("\n"), start=1):
        if line[:1] in (" ", "\t") and parts:
            parts.append(line[1:])
            continue
        if parts:
            yield number, "".join(parts)
        number, parts = current, [line] if line.strip() else []
    if parts:
        yield number, "".join(parts)


def _parts(number: int, line: str) -> tuple[str, str]:
    try:
        name, _parameters, value = Contentline.from_ical(line).parts()  # type: ignore[no-untyped-call]  # the library is half typed
    except ValueError as error:
        sentence = _("“%(text)s” cannot be read. Export the calendar again, or take this line out.")
        raise at_line(number, sentence % {"text": line[:SHOWN]}) from error
    return str(name).upper(), str(value).strip()


def _check_rule(number: int, name: str, value: str, *, in_zone: bool) -> None:
    """Refuses repetitions that take for ever to follow."""
    if name not in ("RRULE", "EXRULE"):
        return
    if len(value) > LONGEST_RULE:
        raise at_line(number, _("this rule of repetition is too long. Simplify it in the calendar."))
    if _TOO_OFTEN.search(value):
        raise at_line(number, _("an event that repeats within a day cannot be imported. Make one event for each time of the day."))
    if in_zone and not _YEARLY.search(value):
        raise at_line(number, _("clocks cannot change more often than by yearly rules. Export the calendar again."))


def _incomplete(opened: list[tuple[str, int]]) -> str:
    if opened:
        return _("the file stops before %(begun)s has ended. Download or export it again.") % {"begun": opened[-1][0][:SHOWN]}
    return _("the calendar ends here without any event. Choose the calendar that has the exceptional days.")
