"""The customers of a list as a CSV file that a spreadsheet may open and that can be imported again."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from typing import Any

from django.http import HttpResponse

from conversations.models import Customer, Identifier
from conversations.models.identifier import ASSURANCE_RANK
from conversations.reading.spreadsheets import harmless
from conversations.services.import_files import ATTRIBUTE, COLUMNS, FIELDS

MOST_ROWS = 50_000


def csv_of(customers: Iterable[Customer]) -> HttpResponse:
    """One row for each customer, with the surest identifier of each kind; the identifiers must have been fetched."""
    rows = list(customers)
    attributes = sorted({name for customer in rows for name in customer.attributes})
    response = HttpResponse(
        content_type="text/csv; charset=utf-8", headers={"Content-Disposition": 'attachment; filename="customers.csv"'}
    )
    response.write("\ufeff")
    writer = csv.writer(response, quoting=csv.QUOTE_ALL)
    writer.writerow([*COLUMNS, *(harmless(f"{ATTRIBUTE}{name}") for name in attributes)])
    for customer in rows:
        known = _surest(customer)
        cells = [known.get("external"), known.get("email"), known.get("phone"), *(getattr(customer, name) for name in FIELDS)]
        writer.writerow([harmless(cell) for cell in (*cells, *(customer.attributes.get(name) for name in attributes))])
    return response


def _surest(customer: Customer) -> dict[str, Any]:
    best: dict[str, Identifier] = {}
    for each in customer.identifiers.all():
        if each.kind not in best or ASSURANCE_RANK[each.assurance] > ASSURANCE_RANK[best[each.kind].assurance]:
            best[each.kind] = each
    return {kind: each.value for kind, each in best.items()}
