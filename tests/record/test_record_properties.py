"""The record's invariants after any sequence of contacts, claims, proofs, joinings and separations, by one writer and by eight."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from threading import Thread
from typing import Any

import pytest
from django.apps import apps
from django.db import OperationalError, connection, models, transaction
from hypothesis import given
from hypothesis import strategies as st
from psycopg.errors import DeadlockDetected

from conversations.chat import visitor
from conversations.models import Conversation, Customer, CustomerLink, Entry, FieldConflict, Identifier, Interaction, MatchCandidate
from conversations.services import candidates, facts, identity, joining, merging, raising, survivorship, threads
from conversations.services.facts import LearnedFact
from conversations.services.parties import IdentifierClaim
from tests.record import parties, rows
from tests.record.test_merging import SIDES, Side, build, happens
from tests.support.examples import examples

NUMBERS = [f"+44770090020{digit}" for digit in range(4)]
EMAILS = [f"person{number}@example.org" for number in range(4)]
REFUSALS = (
    merging.OneRecordAlready,
    candidates.AlreadySettled,
    survivorship.AlreadySettled,
    joining.TooManyAttempts,
    Conversation.DoesNotExist,
)
"""What a person or party is told instead; the last when a line has ended at that instant."""
ACTIONS = [
    "chat", "vouched", "call", "says", "says", "claims", "learns", "proves", "proves", "code", "join", "join", "separate", "settle",
    "pair", "ends",
]  # fmt: skip
STEPS = st.lists(st.tuples(st.sampled_from(ACTIONS), st.integers(0, 50), st.integers(0, 50)), max_size=20)
_words = count(1)


@dataclass
class People:
    """Browsers and what the writers have heard so far; lists only grow, so that threads may share them."""

    browsers: list[visitor.Visitor] = field(default_factory=lambda: [visitor.new() for _ in range(4)])
    said: list[str] = field(default_factory=list)
    tallies: Counter[str] = field(default_factory=Counter)

    def act(self, action: str, one: int, other: int) -> None:
        """One step, as the transports or a manager would take it. What cannot be done is left out."""
        getattr(self, f"_{action}")(one, other)

    def _chat(self, one: int, other: int) -> None:
        parties.chat(self.browsers[one % len(self.browsers)])

    def _vouched(self, one: int, other: int) -> None:
        browser = self.browsers[one % len(self.browsers)]
        parties.chat(visitor.Visitor(browser.browser, parties.vouched_for("email", EMAILS[other % len(EMAILS)]).claims))

    def _call(self, one: int, other: int) -> None:
        parties.call(NUMBERS[one % len(NUMBERS)])

    def _says(self, one: int, other: int) -> None:
        line = pick(Interaction.objects.exclude(state="ended"), one)
        if line:
            text = f"word {next(_words)}"
            parties.says(line, text)
            self.said.append(text)

    def _claims(self, one: int, other: int) -> None:
        line = pick(Interaction.objects.select_related("conversation"), one)
        if line:
            kind, value = ("email", EMAILS[other % 4]) if other % 2 else ("phone", NUMBERS[other % 4])
            facts.learn(line.conversation, [LearnedFact(kind, value)], interaction=line, from_seq=1)

    def _proves(self, one: int, other: int) -> None:
        """A one-time code that was sent to an address or number is given back on a line."""
        line = pick(Interaction.objects.exclude(state="ended"), one)
        if line:
            kind, value = ("email", EMAILS[other % 4]) if other % 2 else ("phone", NUMBERS[other % 4])
            proven = IdentifierClaim(kind, value, "verified")
            with transaction.atomic():
                raising.raise_line(line, proven, method="one_time_code", made_by="tests", sentence="The code was given.")

    def _learns(self, one: int, other: int) -> None:
        line = pick(Interaction.objects.select_related("conversation"), one)
        if line:
            facts.learn(line.conversation, [LearnedFact("name", f"Person {other % 3}")], interaction=line, from_seq=1)

    def _code(self, one: int, other: int) -> None:
        chat = pick(Interaction.objects.filter(channel="chat").exclude(state="ended"), one)
        call = pick(Interaction.objects.filter(channel="voice").exclude(state="ended"), other)
        if chat and call:
            code, _row = joining.issue_code(chat)
            joining.redeem_code(code, call)

    def _join(self, one: int, other: int) -> None:
        joined, into = pick(Customer.objects, one), pick(Customer.objects, other)
        if joined and into:
            merging.join_customers(joined, into, evidence={}, made_by="tests")

    def _separate(self, one: int, other: int) -> None:
        link = pick(CustomerLink.objects.filter(active=True), one)
        if link:
            merging.separate_customers(link, undone_by="tests")

    def _settle(self, one: int, other: int) -> None:
        conflict = pick(FieldConflict.objects.filter(state="open"), one)
        if conflict:
            survivorship.settle(conflict, "joined" if other % 2 else "root", settled_by="tests")

    def _pair(self, one: int, other: int) -> None:
        pair = pick(MatchCandidate.objects.filter(state="open"), one)
        if pair and other % 3:
            candidates.join(pair, None)
        elif pair:
            candidates.dismiss(pair, None)

    def _ends(self, one: int, other: int) -> None:
        line = pick(Interaction.objects.exclude(state="ended"), one)
        if line and other % 4 == 0:
            threads.close(line.conversation, actor_kind="system", actor_name="", disposition=None)
        elif line:
            threads.end_interaction(line, reason="left")


def pick(every: Any, number: int) -> Any:
    found = list(every.order_by("pk"))
    return found[number % len(found)] if found else None


def roots_by_links() -> dict[int, int]:
    """The root of every record as the active links say; fails on a circle."""
    up = dict(CustomerLink.objects.filter(active=True).values_list("joined", "into"))
    roots = {}
    for record in Customer.objects.values_list("pk", flat=True):
        at, seen = record, {record}
        while at in up:
            at = up[at]
            assert at not in seen, "the links go round a circle"
            seen.add(at)
        roots[record] = at
    return roots


def tables_of_customers() -> Iterator[type[models.Model]]:
    """Every table with a pair of columns for the record now and the record first, found without the product's own registry."""
    for model in apps.get_models():
        if {"customer", "original_customer"} <= {each.name for each in model._meta.fields}:
            yield model


def check(said: list[str]) -> None:
    """What must hold of the rows after whatever happened."""
    roots = roots_by_links()
    assert {pk: root or pk for pk, root in Customer.objects.values_list("pk", "root")} == roots
    tables = list(tables_of_customers())
    assert len(tables) >= 4
    for model in tables:
        for pk, customer, original in model._default_manager.values_list("pk", "customer", "original_customer"):
            assert customer == roots[original], f"{model.__name__} {pk}"
    alone = Conversation.objects.filter(status="open", joined_into__isnull=True).values_list("customer", flat=True)
    assert max(Counter(alone).values(), default=0) <= 1
    proven = Identifier.objects.filter(assurance__in=["verified", "network_hint"]).values_list("kind", "value")
    assert max(Counter(proven).values(), default=0) <= 1
    numbers = defaultdict(list)
    for conversation, seq in Entry.objects.order_by("seq").values_list("conversation", "seq"):
        numbers[conversation].append(seq)
    for conversation, last in Conversation.objects.values_list("pk", "last_seq"):
        assert numbers[conversation] == list(range(1, last + 1))
    bodies = Entry.objects.filter(kind="message", actor_kind="customer").values_list("body", flat=True)
    assert Counter(bodies) == Counter(said)
    for state, customer, other in MatchCandidate.objects.values_list("state", "customer", "other"):
        assert state == "dismissed" or (state == "joined") == (roots[customer] == roots[other])
    assert not FieldConflict.objects.filter(state="open", link__active=False).exists()
    connection.check_constraints()


@pytest.mark.usefixtures("company")
@given(STEPS)
@examples(12)
def test_after_any_sequence_the_record_is_whole(steps: list[tuple[str, int, int]]) -> None:
    """And when every joining is taken back, every row is where it was made and no field says what another record says."""
    with transaction.atomic():
        people = People()
        for step in steps:
            with refusable(people.tallies):
                people.act(*step)
        check(people.said)
        take_everything_back()
        check(people.said)
        transaction.set_rollback(True)


@contextmanager
def refusable(tallies: Counter[str]) -> Iterator[None]:
    try:
        with transaction.atomic():
            yield
    except REFUSALS as refusal:
        tallies[type(refusal).__name__] += 1


def take_everything_back() -> None:
    for link in CustomerLink.objects.filter(active=True).order_by("?"):
        merging.separate_customers(link, undone_by="tests")
    for model in tables_of_customers():
        assert not model._default_manager.exclude(customer=models.F("original_customer")).exists()
    assert not FieldConflict.objects.exclude(state="undone").exists()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_after_eight_writers_at_once_the_record_is_whole(seed: int) -> None:
    """Each does what it finds to do, in the same few records. A deadlock may happen; who met it tries again, as transports do."""
    rows.entry_point()
    rows.phone_line()
    people = People()
    troubles: list[Exception] = []

    def write(number: int) -> None:
        chance = random.Random(100 * seed + number)
        try:
            for _ in range(25):
                step = (chance.choice(ACTIONS), chance.randrange(50), chance.randrange(50))
                persist(people.tallies, lambda step=step: people.act(*step))
        except Exception as error:
            troubles.append(error)
        finally:
            connection.close()

    writers = [Thread(target=write, args=[number]) for number in range(8)]
    for each in writers:
        each.start()
    for each in writers:
        each.join()
    assert troubles == []
    assert people.tallies["done"] >= 150
    assert people.tallies["deadlock"] <= 20
    check(people.said)
    take_everything_back()
    check(people.said)


def persist(tallies: Counter[str], work: Callable[[], None]) -> None:
    """Does one step; tries again after a deadlock, and takes a refusal for an answer."""
    while True:
        try:
            work()
        except REFUSALS as refusal:
            tallies[type(refusal).__name__] += 1
        except OperationalError as error:
            if not isinstance(error.__cause__, DeadlockDetected):
                raise
            tallies["deadlock"] += 1
            continue
        else:
            tallies["done"] += 1
        return


LOGS = {"CustomerLink", "ConversationLink", "FieldConflict", "Entry"}
"""What says that it happened: links, conflicts and the history."""
COUNTERS = {"Conversation": {"last_seq", "last_entry_at", "turn_wanted_seq", "turn_done_seq"}}
"""What the history's own notes of joining and separating move on."""
ABOUT = st.fixed_dictionaries(
    {
        "name": st.sampled_from(["", "Ada", "Ben"]),
        "address": st.sampled_from(["", "1 Quay"]),
        "tier": st.sampled_from(["standard", "gold"]),
        "open_balance": st.sampled_from([0, 12]),
        "attributes": st.dictionaries(st.sampled_from(["boiler", "keys"]), st.sampled_from(["one", ["two"], {"three": 3}]), max_size=2),
    }
)


def everything() -> dict[tuple[str, Any], dict[str, Any]]:
    """Every row of every table, by table and key, without logs and counters."""
    found = {}
    tables = set(connection.introspection.table_names())
    for model in apps.get_models(include_auto_created=True):
        if model.__name__ not in LOGS and model._meta.db_table in tables:
            counters = COUNTERS.get(model.__name__, set())
            for row in model._base_manager.values():
                found[model.__name__, row[model._meta.pk.attname]] = {name: row[name] for name in row if name not in counters}
    return found


@pytest.mark.usefixtures("company")
@given(SIDES, SIDES, ABOUT, ABOUT, st.lists(st.sampled_from("ab"), max_size=3), st.lists(st.sampled_from(["root", "joined"]), max_size=3))
@examples(15)
def test_joining_and_separating_restores_every_row(
    a: Side, b: Side, about_a: Any, about_b: Any, words: list[str], choices: list[str]
) -> None:
    """Of every table there is, with messages written in between and differences settled; only logs say that it happened."""
    a.work = b.work = "none"
    with transaction.atomic():
        world = build({"a": a, "b": b})
        for name, about in (("a", about_a), ("b", about_b)):
            Customer.objects.filter(pk=world.customers[name].pk).update(**about)
        identity.note_candidate(world.customers["a"], world.customers["b"], score=0.5, evidence={"same": "email"})
        before = everything()
        link = merging.join_customers(world.customers["a"], world.customers["b"], evidence={}, made_by="tests")
        for choice in choices:
            if conflict := link.conflicts.filter(state="open").first():
                survivorship.settle(conflict, choice, settled_by="tests")
        for number, name in enumerate(words):
            happens(world, ("says", name), number)
        merging.separate_customers(link, undone_by="tests")
        assert everything() == before
        transaction.set_rollback(True)
