"""Tables as CSV files that are safe to open in a spreadsheet."""

from __future__ import annotations

import csv
from datetime import datetime
from typing import Any

from django.http import HttpResponse

from reporting.figure import Table

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""What makes a spreadsheet take a text for a formula (OWASP, CSV Injection), the full-width forms included."""


def csv_response(table: Table, name: str) -> HttpResponse:
    """All rows of the table as a download called `name`.csv, in UTF-8 with a mark that spreadsheets understand."""
    response = HttpResponse(content_type="text/csv; charset=utf-8", headers={"Content-Disposition": f'attachment; filename="{name}.csv"'})
    response.write("\ufeff")
    writer = csv.writer(response, quoting=csv.QUOTE_ALL)
    writer.writerow([harmless(str(column)) for column in table.columns])
    writer.writerows([harmless(cell.value) for cell in row] for row in table.rows())
    return response


def harmless(value: Any) -> Any:
    """The value as a cell that no spreadsheet runs: a text that begins like a formula gets an apostrophe before it."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.isoformat(timespec="seconds")
    if isinstance(value, (int, float)):
        return value
    text = str(value)
    return f"'{text}" if text.lstrip(" ").startswith(FORMULA_STARTS) else text
