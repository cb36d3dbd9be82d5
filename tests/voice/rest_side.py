"""The platform's REST side as a small server of the test's own, for what happens when its word is early, late or missing."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from uuid import uuid4

from django.db import connection

from tests.voice.platform import Caller, words_of

Request = tuple[str, str, dict[str, Any]]


class Platform:
    """The platform's REST side: notes what it is asked, answers what the test has it answer. `leg` is the first it rings, `rung` all."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.rung: list[str] = []
        self.leg = str(uuid4())
        self.status = "answered"
        self.code = 201
        self.before_answering: Callable[[], object] = lambda: None

    def dialled(self) -> int:
        return sum(path.endswith("/v1/calls") for _method, path, _body in self.requests)

    def texts(self) -> list[dict[str, Any]]:
        """The text messages that it was asked to send."""
        return [body for _method, path, body in self.requests if path.endswith("/v1/messages")]

    def said_to(self, call: Caller) -> list[str]:
        """What the caller's leg was told to do, as words."""
        transfers = [body for method, path, body in self.requests if method == "PUT" and path.endswith(call.uuid)]
        return [words_of(body["destination"]["ncco"]) for body in transfers if body["action"] == "transfer"]

    def hung_up(self) -> bool:
        return self.leg in self.ended()

    def ended(self) -> list[str]:
        """The legs that it was asked to hang up, in order."""
        return [path.rsplit("/", 1)[-1] for _method, path, body in self.requests if body.get("action") == "hangup"]

    def answer(self, method: str, path: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        self.requests.append((method, path, body))
        if path.endswith("/v1/messages"):
            return (202 if self.code == 201 else self.code), {"message_uuid": str(uuid4())}
        if method == "POST":
            self.before_answering()
            leg = self.leg if self.dialled() == 1 else str(uuid4())
            self.rung.append(leg)
            return self.code, {"uuid": leg, "status": "started", "conversation_uuid": f"CON-{uuid4()}"}
        return (200, {"uuid": self.leg, "status": self.status}) if method == "GET" else (204, {})


@contextmanager
def serving() -> Iterator[tuple[Platform, int]]:
    """A platform and its port."""
    platform = Platform()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            try:
                code, answer = platform.answer(self.command, self.path, json.loads(self.rfile.read(length) or b"{}"))
            finally:
                connection.close()
            raw = json.dumps(answer).encode() if code != 204 else b""
            self.send_response(code)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

        def do_GET(self) -> None:
            self.do_POST()

        def do_PUT(self) -> None:
            self.do_POST()

        def log_message(self, *arguments: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    yield platform, server.server_port
    server.shutdown()
    server.server_close()
