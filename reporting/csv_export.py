"""Tables as CSV files that are safe to open in a spreadsheet."""

from __future__ import annotations

import csv

from django.http import HttpResponse

from conversations.reading.spreadsheets import harmless
from reporting.figure import Table


def csv_response(table: Table, name: str) -> HttpResponse:
    """All rows of the table as a download called `name`.csv, in UTF-8 with a mark that spreadsheets understand."""
    response = HttpResponse(content_type="text/csv; charset=utf-8", headers={"Content-Disposition": f'attachment; filename="{name}.csv"'})
    response.write("\ufeff")
    writer = csv.writer(response, quoting=csv.QUOTE_ALL)
    writer.writerow([harmless(str(column)) for column in table.columns])
    writer.writerows([harmless(cell.value) for cell in row] for row in table.rows())
    return response
