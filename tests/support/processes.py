"""Real web and worker processes on the test database, for tests of what happens between processes."""

import fcntl
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

import pytest
from django.conf import settings
from django.db import connection

from cxhub.management.commands.up import beat_command, web_command, worker_command

START_SECONDS = 60
STOP_SECONDS = 10


@dataclass
class RunningProcess:
    """A process of the product. Its output is in `log`."""

    command: list[str]
    environment: dict[str, str]
    log: Path
    _popen: subprocess.Popen[bytes] | None = field(default=None, init=False)

    def start(self) -> None:
        with self.log.open("ab") as output:
            self._popen = subprocess.Popen(
                self.command,
                env=self.environment,
                cwd=settings.BASE_DIR,
                stdout=output,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        assert self._popen is not None
        return self._popen.pid

    def is_alive(self) -> bool:
        return self._popen is not None and self._popen.poll() is None

    def kill(self) -> None:
        """End it at once, as `kill -9` does."""
        if self._popen is not None and self.is_alive():
            os.killpg(self.pid, signal.SIGKILL)
            self._popen.wait()

    def ask_to_end(self) -> None:
        os.killpg(self.pid, signal.SIGTERM)

    def wait_for_end(self, seconds: float) -> None:
        """Raises subprocess.TimeoutExpired when it does not end in time."""
        assert self._popen is not None
        self._popen.wait(seconds)

    def stop(self) -> None:
        """Ask it to end, and wait."""
        if self.is_alive():
            self.ask_to_end()
            try:
                self.wait_for_end(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self.kill()

    def output(self) -> str:
        return self.log.read_text(errors="replace")

    def _wait_until(self, condition: Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + START_SECONDS
        while not condition():
            assert self.is_alive(), f"The process ended while starting:\n{self.output()}"
            assert time.monotonic() < deadline, f"{what} took over {START_SECONDS} s:\n{self.output()}"
            time.sleep(0.05)


@dataclass
class WebProcess(RunningProcess):
    """One Daphne process with a port of its own, which it keeps when restarted."""

    port: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def websocket_url(self) -> str:
        return f"ws://127.0.0.1:{self.port}"

    def start(self) -> None:
        super().start()
        self._wait_until(self.answers, "The web process")

    def answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/healthz", timeout=5) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False


@dataclass
class WorkerProcess(RunningProcess):
    """One Celery worker, or beat."""

    ready_when: str = "ready"

    def start(self) -> None:
        super().start()
        self._wait_until(lambda: self.ready_when in self.output(), "The worker process")


def child_environment(**changes: str) -> dict[str, str]:
    """The environment of a process that works on the test database, as in production but for https."""
    database = connection.settings_dict
    host = database["HOST"] or database["OPTIONS"].get("host", "")
    address = (
        f"postgresql://{quote(database['USER'])}:{quote(database['PASSWORD'])}@/{database['NAME']}"
        f"?host={quote(host, safe='/')}&port={database['PORT'] or 5432}"
    )
    return {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "cxhub.settings",
        "DATABASE_URL": address,
        "VALKEY_URL": settings.VALKEY_URL,
        "DATA_DIR": str(settings.DATA_DIR),
        "SECRET_KEY": settings.SECRET_KEY,
        "DEBUG": "false",
        "VONAGE_GATEWAY": "simulator",
        "PYTHONUNBUFFERED": "1",
        **changes,
    }


@contextmanager
def running_web(count: int = 1, **changes: str) -> Iterator[list[WebProcess]]:
    """`count` web processes on the test database while the block runs. `changes` are settings by name."""
    collect_static_files()
    with _stopped_at_the_end() as (stack, folder):
        processes = []
        for number in range(1, count + 1):
            port = free_port()
            environment = child_environment(
                **{"PORT": str(port), "PUBLIC_URL": f"http://127.0.0.1:{port}", "ALLOWED_HOSTS": "*"} | changes
            )
            command = web_command("--bind", "127.0.0.1", "--port", str(port))
            process = WebProcess(command, environment, folder / f"web-{number}.log", port=port)
            stack.callback(process.stop)
            process.start()
            processes.append(process)
        yield processes


@contextmanager
def running_workers(count: int = 1, *, beat: bool = False, **changes: str) -> Iterator[list[WorkerProcess]]:
    """`count` workers on the test database while the block runs, and beat after them when wanted."""
    with _stopped_at_the_end() as (stack, folder):
        environment = child_environment(**changes)
        processes = [
            WorkerProcess(worker_command(number), environment, folder / f"worker-{number}.log")
            for number in range(1, count + 1)
        ]
        if beat:
            processes.append(WorkerProcess(beat_command(), environment, folder / "beat.log", ready_when="DatabaseScheduler"))
        for process in processes:
            stack.callback(process.stop)
            process.start()
        yield processes


@pytest.fixture
def web_processes(transactional_db: None) -> Iterator[Callable[..., list[WebProcess]]]:
    """A function that starts web processes: `first, second = web_processes(2)`; they end with the test."""
    with ExitStack() as stack:
        yield lambda count=1, **changes: stack.enter_context(running_web(count, **changes))


@pytest.fixture
def worker_processes(transactional_db: None) -> Iterator[Callable[..., list[WorkerProcess]]]:
    """A function that starts workers: `worker_processes(2, beat=True)`; they end with the test."""
    with ExitStack() as stack:
        yield lambda count=1, **options: stack.enter_context(running_workers(count, **options))


def free_port() -> int:
    """A TCP port of this machine that nothing uses at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def collect_static_files() -> None:
    """Gather the static files once for this run, as a deployment does. The test processes share them, so one at a time."""
    with (Path(settings.DATA_DIR) / "static.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if (Path(settings.STATIC_ROOT) / "staticfiles.json").exists():
            return
        environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "cxhub.settings", "DEBUG": "false", "VONAGE_GATEWAY": "simulator"}
        command = [sys.executable, "manage.py", "collectstatic", "--no-input", "-v", "0"]
        subprocess.run(command, env=environment, cwd=settings.BASE_DIR, check=True)


@contextmanager
def _stopped_at_the_end() -> Iterator[tuple[ExitStack, Path]]:
    folder = Path(tempfile.mkdtemp(prefix="cxhub-test-"))
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        yield stack, folder
