"""Reads the two files of a simulation: what came in, and who was there. Knows nothing of the company."""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import TypeVar
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

from routing.simulation.problems import Problem, UnusableInput

TRACE_COLUMNS = ("arrived_at", "patience_s", "handling_s", "priority", "skill", "kind")
TRACE_MAY_HAVE = ("queue",)
STAFFING_COLUMNS = ("agent", "from", "to", "skills")
STAFFING_MAY_HAVE = ("profile",)
LONGEST_SECONDS = 30 * 24 * 3600
CODE = re.compile(r"[a-z][a-z0-9_]{0,39}")
BETWEEN_WORDS = re.compile(r"[\s,;]+")
Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class Arrival:
    """One piece of work of the trace; without a patience it waits for ever, without a queue it goes where the caller says."""

    line: int
    at: datetime
    patience: timedelta | None
    handling: timedelta
    priority: int
    skills: tuple[str, ...]
    kind: str
    queue: str


@dataclass(frozen=True, slots=True)
class Shift:
    """One stretch of work of one agent. `skills` maps codes to a proficiency, or to None where the file gives none."""

    line: int
    agent: str
    begins: datetime
    ends: datetime
    skills: dict[str, int | None]
    profile: str


@dataclass(frozen=True, slots=True)
class Trace:
    """What came in, by time."""

    file: str
    arrivals: list[Arrival]
    ignored: list[str]


@dataclass(frozen=True, slots=True)
class Staffing:
    """Who was there, by agent and time; nobody is there twice at once."""

    file: str
    shifts: list[Shift]
    ignored: list[str]

    def by_agent(self) -> dict[str, list[Shift]]:
        """The shifts of each agent, by time."""
        found: dict[str, list[Shift]] = {}
        for shift in sorted(self.shifts, key=lambda shift: shift.begins):
            found.setdefault(shift.agent, []).append(shift)
        return found


class _BadCell(ValueError):
    """A cell that cannot be used; the message says what to do."""


@dataclass
class _Row:
    """One line of a file; a cell that cannot be read becomes a problem, and None here."""

    file: str
    line: int
    cells: dict[str, str]
    problems: list[Problem] = field(default_factory=list)

    def read(self, column: str, as_what: Callable[[str], Value]) -> Value | None:
        try:
            return as_what(self.cells.get(column, ""))
        except _BadCell as error:
            self.blame(column, str(error))
            return None

    def blame(self, column: str, sentence: str) -> None:
        self.problems.append(Problem(self.file, self.line, column, sentence))


def read_trace(path: Path, zone: ZoneInfo) -> Trace:
    """The arrivals of a file; times without an offset are of the zone. Raises UnusableInput with every problem."""
    rows, ignored = _rows(path, TRACE_COLUMNS, TRACE_MAY_HAVE)
    arrivals = [found for row in rows if (found := _arrival(row, zone))]
    _refuse([problem for row in rows for problem in row.problems])
    if not arrivals:
        _refuse([Problem(path.name, 0, "", _("It has no arrivals. Write one line for each piece of work."))])
    return Trace(path.name, sorted(arrivals, key=lambda arrival: arrival.at), ignored)


def read_staffing(path: Path, zone: ZoneInfo) -> Staffing:
    """The shifts of a file; times without an offset are of the zone. Raises UnusableInput with every problem."""
    rows, ignored = _rows(path, STAFFING_COLUMNS, STAFFING_MAY_HAVE)
    shifts = [found for row in rows if (found := _shift(row, zone))]
    _refuse([problem for row in rows for problem in row.problems])
    staffing = Staffing(path.name, shifts, ignored)
    _refuse(list(_contradictions(staffing)))
    return staffing


def _arrival(row: _Row, zone: ZoneInfo) -> Arrival | None:
    at = row.read("arrived_at", lambda text: _moment(text, zone))
    patience = row.read("patience_s", lambda text: _seconds(text) if text else None)
    handling = row.read("handling_s", _seconds)
    priority = row.read("priority", _priority)
    skills = row.read("skill", lambda text: tuple(sorted({_code(word) for word in _words(text)})))
    kind = row.read("kind", _code)
    queue = row.read("queue", lambda text: _code(text) if text else "")
    if at is None or handling is None or priority is None or skills is None or kind is None or queue is None:
        return None
    return Arrival(row.line, at, patience, handling, priority, skills, kind, queue)


def _shift(row: _Row, zone: ZoneInfo) -> Shift | None:
    agent = row.read("agent", _name)
    begins = row.read("from", lambda text: _moment(text, zone))
    ends = row.read("to", lambda text: _moment(text, zone))
    skills = row.read("skills", lambda text: dict(_skill(word) for word in _words(text)))
    if agent is None or begins is None or ends is None or skills is None:
        return None
    if ends <= begins:
        row.blame("to", _("The shift ends before it begins. Give a time after that in “from”, with its date when it ends on the next day."))
        return None
    return Shift(row.line, agent, begins, ends, skills, row.cells.get("profile", ""))


def _contradictions(staffing: Staffing) -> Iterator[Problem]:
    for agent, shifts in staffing.by_agent().items():
        for before, after in pairwise(shifts):
            if after.begins < before.ends:
                sentence = _("%(agent)s is there already until %(until)s, by line %(line)d. Nobody works twice at once: change one.")
                values = {"agent": agent, "line": before.line, "until": before.ends.isoformat(sep=" ")}
                yield Problem(staffing.file, after.line, "from", sentence % values)
        yield from _differences(staffing.file, "skills", [(shift, shift.skills) for shift in shifts if shift.skills])
        yield from _differences(staffing.file, "profile", [(shift, shift.profile) for shift in shifts if shift.profile])


def _differences(file: str, column: str, told: Sequence[tuple[Shift, object]]) -> Iterator[Problem]:
    """Where the lines of one agent say different things."""
    for shift, value in told[1:]:
        first, other = told[0]
        if value != other:
            sentence = _("%(agent)s has another value in line %(line)d. Give the same in both, or leave one of them empty.")
            yield Problem(file, shift.line, column, sentence % {"agent": shift.agent, "line": first.line})


def _rows(path: Path, needed: Sequence[str], possible: Sequence[str]) -> tuple[list[_Row], list[str]]:
    """The lines of a file below its head, and the columns that nobody reads."""
    text = _text(path)
    head = text.partition("\n")[0]
    delimiter = ";" if ";" in head and "," not in head else ","
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    rows: list[_Row] = []
    try:
        columns = [name.strip().lower() for name in next(reader, [])]
        _check_columns(path.name, columns, needed)
        for cells in reader:
            if any(cell.strip() for cell in cells):
                rows.append(_row(path.name, reader.line_num, columns, cells))
    except csv.Error as error:
        sentence = _("The line cannot be split into cells (%(why)s). Put cells with commas or quotes into double quotes.")
        _refuse([Problem(path.name, reader.line_num, "", sentence % {"why": error})])
    return rows, sorted(set(columns) - {*needed, *possible, ""})


def _row(file: str, line: int, columns: list[str], cells: list[str]) -> _Row:
    row = _Row(file, line, {name: cell.strip() for name, cell in zip(columns, cells, strict=False)})
    if len(cells) != len(columns):
        sentence = _("The line has %(cells)d cells, and the head has %(columns)d. Write one for each column, empty where there is nothing.")
        row.blame("", sentence % {"cells": len(cells), "columns": len(columns)})
    return row


def _text(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        _refuse([Problem(str(path), 0, "", _("It cannot be opened: %(why)s.") % {"why": error.strerror})])
    except UnicodeDecodeError as error:
        sentence = _("Byte %(byte)d is not UTF-8. Save it as “CSV UTF-8”.") % {"byte": error.start + 1}
        _refuse([Problem(path.name, 0, "", sentence)])
    raise AssertionError


def _check_columns(file: str, columns: list[str], needed: Sequence[str]) -> None:
    problems = []
    for name in needed:
        if columns.count(name) > 1:
            problems.append(Problem(file, 1, name, _("The column stands there twice. Keep one.")))
        elif name not in columns:
            sentence = _("The column is missing. The first line must name: %(columns)s.")
            problems.append(Problem(file, 1, name, sentence % {"columns": ", ".join(needed)}))
    _refuse(problems)


def _refuse(problems: list[Problem]) -> None:
    if problems:
        raise UnusableInput(problems)


def _moment(text: str, zone: ZoneInfo) -> datetime:
    example = _("Write it like 2026-11-27 09:05:00.")
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise _BadCell(_("“%(text)s” is no date with a time. %(example)s") % {"text": text[:60], "example": example}) from None
    if re.fullmatch(r"[0-9W-]+", text):
        raise _BadCell(_("“%(text)s” has no time of day. %(example)s") % {"text": text[:60], "example": example})
    if moment.tzinfo is None:
        local = moment.replace(tzinfo=zone)
        if local.astimezone(UTC).astimezone(zone).replace(tzinfo=None) != moment:
            sentence = _("In %(zone)s the clocks skip %(text)s. Write a time that there is, or one with its offset from UTC.")
            raise _BadCell(sentence % {"zone": zone.key, "text": text})
        moment = local
    if not 1970 <= moment.year <= 2199:
        raise _BadCell(_("The year must be from 1970 to 2199."))
    return moment.astimezone(UTC)


def _seconds(text: str) -> timedelta:
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0 <= seconds <= LONGEST_SECONDS:
        sentence = _("“%(text)s” is no number of seconds from 0 to %(most)d. Write it like 90 or 90.5.")
        raise _BadCell(sentence % {"text": text[:60], "most": LONGEST_SECONDS})
    return timedelta(seconds=seconds)


def _priority(text: str) -> int:
    if not re.fullmatch(r"[1-9]", text):
        raise _BadCell(_("“%(text)s” is no priority class. Write a number from 1 (first) to 9.") % {"text": text[:60]})
    return int(text)


def _name(text: str) -> str:
    if not 1 <= len(text) <= 80:
        raise _BadCell(_("Write the agent's sign-in name or another name of at most 80 letters."))
    return text


def _code(text: str) -> str:
    if not CODE.fullmatch(text):
        sentence = _("“%(text)s” is no code. Use small letters, digits and underscores, starting with a letter, at most 40.")
        raise _BadCell(sentence % {"text": text[:60]})
    return text


def _skill(text: str) -> tuple[str, int | None]:
    code, colon, proficiency = text.partition(":")
    if colon and not re.fullmatch(r"[1-5]", proficiency):
        raise _BadCell(_("“%(text)s”: how good they are is a number from 1 to 5, as in billing:4.") % {"text": text[:60]})
    return _code(code), int(proficiency) if colon else None


def _words(text: str) -> list[str]:
    return [word for word in BETWEEN_WORDS.split(text) if word]
