"""References that are easy to say and to hear: HH-4F7K2Q."""

from __future__ import annotations

import secrets

# Without the letters and digits that are mistaken for each other when read out.
LETTERS = "23456789ACDEFGHJKMNPQRTVWXY"
PREFIX = "HH"


def new_reference() -> str:
    """27^6 references; the unlikely one that exists already is refused by the database."""
    return f"{PREFIX}-{''.join(secrets.choice(LETTERS) for _ in range(6))}"


def meant_by(typed: str) -> set[str]:
    """The references that somebody may mean who leaves out what every one begins with."""
    reference = typed.strip().upper()
    return {reference, f"{PREFIX}-{reference}"}
