"""Reading a CSV file of customers, whatever program wrote it: its encoding, its delimiter, its columns, its lines."""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from django.utils.translation import gettext as _

FIELDS: Final = ("name", "date_of_birth", "address", "postcode", "language", "time_zone", "tier", "open_balance")
IDENTIFIERS: Final = ("external_id", "email", "phone")
COLUMNS: Final = (*IDENTIFIERS, *FIELDS)
ATTRIBUTE: Final = "attributes."
LONGEST_ATTRIBUTE: Final = 40
END: Final = "\x00"
"""Stands after the last line. A quotation mark that is never closed would swallow it, with every row after the mark."""
DELIMITERS: Final = (",", ";", "\t", "|")
BYTE_ORDER_MARKS: Final = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
FORMULA_STARTS: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""What makes a spreadsheet take a text for a formula (OWASP, CSV Injection), the full-width forms included.

Our own exports put an apostrophe before such a text (`reading.spreadsheets`), which is taken off again when it is read.
"""


class UnreadableFile(ValueError):
    """The file is no table of customers. The message says what to do, for people."""


@dataclass(frozen=True, slots=True)
class SourceRow:
    """One row as it stands in the file: the number of its first line, from 1, and its cells by column, without empty ones."""

    line: int
    cells: dict[str, str]
    too_long: bool = False


@dataclass(frozen=True, slots=True)
class CustomerFile:
    """An opened file: columns that are read, columns that are not, and the rows, which are read as they are asked for."""

    columns: tuple[str, ...]
    ignored: tuple[str, ...]
    rows: Iterator[SourceRow]


def open_file(raw: bytes) -> CustomerFile:
    """Opens a file by what is in it. Raises UnreadableFile, also while the rows are read."""
    text = _decoded(raw).replace(END, "")
    first_line = text.lstrip().split("\n", 1)[0]
    if not first_line.strip():
        raise UnreadableFile(_("The file is empty. Its first line must name the columns, such as external_id, name, email, phone."))
    delimiter = max(DELIMITERS, key=lambda each: sum(_is_read(_column(cell)) for cell in first_line.split(each)))
    table = text.lstrip("\r\n ")
    reader = csv.reader(io.StringIO(f"{table}\r\n{END}", newline=""), delimiter=delimiter)
    skipped = len(text) - len(table)
    header = [_column(cell) for cell in _next(reader) or []]
    columns = tuple(name for name in header if _is_read(name))
    if not set(columns) & {*IDENTIFIERS, "name"}:
        raise UnreadableFile(
            _("No column of customers was found. The first line must name the columns: %(columns)s.") % {"columns": ", ".join(COLUMNS)}
        )
    if repeated := next((name for name in columns if columns.count(name) > 1), None):
        raise UnreadableFile(_("The column %(name)s stands there twice. Leave one of them out.") % {"name": repeated})
    ignored = tuple(name for name in header if name and not _is_read(name))
    return CustomerFile(columns, ignored, _rows(reader, header, text[:skipped].count("\n")))


def _rows(reader: Iterator[list[str]], header: list[str], lines_before: int) -> Iterator[SourceRow]:
    line = lines_before + reader.line_num + 1  # type: ignore[attr-defined]  # of csv's reader
    while (cells := _next(reader, line)) is not None:
        named = {name: _cell(cell) for name, cell in zip(header, cells, strict=False) if _is_read(name)}
        kept = {name: cell for name, cell in named.items() if cell}
        if kept:
            yield SourceRow(line, kept, too_long=any(cell.strip() for cell in cells[len(header) :]))
        line = lines_before + reader.line_num + 1  # type: ignore[attr-defined]


def _next(reader: Iterator[list[str]], line: int = 1) -> list[str] | None:
    """The next record, which begins in this line; None at the end, a record of its own unless a quotation mark is still open."""
    try:
        cells = next(reader, None)
    except csv.Error as error:
        raise UnreadableFile(
            _("Line %(line)d cannot be read (%(why)s). Look for a quotation mark that is not closed.")
            % {"line": reader.line_num, "why": error}  # type: ignore[attr-defined]  # of csv's reader
        ) from error
    if cells and cells != [END] and END in cells[-1]:
        raise UnreadableFile(
            _("Line %(line)d goes on to the end of the file. Look for a quotation mark that is not closed.") % {"line": line}
        )
    return None if cells == [END] else cells


def _decoded(raw: bytes) -> str:
    """The text of a file: by its byte order mark, else UTF-8, else what spreadsheets on Windows write."""
    marked = next((encoding for mark, encoding in BYTE_ORDER_MARKS if raw.startswith(mark)), None)
    for encoding in filter(None, (marked, "utf-8", "cp1252")):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    return raw.decode("latin-1")


def _column(cell: str) -> str:
    words = cell.strip().strip('"').split()
    if words and words[0].lower().startswith(ATTRIBUTE):
        return ATTRIBUTE + " ".join(words)[len(ATTRIBUTE) :].strip()
    return "_".join(words).lower()


def _is_read(name: str) -> bool:
    if name.startswith(ATTRIBUTE):
        return 0 < len(name) - len(ATTRIBUTE) <= LONGEST_ATTRIBUTE
    return name in COLUMNS


def _cell(cell: str) -> str:
    stripped = cell.strip()
    if stripped.startswith("'") and stripped[1:].lstrip(" ").startswith(FORMULA_STARTS):
        return stripped[1:]
    return stripped
