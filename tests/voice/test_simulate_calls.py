"""`manage.py simulate_calls` against a running product: turns sent, answered and found, and what it refuses."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command

from conversations.models import Entry, EntryPoint
from conversations.voice.simulator import load
from reporting import reconcile
from reporting.period import Period
from tests.support.processes import WebProcess, child_environment, running_web

pytestmark = pytest.mark.two_processes


@pytest.fixture(scope="module")
def web(company: None, django_db_blocker: Any) -> Iterator[WebProcess]:
    with django_db_blocker.unblock(), running_web(1) as processes:
        yield processes[0]


def simulated(web: WebProcess, *arguments: str) -> dict[str, Any]:
    """What the command prints in a process of its own, as an operator runs it."""
    command = [sys.executable, "manage.py", "simulate_calls", "--json", "--speed", "20", *arguments]
    environment = child_environment(PORT=str(web.port), PUBLIC_URL=web.url)
    done = subprocess.run(command, cwd=settings.BASE_DIR, env=environment, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr
    summary: dict[str, Any] = json.loads(done.stdout)
    return summary


def test_every_turn_is_answered_and_found(web: WebProcess, number: EntryPoint, tmp_path: Path) -> None:
    script = tmp_path / "callers.txt"
    script.write_text("# two turns\nsays my boiler leaks\nsays it is urgent\nhangs up\n")
    summary = simulated(web, "--calls", "4", "--at-once", "4", "--script", str(script), "--turns", "1", "--fault", "events-twice")
    assert (summary["calls"], summary["turns_sent"], summary["turns_answered"], summary["turns_lost"]) == (4, 4, 4, 0)
    assert (summary["turns_said"], summary["entries_found"]) == (4, 4)
    assert summary["statuses"] == {"completed": 4}
    assert 0 < summary["p50_ms"] <= summary["p95_ms"] <= summary["p99_ms"]
    assert Entry.objects.filter(actor_kind="customer", body="my boiler leaks").count() == 4
    assert reconcile.mismatches(Period.ending_today(2)) == []


def test_a_product_that_refuses_what_the_fault_spoils_is_not_taken_for_away(web: WebProcess, number: EntryPoint) -> None:
    """It answers, as it should."""
    summary = simulated(web, "--calls", "1", "--fault", "clock-ahead")
    assert summary["webhooks_failed"] == summary["webhooks"] == summary["answers"] > 0
    assert summary["refusals"] == {"401": summary["webhooks"]}


@pytest.mark.parametrize(
    "text",
    ["", "# nothing\n", "sings a song", "says", "keys 12a", "hangs up now", "waits long"],
)
def test_a_script_that_nobody_could_follow_is_refused(number: EntryPoint, tmp_path: Path, text: str) -> None:
    script = tmp_path / "callers.txt"
    script.write_text(text)
    with pytest.raises(CommandError, match="no caller can do"):
        call_command("simulate_calls", script=str(script))


def test_scripts_that_come_along_can_be_read() -> None:
    folder = Path(settings.BASE_DIR) / "conversations" / "demo" / "content" / "calls"
    assert len([load.read_script(path.read_text()) for path in folder.glob("*.txt")]) >= 3


def test_only_the_simulator_is_called(number: EntryPoint, settings: Any) -> None:
    settings.VONAGE_GATEWAY = "vonage"
    with pytest.raises(CommandError, match="VONAGE_GATEWAY=simulator"):
        call_command("simulate_calls")


def test_a_product_that_does_not_answer_is_named(number: EntryPoint, settings: Any) -> None:
    settings.PORT, settings.PUBLIC_URL = 1, "http://127.0.0.1:1"
    with pytest.raises(CommandError, match=r"Nothing answered at http://127\.0\.0\.1:1"):
        call_command("simulate_calls", calls=1, speed=100.0)


def test_a_product_with_other_settings_is_named(web: WebProcess, number: EntryPoint, settings: Any) -> None:
    settings.PORT, settings.PUBLIC_URL, settings.VONAGE_SIGNATURE_SECRET = web.port, web.url, "x" * 32
    with pytest.raises(CommandError, match="refused every webhook: the running product must have the same settings"):
        call_command("simulate_calls", calls=1, speed=100.0)
