"""The simulator's recordings: by action and of a room, told of afterwards, written down, and fetched with a token."""

import io
import wave
from typing import Any

import pytest

from conversations.voice.simulator import audio
from tests.voice.exchange_side import Application, Holder, dial, eventually, rest, ring

LISTENING = {"action": "input", "type": ["speech"]}


def record(application: Application, **options: Any) -> dict[str, Any]:
    return {"action": "record", "eventUrl": [f"{application.url}/recorded/"], **options}


async def told(application: Application, name: str = "recorded") -> dict[str, Any]:
    body: dict[str, Any] = (await eventually(lambda: application.bodies(name)))[0]
    return body


async def fetched(url: str) -> Any:
    assert url.startswith("https://api.nexmo.com/v1/files/")
    return await rest("GET", url.removeprefix("https://api.nexmo.com"))


async def hung_up(application: Application, *ncco: dict[str, Any], said: str = "My boiler leaks") -> Holder:
    """A call in which something was said before it ended."""
    caller = await dial(application, [*ncco, LISTENING])
    await caller.until_doing("listening")
    await caller.do("say", text=said)
    await caller.until_over()
    return caller


async def test_a_recording_is_told_of_after_the_call_and_names_no_leg(application: Application) -> None:
    caller = await hung_up(application, record(application))
    body = await told(application)
    assert body.keys() == {"start_time", "end_time", "recording_url", "size", "recording_uuid", "conversation_uuid", "timestamp"}
    assert body["conversation_uuid"] == (await caller.look())["together"]["conversation"]
    assert application.events(caller.leg)[-1] == "completed"
    assert [path for path, _body, _headers in application.taken].index("/recorded/") == len(application.taken) - 1


@pytest.mark.parametrize(
    ("options", "kind"), [({}, "mp3"), ({"format": "wav"}, "wav"), ({"format": "ogg"}, "ogg"), ({"channels": 3}, "wav")]
)
async def test_the_file_is_what_was_told(application: Application, options: dict[str, Any], kind: str) -> None:
    await hung_up(application, record(application, **options))
    body = await told(application)
    file = await fetched(body["recording_url"])
    assert (file["Content-Type"], len(file.content)) == (audio.TYPES[kind], body["size"])
    if kind == "wav":
        with wave.open(io.BytesIO(file.content)) as sound:
            assert sound.getnchannels() == options.get("channels", 1)


async def test_a_file_needs_a_token_and_has_to_exist(application: Application) -> None:
    await hung_up(application, record(application))
    path = (await told(application))["recording_url"].removeprefix("https://api.nexmo.com")
    assert (await rest("GET", path, bearer="")).status_code == 401
    assert (await rest("GET", "/v1/files/6f336064-26fc-443c-afc7-b283972b326a")).status_code == 404


async def test_what_was_said_is_written_down_by_channel(application: Application) -> None:
    transcription = {"eventUrl": [f"{application.url}/written/"], "language": "en-GB", "sentimentAnalysis": True}
    talk = {"action": "talk", "text": "How can I help?"}
    caller = await hung_up(application, record(application, split="conversation", transcription=transcription), talk)
    body = await told(application, "written")
    assert (body["status"], body["type"]) == ("transcribed", "record")
    assert body["recording_uuid"] == (await told(application))["recording_uuid"]
    heard, said = (await fetched(body["transcription_url"])).json()["channels"][::-1]
    assert [each["sentence"] for each in said["transcript"]] == ["My boiler leaks"]
    assert [each["sentence"] for each in heard["transcript"]] == ["How can I help?"]
    first = said["transcript"][0]
    assert first["words"][0].keys() == {"word", "start_time", "end_time", "confidence"}
    assert "sentiment" in first
    assert caller


@pytest.mark.parametrize("stop", [{"endOnKey": "#"}, {"endOnSilence": 3}, {"timeOut": 3}], ids=["key", "silence", "time"])
async def test_a_stop_condition_makes_the_call_wait(application: Application, stop: dict[str, Any]) -> None:
    after = {"action": "talk", "text": "Thank you."}
    patience = 1 if stop.get("endOnSilence") else 100
    caller = await dial(application, [record(application, beepStart=True, **stop), after, LISTENING], patience=patience, speed=4)
    await caller.until_doing("recording")
    await caller.do("say", text="Please call me back")
    if "endOnKey" in stop:
        assert (await caller.look())["doing"] == "recording"
        await caller.do("key", digit="#")
    await caller.until_heard("Thank you.")
    assert await told(application)
    assert not (await caller.look())["ended"]


async def test_a_room_is_recorded_until_nobody_is_in_it(application: Application) -> None:
    options = {"record": True, "eventUrl": [f"{application.url}/recorded/"], "transcription": {}}
    caller = await dial(application, [{"action": "conversation", "name": "desk", **options}])
    await caller.until_doing("connected")
    ann = await ring([{"action": "conversation", "name": "desk", **options}])
    await ann.do("answer")
    await ann.until(lambda state: state["together"]["is_recorded"])
    await ann.do("say", text="Hello Sam")
    await caller.until_heard("Hello Sam")
    await ann.do("hang_up")
    await ann.until_over()
    await caller.do("say", text="Anybody there")
    assert not application.bodies("recorded")
    await caller.do("hang_up")
    bodies = await eventually(lambda: len(application.bodies("recorded")) == 2 and application.bodies("recorded"))
    written = (await fetched(bodies[1]["transcription_url"])).json()
    assert [each["sentence"] for each in written["channels"][0]["transcript"]] == ["Hello Sam", "Anybody there"]
    moves = {body["conversation_uuid_to"] for body in application.bodies("event") if "conversation_uuid_to" in body}
    assert moves == {bodies[0]["conversation_uuid"]}


async def test_who_is_muted_is_not_in_others_recordings(application: Application) -> None:
    caller = await dial(application, [record(application, transcription={}), {"action": "conversation", "name": "desk"}])
    await caller.until_doing("connected")
    ann = await ring([{"action": "conversation", "name": "desk"}])
    await ann.do("answer")
    await ann.until_doing("connected")
    await ann.do("say", text="Aloud")
    await rest("PUT", f"/v1/calls/{ann.leg}", {"action": "mute"})
    await ann.until(lambda state: state["together"]["muted"])
    await ann.do("say", text="Privately")
    await caller.do("hang_up")
    await eventually(lambda: len(application.bodies("recorded")) == 2)
    written = (await fetched(application.bodies("recorded")[1]["transcription_url"])).json()
    assert [each["sentence"] for each in written["channels"][0]["transcript"]] == ["Aloud"]


async def test_a_recording_has_what_its_leg_heard(application: Application) -> None:
    """Who only listens, or speaks to a colleague alone, is not in the caller's."""
    caller = await dial(application, [record(application, transcription={}), {"action": "conversation", "name": "desk"}])
    await caller.until_doing("connected")
    ann = await ring([{"action": "conversation", "name": "desk"}])
    await ann.do("answer")
    await ann.until_doing("connected")
    for number, may_speak_to, words in ((1, [], "Only listening"), (2, [ann.leg], "Only to Ann")):
        options = {"canSpeak": may_speak_to}
        maya = await ring([{"action": "conversation", "name": "desk", **options}], to=f"44163296012{number}")
        await maya.do("answer")
        await maya.until_doing("connected")
        await maya.do("say", text=words)
    await ann.do("say", text="To all of you")
    await caller.until_heard("To all of you")
    await caller.do("hang_up")
    await eventually(lambda: len(application.bodies("recorded")) == 2)
    written = (await fetched(application.bodies("recorded")[1]["transcription_url"])).json()
    assert [each["sentence"] for each in written["channels"][0]["transcript"]] == ["To all of you"]


def test_files_last_as_long_as_they_should() -> None:
    """By the structure of each format; that browsers play all three was tried by hand."""
    mp3, ogg, wav = (audio.made(kind, 3.0, 1, [(0, 0.5, 1.0, 0)]) for kind in ("mp3", "ogg", "wav"))
    assert [audio.size(kind, 3.0, 1) for kind in ("mp3", "ogg", "wav")] == [len(mp3), len(ogg), len(wav)]
    assert len(mp3) / len(audio.MP3_FRAME) * audio.MP3_FRAME_SECONDS == pytest.approx(3.0, abs=0.1)
    last_page = ogg.rindex(b"OggS")
    assert int.from_bytes(ogg[last_page + 6 : last_page + 14], "little") / 48_000 == pytest.approx(3.0)
    with wave.open(io.BytesIO(wav)) as sound:
        assert sound.getnframes() / sound.getframerate() == pytest.approx(3.0)
