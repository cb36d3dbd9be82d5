"""`manage.py doctor` says what is wrong, and its exit code says whether anything needed is."""

import os
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.conf import settings
from django.db import connection
from django.utils import timezone

from conversations.models import ChatSessionRecord
from cxhub.tasks import write_heartbeat
from routing.models import Queue, RoutingStep, ServiceHours, ServiceLevel
from tests.support.processes import WorkerProcess, child_environment


def doctor(**environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "manage.py", "doctor"],
        cwd=settings.BASE_DIR,
        env={**child_environment(DEBUG="true"), **environment},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.two_processes
def test_a_healthy_installation(worker_processes: Callable[..., list[WorkerProcess]]) -> None:
    """Everything is ok or a choice that can be made later; the exit code is 0."""
    worker_processes(1)
    write_heartbeat()
    done = doctor()
    assert done.returncode == 0, done.stdout + done.stderr
    assert "fail" not in done.stdout
    for subject in ("Database", "Extensions", "Migrations", "Clock", "History protection", "Valkey", "Worker", "Beat"):
        assert f"{subject:<20} ok" in done.stdout
    assert "Language model       warn" in done.stdout
    assert "An accepted message is stored once, in order, without a hole." in done.stdout


def test_what_does_not_run_is_named_with_what_to_do(transactional_db: None) -> None:
    """Without worker and beat, and with a broken invariant, each has its line, and the exit code is 1."""
    session = ChatSessionRecord.objects.create(session_id="lost", entry_point_address="demo", visitor="v")
    ChatSessionRecord.objects.filter(pk=session.pk).update(started_at=timezone.now() - timedelta(minutes=5))
    done = doctor()
    assert done.returncode == 1
    assert "Worker               fail  No worker answers. Start one: `make run`" in done.stdout
    assert "Beat                 fail  No heartbeat was ever seen." in done.stdout
    assert "Invariant            fail  Broken: Every call and chat session has exactly one interaction. Chat session lost" in done.stdout


def test_what_a_manager_has_set_up_wrongly_is_warned_of(transactional_db: None) -> None:
    """A step makes work a kind that no profile has, so that it would wait for nobody; hours that cannot be read count as always open."""
    level = ServiceLevel.objects.create(code="standard", name="Standard", answer_within_seconds=60)
    queue = Queue.objects.create(code="service", name="Service", service_level=level)
    RoutingStep.objects.create(queue=queue, after_seconds=90, becomes_kind="callback")
    ServiceHours.objects.create(code="desk", name="Desk", time_zone="Europe/London", expression="Mo 08:00-09:00; Sa lunch")
    told = doctor().stdout
    assert "Queues               warn  After 90 s in Service work becomes “callback”, which none of its agents takes." in told
    assert "Hours                warn  1 cannot be read and count as always open. Desk: “Sa lunch” cannot be read." in told


def test_a_disarmed_history_is_noticed(transactional_db: None) -> None:
    """Switching off the trigger that keeps entries unchanged is a failure."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT tgname FROM pg_trigger WHERE tgname LIKE 'pgtrigger_entries_are_append_only%'")
        name = cursor.fetchone()[0]
        cursor.execute(f'ALTER TABLE conversations_entry DISABLE TRIGGER "{name}"')
        try:
            done = doctor()
        finally:
            cursor.execute(f'ALTER TABLE conversations_entry ENABLE TRIGGER "{name}"')
    assert "History protection   fail" in done.stdout
    assert "entries_are_append_only" in done.stdout


def test_unreachable_servers_are_findings_and_not_tracebacks(transactional_db: None) -> None:
    """It still prints its table when nothing answers."""
    done = doctor(
        DATABASE_URL="postgres://nobody@127.0.0.1:1/none", VALKEY_URL="redis://127.0.0.1:1/0", DATABASE_POOL_SIZE="0"
    )
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "Database             fail  PostgreSQL does not answer" in done.stdout
    assert "Check DATABASE_URL" in done.stdout
    assert "Valkey               fail  It does not answer" in done.stdout
    assert os.linesep + "2 broken." in done.stdout
