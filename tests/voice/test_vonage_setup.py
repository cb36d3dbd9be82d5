"""`manage.py vonage_setup` against the simulated platform: the plan, doing it, and doing it again."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.core.management import CommandError, call_command
from django.test import Client
from pytest_django import Settings

from conversations.models import EntryPoint
from conversations.voice.simulator import exchange

SECRET = "account-secret-xyz"
NUMBER = "441632960100"


class Account:
    """The account at the simulator: what it holds, and what befalls the next requests to it."""

    @property
    def application(self) -> dict[str, Any]:
        (found,) = self.applications()
        return found

    @async_to_sync
    async def applications(self) -> list[dict[str, Any]]:
        async with exchange.opened() as memory:
            return list((await memory.applications()).values())

    @async_to_sync
    async def keep(self, application: dict[str, Any]) -> None:
        async with exchange.opened() as memory:
            await memory.keep_application(application)

    @async_to_sync
    async def numbers(self) -> dict[str, Any]:
        async with exchange.opened() as memory:
            return await memory.numbers()

    @async_to_sync
    async def know(self, digits: str, **about: Any) -> None:
        async with exchange.opened() as memory:
            await memory.keep_number(digits, about)

    @async_to_sync
    async def befall(self, *faults: str) -> None:
        async with exchange.opened() as memory:
            await memory.choose({}, list(faults))

    @async_to_sync
    async def forget(self) -> None:
        async with exchange.opened() as memory:
            await memory.forget_account()
            await memory.choose({}, [])

    def holds_nothing(self) -> bool:
        return not self.applications() and not self.numbers()


@pytest.fixture
def account(number: EntryPoint, live_server: Any, settings: Settings, tmp_path: Path) -> Iterator[Account]:
    """The account, where this process's gateway sends its requests."""
    settings.PORT, settings.BIND_ADDRESS = live_server.thread.port, live_server.thread.host
    settings.DATA_DIR, settings.PUBLIC_URL, settings.ALLOWED_HOSTS = tmp_path, "https://service.example.com", ["*"]
    settings.VONAGE_API_KEY, settings.VONAGE_API_SECRET, settings.VONAGE_REGION = "simulator", SECRET, "eu-west"
    made = Account()
    made.forget()
    yield made
    made.forget()


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
    assert account.holds_nothing()
    lines = [line.strip() for line in told.splitlines()]
    assert not [line for line in lines if line.startswith(":")], "every line of what changes names it"


def test_it_is_done_once(account: Account, tmp_path: Path) -> None:
    """Created with our webhooks, all by POST and signed; the number linked; a second time there is nothing to do."""
    told = run("--apply")
    made = account.application
    voice = made["capabilities"]["voice"]
    assert voice["webhooks"]["answer_url"] == {
        "address": "https://service.example.com/voice/answer/", "http_method": "POST", "connection_timeout": 1000, "socket_timeout": 5000,
    }  # fmt: skip
    assert {each["http_method"] for each in voice["webhooks"].values()} == {"POST"}
    assert voice["webhooks"]["fallback_answer_url"]["address"].endswith("/voice/fallback/")
    assert (voice["signed_callbacks"], voice["region"]) == (True, "eu-west")
    assert made["capabilities"]["messages"]["webhooks"]["status_url"]["address"] == "https://service.example.com/voice/text/status/"
    assert account.numbers() == {NUMBER: {"app_id": made["id"]}}
    assert f"VONAGE_APPLICATION_ID={made['id']}" in told
    assert made["keys"]["public_key"].startswith("-----BEGIN PUBLIC KEY-----")
    key = tmp_path / "vonage_application.pem"
    assert (key.stat().st_mode & 0o777, key.read_text().startswith("-----BEGIN PRIVATE KEY-----")) == (0o600, True)
    assert "Nothing to change." in run("--apply")
    assert account.application == made


def test_no_credential_is_printed(account: Account) -> None:
    told = run("--apply")
    assert SECRET not in told
    assert "PRIVATE KEY-----" not in told
    assert "PUBLIC KEY-----" not in told


def test_only_what_differs_is_changed_and_what_is_not_ours_stays(account: Account) -> None:
    run("--apply")
    made = account.application
    made["capabilities"]["rtc"] = {"webhooks": {"event_url": {"address": "https://elsewhere.example.com", "http_method": "POST"}}}
    made["capabilities"]["voice"]["webhooks"]["event_url"]["address"] = "https://old.example.com/event"
    account.keep(made)
    told = run("--apply")
    assert "voice.webhooks.event_url.address: https://old.example.com/event → https://service.example.com/voice/event/" in told
    now = account.application
    assert now["capabilities"]["rtc"]["webhooks"]["event_url"]["address"] == "https://elsewhere.example.com"
    assert now["keys"]["public_key"] == made["keys"]["public_key"]
    assert "Nothing to change." in run()


def test_what_only_a_person_can_do_is_said(account: Account, number: EntryPoint) -> None:
    """A number that is not the account's, one that is forwarded, one that cannot do what its entry point says."""
    EntryPoint.objects.filter(pk=number.pk).update(takes_texts=True)
    other = EntryPoint.objects.create(
        name="Sales", channel="voice", address="+441632960999", company_name="Harbor", playbook_code="harbor"
    )
    account.know("441632960999", is_elsewhere=True)
    account.know(NUMBER, features=["VOICE"], voiceCallbackType="tel", app_id="another")
    try:
        told = run()
        assert "+441632960999 (Sales) is not a number of this account." in told
        assert "+441632960100 takes no text messages, but its entry point says that it does." in told
        assert "Calls to +441632960100 are forwarded by the platform" in told
        assert "Number +441632960100 is linked, instead of to another." in told
    finally:
        other.delete()
        EntryPoint.objects.filter(pk=number.pk).update(takes_texts=False)


def test_a_refused_secret_is_told_without_it(account: Account) -> None:
    account.befall("401")
    with pytest.raises(CommandError) as caught:
        run()
    assert "Check VONAGE_API_KEY and VONAGE_API_SECRET." in str(caught.value)
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize("told", ["", "Basic", "Basic !", "Bearer x", "Basic c2ltdWxhdG9yOndyb25n"])
@pytest.mark.parametrize(
    ("method", "path"), [("get", "v2/applications"), ("get", "v2/applications/x"), ("get", "account/numbers"), ("post", "number/update")]
)
def test_only_the_account_s_secret_opens_it(account: Account, method: str, path: str, told: str) -> None:
    answer = getattr(Client(), method)(f"/simulator/{path}", headers={"Authorization": told, "Host": "service.example.com"}, secure=True)
    assert answer.status_code == 401


@pytest.mark.parametrize(
    ("wrong", "name"),
    [
        ({"name": ""}, "name"),
        ({"capabilities": {"voice": {"region": "mars"}}}, "voice.region"),
        ({"capabilities": {"voice": {"webhooks": {"event_url": {"address": "x"}}}}}, "voice.webhooks.event_url"),
        (
            {"capabilities": {"voice": {"webhooks": {"answer_url": {"address": "https://a.example", "socket_timeout": 9_000}}}}},
            "voice.webhooks.answer_url.socket_timeout",
        ),
    ],
)
def test_an_application_that_the_platform_refuses_is_refused_here(account: Account, wrong: dict[str, Any], name: str) -> None:
    opens = {"Authorization": f"Basic {b64encode(f'simulator:{SECRET}'.encode()).decode()}", "Host": "service.example.com"}
    sent = json.dumps({"name": "CX Hub"} | wrong)
    answer = Client().post("/simulator/v2/applications", sent, content_type="application/json", headers=opens, secure=True)
    assert (answer.status_code, answer.json()["invalid_parameters"][0]["name"]) == (400, name)
    assert account.holds_nothing()


@pytest.mark.parametrize("setting", ["VONAGE_API_KEY", "VONAGE_API_SECRET"])
def test_without_the_account_there_is_a_sentence(account: Account, settings: Settings, setting: str) -> None:
    setattr(settings, setting, "")
    with pytest.raises(CommandError, match="is not set"):
        run()


def test_a_busy_platform_is_asked_again(account: Account) -> None:
    account.befall("429", "429")
    assert "Nothing was changed." in run()


@pytest.mark.parametrize("code", [500, 503])
def test_a_platform_that_fails_changes_nothing(account: Account, code: int) -> None:
    account.befall(str(code))
    with pytest.raises(CommandError, match=str(code)):
        run("--apply")
    assert account.holds_nothing()


def test_a_platform_that_cannot_be_reached_is_told(account: Account, settings: Settings) -> None:
    settings.PORT = 1
    with pytest.raises(CommandError, match="could not be reached"):
        run()
