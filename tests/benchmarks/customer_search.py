"""How fast customers are found among a thousand and a million, by everything that staff type.

Value: `customer_search.search`, one process. Floor: a customer fetched by primary key, in the same run. The people are those of
`population`, and each tenth of what is looked for is of another kind. For the texts, one in five customers has a conversation of
four messages, with words by Zipf's law. BENCH_CUSTOMERS changes the larger size.
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

from conversations.models import Customer
from conversations.selectors.customer_search import search
from tests.benchmarks import population
from tests.benchmarks.population import Person
from tests.support.database import throwaway_database

SIZES = (1_000, int(os.environ.get("BENCH_CUSTOMERS", "1000000")))
SEARCHES = 100
WANTED_MILLISECONDS = 50.0
TALK = """
    INSERT INTO conversations_conversation (public_id, customer_id, original_customer_id, status, closed_at, urgency, sentiment, score,
        failed_turns, facts, form_state, owner_kind, fence, last_seq, turn_wanted_seq, turn_done_seq, turn_worker, turn_attempts)
    SELECT gen_random_uuid(), id, id, 'closed', now(), 'normal', 0, 0, 0, '{}', '{}', 'assistant', 1, 4, 0, 0, '', 0
    FROM conversations_customer WHERE id % 5 = 0;
    SELECT setseed(0.2611);
    INSERT INTO conversations_entry (conversation_id, seq, kind, actor_kind, actor_name, body, data, audience, redaction_reason)
    SELECT id, seq, 'message', 'customer', '',
        (SELECT string_agg('word' || floor(30000 ^ random())::int, ' ') FROM generate_series(1, 12) WHERE id + seq > 0),
        '{}', 'everyone', ''
    FROM conversations_conversation, generate_series(1, 4) AS seq ORDER BY id, seq
"""


def measure() -> Iterator[dict[str, Any]]:
    """Yields the p95 of all kinds of search together, and of each kind, at each size."""
    for size in SIZES:
        with throwaway_database("customer_search"):
            population.fill(size)
            with connection.cursor() as cursor:
                cursor.execute(TALK)
                cursor.execute("VACUUM ANALYZE conversations_conversation")
                cursor.execute("VACUUM ANALYZE conversations_entry")
            yield from _figures(size)


def _figures(size: int) -> Iterator[dict[str, Any]]:
    dice = random.Random(population.SEED)
    people = population.sample(size, SEARCHES)
    asked = {kind: [text for person in people if (text := ask(person, dice))] for kind, ask in KINDS.items()}
    for texts in asked.values():
        search(texts[0])
    taken = {kind: [_milliseconds(search, text) for text in texts] for kind, texts in asked.items()}
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
}
