"""The embedded Valkey: start, stop.

It keeps nothing on disk: whatever must survive is in PostgreSQL, and sweeps find it there.
"""

import subprocess
import time
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from cxhub.embedded.places import EmbeddedServiceError, Places

START_SECONDS = 15
DATABASES = 64
"""One for each parallel test process, and some to spare."""


def address(places: Places, database: int = 0) -> str:
    """The address of the server, as redis-py reads it."""
    return f"unix://{places.valkey_socket}?db={database}"


def database_number(url: str) -> int:
    """The number of the database that `url` names; 0 when it names none."""
    parts = urlsplit(url)
    written = parse_qs(parts.query).get("db", [parts.path.strip("/") if parts.scheme != "unix" else "0"])[0]
    return int(written) if written.isdigit() else 0


def broker_url(url: str) -> str:
    """`url` as Celery writes it, which has its own form for Unix sockets."""
    if not url.startswith("unix://"):
        return url
    return f"redis+socket://{urlsplit(url).path}?virtual_host={database_number(url)}"


def start(places: Places) -> None:
    """Start the server. Harmless when it already runs. Raises EmbeddedServiceError with the end of the log."""
    if is_running(places):
        return
    command: list[str | Path] = [
        places.valkey_program,
        *("--port", "0", "--unixsocket", places.valkey_socket, "--unixsocketperm", "700"),
        *("--dir", places.state, "--logfile", places.valkey_log),
        *("--save", "", "--appendonly", "no", "--databases", str(DATABASES), "--daemonize", "yes"),
    ]
    try:
        subprocess.run(command, check=True, capture_output=True, text=True, cwd="/", **places.run_as)
    except (OSError, subprocess.SubprocessError) as error:
        raise EmbeddedServiceError(
            f"The embedded Valkey did not start: {error}. Set VALKEY_URL to a server of your own if this machine does not allow it."
        ) from error
    deadline = time.monotonic() + START_SECONDS
    while not is_running(places):
        if time.monotonic() > deadline:
            raise EmbeddedServiceError(f"The embedded Valkey did not answer within {START_SECONDS} s; see {places.valkey_log}.")
        time.sleep(0.02)


def stop(places: Places) -> None:
    """Stop the server and wait for it. Harmless when it does not run."""
    if not is_running(places):
        return
    with _client(places) as client:
        client.shutdown(nosave=True)
    deadline = time.monotonic() + START_SECONDS
    while is_running(places) and time.monotonic() < deadline:
        time.sleep(0.02)


def is_running(places: Places) -> bool:
    """Whether the server of these places answers."""
    if not places.valkey_socket.exists():
        return False
    try:
        with _client(places) as client:
            return bool(client.ping())
    except redis.RedisError:
        return False


def _client(places: Places) -> redis.Redis:
    # Asked once: a server that has ended does not come back, and the client's usual three repeats take four seconds.
    return redis.Redis(unix_socket_path=str(places.valkey_socket), socket_timeout=5, retry=Retry(NoBackoff(), 0))
