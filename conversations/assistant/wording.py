"""How times, numbers and lists read in a reply. The same words are typed and said; the phone says digits its own way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy
from django.utils.translation import pgettext

EURO_COUNTRIES = ("AT", "BE", "CY", "DE", "EE", "ES", "FI", "FR", "GR", "HR", "IE", "IT", "LT", "LU", "LV", "MT", "NL", "PT", "SI", "SK")
CURRENCY_SIGNS = {"GB": "£", "US": "$", "CA": "$", "AU": "$", "NZ": "$"} | dict.fromkeys(EURO_COUNTRIES, "€")
"""By the country (ISO 3166) of an entry point's language."""
REPAIRS = {
    "postcode": _lazy("That is not a postcode I know; one looks like HB1 4QT."),
    "phone": _lazy("That is not a phone number I can use; one looks like 07700 900123."),
    "email": _lazy("That is not an email address I can use; one looks like sam@example.com."),
}
"""What is said of an answer that cannot be used, with an example, which is nobody's."""


def day(moment: datetime, now: datetime, *, plain: bool = False) -> str:
    """“today, Monday 23 November”; `plain` leaves out today and tomorrow, for what is read later."""
    name = date_of(moment)
    days = (moment.date() - now.astimezone(moment.tzinfo).date()).days
    if plain or days not in (0, 1):
        return name
    return _("today, %(day)s") % {"day": name} if days == 0 else _("tomorrow, %(day)s") % {"day": name}


def date_of(day: date) -> str:
    """“Monday 23 November”."""
    return date_format(day, pgettext("format of a date, as in Django", "l j F"))


def day_and_month(number: int, month: int, year: int = 0) -> str:
    """“31 November”, for a date that need not exist; with the year when there is one."""
    named = _("%(day)d %(month)s") % {"day": number, "month": date_format(date(2000, month, 1), "F")}
    return f"{named} {year}" if year else named


def window(start: datetime, end: datetime, now: datetime, *, plain: bool = False) -> str:
    """“Tuesday 24 November, 10:00 to 12:00” in the zone the times are in."""
    return _("%(day)s, %(from)s to %(to)s") % {
        "day": day(start, now, plain=plain),
        "from": f"{start:%H:%M}",
        "to": f"{end:%H:%M}",
    }


def labelled(slot: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    """A window (`start` and `end`, ISO) with its name in the language that is spoken as its `label`."""
    start, end = datetime.fromisoformat(slot["start"]), datetime.fromisoformat(slot["end"])
    return {"start": slot["start"], "end": slot["end"], "label": window(start, end, now, plain=True)}


def moment_of(at: datetime, now: datetime) -> str:
    """“tomorrow, Tuesday 24 November, at 08:00”."""
    return _("%(day)s, at %(time)s") % {"day": day(at, now), "time": f"{at:%H:%M}"}


def listed(items: Sequence[str], last: str = "") -> str:
    """“a, b and c”; `last` is the word before the last one."""
    if len(items) < 2:
        return "".join(items)
    return f"{', '.join(items[:-1])} {last or _('and')} {items[-1]}"


def money(amount: str, language: str) -> str:
    """An amount with the currency sign of the place that `language` (such as en-GB) names: “£85”; without one where none is known."""
    return f"{currency_of(language)}{amount.removesuffix('.00')}"


def currency_of(language: str) -> str:
    """The currency sign of the place that `language` (such as en-GB) names; empty where none is known."""
    return CURRENCY_SIGNS.get(language.partition("-")[2].upper(), "")
