"""A message that a caller leaves instead of waiting: asked for, recorded, kept when something was said, and made a call back."""

import hashlib
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone

from conversations import tasks
from conversations.models import CallRecording, Consent, Entry, EntryPoint
from conversations.services import suppression, timeline
from conversations.services.timeline import NewEntry
from conversations.voice.simulator import audio
from conversations.voice.simulator.checking import checked
from routing.models import WorkItem
from tests.support.locks import until
from tests.voice.file_side import Files
from tests.voice.platform import SAM, Caller, now_text, post, words_of
from tests.voice.test_calls import call_of
from tests.voice.test_fetching import storage as storage  # noqa: PLC0414  # a fixture of this module, too
from tests.voice.test_transcripts import transcribed, written

pytestmark = pytest.mark.usefixtures("patient")
SPOKEN = audio.made("wav", 8, 1, [(0, 0.0, 0.6, 0), (0, 2.0, 3.0, 1)])
"""The tone, and then words."""
SILENT = audio.made("wav", 5, 1, [(0, 0.0, 0.6, 0)])
"""The tone, and then nothing."""


@pytest.fixture
def waiting(caller: Caller) -> Caller:
    """Sam, who waits in line for a person."""
    return waits(caller)


def waits(caller: Caller) -> Caller:
    post("/voice/answer/", caller.answer())
    post("/voice/input/", caller.said("I want to talk to a person"))
    until(WorkItem.objects.filter(kind="live_voice").exists)
    return caller


def asks(caller: Caller) -> list[dict[str, Any]]:
    """What Sam hears and what happens then, on asking to leave a message."""
    ncco: list[dict[str, Any]] = post("/voice/input/", caller.said("Can I leave a message?")).json()
    return ncco


def leaves(caller: Caller, url: str, *, seconds: int = 8, again: bool = False) -> None:
    """The platform's word that a message was recorded, and that the call is over."""
    began = timezone.now() - timedelta(seconds=seconds)
    body = {
        "start_time": began.strftime("%Y-%m-%dT%H:%M:%SZ"), "end_time": (began + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "recording_url": url, "size": 1, "recording_uuid": str(uuid4()), "conversation_uuid": caller.room, "timestamp": now_text(),
    }  # fmt: skip
    for _time in range(2 if again else 1):
        assert post(f"/voice/voicemail/{call_of(caller).public_id}/", body).status_code == 204
    post("/voice/event/", caller.event("completed", duration="30"))


def test_who_waits_may_leave_a_message(waiting: Caller) -> None:
    """They are asked for it, it is recorded after a tone until they are silent or press the hash key, and they are told what comes next."""
    ncco = asks(waiting)
    assert [action["action"] for action in checked(ncco)] == ["talk", "record", "talk"]
    assert "after the tone" in words_of(ncco[:1])
    record = ncco[1]
    assert (record["beepStart"], record["endOnSilence"], record["endOnKey"], record["timeOut"]) == (True, 4, "#", 180)
    assert "calls you back" in words_of(ncco[2:])
    assert Entry.objects.filter(kind="voicemail.asked").count() == 1


@pytest.mark.parametrize(("number_of", "purposes"), [(SAM, ["outbound_call", "sms"]), ("442079460155", ["outbound_call"])])
def test_texts_are_agreed_to_where_they_were_told_of(number: EntryPoint, files: Files, number_of: str, purposes: list[str]) -> None:
    """Whoever leaves a message has agreed to what was said before the tone, and to nothing else."""
    caller = waits(Caller(number=number_of))
    told = words_of(asks(caller)[:1])
    leaves(caller, files.put("one", SPOKEN))
    tasks.fetch_recordings()
    assert sorted(Consent.objects.values_list("purpose", flat=True)) == purposes
    assert ("text message" in told) is ("sms" in purposes)
    assert {row.wording for row in Consent.objects.all()} == {told}


def test_a_message_is_in_the_history_and_they_are_called_back(waiting: Caller, files: Files) -> None:
    """Once, whatever comes twice; at their place in the line, by a request of their own, with the prompt as its words."""
    before = WorkItem.objects.get()
    asks(waiting)
    leaves(waiting, files.put("one", SPOKEN), again=True)
    assert not Entry.objects.filter(kind="voicemail").exists()
    for _sweep in range(2):
        tasks.fetch_recordings()
    row = CallRecording.objects.get()
    entry = Entry.objects.get(kind="voicemail")
    assert (row.kind, row.state, row.content_type) == ("voicemail", "stored", "audio/wav")
    assert (entry.actor_kind, entry.audience, entry.data["recording"], entry.data["duration_seconds"]) == (
        "customer", "staff", row.recording_id, 8,
    )  # fmt: skip
    after = WorkItem.objects.get()
    assert (after.kind, after.state, after.enqueued_at) == ("callback", "queued", before.enqueued_at)
    request = Consent.objects.get(purpose="outbound_call")
    assert (request.asked_for, request.value) == (True, f"+{SAM}")
    assert "after the tone" in request.wording
    assert Entry.objects.filter(kind="callback.requested").count() == 1


@pytest.mark.parametrize("is_written_down", [True, False])
def test_the_wrap_up_tells_of_the_message(number: EntryPoint, waiting: Caller, files: Files, *, is_written_down: bool) -> None:
    """It waits until the message is there, and its words where they are written down; somebody is to listen to it."""
    EntryPoint.objects.filter(pk=number.pk).update(transcribes_recordings=is_written_down)
    try:
        asks(waiting)
        assert tasks.write_wrap_ups() == 0
        leaves(waiting, files.put("one", SPOKEN))
        assert tasks.write_wrap_ups() == 0
        tasks.fetch_recordings()
        if is_written_down:
            assert tasks.write_wrap_ups() == 0
            text = files.put("text", written([(1.5, "My boiler is leaking again.")]))
            address = f"/voice/voicemail/{call_of(waiting).public_id}/"
            assert post(address, transcribed(waiting, CallRecording.objects.get().recording_id, text)).status_code == 204
            tasks.fetch_recordings()
        assert tasks.write_wrap_ups() == 1
        entry = Entry.objects.get(kind="wrapped_up")
        told = "Left a message: “My boiler is leaking again.”" if is_written_down else "Left a message, which is not written down."
        assert told in entry.body
        assert "Listen to the message that was left." in [each["text"] for each in entry.data["action_items"]]
    finally:
        EntryPoint.objects.filter(pk=number.pk).update(transcribes_recordings=number.transcribes_recordings)


def test_the_wrap_up_of_a_call_that_is_not_written_down_waits_for_nothing(caller: Caller) -> None:
    """It is due as soon as the call is over."""
    post("/voice/answer/", caller.answer())
    post("/voice/input/", caller.said("my boiler leaks"))
    post("/voice/event/", caller.event("completed", duration="30"))
    assert tasks.write_wrap_ups() == 1


def test_the_wrap_up_does_not_wait_for_a_message_that_was_none(waiting: Caller, files: Files) -> None:
    """Nothing was said after the tone."""
    asks(waiting)
    leaves(waiting, files.put("one", SILENT), seconds=5)
    tasks.fetch_recordings()
    assert tasks.write_wrap_ups() == 1
    assert "message" not in Entry.objects.get(kind="wrapped_up").body.replace("leave a message", "")


def test_only_silence_is_no_message(waiting: Caller, files: Files, storage: Path) -> None:
    """Nothing is kept or queued because of it; whoever waited waits on."""
    asks(waiting)
    leaves(waiting, files.put("one", SILENT), seconds=5)
    tasks.fetch_recordings()
    row = CallRecording.objects.get()
    assert (row.state, row.deleted_because) == ("deleted", "Nothing was said.")
    assert not [each for each in storage.rglob("*") if each.is_file()]
    assert not Entry.objects.filter(kind__in=["voicemail", "recording.deleted", "callback.requested"]).exists()
    assert (WorkItem.objects.get().kind, WorkItem.objects.get().state) == ("messaging", "queued"), "nobody holds the line"


def test_who_hangs_up_at_the_tone_leaves_none(waiting: Caller, files: Files) -> None:
    """Nothing is even fetched."""
    asks(waiting)
    leaves(waiting, files.put("one", SILENT), seconds=0)
    tasks.fetch_recordings()
    assert files.asked == []
    assert CallRecording.objects.get().state == "deleted"


def test_a_withheld_number_cannot_be_called_back(number: EntryPoint, files: Files) -> None:
    """They are told so, asked for a number, and promised nothing; the message waits for somebody, and no longer as a call."""
    caller = waits(Caller(number="anonymous"))
    told = words_of(asks(caller))
    assert "say on which number we can reach you" in told
    assert "calls you back" not in told
    leaves(caller, files.put("one", SPOKEN))
    tasks.fetch_recordings()
    assert Entry.objects.filter(kind="voicemail").count() == 1
    work = WorkItem.objects.get()
    assert (work.state, work.kind, work.kind_stays) == ("queued", "messaging", True)
    assert not Consent.objects.exists()


def test_who_is_on_the_do_not_contact_list_asked_for_it_just_now(waiting: Caller, files: Files) -> None:
    """A call that somebody asks for from the number itself is let through, as everywhere."""
    suppression.suppress("phone", f"+{SAM}", reason="Asked for it", added_by="maya")
    asks(waiting)
    leaves(waiting, files.put("one", SPOKEN))
    tasks.fetch_recordings()
    assert WorkItem.objects.get().kind == "callback"


def test_one_that_cannot_be_fetched_is_called_back_all_the_same(waiting: Caller, files: Files) -> None:
    """After a few tries; when the file comes at last, it can be heard where the message stands."""
    asks(waiting)
    leaves(waiting, files.put("one", b"", status=503))
    for _try in range(3):
        assert not Entry.objects.filter(kind="voicemail").exists()
        CallRecording.objects.update(next_try_at=timezone.now())
        tasks.fetch_recordings()
    assert Entry.objects.filter(kind="voicemail").count() == 1
    assert WorkItem.objects.get().kind == "callback"
    files.put("one", SPOKEN)
    CallRecording.objects.update(next_try_at=timezone.now())
    assert tasks.fetch_recordings() == 1
    assert Entry.objects.filter(kind="voicemail").count() == 1


def test_whoever_refused_to_be_recorded_may_leave_a_message(number: EntryPoint, caller: Caller) -> None:
    """They are told that it is recorded, and speak after the tone of their own will; the call itself stays unrecorded."""
    EntryPoint.objects.filter(pk=number.pk).update(recording_policy="ask_first")
    try:
        post("/voice/answer/", caller.answer())
        post("/voice/input/", caller.said("No, thank you"))
        heard = post("/voice/input/", caller.said("I want to talk to a person")).json()
        until(WorkItem.objects.filter(kind="live_voice").exists)
        assert "record" not in [action["action"] for action in heard]
        assert [action["action"] for action in asks(caller)] == ["talk", "record", "talk"]
    finally:
        EntryPoint.objects.filter(pk=number.pk).update(recording_policy="not_recorded")


def test_where_none_is_taken_none_is_offered(number: EntryPoint, caller: Caller) -> None:
    """Neither the key nor the words lead to one."""
    EntryPoint.objects.filter(pk=number.pk).update(takes_voicemail=False)
    try:
        waits(caller)
        assert "leave a message" not in words_of(post("/voice/input/", caller.silent()).json())
        assert "record" not in [action["action"] for action in asks(caller)]
    finally:
        EntryPoint.objects.filter(pk=number.pk).update(takes_voicemail=True)


class TestCardNumbers:
    """Said into a message: masked in its words, and cut out of the sound of every recording that has it."""

    WORDS = written([(1.0, "Please take it from my card."), (4.0, "4111 1111 1111 1111"), (8.0, "Thank you.")])
    """The number is said from the fourth second to the sixth."""

    @pytest.fixture(autouse=True)
    def _writes_down(self, number: EntryPoint) -> Iterator[None]:
        EntryPoint.objects.filter(pk=number.pk).update(transcribes_recordings=True)
        yield
        EntryPoint.objects.filter(pk=number.pk).update(transcribes_recordings=number.transcribes_recordings)

    def leaves_words(self, caller: Caller, files: Files, words: bytes, sound: bytes = audio.made("wav", 10, 1, [(0, 1.0, 8.0, 1)])) -> None:
        asks(caller)
        leaves(caller, files.put("sound", sound), seconds=10)
        recording = CallRecording.objects.get(kind="voicemail").recording_id
        told = transcribed(caller, recording, files.put("text", words))
        assert post(f"/voice/voicemail/{call_of(caller).public_id}/", told).status_code == 204

    def test_it_is_cut_out_of_the_message_that_is_stored_already(self, waiting: Caller, files: Files, storage: Path) -> None:
        """What is left is as long as the rest, the history says so, and the platform is to delete its sound and its text."""
        self.leaves_words(waiting, files, self.WORDS)
        tasks.fetch_recordings()
        row = CallRecording.objects.get()
        assert (row.state, row.size_bytes, row.seconds) == ("stored", audio.size("wav", 10 - 3.9, 1), 6)
        (kept,) = [each for each in storage.rglob("*") if each.is_file()]
        assert kept.stat().st_size == row.size_bytes
        assert hashlib.sha256(kept.read_bytes()).hexdigest() == row.sha256
        assert Entry.objects.get(kind="recording.cut").body.startswith("A card number that is said was cut out of the sound")
        assert not any("4111" in entry.body for entry in Entry.objects.all())
        assert tasks.delete_recordings_at_the_platform() == 2
        tasks.fetch_recordings()
        assert Entry.objects.filter(kind="recording.cut").count() == 1

    def test_it_is_cut_out_of_one_whose_sound_comes_after_its_words(self, waiting: Caller, files: Files) -> None:
        sound = audio.made("wav", 10, 1, [(0, 1.0, 8.0, 1)])
        self.leaves_words(waiting, files, self.WORDS, b"")
        files.put("sound", b"", status=503)
        CallRecording.objects.update(next_try_at=timezone.now(), state="announced", problem="")
        tasks.fetch_recordings()
        files.put("sound", sound)
        CallRecording.objects.update(next_try_at=timezone.now())
        assert tasks.fetch_recordings() == 1
        assert CallRecording.objects.get().size_bytes == audio.size("wav", 10 - 3.9, 1)

    @pytest.mark.parametrize("kind", ["mp3", "wav"])
    def test_it_is_cut_out_of_the_recording_of_the_call(self, waiting: Caller, files: Files, kind: str) -> None:
        """Where the number lies by the clock, whichever file came first, and beside what was cut out of it before."""
        call = call_of(waiting)
        began = timezone.now().replace(microsecond=0) - timedelta(seconds=60)
        for what, second in (("recording.began", 0), ("recording.paused", 10), ("recording.resumed", 20)):
            entry = NewEntry(what, actor_kind="system", audience="staff", interaction=call, occurred_at=began + timedelta(seconds=second))
            timeline.append(call.conversation_id, entry)
        times = {"start_time": f"{began:%Y-%m-%dT%H:%M:%SZ}", "end_time": now_text(), "timestamp": now_text()}
        body = times | {"recording_url": files.put("call", audio.made(kind, 60, 1, [])), "size": 1, "recording_uuid": str(uuid4())}
        assert post(f"/voice/recording/{call.public_id}/", body | {"conversation_uuid": waiting.room}).status_code == 204
        tasks.fetch_recordings()
        row = CallRecording.objects.get(kind="call")
        before = row.size_bytes
        self.leaves_words(waiting, files, self.WORDS)
        tasks.fetch_recordings()
        row.refresh_from_db()
        assert row.state == "stored"
        frame = len(audio.MP3_FRAME)
        assert before - row.size_bytes == pytest.approx(audio.size(kind, 3.9, 1), abs=3 * frame)
        assert Entry.objects.filter(kind="recording.cut", data__recording=row.recording_id).count() == 2

    @pytest.mark.parametrize(
        ("words", "sound"),
        [
            (b'{"channels": [{"transcript": [{"sentence": "4111 1111 1111 1111"}]}]}', audio.made("wav", 10, 1, [(0, 1.0, 8.0, 1)])),
            (WORDS, audio.made("ogg", 10, 1, [])),
        ],
        ids=["without times", "of a kind that cannot be cut"],
    )
    def test_what_cannot_be_cut_is_deleted(self, waiting: Caller, files: Files, storage: Path, words: bytes, sound: bytes) -> None:
        """The history says why; the words of the message stay, and so does the call back."""
        self.leaves_words(waiting, files, words, sound)
        tasks.fetch_recordings()
        row = CallRecording.objects.get()
        assert (row.state, row.deleted_because) == ("deleted", "A card number is said in it, and it cannot be cut out.")
        assert not [each for each in storage.rglob("*") if each.is_file()]
        assert "card number is said" in Entry.objects.get(kind="recording.deleted").body
        assert Entry.objects.filter(kind="voicemail").count() == 1
        assert WorkItem.objects.get().kind == "callback"
