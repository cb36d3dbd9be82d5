"""What people said on a recorded call, written down by the platform: by speaker and time, once, masked; and what must not be kept."""

import io
import itertools
import json
import wave
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone

from conversations import tasks
from conversations.assistant import recap
from conversations.models import CallRecording, CallSeat, Entry, Interaction
from conversations.services import sound, timeline
from conversations.services.timeline import NewEntry
from conversations.voice.simulator import audio
from tests.record import rows
from tests.voice.file_side import Files
from tests.voice.platform import Caller, now_text, post
from tests.voice.test_calls import call_of
from tests.voice.test_fetching import storage as storage  # noqa: PLC0414  # a fixture of this module, too

BEGAN = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


@pytest.fixture
def call(caller: Caller) -> Caller:
    """Sam's call, on which Ann is from the tenth second on."""
    post("/voice/answer/", caller.answer())
    comes(caller, "Ann", 10)
    return caller


def comes(caller: Caller, name: str, since: float, until: float | None = None) -> None:
    """Somebody is on the call from one second of it until another."""
    times = {"connected_at": BEGAN + timedelta(seconds=since), "until": timezone.now() + timedelta(hours=1)}
    over = {} if until is None else {"state": "ended", "outcome": "left", "ended_at": BEGAN + timedelta(seconds=until)}
    on = {"interaction": call_of(caller), "agent": rows.agent(name), "name": name, "leg_id": str(uuid4()), "purpose": "join"}
    CallSeat.objects.create(**on | {"state": "connected", "outcome": "connected"} | times | over)


def happens(caller: Caller, kind: str, second: float, **said: Any) -> None:
    line = call_of(caller)
    new = {"actor_kind": "system", "audience": "staff", "interaction": line, "occurred_at": BEGAN + timedelta(seconds=second)} | said
    timeline.append(line.conversation_id, NewEntry(kind, **new))


def written(*channels: list[tuple[float, str]]) -> bytes:
    """The platform's file: for each channel, what was said from which second on."""
    transcripts = [
        [
            {"sentence": text, "raw_sentence": text.lower(), "timestamp": round(second * 1_000), "duration": 100 * len(text)}
            for second, text in said
        ]
        for said in channels
    ]
    return json.dumps({"ver": "1", "request_id": "r", "channels": [{"duration": 60, "transcript": each} for each in transcripts]}).encode()


def recorded(caller: Caller, recording: str, url: str = "https://api.nexmo.com/v1/files/none") -> dict[str, Any]:
    times = {"start_time": "2026-11-23T09:00:00Z", "end_time": "2026-11-23T09:01:00Z", "timestamp": now_text()}
    return times | {"recording_url": url, "size": 1, "recording_uuid": recording, "conversation_uuid": caller.room}


def transcribed(caller: Caller, recording: str, url: str, status: str = "transcribed") -> dict[str, Any]:
    told = {"type": "record", "recording_uuid": recording, "status": status, "transcription_url": url}
    return told | {"conversation_uuid": caller.room}


def tells(caller: Caller, body: dict[str, Any]) -> None:
    assert post(f"/voice/recording/{call_of(caller).public_id}/", body).status_code == 204


def said(caller: Caller) -> list[tuple[str, str, str]]:
    entries = Entry.objects.filter(interaction__provider_id=caller.uuid, kind="speech").order_by("seq")
    return [(entry.actor_kind, entry.actor_name, entry.body) for entry in entries]


def writes_down(caller: Caller, files: Files, content: bytes, **told: str) -> CallRecording:
    recording = str(uuid4())
    tells(caller, recorded(caller, recording, files.put("sound")))
    tells(caller, transcribed(caller, recording, files.put("text", content), **told))
    tasks.fetch_recordings()
    return CallRecording.objects.get(recording_id=recording)


def test_who_said_what_and_when(call: Caller, files: Files) -> None:
    """The first channel is the caller's; of what the caller heard, the company's own voice is left out."""
    row = writes_down(
        call,
        files,
        written(
            [(14, "My boiler is cold."), (31.5, "Thank you.")],
            [(2, "I am putting you through."), (12, "Good morning."), (20, "I see.")],
        ),
    )
    assert said(call) == [
        ("agent", "Ann", "Good morning."),
        ("customer", "", "My boiler is cold."),
        ("agent", "Ann", "I see."),
        ("customer", "", "Thank you."),
    ]
    last = Entry.objects.filter(kind="speech").latest("seq")
    assert (last.occurred_at, last.audience) == (BEGAN + timedelta(seconds=31.5), "staff")
    assert (row.transcript, row.state) == ("written", "stored")


def test_what_the_voice_says_and_hears_after_a_person_has_left_is_nobody_s_words(caller: Caller, files: Files) -> None:
    """The platform records on while the caller is back with the AI agent, whose words are in the history already."""
    post("/voice/answer/", caller.answer())
    comes(caller, "Ann", 10, until=30)
    comes(caller, "Ben", 25, until=40)
    heard = [(12, "Good morning."), (26, "Hello, Ben here."), (38, "Goodbye."), (39.5, "Ben has left the call. How content are you?")]
    writes_down(caller, files, written([(14, "My boiler is cold."), (39, "Goodbye."), (45, "Five.")], [*heard, (50, "Thank you.")]))
    assert said(caller) == [
        ("agent", "Ann", "Good morning."),
        ("customer", "", "My boiler is cold."),
        ("agent", "Ann, Ben", "Hello, Ben here."),
        ("agent", "Ben", "Goodbye."),
        ("customer", "", "Goodbye."),
    ]


def test_a_person_to_whom_nobody_answers_is_not_taken_for_the_customer(call: Caller, files: Files) -> None:
    writes_down(call, files, written([], [(12, "Good morning."), (20, "Can you hear me?")]))
    assert said(call) == [("agent", "Ann", "Good morning."), ("agent", "Ann", "Can you hear me?")]


@pytest.mark.parametrize("is_later_first", [False, True])
def test_recordings_that_overlap_bring_nothing_twice(call: Caller, files: Files, *, is_later_first: bool) -> None:
    """One that goes on when the next one begins has the same words, by a clock that tells whole seconds."""
    whole = written([(14, "My boiler is cold."), (33, "Thank you.")], [(12, "Good morning."), (31, "I see."), (35, "You are welcome.")])
    rest = written([(34, "Thank you.")], [(32, "I see."), (36, "You are welcome.")])
    for content in (rest, whole) if is_later_first else (whole, rest):
        writes_down(call, files, content)
    assert sorted(body for _kind, _name, body in said(call)) == sorted(
        ["Good morning.", "My boiler is cold.", "I see.", "Thank you.", "You are welcome."]
    )


def test_what_only_one_of_two_overlapping_recordings_heard_is_kept(call: Caller, files: Files) -> None:
    """The other one covers that time, but has not the words."""
    writes_down(call, files, written([(14, "My boiler is cold."), (40, "Thank you.")], [(12, "Good morning."), (41, "You are welcome.")]))
    heard = [(20, "Is that all?"), (24, "I see."), (42, "You are welcome.")]
    writes_down(call, files, written([(21, "And it drips."), (40.5, "Thank you.")], heard))
    assert [(kind, body) for kind, _name, body in said(call)][4:] == [
        ("agent", "Is that all?"),
        ("customer", "And it drips."),
        ("agent", "I see."),
    ]


def test_what_two_recordings_divide_differently_is_told_once(call: Caller, files: Files) -> None:
    """One begins in the middle, or takes two sentences for one, and writes its own capitals and marks."""
    writes_down(call, files, written([(14, "My boiler is cold, and it drips."), (20, "Since Monday.")], [(12, "Good morning.")]))
    writes_down(call, files, written([(15, "Boiler is cold."), (16.5, "And it drips"), (17.5, "since monday")], [(12, "good morning")]))
    assert [body for _kind, _name, body in said(call)] == ["Good morning.", "My boiler is cold, and it drips.", "Since Monday."]


def test_what_was_said_twice_in_one_breath_stays_said_twice(call: Caller, files: Files) -> None:
    """One word of another recording stands for one, not for all that are like it."""
    writes_down(call, files, written([(22, "Yes.")], [(20, "Is it urgent?")]))
    writes_down(call, files, written([(20.5, "Yes."), (22, "Yes.")], [(20, "Is it urgent?")]))
    assert [body for kind, _name, body in said(call) if kind == "customer"] == ["Yes.", "Yes."]


def test_a_piece_of_a_card_is_not_brought_by_a_recording_that_has_only_the_piece(call: Caller, files: Files) -> None:
    """The other one has the whole number, so its digits are hidden: the same words are told once, and hidden."""
    writes_down(call, files, written([(20, "my card is 4111 1111"), (24, "1111 1111, yes")], [(22, "And then?")]))
    writes_down(call, files, written([(24.5, "1111 1111, yes"), (30, "One more thing.")], []))
    kept = [body for kind, _name, body in said(call) if kind == "customer"]
    assert [body for body in kept if "1111" in body] == []
    assert (len(kept), kept[-1]) == (3, "One more thing.")


@pytest.mark.parametrize("order", list(itertools.permutations(["recorded", "transcribed", "transcribed again", "fetched"])))
def test_it_is_written_once_whatever_the_order(call: Caller, files: Files, order: tuple[str, ...]) -> None:
    """The text may be told of before the sound, twice, and after the call."""
    recording = str(uuid4())
    text = transcribed(call, recording, files.put("text", written([(14, "My boiler is cold.")], [(12, "Good morning.")])))
    for each in order:
        if each == "fetched":
            tasks.fetch_recordings()
        else:
            tells(call, recorded(call, recording, files.put("sound")) if each == "recorded" else text)
    post("/voice/event/", call.event("completed", duration="60"))
    for _sweep in range(2):
        tasks.fetch_recordings()
    assert [body for _kind, _name, body in said(call)] == ["Good morning.", "My boiler is cold."]
    assert Entry.objects.filter(kind="speech").latest("seq").occurred_at == BEGAN + timedelta(seconds=14)
    assert CallRecording.objects.get().state == "stored"


@pytest.mark.parametrize(
    "words",
    [
        ["my card is 4111 1111 1111 1111"],
        ["it is four one one one, one one one one, one one one one, one one one one"],
        ["my card is 4111 1111", "1111 1111, yes"],
        ["four one one one one one one one", "one one one one", "one one one one"],
    ],
)
def test_card_numbers_are_masked(call: Caller, files: Files, words: list[str]) -> None:
    """Written, spoken, and in pieces between which the person says something."""
    caller = [(20 + 4 * number, each) for number, each in enumerate(words)]
    person = [(22 + 4 * number, "And then?") for number in range(len(words))]
    writes_down(call, files, written(caller, person))
    kept = " ".join(body for kind, _name, body in said(call) if kind == "customer")
    assert "4111" not in kept.replace(" ", "")
    assert "four one" not in kept
    assert "•" in kept


def test_what_was_said_while_it_was_paused_is_not_kept(call: Caller, files: Files) -> None:
    """Whatever the platform recorded."""
    for kind, second in (("recording.began", 1), ("recording.paused", 20), ("recording.resumed", 30), ("recording.ended", 50)):
        happens(call, kind, second)
    writes_down(call, files, written([(15, "Before."), (25, "My card."), (35, "After."), (55, "Later.")], [(26, "Go on.")]))
    assert [body for _kind, _name, body in said(call)] == ["Before.", "After."]


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b'{"channels": 3}', b"<html>", b"[" * 5_000])
def test_what_is_no_text_is_given_up(call: Caller, files: Files, content: bytes) -> None:
    """For staff to see."""
    row = writes_down(call, files, content)
    assert row.transcript == "failed"
    assert "could not be fetched" in Entry.objects.get(kind="call.problem").body


@pytest.mark.parametrize(
    "content",
    [
        b'{"channels": []}',
        b'{"channels": [{}, null, {"transcript": 3}, {"transcript": [null, {}, {"sentence": 3}, {"sentence": " "}]}]}',
    ],
)
def test_odd_texts_are_read_as_far_as_they_go(call: Caller, files: Files, content: bytes) -> None:
    assert writes_down(call, files, content).transcript == "written"
    assert said(call) == []


def test_a_text_too_large_or_elsewhere_is_not_fetched(call: Caller, files: Files) -> None:
    assert writes_down(call, files, b" " * 5_100_000).transcript == "failed"
    recording = str(uuid4())
    tells(call, recorded(call, recording))
    tells(call, transcribed(call, recording, "https://evil.test/api.nexmo.com/a"))
    before = len(files.asked)
    tasks.fetch_recordings()
    assert CallRecording.objects.get(recording_id=recording).transcript == "failed"
    assert all("evil" not in path for path, _token in files.asked[before:])


def test_the_platform_could_not_write_it_down(call: Caller, files: Files) -> None:
    """Nothing is waited for, and nothing asked."""
    assert writes_down(call, files, b"", status="failed").transcript == "failed"


def test_the_wrap_up_knows_what_people_said(call: Caller, files: Files) -> None:
    """It waits for the words while they are being written down."""
    line = call_of(call)
    line.data["recording"] = {"is_written_down": True}
    Interaction.objects.filter(pk=line.pk).update(data=line.data)
    post("/voice/event/", call.event("completed", duration="60"))
    Interaction.objects.filter(pk=line.pk).update(wrap_up_due_at=timezone.now(), ended_at=timezone.now())
    assert recap.sweep() == 0
    words = "My boiler is cold and the pressure is at zero, I need an engineer."
    writes_down(call, files, written([(14, words)], [(12, "Good morning, this is Ann."), (30, "I will send somebody tomorrow.")]))
    assert recap.sweep() == 1
    entry = Entry.objects.get(kind="wrapped_up")
    assert entry.data["with_person"] is True
    assert "boiler" in entry.body


class TestSound:
    @pytest.mark.parametrize("kind", ["wav", "mp3"])
    def test_time_is_cut_out(self, kind: str) -> None:
        """What is left is as long as it should be, and of a recording in WAV nothing else."""
        tones = [(0, 0.0, 4.0, 0), (0, 4.0, 3.0, 1), (0, 7.0, 3.0, 2)]
        cut = sound.without(io.BytesIO(audio.made(kind, 10, 1, tones)), audio.TYPES[kind], [(4.0, 7.0), (9.5, 99.0)]).read()
        assert len(cut) == pytest.approx(audio.size(kind, 6.5, 1), rel=0.05)
        if kind == "wav":
            with wave.open(io.BytesIO(cut)) as rest, wave.open(io.BytesIO(audio.made("wav", 10, 1, tones))) as whole:
                before, after = whole.readframes(4 * audio.RATE), (whole.setpos(7 * audio.RATE), whole.readframes(5 * audio.RATE // 2))[1]
                assert rest.readframes(rest.getnframes()) == before + after

    def test_a_recording_that_goes_on_too_long_is_shortened(self, call: Caller, files: Files) -> None:
        """What was recorded after the caller said no is not kept, and staff read for how long the platform has it."""
        happens(call, "recording.began", 0)
        happens(call, "recording.ended", 20)
        recording = str(uuid4())
        tells(call, recorded(call, recording, files.put("sound", audio.made("mp3", 60, 1, []))))
        tasks.fetch_recordings()
        row = CallRecording.objects.get()
        assert row.state == "stored"
        assert row.size_bytes == pytest.approx(audio.size("mp3", 19, 1), rel=0.02)
        assert "asked to delete its copy" in Entry.objects.get(kind="recording.cut").body
        assert CallRecording.objects.get().platform_files == ["https://api.nexmo.com/v1/files/sound"]
        assert tasks.delete_recordings_at_the_platform() == 1
        assert [path for path, _token in files.deleted] == ["/simulator/v3/media/sound"]

    def test_so_is_one_in_wav(self, call: Caller, files: Files) -> None:
        happens(call, "recording.began", 0)
        happens(call, "recording.ended", 20)
        tells(call, recorded(call, str(uuid4()), files.put("sound", audio.made("wav", 60, 1, []))))
        tasks.fetch_recordings()
        row = CallRecording.objects.get()
        assert (row.state, row.size_bytes) == ("stored", audio.size("wav", 19, 1))

    @pytest.mark.parametrize("is_text_first", [False, True])
    def test_so_is_the_text_of_one(self, call: Caller, files: Files, *, is_text_first: bool) -> None:
        """Whichever of the two could be fetched first."""
        happens(call, "recording.began", 0)
        happens(call, "recording.paused", 20)
        recording = str(uuid4())
        tells(call, recorded(call, recording, files.put("sound", audio.made("mp3", 60, 1, []), status=503 if is_text_first else 200)))
        tells(call, transcribed(call, recording, files.put("text", written([(14, "My boiler is cold."), (25, "My card.")], []))))
        tasks.fetch_recordings()
        files.put("sound", audio.made("mp3", 60, 1, []))
        CallRecording.objects.filter(state="announced").update(next_try_at=timezone.now())
        tasks.fetch_recordings()
        assert [body for _kind, _name, body in said(call)] == ["My boiler is cold."]
        assert tasks.delete_recordings_at_the_platform() == 2
        assert {path for path, _token in files.deleted} == {"/simulator/v3/media/sound", "/simulator/v3/media/text"}
        assert CallRecording.objects.get().state == "stored"

    def test_nor_is_what_was_said_in_a_later_pause_by_the_time_that_the_sound_was_cut(self, call: Caller, files: Files) -> None:
        """The file is shorter then, and the second pause lies behind its end."""
        for kind, second in (("began", 0), ("paused", 10), ("resumed", 30), ("paused", 50), ("resumed", 55)):
            happens(call, f"recording.{kind}", second)
        recording = str(uuid4())
        tells(call, recorded(call, recording, files.put("sound", audio.made("mp3", 60, 1, []))))
        tasks.fetch_recordings()
        words = written([(5, "My boiler is cold."), (52, "My secret."), (58, "Thank you.")], [])
        comes(call, "Ben", 0)
        tells(call, transcribed(call, recording, files.put("text", words)))
        tasks.fetch_recordings()
        assert [body for _kind, _name, body in said(call)] == ["My boiler is cold.", "Thank you."]

    def test_what_cannot_be_cut_is_not_kept(self, call: Caller, files: Files) -> None:
        """Nor what is nothing but time in which the call was not to be recorded."""
        happens(call, "recording.began", -20)
        happens(call, "recording.ended", -10)
        for kind in ("ogg", "wav"):
            tells(call, recorded(call, str(uuid4()), files.put(kind, audio.made(kind, 60, 1, []))))
        tasks.fetch_recordings()
        assert {row.state for row in CallRecording.objects.all()} == {"failed"}
        assert tasks.delete_recordings_at_the_platform() == 1
        assert [path for path, _token in files.deleted] == ["/simulator/v3/media/wav"]
