"""Examines a running installation: what `manage.py doctor` and the admin's home page show.

Every examination returns a `Finding`. It never raises and never changes anything.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from importlib import import_module
from importlib.util import find_spec
from urllib.parse import urlsplit

import pgtrigger
import redis
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from django.apps import apps
from django.conf import settings
from django.core.cache import cache
from django.db import DEFAULT_DB_ALIAS, connection, connections
from django.db import Error as DatabaseError
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

from cxhub.celery import app as celery_app
from cxhub.tasks import HEARTBEAT_KEY
from routing.selectors.untaken import steps_into_work_nobody_takes
from routing.services.hours import unreadable_hours

OLDEST_POSTGRES = 15
EXTENSIONS = ("vector", "pg_trgm", "btree_gist")
WORKER_ANSWER_SECONDS = 2.0
LATE_HEARTBEAT_SECONDS = 60
CLOCK_WARN_SECONDS = 1.0
CLOCK_FAIL_SECONDS = 10.0
SHOWN_VIOLATIONS = 3
OWN_APPS = ("routing", "conversations", "reporting")


class Status(Enum):
    """How something is."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True)
class Finding:
    """What was examined, how it is, and a sentence that says what to do when it is not well."""

    subject: str
    status: Status
    sentence: str


def examine() -> Iterator[Finding]:
    """All findings, in the order of what depends on what. What cannot be seen without the database is left out."""
    database = check_database()
    yield database
    if database.status is not Status.FAIL:
        yield check_extensions()
        migrations = check_migrations()
        yield migrations
        yield check_clock()
        if migrations.status is Status.OK:
            yield check_triggers()
            yield from check_invariants()
            yield check_steps()
            yield check_hours()
    valkey = check_valkey()
    yield valkey
    if valkey.status is not Status.FAIL:
        yield check_worker()
        yield check_beat()
    yield check_language_model()
    yield check_phone()
    yield check_public_url()


def check_database() -> Finding:
    """PostgreSQL answers and is new enough."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SHOW server_version_num")
            version = int(cursor.fetchone()[0]) // 10_000
    except DatabaseError as error:
        advice = "Start it with `make run`" if settings.EMBEDDED_DATABASE else "Check DATABASE_URL and that the server runs"
        return Finding("Database", Status.FAIL, f"PostgreSQL does not answer ({_first_line(error)}). {advice}.")
    if version < OLDEST_POSTGRES:
        return Finding("Database", Status.FAIL, f"PostgreSQL {version} is too old. Use {OLDEST_POSTGRES} or newer.")
    kind = "embedded" if settings.EMBEDDED_DATABASE else "from DATABASE_URL"
    return Finding("Database", Status.OK, f"PostgreSQL {version}, {kind}.")


def check_extensions() -> Finding:
    """The extensions that the tables need are installed."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT extname FROM pg_extension")
        installed = {name for (name,) in cursor.fetchall()}
    missing = [name for name in EXTENSIONS if name not in installed]
    if missing:
        advice = "Install their packages on the database server (pgvector for vector), then run `manage.py migrate`."
        return Finding("Extensions", Status.FAIL, f"Missing: {', '.join(missing)}. {advice}")
    return Finding("Extensions", Status.OK, f"{', '.join(EXTENSIONS)}.")


def check_migrations() -> Finding:
    """All migrations are applied."""
    executor = MigrationExecutor(connections[DEFAULT_DB_ALIAS])
    waiting = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if waiting:
        return Finding("Migrations", Status.FAIL, f"{len(waiting)} not applied. Run `manage.py migrate`.")
    return Finding("Migrations", Status.OK, "All applied.")


def check_clock() -> Finding:
    """The clocks of this machine and of the database agree; signatures, leases and offers depend on it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        difference = abs((cursor.fetchone()[0] - timezone.now()).total_seconds())
    if difference > CLOCK_WARN_SECONDS:
        status = Status.FAIL if difference > CLOCK_FAIL_SECONDS else Status.WARN
        advice = "Set both clocks by NTP; offers, leases and webhook signatures depend on them."
        return Finding("Clock", status, f"This machine and the database differ by {difference:.1f} s. {advice}")
    return Finding("Clock", Status.OK, f"This machine and the database differ by {difference * 1000:.0f} ms.")


def check_triggers() -> Finding:
    """The triggers that keep history and audit rows unchanged are in place."""
    broken = [
        f"{model._meta.label}: {trigger.name}"
        for model, trigger in pgtrigger.registered()
        if trigger.get_installation_status(model) != (pgtrigger.core.INSTALLED, True)
    ]
    if broken:
        advice = "Run `manage.py pgtrigger install` and find out who removed them."
        return Finding("History protection", Status.FAIL, f"Not in place: {', '.join(broken)}. {advice}")
    return Finding("History protection", Status.OK, "History and audit rows cannot be changed.")


def check_invariants() -> Iterator[Finding]:
    """What each app declares in `selectors/invariants.py` holds."""
    for app_name in OWN_APPS:
        module_name = f"{apps.get_app_config(app_name).name}.selectors.invariants"
        if _exists(module_name):
            for invariant in import_module(module_name).INVARIANTS:
                yield _check_invariant(invariant.sentence, invariant.violations)


def check_steps() -> Finding:
    """Work that waited too long and became another kind, such as a call back, finds somebody who takes that."""
    untaken = [
        f"After {step.after_seconds} s in {step.queue} work becomes “{step.becomes_kind}”, which none of its agents takes."
        for step in steps_into_work_nobody_takes()
    ]
    if untaken:
        advice = "Add the kind to a routing profile that serves the queue, or take the step out."
        return Finding("Queues", Status.WARN, f"{' '.join(untaken)} {advice}")
    return Finding("Queues", Status.OK, "Whatever the steps of a queue make of its work, somebody takes it.")


def check_hours() -> Finding:
    """Opening hours that were stored can be read still: a new release of the calendar of holidays may lack what they name."""
    if found := unreadable_hours():
        told = " ".join(f"{hours}: {problem}" for hours, problem in found[:SHOWN_VIOLATIONS])
        return Finding("Hours", Status.WARN, f"{len(found)} cannot be read and count as always open. {told} Put them right in the admin.")
    return Finding("Hours", Status.OK, "All opening hours can be read.")


def check_valkey() -> Finding:
    """Valkey answers."""
    try:
        with redis.Redis.from_url(settings.VALKEY_URL, socket_connect_timeout=3) as client:
            client.ping()
    except (redis.RedisError, OSError) as error:
        advice = "Start it with `make run`" if settings.EMBEDDED_VALKEY else "Check VALKEY_URL and that the server runs"
        return Finding("Valkey", Status.FAIL, f"It does not answer ({_first_line(error)}). {advice}.")
    return Finding("Valkey", Status.OK, f"Answers, {'embedded' if settings.EMBEDDED_VALKEY else 'from VALKEY_URL'}.")


def check_worker() -> Finding:
    """At least one worker answers."""
    answers = celery_app.control.ping(timeout=WORKER_ANSWER_SECONDS) or []
    if not answers:
        return Finding("Worker", Status.FAIL, "No worker answers. Start one: `make run`, or `celery --app cxhub worker`.")
    return Finding("Worker", Status.OK, f"{len(answers)} running.")


def check_beat() -> Finding:
    """Beat sent its heartbeat lately and a worker ran it."""
    written = cache.get(HEARTBEAT_KEY)
    advice = "Start it: `make run`, or `celery --app cxhub beat`. It runs the sweeps that finish what was interrupted."
    if written is None:
        return Finding("Beat", Status.FAIL, f"No heartbeat was ever seen. {advice}")
    age = (timezone.now() - datetime.fromisoformat(written)).total_seconds()
    if age > LATE_HEARTBEAT_SECONDS:
        return Finding("Beat", Status.FAIL, f"The last heartbeat was {age:.0f} s ago. {advice}")
    return Finding("Beat", Status.OK, f"Last heartbeat {age:.0f} s ago.")


def check_language_model() -> Finding:
    """Whether a key for a language model is set, and who answers. Nothing is sent anywhere."""
    if not settings.ANTHROPIC_API_KEY:
        return Finding("Language model", Status.WARN, "No key: the built-in rules answer.")
    elsewhere = "" if settings.ANTHROPIC_BASE_URL == "https://api.anthropic.com" else f", asked at {settings.ANTHROPIC_BASE_URL}"
    models = f"{settings.CHAT_MODEL} in chats, {settings.VOICE_MODEL} on the phone, {settings.WRITING_MODEL} for staff{elsewhere}"
    return Finding("Language model", Status.OK, f"{models}. When it fails, the built-in rules answer.")


def check_phone() -> Finding:
    """Where calls come from and go to."""
    if settings.VONAGE_GATEWAY == "simulator":
        return Finding("Phone", Status.WARN, "Calls are simulated. Set VONAGE_GATEWAY=vonage and its credentials for real ones.")
    if settings.VONAGE_GATEWAY == "off":
        return Finding("Phone", Status.WARN, "The phone is off. Set VONAGE_GATEWAY=vonage and its credentials to take calls.")
    try:
        load_pem_private_key(settings.VONAGE_PRIVATE_KEY.encode(), password=None)
    except (ValueError, TypeError) as error:
        return Finding("Phone", Status.FAIL, f"VONAGE_PRIVATE_KEY is not a private key ({_first_line(error)}). Copy it again.")
    return Finding("Phone", Status.OK, f"Vonage application {settings.VONAGE_APPLICATION_ID}.")


def check_public_url() -> Finding:
    """Vonage and customers' browsers can reach the address we tell them."""
    address = urlsplit(settings.PUBLIC_URL)
    is_local = address.hostname in ("localhost", "127.0.0.1", "::1")
    if settings.VONAGE_GATEWAY == "vonage" and (is_local or address.scheme != "https"):
        return Finding("Public URL", Status.FAIL, f"Vonage cannot reach {settings.PUBLIC_URL}. Set PUBLIC_URL to a public https address.")
    if not settings.DEBUG and address.scheme != "https":
        return Finding("Public URL", Status.WARN, f"{settings.PUBLIC_URL} is not https, so sign-ins travel in the open.")
    return Finding("Public URL", Status.OK, f"{settings.PUBLIC_URL}.")


def _check_invariant(sentence: str, find_violations: Callable[[], list[str]]) -> Finding:
    violations = find_violations()
    if not violations:
        return Finding("Invariant", Status.OK, sentence)
    shown = " ".join(violations[:SHOWN_VIOLATIONS])
    more = f" And {len(violations) - SHOWN_VIOLATIONS} more." if len(violations) > SHOWN_VIOLATIONS else ""
    return Finding("Invariant", Status.FAIL, f"Broken: {sentence} {shown}{more}")


def _exists(module_name: str) -> bool:
    try:
        return find_spec(module_name) is not None
    except ModuleNotFoundError:
        return False


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
