"""The account at the simulated platform: its applications, and its numbers, which are those of the entry points.

Sources: Vonage, "Application API v2 reference" and "Numbers API reference".
"""

import uuid
from base64 import b64decode
from collections.abc import Mapping
from hmac import compare_digest
from typing import Any, Final

import phonenumbers
from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from conversations.models import EntryPoint
from conversations.voice.simulator import exchange
from conversations.voice.simulator.checking import is_address
from conversations.voice.simulator.rest import befallen, body_of, problem

MOST_ON_A_PAGE: Final = 100
CONNECT_MILLISECONDS: Final = (300, 1_000)
SOCKET_MILLISECONDS: Final = {"answer_url": (1_000, 5_000), "fallback_answer_url": (1_000, 5_000), "event_url": (1_000, 10_000)}
TEXT_WEBHOOKS: Final = ("inbound_url", "status_url")
REGIONS: Final = ("na-east", "na-west", "eu-east", "eu-west", "apac-sng", "apac-australia")
AS_BOUGHT: Final[Mapping[str, Any]] = {"type": "mobile-lvn", "features": ["VOICE", "SMS"]}


@csrf_exempt
@require_http_methods(["GET", "POST"])
async def applications(request: HttpRequest) -> HttpResponseBase:
    """`GET /v2/applications` lists them, page by page; `POST` creates one, which gets an id."""
    return await befallen(_applications(request)) if _is_account(request) else _unauthorised()


async def _applications(request: HttpRequest) -> HttpResponse:
    if request.method == "POST":
        return await _kept(body_of(request), str(uuid.uuid4()), status=201)
    async with exchange.opened() as memory:
        found = list((await memory.applications()).values())
    size, page = _number_of(request, "page_size", 10), _number_of(request, "page", 1)
    if not 1 <= size <= MOST_ON_A_PAGE or page < 1:
        return problem(400, "Bad Request", "Invalid parameter.")
    listed = {"applications": found[(page - 1) * size : page * size]}
    pages = max(1, -(-len(found) // size))
    return JsonResponse({"page_size": size, "page": page, "total_items": len(found), "total_pages": pages, "_embedded": listed})


@csrf_exempt
@require_http_methods(["GET", "PUT"])
async def application(request: HttpRequest, application_id: str) -> HttpResponseBase:
    """`GET /v2/applications/{id}` describes one; `PUT` replaces it, and what the body does not name is gone."""
    return await befallen(_application(request, application_id)) if _is_account(request) else _unauthorised()


async def _application(request: HttpRequest, application_id: str) -> HttpResponse:
    async with exchange.opened() as memory:
        found = (await memory.applications()).get(application_id)
    if found is None:
        return problem(404, "Invalid Application", "Application does not exist, or you do not have access.")
    if request.method == "GET":
        return JsonResponse(found)
    return await _kept({"keys": found.get("keys", {})} | body_of(request), application_id, status=200)


@require_GET
async def numbers(request: HttpRequest) -> HttpResponseBase:
    """`GET /account/numbers`: the account's numbers, page by page. The page after the last is empty."""
    return await befallen(_numbers(request)) if _is_account(request) else _unauthorised()


async def _numbers(request: HttpRequest) -> HttpResponse:
    size, index = _number_of(request, "size", 10), _number_of(request, "index", 1)
    if not 1 <= size <= MOST_ON_A_PAGE or index < 1:
        return problem(400, "Bad Request", "Invalid parameter.")
    found = list((await _owned()).values())
    listed = found[(index - 1) * size : index * size]
    return JsonResponse({"count": len(found), "numbers": listed} if listed else {})


@csrf_exempt
@require_POST
async def update_number(request: HttpRequest) -> HttpResponseBase:
    """`POST /number/update`, as a form: has calls and texts to a number go to an application."""
    return await befallen(_updated(request)) if _is_account(request) else _unauthorised()


async def _updated(request: HttpRequest) -> HttpResponse:
    digits, country = str(request.POST.get("msisdn", "")), str(request.POST.get("country", ""))
    row = (await _owned()).get(digits)
    if row is None or row["country"] != country:
        return JsonResponse({"error-code": "420", "error-code-label": "method failed"}, status=420)
    async with exchange.opened() as memory:
        if str(request.POST.get("app_id", "")) not in await memory.applications():
            return JsonResponse({"error-code": "420", "error-code-label": "method failed"}, status=420)
        known = (await memory.numbers()).get(digits, {})
        await memory.keep_number(digits, known | {"app_id": request.POST["app_id"]})
    return JsonResponse({"error-code": "200", "error-code-label": "success"})


async def _owned() -> dict[str, dict[str, Any]]:
    """The numbers of the entry points that can be bought, and what is known of each."""
    async with exchange.opened() as memory:
        known = await memory.numbers()
    found = {}
    async for address in EntryPoint.objects.filter(channel="voice").order_by("address").values_list("address", flat=True):
        digits = address.removeprefix("+")
        about = known.get(digits, {})
        if not about.get("is_elsewhere"):
            country = phonenumbers.region_code_for_country_code(phonenumbers.parse(address).country_code or 0)
            found[digits] = {"country": country, "msisdn": digits, **AS_BOUGHT, **about}
    return found


async def _kept(asked: dict[str, Any], application_id: str, *, status: int) -> HttpResponse:
    wrong = list(_wrong_in(asked))
    if wrong:
        reasons = [{"name": name, "reason": "Is invalid."} for name in wrong]
        return problem(400, "Bad Request", "The request failed due to validation errors.", invalid_parameters=reasons)
    made = asked | {"id": application_id}
    async with exchange.opened() as memory:
        await memory.keep_application(made)
    return JsonResponse(made, status=status)


def _wrong_in(asked: dict[str, Any]) -> list[str]:
    """The names of what the platform would refuse in an application."""
    capabilities = asked.get("capabilities", {})
    voice, messages = ((capabilities.get(name) or {}) for name in ("voice", "messages"))
    hooks, texts = voice.get("webhooks", {}), messages.get("webhooks", {})
    wrong = [f"voice.webhooks.{name}" for name, hook in hooks.items() if name not in SOCKET_MILLISECONDS or not _is_webhook(hook)]
    for name, (least, most) in SOCKET_MILLISECONDS.items():
        hook = hooks.get(name, {})
        if not least <= hook.get("socket_timeout", least) <= most:
            wrong.append(f"voice.webhooks.{name}.socket_timeout")
        if not CONNECT_MILLISECONDS[0] <= hook.get("connection_timeout", 1_000) <= CONNECT_MILLISECONDS[1]:
            wrong.append(f"voice.webhooks.{name}.connection_timeout")
    wrong += [f"messages.webhooks.{name}" for name, hook in texts.items() if name not in TEXT_WEBHOOKS or not _is_webhook(hook)]
    if voice.get("region", REGIONS[0]) not in REGIONS:
        wrong.append("voice.region")
    return wrong if asked.get("name") else ["name", *wrong]


def _is_webhook(hook: object) -> bool:
    return isinstance(hook, dict) and is_address(hook.get("address")) and hook.get("http_method", "POST") in ("GET", "POST")


def _number_of(request: HttpRequest, name: str, usual: int) -> int:
    value = request.GET.get(name, str(usual))
    return int(value) if value.isdigit() else 0


def _is_account(request: HttpRequest) -> bool:
    """Whether the request carries the API key and its secret. Source: RFC 7617."""
    scheme, _space, encoded = request.headers.get("Authorization", "").partition(" ")
    try:
        told = b64decode(encoded, validate=True)
    except ValueError:
        return False
    return scheme == "Basic" and compare_digest(told, f"{settings.VONAGE_API_KEY}:{settings.VONAGE_API_SECRET}".encode())


def _unauthorised() -> JsonResponse:
    return problem(401, "Unauthorized", "You did not provide correct credentials.")
