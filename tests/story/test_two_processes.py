"""Two web processes and two workers on one database: what is said in one is seen in the other, and nothing dies with one."""

from __future__ import annotations

import asyncio
import json
import secrets
import time
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from django.conf import settings
from django.contrib.auth import get_user_model
from django.test import Client
from websockets.asyncio.client import ClientConnection, connect

from conversations.models import Conversation, Entry
from routing.models import AgentProfile, Reservation
from routing.services import presence
from tests.support.locks import locked, waits_for_lock
from tests.support.locks import until as until_true
from tests.support.processes import WebProcess, WorkerProcess

pytestmark = pytest.mark.two_processes
PATIENCE_SECONDS = 60.0
Frame = dict[str, Any]


def test_a_message_crosses_processes_and_a_killed_turn_is_finished(
    web_processes: Callable[..., list[WebProcess]], worker_processes: Callable[..., list[WorkerProcess]]
) -> None:
    """The customer is on one process, the agent on the other; then the customer's process is killed in a turn."""
    first, second = web_processes(2, TURN_LEASE_SECONDS="5")
    worker_processes(2, beat=True, TURN_LEASE_SECONDS="5")
    cookie = signed_in("ann")
    asyncio.run(_a_message_is_seen_in_the_other_process(first, second, cookie))
    asyncio.run(_a_killed_turn_is_finished(first, second))


async def _a_message_is_seen_in_the_other_process(first: WebProcess, second: WebProcess, cookie: str) -> None:
    async with chat_socket(first) as customer, inbox_socket(second, cookie) as agent:
        await hello(customer)
        await say(customer, "What pressure should my boiler have?", "one")
        await until(customer, lambda frame: _answered(frame, "bar"))
        conversation = await newest_conversation()
        await agent.send(json.dumps({"type": "open", "conversation": conversation.public_id.hex, "after": 0}))
        await until(agent, lambda frame: frame["type"] == "entries")
        await say(customer, "Thank you, and what does a boiler service cost?", "two")
        seen = await until(agent, lambda frame: _shows(frame, "boiler service cost"))
        assert seen["conversation"] == conversation.public_id.hex
        await until(customer, lambda frame: _answered(frame, "£"))


async def _a_killed_turn_is_finished(first: WebProcess, second: WebProcess) -> None:
    """The process dies while its turn waits to store a decision: surely in the middle, and surely after the acknowledgement."""
    async with chat_socket(first) as customer:
        welcome = await hello(customer)
        with locked("routing_decision"):
            await say(customer, "How do I bleed a radiator?", "before")
            await asyncio.to_thread(until_true, lambda: waits_for_lock("routing_decision"))
            first.kill()
        conversation = await newest_conversation()
        assert conversation.turn_done_seq < conversation.turn_wanted_seq, "the turn was over before the process died"
    async with chat_socket(second) as customer:
        known = {"token": welcome["token"], "session": welcome["session"]}
        await customer.send(json.dumps({"type": "hello", "after": 0, **known}))
        await until(customer, lambda frame: _answered(frame, "adiator"))
        await say(customer, "How do I bleed a radiator?", "before")
    stored = [entry async for entry in Entry.objects.filter(data__client_id="before")]
    assert [entry.body for entry in stored] == ["How do I bleed a radiator?"]
    answers = Entry.objects.filter(conversation=stored[0].conversation_id, kind="message", actor_kind="assistant")
    assert await answers.acount() == 1


def test_two_people_take_one_conversation_at_once_in_two_processes(
    web_processes: Callable[..., list[WebProcess]], worker_processes: Callable[..., list[WorkerProcess]]
) -> None:
    """One accepts the offer while the other takes the conversation over: one owner, and the load is counted once."""
    first, second = web_processes(2)
    worker_processes(2, beat=True)
    for name in ("ann", "ben"):
        presence.set_state(agent_called(name), "available")
    asyncio.run(_smell_gas(first))
    offer = wait_for_offer()
    other = "ben" if offer.agent == agent_called("ann") else "ann"
    conversation = Conversation.objects.get(public_id=offer.work_item.subject)
    statuses = asyncio.run(
        _post_at_once(
            (first, signed_in(offer.agent.user.username), f"/inbox/offers/{offer.pk}/accept/"),
            (second, signed_in(other), f"/inbox/c/{conversation.public_id}/take-over/"),
        )
    )
    conversation.refresh_from_db()
    assert sorted(status == 409 for status in statuses) == [False, True]
    assert conversation.owner_kind == "human"
    live = Reservation.objects.get(work_item__subject=conversation.public_id.hex, state__in=Reservation.LIVE_STATES)
    assert (live.agent, live.state) == (conversation.owner_agent, "accepted")
    loads = dict(AgentProfile.objects.filter(load__gt=0).values_list("pk", "load"))
    assert loads == {live.agent_id: live.weight}


async def _smell_gas(web: WebProcess) -> None:
    async with chat_socket(web) as customer:
        await hello(customer)
        await say(customer, "I smell gas in the kitchen", "gas")


async def _post_at_once(*requests: tuple[WebProcess, str, str]) -> list[int]:
    async def post(web: WebProcess, cookie: str, path: str) -> int:
        token = secrets.token_hex(16)
        headers = {"Cookie": f"{cookie}; csrftoken={token}", "X-CSRFToken": token}
        async with httpx.AsyncClient(base_url=web.url, headers=headers, timeout=PATIENCE_SECONDS) as client:
            return (await client.post(path)).status_code

    return list(await asyncio.gather(*(post(*each) for each in requests)))


def wait_for_offer() -> Reservation:
    """The offer of the waiting conversation, once dispatch has made it."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        offer = Reservation.objects.filter(state="pending").select_related("agent__user", "work_item").first()
        if offer:
            return offer
        assert time.monotonic() < deadline, "No offer was made."
        time.sleep(0.05)


def agent_called(name: str) -> AgentProfile:
    return AgentProfile.objects.get(user__username=name)


def signed_in(name: str) -> str:
    """The cookie of somebody of the demo company."""
    client = Client()
    client.force_login(get_user_model().objects.get(username=name))
    return f"{settings.SESSION_COOKIE_NAME}={client.cookies[settings.SESSION_COOKIE_NAME].value}"


def chat_socket(web: WebProcess) -> connect:
    return connect(f"{web.websocket_url}/ws/chat/?entry_point=/harborhome")


def inbox_socket(web: WebProcess, cookie: str) -> connect:
    return connect(f"{web.websocket_url}/ws/inbox/", additional_headers={"Cookie": cookie}, origin=web.url)


async def hello(socket: ClientConnection, **known: Any) -> Frame:
    """Says hello, with what is known of an earlier socket, and returns the welcome."""
    await socket.send(json.dumps({"type": "hello", "token": None, "session": None, "after": 0, **known}))
    return await until(socket, lambda frame: frame["type"] == "welcome")


async def say(socket: ClientConnection, text: str, client_id: str) -> None:
    """Writes a message and waits until it is acknowledged."""
    await socket.send(json.dumps({"type": "message", "client_id": client_id, "text": text}))
    await until(socket, lambda frame: frame["type"] == "ack" and frame["client_id"] == client_id)


async def until(socket: ClientConnection, wanted: Callable[[Frame], bool]) -> Frame:
    """The next frame that fits."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            frame: Frame = json.loads(await socket.recv())
            if wanted(frame):
                return frame


async def newest_conversation() -> Conversation:
    return await Conversation.objects.alatest("pk")


def _shows(frame: Frame, words: str) -> bool:
    return frame["type"] == "entries" and any(words in entry["body"] for entry in frame["entries"])


def _answered(frame: Frame, words: str) -> bool:
    return frame["type"] == "entries" and any(words in entry["body"] for entry in frame["entries"] if entry["actor_kind"] == "assistant")
