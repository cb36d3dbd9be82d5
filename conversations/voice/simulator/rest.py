"""The platform's REST calls about calls and texts. Sources: Vonage, "Voice API reference", and for how often "Troubleshooting"."""

import asyncio
import json
import uuid
from collections.abc import AsyncIterator, Coroutine
from typing import Any, Final

import jwt
from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from conversations.selectors.call_reports import known_time
from conversations.voice import application_key
from conversations.voice.simulator import asking, audio, driving, exchange, faults, legs, recording, server, texting

ERRORS: Final = "https://developer.nexmo.com/api-errors"
LONGEST_TEXT: Final = 3_200
LONGEST_PAGE: Final = 100
LONGEST_TOKEN_SECONDS: Final = 24 * 3_600
LONGER_THAN_ANYBODY_WAITS: Final = 6.0
PAGING: Final = (("page_size", "10"), ("record_index", "0"))


@csrf_exempt
@require_http_methods(["GET", "POST"])
async def calls(request: HttpRequest) -> HttpResponseBase:
    """`POST /v1/calls`: ring a phone. `GET`: the list of calls, live and over."""
    if request.method == "GET":
        return await _turned_away(request) or await _listed(request)
    return await befallen(_dialled(request)) if _is_authorised(request) else _unauthorised()


async def _dialled(request: HttpRequest) -> HttpResponse:
    asked = _read(asking.of_call, body_of(request))
    if isinstance(asked, JsonResponse):
        return asked
    async with exchange.opened() as memory:
        if not await memory.may_dial():
            return problem(429, "Rate Limited", "More than three calls a second.")
        leg = await legs.dial_out(memory, **asked, region=_region(request))
    driving.in_background(leg["uuid"])
    return JsonResponse({"uuid": leg["uuid"], "status": "started", "direction": "outbound", "conversation_uuid": leg["room"]}, status=201)


@csrf_exempt
@require_http_methods(["GET", "PUT"])
async def call(request: HttpRequest, leg_id: str) -> HttpResponseBase:
    """`GET /v1/calls/{uuid}` describes a leg; `PUT` ends, mutes or earmuffs it, or replaces what it is doing."""
    if request.method == "GET":
        return await _turned_away(request) or await _described(request, leg_id)
    answer = await _told(request, leg_id, asking.of_change)
    return answer if answer.status_code >= 400 else HttpResponse(status=204)


@csrf_exempt
@require_http_methods(["PUT", "DELETE"])
async def talk(request: HttpRequest, leg_id: str) -> HttpResponseBase:
    """`PUT /v1/calls/{uuid}/talk`: say something into a leg without changing what it is doing; `DELETE` cuts it short."""
    if request.method == "DELETE":
        return await _told(request, leg_id, lambda body: {"do": "stop_playing", "kind": "talk"}, "Talk stopped")
    return await _told(request, leg_id, asking.of_talk, "Talk started")


@csrf_exempt
@require_http_methods(["PUT", "DELETE"])
async def stream(request: HttpRequest, leg_id: str) -> HttpResponseBase:
    """`PUT /v1/calls/{uuid}/stream`: play audio into a leg without changing what it is doing; `DELETE` cuts it short."""
    if request.method == "DELETE":
        return await _told(request, leg_id, lambda body: {"do": "stop_playing", "kind": "stream"}, "Stream stopped")
    return await _told(request, leg_id, asking.of_stream, "Stream started")


@csrf_exempt
@require_http_methods(["PUT"])
async def keys(request: HttpRequest, leg_id: str) -> HttpResponseBase:
    """`PUT /v1/calls/{uuid}/dtmf`: press keys into a leg."""
    return await _told(request, leg_id, asking.of_keys, "DTMF sent")


@csrf_exempt
@require_http_methods(["PUT", "DELETE"])
async def keys_pressed(request: HttpRequest, leg_id: str) -> HttpResponseBase:
    """`PUT /v1/calls/{uuid}/input/dtmf`: have each key that is pressed on a leg sent to an address; `DELETE` ends that."""
    if request.method == "DELETE":
        return await _told(request, leg_id, lambda body: {"do": "listen_for_keys", "url": ""}, "DTMF listening stopped")
    return await _told(request, leg_id, asking.of_keys_pressed, "DTMF listening started")


@csrf_exempt
@require_POST
async def messages(request: HttpRequest) -> HttpResponse:
    """`POST /v1/messages`: a text message, kept for the phone that has the number. Source: Vonage, "Messages API reference"."""
    if not _is_authorised(request):
        return _unauthorised()
    body = body_of(request)
    sender, to, text = (str(body.get(name, "")) for name in ("from", "to", "text"))
    if (body.get("channel"), body.get("message_type")) != ("sms", "text"):
        return problem(422, "Invalid params", "Only text messages are simulated.")
    if not sender.isdigit() or not to.isdigit() or not 0 < len(text) <= LONGEST_TEXT:
        return problem(422, "Invalid params", "The value of one or more parameters is invalid.")
    message_id = str(uuid.uuid4())
    async with exchange.opened() as memory:
        await memory.keep_text(sender=sender, to=to, text=text, message_id=message_id)
    texting.report(body, message_id)
    return JsonResponse({"message_uuid": message_id}, status=202)


@require_GET
async def file(request: HttpRequest, file_id: str) -> HttpResponse:
    """`GET /v1/files/{id}`: the sound of a recording, or what was said in it. Source: Vonage, "Recording"."""
    if not _is_authorised(request):
        return _unauthorised()
    async with exchange.opened() as memory:
        named = await memory.file(file_id)
        found = await memory.recording(named or file_id)
        lines = await memory.recorded(found["id"]) if found else []
    if found is None or found["ended_at"] is None:
        return problem(404, "Not Found", "The file does not exist.")
    if named:
        return JsonResponse(recording.written_down(found, lines))
    return HttpResponse(recording.sound(found, lines), content_type=audio.TYPES[found["format"]])


@csrf_exempt
@require_http_methods(["DELETE"])
async def media(request: HttpRequest, file_id: str) -> HttpResponse:
    """`DELETE /v3/media/{id}`: the file of a recording, or the text of one, is gone. Source: Vonage, "Media API reference"."""
    if not _is_authorised(request):
        return _unauthorised()
    async with exchange.opened() as memory:
        return HttpResponse(status=204 if await memory.delete_file(file_id) else 404)


async def _told(request: HttpRequest, leg_id: str, read: asking.Reader, message: str = "") -> HttpResponseBase:
    """Has happen to a leg what `read` makes of the request; 404 when the leg is unknown or over."""
    if refusal := await _turned_away(request):
        return refusal
    return await befallen(_changed(request, leg_id, read, message))


async def _changed(request: HttpRequest, leg_id: str, read: asking.Reader, message: str) -> HttpResponse:
    happening = _read(read, body_of(request))
    if isinstance(happening, JsonResponse):
        return happening
    if not await _is_here(request, leg_id) or not await driving.tell(leg_id, happening):
        return problem(404, "Not Found", "Call does not exist, or is over.")
    return JsonResponse({"message": message, "uuid": leg_id})


async def befallen(answer: Coroutine[Any, Any, HttpResponse]) -> HttpResponseBase:
    """The answer to a request, made now, or what befalls it: see `faults.REQUEST_FAULTS`."""
    async with exchange.opened() as memory:
        fault = await memory.next_request_fault()
    if fault in ("401", "429", "500", "503", "lost"):
        answer.close()
        return _cut() if fault == "lost" else problem(int(fault), "Trouble", "The simulator was told to refuse this.")
    response = await answer
    if fault == "slow":
        await asyncio.sleep(LONGER_THAN_ANYBODY_WAITS)
    return _cut() if fault == "cut" else response


async def _turned_away(request: HttpRequest) -> JsonResponse | None:
    """The refusal of a request without our token, or of one too many; None when it may be answered."""
    if not _is_authorised(request):
        return _unauthorised()
    async with exchange.opened() as memory:
        may_ask = await memory.may_ask()
    return None if may_ask else problem(429, "Rate Limited", "More than fifteen requests a second.")


def _cut() -> StreamingHttpResponse:
    """The connection breaks before the answer is complete."""

    async def broken() -> AsyncIterator[bytes]:
        yield b"{"
        raise ConnectionAbortedError("The simulator was told to cut this connection.")

    response = StreamingHttpResponse(broken(), content_type="application/json")
    response["Content-Length"] = "1000"
    return response


def _region(request: HttpRequest) -> str:
    """The host that the request was sent to; the platform's general one stands for the region of usual calls."""
    host = request.headers.get(server.ASKED_HOST, "")
    return host if host not in ("", "api.nexmo.com", "api.vonage.com") else faults.HOME_REGION


async def _is_here(request: HttpRequest, leg_id: str) -> bool:
    """Whether the leg is known at the host that was asked. Source: Vonage, "Voice API reference", regions."""
    async with exchange.opened() as memory:
        leg = await memory.leg(leg_id)
    return leg is not None and leg["options"]["region"] == _region(request)


def _read(read: asking.Reader, body: dict[str, Any]) -> dict[str, Any] | JsonResponse:
    """What `read` makes of a body, or the platform's refusal of it."""
    try:
        return read(body)
    except asking.InvalidParameter as error:
        return problem(
            400, "Bad Request", f"Invalid parameter: {error}.", invalid_parameters=[{"name": str(error), "reason": "Is invalid."}]
        )


async def _described(request: HttpRequest, leg_id: str) -> HttpResponse:
    async with exchange.opened() as memory:
        leg = await memory.leg(leg_id) if await _is_here(request, leg_id) else None
    return JsonResponse(legs.described(leg)) if leg else problem(404, "Not Found", "Call does not exist.")


async def _listed(request: HttpRequest) -> HttpResponse:
    """A page of the calls that the filters leave. Source: Vonage, "Voice API reference"."""
    asked = request.GET
    size, index = (int(asked.get(name, usual)) if asked.get(name, usual).isdigit() else -1 for name, usual in PAGING)
    since, until = (_seconds(asked.get(name), usual) for name, usual in (("date_start", 0.0), ("date_end", 2.0**40)))
    if not 1 <= size <= LONGEST_PAGE or index < 0 or since is None or until is None:
        return problem(400, "Bad Request", "Invalid parameter.")
    async with exchange.opened() as memory:
        found = [legs.described(leg) for leg in await memory.listed(since, until)]
    for name in ("status", "conversation_uuid"):
        found = [each for each in found if each[name] == asked[name]] if name in asked else found
    if asked.get("order") != "asc":
        found.reverse()
    page = {"count": len(found), "page_size": size, "record_index": index, "_embedded": {"calls": found[index : index + size]}}
    return JsonResponse(page | {"_links": {"self": {"href": request.get_full_path()}}})


def _seconds(text: str | None, usual: float) -> float | None:
    """A time of the address in seconds since 1970; None when it is none."""
    if text is None:
        return usual
    at = known_time(text)
    return at.timestamp() if at else None


def _is_authorised(request: HttpRequest) -> bool:
    """Whether the request carries a token signed with the application's key, for this application, not expired."""
    token = request.headers.get("Authorization", "").removeprefix("Bearer ")
    try:
        key = application_key.current().public_key()
        claims = jwt.decode(token, key, algorithms=["RS256"], options={"require": ["exp", "iat", "jti"]})
    except jwt.InvalidTokenError:
        return False
    is_short_lived = claims["exp"] - claims["iat"] <= LONGEST_TOKEN_SECONDS
    return is_short_lived and bool(claims.get("application_id") == settings.VONAGE_APPLICATION_ID)


def body_of(request: HttpRequest) -> dict[str, Any]:
    """The JSON object of a request; empty when there is none."""
    try:
        body = json.loads(request.body)
    except (ValueError, RecursionError):
        return {}
    return body if isinstance(body, dict) else {}


def _unauthorised() -> JsonResponse:
    return problem(401, "Unauthorized", "You did not provide correct credentials.")


def problem(status: int, title: str, detail: str, **more: Any) -> JsonResponse:
    """The platform's way to refuse: a problem document with a title and a detail. Source: RFC 7807."""
    body = {"type": f"{ERRORS}#{title.lower().replace(' ', '-')}", "title": title, "detail": detail, "instance": str(uuid.uuid4())}
    return JsonResponse(body | more, status=status, content_type="application/problem+json")
