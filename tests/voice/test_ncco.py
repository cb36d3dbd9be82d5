"""Call control objects are what the platform takes, whatever the reply says."""

import html
import re
import wave
from itertools import takewhile

import pytest
from django.conf import settings
from hypothesis import given
from hypothesis import strategies as st

from conversations.rendering import spoken
from conversations.voice import ncco
from conversations.voice.simulator.checking import InvalidNcco, checked


@given(st.text("ab Z019 :.,?!<>&'\"£@/-–\n\x00é漢😀", max_size=300), st.integers(min_value=1, max_value=20))
def test_any_reply_makes_a_valid_ncco(text: str, times: int) -> None:
    """Each talk stays below the limit, holds no markup of the reply's, and after barge-in comes input."""
    actions = ncco.reply(spoken.words(text * times), language="en-GB")
    assert checked(actions) == actions
    assert actions[-1]["action"] == "input"
    for action in (each for each in actions if each["action"] == "talk"):
        inside = action["text"].removeprefix("<speak>").removesuffix("</speak>")
        assert not re.search(r"[<>]|&(?!(amp|lt|gt);)", inside)


def test_markup_in_a_reply_is_said_and_not_obeyed() -> None:
    (talk, *_then) = ncco.reply("Say <break time='9s'/> & go", language="en-GB")
    assert talk["text"] == "<speak>Say &lt;break time='9s'/&gt; &amp; go</speak>"


def test_a_long_reply_is_cut_between_sentences() -> None:
    text = " ".join(f"This is sentence number {number} of many." for number in range(100))
    talks = list(takewhile(lambda action: action["action"] == "talk", ncco.working(text, language="en-GB")))
    assert len(talks) > 1
    assert all(html.unescape(talk["text"]).endswith("many.</speak>") for talk in talks)
    assert " ".join(talk["text"][7:-8] for talk in talks) == text


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("Ring 01632 960100.", "Ring 0 1 6 3 2, 9 6 0 1 0 0."),
        ("Between 08:00–10:00 on Tue 24 November.", "Between 8 a.m. to 10 a.m. on Tuesday 24 November."),
        ("At 12:00 or 14:30.", "At noon or 2 30 p.m."),
        ("In HB1 4QT, yes.", "In H B 1, 4 Q T, yes."),
        ("Your reference is HH-2F7K9.", "Your reference is H H 2, F 7 K 9."),
        ("Your reference is HH-2YRGXC.", "Your reference is H H 2 Y, R G X C."),
        ("Your reference is HH-PGTCVE.", "Your reference is H H P G, T C V E."),
        ("It costs £85.00, or £1,250.50.", "It costs 85 pounds, or 1250 pounds 50."),
        ("€85 here, $12.50 there.", "85 euros here, 12 dollars 50 there."),
        ("See https://harbor.example/prices for more.", "for more."),
        ("Read [our prices](https://harbor.example/p).", "Read our prices."),
        ("Write to help@harbor-home.example.", "Write to help at harbor dash home dot example."),
        ("**Bold**\n- One\n- Two", "Bold. One. Two."),
        ("Fault BOILER24 stays a word.", "Fault BOILER24 stays a word."),
    ],
)
def test_how_things_are_said(written: str, said: str) -> None:
    assert spoken.words(written) == said


def test_quick_replies_are_read_as_a_list() -> None:
    rows = [{"label": "Tomorrow", "value": "tomorrow"}, {"label": "Friday 08:00–10:00", "value": "f"}]
    assert spoken.words("When?", {"quick_replies": rows}) == "When? You can say: Tomorrow or Friday 8 a.m. to 10 a.m."


@pytest.mark.parametrize("data", [{"quick_replies": "x"}, {"quick_replies": [1, {}, {"label": ""}]}, {}, None])
def test_quick_replies_of_another_shape_are_left_out(data: dict[str, object] | None) -> None:
    assert spoken.words("When?", data) == "When?"


TALK = {"action": "talk", "text": "Hi"}
INPUT = {"action": "input", "type": ["speech"]}
HERE = ["https://service.example.com/voice/input/"]


@pytest.mark.parametrize(
    "actions",
    [
        [TALK | {"bargeIn": True}],
        [TALK | {"bargeIn": True}, {"action": "record"}],
        [{"action": "sing"}],
        [TALK | {"text": "x" * 1_501}],
        [TALK | {"text": ""}],
        [TALK | {"text": "<speak>a & b</speak>"}],
        [TALK | {"text": "Hi <speak>there</speak>"}],
        [TALK | {"voice": "Amy"}],
        [TALK | {"level": 2}],
        [TALK | {"level": True}],
        [TALK | {"language": "English"}],
        [TALK | {"loop": 0}, TALK],
        [{"action": "stream", "streamUrl": "https://x.example/a.mp3"}],
        [{"action": "input", "type": ["smell"]}],
        [{"action": "input", "type": []}],
        [{"action": "input", "type": "speech"}],
        [INPUT | {"speech": {"startTimeout": 90}}],
        [INPUT | {"speech": {"endOnSilence": 0.2}}],
        [INPUT | {"dtmf": {"maxDigits": 1}}],
        [INPUT | {"type": ["dtmf"], "dtmf": {"maxDigits": 21}}],
        [INPUT | {"eventUrl": HERE[0]}],
        [INPUT | {"eventUrl": HERE, "eventMethod": "GET"}],
        [{"action": "connect", "endpoint": [{"type": "phone", "number": "+44 7700"}]}],
        [{"action": "connect", "endpoint": []}],
        [{"action": "connect", "endpoint": [{"type": "websocket", "uri": "wss://x.example/", "content-type": "audio/l16;rate=11025"}]}],
        [{"action": "connect", "endpoint": [{"type": "app", "user": "ann"}], "from": "447700900123", "randomFromNumber": True}],
        [{"action": "conversation", "name": ""}],
        [{"action": "conversation", "name": "a", "mute": True, "canSpeak": []}],
        [{"action": "record", "transcription": {"language": "en-GB", "speed": 2}}],
        [{"action": "record", "endOnSilence": 2}],
        [{"action": "notify", "payload": {}}],
        [{"action": "stream", "streamUrl": ["https://x.example/a.ogg"]}],
        [{"action": "conversation", "name": "call-7", "musicOnHoldUrl": ["https://x.example/a.wav"]}],
        [{"action": "wait", "timeout": 0}],
        [{"action": "transfer", "conversationId": "call-7"}],
        [{"action": "transfer", "conversationId": "CON-7"}, TALK],
        {"action": "talk", "text": "Hi"},
        ["talk"],
    ],
)
def test_the_simulator_refuses_what_the_platform_refuses_or_would_drop(actions: object) -> None:
    with pytest.raises(InvalidNcco):
        checked(actions)


@pytest.mark.parametrize(
    "actions",
    [
        [],
        [TALK | {"text": "<speak>Hi <break time='1s'/> there</speak>", "level": -0.5, "style": 2, "premium": True, "loop": 2}],
        [TALK | {"text": f"<speak>{'x' * 1_500}</speak>"}],
        [TALK | {"bargeIn": True, "loop": 0}, INPUT | {"speech": {"uuid": ["a"], "context": ["boiler"]}, "eventUrl": HERE}],
        [{"action": "stream", "streamUrl": ["https://x.example/a.mp3"], "loop": 0}],
        [{"action": "stream", "streamUrl": ["https://x.example/a.wav?night"], "loop": 0}],
        [{"action": "record", "split": "conversation", "channels": 2, "format": "wav", "beepStart": True, "eventUrl": HERE}, TALK],
        [{"action": "conversation", "name": "call-7", "musicOnHoldUrl": ["https://x.example/a.mp3"], "canHear": [], "startOnEnter": False}],
        [{"action": "connect", "from": "441632960100", "endpoint": [{"type": "sip", "uri": "sip:ann@x.example"}], "timeout": 20}],
        [{"action": "connect", "endpoint": [{"type": "phone", "number": "441632960111", "onAnswer": {"url": HERE[0]}}]}],
        [{"action": "connect", "endpoint": [{"type": "app", "user": "ann"}], "eventType": "synchronous", "eventUrl": HERE}],
        [{"action": "notify", "payload": {"step": 1}, "eventUrl": HERE}, {"action": "wait", "timeout": 0.5}],
        [{"action": "transfer", "conversationId": "CON-7", "canSpeak": ["a"]}],
    ],
)
def test_and_takes_what_the_platform_takes(actions: list[dict[str, object]]) -> None:
    assert checked(actions) == actions


@pytest.mark.parametrize(
    ("own", "in_a_room"),
    [
        ("", "/static/voice/waiting.mp3"),
        ("https://x.example/waltz.mp3", "waltz.mp3"),
        ("https://x.example/waltz.wav", "/static/voice/waiting.mp3"),
    ],
)
def test_a_room_waits_with_mp3_alone(own: str, in_a_room: str) -> None:
    """A number's own music where it is one, else ours; a stream takes a WAV, which has 16 bits."""
    assert ncco.music_of_room(own).endswith(in_a_room)
    with wave.open(str(settings.BASE_DIR / "static" / "voice" / "waiting.wav")) as sound:
        assert (sound.getsampwidth(), sound.getnchannels()) == (2, 1)
