"""Messages that callers leave: whether one is offered, and who takes it. Whoever records messages names itself here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from conversations.models import Interaction

Offered = Callable[[Interaction], bool]
Taker = Callable[[Interaction], list[dict[str, Any]]]

_takers: Final[list[tuple[Offered, Taker]]] = []


def register(offered: Offered, take: Taker) -> None:
    """Names what takes messages; called when the app is ready. The last one named does.

    `offered` says whether the caller of a call may leave one now; `take` answers the actions that ask for it and record it.
    """
    _takers[:] = [(offered, take)]


def is_offered(call: Interaction) -> bool:
    """Whether the caller may leave a message now. False while nothing takes any."""
    return any(offered(call) for offered, _take in _takers)


def take(call: Interaction) -> list[dict[str, Any]]:
    """The actions by which the caller leaves a message. Raises LookupError when none is offered."""
    for offered, taker in _takers:
        if offered(call):
            return taker(call)
    raise LookupError("no message is taken on this call")
