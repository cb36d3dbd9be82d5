"""The embedded servers that the settings ask for, as one thing to start, watch and stop."""

import fcntl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cxhub.embedded import places as embedded_places
from cxhub.embedded import postgres, valkey
from cxhub.embedded.places import EmbeddedServiceError, Places

Say = Callable[[str], None]


@dataclass(frozen=True)
class Services:
    """Which of the two servers are ours to run, and where."""

    places: Places
    with_postgres: bool
    with_valkey: bool
    durable: bool = True

    def start(self, say: Say) -> None:
        """Start what is wanted, saying each step. Harmless when it runs already. Raises EmbeddedServiceError."""
        ready = embedded_places.prepare(self.places)
        if self.with_postgres and not postgres.is_running(ready):
            new = "" if ready.postgres_data.exists() else " (preparing a new database, once)"
            say(f"Starting the embedded PostgreSQL{new}")
        if self.with_postgres:
            postgres.start(ready, durable=self.durable)
        if self.with_valkey and not valkey.is_running(ready):
            say("Starting the embedded Valkey")
            valkey.start(ready)

    def restart_dead(self, say: Say) -> None:
        """Start again what was running and is gone."""
        if (self.with_postgres and not postgres.answers(self.places)) or (
            self.with_valkey and not valkey.is_running(self.places)
        ):
            say("An embedded server is gone")
            self.start(say)

    def stop(self) -> None:
        """Stop both and wait until they are gone."""
        if self.with_valkey:
            valkey.stop(self.places)
        if self.with_postgres:
            postgres.stop(self.places)


@contextmanager
def held(data_folder: Path) -> Iterator[None]:
    """Keep a second supervisor off the same data while the block runs; the lock ends with the process.

    Raises EmbeddedServiceError when another one holds it.
    """
    with (data_folder / "up.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise EmbeddedServiceError(
                f"CX Hub already runs from {data_folder}. Stop it first (Ctrl-C there), or set DATA_DIR to another folder."
            ) from error
        yield
