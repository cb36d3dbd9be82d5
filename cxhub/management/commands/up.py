"""Run all of CX Hub: embedded servers, migrations, demo company, web, worker and beat."""

import os
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from argparse import ArgumentParser
from contextlib import ExitStack
from types import FrameType
from typing import Any

import psycopg
from django.conf import settings
from django.core.management import CommandError, call_command, get_commands
from django.core.management.base import BaseCommand
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.migrations.executor import MigrationExecutor
from redis import Redis
from redis.exceptions import RedisError

from cxhub.embedded.places import EmbeddedServiceError
from cxhub.embedded.services import Services, held
from cxhub.supervisor import Supervisor

REACHED_WITHIN_SECONDS = 5
LOOPBACK = ("127.0.0.1", "localhost", "::1", "[::1]")
PAGES = (
    ("Inbox", "/inbox/"),
    ("Admin", "/admin/"),
    ("Report", "/reports/"),
    ("Demo company", "/harborhome"),
    ("Phone simulator", "/simulator/phone/"),
)


class Command(BaseCommand):
    help = __doc__ or ""

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--web",
            type=int,
            default=settings.WEB_PROCESSES,
            help="number of web processes, which share the port (default: the setting WEB_PROCESSES)",
        )
        parser.add_argument("--worker", type=int, default=1, help="number of worker processes")
        parser.add_argument(
            "--no-demo", action="store_true", help="do not create the demo company (never created when DEBUG is off)"
        )

    def handle(self, *args: Any, web: int, worker: int, no_demo: bool, **options: Any) -> None:
        for signal_number in (signal.SIGTERM, signal.SIGHUP):
            signal.signal(signal_number, _exit_on_signal)
        if web < 1 or worker < 1:
            raise CommandError("At least one web process and one worker are needed.")
        try:
            with ExitStack() as at_the_end:
                listener = at_the_end.enter_context(bind(settings.BIND_ADDRESS, settings.PORT))
                services = self._start_services(at_the_end)
                self._migrate()
                self._prepare_content(demo=settings.DEBUG and not no_demo)
                connections.close_all()
                supervisor = self._supervise(listener, web=web, worker=worker)
                if services is not None:
                    supervisor.add_chore(lambda: watch(services, supervisor), every_seconds=5)
                supervisor.loop()
        except EmbeddedServiceError as error:
            raise CommandError(str(error)) from error
        except KeyboardInterrupt:
            self.stdout.write("Stopped.")
            sys.exit(130)
        if supervisor.returncode:
            sys.exit(supervisor.returncode)

    def _start_services(self, at_the_end: ExitStack) -> Services | None:
        if settings.EMBEDDED_PLACES is None:
            return None
        at_the_end.enter_context(held(settings.DATA_DIR))
        services = Services(
            settings.EMBEDDED_PLACES,
            with_postgres=settings.EMBEDDED_DATABASE,
            with_valkey=settings.EMBEDDED_VALKEY,
        )
        at_the_end.callback(services.stop)
        services.start(self._say)
        return services

    def _migrate(self) -> None:
        check_servers()
        executor = MigrationExecutor(connections[DEFAULT_DB_ALIAS])
        waiting = executor.migration_plan(executor.loader.graph.leaf_nodes())
        if waiting:
            self._say(f"Bringing the database up to date ({len(waiting)} steps)")
            call_command("migrate", interactive=False, verbosity=0)
        else:
            # Whoever made in many steps what one stands for now has it already, and notes that.
            executor.check_replacements()

    def _prepare_content(self, *, demo: bool) -> None:
        if not settings.DEBUG:
            self._say("Collecting static files")
            call_command("collectstatic", interactive=False, verbosity=0)
        if demo and "demo" in get_commands():
            self._say("Preparing the demo company")
            subprocess.run([sys.executable, "manage.py", "demo"], check=True, cwd=settings.BASE_DIR)

    def _supervise(self, listener: socket.socket, *, web: int, worker: int) -> Supervisor:
        supervisor = Supervisor(settings.BASE_DIR)
        file_descriptor = listener.fileno()
        for number in range(1, web + 1):
            supervisor.add(
                numbered("web", number, web),
                web_command("--fd", str(file_descriptor)),
                keep_open=[file_descriptor],
            )
        for number in range(1, worker + 1):
            supervisor.add(numbered("worker", number, worker), worker_command(number))
        supervisor.add("beat", beat_command())
        supervisor.add_chore(lambda: self._announce(supervisor), every_seconds=0.5)
        return supervisor

    def _announce(self, supervisor: Supervisor) -> bool:
        if not web_answers():
            return False
        supervisor.say("CX Hub is ready:")
        for label, path in PAGES:
            supervisor.say(f"  {label:<16} {settings.PUBLIC_URL}{path}")
        if settings.DEBUG and settings.BIND_ADDRESS not in LOOPBACK:
            supervisor.say(f"Warning: BIND_ADDRESS={settings.BIND_ADDRESS} opens the demonstration and its passwords to your network.")
            supervisor.say("         Set BIND_ADDRESS=127.0.0.1 to keep it to this machine, or DEBUG=false to run it for real.")
        supervisor.say("Ctrl-C stops everything.")
        return True

    def _say(self, text: str) -> None:
        self.stdout.write(f"{text} …")
        self.stdout.flush()


def check_servers() -> None:
    """Raises CommandError, naming the setting, when PostgreSQL or Valkey cannot be reached."""
    database = connections[DEFAULT_DB_ALIAS].get_connection_params() | {"connect_timeout": REACHED_WITHIN_SECONDS}
    try:
        psycopg.connect(**database).close()
    except psycopg.OperationalError as error:
        raise CommandError(f"PostgreSQL cannot be reached, see DATABASE_URL: {_first_line(error)}") from error
    try:
        with Redis.from_url(settings.VALKEY_URL, socket_connect_timeout=REACHED_WITHIN_SECONDS) as client:
            client.ping()
    except RedisError as error:
        raise CommandError(f"Valkey cannot be reached, see VALKEY_URL: {_first_line(error)}") from error


def _first_line(error: Exception) -> str:
    return str(error).strip().split("\n")[0]


def bind(address: str, port: int) -> socket.socket:
    """A socket listening on `port`, shared by the web processes; it stays open while they restart.

    Raises CommandError, naming the setting, when the port cannot be had.
    """
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((address.strip("[]"), port))
        listener.listen(1024)
    except OSError as error:
        listener.close()
        raise CommandError(
            f"Port {port} on {address} cannot be used: {os.strerror(error.errno or 0).lower()}. "
            f"Stop what uses it, or set PORT to another one, for example: PORT={port + 1 if port < 65535 else 8000} make run"
        ) from error
    listener.setblocking(False)
    return listener


def web_command(*where: str) -> list[str]:
    """The command line of one web process; `where` says what it listens on."""
    return [sys.executable, "-m", "cxhub.web", "-v", "0", "--no-server-name", *where, "cxhub.asgi:application"]


def worker_command(number: int) -> list[str]:
    """The command line of one worker; threads, since tasks wait for the database and the network."""
    return [
        *(sys.executable, "-m", "celery", "--quiet", "--app", "cxhub", "worker", "--pool", "threads", "--concurrency", "4"),
        *("--without-gossip", "--without-mingle", "--hostname", f"worker{number}@%h"),
    ]


def beat_command() -> list[str]:
    """The command line of the process that sends periodic tasks."""
    return [sys.executable, "-m", "celery", "--quiet", "--app", "cxhub", "beat", "--pidfile="]


def numbered(name: str, number: int, of: int) -> str:
    """`name` alone when there is one, otherwise with its number."""
    return name if of == 1 else f"{name}-{number}"


def web_answers() -> bool:
    """Whether a web process answers on the port."""
    address = "127.0.0.1" if settings.BIND_ADDRESS == "0.0.0.0" else settings.BIND_ADDRESS
    try:
        with urllib.request.urlopen(f"http://{address}:{settings.PORT}/healthz", timeout=2) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def watch(services: Services, supervisor: Supervisor) -> bool:
    """Start an embedded server again when it is gone; never finished."""
    try:
        services.restart_dead(supervisor.say)
    except EmbeddedServiceError as error:
        supervisor.say(str(error))
    return False


def _exit_on_signal(number: int, _frame: FrameType | None) -> None:
    sys.exit(128 + number)
