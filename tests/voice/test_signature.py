"""Only what the platform signed, now, for us, and unaltered, gets in; a repetition gets the answer it got before."""

import hashlib
import json
import time
import uuid
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from django.conf import settings
from django.test import Client

from conversations.models import Entry, EntryPoint, Interaction, WebhookRecord
from tests.voice import platform
from tests.voice.platform import Caller

DOORS = ("/voice/answer/", "/voice/event/", "/voice/input/")


def nothing_is_written() -> bool:
    return not (WebhookRecord.objects.exists() or Interaction.objects.exists() or Entry.objects.exists())


def with_header(header: dict[str, Any], claims: dict[str, Any]) -> str:
    token = jwt.encode(claims, settings.VONAGE_SIGNATURE_SECRET, algorithm="HS256", headers=header)
    return f"Bearer {token}"


def unsigned(claims: dict[str, Any]) -> str:
    return f"Bearer {jwt.encode(claims, None, algorithm='none')}"


def signed_with_a_public_key(claims: dict[str, Any]) -> str:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return f"Bearer {jwt.encode(claims, key, algorithm='RS256')}"


def cut(claims: dict[str, Any]) -> str:
    return platform.bearer(claims)[:-4]


BAD_HEADERS = {
    "none at all": lambda claims: "",
    "no token": lambda claims: "Bearer ",
    "another scheme": lambda claims: platform.bearer(claims).replace("Bearer", "Basic"),
    "garbage": lambda claims: "Bearer not.a.token",
    "not ASCII": lambda claims: "Bearer é.é.é",
    "very long": lambda claims: "Bearer " + "a" * 10_000,
    "cut off": cut,
    "no algorithm": unsigned,
    "another algorithm": lambda claims: platform.bearer(claims, algorithm="HS384"),
    "a key pair": signed_with_a_public_key,
    "another secret": lambda claims: platform.bearer(claims, secret="x" * 64),
    "an empty secret": lambda claims: with_header({}, claims).rsplit(".", 1)[0] + ".",
}
BAD_CLAIMS: dict[str, dict[str, Any]] = {
    "stale": {"iat": -330},
    "from the future": {"iat": 45},
    "no time": {"iat": None},
    "expired": {"exp": -1},
    "another issuer": {"iss": "Nexmo"},
    "no issuer": {"iss": None},
    "another account": {"api_key": "somebody"},
    "no account": {"api_key": None},
    "another application": {"application_id": str(uuid.uuid4())},
    "another body": {"payload_hash": hashlib.sha256(b"{}").hexdigest()},
    "no hash": {"payload_hash": None},
    "a hash that is no text": {"payload_hash": 7},
    "no id": {"jti": None},
    "an empty id": {"jti": ""},
    "an id that is no text": {"jti": 7},
    "an id with a null byte": {"jti": "a\x00b"},
    "a very long id": {"jti": "a" * 101},
    "another audience's time": {"iat": "now"},
    "a time beyond all floats": {"iat": 10**400},
    "a time long before": {"iat": -(10**400)},
    "half a character as issuer": {"iss": "\ud800"},
    "half a character as account": {"api_key": "\ud800"},
    "half a character as hash": {"payload_hash": "\ud800"},
    "half a character as application": {"application_id": "\ud800"},
}


@pytest.mark.parametrize("why", BAD_HEADERS)
def test_what_is_not_signed_is_refused(number: EntryPoint, why: str) -> None:
    """401 at every door, and nothing is written."""
    raw = json.dumps(Caller().answer()).encode()
    header = BAD_HEADERS[why](platform.claims_for(raw))
    for door in DOORS:
        assert platform.post(door, raw, authorization=header).status_code == 401
    assert nothing_is_written()


@pytest.mark.parametrize("why", BAD_CLAIMS)
def test_what_is_signed_for_another_time_or_place_is_refused(number: EntryPoint, why: str) -> None:
    """401, and nothing is written."""
    changes = dict(BAD_CLAIMS[why])
    for name in ("iat", "exp"):
        if isinstance(changes.get(name), int) and abs(changes[name]) < 10**6:
            changes[name] = int(time.time()) + changes[name]
    try:
        response = platform.post("/voice/answer/", Caller().answer(), **changes)
    except (TypeError, UnicodeEncodeError):  # PyJWT refuses to make such a token; others can
        claims = platform.claims_for(json.dumps(Caller().answer()).encode(), **changes)
        token = jwt.api_jws.encode(json.dumps(claims).encode(), settings.VONAGE_SIGNATURE_SECRET, algorithm="HS256")
        response = platform.post("/voice/answer/", Caller().answer(), authorization=f"Bearer {token}")
    assert response.status_code == 401
    assert nothing_is_written()


@pytest.mark.parametrize(("allowed", "ahead", "status"), [(30, 20, 200), (30, 45, 401), (60, 45, 200), (0, 20, 401), (300, 280, 200)])
def test_how_far_the_platform_s_clock_may_be_ahead_is_a_setting(
    number: EntryPoint, settings: Any, caplog: pytest.LogCaptureFixture, allowed: int, ahead: int, status: int
) -> None:
    """The log tells whose clock it is; how old a token may be does not change with it."""
    settings.VONAGE_CLOCK_AHEAD_SECONDS = allowed
    assert platform.post("/voice/answer/", Caller().answer(), iat=int(time.time()) + ahead).status_code == status
    assert ("too far ahead of this machine" in caplog.text + str([record.__dict__ for record in caplog.records])) == (status == 401)
    assert platform.post("/voice/answer/", Caller().answer(), iat=int(time.time()) - 330).status_code == 401


def test_an_altered_body_is_refused(number: EntryPoint) -> None:
    """One changed character is enough, and so is another way of writing the same JSON."""
    raw = json.dumps(Caller().answer()).encode()
    header = platform.bearer(platform.claims_for(raw))
    for altered in (raw.replace(b"44", b"45", 1), raw + b" ", raw.replace(b": ", b":")):
        assert platform.post("/voice/answer/", altered, authorization=header).status_code == 401
    assert nothing_is_written()


def test_the_clocks_may_differ_a_little(caller: Caller) -> None:
    """Thirty seconds ahead and five minutes old are within bounds."""
    for seconds in (25, -270):
        body = Caller().answer()
        assert platform.post("/voice/answer/", body, iat=int(time.time()) + seconds).status_code == 200


def test_only_post(number: EntryPoint) -> None:
    for door in DOORS:
        assert Client().get(door).status_code == 405
    assert nothing_is_written()


def test_a_token_without_the_application_is_the_accounts_own(caller: Caller) -> None:
    """The documentation calls that claim optional."""
    assert platform.post("/voice/answer/", caller.answer(), application_id=None).status_code == 200


def test_without_a_secret_nothing_gets_in(number: EntryPoint, settings: Any) -> None:
    """An empty secret is not a secret, even for a token signed with it."""
    raw = json.dumps(Caller().answer()).encode()
    header = platform.bearer(platform.claims_for(raw))
    settings.VONAGE_SIGNATURE_SECRET = ""
    assert platform.post("/voice/answer/", raw, authorization=header).status_code == 401
    assert nothing_is_written()


def test_a_repeated_token_gets_the_stored_answer(caller: Caller) -> None:
    """Whatever happened since, and nothing is written twice."""
    body, token_id = caller.answer(), str(uuid.uuid4())
    first = platform.post("/voice/answer/", body, jti=token_id)
    entries = Entry.objects.count()
    platform.post("/voice/event/", caller.event("completed"))
    again = platform.post("/voice/answer/", body, jti=token_id)
    assert (again.status_code, again.json()) == (200, first.json())
    assert WebhookRecord.objects.filter(kind="answer").count() == 1
    assert Entry.objects.exclude(kind="interaction.ended").count() == entries


def test_a_repeated_token_with_another_body_is_refused(caller: Caller) -> None:
    token_id = str(uuid.uuid4())
    assert platform.post("/voice/answer/", caller.answer(), jti=token_id).status_code == 200
    other = Caller()
    assert platform.post("/voice/answer/", other.answer(), jti=token_id).status_code == 401
    assert not Interaction.objects.filter(provider_id=other.uuid).exists()


def test_a_repeated_event_is_answered_and_written_once(caller: Caller) -> None:
    platform.post("/voice/answer/", caller.answer())
    body, token_id = caller.event("answered"), str(uuid.uuid4())
    assert [platform.post("/voice/event/", body, jti=token_id).status_code for _ in range(3)] == [204, 204, 204]
    assert Entry.objects.filter(kind="call.answered").count() == 1


def test_a_large_body_is_refused(number: EntryPoint) -> None:
    """A megabyte, signed or not, is turned away without being kept."""
    raw = json.dumps({"from": "4" * 1_000_000}).encode()
    assert platform.post("/voice/answer/", raw).status_code == 413
    assert platform.post("/voice/answer/", raw, authorization="").status_code == 413
    assert nothing_is_written()


@pytest.mark.parametrize(
    "raw", [b"", b"{", b"[]", b"\xff", b'"x"', b'{"uuid": "\\u0000"}', b'{"a": 1e999}', b"[" * 60_000, b'{"status": "answered\\u0000"}']
)
def test_broken_bodies_are_refused_or_harmless(number: EntryPoint, raw: bytes) -> None:
    """Signed nonsense gets a 400 (or is an event about nothing), never a 500."""
    for door in DOORS:
        assert platform.post(door, raw).status_code in (400, 204)
    assert not Interaction.objects.exists()
