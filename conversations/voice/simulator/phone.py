"""The phone one can hold in a browser: dial, speak, press keys, hear; and a person's phone beside it."""

import asyncio
import json
import re
import time
from collections.abc import AsyncIterator, Set
from typing import Any, Final

from asgiref.sync import sync_to_async
from django.db import close_old_connections
from django.http import HttpRequest, HttpResponse, JsonResponse, StreamingHttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt, ensure_csrf_cookie
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from conversations.models import EntryPoint
from conversations.services.identity import InvalidIdentifier, normalise
from conversations.voice.simulator import desk, driving, exchange, faults, legs, ringing
from conversations.voice.simulator.exchange import Exchange

MAX_BODY_BYTES: Final = 10_000
MAX_WORDS: Final = 2_000
KEYS: Final = frozenset("0123456789*#")
TICK_SECONDS: Final = 0.15
STREAM_SECONDS: Final = 600
USUAL_CALLER: Final = "+447700900123"
CODE: Final = re.compile(r"[0-9]{6}")
WITHHELD: Final = "anonymous"


@require_GET
@ensure_csrf_cookie
def page(request: HttpRequest) -> HttpResponse:
    """The page of the phone. `?to=`, `?from=`, `?code=` fill it in; `?call=1` dials at once."""
    entry_points = list(EntryPoint.objects.filter(channel="voice"))
    first = entry_points[0].address if entry_points else ""
    code = request.GET.get("code", "")
    return render(
        request,
        "simulator/phone.html",
        {
            "entry_points": entry_points,
            "to": _with_plus(request.GET.get("to", "")) or first,
            "caller": _with_plus(request.GET.get("from", "")) or USUAL_CALLER,
            "code": code if CODE.fullmatch(code) else "",
            "dial_now": request.GET.get("call") == "1",
            "keys": "123456789*0#",
            "texts": desk.texts(),
            "faults": list(faults.NAMED),
        },
    )


@require_POST
async def dial(request: HttpRequest) -> HttpResponse:
    """Somebody dials the company. Answers with the leg's id, or says which number cannot be used."""
    body = body_of(request)
    if body is None:
        return refused(_("The request could not be read. Reload the page and try again."))
    country = await region()
    withheld = not str(body.get("from") or "").strip()
    try:
        caller = WITHHELD if withheld else normalise("phone", str(body["from"]), country).removeprefix("+")
        dialled = normalise("phone", str(body.get("to", "")), country).removeprefix("+")
    except InvalidIdentifier as error:
        return refused(str(error))
    asked = body.get("options")
    try:
        options = faults.read(asked if isinstance(asked, dict) else {})
    except faults.UnknownFault as error:
        return refused(_("The simulator knows no such fault: %(name)s.") % {"name": error})
    async with exchange.opened() as memory:
        leg = await legs.dial_in(memory, caller=caller, dialled=dialled, options={"patience": legs.TYPING_PATIENCE} | options)
    driving.in_background(leg["uuid"])
    return JsonResponse({"leg": leg["uuid"]}, status=201)


@require_POST
async def act(request: HttpRequest, leg_id: str) -> HttpResponse:
    """The holder of a phone does something: say, key, speaking, hang_up, answer, machine, decline or another end of the ringing."""
    body = body_of(request)
    happening = _happening(body) if body else None
    if happening is None:
        return refused(_("This phone cannot do that."))
    if not await driving.tell(leg_id, happening):
        return refused(_("The call is over."), status=404)
    return HttpResponse(status=204)


@require_GET
async def look(request: HttpRequest, leg_id: str) -> HttpResponse:
    """One leg as it is now, after moving it on, with everything said on it."""
    await driving.move_on(leg_id)
    async with exchange.opened() as memory:
        leg = await memory.leg(leg_id)
        if leg is None:
            return refused(_("There is no such call."), status=404)
        return JsonResponse(await driving.shown(memory, leg, 0))


@require_GET
async def ringing_phones(request: HttpRequest) -> HttpResponse:
    """People's phones that ring or are on a call."""
    async with exchange.opened() as memory:
        found = [await memory.leg(leg_id) for leg_id in await memory.live()]
        outbound = [leg for leg in found if leg and leg["direction"] == "outbound"]
        return JsonResponse({"legs": [await driving.shown(memory, leg, 0) for leg in outbound]})


@csrf_exempt
@require_http_methods(["GET", "PUT", "DELETE"])
async def chosen_faults(request: HttpRequest) -> HttpResponse:
    """What goes wrong with every new call (`options`) and with the next REST requests (`requests`); `DELETE` takes it back."""
    body = body_of(request) if request.method == "PUT" else {}
    if body is None or not isinstance(body.get("options", {}), dict):
        return refused(_("The request could not be read. Reload the page and try again."))
    try:
        options, requests = faults.read(body.get("options", {})), faults.read_requests(body.get("requests", []))
    except faults.UnknownFault as error:
        return refused(_("The simulator knows no such fault: %(name)s.") % {"name": error})
    async with exchange.opened() as memory:
        if request.method != "GET":
            await memory.choose(options, requests)
        return JsonResponse({"options": await memory.chosen_options(), "requests": await memory.request_faults()})


@require_GET
async def texts(request: HttpRequest) -> HttpResponse:
    """The text messages that the phone with `?number=` got, oldest first."""
    async with exchange.opened() as memory:
        return JsonResponse({"texts": await memory.texts(await _own_number(request))})


@require_GET
async def stream(request: HttpRequest) -> StreamingHttpResponse:
    """Server-sent events: this phone's leg (`?leg=`), every phone that we ring, and text messages to `?number=`.

    With `?only=1` no other phone than that of `number`, which may be a SIP address.
    """
    changes = _changes(request.GET.get("leg", ""), await _own_number(request), alone=request.GET.get("only") == "1")
    # The request lasts as long as the page is open, and nothing on it asks the database again: its connection goes to others.
    await sync_to_async(close_old_connections)()
    response = StreamingHttpResponse(changes, content_type="text/event-stream")
    response["Cache-Control"] = "no-cache"
    response["X-Accel-Buffering"] = "no"
    return response


async def _changes(own: str, number: str, *, alone: bool) -> AsyncIterator[str]:
    """Moves the legs on while somebody watches, and yields what is new. A browser that reconnects starts anew."""
    sent: dict[str, int] = {}
    over: set[str] = set()
    last: dict[str, str] = {}
    texts_sent = 0
    ends_at = time.monotonic() + STREAM_SECONDS
    yield "retry: 1000\n\n"
    async with exchange.opened() as memory:
        while time.monotonic() < ends_at:
            for leg_id in await _watched(memory, own, last.keys() - over, number if alone else None):
                await driving.move_on(leg_id)
                leg = await memory.leg(leg_id)
                if leg is None:
                    continue
                update = await driving.shown(memory, leg, sent.get(leg_id, 0))
                update["rings_here"] = leg["direction"] == "outbound" and leg["to"] == number
                sent[leg_id] = update["first"] + len(update["lines"])
                state = json.dumps([update["status"], update["doing"], update["ended"], update["together"]])
                if update["ended"]:
                    over.add(leg_id)
                if update["lines"] or last.get(leg_id) != state:
                    last[leg_id] = state
                    yield f"data: {json.dumps(update)}\n\n"
            texts = await memory.texts(number, texts_sent)
            if texts:
                yield f"data: {json.dumps({'first': texts_sent, 'texts': texts})}\n\n"
                texts_sent += len(texts)
            await asyncio.sleep(TICK_SECONDS)


async def _watched(memory: Exchange, own: str, going_on: Set[str], only: str | None) -> list[str]:
    found = [own] if own else []
    for leg_id in await memory.live():
        leg = await memory.leg(leg_id)
        if leg and leg["direction"] == "outbound" and leg_id not in found and only in (None, leg["to"]):
            found.append(leg_id)
    # A leg that has just ended is looked at once more, so that its end is seen.
    return found + sorted(going_on - set(found))


async def _own_number(request: HttpRequest) -> str:
    """The number of this phone in digits, as the platform writes it, or its SIP address; empty when there is none."""
    if request.GET.get("number", "").startswith(("sip:", "sips:")):
        return request.GET["number"]
    country = await region()
    try:
        return normalise("phone", _with_plus(request.GET.get("number", "")), country).removeprefix("+")
    except InvalidIdentifier:
        return ""


def _happening(body: dict[str, Any]) -> dict[str, Any] | None:
    wanted = body.get("do")
    if not isinstance(wanted, str):
        return None
    if wanted == "say" and isinstance(body.get("text"), str) and body["text"].strip():
        confidence = body.get("confidence")
        heard = {"confidence": confidence} if isinstance(confidence, float) else {}
        return {"do": "say", "text": body["text"].strip()[:MAX_WORDS], **heard}
    if wanted == "key" and isinstance(body.get("digit"), str) and body["digit"] in KEYS:
        return {"do": "key", "digit": body["digit"]}
    if wanted in ringing.ENDS:
        detail = body.get("detail", "")
        return {"do": "not_answered", "status": wanted, "detail": detail} if detail in {"", *ringing.ENDS[wanted]} else None
    if wanted == "decline":
        return {"do": "not_answered", "status": "rejected", "detail": "declined"}
    return {"do": wanted} if wanted in ("speaking", "hang_up", "answer", "machine") else None


def _with_plus(written: str) -> str:
    """A number from an address, where a plus is written as a space or left out."""
    digits = written.strip().lstrip("+")
    return f"+{digits}" if digits.isdigit() and not digits.startswith("0") else digits[:30]


async def region() -> str:
    """The country that numbers written without one belong to."""
    return await sync_to_async(_region)()


def _region() -> str:
    return EntryPoint.objects.filter(channel="voice").values_list("default_region", flat=True).first() or "GB"


def body_of(request: HttpRequest) -> dict[str, Any] | None:
    if int(request.headers.get("Content-Length") or 0) > MAX_BODY_BYTES:
        return None
    try:
        body = json.loads(request.body)
    except (ValueError, RecursionError):
        return None
    return body if isinstance(body, dict) else None


def refused(reason: str, status: int = 400) -> JsonResponse:
    return JsonResponse({"reason": reason}, status=status)
