"""What is deleted here is deleted at the platform, too: by its media API, until it has done it or its own time for it is over."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone
from pytest_django import Settings

from conversations import tasks
from conversations.flows import erasing
from conversations.models import CallRecording, Entry, EntryPoint
from conversations.services import erasure, recordings, threads
from conversations.services.recordings import Finished
from conversations.voice.simulator import exchange
from tests.record import rows
from tests.voice.exchange_side import rest
from tests.voice.file_side import Files
from tests.voice.platform import now_text, post
from tests.voice.test_fetching import storage as storage  # noqa: PLC0414  # a fixture of this module, too

NAME = "aaaaaaaa-0000-4000-8000-00000000000"


@pytest.fixture
def stored(number: EntryPoint, files: Files) -> CallRecording:
    """A recording of a call that is over, fetched."""
    call = rows.interaction(door=number, channel="voice", party="+447700900123")
    threads.end_interaction(call, reason="completed")
    began = timezone.now() - timedelta(minutes=5)
    recordings.note(call, Finished(str(uuid4()), files.put(f"{NAME}1"), began, 42))
    assert tasks.fetch_recordings() == 1
    return CallRecording.objects.get()


def test_an_erasure_has_the_platform_s_copy_deleted(stored: CallRecording, files: Files) -> None:
    """With our token, once; then nothing is left that leads to it."""
    customer = stored.interaction.conversation.customer
    assert erasing.run(erasure.request(customer, ground="asked", by="maya").pk) == "done"
    stored.refresh_from_db()
    assert (stored.state, stored.url, stored.platform_files) == ("deleted", "", [f"https://api.nexmo.com/v1/files/{NAME}1"])
    assert [tasks.delete_recordings_at_the_platform() for _twice in range(2)] == [1, 0]
    (asked,) = files.deleted
    assert asked[0] == f"/simulator/v3/media/{NAME}1"
    assert asked[1].startswith("Bearer ")
    stored.refresh_from_db()
    assert (stored.platform_files, stored.platform_next_try_at) == ([], None)


def test_so_does_whatever_deletes_one(stored: CallRecording, files: Files) -> None:
    """Its text as well, where the platform has one."""
    CallRecording.objects.filter(pk=stored.pk).update(transcript_url=f"https://api.nexmo.com/v1/files/{NAME}2")
    assert recordings.remove(stored, because="Kept long enough")
    assert tasks.delete_recordings_at_the_platform() == 2
    assert {path for path, _token in files.deleted} == {f"/simulator/v3/media/{NAME}{each}" for each in (1, 2)}


@pytest.mark.parametrize("is_erased", [False, True])
def test_what_is_told_of_afterwards_is_deleted_as_well(stored: CallRecording, files: Files, *, is_erased: bool) -> None:
    """The text that comes late is not read, and goes with the recording; told again, it is looked for again."""
    if is_erased:
        assert erasing.run(erasure.request(stored.interaction.conversation.customer, ground="asked", by="maya").pk) == "done"
    else:
        recordings.remove(stored, because="Kept long enough")
    assert tasks.delete_recordings_at_the_platform() == 1
    for _twice in range(2):
        tells_of_text(stored, files, stored.recording_id)
        tasks.fetch_recordings()
        assert tasks.delete_recordings_at_the_platform() == 1
        stored.refresh_from_db()
        assert (stored.transcript, stored.transcript_url, stored.platform_files) == ("none", "", [])
    assert [path for path, _token in files.deleted[1:]] == [f"/simulator/v3/media/{NAME}2"] * 2


def test_the_text_of_an_unknown_recording_of_somebody_who_was_erased_is_never_read(stored: CallRecording, files: Files) -> None:
    """Nor is the recording itself, which is told of last."""
    assert erasing.run(erasure.request(stored.interaction.conversation.customer, ground="asked", by="maya").pk) == "done"
    recording = str(uuid4())
    tells_of_text(stored, files, recording)
    CallRecording.objects.update(announced_at=timezone.now() - timedelta(days=1))
    finished = Finished(recording, files.put(f"{NAME}3"), timezone.now() - timedelta(minutes=5), 42)
    recordings.note(stored.interaction, finished)
    files.asked.clear()
    tasks.fetch_recordings()
    assert tasks.delete_recordings_at_the_platform() == 3
    assert (files.asked, Entry.objects.filter(kind="speech").count()) == ([], 0)


def tells_of_text(row: CallRecording, files: Files, recording: str) -> None:
    """The platform has written a recording of the call down."""
    text = {"type": "record", "status": "transcribed", "recording_uuid": recording, "conversation_uuid": "CON-1", "timestamp": now_text()}
    url = files.put(f"{NAME}2", b'{"channels": [{"transcript": [{"sentence": "My boiler is cold."}]}]}')
    told = text | {"transcription_url": url}
    assert post(f"/voice/recording/{row.interaction.public_id}/", told).status_code == 204


@pytest.mark.parametrize("status", [401, 403, 429, 500, 503])
def test_what_fails_is_asked_again_ever_later(stored: CallRecording, files: Files, status: int) -> None:
    recordings.remove(stored, because="Kept long enough")
    files.deletes_with = status
    assert tasks.delete_recordings_at_the_platform() == 0
    stored.refresh_from_db()
    assert stored.platform_next_try_at is not None
    assert stored.platform_next_try_at > timezone.now() + timedelta(seconds=30)
    files.deletes_with = 204
    assert tasks.delete_recordings_at_the_platform() == 0
    CallRecording.objects.update(platform_next_try_at=timezone.now())
    assert tasks.delete_recordings_at_the_platform() == 1


def test_what_the_platform_has_not_is_deleted(stored: CallRecording, files: Files) -> None:
    """It is gone already, by whatever hand."""
    recordings.remove(stored, because="Kept long enough")
    files.deletes_with = 404
    assert tasks.delete_recordings_at_the_platform() == 1


@pytest.mark.parametrize("url", ["https://api.nexmo.com.evil.test/v1/files/a", "https://api.nexmo.com/v1/files/a%2F..", "x" * 400])
def test_nothing_is_asked_elsewhere(stored: CallRecording, files: Files, url: str) -> None:
    """Neither another host, nor another path than that of one file."""
    CallRecording.objects.filter(pk=stored.pk).update(url=url)
    stored.refresh_from_db()
    recordings.remove(stored, because="Kept long enough")
    assert tasks.delete_recordings_at_the_platform() == 1
    assert files.deleted == []


def test_after_thirty_days_the_platform_has_deleted_it_by_itself(stored: CallRecording, files: Files) -> None:
    recordings.remove(stored, because="Kept long enough")
    CallRecording.objects.update(provider_keeps_until=timezone.now() - timedelta(minutes=1))
    assert tasks.delete_recordings_at_the_platform() == 1
    assert files.deleted == []


def test_without_a_phone_nothing_is_asked(stored: CallRecording, files: Files, settings: Settings) -> None:
    recordings.remove(stored, because="Kept long enough")
    settings.VONAGE_GATEWAY = "off"
    assert tasks.delete_recordings_at_the_platform() == 0


def test_nothing_is_deleted_there_that_is_still_to_be_fetched(stored: CallRecording) -> None:
    waits = Finished(str(uuid4()), f"https://api.nexmo.com/v1/files/{NAME}5", timezone.now(), 42)
    row = CallRecording.objects.filter(pk=recordings.note(stored.interaction, waits).pk)
    copies = {"platform_files": ["https://api.nexmo.com/v1/files/a"], "platform_next_try_at": timezone.now()}
    with pytest.raises(IntegrityError, match="platform_deletes_nothing_that_is_still_to_be_fetched"), transaction.atomic():
        row.update(**copies)


async def test_the_simulator_deletes_as_the_platform_does() -> None:
    """204, then 404; what was recorded is not to be had any more."""
    recording = str(uuid4())
    async with exchange.opened() as memory:
        await memory.keep_recording({"id": recording, "ended_at": 1.0, "format": "mp3"})
    assert (await rest("DELETE", f"/v3/media/{recording}", bearer="x")).status_code == 401
    assert [(await rest("DELETE", f"/v3/media/{recording}")).status_code for _twice in range(2)] == [204, 404]
    assert (await rest("GET", f"/v1/files/{recording}")).status_code == 404
