"""What the record of a conversation's customer holds that the party of a line may not have shown to it."""

from __future__ import annotations

import calendar
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final
from zoneinfo import ZoneInfo

from django.db.models import Q
from django.utils.formats import date_format

from conversations.assistant.outgoing.forms import runs_of_words, squeezed, words
from conversations.models import Booking, Conversation, Customer, Entry, Identifier, Interaction
from conversations.models.identifier import Assurance
from conversations.selectors import access

MOST_CONVERSATIONS: Final = 50
MOST_ENTRIES: Final = 200
SHORTEST_VALUE: Final = 5
SHORTEST_BALANCE: Final = 3
SHORTEST_NAME: Final = 4
DIGITS_OF_A_NUMBER: Final = 9
"""How many of a phone number's last digits tell it, with and without the country before them."""
WORDS_OF_A_QUOTE: Final = 6
TELLING_WORDS: Final = 3
"""So many words of a quote must tell something besides a day and an hour."""
OF_TIMES: Final = frozenset(
    {word.casefold() for words_of in (calendar.day_name, calendar.month_name, calendar.day_abbr, calendar.month_abbr) for word in words_of}
    | {"a", "am", "and", "at", "between", "from", "in", "next", "noon", "of", "on", "pm", "the", "this", "to", "today", "tomorrow"}
)
NO_NAMES: Final = frozenset({"april", "august", "june", "march", "monday", "friday", "sunday", "street", "road", "miss", "with", "will"})
"""Words that are names sometimes and something else most of the time."""
FACTS: Final = {
    "name": "name", "phone": "phone", "email": "email", "postcode": "postcode", "address": "address", "date_of_birth": "date of birth",
    "order_number": "reference", "account_number": "reference",
}  # fmt: skip
DAYS: Final = ("j F Y", "F j Y", "jS F Y", "j M Y", "j \\o\\f F Y", "j \\d\\e F \\d\\e Y", "j F")


@dataclass(frozen=True, slots=True)
class Private:
    """Values, each with what it is and its squeezed writings; the words of names; and runs of words that were said to others."""

    values: tuple[tuple[str, tuple[str, ...]], ...] = ()
    names: frozenset[str] = frozenset()
    quotes: frozenset[tuple[str, ...]] = field(default_factory=frozenset)


NOTHING: Final = Private()


def private_of(interaction: Interaction, level: str) -> Private:
    """What may not be said on a line unless it was said or told there; nothing for a party that has proven to be the customer.

    Six statements. `level` is `access.proven_level` of the line.
    """
    if level == Assurance.VERIFIED:
        return NOTHING
    customer = Conversation.objects.values_list("customer", flat=True).get(pk=interaction.conversation_id)
    found = {(what, str(value)) for what, value in _values(customer, ZoneInfo(interaction.entry_point.time_zone)) if value}
    values = {(what, writings) for what, value in found if (writings := _writings(what, value))}
    names = {word for what, value in found if what == "name" for word in words(value)}
    rare = frozenset(word for word in names if len(word) >= SHORTEST_NAME and word not in NO_NAMES and not word.isdigit())
    return Private(tuple(sorted(values)), rare, frozenset(_quotes(customer, interaction)))


def writings_of_day(value: date) -> tuple[str, ...]:
    """How a day may stand in a text, squeezed."""
    written = [value.isoformat(), f"{value:%d/%m/%Y}", f"{value.day}/{value.month}/{value.year}", f"{value:%m/%d/%Y}"]
    return tuple({squeezed(each) for each in [*written, *(date_format(value, form) for form in DAYS)]})


def _values(customer: int, zone: ZoneInfo) -> Iterator[tuple[str, Any]]:
    for row in Customer.objects.filter(Q(pk=customer) | Q(root=customer)):
        yield from (("name", row.name), ("address", row.address), ("postcode", row.postcode), ("date of birth", row.date_of_birth))
        yield "balance", f"{row.open_balance:.2f}" if row.open_balance else ""
    known = Identifier.objects.filter(customer=customer).exclude(kind=Identifier.Kind.VISITOR)
    for kind, value in known.values_list("kind", "value"):
        yield ("reference", value.partition(":")[2]) if kind == Identifier.Kind.EXTERNAL else (kind, value)
    for booking in Booking.objects.filter(customer=customer).order_by("-pk")[:MOST_CONVERSATIONS]:
        yield from (("reference", booking.reference), ("name", booking.name), ("phone", booking.phone), ("postcode", booking.postcode))
        yield "visit", date_format(booking.window.lower.astimezone(zone), "j F, H:i")
    talks = Conversation.objects.filter(customer=customer).order_by("-pk")
    for facts in talks.values_list("facts", flat=True)[:MOST_CONVERSATIONS]:
        yield from ((FACTS[name], fact["value"]) for name, fact in facts.items() if name in FACTS and isinstance(fact["value"], str))


def _quotes(customer: int, interaction: Interaction) -> Iterator[tuple[str, ...]]:
    """Runs of the words that people of this record and of the company wrote where this party does not see them."""
    said = Q(kind="message", actor_kind__in=[Entry.Actor.CUSTOMER, Entry.Actor.AGENT]) | Q(kind="note")
    hidden = ~Q(interaction__in=access.lines_of_party(interaction).values("pk")) | Q(audience=Entry.Audience.STAFF)
    rows = Entry.objects.filter(said, hidden, conversation__customer=customer, redacted_at__isnull=True)
    for body in rows.order_by("-pk").values_list("body", flat=True)[:MOST_ENTRIES]:
        yield from (run for run in runs_of_words(body, WORDS_OF_A_QUOTE) if sum(map(_tells_more_than_a_time, run)) >= TELLING_WORDS)


def _tells_more_than_a_time(word: str) -> bool:
    """Whether a word is none of those that every day and hour is told with, which anybody may say."""
    return not word.isdigit() and word not in OF_TIMES


def _writings(what: str, value: str) -> tuple[str, ...]:
    """How a value may stand in a text, squeezed; none when it is too short to tell anything."""
    if what == "date of birth":
        try:
            return writings_of_day(date.fromisoformat(value))
        except ValueError:
            return ()
    if what == "phone":
        digits = squeezed(value)
        return (digits[-DIGITS_OF_A_NUMBER:],) if len(digits) >= SHORTEST_VALUE else ()
    found = [value]
    if what == "address":
        street = value.partition(",")[0]
        found = [street, street.lstrip("0123456789/- ")]
    elif what == "balance":
        found = [value, value.partition(".")[0]]
    elif what == "email":
        found = [value, value.replace("@", " at ").replace(".", " dot ")]
    shortest = SHORTEST_BALANCE if what == "balance" else SHORTEST_VALUE
    return tuple(form for form in map(squeezed, found) if len(form) >= shortest)
