"""A webhook whose first delivery went wrong: the platform's second try, with the same token, must come through in time."""

import json
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import psycopg
import pytest
from django.db import connection

from conversations.models import Entry, EntryPoint, Interaction, WebhookRecord
from tests.support import locks
from tests.voice.platform import Caller, bearer, claims_for, post, words_of
from tests.voice.test_calls import call_of

PLATFORM_GIVES_UP_AFTER = 5.0
BODY = Callable[[Caller], dict[str, Any]]


def in_thread(pool: ThreadPoolExecutor, path: str, raw: bytes, authorization: str) -> "Future[Any]":
    def deliver() -> Any:
        try:
            return post(path, raw, authorization=authorization)
        finally:
            connection.close()

    return pool.submit(deliver)


def end_who_waits_for(other: psycopg.Connection, table: str) -> None:
    """Ends the database sessions that wait for the table, as a restart of the server would."""
    locks.until(lambda: locks.waits_for_lock(table))
    other.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND wait_event_type = 'Lock' AND query ILIKE %s",
        [f"%{table}%"],
    )


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/voice/answer/", lambda caller: caller.answer()),
        ("/voice/event/", lambda caller: caller.event("completed")),
        ("/voice/input/", lambda caller: caller.said("my boiler leaks")),
    ],
)
def test_when_the_database_goes_away_the_platform_is_asked_to_try_again_and_the_try_works_at_once(
    caller: Caller, patient: None, path: str, body: BODY
) -> None:
    """503, which the platform tries again, unlike 500; the second try does not wait for the first, which is over."""
    if "answer" not in path:
        post("/voice/answer/", caller.answer())
    raw = json.dumps(body(caller)).encode()
    authorization = bearer(claims_for(raw))
    with ThreadPoolExecutor() as pool, locks.locked("conversations_entry") as other:
        first = in_thread(pool, path, raw, authorization)
        end_who_waits_for(other, "entry")
        assert first.result(timeout=60).status_code == 503
    assert WebhookRecord.objects.get(answered_at__isnull=True).answer.keys() == {"failed"}
    second = post(path, raw, authorization=authorization)
    assert second.status_code in (200, 204)
    assert not WebhookRecord.objects.filter(answered_at__isnull=True).exists()
    if path == "/voice/answer/":
        assert "AI assistant" in words_of(second.json())
    elif path == "/voice/input/":
        assert [entry.body for entry in Entry.objects.filter(kind="message", actor_kind="customer")] == ["my boiler leaks"]
    else:
        assert call_of(caller).state == "ended"


def test_the_second_try_does_not_wait_out_its_own_time(caller: Caller) -> None:
    """The process that took the first delivery was killed, so nobody noted that it failed."""
    raw = json.dumps(caller.answer()).encode()
    claims = claims_for(raw)
    WebhookRecord.objects.create(token_id=claims["jti"], body_hash=claims["payload_hash"], kind="answer", body={}, provider_id=caller.uuid)
    began = time.monotonic()
    response = post("/voice/answer/", raw, authorization=bearer(claims))
    assert time.monotonic() - began < PLATFORM_GIVES_UP_AFTER
    assert "AI assistant" in words_of(response.json())


def test_a_try_while_the_first_is_at_work_gets_its_answer(caller: Caller) -> None:
    """What is answered within a moment is waited for: the same words, and nothing is done twice."""
    raw = json.dumps(caller.answer()).encode()
    authorization = bearer(claims_for(raw))
    with ThreadPoolExecutor() as pool:
        with locks.locked("conversations_entry"):
            first = in_thread(pool, "/voice/answer/", raw, authorization)
            locks.until(lambda: locks.waits_for_lock("entry"))
            second = in_thread(pool, "/voice/answer/", raw, authorization)
        answers = [first.result(timeout=60).json(), second.result(timeout=60).json()]
    assert words_of(answers[0]) == words_of(answers[1])
    assert Interaction.objects.count() == 1
    assert WebhookRecord.objects.count() == 1


def test_what_can_never_be_worked_on_is_kept_as_refused(number: EntryPoint) -> None:
    """A call to what is no phone number: 400 each time, and the record says why no call came of it."""
    raw = json.dumps(Caller().answer() | {"to": "sip:sam@example.com"}).encode()
    authorization = bearer(claims_for(raw))
    assert [post("/voice/answer/", raw, authorization=authorization).status_code for _try in range(2)] == [400, 400]
    assert WebhookRecord.objects.get().answer == {"refused": "the dialled number is not a phone number"}
