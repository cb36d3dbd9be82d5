"""The simulator on its own: an application of the test's that takes its webhooks, phones on it, and its REST side with a token.

Nothing of the product answers here, so every answer to a webhook is what the test says.
"""

import asyncio
import functools
import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from http.server import BaseHTTPRequestHandler
from typing import Any
from uuid import uuid4

import jwt
from asgiref.sync import sync_to_async
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from django.conf import settings
from django.http import HttpResponse
from django.test import AsyncClient

from conversations.voice.simulator import driving, exchange, legs
from tests.support.http_server import listening

PATIENCE_SECONDS = 20.0
Answer = Any
"""What a webhook is answered with: a status as a number, or anything that JSON can hold."""


class Application:
    """Takes webhooks on a port of its own and answers each path with what the test put under its name."""

    def __init__(self) -> None:
        self.taken: list[tuple[str, dict[str, Any], dict[str, str]]] = []
        self.answers: dict[str, list[Answer]] = {}
        self.url = ""

    def will(self, name: str, *answers: Answer) -> None:
        """The next answers to the webhook whose path ends with `name`; the last one stays."""
        self.answers[name] = list(answers)

    def bodies(self, name: str) -> list[dict[str, Any]]:
        return [body for path, body, _headers in self.taken if path.strip("/").endswith(name)]

    def events(self, leg: str = "") -> list[str]:
        """The statuses of all events, or of a leg's, in the order in which they came."""
        found = [body for body in self.bodies("event") if not leg or leg in (body.get("uuid"), body.get("call_uuid"))]
        return [body.get("status") or ("error" if "reason" in body else "transfer") for body in found]

    def answer(self, path: str) -> Answer:
        for name, answers in self.answers.items():
            if path.strip("/").endswith(name):
                return answers.pop(0) if len(answers) > 1 else answers[0]
        return None


class Holder:
    """A telephone at the exchange, in whichever room."""

    def __init__(self, leg: str) -> None:
        self.leg = leg

    async def do(self, what: str, **more: Any) -> None:
        response = await AsyncClient().post(
            f"/simulator/phone/calls/{self.leg}/act/", json.dumps({"do": what, **more}), content_type="application/json"
        )
        assert response.status_code == 204, response.content

    async def look(self) -> dict[str, Any]:
        state: dict[str, Any] = (await AsyncClient().get(f"/simulator/phone/calls/{self.leg}/")).json()
        return state

    async def until(self, condition: Callable[[dict[str, Any]], Any]) -> dict[str, Any]:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not condition(state := await self.look()):
            assert time.monotonic() < deadline, state
            await asyncio.sleep(0.02)
        return state

    async def until_doing(self, doing: str) -> dict[str, Any]:
        return await self.until(lambda state: state["doing"] == doing)

    async def until_heard(self, words: str) -> dict[str, Any]:
        """The line that holds these words, once it is there."""
        state = await self.until(lambda state: any(words in line["text"] for line in state["lines"]))
        return next(line for line in state["lines"] if words in line["text"])

    async def until_over(self) -> dict[str, Any]:
        return await self.until(lambda state: state["ended"])

    async def heard(self) -> list[str]:
        return [line["text"] for line in (await self.look())["lines"] if line["who"] in ("company", "other")]


async def dial(application: Application, ncco: Answer = None, *, caller: str = "447700900123", **options: Any) -> Holder:
    """A call to the company, which answers it with `ncco`."""
    if ncco is not None:
        application.will("answer", ncco)
    async with exchange.opened() as memory:
        leg = await legs.dial_in(memory, caller=caller, dialled="441632960100", options={"speed": 20, "patience": 100} | options)
    driving.in_background(leg["uuid"])
    return Holder(leg["uuid"])


def token(**changes: Any) -> str:
    now = int(time.time())
    claims = {"application_id": settings.VONAGE_APPLICATION_ID, "iat": now, "exp": now + 900, "jti": str(uuid4())} | changes
    told = {name: value for name, value in claims.items() if value is not None}
    return jwt.encode(told, _signing_key(settings.VONAGE_PRIVATE_KEY), algorithm="RS256")


@functools.cache
def _signing_key(pem: str) -> RSAPrivateKey:
    """Read once: that takes longer than to sign with it."""
    key = load_pem_private_key(pem.encode(), password=None)
    assert isinstance(key, RSAPrivateKey)
    return key


async def rest(method: str, path: str, body: Any = None, *, bearer: str | None = None, **headers: str) -> Any:
    """One REST request to the platform, as the response."""
    authorization = f"Bearer {token()}" if bearer is None else bearer
    send = getattr(AsyncClient(), method.lower())
    arguments = {} if body is None else {"data": json.dumps(body), "content_type": "application/json"}
    response: HttpResponse = await send(f"/simulator{path}", headers={"Authorization": authorization, **headers}, **arguments)
    return response


async def ring(ncco: list[dict[str, Any]], to: dict[str, Any] | str = "441632960111", **more: Any) -> Holder:
    """A phone that the company rings by REST."""
    endpoint = {"type": "phone", "number": to} if isinstance(to, str) else to
    body = {"to": [endpoint], "from": {"type": "phone", "number": "441632960100"}, "ncco": ncco} | more
    response = await rest("POST", "/v1/calls", {name: value for name, value in body.items() if value is not None})
    assert response.status_code == 201, response.content
    holder = Holder(response.json()["uuid"])
    await holder.until(lambda state: state["status"] == "ringing")
    return holder


async def eventually(condition: Callable[[], Any]) -> Any:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not (found := await sync_to_async(condition)()):
        assert time.monotonic() < deadline, "what was waited for did not happen"
        await asyncio.sleep(0.02)
    return found


@asynccontextmanager
async def serving() -> AsyncIterator[tuple[Application, int]]:
    """An application and its port."""
    application = Application()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            application.taken.append((self.path, json.loads(raw or b"{}"), dict(self.headers)))
            answer = application.answer(self.path)
            status = answer if isinstance(answer, int) else 200
            body = (
                b"" if answer is None or isinstance(answer, int) else answer if isinstance(answer, bytes) else json.dumps(answer).encode()
            )
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *arguments: Any) -> None:
            """Say nothing."""

    with listening(Handler) as port:
        application.url = f"http://127.0.0.1:{port}"
        try:
            yield application, port
        finally:
            await driving.come_to_rest()
