"""`manage.py up` through its door: the command line, signals and the port."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from django.conf import settings
from django.contrib.auth import get_user_model

from conversations.demo.policy import PASSWORD
from cxhub.embedded import places
from tests.support.processes import child_environment, free_port

START_SECONDS = 240


class Up:
    """A running `manage.py up`, in a session of its own as if started from a terminal."""

    def __init__(self, folder: Path, *arguments: str, **environment: str) -> None:
        self.log = folder / "up.log"
        self.port = int(environment["PORT"])
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(
                [sys.executable, "manage.py", "up", *arguments],
                cwd=settings.BASE_DIR,
                env=environment,
                stdout=output,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )

    def output(self) -> str:
        return self.log.read_text(errors="replace")

    def wait_for(self, text: str) -> None:
        wait_until(lambda: text in self.output() or self.process.poll() is not None, self.output)
        assert text in self.output(), self.output()

    def children(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children(recursive=True)

    def child(self, part_of_command: str) -> psutil.Process:
        """The process that does the work, not the one that watches it."""
        (found,) = [one for one in self.children() if part_of_command in " ".join(one.cmdline()[:4])]
        return found

    def stop(self, signal_number: int) -> int:
        self.process.send_signal(signal_number)
        return self.process.wait(60)

    def answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/healthz", timeout=5) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False


def wait_until(condition: Callable[[], bool], describe: Callable[[], str] = str) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not condition():
        assert time.monotonic() < deadline, describe()
        time.sleep(0.05)


def gone(processes: list[psutil.Process]) -> bool:
    return not any(one.is_running() and one.status() != psutil.STATUS_ZOMBIE for one in processes)


@pytest.fixture
def start_up(tmp_path: Path) -> Iterator[Callable[..., Up]]:
    started: list[Up] = []

    def start(*arguments: str, **environment: str) -> Up:
        started.append(Up(tmp_path, *arguments, **environment))
        return started[-1]

    yield start
    for up in started:
        if up.process.poll() is None:
            up.stop(signal.SIGTERM)
    if (tmp_path / "data" / "instance").exists():
        places.remove(places.find(tmp_path / "data"), tmp_path / "data")  # what root keeps outside the folder


@pytest.fixture
def environment(transactional_db: None, tmp_path: Path) -> dict[str, str]:
    """The servers of the test run, a free port, and an empty data folder."""
    port = str(free_port())
    data, url = str(tmp_path / "data"), f"http://localhost:{port}"
    return child_environment(DEBUG="true", DATA_DIR=data, PORT=port, PUBLIC_URL=url, WEB_PROCESSES="1")


@pytest.mark.two_processes
def test_given_servers_are_used_and_ctrl_c_leaves_nothing(start_up: Callable[..., Up], environment: dict[str, str]) -> None:
    """With both addresses set nothing embedded starts, and as many web processes as the setting says; the demo's sign-ins are printed
    and work; Ctrl-C ends everything with code 0."""
    up = start_up(**environment | {"WEB_PROCESSES": "2"})
    up.wait_for("Ctrl-C stops everything")
    assert f"http://localhost:{up.port}/inbox/" in up.output()
    assert re.search(r"manager +maya .*\n +agent +ann .*\n +agent +ben ", up.output()), "the sign-ins of the demo company"
    assert get_user_model().objects.get(username="ann").check_password(PASSWORD)
    assert "embedded" not in up.output()
    assert not (Path(environment["DATA_DIR"]) / "postgres").exists()
    processes = up.children()
    assert len([one for one in processes if "cxhub.web" in one.cmdline()]) == 2
    assert up.stop(signal.SIGINT) == 0
    wait_until(lambda: gone(processes))
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", up.port)) != 0


@pytest.mark.two_processes
def test_a_child_that_dies_is_started_again_visibly_and_none_outlives_a_killed_supervisor(
    start_up: Callable[..., Up], environment: dict[str, str]
) -> None:
    """After kill -9 of the web process a line says so, and the same port answers again. kill -9 of the supervisor gives it no chance to
    end its children; the kernel does it."""
    up = start_up("--no-demo", **environment)
    up.wait_for("Ctrl-C stops everything")
    up.child("cxhub.web").kill()
    up.wait_for("web ended (code -9); starting it again in 1 s")
    up.wait_for("web starting again")
    wait_until(up.answers, up.output)
    processes = up.children()
    assert [one for one in processes if "cxhub.web" in one.cmdline()]
    up.process.kill()
    up.process.wait()
    wait_until(lambda: gone(processes))


@pytest.mark.parametrize(
    ("name", "address", "what"),
    [
        ("DATABASE_URL", "postgres://nobody@127.0.0.1:1/x", "PostgreSQL cannot be reached, see DATABASE_URL"),
        ("VALKEY_URL", "redis://127.0.0.1:1/0", "Valkey cannot be reached, see VALKEY_URL"),
    ],
)
def test_a_server_that_is_not_there_is_a_clear_error(
    start_up: Callable[..., Up], environment: dict[str, str], name: str, address: str, what: str
) -> None:
    """It names the setting, and nothing is started."""
    up = start_up("--no-demo", **environment | {name: address})
    assert up.process.wait(START_SECONDS) == 1
    assert what in up.output()
    assert "Traceback" not in up.output()


def test_a_busy_port_is_a_clear_error(start_up: Callable[..., Up], environment: dict[str, str]) -> None:
    """It names the setting and starts nothing."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", int(environment["PORT"])))
        taken.listen()
        up = start_up("--no-demo", **environment)
        assert up.process.wait(START_SECONDS) == 1
    assert f"Port {up.port} on 127.0.0.1 cannot be used: address already in use" in up.output()
    assert "set PORT to another one" in up.output()
    assert "Traceback" not in up.output()


@pytest.mark.two_processes
def test_embedded_servers_live_as_long_as_up(start_up: Callable[..., Up], environment: dict[str, str], tmp_path: Path) -> None:
    """Without addresses it brings its own PostgreSQL and Valkey, starts a killed one again, and stops both at the end."""
    without_servers = {name: value for name, value in environment.items() if name not in ("DATABASE_URL", "VALKEY_URL")}
    up = start_up("--no-demo", **without_servers)
    up.wait_for("Ctrl-C stops everything")
    assert "Starting the embedded PostgreSQL (preparing a new database, once)" in up.output()
    servers = embedded_servers(up.output(), tmp_path / "data")
    assert {one.name() for one in servers} == {"postgres", "valkey-server"}
    assert all(not one.net_connections("inet") for one in servers), "Only Unix sockets, so that nobody else can connect."

    second = start_up("--no-demo", **{**without_servers, "PORT": str(free_port())})
    assert second.process.wait(START_SECONDS) == 1
    assert "CX Hub already runs from" in second.output()

    next(one for one in servers if one.name() == "valkey-server").kill()
    up.wait_for("An embedded server is gone")
    wait_until(up.answers, up.output)
    servers = embedded_servers(up.output(), tmp_path / "data")
    assert up.stop(signal.SIGTERM) == 128 + signal.SIGTERM
    wait_until(lambda: gone(servers))


def embedded_servers(output: str, data: Path) -> list[psutil.Process]:
    """The two servers whose data belong to `data`."""
    state = Path("/var/lib/cxhub") / (data / "instance").read_text() if os.geteuid() == 0 else data
    return [
        one
        for one in psutil.process_iter(["name", "cmdline"])
        if one.info["name"] in ("postgres", "valkey-server") and f"{state}/" in " ".join(one.info["cmdline"] or [])
    ]
