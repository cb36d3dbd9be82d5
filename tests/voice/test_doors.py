"""Every door of the phone platform: what it takes, what it keeps, and what it answers."""

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import pytest
from asgiref.testing import ApplicationCommunicator
from django.conf import settings
from django.db import DatabaseError, connection, transaction
from django.test import Client

from conversations.models import CallLeg, Entry, EntryPoint, Interaction, WebhookRecord
from conversations.voice import protocol
from cxhub.asgi import application
from tests.support import locks
from tests.voice.platform import Caller, bearer, claims_for, now_text, post, words_of
from tests.voice.stories import Telling
from tests.voice.test_calls import call_of
from tests.voice.test_retries import end_who_waits_for, in_thread

CALL = "11111111-2222-4333-8444-555555555555"
DOORS = (
    "/voice/answer/", "/voice/fallback/", "/voice/event/", "/voice/input/", "/voice/notify/", "/voice/recording/",
    f"/voice/called/{CALL}/answer/", f"/voice/called/{CALL}/event/", f"/voice/agent/{CALL}/{CALL}/event/",
    f"/voice/agent/{CALL}/{CALL}/input/", f"/voice/campaign/{CALL}/answer/", f"/voice/campaign/{CALL}/event/", "/voice/text/",
)  # fmt: skip


def kinds(call: Interaction) -> list[str]:
    found = Entry.objects.filter(interaction=call, kind__startswith="call.").order_by("pk")
    return list(found.values_list("kind", flat=True))


async def served(path: str, raw: bytes, authorization: str = "", method: str = "POST") -> tuple[int, bytes, set[bytes]]:
    """The status, body and names of headers with which the server's application answers."""
    headers = [(b"host", b"localhost"), (b"authorization", authorization.encode()), (b"content-length", str(len(raw)).encode())]
    scope = {"type": "http", "method": method, "path": path, "query_string": b"", "headers": headers, "http_version": "1.1"}
    server = ApplicationCommunicator(application, scope)
    await server.send_input({"type": "http.request", "body": raw, "more_body": False})
    start, body = await server.receive_output(timeout=10), await server.receive_output(timeout=10)
    await server.wait(timeout=10)
    return start["status"], body["body"], {name.lower() for name, _value in start["headers"]}


def read(response: Any) -> Any:
    return json.loads(response.content) if response.content else None


class TestProof:
    @pytest.mark.parametrize("door", DOORS)
    def test_what_is_not_proven_is_refused_at_every_door(self, number: EntryPoint, door: str) -> None:
        """Unsigned, forged, stale, for another application, altered on the way: 401, and nothing is written. GET: 405."""
        raw = json.dumps(Caller().event("completed")).encode()
        claims = claims_for(raw)
        forged = [
            "",
            bearer(claims, secret="x" * 64),
            bearer(claims_for(raw, iat=claims["iat"] - 400)),
            bearer(claims_for(raw, application_id=str(uuid4()))),
            bearer(claims_for(raw + b" ")),
        ]
        assert [post(door, raw, authorization=header).status_code for header in forged] == [401] * 5
        assert Client().get(door).status_code == 405
        assert [model for model in (WebhookRecord, Interaction, Entry, CallLeg) if model.objects.exists()] == []

    @pytest.mark.parametrize("door", DOORS)
    def test_a_token_is_good_once_and_for_one_body(self, number: EntryPoint, door: str) -> None:
        """Sent again it gets the stored answer; with another body it is a replay: 401."""
        body, token = Caller().event("completed"), str(uuid4())
        first, again = post(door, body, jti=token), post(door, body, jti=token)
        assert (again.status_code, read(again)) == (first.status_code, read(first))
        assert WebhookRecord.objects.filter(token_id=token).count() == 1
        assert post(door, body | {"timestamp": now_text(), "x": 1}, jti=token).status_code == 401


class TestServed:
    async def test_webhooks_go_past_what_is_there_for_browsers(self, transactional_db: None) -> None:
        """Proven ones are kept and answered, all others refused; a page of the same server keeps what protects it."""
        caller, protects = Caller(), b"content-security-policy"
        raw = json.dumps(caller.answer()).encode()
        status, body, headers = await served("/voice/answer/", raw, bearer(claims_for(raw)))
        assert (status, protects in headers) == (200, False)
        assert words_of(json.loads(body))
        assert (await served("/voice/answer/", raw, bearer(claims_for(raw), secret="x" * 64)))[0] == 401
        assert (await served("/voice/answer/", b"", method="GET"))[0] == 405
        assert (await served("/voice/nothing/", raw, bearer(claims_for(raw))))[0] == 404
        assert await WebhookRecord.objects.acount() == 1
        assert protects in (await served("/help/", b"", method="GET"))[2]


class TestRawWebhooks:
    def test_they_are_never_changed_and_never_deleted(self, caller: Caller) -> None:
        """By the database itself; an erasure may empty them, which only takes away."""
        post("/voice/answer/", caller.answer())
        record = WebhookRecord.objects.get()
        changes: list[dict[str, Any]] = [
            {"provider_id": "x"}, {"kind": "event"}, {"body": {}}, {"body": record.body | {"to": "1"}}, {"answer": []},
            {"answered_at": None}, {"token_id": "x"}, {"body_hash": "", "body": {"invented": 1}},
        ]  # fmt: skip
        for change in changes:
            with pytest.raises(DatabaseError), transaction.atomic():
                WebhookRecord.objects.filter(pk=record.pk).update(**change)
        with pytest.raises(DatabaseError), transaction.atomic():
            record.delete()
        assert WebhookRecord.objects.filter(pk=record.pk).update(body_hash="", body={"uuid": caller.uuid}, answer=None) == 1

    def test_the_call_in_an_address_is_kept(self, number: EntryPoint) -> None:
        post(f"/voice/called/{CALL}/event/", Caller().event("busy"))
        assert str(WebhookRecord.objects.get().named_call) == CALL


class TestEvents:
    def test_an_error_is_noted_on_the_call_in_its_room(self, caller: Caller) -> None:
        post("/voice/answer/", caller.answer())
        post("/voice/event/", {"reason": "Syntax error in NCCO.", "conversation_uuid": caller.room, "timestamp": now_text()})
        assert Entry.objects.get(kind="call.problem").body == "Syntax error in NCCO."

    def test_a_moved_leg_is_found_in_both_rooms(self, caller: Caller) -> None:
        other = f"CON-{uuid4()}"
        post("/voice/answer/", caller.answer())
        post(
            "/voice/event/",
            {"uuid": caller.uuid, "conversation_uuid_from": caller.room, "conversation_uuid_to": other, "timestamp": now_text()},
        )
        leg = CallLeg.objects.get(leg_id=caller.uuid)
        assert (leg.room, set(leg.rooms)) == (other, {caller.room, other})
        for room in leg.rooms:
            post("/voice/event/", {"reason": f"In {room}", "conversation_uuid": room, "timestamp": now_text()})
        assert kinds(call_of(caller)) == ["call.problem", "call.problem"]

    def test_what_a_machine_detection_says_is_kept_on_the_leg(self, caller: Caller) -> None:
        post("/voice/answer/", caller.answer())
        body = caller.event("machine", sub_state="beep_start")
        body["call_uuid"] = body.pop("uuid")
        assert post("/voice/event/", body).status_code == 204
        assert CallLeg.objects.get(leg_id=caller.uuid).answered_by == "machine"
        assert kinds(call_of(caller)) == ["call.machine"]

    def test_what_the_platform_says_of_the_end_is_kept_on_the_leg(self, caller: Caller) -> None:
        telling = Telling(uuid=caller.uuid)
        post("/voice/answer/", caller.answer())
        post("/voice/event/", telling.completed(65.4, 0.9)[1])
        leg = CallLeg.objects.get(leg_id=caller.uuid)
        assert (leg.duration_seconds, str(leg.price), leg.disconnected_by, leg.sip_code) == (64, "0.003600", "user", 200)
        assert Entry.objects.get(kind="interaction.ended").data["duration_seconds"] == 64


class TestInput:
    def test_one_key_at_a_time(self, caller: Caller, patient: None) -> None:
        """As in the asynchronous mode: each key is a webhook of its own."""
        post("/voice/answer/", caller.answer())
        answered = post("/voice/input/", caller.about() | {"dtmf": {"digits": "0"}})
        assert "colleague" in words_of(answered.json())

    def test_keys_win_over_speech_that_came_with_them(self, caller: Caller, patient: None) -> None:
        post("/voice/answer/", caller.answer())
        both = caller.said("my boiler leaks") | {"dtmf": {"digits": "0", "timed_out": False}}
        post("/voice/input/", both)
        assert [entry.body for entry in Entry.objects.filter(actor_kind="customer", kind="message")] == [
            "I would like to speak to a person."
        ]


class TestRecording:
    def news(self, caller: Caller, **changes: Any) -> dict[str, Any]:
        times = {"start_time": "2026-11-23T09:00:05Z", "end_time": "2026-11-23T09:01:02Z", "timestamp": "2026-11-23T09:01:03.000Z"}
        file = {"recording_url": "https://api.nexmo.com/v1/files/1", "size": 12222, "recording_uuid": str(uuid4())}
        return times | file | {"conversation_uuid": caller.room} | changes

    def test_a_finished_recording_is_noted_for_staff_once(self, caller: Caller) -> None:
        post("/voice/answer/", caller.answer())
        body = self.news(caller)
        assert [post("/voice/recording/", body).status_code for _ in range(2)] == [204, 204]
        entry = Entry.objects.get(kind="call.recorded")
        assert (entry.audience, entry.data) == ("staff", {"recording": body["recording_uuid"], "duration_seconds": 57})

    def test_the_text_of_a_recording_too_and_that_it_failed(self, caller: Caller) -> None:
        post("/voice/answer/", caller.answer())
        body = {"conversation_uuid": caller.room, "type": "record", "recording_uuid": str(uuid4()), "timestamp": now_text()}
        for status in ("transcribed", "failed"):
            assert post("/voice/recording/", body | {"status": status}).status_code == 204
        assert kinds(call_of(caller)) == ["call.transcribed", "call.problem"]

    def test_one_that_overtook_its_call_is_noted_when_the_call_is_known(self, caller: Caller) -> None:
        assert post("/voice/recording/", self.news(caller)).status_code == 204
        post("/voice/answer/", caller.answer())
        assert kinds(call_of(caller)) == ["call.recorded"]

    def test_one_of_no_room_is_refused(self, number: EntryPoint) -> None:
        assert post("/voice/recording/", {"recording_uuid": str(uuid4())}).status_code == 400


def test_a_notification_is_kept_and_the_call_goes_on(caller: Caller) -> None:
    post("/voice/answer/", caller.answer())
    body = {"conversation_uuid": caller.room, "payload": {"step": "greeted"}, "timestamp": now_text()}
    assert post("/voice/notify/", body).status_code == 204
    assert WebhookRecord.objects.get(kind="notify").body["payload"] == {"step": "greeted"}
    assert post("/voice/notify/", {"conversation_uuid": caller.room}).status_code == 400


class TestFallback:
    """What a door did not answer in time comes once more to this one; whatever goes wrong here, a caller hears words."""

    @staticmethod
    def original(body: dict[str, Any], door: str, kind: str) -> dict[str, Any]:
        return body | {"reason": "Connection closed.", "original_request": {"url": f"{settings.PUBLIC_URL}/voice/{door}/", "type": kind}}

    def test_a_call_is_answered(self, caller: Caller) -> None:
        """As by the door that was meant, and once with it when that one got through after all."""
        ncco = post("/voice/fallback/", self.original(caller.answer(), "answer", "answer")).json()
        assert words_of(ncco).startswith("I am Harbor's AI assistant.")
        assert words_of(post("/voice/answer/", caller.answer()).json()) == words_of(ncco)
        assert (Interaction.objects.count(), call_of(caller).state) == (1, "active")

    def test_what_was_said_is_answered_once(self, caller: Caller, patient: None) -> None:
        post("/voice/answer/", caller.answer())
        said = caller.said("my boiler leaks")
        first = post("/voice/input/", said).json()
        again = post("/voice/fallback/", self.original(said, "input", "event")).json()
        assert words_of(again) == words_of(first)
        assert Entry.objects.filter(actor_kind="customer", kind="message").count() == 1

    def test_an_event_is_taken_in(self, caller: Caller) -> None:
        post("/voice/answer/", caller.answer())
        assert post("/voice/fallback/", self.original(caller.event("completed"), "event", "event")).status_code == 204
        assert (call_of(caller).state, call_of(caller).end_reason) == ("ended", "completed")

    @pytest.mark.parametrize("door", ["elsewhere", "fallback", "agent/no/event", "../admin"])
    def test_what_was_meant_for_no_door_of_ours_gets_words(self, caller: Caller, door: str) -> None:
        ncco = post("/voice/fallback/", self.original(caller.answer(), door, "answer")).json()
        assert words_of(ncco).startswith("We are sorry")
        assert post("/voice/fallback/", self.original(caller.silent(), door, "event")).status_code == 204

    def test_without_a_database_a_caller_hears_words(self, caller: Caller) -> None:
        """The raw webhook cannot be kept, and nothing is left to ask after this door: no 503, but an apology and the end."""
        raw = json.dumps(self.original(caller.answer(), "answer", "answer")).encode()
        with ThreadPoolExecutor() as pool, locks.locked("conversations_webhookrecord") as other:
            asked = in_thread(pool, "/voice/fallback/", raw, bearer(claims_for(raw)))
            end_who_waits_for(other, "webhookrecord")
            response = asked.result(timeout=60)
        assert response.status_code == 200
        assert words_of(response.json()).startswith("We are sorry")

    def test_it_must_say_what_it_repeats(self) -> None:
        with pytest.raises(protocol.MalformedWebhook):
            protocol.parse_fallback({"original_request": "x"})


def test_requests_in_loops_of_their_own_leave_few_connections(caller: Caller) -> None:
    """Under a synchronous server each request has an event loop; what these leave open would use up what the database admits."""
    post("/voice/answer/", caller.answer())
    before = connections_here()
    for _request in range(12):
        post("/voice/input/", caller.said("hello"))
    assert connections_here() < before + 8


def connections_here() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()")
        return int(cursor.fetchone()[0])
