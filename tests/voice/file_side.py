"""Where the platform keeps its files, as a small server of the test's own."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any

from tests.support.http_server import listening

MP3 = b"ID3\x04\x00\x00\x00\x00\x00\x00" + b"\xff\xfb\x90\x00" * 2_000


@dataclass
class Files:
    """What it answers by path: status, content and headers, and every request that it got with its token; those to delete one apart."""

    answers: dict[str, tuple[int, bytes, dict[str, str]]] = field(default_factory=dict)
    asked: list[tuple[str, str]] = field(default_factory=list)
    deleted: list[tuple[str, str]] = field(default_factory=list)
    deletes_with: int = 204

    def put(self, name: str, content: bytes = MP3, *, status: int = 200, **headers: str) -> str:
        """Keeps a file and returns its public address."""
        self.answers[f"/simulator/v1/files/{name}"] = (status, content, headers)
        return f"https://api.nexmo.com/v1/files/{name}"


@contextmanager
def keeping_files() -> Iterator[tuple[Files, int]]:
    """The files and the server's port."""
    files = Files()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            files.asked.append((self.path, self.headers.get("Authorization", "")))
            status, content, headers = files.answers.get(self.path, (404, b"", {}))
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        def do_DELETE(self) -> None:
            files.deleted.append((self.path, self.headers.get("Authorization", "")))
            self.send_response(files.deletes_with)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *arguments: Any) -> None:
            """Say nothing."""

    with listening(Handler) as port:
        yield files, port
