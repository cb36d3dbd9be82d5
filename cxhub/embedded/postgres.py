"""The embedded PostgreSQL: initialise, start, stop.

The wheel's own `get_server` is not used: as root it opens every parent folder of the data for all users. The
programs it carries are called directly instead. Sign-in is by `peer` authentication: the server asks the kernel
which user is at the other end of the socket.
"""

import socket
import subprocess
from pathlib import Path
from urllib.parse import quote

import psycopg
from psycopg import sql

from cxhub.embedded.places import EmbeddedServiceError, Places

DATABASE = "cxhub"
START_SECONDS = 60
STOP_SECONDS = 60
SETTINGS = {
    "listen_addresses": "''",
    "max_connections": "200",
    "shared_buffers": "128MB",
    "random_page_cost": "1.1",
    "jit": "off",
    "shared_preload_libraries": "pg_stat_statements",
    "timezone": "UTC",
    "log_timezone": "UTC",
}
NOT_DURABLE = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
"""For test runs, whose data need not survive a power cut."""


def address(places: Places) -> str:
    """The libpq address of the database."""
    return f"postgresql://{quote(places.database_user)}@/{DATABASE}?host={quote(str(places.sockets), safe='/')}"


def start(places: Places, *, durable: bool = True) -> None:
    """Start the server (initialise it first when new) and make sure that the database exists.

    Harmless when it already runs. Takes about a second. Raises EmbeddedServiceError with the end of the log.
    """
    if not (places.postgres_data / "PG_VERSION").exists():
        _initialise(places, durable=durable)
    if not is_running(places):
        _refuse_other_version(places)
        settings = SETTINGS | ({} if durable else NOT_DURABLE)
        options = f"-k {places.sockets} " + " ".join(f"-c {name}={value}" for name, value in settings.items())
        _run(
            places,
            "pg_ctl",
            *("start", "--wait", "--silent", f"--timeout={START_SECONDS}"),
            f"--pgdata={places.postgres_data}",
            f"--log={places.postgres_log}",
            f"--options={options}",
        )
    _ensure_database(places)


def stop(places: Places) -> None:
    """Stop the server and wait for it. Harmless when it does not run."""
    if is_running(places):
        _run(
            places,
            "pg_ctl",
            *("stop", "--wait", "--silent", "--mode=fast", f"--timeout={STOP_SECONDS}"),
            f"--pgdata={places.postgres_data}",
        )


def is_running(places: Places) -> bool:
    """Whether the server of these places runs."""
    if not (places.postgres_data / "postmaster.pid").exists():
        return False
    status = subprocess.run(
        [places.postgres_programs / "pg_ctl", "status", f"--pgdata={places.postgres_data}"],
        check=False,
        capture_output=True,
        cwd="/",
        **places.run_as,
    )
    return status.returncode == 0


def answers(places: Places) -> bool:
    """Whether something accepts connections on the socket; cheaper than `is_running`."""
    with socket.socket(socket.AF_UNIX) as connection:
        try:
            connection.connect(str(places.sockets / ".s.PGSQL.5432"))
        except OSError:
            return False
    return True


def _initialise(places: Places, *, durable: bool) -> None:
    unfinished = places.state / "postgres.new"
    _run_plain(places, "rm", "-rf", str(unfinished))
    _run(
        places,
        "initdb",
        f"--pgdata={unfinished}",
        f"--username={places.database_user}",
        *("--auth=peer", "--encoding=UTF8", "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"),
        *([] if durable else ["--no-sync"]),
    )
    unfinished.rename(places.postgres_data)


def _refuse_other_version(places: Places) -> None:
    of_data = (places.postgres_data / "PG_VERSION").read_text().strip()
    of_program = _run(places, "postgres", "--version").split()[-1].split(".")[0]
    if of_data != of_program:
        raise EmbeddedServiceError(
            f"{places.postgres_data} was made by PostgreSQL {of_data}, and the installed one is {of_program}. "
            "Dump it with the old version and restore it, or move the folder away to start with an empty database."
        )


def _ensure_database(places: Places) -> None:
    with psycopg.connect(host=str(places.sockets), user=places.database_user, dbname="postgres", autocommit=True) as connection:
        found = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone()
        if found is None:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(DATABASE)))


def _run(places: Places, program: str, *arguments: str) -> str:
    return _run_plain(places, str(places.postgres_programs / program), *arguments)


def _run_plain(places: Places, *command: str) -> str:
    try:
        done = subprocess.run(command, check=True, capture_output=True, text=True, cwd="/", **places.run_as)
    except subprocess.CalledProcessError as error:
        raise EmbeddedServiceError(
            f"The embedded PostgreSQL: {Path(command[0]).name} failed.\n{error.stderr.strip()}\n{_end_of(places.postgres_log)}"
        ) from error
    except (OSError, subprocess.SubprocessError) as error:
        raise EmbeddedServiceError(
            f"The embedded PostgreSQL cannot run {command[0]}: {error}. "
            "Set DATABASE_URL to a server of your own if this machine does not allow it."
        ) from error
    return done.stdout


def _end_of(log: Path) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-15:]) if log.exists() else ""
