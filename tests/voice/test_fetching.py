"""Recordings on their way from the platform into our storage: the webhook, the fetch, and what goes wrong with either."""

import hashlib
import itertools
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import jwt
import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import storages
from django.utils import timezone
from pytest_django import Settings

from conversations import tasks
from conversations.models import CallRecording, Customer, Entry
from conversations.services import recordings
from tests.voice.file_side import MP3, Files, keeping_files
from tests.voice.platform import Caller, now_text, post
from tests.voice.test_calls import call_of

TOKENS_GO_NOWHERE_ELSE = [
    "https://api.nexmo.com.evil.test/v1/files/a",
    "https://evil.test/api.nexmo.com/v1/files/a",
    "https://evil.test/?vonage.com",
    "https://api.nexmo.com@evil.test/v1/files/a",
    "https://evil.test\\@api.nexmo.com/v1/files/a",
    "https://api.nexmo.com:8443/v1/files/a",
    "http://api.nexmo.com/v1/files/a",
    "https://nexmo.com/v1/files/a",
    "https://xapi.nexmo.com/v1/files/a",
    "https://api.nexmo.com./v1/files/a",
    "//api.nexmo.com/v1/files/a",
    "file:///etc/passwd",
    "https://[::1/v1",
    "",
]


@pytest.fixture(autouse=True)
def storage(settings: Settings, tmp_path: Path) -> Path:
    """The recordings of one test."""
    options = {"location": tmp_path, "base_url": None, "file_permissions_mode": 0o600, "directory_permissions_mode": 0o700}
    settings.STORAGES = settings.STORAGES | {
        "recordings": {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": options}
    }
    return tmp_path


@pytest.fixture
def files(settings: Settings) -> Iterator[Files]:
    with keeping_files() as (files, port):
        settings.PORT = port
        yield files


def finished(call: Caller, url: str, **changes: Any) -> dict[str, Any]:
    """The platform's word that a recording is finished."""
    at = {"start_time": "2026-11-23T09:00:00Z", "end_time": "2026-11-23T09:00:42Z", "timestamp": now_text()}
    return at | {"recording_url": url, "size": 12222, "recording_uuid": str(uuid4()), "conversation_uuid": call.room} | changes


def recorded(call: Caller, url: str) -> CallRecording:
    """A recording that the platform has told of."""
    body = finished(call, url)
    assert post(f"/voice/recording/{call_of(call).public_id}/", body).status_code == 204
    return CallRecording.objects.get(recording_id=body["recording_uuid"])


@pytest.fixture
def call(caller: Caller) -> Caller:
    post("/voice/answer/", caller.answer())
    return caller


def test_a_recording_is_fetched_and_kept(call: Caller, files: Files, storage: Path) -> None:
    """Under the customer's folder, readable by us alone, with its length, size and checksum; asked for with our token."""
    row = recorded(call, files.put("one"))
    assert (row.state, row.seconds, row.kind) == ("announced", 42, "call")
    assert tasks.fetch_recordings() == 1
    row.refresh_from_db()
    customer = Customer.objects.get()
    assert row.storage_name == f"customers/{customer.public_id.hex}/recordings/{row.public_id}.mp3"
    assert (row.state, row.size_bytes, row.sha256) == ("stored", len(MP3), hashlib.sha256(MP3).hexdigest())
    assert row.provider_keeps_until == row.began_at + timedelta(days=30)
    kept = storage / row.storage_name
    assert kept.read_bytes() == MP3
    assert kept.stat().st_mode & 0o777 == 0o600
    [(_path, token)] = files.asked
    assert jwt.decode(token.removeprefix("Bearer "), options={"verify_signature": False})["application_id"]
    entry = Entry.objects.get(kind="call.recorded")
    assert (entry.audience, entry.data["recording"]) == ("staff", row.recording_id)


@pytest.mark.parametrize("url", TOKENS_GO_NOWHERE_ELSE)
def test_our_token_goes_to_no_other_host(call: Caller, files: Files, url: str) -> None:
    """Nothing is asked, the recording is given up, and staff see why."""
    row = recorded(call, url)
    assert tasks.fetch_recordings() == 0
    row.refresh_from_db()
    assert (row.state, row.problem) == ("failed", "Its address is not one of the phone platform’s.")
    assert files.asked == []
    assert "could not be fetched" in Entry.objects.get(kind="call.problem").body


def test_a_redirect_is_not_followed(call: Caller, files: Files) -> None:
    """Whoever it leads to would get our token."""
    recorded(call, files.put("one", b"", status=302, Location=files.put("two")))
    assert tasks.fetch_recordings() == 0
    assert len(files.asked) == 1


@pytest.mark.parametrize("content", [b"", b"<html>Sign in</html>", b"RIFF\x00\x00\x00\x00AVI "])
def test_what_is_no_sound_is_not_kept(call: Caller, files: Files, content: bytes, storage: Path) -> None:
    """By what it is, whatever it is called."""
    row = recorded(call, files.put("one", content, **{"Content-Type": "audio/mpeg"}))
    assert tasks.fetch_recordings() == 0
    row.refresh_from_db()
    assert (row.state, row.problem) == ("failed", "What the platform delivered is no recording.")
    assert not [each for each in storage.rglob("*") if each.is_file()]


def test_what_is_too_large_is_not_kept(call: Caller, files: Files, settings: Settings, storage: Path) -> None:
    """It is stopped while it comes, whatever size was announced."""
    settings.RECORDING_MOST_MEGABYTES = 1
    row = recorded(call, files.put("one", MP3 + b"\x00" * 1_000_000))
    assert tasks.fetch_recordings() == 0
    row.refresh_from_db()
    assert (row.state, row.problem) == ("failed", "The file is larger than is allowed.")
    assert not [each for each in storage.rglob("*") if each.is_file()]


@pytest.mark.parametrize("status", [401, 404, 429, 500, 503])
def test_what_fails_is_tried_again_and_given_up_after_hours(call: Caller, files: Files, status: int) -> None:
    """Not at once, ever later, and at last for staff to see; they may have it tried anew."""
    address = files.put("one", b"", status=status)
    row = recorded(call, address)
    assert tasks.fetch_recordings() == 0
    row.refresh_from_db()
    assert (row.state, row.tries) == ("announced", 1)
    assert row.next_try_at is not None
    assert row.next_try_at > timezone.now() + timedelta(seconds=30)
    assert tasks.fetch_recordings() == 0
    assert len(files.asked) == 1
    hours_ago = timezone.now() - timedelta(hours=7)
    CallRecording.objects.filter(pk=row.pk).update(next_try_at=hours_ago, announced_at=hours_ago)
    tasks.fetch_recordings()
    row.refresh_from_db()
    assert row.state == "failed"
    assert Entry.objects.filter(kind="call.problem", body__contains="could not be fetched").count() == 1
    files.put("one")
    assert recordings.try_again(row)
    assert tasks.fetch_recordings() == 1


def test_one_that_a_dead_worker_had_is_taken_again(call: Caller, files: Files) -> None:
    """Not before its time is over."""
    row = recorded(call, files.put("one"))
    assert recordings.claim_due() is not None
    assert tasks.fetch_recordings() == 0
    CallRecording.objects.filter(pk=row.pk).update(next_try_at=timezone.now())
    assert tasks.fetch_recordings() == 1


def test_a_try_that_died_between_file_and_row_is_done_again(call: Caller, files: Files, storage: Path) -> None:
    """One file is left, under the same name."""
    row = recorded(call, files.put("one"))
    name = f"customers/{Customer.objects.get().public_id.hex}/recordings/{row.public_id}.mp3"
    storages["recordings"].save(name, ContentFile(b"ID3 half"))
    assert tasks.fetch_recordings() == 1
    assert [each.read_bytes() for each in storage.rglob("*") if each.is_file()] == [MP3]


@pytest.mark.parametrize("order", list(itertools.permutations(["answer", "completed", "recorded", "recorded again"])))
def test_whatever_the_order_of_webhooks_there_is_one_recording(caller: Caller, files: Files, order: tuple[str, ...]) -> None:
    """Before the call is known, after it is over, twice: noted and fetched once."""
    body = finished(caller, files.put("one"))
    for each in order:
        if each == "answer":
            post("/voice/answer/", caller.answer())
        elif each == "completed":
            post("/voice/event/", caller.event("completed", duration="42"))
        else:
            assert post("/voice/recording/", body).status_code == 204
    assert CallRecording.objects.count() == Entry.objects.filter(kind="call.recorded").count() == 1
    tasks.fetch_recordings()
    assert CallRecording.objects.get().state == "stored"
    assert len(files.asked) == 1
