"""Sweeps: what goes through many pieces, each in a transaction of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

Piece = TypeVar("Piece")
Done = TypeVar("Done")


def each_by_itself(pieces: Iterable[Piece], act: Callable[[Piece], Done]) -> list[Done]:
    """What was made of each piece. One that fails keeps no other from its turn, however often it fails first.

    Raises ExceptionGroup, with what failed, when all had their turn.
    """
    done: list[Done] = []
    failed: list[Exception] = []
    for piece in pieces:
        try:
            done.append(act(piece))
        except Exception as error:
            failed.append(error)
    if failed:
        raise ExceptionGroup(f"{len(failed)} of {len(failed) + len(done)} pieces could not be swept", failed)
    return done
