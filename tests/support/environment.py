"""The environment of a test run: nothing of the developer's own settings, and servers of its own.

With DATABASE_URL and VALKEY_URL set, those servers are used (in a test database and, under xdist, in a Valkey
database number for each test process). Otherwise embedded ones are started for this run, below .data/test.
"""

import os
import re
import shutil
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from cxhub.embedded import places, postgres, valkey
from cxhub.embedded.services import Services

RUNS = Path(__file__).resolve().parent.parent.parent / ".data" / "test"
FORGOTTEN = (
    "ANTHROPIC_API_KEY",
    "ANTHROPIC_BASE_URL",
    "ALLOWED_HOSTS",
    "ASSISTANT_BRAIN",
    "ASSISTANT_REPLIES_IN_A_ROW",
    "ASSISTANT_REPLIES_PER_MINUTE",
    "ASSISTANT_TOOLS_PER_CONVERSATION",
    "ASYNC_DATABASE_POOL_SIZE",
    "BIND_ADDRESS",
    "CALL_ME_PER_HOUR",
    "CALL_ME_REGIONS",
    "CHAT_MAX_MESSAGE_BYTES",
    "CHAT_MESSAGES_PER_SECOND",
    "CHAT_MODEL",
    "CHAT_MODEL_EFFORT",
    "CHAT_SESSIONS_PER_HOUR",
    "DATABASE_POOL_SIZE",
    "EMAIL_URL",
    "LOG_LEVEL",
    "MODEL_PRICES",
    "MODEL_SILENCE_SECONDS",
    "MODEL_TIMEOUT_SECONDS",
    "MODEL_TURN_BUDGET_CENTS",
    "OUTBOUND_CALLS_AT_ONCE",
    "OUTBOUND_CALLS_PER_SECOND",
    "PORT",
    "PUBLIC_URL",
    "RESERVATION_TIMEOUT_SECONDS",
    "TRUST_PROXY_HEADERS",
    "TURN_LEASE_SECONDS",
    "VOICE_LONGEST_WAIT_SECONDS",
    "VOICE_MODEL",
    "VOICE_MODEL_EFFORT",
    "VOICE_MODEL_TIMEOUT_SECONDS",
    "VOICE_REPLY_BUDGET_MS",
    "VONAGE_API_KEY",
    "VONAGE_API_URL",
    "VONAGE_APPLICATION_ID",
    "VONAGE_GATEWAY",
    "VONAGE_PRIVATE_KEY",
    "VONAGE_SIGNATURE_SECRET",
    "WEB_PROCESSES",
)
"""Settings that a developer may have in the environment and that tests must not depend on."""
VALKEY_DATABASES = 16
"""What a Valkey server has unless configured otherwise."""


def prepare() -> None:
    """Set the environment variables that cxhub.settings reads. Called before it is imported; starts nothing."""
    for name in FORGOTTEN:
        os.environ.pop(name, None)
    os.environ |= {"ENV_FILE": os.devnull, "DEBUG": "true", "SECRET_KEY": "only-for-tests-" + "0123456789" * 5}
    worker = re.fullmatch(r"gw(\d+)", os.environ.get("PYTEST_XDIST_WORKER", ""))
    if worker is None:
        os.environ["DATA_DIR"] = str(RUNS / str(os.getpid()))
    elif os.environ.get("VALKEY_URL"):
        os.environ["VALKEY_URL"] = with_database_number(os.environ["VALKEY_URL"], 1 + int(worker[1]))


def with_database_number(url: str, step: int) -> str:
    """`url` with a Valkey database number that is `step` higher."""
    number = (valkey.database_number(url) + step) % VALKEY_DATABASES
    parts = urlsplit(url)
    if parts.scheme == "unix":
        return f"unix://{parts.path}?db={number}"
    return urlunsplit(parts._replace(path=f"/{number}"))


def start_services(*, durable: bool = False) -> Services | None:
    """Start the embedded servers of this run, if it needs any, and tell its child processes where they are.

    `durable` makes PostgreSQL write through to the disk, as benchmarks need.
    """
    from django.conf import settings

    remove_left_overs()
    if settings.EMBEDDED_PLACES is None:
        return None
    services = Services(
        settings.EMBEDDED_PLACES,
        with_postgres=settings.EMBEDDED_DATABASE,
        with_valkey=settings.EMBEDDED_VALKEY,
        durable=durable,
    )
    services.start(lambda step: None)
    os.environ["VALKEY_URL"] = settings.VALKEY_URL
    if settings.EMBEDDED_DATABASE:
        os.environ["DATABASE_URL"] = postgres.address(services.places)
    return services


def stop_services(services: Services | None) -> None:
    """Stop the servers of this run and delete its data."""
    folder = Path(os.environ["DATA_DIR"])
    if services is not None:
        services.stop()
        places.remove(services.places, folder)
    shutil.rmtree(folder, ignore_errors=True)


def remove_left_overs() -> None:
    """Stop and delete what earlier runs left behind because they were killed."""
    for folder in RUNS.glob("[0-9]*"):
        if not _is_alive(int(folder.name)):
            left = places.find(folder)
            if left.postgres_data.exists():
                Services(left, with_postgres=True, with_valkey=True).stop()
            places.remove(left, folder)


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
