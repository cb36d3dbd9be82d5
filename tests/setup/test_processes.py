"""Processes of the product: several on one database, and what a start does to memory."""

import subprocess
import sys
import urllib.request

import pytest
from django.conf import settings

from tests.support.processes import child_environment


@pytest.mark.two_processes
def test_two_web_processes_answer_and_a_killed_one_can_be_started_again(web_processes):
    """Each has its own port, which it keeps, and reaches the database and Valkey."""
    first, second = web_processes(2)
    for process in (first, second):
        assert urllib.request.urlopen(f"{process.url}/healthz").read() == b"ok\n"
    first.kill()
    assert not first.answers()
    assert second.answers()
    first.start()
    assert first.answers()


def test_what_can_be_freed_is_looked_for_once_everything_is_loaded(transactional_db: None) -> None:
    """It is not while a process starts; afterwards it is, and what was loaded is left out."""
    asked = "import django, gc; django.setup(); print(gc.isenabled(), gc.get_freeze_count() > 100_000)"
    told = subprocess.run(
        [sys.executable, "-c", asked], cwd=settings.BASE_DIR, env=child_environment(), capture_output=True, text=True, check=True
    )
    assert told.stdout == "True True\n"
