"""Several processes on one database."""

import urllib.request

import pytest


@pytest.mark.two_processes
def test_two_web_processes_answer(web_processes):
    """Each has its own port and reaches the database and Valkey."""
    for process in web_processes(2):
        assert urllib.request.urlopen(f"{process.url}/healthz").read() == b"ok\n"


@pytest.mark.two_processes
def test_a_killed_web_process_can_be_started_again(web_processes):
    """It keeps its address."""
    (process,) = web_processes(1)
    process.kill()
    assert not process.answers()
    process.start()
    assert process.answers()
