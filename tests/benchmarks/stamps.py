"""This machine's clock as a word that a model's answer begins with: what says a number that nobody gave is held back."""

from __future__ import annotations

import time
from typing import Final

DIGITS: Final = "0123456789"
LETTERS: Final = "bcdfghjklm"
LENGTH: Final = 10


def stamp() -> str:
    """The monotonic clock in microseconds, as LENGTH letters."""
    return f"{_microseconds():0{LENGTH}d}".translate(str.maketrans(DIGITS, LETTERS))


def seconds_since(words: str) -> float:
    """Seconds since words that begin with a stamp were sent."""
    return (_microseconds() - int(words[:LENGTH].translate(str.maketrans(LETTERS, DIGITS)))) / 1e6


def _microseconds() -> int:
    return int(time.monotonic() * 1e6) % 10**LENGTH
