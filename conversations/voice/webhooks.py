"""The doors for the phone platform: each webhook is verified, kept raw, worked on once, and answered. POST only."""

import asyncio
import json
import logging
import time
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from functools import partial
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
from conversations.voice import call_events, doors, protocol, signature, texting
from conversations.voice.calls import Kept
from conversations.voice.doors import DOORS, Body, Delivered, Door, Then
from conversations.voice.protocol import MAX_BODY_BYTES, MalformedWebhook
from conversations.voice.signature import InvalidSignature

logger = logging.getLogger(__name__)
SAME_ANSWER_SECONDS: Final = 1.5
"""How long a repetition waits for the first delivery's answer; the work itself must still fit into the platform's 5 s."""
DATABASE_FAILURES: Final = (OperationalError, InterfaceError, psycopg.OperationalError, psycopg.InterfaceError)
"""A deadlock, a database that is away or has no room: it is worth trying again."""
POLL_SECONDS: Final = 0.05


def door(name: str) -> Callable[..., Coroutine[Any, Any, HttpResponse]]:
    """The view of a door: 405 for anything but POST, 401 for what is not proven, 400 for what is not readable, once for the rest."""

    @csrf_exempt
    @require_POST
    async def view(request: HttpRequest, public_id: UUID | None = None, seat: UUID | None = None) -> HttpResponse:
        if name != "fallback":
            return await _served(request, DOORS[name], public_id, seat)
        try:
            response = await _served(request, DOORS[name], public_id, seat)
        except Exception:
            logger.exception("fallback_failed")
            response = _refused(500, "try again")
        failed = response.status_code >= 500 or response.status_code in (400, 404)
        return _apology(request, response) if failed else response

    return view


async def _served(request: HttpRequest, entered: Door, public_id: UUID | None, seat: UUID | None) -> HttpResponse:
    raw = _raw_body(request)
    if raw is None:
        return _refused(413, "the body is larger than 64 KiB")
    try:
        webhook = signature.verify(request.headers.get("Authorization", ""), raw)
    except InvalidSignature as error:
        logger.warning("webhook_refused", extra={"kind": entered.kind, "why": str(error)})
        return _refused(401, "the signature is not valid")
    try:
        body = protocol.parse_body(raw)
        record, is_new = await sync_to_async(transport.record_webhook)(
            token_id=webhook.token_id,
            body_hash=webhook.body_hash,
            kind=entered.kind,
            provider_id=_provider_id(body),
            body=protocol.without_secrets(body),
            named_call=public_id,
        )
        if not is_new and (stored := await _stored_answer(record)):
            return stored
    except MalformedWebhook as error:
        return _refused(400, str(error))
    except transport.TokenReused:
        logger.warning("webhook_token_reused", extra={"kind": entered.kind})
        return _refused(401, "the signature is not valid")
    except DATABASE_FAILURES:
        logger.exception("webhook_not_kept", extra={"kind": entered.kind})
        return _refused(503, "try again")
    keep = partial(transport.answer_webhook, record)
    return await _worked_on(record, entered.handle(Delivered(body, webhook.token_id, public_id, keep, seat)))


def _apology(request: HttpRequest, failed: HttpResponse) -> HttpResponse:
    """In place of an answer that the platform can do nothing with: after the fallback, nothing else is asked."""
    try:
        body = protocol.parse_body(request.body)
    except MalformedWebhook:
        return failed
    return _answer(doors.apology(body))


async def _worked_on(record: WebhookRecord, work: Awaitable[Any]) -> HttpResponse:
    """The answer that the work gives. What failed is noted, so that the platform's next try does not wait for this one.

    Answers 503, after which the platform tries again, when the database failed; raises what else went wrong.
    """
    try:
        answered = await work
        if isinstance(answered, Kept):
            return _answer(answered.answer)
        answered, then = (answered.answer, answered.work) if isinstance(answered, Then) else (answered, None)
        await sync_to_async(transport.answer_webhook)(record, answered)
    except texting.NotTaken as why:
        # Nothing is wrong with it, so the platform is told nothing; reports are, that it is no contact.
        await sync_to_async(transport.refuse_webhook)(record, str(why))
        return _answer(None)
    except (MalformedWebhook, Interaction.DoesNotExist) as error:
        is_malformed = isinstance(error, MalformedWebhook)
        reason = str(error) if is_malformed else "there is no such call"
        await sync_to_async(transport.refuse_webhook)(record, reason)
        with suppress(*DATABASE_FAILURES):
            await sync_to_async(call_events.note_refused)(record)
        return _refused(400 if is_malformed else 404, reason)
    except Exception as error:
        with suppress(*DATABASE_FAILURES):
            await sync_to_async(transport.fail_webhook)(record, type(error).__name__)
        if not isinstance(error, DATABASE_FAILURES):
            raise
        logger.exception("webhook_failed", extra={"kind": record.kind})
        return _refused(503, "try again")
    return _answer(answered, then)


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


def _raw_body(request: HttpRequest) -> bytes | None:
    """The body, unless it is larger than any webhook is."""
    try:
        declared = int(request.headers.get("Content-Length") or 0)
        raw = request.body if declared <= MAX_BODY_BYTES else None
    except (ValueError, RequestDataTooBig, UnreadablePostError):
        return None
    return raw if raw is not None and len(raw) <= MAX_BODY_BYTES else None


def _provider_id(body: Body) -> str:
    """What the webhook is about: its leg, else a room or a message; nothing when what it names its leg is no id of one."""
    if leg := body.get("uuid") or body.get("call_uuid"):
        return leg if isinstance(leg, str) and protocol.CALL_ID.fullmatch(leg) else ""
    about = body.get("conversation_uuid") or body.get("message_uuid") or ""
    return about if isinstance(about, str) else ""


def _answer(answered: Any, then: Callable[[], None] | None = None) -> HttpResponse:
    if answered is None:
        return HttpResponse(status=204)
    return _AnsweredFirst(answered, then) if then else JsonResponse(answered, safe=False)


class _AnsweredFirst(JsonResponse):
    """An answer after which something is done, in the thread of the request: the server closes a response that was sent."""

    def __init__(self, answered: Any, then: Callable[[], None]) -> None:
        super().__init__(answered, safe=False)
        self._then: Callable[[], None] | None = then

    def close(self) -> None:
        """Does it, once."""
        then, self._then = self._then, None
        try:
            if then:
                then()
        except Exception:
            logger.exception("after_the_answer_failed")
        finally:
            super().close()


def _refused(status: int, reason: str) -> HttpResponse:
    return HttpResponse(json.dumps({"error": reason}), status=status, content_type="application/json")
