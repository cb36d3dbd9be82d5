"""What holds for every page: headers, sign-in, health."""

import asyncio

import pytest
from channels.layers import get_channel_layer
from channels.testing import WebsocketCommunicator
from django.contrib.auth import get_user_model
from django.test import Client
from pytest_django import Settings

from cxhub.asgi import application

pytestmark = pytest.mark.django_db


def test_the_content_security_policy_allows_no_inline_code(client: Client) -> None:
    """Scripts and styles come from our own files only, and no page may be framed."""
    policy = client.get("/accounts/login/").headers["Content-Security-Policy"] + ";"
    assert "default-src 'none'" in policy
    assert "script-src 'self';" in policy
    assert "style-src 'self';" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy


def test_guessing_a_password_locks_out(client: Client) -> None:
    """After ten failures even the right password is refused, for this name from this address."""
    get_user_model().objects.create_user("ann", "ann@example.com", "right-password")
    for _ in range(10):
        client.post("/accounts/login/", {"login": "ann", "password": "wrong"})
    answer = client.post("/accounts/login/", {"login": "ann", "password": "right-password"})
    assert answer.status_code == 429
    assert "_auth_user_id" not in client.session


@pytest.mark.parametrize("trusted", [True, False])
def test_a_made_up_address_does_not_help_guessing(client: Client, settings: Settings, trusted: bool) -> None:
    """Attempts are counted by the address that the proxy saw, not by what the client wrote before it."""
    settings.TRUST_PROXY_HEADERS = trusted
    get_user_model().objects.create_user("ann", "ann@example.com", "right-password")
    for number in range(10):
        headers = {"X-Forwarded-For": f"198.51.100.{number}, 203.0.113.9"}
        client.post("/accounts/login/", {"login": "ann", "password": "wrong"}, headers=headers)
    headers = {"X-Forwarded-For": "198.51.100.77, 203.0.113.9"}
    answer = client.post("/accounts/login/", {"login": "ann", "password": "right-password"}, headers=headers)
    assert answer.status_code == 429


@pytest.mark.parametrize("name", ["ann", "ann@example.com", "ANN@example.com"])
def test_staff_sign_in_by_name_or_address(client: Client, name: str) -> None:
    """Either is accepted, with the same password."""
    user = get_user_model().objects.create_user("ann", "ann@example.com", "right-password")
    answer = client.post("/accounts/login/", {"login": name, "password": "right-password"})
    assert answer.status_code == 302
    assert client.session["_auth_user_id"] == str(user.pk)


def test_nobody_signs_up_alone(client: Client) -> None:
    """Accounts are made by managers."""
    passwords = {"password1": "long-enough-1", "password2": "long-enough-1"}
    client.post("/accounts/signup/", {"username": "eve", "email": "eve@example.com", **passwords})
    assert not get_user_model().objects.filter(username="eve").exists()


def test_health(client: Client) -> None:
    """The address for load balancers needs no sign-in."""
    answer = client.get("/healthz")
    assert (answer.status_code, answer.content) == (200, b"ok\n")


async def test_a_socket_to_nowhere_is_closed() -> None:
    """An unknown websocket address is refused without an error."""
    communicator = WebsocketCommunicator(application, "/ws/nowhere/")
    connected, _ = await communicator.connect()
    assert not connected


async def test_a_silent_socket_stays_subscribed() -> None:
    """A receiver that hears nothing for longer than the Redis client's socket time-out (5 s) still gets the next message."""
    layer = get_channel_layer()
    channel = await layer.new_channel()
    await layer.group_add("silent", channel)
    receiving = asyncio.create_task(layer.receive(channel))
    done, _ = await asyncio.wait([receiving], timeout=6)
    assert not done
    await layer.group_send("silent", {"type": "hello"})
    assert (await asyncio.wait_for(receiving, 5))["type"] == "hello"
