"""The web process: Daphne on a faster event loop, with what the first customer needs already read.

`python -m cxhub.web` takes the arguments of `daphne`.
"""

import asyncio
from typing import Any

import uvloop

# Before Daphne is imported: it makes its event loop at import.
asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())

from daphne.cli import CommandLineInterface  # noqa: E402


class WebProcess(CommandLineInterface):  # type: ignore[misc]
    """Daphne's command line, which also warms what understands customers."""

    def load_asgi_app(self, asgi_app_path: str) -> Any:
        """Loads the application as Daphne does, then starts to read model and phrases in the background."""
        application = super().load_asgi_app(asgi_app_path)

        from conversations.understanding.warming import warm_in_background

        warm_in_background()
        return application


if __name__ == "__main__":
    WebProcess.entrypoint()
