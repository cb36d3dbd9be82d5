"""What the record of a conversation's customer holds that the party of a line may not have shown to it."""

from __future__ import annotations

import calendar
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import lru_cache
from typing import Any, Final
from zoneinfo import ZoneInfo

from django.db import connection
from django.utils.formats import date_format
from django.utils.translation import get_language

from conversations.assistant.outgoing.forms import runs_of_words, squeezed, words
from conversations.models import Identifier, Interaction
from conversations.models.identifier import Assurance

LIMITS: Final[Mapping[str, Any]] = {"conversations": 50, "entries": 200}
"""So many conversations and visits, and so many entries, the last ones, are looked at."""
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
DAYS_KEPT: Final = 1_000


@dataclass(frozen=True, slots=True)
class Private:
    """Values, each with what it is and its squeezed writings; the words of names; and runs of words that were said to others."""

    values: tuple[tuple[str, tuple[str, ...]], ...] = ()
    names: frozenset[str] = frozenset()
    quotes: frozenset[tuple[str, ...]] = field(default_factory=frozenset)


NOTHING: Final = Private()
OF_THE_RECORD: Final = """
WITH record AS (SELECT customer_id AS id FROM conversations_conversation WHERE id = %(conversation)s),
talks AS (SELECT id, facts FROM conversations_conversation WHERE customer_id = (SELECT id FROM record)),
visits AS (
    SELECT reference, name, phone, postcode, "window" FROM conversations_booking
     WHERE customer_id = (SELECT id FROM record) ORDER BY id DESC LIMIT %(conversations)s
),
said AS (
    SELECT entry.body FROM conversations_entry AS entry JOIN talks ON talks.id = entry.conversation_id
     WHERE entry.redacted_at IS NULL
       AND (entry.kind = 'note' OR entry.kind = 'message' AND entry.actor_kind IN ('customer', 'agent'))
       AND (entry.interaction_id IS NULL OR entry.interaction_id <> ALL (%(lines)s) OR entry.audience = 'staff')
     ORDER BY entry.id DESC LIMIT %(entries)s
)
SELECT (SELECT coalesce(jsonb_agg(jsonb_build_array(
                   name, address, postcode, date_of_birth, CASE WHEN open_balance <> 0 THEN open_balance::text END)), '[]')
          FROM conversations_customer WHERE id = (SELECT id FROM record) OR root_id = (SELECT id FROM record)),
       (SELECT coalesce(jsonb_agg(jsonb_build_array(kind, value)), '[]')
          FROM conversations_identifier WHERE customer_id = (SELECT id FROM record) AND kind <> 'visitor'),
       (SELECT coalesce(jsonb_agg(jsonb_build_array(reference, name, phone, postcode, lower("window"))), '[]') FROM visits),
       (SELECT coalesce(jsonb_agg(facts), '[]') FROM (SELECT facts FROM talks ORDER BY id DESC LIMIT %(conversations)s) AS latest),
       (SELECT coalesce(jsonb_agg(body), '[]') FROM said)
"""
"""What a record holds: its customers, identifiers, visits, facts, and what was written out of sight of these lines."""


def private_of(interaction: Interaction, lines: Sequence[int], level: str) -> Private:
    """What may not be said on a line unless it was said or told there; nothing for a party that has proven to be the customer.

    One statement. `lines` are `access.lines_of_party` of the line, `level` is `access.proven_level`.
    """
    if level == Assurance.VERIFIED:
        return NOTHING
    asked = {"conversation": interaction.conversation_id, "lines": list(lines), **LIMITS}
    with connection.cursor() as cursor:
        cursor.execute(OF_THE_RECORD, asked)
        customers, identifiers, visits, facts, said = map(json.loads, cursor.fetchone())
    zone = ZoneInfo(interaction.entry_point.time_zone)
    found = {(what, str(value)) for what, value in _values(customers, identifiers, visits, facts, zone) if value}
    values = {(what, writings) for what, value in found if (writings := _writings(what, value))}
    names = {word for what, value in found if what == "name" for word in words(value)}
    rare = frozenset(word for word in names if len(word) >= SHORTEST_NAME and word not in NO_NAMES and not word.isdigit())
    return Private(tuple(sorted(values)), rare, frozenset(_quotes(said)))


def writings_of_day(value: date) -> tuple[str, ...]:
    """How a day may stand in a text, squeezed, in the language that is spoken."""
    return _writings_of_day(value, get_language() or "")


@lru_cache(maxsize=DAYS_KEPT)
def _writings_of_day(value: date, language: str) -> tuple[str, ...]:
    """The same; a turn that offers times names each day many times over."""
    written = [value.isoformat(), f"{value:%d/%m/%Y}", f"{value.day}/{value.month}/{value.year}", f"{value:%m/%d/%Y}"]
    return tuple({squeezed(each) for each in [*written, *(date_format(value, form) for form in DAYS)]})


def _values(
    customers: list[Any], identifiers: list[Any], visits: list[Any], facts: list[dict[str, Any]], zone: ZoneInfo
) -> Iterator[tuple[str, Any]]:
    for name, address, postcode, date_of_birth, balance in customers:
        yield from (("name", name), ("address", address), ("postcode", postcode), ("date of birth", date_of_birth))
        yield "balance", balance
    for kind, value in identifiers:
        yield ("reference", value.partition(":")[2]) if kind == Identifier.Kind.EXTERNAL else (kind, value)
    for reference, name, phone, postcode, begins in visits:
        yield from (("reference", reference), ("name", name), ("phone", phone), ("postcode", postcode))
        yield "visit", date_format(datetime.fromisoformat(begins).astimezone(zone), "j F, H:i")
    for known in facts:
        yield from ((FACTS[name], fact["value"]) for name, fact in known.items() if name in FACTS and isinstance(fact["value"], str))


def _quotes(said: Iterable[str]) -> Iterator[tuple[str, ...]]:
    """Runs of the words that people of this record and of the company wrote where this party does not see them."""
    for body in said:
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
