"""Text messages between a simulated phone and the company. Source: Vonage, "Messages API reference" and its webhook reference."""

import uuid
from contextlib import suppress
from typing import Any, Final

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from conversations.services.identity import InvalidIdentifier, normalise
from conversations.voice.ncco import webhook_url
from conversations.voice.simulator import driving, exchange, legs, phone, posting

LONGEST: Final = 1_600
TOLD: Final = ("submitted", "delivered")


@require_POST
async def write(request: HttpRequest) -> HttpResponse:
    """The holder of a phone writes to the company: `from`, `to`, and `text`, or `picture` for a message that is none."""
    body = phone.body_of(request)
    if body is None or not (str(body.get("text", "")).strip() or body.get("picture")):
        return phone.refused(_("Write something first."))
    region = await phone.region()
    try:
        sender, to = (normalise("phone", str(body.get(name) or ""), region).removeprefix("+") for name in ("from", "to"))
    except InvalidIdentifier as error:
        return phone.refused(str(error))
    text = str(body.get("text", "")).strip()[:LONGEST]
    about = {"message_uuid": str(uuid.uuid4()), "from": sender, "to": to, "channel": "sms", "timestamp": legs.now_text()}
    if body.get("picture"):
        what = {"message_type": "image", "image": {"url": "https://media.example.com/picture.jpg", "name": "picture.jpg"}}
    else:
        what = {"message_type": "text", "text": text}
    async with exchange.opened() as memory:
        await memory.keep_own_text(sender=sender, to=to, text=text or _("(a picture)"), message_id=about["message_uuid"])
    driving.beside(_post("voice:text", about | what))
    return JsonResponse({"message_uuid": about["message_uuid"]}, status=202)


def report(asked: dict[str, Any], message_id: str) -> None:
    """Tells the company, without being waited for, that a message of its was taken and has arrived."""
    about = {name: asked[name] for name in ("to", "from", "channel", "client_ref") if name in asked} | {"message_uuid": message_id}

    async def tell() -> None:
        for status in TOLD:
            await _post("voice:text-status", about | {"status": status, "timestamp": legs.now_text()})

    driving.beside(tell())


async def _post(name: str, body: dict[str, Any]) -> None:
    with suppress(posting.WebhookFailed):
        await posting.post(webhook_url(name), body, seconds=posting.EVENT_SECONDS)
