"""`manage.py vonage_setup` against a server that has the platform's endpoints: the plan, doing it, and doing it again."""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import StringIO
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import parse_qsl, urlsplit
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings

from conversations.models import EntryPoint

SECRET = "account-secret-xyz"


class Account:
    """The platform's side of an account: its applications and numbers, and what it was asked to change."""

    def __init__(self) -> None:
        self.applications: dict[str, dict[str, Any]] = {}
        self.numbers: list[dict[str, Any]] = [
            {"country": "GB", "msisdn": "441632960100", "type": "mobile-lvn", "features": ["VOICE", "SMS"]},
        ]
        self.changes: list[tuple[str, str]] = []
        self.refusals: list[int] = []

    def answer(self, method: str, path: str, raw: bytes, authorization: str) -> tuple[int, Any]:
        if self.refusals:
            return self.refusals.pop(0), {"title": "Refused"}
        if b64decode(authorization.removeprefix("Basic ")).decode() != f"simulator:{SECRET}":
            return 401, {"title": "Unauthorized"}
        if method != "GET":
            self.changes.append((method, path))
        address = urlsplit(path.removeprefix("/simulator")).path
        if address == "/account/numbers":
            return 200, {"count": len(self.numbers), "numbers": self.numbers}
        if address == "/number/update":
            asked = dict(parse_qsl(raw.decode()))
            row = next(each for each in self.numbers if each["msisdn"] == asked["msisdn"] and each["country"] == asked["country"])
            row["app_id"] = asked["app_id"]
            return 200, {"error-code": "200", "error-code-label": "success"}
        if address == "/v2/applications":
            if method == "POST":
                made = json.loads(raw) | {"id": str(uuid4())}
                self.applications[made["id"]] = made
                return 201, made
            return 200, {"page": 1, "total_pages": 1, "_embedded": {"applications": list(self.applications.values())}}
        found = address.rsplit("/", 1)[-1]
        if found not in self.applications:
            return 404, {}
        if method == "PUT":
            self.applications[found] = json.loads(raw) | {"id": found}
        return 200, self.applications[found]


@pytest.fixture
def account(number: EntryPoint, settings: Settings, tmp_path: Path) -> Iterator[Account]:
    """The account, where this process's gateway sends its requests."""
    made = Account()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            code, answer = made.answer(self.command, self.path, raw, self.headers.get("Authorization", ""))
            body = json.dumps(answer).encode()
            self.send_response(code)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_GET(self) -> None:
            self.do_POST()

        def do_PUT(self) -> None:
            self.do_POST()

        def log_message(self, *arguments: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    settings.PORT, settings.DATA_DIR, settings.PUBLIC_URL = server.server_port, tmp_path, "https://service.example.com"
    settings.VONAGE_API_KEY, settings.VONAGE_API_SECRET, settings.VONAGE_REGION = "simulator", SECRET, "eu-west"
    yield made
    server.shutdown()
    server.server_close()


def run(*arguments: str) -> str:
    out = StringIO()
    call_command("vonage_setup", *arguments, stdout=out)
    return out.getvalue()


def test_the_plan_is_printed_and_nothing_is_changed(account: Account) -> None:
    told = run()
    assert "“CX Hub service.example.com”: is created" in told
    assert "voice.webhooks.answer_url.address: nothing → https://service.example.com/voice/answer/" in told
    assert "Number +441632960100 is linked." in told
    assert "Nothing was changed." in told
    assert account.changes == []


def test_it_is_done_once(account: Account, tmp_path: Path) -> None:
    """Created with our webhooks, all by POST and signed; the number linked; a second time there is nothing to do."""
    told = run("--apply")
    (made,) = account.applications.values()
    voice = made["capabilities"]["voice"]
    assert voice["webhooks"]["answer_url"] == {
        "address": "https://service.example.com/voice/answer/", "http_method": "POST", "connection_timeout": 1000, "socket_timeout": 5000,
    }  # fmt: skip
    assert {each["http_method"] for each in voice["webhooks"].values()} == {"POST"}
    assert voice["webhooks"]["fallback_answer_url"]["address"].endswith("/voice/fallback/")
    assert (voice["signed_callbacks"], voice["region"]) == (True, "eu-west")
    assert made["capabilities"]["messages"]["webhooks"]["status_url"]["address"] == "https://service.example.com/voice/text/status/"
    assert account.numbers[0]["app_id"] == made["id"]
    assert f"VONAGE_APPLICATION_ID={made['id']}" in told
    assert made["keys"]["public_key"].startswith("-----BEGIN PUBLIC KEY-----")
    key = tmp_path / "vonage_application.pem"
    assert (key.stat().st_mode & 0o777, key.read_text().startswith("-----BEGIN PRIVATE KEY-----")) == (0o600, True)
    done = list(account.changes)
    assert "Nothing to change." in run("--apply")
    assert account.changes == done


def test_no_credential_is_printed(account: Account) -> None:
    told = run("--apply")
    assert SECRET not in told
    assert "PRIVATE KEY-----" not in told
    assert "PUBLIC KEY-----" not in told


def test_only_what_differs_is_changed_and_what_is_not_ours_stays(account: Account) -> None:
    run("--apply")
    (made,) = account.applications.values()
    made["capabilities"]["rtc"] = {"webhooks": {"event_url": {"address": "https://elsewhere.example.com", "http_method": "POST"}}}
    made["capabilities"]["voice"]["webhooks"]["event_url"]["address"] = "https://old.example.com/event"
    told = run("--apply")
    assert "voice.webhooks.event_url.address: https://old.example.com/event → https://service.example.com/voice/event/" in told
    (now,) = account.applications.values()
    assert now["capabilities"]["rtc"]["webhooks"]["event_url"]["address"] == "https://elsewhere.example.com"
    assert now["keys"]["public_key"] == made["keys"]["public_key"]
    assert "Nothing to change." in run()


def test_what_only_a_person_can_do_is_said(account: Account, number: EntryPoint) -> None:
    """A number that is not the account's, one that is forwarded, one that cannot do what its entry point says."""
    EntryPoint.objects.filter(pk=number.pk).update(takes_texts=True)
    other = EntryPoint.objects.create(
        name="Sales", channel="voice", address="+441632960999", company_name="Harbor", playbook_code="harbor"
    )
    account.numbers[0] |= {"features": ["VOICE"], "voiceCallbackType": "tel", "app_id": "another"}
    try:
        told = run()
        assert "+441632960999 (Sales) is not a number of this account." in told
        assert "+441632960100 takes no text messages, but its entry point says that it does." in told
        assert "Calls to +441632960100 are forwarded by the platform" in told
        assert "Number +441632960100 is linked, instead of to another." in told
    finally:
        other.delete()
        EntryPoint.objects.filter(pk=number.pk).update(takes_texts=False)


def test_a_wrong_secret_is_told_without_it(account: Account, settings: Settings) -> None:
    settings.VONAGE_API_SECRET = "wrong-one"
    with pytest.raises(CommandError) as caught:
        run()
    assert "Check VONAGE_API_KEY and VONAGE_API_SECRET." in str(caught.value)
    assert "wrong-one" not in str(caught.value)


@pytest.mark.parametrize("setting", ["VONAGE_API_KEY", "VONAGE_API_SECRET"])
def test_without_the_account_there_is_a_sentence(account: Account, settings: Settings, setting: str) -> None:
    setattr(settings, setting, "")
    with pytest.raises(CommandError, match="is not set"):
        run()


def test_a_busy_platform_is_asked_again(account: Account) -> None:
    account.refusals = [429]
    assert "Nothing was changed." in run()


@pytest.mark.parametrize("code", [500, 503])
def test_a_platform_that_fails_changes_nothing(account: Account, code: int) -> None:
    account.refusals = [code]
    with pytest.raises(CommandError, match=str(code)):
        run("--apply")
    assert account.changes == []


def test_a_platform_that_cannot_be_reached_is_told(account: Account, settings: Settings) -> None:
    settings.PORT = 1
    with pytest.raises(CommandError, match="could not be reached"):
        run()
