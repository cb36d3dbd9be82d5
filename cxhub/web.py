"""The web process: Daphne on a faster event loop, with what the first customer needs already read.

`python -m cxhub.web` takes the arguments of `daphne`.
"""

import asyncio
import gc
import sys
from typing import Any, Final, cast

import uvloop

# Before Daphne is imported: it makes its event loop at import.
asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())

from daphne.cli import CommandLineInterface  # noqa: E402
from twisted.internet import reactor  # noqa: E402
from twisted.internet.defer import Deferred  # noqa: E402

SECONDS_TO_FINISH_TURNS: Final = 6.0
"""Less than the supervisor waits before it kills."""
SECONDS_OF_A_THREAD: Final = 0.001
"""For so long a thread may keep the event loop waiting, which has every customer's words to carry."""


class WebProcess(CommandLineInterface):  # type: ignore[misc]
    """Daphne's command line, which also warms what understands customers, and ends after the turns it runs."""

    def load_asgi_app(self, asgi_app_path: str) -> Any:
        """Loads the application as Daphne does, then starts to read model and phrases in the background."""
        application = super().load_asgi_app(asgi_app_path)
        sys.setswitchinterval(SECONDS_OF_A_THREAD)

        from conversations.assistant import turn
        from conversations.assistant.warming import warm_in_background

        warm_in_background()
        # Loads the library of the model's provider, which would hold everybody up with the first turn.
        turn.choose_brain()
        # What was loaded stays. Looking through all of it for what could be freed takes 180 ms, in which nobody is served.
        gc.collect()
        gc.freeze()
        cast("Any", reactor).addSystemEventTrigger("before", "shutdown", self._finish_turns)
        return application

    def _finish_turns(self) -> Deferred[bool]:
        """Holds the end of the event loop up: a turn's thread that still has to tell screens something would wait for it for ever."""
        from conversations.assistant import turn

        return Deferred.fromFuture(asyncio.ensure_future(turn.settle(SECONDS_TO_FINISH_TURNS)))


if __name__ == "__main__":
    WebProcess.entrypoint()
