"""What the platform sends is read as its reference says, and nonsense is refused or tolerated, never a crash."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversations.voice import protocol
from conversations.voice.protocol import MalformedWebhook
from tests.voice.platform import Caller

texts = st.text("aZ09+-:.T \x00\ud800é漢\u202e", max_size=12)
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | texts,
    lambda children: st.lists(children, max_size=3) | st.dictionaries(texts, children, max_size=3),
    max_leaves=8,
)


@pytest.mark.parametrize(
    ("written", "number"),
    [
        ("447700900123", "+447700900123"),
        ("+447700900123", "+447700900123"),
        ("00447700900123", "+447700900123"),
        (447700900123, "+447700900123"),
        ("anonymous", None),
        ("Restricted", None),
        ("266696687", None),
        ("0", None),
        ("447700900123; DROP TABLE", None),
        ("447700\x00900123", None),
        ("sip:sam@example.com", None),
        ("٤٤٧٧٠٠٩٠٠١٢٣", None),
        ("9" * 400, None),
        ("", None),
        (None, None),
        ({"type": "phone"}, None),
    ],
)
def test_caller_ids(written: object, number: str | None) -> None:
    """A number is put in E.164; whatever cannot be somebody's number counts as withheld."""
    body = Caller().answer() | {"from": written}
    assert protocol.parse_answer(body).caller == number


def test_a_call_needs_a_number_that_was_dialled() -> None:
    with pytest.raises(MalformedWebhook):
        protocol.parse_answer(Caller().answer() | {"to": "unknown"})


def test_machine_detection_names_the_leg_differently() -> None:
    caller = Caller()
    body = caller.event("machine")
    body["call_uuid"] = body.pop("uuid")
    assert protocol.parse_event(body).call_id == caller.uuid


def test_events_without_status() -> None:
    """Errors carry a reason and transfers two rooms, and neither a status."""
    error = protocol.parse_event({"reason": "Syntax error in NCCO.", "conversation_uuid": "CON-1", "timestamp": "x"})
    assert (error.status, error.call_id, error.detail) == ("error", "", "Syntax error in NCCO.")
    moved = protocol.parse_event({"uuid": Caller().uuid, "conversation_uuid_from": "CON-1", "conversation_uuid_to": "CON-2"})
    assert (moved.status, moved.room_id, moved.is_terminal) == ("transfer", "CON-2", False)


def test_an_event_without_a_time_is_known_again() -> None:
    """Two deliveries of it are one event, and two different ones are two."""
    body = Caller().event("error", detail="no audio")
    for timestamp in ({}, {"timestamp": None}, {"timestamp": "soon"}):
        without = {name: value for name, value in body.items() if name != "timestamp"} | timestamp
        assert protocol.parse_event(without).source_id == protocol.parse_event(without).source_id
        assert protocol.parse_event(without).source_id != protocol.parse_event(without | {"detail": "no codec"}).source_id
    assert protocol.parse_event(body).source_id != protocol.parse_event(body | {"timestamp": "2026-01-01T00:00:00Z"}).source_id


def test_what_may_be_kept_of_a_body() -> None:
    """Neither keys nor numbers that were said; the body that is worked on stays whole."""
    body = Caller().said("four two four two please", "4242 please", dtmf={"digits": "482913", "timed_out": False})
    kept = protocol.without_secrets(body)
    assert [each["text"] for each in kept["speech"]["results"]] == ["• • • • please", "•••• please"]
    assert kept["speech"]["results"][0]["confidence"] == "0.99"
    assert kept["dtmf"] == {"digits": "••••••", "timed_out": False}
    assert {name: kept[name] for name in ("uuid", "to", "timestamp")} == {name: body[name] for name in ("uuid", "to", "timestamp")}
    assert body["dtmf"]["digits"] == "482913"
    assert protocol.without_secrets({"dtmf": 482913, "speech": {"results": ["4242", 4242]}}) == {
        "dtmf": "••••••",
        "speech": {"results": ["••••", "••••"]},
    }
    for odd in ({}, {"dtmf": None, "speech": None}, {"speech": "x"}, {"speech": {"results": None}}):
        assert protocol.without_secrets(odd) == odd


def test_an_unknown_status_is_not_terminal() -> None:
    assert not protocol.parse_event(Caller().event("levitating")).is_terminal


@pytest.mark.parametrize(
    ("changes", "texts", "digits"),
    [
        ({"speech": {"results": [{"text": "sales", "confidence": "0.94"}, {"text": "sails", "confidence": 0.7}]}}, ["sales", "sails"], ""),
        ({"speech": {"timeout_reason": "start_timeout"}}, [], ""),
        ({"speech": {}}, [], ""),
        ({"speech": None, "dtmf": {"digits": "1234", "timed_out": True}}, [], "1234"),
        ({"dtmf": "42", "speech": {"results": [{"text": "x"}]}}, [], "42"),
        ({"dtmf": {"digits": "", "timed_out": True}}, [], ""),
        ({"dtmf": {"digits": "12ab"}}, [], ""),
        ({"speech": {"results": "sales"}}, [], ""),
        ({"speech": {"results": [{"text": ""}, {"text": 7}, "x", {"text": "yes", "confidence": "high"}]}}, ["yes"], ""),
    ],
)
def test_inputs(changes: dict[str, object], texts: list[str], digits: str) -> None:
    """Hypotheses come best first, keys win over speech, and what is missing is silence."""
    body = Caller().silent() | changes
    read = protocol.parse_input(body, token_id="token")
    assert [each.text for each in read.hypotheses] == texts
    assert read.digits == digits


def test_confidence_may_be_text_or_number() -> None:
    body = Caller().said("a", "b")
    body["speech"]["results"][1]["confidence"] = 0.5
    assert [each.confidence for each in protocol.parse_input(body, token_id="t").hypotheses] == [0.99, 0.5]


def test_a_failure_of_the_recogniser_is_no_silence() -> None:
    body = Caller().silent() | {"speech": {"error": "ERR1: Failed to analyze audio"}}
    assert protocol.parse_input(body, token_id="t").is_failure


@pytest.mark.parametrize(
    "raw",
    [b"", b"{", b"[]", b"null", b'"text"', b"\xff\xfe", b'{"a": NaN}', b'{"a": 1e999}', b"[" * 100_000, b'{"a":' * 60 + b"1" + b"}" * 60],
)
def test_bodies_that_are_no_webhook(raw: bytes) -> None:
    with pytest.raises(MalformedWebhook):
        protocol.parse_body(raw)


def test_null_bytes_and_lone_surrogates_are_made_storable() -> None:
    body = protocol.parse_body(b'{"a\\u0000": ["x\\u0000y", "\\ud800"]}')
    assert body == {"a": ["xy", "?"]}


@given(st.dictionaries(st.sampled_from(["uuid", "from", "to", "status", "timestamp", "speech", "dtmf", "reason", "detail"]), anything))
def test_nothing_crashes_the_parsers(body: dict[str, object]) -> None:
    """Whatever stands in the known fields, it is read or refused."""
    for parse in (protocol.parse_answer, protocol.parse_event, lambda each: protocol.parse_input(each, token_id="t")):
        try:
            parse(body)
        except MalformedWebhook:
            pass


@given(anything)
def test_every_json_body_is_read_or_refused(value: object) -> None:
    try:
        json.dumps(protocol.parse_body(json.dumps(value).encode()), allow_nan=False).encode()
    except MalformedWebhook:
        pass
