"""How fast customers are found among a thousand and a million, by everything that staff type.

Value: `customer_search.search`, one process. Floor: a customer fetched by primary key, in the same run. The people are those of
`population`, and as much is looked for of each kind. For the texts, one in five customers has a conversation of
four messages, with words by Zipf's law. The same have an order, an invoice, a ticket and a visit, which are looked for as on the page of
customers, the other systems asked included. BENCH_CUSTOMERS changes the larger size.
"""

from __future__ import annotations

import os
import random
import statistics
import string
from collections.abc import Callable, Iterator
from time import perf_counter
from typing import Any

from django.db import connection

from conversations.connectors.references import LETTERS, PREFIX
from conversations.models import Customer
from conversations.reading.elsewhere import whose
from conversations.selectors.customer_search import Found, search
from tests.benchmarks import population
from tests.benchmarks.population import Person
from tests.support.database import throwaway_database

SIZES = (1_000, int(os.environ.get("BENCH_CUSTOMERS", "1000000")))
SEARCHES = 100
WANTED_MILLISECONDS = 50.0
TALK = """
    INSERT INTO conversations_conversation (public_id, customer_id, original_customer_id, status, closed_at, urgency, sentiment, score,
        failed_turns, language, facts, form_state, owner_kind, fence, last_seq, turn_wanted_seq, turn_done_seq, turn_worker, turn_attempts)
    SELECT gen_random_uuid(), id, id, 'closed', now(), 'normal', 0, 0, 0, '', '{}', '{}', 'assistant', 1, 4, 0, 0, '', 0
    FROM conversations_customer WHERE id % 5 = 0;
    SELECT setseed(0.2611);
    INSERT INTO conversations_entry (conversation_id, seq, kind, actor_kind, actor_name, body, data, audience, redaction_reason)
    SELECT id, seq, 'message', 'customer', '',
        (SELECT string_agg('word' || floor(30000 ^ random())::int, ' ') FROM generate_series(1, 12) WHERE id + seq > 0),
        '{}', 'everyone', ''
    FROM conversations_conversation, generate_series(1, 4) AS seq ORDER BY id, seq
"""
REFERENCE = f"""
    '{PREFIX}-' || (SELECT string_agg(substr('{LETTERS}', (mod(number / (27 ^ place)::bigint, 27) + 1)::int, 1), '')
              FROM generate_series(0, 5) AS place)
"""
"""A reference as `connectors.references` draws them, of `number`."""
KINDS_OF_REFERENCE = ("order", "invoice", "ticket", "visit")
"""Customer n has those of the numbers 4 n, 4 n + 1, and so on."""
SOLD = (
    """
    INSERT INTO conversations_salesaccount (number, name, email, phone)
    SELECT 'till:' || id, name, coalesce((SELECT value FROM conversations_identifier
        WHERE customer_id = person.id AND kind = 'email' AND assurance <> 'claimed' LIMIT 1), ''), ''
    FROM conversations_customer AS person WHERE id % 5 = 0
    """,
    """
    INSERT INTO conversations_identifier (customer_id, original_customer_id, kind, value, assurance, shown_as, source)
    SELECT id, id, 'external', 'till:' || id, 'verified', 'verified', 'till' FROM conversations_customer WHERE id % 5 = 0
    """,
    f"""
    INSERT INTO conversations_salesorder (account_id, reference, what, ordered_on, state, total)
    SELECT account, {REFERENCE}, 'Valve', current_date, 'placed', 10
    FROM (SELECT id AS account, 4 * split_part(number, ':', 2)::bigint AS number FROM conversations_salesaccount) AS sold
    """,
    f"""
    INSERT INTO conversations_invoice (account_id, reference, what, issued_on, due_on, total, left_to_pay)
    SELECT account, {REFERENCE}, 'Valve', current_date, current_date, 10, 0
    FROM (SELECT id AS account, 4 * split_part(number, ':', 2)::bigint + 1 AS number FROM conversations_salesaccount) AS sold
    """,
    f"""
    INSERT INTO conversations_ticket (reference, kind, state, subject, details, contact, customer, conversation, idempotency_key)
    SELECT {REFERENCE}, 'ticket', 'open', 'Valve', '', '{{}}', customer, gen_random_uuid(), number
    FROM (SELECT public_id AS customer, 4 * id + 2 AS number FROM conversations_customer WHERE id % 5 = 0) AS asked
    """,
    "INSERT INTO conversations_technician (name, time_zone, active) VALUES ('Bench', 'UTC', true)",
    f"""
    INSERT INTO conversations_booking (reference, customer_id, original_customer_id, conversation_id, technician_id, service, name, phone,
        postcode, "window", state, idempotency_key)
    SELECT {REFERENCE}, customer, customer, talk, (SELECT min(id) FROM conversations_technician), 'Repair', '', '', '',
        tstzrange(now() + number * interval '1 hour', now() + number * interval '1 hour' + interval '30 minutes'), 'booked', number
    FROM (SELECT customer_id AS customer, id AS talk, 4 * customer_id + 3 AS number FROM conversations_conversation) AS visit
    """,
)


def measure() -> Iterator[dict[str, Any]]:
    """Yields the p95 of all kinds of search together, and of each kind, at each size."""
    for size in SIZES:
        with throwaway_database("customer_search"):
            population.fill(size)
            with connection.cursor() as cursor:
                cursor.execute(TALK)
                for statement in SOLD:
                    cursor.execute(statement)
                for table in ("conversation", "entry", "identifier", "salesaccount", "salesorder", "invoice", "ticket", "booking"):
                    cursor.execute(f"VACUUM ANALYZE conversations_{table}")
            yield from _figures(size)


def _figures(size: int) -> Iterator[dict[str, Any]]:
    dice = random.Random(population.SEED)
    people = population.sample(size, SEARCHES)
    asked = {kind: [text for person in people if (text := ask(person, dice))] for kind, ask in KINDS.items()}
    for texts in asked.values():
        _search_everywhere(texts[0])
    taken = {kind: [_milliseconds(_search_everywhere, text) for text in texts] for kind, texts in asked.items()}
    floor = _p95([_milliseconds(_by_primary_key, person.id) for person in people])
    every = [each for times in taken.values() for each in times]
    yield _figure("customer_search", size, every, floor, WANTED_MILLISECONDS if size == SIZES[-1] else None)
    for kind, times in taken.items():
        yield _figure(f"customer_search_{kind}", size, times, floor, None)


def _figure(name: str, size: int, times: list[float], floor: float, wanted: float | None) -> dict[str, Any]:
    value = _p95(times)
    return {
        "name": f"{name}_p95_{size}",
        "value": round(value, 2),
        "unit": "ms",
        "floor": round(floor, 3),
        "ratio": round(value / floor, 1),
        "wanted": wanted,
        "conditions": f"{size} customers, {len(times)} searches one after the other, p50 {statistics.median(times):.2f} ms",
    }


def _p95(times: list[float]) -> float:
    return statistics.quantiles(times, n=20, method="inclusive")[18]


def _milliseconds(call: Callable[[Any], object], argument: Any) -> float:
    begun = perf_counter()
    call(argument)
    return (perf_counter() - begun) * 1000


def _search_everywhere(text: str) -> list[Found]:
    """As the page of customers searches."""
    return search(text, elsewhere=whose(text))


def _reference(person: Person, kind: str) -> str:
    """The reference of what a person has of a kind, or else the last one before who has something."""
    owner = max(5, person.id - person.id % 5)
    number, letters = 4 * owner + KINDS_OF_REFERENCE.index(kind), ""
    for place in range(6):
        letters += LETTERS[number // 27**place % 27]
    return f"{PREFIX}-{letters}"


def _by_primary_key(number: int) -> Customer:
    return Customer.objects.get(pk=number)


def _misspelt(name: str, dice: random.Random) -> str:
    """One letter of the surname left out, doubled, swapped with the next or put in wrong."""
    given, _space, surname = name.rpartition(" ")
    at = dice.randrange(1, len(surname) - 1)
    wrong = dice.choice(
        (
            surname[:at] + surname[at + 1 :],
            surname[:at] + surname[at] + surname[at:],
            surname[:at] + surname[at + 1] + surname[at] + surname[at + 2 :],
            surname[:at] + dice.choice(string.ascii_lowercase) + surname[at + 1 :],
        )
    )
    return f"{given} {wrong}"


def _words(dice: random.Random) -> str:
    """Two words of a message, at least one of them not among the commonest fifty."""
    return f"word{int(50 * 600 ** dice.random())} word{int(30_000 ** dice.random())}"


KINDS: dict[str, Callable[[Person, random.Random], str | None]] = {
    "name": lambda person, dice: person.name,
    "surname": lambda person, dice: person.name.split()[-1],
    "name_turned": lambda person, dice: " ".join(reversed(person.name.split())),
    "misspelt_name": lambda person, dice: _misspelt(person.name, dice),
    "phone": lambda person, dice: (phone := person.value("phone")) and f"0{phone[3:7]} {phone[7:]}",
    "last_digits": lambda person, dice: (phone := person.value("phone")) and phone[-dice.choice((4, 5, 6)) :],
    "email": lambda person, dice: person.value("email"),
    "account_number": lambda person, dice: (account := person.value("external")) and account.partition(":")[2],
    "postcode": lambda person, dice: person.postcode,
    "date_of_birth": lambda person, dice: f"{person.date_of_birth:%d/%m/%Y}",
    "text": lambda person, dice: _words(dice),
    "order": lambda person, dice: _reference(person, "order"),
    "invoice": lambda person, dice: _reference(person, "invoice"),
    "ticket": lambda person, dice: _reference(person, "ticket"),
    "visit": lambda person, dice: _reference(person, "visit"),
}
