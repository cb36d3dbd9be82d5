"""The stand-in's HTTP server: POST /v1/messages, streamed, on a port of this machine.

A thread for each connection, from the standard library: it has no part in the product's event loop, so a stream that hangs
or is cut behaves as one from another machine does.
"""

from __future__ import annotations

import hashlib
import json
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Lock, Thread
from typing import Any, Final, cast

from conversations.assistant.stand_in import checking, wire
from conversations.assistant.stand_in.answering import answer
from conversations.assistant.stand_in.scenes import PROVIDERS_WORDS, Scene
from conversations.assistant.stand_in.wire import Counted

KEPT_REQUESTS: Final = 200
SMALLEST_CACHED: Final = 1024
"""Tokens below which a prefix is not cached."""
LONGEST_WAIT: Final = 120.0
Answering = Callable[[Mapping[str, Any]], Scene]


class StandIn:
    """A provider on this machine. `play` sets what the next requests get; without a script it answers by `answering`.

    `requests` are the bodies that came, oldest first. `accepts` is the one key that it takes; empty: any.
    """

    def __init__(self, *, port: int = 0, answering: Answering = answer) -> None:
        self._answering = answering
        self._script: deque[Scene | Answering] = deque()
        self._lock = Lock()
        self._cached: set[str] = set()
        self.count = 0
        self.accepts = ""
        self.over = Event()
        self.requests: deque[dict[str, Any]] = deque(maxlen=KEPT_REQUESTS)
        self._server = _Server(("127.0.0.1", port), _Handler, self)
        self._thread = Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True, name="stand-in")

    @property
    def url(self) -> str:
        """Its base address."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def start(self) -> None:
        """Serves in the background until `stop`."""
        self._thread.start()

    def stop(self) -> None:
        """Ends every stream and the server."""
        self.over.set()
        self._server.shutdown()
        self._server.server_close()

    def serve(self) -> None:
        """Serves in this thread until it is interrupted."""
        self._server.serve_forever()

    def play(self, *scenes: Scene | Answering) -> None:
        """Forgets earlier requests and what was left of a script, and answers the next requests with these scenes.

        A function is called with the request, for those that come at the same time and so in any order.
        """
        with self._lock:
            self._script = deque(scenes)
            self.requests.clear()

    def scene_for(self, body: dict[str, Any]) -> tuple[Scene, int, Counted]:
        """What to do with a request, its number and its tokens."""
        with self._lock:
            self.count += 1
            self.requests.append(body)
            scene = self._script.popleft() if self._script else self._answering
            counted = self._count(body)
            number = self.count
        return scene if isinstance(scene, Scene) else scene(body), number, counted

    def _count(self, body: dict[str, Any]) -> Counted:
        """As the provider counts: what stands before a breakpoint is read from the cache when it came before."""
        parts = [*body.get("tools", [])]
        parts += body["system"] if isinstance(body.get("system"), list) else []
        for message in body["messages"]:
            parts += message["content"] if isinstance(message["content"], list) else [message["content"]]
        total = read = last = 0
        digest = hashlib.sha256(body["model"].encode())
        for part in parts:
            marked = isinstance(part, dict) and "cache_control" in part
            told = json.dumps({k: v for k, v in part.items() if k != "cache_control"} if isinstance(part, dict) else part)
            total += len(told) // wire.CHARACTERS_A_TOKEN
            digest.update(told.encode())
            if marked and total >= SMALLEST_CACHED:
                last = total
                read = total if digest.hexdigest() in self._cached else read
                self._cached.add(digest.hexdigest())
        return Counted(fresh=total - last, read=read, written=last - read)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 256

    def __init__(self, address: tuple[str, int], handler: type[BaseHTTPRequestHandler], stand_in: StandIn) -> None:
        self.stand_in = stand_in
        super().__init__(address, handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away in the middle is nothing to report."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, *_arguments: Any) -> None:
        """Requests are kept, not logged."""

    def do_POST(self) -> None:
        """Answers a request for a message."""
        raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.path.partition("?")[0] != "/v1/messages":
            return self._refuse(404, "not_found_error")
        key = self.headers.get("Authorization", "").removeprefix("Bearer ").strip() or self.headers.get("x-api-key", "")
        if not key or self._stand_in.accepts not in ("", key):
            return self._refuse(401, "authentication_error")
        try:
            body = json.loads(raw)
        except ValueError:
            body = None
        wrong = checking.wrong_with(body)
        if wrong:
            return self._refuse(400, "invalid_request_error", wrong)
        scene, number, counted = self._stand_in.scene_for(body)
        if self._stand_in.over.wait(scene.first_seconds):
            return self._cut()
        if scene.status != 200:
            return self._refuse(scene.status, PROVIDERS_WORDS.get(scene.status, "api_error"), **scene.headers)
        return self._stream(scene, body["model"], number, counted)

    @property
    def _stand_in(self) -> StandIn:
        return cast("_Server", self.server).stand_in

    def _stream(self, scene: Scene, model: str, number: int, counted: Counted) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.send_header("request-id", f"req_standin{number:06d}")
        self.end_headers()
        with suppress(OSError):
            if scene.raw:
                self._chunk(scene.raw.encode())
            elif not self._events(scene, model, number, counted):
                return self._cut()
            self.wfile.write(b"0\r\n\r\n")
        return None

    def _events(self, scene: Scene, model: str, number: int, counted: Counted) -> bool:
        """Sends the events; False when the connection is to be cut."""
        over = self._stand_in.over

        def pause() -> object:
            return scene.piece_seconds and over.wait(scene.piece_seconds)

        for sent, event in enumerate(wire.events_of(scene, model=model, number=number, counted=counted, pause=pause)):
            if sent == scene.cut_after:
                return False
            if sent == scene.error_after:
                self._chunk(f"event: error\ndata: {json.dumps(wire.error_body('overloaded_error', ''))}\n\n".encode())
                return True
            if sent == scene.gate_after and scene.gate:
                scene.gate.reached.set()
                self._wait_at(scene.gate.passed)
            if over.is_set():
                return False
            self._chunk(event)
        return True

    def _wait_at(self, gate: Event) -> None:
        waited = 0.0
        while not gate.wait(0.05) and not self._stand_in.over.is_set() and waited < LONGEST_WAIT:
            waited += 0.05

    def _chunk(self, data: bytes) -> None:
        self.wfile.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
        self.wfile.flush()

    def _cut(self) -> None:
        self.close_connection = True

    def _refuse(self, status: int, word: str, message: str = "", **headers: str) -> None:
        told = wire.error_body(word, f"req_refused{status}")
        if message:
            told["error"]["message"] = message
        body = json.dumps(told).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)
