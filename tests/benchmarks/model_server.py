"""The model's provider of `turn_overhead`: the stand-in with one answer, whose first words say when they were sent.

Usage: python -m tests.benchmarks.model_server FIRST_SECONDS PIECE_SECONDS PIECES
"""

from __future__ import annotations

import sys

from conversations.assistant.stand_in.scenes import Scene, Text
from conversations.assistant.stand_in.server import StandIn
from conversations.assistant.stand_in.wire import PIECE
from tests.benchmarks.stamps import stamp


class Stamped(Text):
    """Words that begin with the seconds of this machine's monotonic clock, read when they are sent."""

    @property
    def words(self) -> str:  # type: ignore[override]
        """As many pieces as were made room for."""
        words = stamp() + " "
        return words + self.room[len(words) :]

    def __init__(self, room: str) -> None:
        object.__setattr__(self, "room", room)


def main(first_seconds: float, piece_seconds: float, pieces: int) -> None:
    """Serves until the process is ended; prints its address."""
    room = ("we repair boilers and taps " * pieces)[: PIECE * pieces]
    scene = Scene((Stamped(room),), first_seconds=first_seconds, piece_seconds=piece_seconds)
    stand_in = StandIn(answering=lambda _body: scene)
    print(stand_in.url, flush=True)
    stand_in.serve()


if __name__ == "__main__":
    main(float(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3]))
