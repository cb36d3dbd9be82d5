"""The platform's REST side as a small server of the test's own, for what happens when its word is early, late or missing."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from threading import Event
from typing import Any, Literal
from urllib.parse import parse_qsl, urlsplit
from uuid import uuid4

from django.db import connection

from tests.support.http_server import listening
from tests.voice.platform import Caller, words_of

Request = tuple[str, str, dict[str, Any]]


class Platform:
    """The platform's REST side: notes what it is asked and answers what the test has it answer. `leg` is the first it rings, `rung` all.

    `changes_answer` is what is answered to changes of a leg, `refused_legs` to those of some legs. `doors` are the paths to which
    events about a leg, and keys pressed on it, go. `records` is its list of calls. `refusals` are answered to the next requests to
    ring, one each, before `code` is. With `cut` the connection breaks before the answer: after ringing with "rings", without it with
    "lost", and with "hangs" it answers nothing for longer than anybody waits.
    """

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.rung: list[str] = []
        self.doors: dict[str, dict[str, str]] = {}
        self.leg = str(uuid4())
        self.status = "answered"
        self.code = 201
        self.refusals: list[int] = []
        self.changes_answer = 204
        self.refused_legs: dict[str, int] = {}
        self.cut: Literal["", "rings", "lost", "hangs"] = ""
        self.records: list[dict[str, Any]] = []
        self.is_down = False
        self.released = Event()
        self.before_answering: Callable[[], object] = lambda: None

    def dialled(self) -> int:
        return sum(path.endswith("/v1/calls") for _method, path, _body in self.requests)

    def nccos(self) -> list[list[dict[str, Any]]]:
        """Every call control object that it was given: with a call, or to replace what a leg does."""
        given = [body.get("ncco") or body.get("destination", {}).get("ncco") for _method, _path, body in self.requests]
        return [each for each in given if each is not None]

    def texts(self) -> list[dict[str, Any]]:
        """The text messages that it was asked to send."""
        return [body for _method, path, body in self.requests if path.endswith("/v1/messages")]

    def said_to(self, call: Caller) -> list[str]:
        """What the caller's leg was told to do, as words."""
        return [words_of(ncco) for ncco in self.told(call.uuid)]

    def told(self, leg: str) -> list[list[dict[str, Any]]]:
        """The call control objects that a leg was given while it was up, in order."""
        changes = [body for method, path, body in self.requests if method == "PUT" and path.endswith(leg)]
        return [body["destination"]["ncco"] for body in changes if body["action"] == "transfer"]

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
            return self.rings(body)
        if method == "GET":
            return self.tells(path)
        return self.refused_legs.get(path.rsplit("/", 1)[-1], self.changes_answer), {}

    def rings(self, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        if self.refusals:
            return self.refusals.pop(0), {}
        if self.cut != "lost" and self.code == 201:
            is_first = all(each["uuid"] != self.leg for each in self.records)
            leg = {"uuid": self.leg if is_first else str(uuid4()), "conversation_uuid": f"CON-{uuid4()}"}
            self.doors[leg["uuid"]] = doors_of(body)
            self.before_answering()
            ends = {"to": body["to"][0], "from": body["from"], "status": "started", "direction": "outbound"}
            self.records.append(leg | ends)
            self.rung.append(leg["uuid"])
            answer = leg | {"status": "started"}
        if self.cut == "hangs":
            self.released.wait(60)
        if self.cut:
            raise ConnectionAbortedError
        return self.code, answer if self.code == 201 else {}

    def tells(self, path: str) -> tuple[int, dict[str, Any]]:
        address = urlsplit(path)
        if self.is_down:
            return 503, {}
        if address.path.endswith("/v1/calls"):
            first = int(dict(parse_qsl(address.query)).get("record_index", 0))
            return 200, {"count": len(self.records), "_embedded": {"calls": self.records[first : first + 100]}}
        known = [each for each in self.records if address.path.endswith(each["uuid"])]
        if self.status == "unknown" and not known:
            return 404, {}
        return 200, known[0] if known and self.status == "answered" else {"uuid": self.leg, "status": self.status}


def doors_of(asked: dict[str, Any]) -> dict[str, str]:
    """Where a leg that is rung has its events, and its keys, sent: paths of ours."""
    keys = [action["eventUrl"][0] for action in asked.get("ncco", []) if action["action"] == "input"]
    found = {"event": asked["event_url"][0]} | ({"input": keys[-1]} if keys else {})
    return {name: urlsplit(address).path for name, address in found.items()}


@contextmanager
def serving() -> Iterator[tuple[Platform, int]]:
    """A platform and its port."""
    platform = Platform()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            try:
                code, answer = platform.answer(self.command, self.path, json.loads(self.rfile.read(length) or b"{}"))
            except ConnectionAbortedError:
                self.close_connection = True
                return
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

    with listening(Handler) as port:
        yield platform, port
        platform.released.set()
