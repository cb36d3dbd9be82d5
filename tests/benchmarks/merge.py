"""How long joining two customers takes, and taking it back, when each has 10,000 entries in several conversations.

Value: `merging.join_customers` and `separate_customers`. Floor: a transaction that inserts one link row. Same database, same
connection, alternating; each figure is the median of its pairs. BENCH_ROUNDS changes how many.
"""

from __future__ import annotations

import os
import statistics
from collections.abc import Callable, Iterator
from time import perf_counter
from typing import Any

from django.db import connection, transaction

from conversations.models import Conversation, Customer, CustomerLink, Entry, EntryPoint, Playbook
from conversations.services import identity, merging, threads
from conversations.services.parties import IdentifierClaim, Party
from tests.support.database import throwaway_database

ENTRIES = 10_000
CONVERSATIONS = 8
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "20"))
WANTED_MS = 100
OPENED = "2026-11-02T09:00:00Z"


def measure() -> Iterator[dict[str, Any]]:
    """Yields the time to join and the time to separate, each beside the floor."""
    with throwaway_database("merge"):
        playbook()
        one, other = (customer_with_history(number) for number in range(2))
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")
        floors, joins, separations = [], [], []
        for _ in range(ROUNDS):
            floors.append(timed(lambda: bare_link(one, other)))
            joins.append(timed(lambda: merging.join_customers(other, one, evidence={"sentence": "Bench."}, made_by="bench")))
            link = CustomerLink.objects.get(active=True)
            separations.append(timed(lambda link=link: merging.separate_customers(link, undone_by="bench")))
        conditions = {
            "entries_each": [Entry.objects.filter(conversation__customer=each).count() for each in (one, other)],
            "conversations_each": CONVERSATIONS,
            "open_conversations_each": 1,
            "rounds": ROUNDS,
            "cores": os.cpu_count(),
            "fsync": True,
        }
        yield figure("merge.join", joins, floors, f"<= {WANTED_MS} ms", conditions)
        yield figure("merge.separate", separations, floors, None, conditions)


def figure(name: str, values: list[float], floors: list[float], wanted: str | None, conditions: dict[str, Any]) -> dict[str, Any]:
    return {
        "name": name,
        "value": round(statistics.median(values), 2),
        "unit": "ms",
        "floor": round(statistics.median(floors), 2),
        "ratio": round(statistics.median(value / floor for value, floor in zip(values, floors, strict=True)), 2),
        "wanted": wanted,
        "conditions": {**conditions, "slowest": round(max(values), 2)},
    }


def timed(work: Callable[[], Any]) -> float:
    begun = perf_counter()
    work()
    return (perf_counter() - begun) * 1000


def bare_link(one: Customer, other: Customer) -> None:
    with transaction.atomic():
        CustomerLink.objects.create(joined=one, into=other, made_by="floor", active=False, undone_at=OPENED)


def playbook() -> None:
    Playbook.objects.create(code="bench", name="Bench", status="published", persona="-", disclosure="This is an AI.", languages=["en"])
    EntryPoint.objects.create(name="Bench", channel="chat", address="/bench", company_name="Bench", playbook_code="bench")


def customer_with_history(number: int) -> Customer:
    """A customer with a name, a number and an address of their own, closed conversations and an open one with a live chat."""
    claims = (IdentifierClaim("visitor", f"visitor-{number}", "verified"), IdentifierClaim("email", "home@example.org", "claimed"))
    each = ENTRIES // CONVERSATIONS
    with transaction.atomic():
        customer = identity.resolve(claims, source="bench")
        Customer.objects.filter(pk=customer.pk).update(name=f"Ada {number}", address=f"{number} Quay", attributes={"boiler": number})
        for _ in range(CONVERSATIONS - 1):
            closed = Conversation.objects.create(
                customer=customer, original_customer=customer, status="closed", closed_at=OPENED, last_seq=each
            )
            write_entries(closed, 1, each)
        conversation = threads.open_or_resume(customer)
        door = EntryPoint.objects.get(address="/bench")
        threads.start_interaction(conversation, entry_point=door, provider_id=f"chat-{number}", party=Party(claims, f"visitor-{number}"))
        conversation.refresh_from_db()
        write_entries(conversation, conversation.last_seq + 1, each)
        Conversation.objects.filter(pk=conversation.pk).update(last_seq=each)
    return customer


def write_entries(conversation: Conversation, first: int, last: int) -> None:
    """Messages, and every fiftieth a fact that was learned."""
    line = conversation.interactions.first()
    Entry.objects.bulk_create(
        Entry(
            conversation=conversation,
            seq=seq,
            kind="message" if seq % 50 else "fact.learned",
            actor_kind="customer" if seq % 50 else "system",
            audience="everyone" if seq % 50 else "staff",
            body="The boiler shows E119 again and there is no hot water since this morning.",
            data={} if seq % 50 else {"name": "postcode", "value": f"HB{seq}", "assurance": "claimed", "from_seq": seq - 1},
            interaction=line,
        )
        for seq in range(first, last + 1)
    )
