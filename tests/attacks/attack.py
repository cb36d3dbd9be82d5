"""What an attack is."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from tests.attacks.scene import Scene

OPEN, CLOSED, WITH_A_PERSON = "in an open conversation", "with everything closed", "with a person on the case"
CLAIM = frozenset({"MatchCandidate"})
"""What anybody may add to a record by saying that they are its customer: a pair for people to look at."""
CONTACT = frozenset({"Interaction", "Entry", "TurnTrace", "MatchCandidate", "Identifier", "Conversation"})
"""What a contact from the record's own number adds: itself, and what was said on it."""

A_PAIR_NOTED = 10
"""How many statements more or fewer there may be when there is a victim: noting a pair for people takes that many at most."""
FILED_ELSEWHERE = None
"""A call that is filed under a record costs what finding or making that record costs, which its number decides and not what is said."""


@dataclass(frozen=True)
class Attack:
    """A named attack. `does` carries it out and says in a word how it ended, which must be `outcome`.

    `victim` says how the record stands, `adds` which tables may have new rows about the victim, `alters` which columns of
    rows that were there may differ. With `is_blind` the attacker gets the same to read when there is no such customer, and what
    it costs the database is the same but for `statements_apart`.
    """

    name: str
    does: Callable[[Scene], Awaitable[str]]
    outcome: str
    victim: str = CLOSED
    adds: frozenset[str] = CLAIM
    alters: frozenset[str] = frozenset()
    is_blind: bool = True
    statements_apart: int | None = A_PAIR_NOTED
