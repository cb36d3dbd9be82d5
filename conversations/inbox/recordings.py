"""Listening to recordings: who may, by a link that is theirs alone and ends soon, and written down each time."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, Final, TypeVar
from uuid import UUID

from asgiref.sync import sync_to_async
from django.conf import settings
from django.core import signing
from django.core.files import File
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from conversations.flows.outbound import live_call
from conversations.inbox.actions import changed, refused_with
from conversations.inbox.doors import AgentRequest, InboxRequest, for_agents, for_staff
from conversations.inbox.ranges import NotSatisfiable, wanted_range
from conversations.inbox.views import readable
from conversations.models import CallRecording, Interaction
from conversations.selectors import naming
from conversations.selectors import recordings as selector
from conversations.services import delivery, recordings

SALT: Final = "conversations.recordings.listen"
PIECE: Final = 65_536
Answer = TypeVar("Answer", bound=HttpResponseBase)
Stored: Final = CallRecording.State.STORED


class NotNow(Exception):
    """There is nothing to pause or to go on with; the message says so to the agent."""


@require_safe
@for_staff
def show(request: InboxRequest, recording_id: str) -> HttpResponse:
    """The page of one recording, with a button that begins it."""
    row = _readable(request, recording_id)
    return _private(render(request, "inbox/recordings/page.html", _shown(row)))


@require_POST
@for_staff
def listen(request: InboxRequest, recording_id: str) -> HttpResponse:
    """The player with a link of this reader's own, which is written down; or why there is nothing to hear."""
    row = _readable(request, recording_id)
    shown = _shown(row)
    if row.state == Stored:
        recordings.note_listening(row, _name_of(request))
        token = signing.dumps({"recording": row.recording_id, "user": request.user.pk}, salt=SALT)
        shown |= {"address": reverse("inbox:recording-file", args=[token])}
    is_part = bool(request.headers.get("X-Requested-With"))
    template = "inbox/recordings/player.html" if is_part else "inbox/recordings/page.html"
    return _private(render(request, template, shown))


@require_safe
@for_staff
def file(request: InboxRequest, token: str) -> HttpResponse | StreamingHttpResponse:
    """The sound behind a link, whole or the bytes that a player asks for (RFC 9110, section 14).

    A link of somebody else's, an old one, and one whose recording is gone or may no longer be read lead nowhere: 404.
    """
    row = _behind(request, token)
    try:
        wanted = wanted_range(request.headers.get("Range", ""), row.size_bytes)
    except NotSatisfiable:
        return _private(HttpResponse(status=416, headers={"Content-Range": f"bytes */{row.size_bytes}"}))
    try:
        stored = recordings.storage().open(row.storage_name)
    except FileNotFoundError as error:
        raise Http404 from error
    first, last = wanted or (0, row.size_bytes - 1)
    answer = StreamingHttpResponse(_pieces(stored, first, last), status=206 if wanted else 200, content_type=row.content_type)
    answer["Content-Length"] = str(last - first + 1)
    answer["Accept-Ranges"] = "bytes"
    answer["X-Content-Type-Options"] = "nosniff"
    answer["Content-Disposition"] = "inline"
    if wanted:
        answer["Content-Range"] = f"bytes {first}-{last}/{row.size_bytes}"
    return _private(answer)


@require_POST
@for_agents
def pause(request: AgentRequest, public_id: UUID) -> HttpResponse:
    """Pauses the recording of the call that this agent has, while card data is given."""
    call = _own_call(request, public_id)
    if not delivery.pause_recording(call, by=request.agent.display_name, why="by hand"):
        return refused_with(NotNow(_("The call is not being recorded.")))
    return changed()


@require_POST
@for_agents
def resume(request: AgentRequest, public_id: UUID) -> HttpResponse:
    """Goes on recording."""
    call = _own_call(request, public_id)
    if not delivery.resume_recording(call, by=request.agent.display_name):
        return refused_with(NotNow(_("The recording is not paused.")))
    return changed()


def _shown(row: CallRecording) -> dict[str, Any]:
    return {"recording": row, "customer": naming.name_of(row.interaction.conversation.customer), "section": "inbox"}


def _own_call(request: AgentRequest, public_id: UUID) -> Interaction:
    """The live call of a conversation that this agent has. Raises Http404 when there is none, or it is somebody else's."""
    found = readable(request, public_id)
    call = live_call(found)
    if call is None or found.owner_agent_id != request.agent.pk:
        raise Http404
    return call


def _behind(request: InboxRequest, token: str) -> CallRecording:
    try:
        said = signing.loads(token, salt=SALT)
        row = _readable(request, said["recording"])
        # A link lives while its recording may still be playing.
        signing.loads(token, salt=SALT, max_age=settings.RECORDING_LINK_SECONDS + (row.seconds or 0))
    except signing.BadSignature as error:
        raise Http404 from error
    if said["user"] != request.user.pk or row.state != Stored:
        raise Http404
    return row


def _readable(request: InboxRequest, recording_id: str) -> CallRecording:
    try:
        return selector.for_user(request.user, recording_id)
    except CallRecording.DoesNotExist as error:
        raise Http404 from error


async def _pieces(stored: File[bytes], first: int, last: int) -> AsyncIterator[bytes]:
    """The bytes from `first` to `last`, some at a time, so that a long call takes no memory."""
    left = last - first + 1
    try:
        await sync_to_async(stored.seek)(first)
        while left > 0 and (piece := await sync_to_async(stored.read)(min(PIECE, left))):
            left -= len(piece)
            yield piece
    finally:
        await sync_to_async(stored.close)()


def _name_of(request: HttpRequest) -> str:
    agent = getattr(request, "agent", None)
    user: Any = request.user
    return agent.display_name if agent else str(user.get_full_name() or user.get_username())


def _private(answer: Answer) -> Answer:
    """Kept by nobody on the way, and by no browser."""
    answer["Cache-Control"] = "private, no-store"
    return answer
