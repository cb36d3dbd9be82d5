"""What is said on a call that we make: by the playbook where it says something, otherwise the usual words.

Who is calling, that it is an AI, and how to get no more calls is always said (47 CFR 64.1200(b); EU AI Act, article 50(1)); what
is private only once it is known who is on the line (12 CFR 1006.6(d): a debt is nobody else's business).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext

from conversations.models import Audience, Customer, EntryPoint, PlaybookOpening
from conversations.models.calling_rules import CallPurpose
from conversations.selectors.audiences import Details

PLACES: Final[Mapping[str, frozenset[str]]] = {
    "opening": frozenset({"name", "company"}),
    "message": frozenset({"name", "company", "what", "when", "amount"}),
    "voicemail": frozenset({"name", "company", "number"}),
}
"""What may be filled into each text; what is private only into the message."""
PLACE: Final = re.compile(r"\{(\w*)\}")


@dataclass(frozen=True, slots=True)
class Words:
    """The usual words of a purpose: why we call, and what the customer is told."""

    opening: str | Promise
    message: str | Promise


USUAL: Final[Mapping[str, Words]] = {
    CallPurpose.REMINDER: Words(
        gettext_lazy("I am calling about a visit from us."),
        gettext_lazy("I would like to remind you of your visit: {what}, on {when}. Does that still suit you?"),
    ),
    CallPurpose.COLLECTION: Words(
        gettext_lazy("I am calling about a personal matter."),
        gettext_lazy("By our books {amount} is still to be paid. By when can you pay it, or is something wrong with it?"),
    ),
    CallPurpose.CALLBACK: Words(
        gettext_lazy("I am calling you back, as you asked."),
        gettext_lazy("You asked us to call you back. How can I help?"),
    ),
    CallPurpose.FOLLOW_UP: Words(
        gettext_lazy("I am calling to hear whether all went well."),
        gettext_lazy("You were in touch with us lately. Is everything in order, or is there anything that I can do for you?"),
    ),
    CallPurpose.CONFIRMATION: Words(
        gettext_lazy("I am calling to confirm a visit from us."),
        gettext_lazy("Your visit is booked: {what}, on {when}. Does that suit you?"),
    ),
}
VOICEMAIL: Final = gettext_lazy(
    "This is the automated voice of {company}, with a message for {name}. Please call us back on {number}. Thank you."
)


GIVEN_BY: Final[Mapping[str, frozenset[str]]] = {
    Audience.Source.BOOKINGS: frozenset({"what", "when"}),
    Audience.Source.BALANCES: frozenset({"amount"}),
}
"""What those know of the call that an audience's source finds; others know nothing of the kind. See `selectors.audiences.details_of`."""


def empty_places(door: EntryPoint, purpose: str, source: str) -> set[str]:
    """The places of a purpose's message, in any language of the number, that would be empty on calls to those whom the source finds."""
    own = dict(door.playbook.openings.filter(purpose=purpose).values_list("language", "message"))
    said = [own.get(language, str(USUAL[purpose].message)) for language in door.playbook.languages]
    needed = set(PLACE.findall(" ".join(said))) & {"what", "when", "amount"}
    return needed - GIVEN_BY.get(source, frozenset())


def unknown_places(field: str, text: str) -> set[str]:
    """The places in a text that nothing is filled into."""
    return set(PLACE.findall(text)) - PLACES[field]


def introduction(door: EntryPoint, purpose: str, customer: Customer, language: str) -> str:
    """What whoever picks up hears first: who is calling, that it is an AI, why, and how to get no more calls."""
    own = _own(door, purpose, language)
    values = {"name": customer.name, "company": door.company_name}
    why = _filled(own.opening if own else str(USUAL[purpose].opening), values)
    who = _("This is the automated voice of %(company)s; I am an AI.") % {"company": door.company_name}
    return f"{who} {why} {asks_for(customer)} {way_out()}"


def asks_for(customer: Customer) -> str:
    """Asks whether the customer is on the line."""
    if not customer.name:
        return _("May I tell you more?")
    return _("Am I speaking with %(name)s?") % {"name": customer.name}


def way_out() -> str:
    """How to get no more calls."""
    return _("If you want no more calls from us, press 9 or say: do not call me again.")


def message(door: EntryPoint, purpose: str, customer: Customer, details: Details, language: str) -> str:
    """What the customer is told once it is known that it is them."""
    own = _own(door, purpose, language)
    when = _read_out(details.when, ZoneInfo(door.time_zone)) if details.when else ""
    amount = f"{details.amount:.2f}" if details.amount is not None else ""
    values = {"name": customer.name, "company": door.company_name, "what": details.what, "when": when, "amount": amount}
    return _filled(own.message if own else str(USUAL[purpose].message), values)


def _read_out(at: datetime, zone: ZoneInfo) -> str:
    """A moment as it is said, by the company's clock."""
    there = timezone.localtime(at, zone)
    return f"{date_format(there, pgettext('format of a date, as in Django', 'l j F'))}, {date_format(there, 'H:i')}"


def voicemail(door: EntryPoint, purpose: str, customer: Customer, language: str) -> str:
    """What is left on a machine, which anybody may hear."""
    own = _own(door, purpose, language)
    text = own.voicemail if own and own.voicemail else str(VOICEMAIL)
    name = customer.name or _("whoever has this number")
    return _filled(text, {"name": name, "company": door.company_name, "number": door.address})


def _own(door: EntryPoint, purpose: str, language: str) -> PlaybookOpening | None:
    return door.playbook.openings.filter(purpose=purpose, language=language.partition("-")[0]).first()


def _filled(text: str, values: Mapping[str, str]) -> str:
    return " ".join(PLACE.sub(lambda place: values.get(place[1], ""), text).split())
