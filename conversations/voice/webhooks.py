"""The doors for the phone platform: verify, parse, call one function, answer. POST only."""

import asyncio
import json
import logging
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, Final
from uuid import UUID

import psycopg
from asgiref.sync import sync_to_async
from django.core.exceptions import RequestDataTooBig
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.request import UnreadablePostError
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from conversations.models import Interaction, WebhookRecord
from conversations.services import transport
from conversations.voice import agent_leg, callee, calls, campaign_call, protocol, signature, texting
from conversations.voice.protocol import MAX_BODY_BYTES, MalformedWebhook
from conversations.voice.signature import InvalidSignature, VerifiedWebhook

logger = logging.getLogger(__name__)
Body = dict[str, Any]
Handler = Callable[[Body, VerifiedWebhook], Awaitable[Any]]
SAME_ANSWER_SECONDS: Final = 1.5
"""How long a repetition waits for the first delivery's answer; the work itself must still fit into the platform's 5 s."""
DATABASE_FAILURES: Final = (OperationalError, InterfaceError, psycopg.OperationalError, psycopg.InterfaceError)
"""A deadlock, a database that is away or has no room: it is worth trying again."""
POLL_SECONDS: Final = 0.05


@csrf_exempt
@require_POST
async def answer(request: HttpRequest) -> HttpResponse:
    """The platform asks what to do with a call that reached one of our numbers. Answers with an NCCO."""

    async def handle(body: Body, webhook: VerifiedWebhook) -> Any:
        return await sync_to_async(calls.answer)(protocol.parse_answer(body))

    return await _served(request, "answer", handle)


@csrf_exempt
@require_POST
async def event(request: HttpRequest) -> HttpResponse:
    """The platform reports what happened to a call. The answer is empty."""

    async def handle(body: Body, webhook: VerifiedWebhook) -> Any:
        await sync_to_async(calls.note_event)(protocol.parse_event(body))

    return await _served(request, "event", handle)


@csrf_exempt
@require_POST
async def input_given(request: HttpRequest) -> HttpResponse:
    """The caller said or keyed something, or was silent. Answers with an NCCO."""

    async def handle(body: Body, webhook: VerifiedWebhook) -> Any:
        return await calls.hear(protocol.parse_input(body, token_id=webhook.token_id))

    return await _served(request, "input", handle)


@csrf_exempt
@require_POST
async def called_answer(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """A phone that we rang was answered, and the platform asks what to do. Answers with an NCCO."""

    async def handle(body: Body, webhook: VerifiedWebhook) -> Any:
        return await sync_to_async(callee.answer)(public_id, protocol.parse_answer(body))

    return await _served(request, "answer", handle)


@csrf_exempt
@require_POST
async def called_event(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """The platform reports what happened to a phone that we rang. The answer is empty."""

    async def handle(body: Body, webhook: VerifiedWebhook) -> Any:
        await sync_to_async(calls.note_event_of_callee)(public_id, protocol.parse_event(body))

    return await _served(request, "event", handle)


@csrf_exempt
@require_POST
async def campaign_answer(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """A phone that a campaign has rung was answered, and the platform asks what to do. Answers with an NCCO."""

    async def handle(body: Body, webhook: VerifiedWebhook) -> Any:
        return await sync_to_async(campaign_call.answer)(public_id, protocol.parse_answer(body))

    return await _served(request, "answer", handle)


@csrf_exempt
@require_POST
async def campaign_event(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """The platform reports what happened to a phone that a campaign has rung. The answer is empty."""

    async def handle(body: Body, webhook: VerifiedWebhook) -> Any:
        await sync_to_async(calls.note_event_of_campaign)(public_id, protocol.parse_event(body))

    return await _served(request, "event", handle)


@csrf_exempt
@require_POST
async def text_received(request: HttpRequest) -> HttpResponse:
    """A text message reached one of our numbers. The answer is empty."""

    async def handle(body: Body, webhook: VerifiedWebhook) -> Any:
        await sync_to_async(texting.receive)(protocol.parse_text(body))

    return await _served(request, "text", handle)


@csrf_exempt
@require_POST
async def agent_event(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """The platform reports what happened to the phone of a person who is being put on a call."""

    async def handle(body: Body, webhook: VerifiedWebhook) -> Any:
        happened = protocol.parse_event(body)
        await sync_to_async(agent_leg.note_event)(await _call(public_id), happened)

    return await _served(request, "agent_event", handle)


@csrf_exempt
@require_POST
async def agent_input(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """A person answered the briefing before being put on a call. Answers with an NCCO."""

    async def handle(body: Body, webhook: VerifiedWebhook) -> Any:
        given = protocol.parse_input(body, token_id=webhook.token_id)
        return await sync_to_async(agent_leg.decide)(await _call(public_id), given)

    return await _served(request, "agent_input", handle)


async def _served(request: HttpRequest, kind: str, handle: Handler) -> HttpResponse:
    """Everything the doors have in common: 401 for what is not proven, 400 for what is not readable, once for the rest."""
    raw = _raw_body(request)
    if raw is None:
        return _refused(413, "the body is larger than 64 KiB")
    try:
        webhook = signature.verify(request.headers.get("Authorization", ""), raw)
    except InvalidSignature as error:
        logger.warning("webhook_refused", extra={"kind": kind, "why": str(error)})
        return _refused(401, "the signature is not valid")
    try:
        body = protocol.parse_body(raw)
        record, is_new = await sync_to_async(transport.record_webhook)(
            token_id=webhook.token_id,
            body_hash=webhook.body_hash,
            kind=kind,
            provider_id=_provider_id(body),
            body=protocol.without_secrets(body),
        )
        if not is_new and (stored := await _stored_answer(record)):
            return stored
    except MalformedWebhook as error:
        return _refused(400, str(error))
    except transport.TokenReused:
        logger.warning("webhook_token_reused", extra={"kind": kind})
        return _refused(401, "the signature is not valid")
    except DATABASE_FAILURES:
        logger.exception("webhook_not_kept", extra={"kind": kind})
        return _refused(503, "try again")
    return await _worked_on(record, handle(body, webhook))


async def _worked_on(record: WebhookRecord, work: Awaitable[Any]) -> HttpResponse:
    """The answer that the work gives. What failed is noted, so that the platform's next try does not wait for this one.

    Answers 503, after which the platform tries again, when the database failed; raises what else went wrong.
    """
    try:
        answered = await work
        await sync_to_async(transport.answer_webhook)(record, answered)
    except (MalformedWebhook, Interaction.DoesNotExist) as error:
        is_malformed = isinstance(error, MalformedWebhook)
        reason = str(error) if is_malformed else "there is no such call"
        await sync_to_async(transport.refuse_webhook)(record, reason)
        return _refused(400 if is_malformed else 404, reason)
    except Exception as error:
        with suppress(*DATABASE_FAILURES):
            await sync_to_async(transport.fail_webhook)(record, type(error).__name__)
        if not isinstance(error, DATABASE_FAILURES):
            raise
        logger.exception("webhook_failed", extra={"kind": record.kind})
        return _refused(503, "try again")
    return _answer(answered)


async def _stored_answer(record: WebhookRecord) -> HttpResponse | None:
    """What was answered to the same token before, if need be after waiting for it a little.

    None when the work failed or is taken for dead: then it is done again.
    """
    ends_at = time.monotonic() + SAME_ANSWER_SECONDS
    while not record.answered_at and record.answer is None and time.monotonic() < ends_at:
        await asyncio.sleep(POLL_SECONDS)
        await record.arefresh_from_db()
    if record.answered_at:
        return _answer(record.answer)
    await sync_to_async(transport.begin_again)(record)
    return None


async def _call(public_id: UUID) -> Interaction:
    return await Interaction.objects.select_related("conversation", "entry_point").aget(public_id=public_id, channel="voice")


def _raw_body(request: HttpRequest) -> bytes | None:
    """The body, unless it is larger than any webhook is."""
    try:
        declared = int(request.headers.get("Content-Length") or 0)
        raw = request.body if declared <= MAX_BODY_BYTES else None
    except (ValueError, RequestDataTooBig, UnreadablePostError):
        return None
    return raw if raw is not None and len(raw) <= MAX_BODY_BYTES else None


def _provider_id(body: Body) -> str:
    leg = body.get("uuid") or body.get("call_uuid") or body.get("conversation_uuid") or body.get("message_uuid") or ""
    return leg if isinstance(leg, str) else ""


def _answer(answered: Any) -> HttpResponse:
    return HttpResponse(status=204) if answered is None else JsonResponse(answered, safe=False)


def _refused(status: int, reason: str) -> HttpResponse:
    return HttpResponse(json.dumps({"error": reason}), status=status, content_type="application/json")
