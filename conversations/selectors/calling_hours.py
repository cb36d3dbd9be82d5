"""Where a phone may be, and whether it is a time at which it may be rung there. The database answers; see migration 0030."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import phonenumbers
from django.db import connection
from phonenumbers import timezone as zones_by_number

from conversations.models import Customer

LOOKED_AHEAD: Final = timedelta(days=10)
# The first moment at which a phone may be rung is looked for at full quarters of an hour, as by `next_time`.
CLOSED_NOW: Final = """
WITH asked AS (
    SELECT key, number, string_to_array(zones, ' ') AS zones,
           (SELECT region.id FROM conversations_callingregion region, unnest(region.prefixes) AS prefix
             WHERE starts_with(number, prefix) ORDER BY length(prefix) DESC, region.id LIMIT 1) AS place
      FROM unnest(%(keys)s::bigint[], %(numbers)s::text[], %(zones)s::text[]) AS phone(key, number, zones)
), alike AS (
    SELECT place, zones, min(number) AS number FROM asked GROUP BY place, zones
), closed AS (
    SELECT place, zones, number, conversations_hours_refusal(number, zones, %(at)s::timestamptz) AS why FROM alike
)
SELECT asked.key, closed.why, opening.moment
  FROM closed
  JOIN asked ON asked.place = closed.place AND asked.zones = closed.zones
  LEFT JOIN LATERAL (
       SELECT moment FROM generate_series(date_bin('15 minutes', %(at)s::timestamptz, 'epoch'::timestamptz)
                    + interval '15 minutes', %(until)s::timestamptz, interval '15 minutes') AS moment
        WHERE conversations_hours_refusal(closed.number, closed.zones, moment) IS NULL LIMIT 1) opening ON TRUE
 WHERE closed.why IN ('hours', 'holiday')
"""


@dataclass(frozen=True, slots=True)
class Closed:
    """That a phone may not be rung now: `why` is `hours` or `holiday`; from when on it may, None when not within ten days."""

    why: str
    opens: datetime | None


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


def closed_now(phones: Mapping[int, tuple[str, Sequence[str]]], at: datetime) -> dict[int, Closed]:
    """Of numbers, each with the zones it may be in, those that may not be rung at a moment for the hour or the day alone.

    Numbers of one region and the same zones open together, so one is looked at for all of them. One statement.
    """
    if not phones:
        return {}
    keys = list(phones)
    numbers = [phones[key][0] for key in keys]
    zones = [" ".join(phones[key][1]) for key in keys]
    with connection.cursor() as cursor:
        cursor.execute(CLOSED_NOW, {"keys": keys, "numbers": numbers, "zones": zones, "at": at, "until": at + LOOKED_AHEAD})
        return {key: Closed(why, opens) for key, why, opens in cursor.fetchall()}
