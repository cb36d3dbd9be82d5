"""A small HTTP server of a test's own."""

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

LOOKS_FOR_ITS_END_SECONDS = 0.02
"""Whoever ends a server waits until it next looks, of its own accord half a second: with hundreds of servers, minutes."""


@contextmanager
def listening(handler: type[BaseHTTPRequestHandler], host: str = "127.0.0.1") -> Iterator[int]:
    """A server on a free port, which is given, for the block."""
    with ThreadingHTTPServer((host, 0), handler) as server:
        Thread(target=server.serve_forever, args=[LOOKS_FOR_ITS_END_SECONDS], daemon=True).start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
