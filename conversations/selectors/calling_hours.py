"""Where a phone may be, and whether it is a time at which it may be rung there. The database answers; see migration 0030."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

import phonenumbers
from django.db import connection
from phonenumbers import timezone as zones_by_number

from conversations.models import Customer

LOOKED_AHEAD: Final = timedelta(days=10)


def zones_of(number: str, customer: Customer | None = None) -> list[str]:
    """The time zones in any of which an E.164 number's phone may be, sorted; empty when nothing is known of it.

    The zone on the customer's record, when there is one. Otherwise every zone of the number's part of its numbering plan: a
    mobile number of a large country, or a freephone one, may be in many. Source: `phonenumbers`, the zones of Google's libphonenumber.
    """
    if customer is not None and customer.time_zone:
        return [customer.time_zone]
    try:
        parsed = phonenumbers.parse(number)
    except phonenumbers.NumberParseException:
        return []
    found = zones_by_number.time_zones_for_number(parsed)
    if set(found) == {zones_by_number.UNKNOWN_TIMEZONE}:
        # A number of no plan, such as one kept for films, is still where its first digits are.
        found = zones_by_number.time_zones_for_geographical_number(parsed)
    return sorted(set(found) - {zones_by_number.UNKNOWN_TIMEZONE})


def refusal_at(number: str, zones: Sequence[str], at: datetime) -> str:
    """Why a phone may not be rung at a moment: `unknown_place`, `holiday` or `hours`; empty when it may. One statement."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT coalesce(conversations_hours_refusal(%s, %s, %s), '')", [number, list(zones), at])
        refusal: str = cursor.fetchone()[0]
    return refusal


def next_time(number: str, zones: Sequence[str], after: datetime) -> datetime | None:
    """The first quarter of an hour from a moment on at which a phone may be rung; None when there is none within ten days.

    One statement.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT moment FROM generate_series(%s::timestamptz, %s::timestamptz, interval '15 minutes') AS moment"
            " WHERE conversations_hours_refusal(%s, %s, moment) IS NULL LIMIT 1",
            [after, after + LOOKED_AHEAD, number, list(zones)],
        )
        row = cursor.fetchone()
    return row[0] if row else None
