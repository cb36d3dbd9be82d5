"""Several processes on one database."""

import urllib.request

import pytest


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
