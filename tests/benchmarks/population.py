"""Customers by the thousand or the million: always the same ones, as skewed as real ones are.

`people(count)` says who they are, `fill(count)` puts them into the database by COPY. Person number n has `id` n, whatever the
count, so a benchmark can look for people without reading them back:

    with throwaway_database("customer_search"):
        population.fill(1_000_000)
        for person in population.sample(1_000_000, 500): …

What is skewed, and how: given names and surnames by Zipf's law (the commonest surname on about 1.1 % of people), postcodes by town, a third
of people in households that share surname, address, postcode and a phone. Names are composed, so they are nobody's.
"""

from __future__ import annotations

import bisect
import datetime
import itertools
import json
import random
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.db import connection, models, transaction

from conversations.models import Customer, Identifier

SEED = 20261126
BORN_FROM = datetime.date(1930, 1, 1)
BORN_DAYS = 365 * 78
SHARE_IN_HOUSEHOLDS = 1 / 3
SEEN = "2026-06-01T09:00:00+00:00"

GIVEN_NAMES = (
    "Olivia", "Noah", "Amelia", "George", "Isla", "Arthur", "Ava", "Muhammad", "Mary", "John", "Margaret", "David", "Susan", "Michael",
    "Patricia", "Peter", "Karen", "Paul", "Linda", "Mark", "Sarah", "Andrew", "Emma", "James", "Laura", "Daniel", "Rebecca", "Matthew",
    "Gemma", "Christopher", "Claire", "Thomas", "Joanne", "Robert", "Helen", "William", "Elizabeth", "Richard", "Anna", "Stephen",
    "Katarzyna", "Piotr", "Agnieszka", "Tomasz", "Priya", "Rahul", "Aisha", "Imran", "Fatima", "Yusuf", "Mei", "Wei", "Chloe", "Ethan",
    "Zoë", "Siân", "Rhys", "Niamh", "Seán", "Róisín", "Anaïs", "François", "Jürgen", "Françoise", "José", "María", "Søren", "Łukasz",
    "Zuzanna", "Dmitri", "Olga", "Chidi", "Ngozi", "Kwame", "Abena", "Leila", "Omar", "Grace", "Oscar", "Ivy", "Leo", "Freya", "Harry",
    "Poppy", "Oliver", "Ella", "Jacob", "Lily", "Alfie", "Edith", "Stanley", "Doris", "Cyril", "Winifred", "Mabel", "Percy",
)  # fmt: skip
SURNAME_BEGINNINGS = (
    "Ash", "Beck", "Birch", "Black", "Brad", "Bram", "Bright", "Brook", "Burn", "Cald", "Car", "Chad", "Clay", "Clif", "Col", "Cran",
    "Crom", "Dal", "Dar", "Den", "Dun", "East", "Ed", "Elling", "Far", "Fen", "Fern", "Fox", "Gold", "Grant", "Green", "Had", "Hal",
    "Har", "Hart", "Hather", "Hazel", "Hen", "High", "Hol", "Hunt", "Kel", "Ken", "King", "Kirk", "Lang", "Law", "Lind", "Long", "Lyn",
    "Mal", "Mar", "Mer", "Mid", "Nor", "Oak", "Pem", "Pen", "Pick", "Rad", "Red", "Ring", "Rock", "Rose", "Ruther", "San", "Sel", "Shel",
    "Sher", "Stan", "Stock", "Strat", "Sut", "Thorn", "Tre", "Up", "Wal", "War", "Wat", "Wes", "Whit", "Win", "Wood",
)  # fmt: skip
SURNAME_ENDINGS = (
    "bury", "by", "combe", "cote", "croft", "dale", "den", "don", "ell", "er", "ers", "field", "ford", "gate", "ham", "hart", "hurst",
    "ing", "ington", "ley", "lock", "low", "man", "more", "over", "ridge", "rick", "sey", "shaw", "side", "son", "stead", "stone", "stow",
    "ton", "wall", "ward", "water", "way", "well", "wick", "win", "wood", "worth", "yard",
)  # fmt: skip
TOWNS = tuple(f"{beginning}{ending}" for beginning in SURNAME_BEGINNINGS[::3] for ending in ("bridge", "mouth", "minster", "haven"))
STREETS = tuple(f"{name} {kind}" for name in ("Church", "Mill", "Station", "Park") for kind in ("Road", "Lane", "Street", "Close"))
POSTCODE_AREAS = tuple(f"{first}{second}" for first in "ABCDEGHLMNPRSTW" for second in "ABDHLNSTY")
INWARD_LETTERS = "ABDEFGHJLNPQRSTUWXYZ"


@dataclass(frozen=True, slots=True)
class Person:
    """One customer. `identifiers` are (kind, value in normal form, assurance); visitor ids and an account number are among them."""

    id: int
    name: str
    date_of_birth: datetime.date
    address: str
    postcode: str
    identifiers: tuple[tuple[str, str, str], ...]

    def value(self, kind: str) -> str | None:
        """The first identifier of a kind, or None."""
        return next((value for each, value, _ in self.identifiers if each == kind), None)


def people(count: int, *, seed: int = SEED) -> Iterator[Person]:
    """The first `count` people, numbered from 1; a larger count begins with the same ones."""
    dice = random.Random(seed)
    given_names, surnames, towns = _Skewed(GIVEN_NAMES, 0.8), _Skewed(_surnames(), 0.75), _Skewed(TOWNS, 0.6)
    home = _home(dice, towns)
    surname = surnames.draw(dice)
    for number in range(1, count + 1):
        shares = number > 1 and dice.random() < SHARE_IN_HOUSEHOLDS
        if not shares:
            home, surname = _home(dice, towns), surnames.draw(dice)
        given = given_names.draw(dice)
        yield Person(
            id=number,
            name=f"{given} {surname}",
            date_of_birth=BORN_FROM + datetime.timedelta(days=int(BORN_DAYS * dice.random())),
            address=home[0],
            postcode=home[1],
            identifiers=tuple(_identifiers(dice, number, given, surname, shares)),
        )


def sample(count: int, size: int, *, seed: int = SEED) -> list[Person]:
    """`size` of the first `count` people, evenly spread over them."""
    return list(itertools.islice(people(count, seed=seed), 0, None, max(1, count // size)))[:size]


def fill(count: int, *, seed: int = SEED) -> None:
    """Puts the first `count` people into an empty record, with their identifiers, and has the database count what it holds."""
    with transaction.atomic(), _indexed_afterwards(Customer, Identifier):
        _copy(Customer, (_customer_row(person) for person in people(count, seed=seed)))
        _copy(Identifier, (row for person in people(count, seed=seed) for row in _identifier_rows(person)))
        with connection.cursor() as cursor:
            # No index can be built while references are still to be checked.
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    with connection.cursor() as cursor:
        for model in (Customer, Identifier):
            table = model._meta.db_table
            cursor.execute(f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), (SELECT max(id) FROM {table}))")
            cursor.execute(f"VACUUM ANALYZE {table}")


class _Skewed:
    """Draws values by Zipf's law: the n-th is drawn in proportion to 1 / (n + 2) ** exponent."""

    def __init__(self, values: Sequence[str], exponent: float) -> None:
        self.values = values
        self.reached = list(itertools.accumulate((rank + 2) ** -exponent for rank in range(1, len(values) + 1)))

    def draw(self, dice: random.Random) -> str:
        return self.values[bisect.bisect(self.reached, dice.random() * self.reached[-1])]


def _surnames() -> list[str]:
    composed = [
        f"{beginning}{link}{ending}" for beginning in SURNAME_BEGINNINGS for link in ("", "en", "er", "le") for ending in SURNAME_ENDINGS
    ]
    random.Random(SEED).shuffle(composed)
    return composed


def _home(dice: random.Random, towns: _Skewed) -> tuple[str, str]:
    """An address and the postcode of its street."""
    town = towns.draw(dice)
    area = POSTCODE_AREAS[TOWNS.index(town) % len(POSTCODE_AREAS)]
    letters = "".join(dice.choices(INWARD_LETTERS, k=2))
    postcode = f"{area}{dice.randint(1, 20)}{dice.randint(1, 9)}{letters}"
    return f"{dice.randint(1, 180)} {dice.choice(STREETS)}, {town}", postcode


def _identifiers(dice: random.Random, number: int, given: str, surname: str, shares: bool) -> Iterator[tuple[str, str, str]]:
    if dice.random() < 0.9:
        yield "phone", _phone(number), "network_hint"
    if shares:
        yield "phone", _phone(number - 1), "claimed"
    if dice.random() < 0.8:
        local_part = f"{given}.{surname}.{number}".encode("ascii", "ignore").decode().lower()
        yield "email", f"{local_part}@{dice.choice(('example.com', 'example.org', 'example.net'))}", dice.choice(("verified", "claimed"))
    for _ in range(dice.choice((0, 1, 1, 2))):
        yield "visitor", f"{dice.getrandbits(128):032x}", "verified"
    if dice.random() < 0.5:
        yield "external", f"crm:{account_number(number)}", "verified"


def _phone(number: int) -> str:
    """A mobile number of its own for each number: the factor has no divisor in common with the modulus."""
    return f"+447{number * 387_420_489 % 10**9:09d}"


def account_number(number: int) -> str:
    """The account number of a person, eight digits that do not follow each other."""
    return f"{number * 40_353_607 % 10**8:08d}"


def _customer_row(person: Person) -> dict[str, Any]:
    return {
        "id": person.id,
        "public_id": str(uuid.UUID(int=person.id)),
        "name": person.name,
        "date_of_birth": person.date_of_birth,
        "address": person.address,
        "postcode": person.postcode,
        "created_at": SEEN,
    }


def _identifier_rows(person: Person) -> Iterator[dict[str, Any]]:
    for kind, value, assurance in person.identifiers:
        yield {
            "customer_id": person.id,
            "original_customer_id": person.id,
            "kind": kind,
            "value": value,
            "assurance": assurance,
            "shown_as": assurance,
            "source": "population",
            "first_seen_at": SEEN,
            "last_seen_at": SEEN,
        }


@contextmanager
def _indexed_afterwards(*filled: type[models.Model]) -> Iterator[None]:
    """Drops the indexes of the tables that are no constraints, and makes them again when the rows are there, which is quicker."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_get_indexdef(indexrelid), indexrelid::regclass::text FROM pg_index WHERE indrelid = ANY(%s::regclass[])"
            " AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid)",
            [[model._meta.db_table for model in filled]],
        )
        indexes = cursor.fetchall()
        for _, name in indexes:
            cursor.execute(f"DROP INDEX {name}")
        yield
        cursor.execute("SET LOCAL maintenance_work_mem = '256MB'")
        for definition, _ in indexes:
            cursor.execute(definition)


def _copy(model: type[models.Model], rows: Iterable[Mapping[str, Any]]) -> None:
    """COPY of rows by column; columns that a row leaves out get the model's own default."""
    rows = iter(rows)
    first = next(rows)
    columns = {field.column: field for field in model._meta.local_concrete_fields if field.column in first or _needs_value(field)}
    rest = {name: _stored(field.get_default()) for name, field in columns.items() if name not in first}
    names = ", ".join(connection.ops.quote_name(name) for name in columns)
    with connection.cursor() as cursor, cursor.copy(f"COPY {model._meta.db_table} ({names}) FROM STDIN") as copy:
        for row in itertools.chain([first], rows):
            copy.write_row([row[name] if name in row else rest[name] for name in columns])


def _needs_value(field: models.Field[Any, Any]) -> bool:
    return not (field.null or field.primary_key or field.generated or field.has_db_default())


def _stored(value: Any) -> Any:
    return json.dumps(value) if isinstance(value, dict | list) else value
