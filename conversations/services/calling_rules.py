"""The rows that say when and how often a customer may be rung: those that come along, and a country's holidays."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import holidays
from django.db import transaction

from conversations.models import CallingCap, CallingHoliday, CallingHours, CallingPolicy, CallingRegion

COMES_ALONG: Final = Path(__file__).parent / "data" / "calling_rules.json"


class UnknownCountry(ValueError):
    """No holidays are known of it."""


def lay_down() -> None:
    """Creates the policies and regions that are missing, as they come along; changes nothing that is there. One transaction."""
    rules = json.loads(COMES_ALONG.read_text(encoding="utf-8"))
    with transaction.atomic():
        for row in rules["policies"]:
            _add_policy(row)
        for row in rules["regions"]:
            _add_region(row)


def add_holidays(region: CallingRegion, country: str, years: range) -> int:
    """Adds a country's public holidays (ISO 3166, such as GB, or US-FL for a part of it); returns how many were new.

    Raises UnknownCountry. Source of the days: the library `holidays`.
    """
    code, _dash, part = country.strip().upper().partition("-")
    try:
        found = holidays.country_holidays(code, subdiv=part or None, years=years)
    except NotImplementedError as error:
        raise UnknownCountry(country) from error
    rows = [CallingHoliday(region=region, day=day, name=name[:120]) for day, name in sorted(found.items())]
    before = region.holidays.count()
    CallingHoliday.objects.bulk_create(rows, ignore_conflicts=True)
    return region.holidays.count() - before


def _add_policy(row: dict[str, Any]) -> None:
    kept = {"keeps_hours": row.get("keeps_hours", True), "quiet_days": row.get("quiet_days", 0), "source": row.get("source", "")}
    policy, is_new = CallingPolicy.objects.get_or_create(purpose=row["purpose"], defaults=kept)
    if is_new:
        CallingCap.objects.bulk_create(
            CallingCap(policy=policy, counted_by=counted_by, most=most, hours=hours) for counted_by, most, hours in row["caps"]
        )


def _add_region(row: dict[str, Any]) -> None:
    kept = {"prefixes": row["prefixes"], "source": row["source"]}
    region, is_new = CallingRegion.objects.get_or_create(name=row["name"], defaults=kept)
    if not is_new:
        return
    for days, (opens, closes) in row["hours"].items():
        first, _to, last = days.partition("-")
        CallingHours.objects.bulk_create(
            CallingHours(region=region, weekday=weekday, opens=opens, closes=closes)
            for weekday in range(int(first), int(last or first) + 1)
        )
