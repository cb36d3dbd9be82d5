"""The call panel: what agents do with a call that they are on, and supervisors with one that they watch.

An action that cannot be done answers 409 with the reason as a sentence; what was sent wrongly, 422.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final
from uuid import UUID

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods, require_POST

from conversations.inbox.actions import changed, opened, refused_with
from conversations.inbox.call_forms import SomebodyForm
from conversations.inbox.doors import AgentRequest, InboxRequest, for_agents, for_supervisors
from conversations.inbox.views import readable
from conversations.models import CallSeat, Conversation, OutsideNumber
from conversations.services.delivery import CannotConnect
from conversations.voice import controls, seats, supervising, transfers
from conversations.voice.controls import NotDone
from routing.models import AgentProfile
from routing.services.reservations import ReservationGone

ACTIONS: Final[Mapping[str, Callable[[Conversation, AgentProfile], None]]] = {
    "hold": controls.hold,
    "resume": controls.resume,
    "mute": controls.mute,
    "unmute": controls.unmute,
    "leave": controls.leave,
    "park": controls.park,
    "hang-up": controls.hang_up,
    "give-back": controls.give_back,
    "complete": transfers.complete,
    "bring-in": transfers.bring_in,
    "cancel": transfers.cancel,
}
"""What one press does, by the name in its address."""
MANNERS: Final = frozenset({CallSeat.Manner.LISTEN, CallSeat.Manner.WHISPER, CallSeat.Manner.BARGE})


@require_POST
@for_agents
def act(request: AgentRequest, public_id: UUID, name: str) -> HttpResponse:
    """One press of a button of the panel."""
    if name not in ACTIONS:
        raise Http404
    return _tried(lambda: ACTIONS[name](readable(request, public_id), request.agent))


@require_http_methods(["GET", "HEAD", "POST"])
@for_agents
def somebody(request: AgentRequest, public_id: UUID) -> HttpResponse:
    """Rings somebody to ask in private, to join, or to have the caller; GET answers the form for the dialog."""
    found, form = readable(request, public_id), SomebodyForm(request.agent, request.POST if request.method == "POST" else None)
    if not form.is_valid():
        return render(request, "inbox/somebody.html", {"conversation": found, "form": form}, status=422 if form.is_bound else 200)
    who, how = form.chosen(), form.cleaned_data["how"]
    if how == "put_through" and isinstance(who, OutsideNumber):
        return _tried(lambda: transfers.put_through(found, request.agent, who))
    ring = transfers.consult if how == "consult" else transfers.add
    return _tried(lambda: ring(found, request.agent, who))


@require_POST
@for_agents
def remove(request: AgentRequest, public_id: UUID, seat: UUID) -> HttpResponse:
    """Somebody who was added goes."""
    return _tried(lambda: transfers.remove(readable(request, public_id), request.agent, seat))


@require_POST
@for_agents
def answer_on_phone(request: AgentRequest, reservation_id: int) -> HttpResponse:
    """Rings the agent's phone for an offer of theirs, which the key accepts; what it is about can be read while it rings."""
    try:
        call = seats.answer_offer(reservation_id, request.agent)
    except (CannotConnect, ReservationGone) as refused:
        return refused_with(refused)
    return opened(call.conversation)


@require_POST
@for_supervisors
def supervise(request: InboxRequest, public_id: UUID, manner: str) -> HttpResponse:
    """Rings a supervisor's phone to listen, whisper or barge, or changes between them."""
    found, supervisor = readable(request, public_id), request.agent
    if manner not in MANNERS:
        raise Http404
    if supervisor is None:
        return refused_with(NotDone(seats.without_a_phone()))
    return _tried(lambda: supervising.supervise(found, supervisor, manner))


def _tried(action: Callable[[], None]) -> HttpResponse:
    try:
        action()
    except (NotDone, CannotConnect, ReservationGone) as refused:
        return refused_with(refused)
    return changed()
