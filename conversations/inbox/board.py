"""The supervisors' board: how queues, the line and people stand now, and what a supervisor does about it.

An action that cannot be done answers 409 with the reason as a sentence; what was sent wrongly, 422 with the form and its errors.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from conversations.flows import supervising
from conversations.inbox.actions import changed, refused_with
from conversations.inbox.board_forms import PAGE, STATES, BoardForm, ClassForm, GiveForm, PauseForm, SeenForm
from conversations.inbox.doors import for_supervisors
from conversations.inbox.forms import PresenceForm
from conversations.inbox.page_texts import page_texts
from conversations.selectors import call_seats, naming
from routing import clock
from routing.models import AgentProfile, Queue, Team, WorkItem
from routing.selectors import board
from routing.services.hours import is_open

FIRST_IN_LINE = 15


@never_cache
@require_safe
@for_supervisors
def show(request: HttpRequest) -> HttpResponse:
    """The whole page, or its two parts that change when htmx asks."""
    form = BoardForm(request.GET)
    parts = as_it_stands(form)
    if request.htmx:  # type: ignore[attr-defined]  # set by django-htmx
        return render(request, "inbox/board/parts.html", parts)
    choices = {"teams": Team.objects.values_list("pk", "name"), "states": STATES, "asked_queue": form.queue_asked()}
    page = {**parts, **choices, "asked": form.agents_asked(), "section": "board", "texts": page_texts()}
    return render(request, "inbox/board/page.html", page)


def as_it_stands(form: BoardForm) -> dict[str, Any]:
    """All that the board shows, in the active time zone."""
    now = clock.now()
    found = board.queues(now, today=timezone.localtime(now).replace(hour=0, minute=0, second=0, microsecond=0))
    line = board.first_in_line(FIRST_IN_LINE, queue=form.queue_asked())
    asked = form.agents_asked()
    agents = board.agents(asked)
    names = naming.by_subject({each.subject for each in line} | {held.subject for each in agents for held in each.held})
    return {
        "now": now,
        "total": found.total,
        "classes": found.classes,
        "queues": _with_hours(found.queues, now),
        "line": [(each, _name(names, each.subject)) for each in line],
        "agents": [(each, [(held, _name(names, held.subject)) for held in each.held]) for each in agents],
        "by_state": board.agents_by_state(),
        "next_show": asked.most + 2 * PAGE if len(agents) == asked.most else None,
        # A row's own addresses begin with these and its number: looking up each would take longer than all else of its row.
        "queue_address": reverse("inbox:board-resume", args=[0]).removesuffix("0/resume/"),
        "agent_address": reverse("inbox:board-state", args=[0]).removesuffix("0/state/"),
        "work_address": reverse("inbox:board-work", args=[0]).removesuffix("0/"),
    }


@require_http_methods(["GET", "HEAD", "POST"])
@for_supervisors
def pause(request: HttpRequest, queue_id: int) -> HttpResponse:
    """Pauses a queue with a reason; GET answers the form for the dialog."""
    queue, form = get_object_or_404(Queue, pk=queue_id), PauseForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        supervising.pause(queue, by=request.user, why=form.cleaned_data["why"])
        return changed()
    return render(request, "inbox/board/pause.html", {"queue": queue, "form": form}, status=422 if form.is_bound else 200)


@require_POST
@for_supervisors
def resume(request: HttpRequest, queue_id: int) -> HttpResponse:
    """A paused queue goes on."""
    supervising.resume(get_object_or_404(Queue, pk=queue_id), by=request.user)
    return changed()


@require_http_methods(["GET", "HEAD", "POST"])
@for_supervisors
def set_state(request: HttpRequest, agent_id: int) -> HttpResponse:
    """Makes somebody available, away or offline; GET answers the form for the dialog."""
    agent = get_object_or_404(AgentProfile.objects.select_related("presence"), pk=agent_id, active=True)
    form = PresenceForm(request.POST if request.method == "POST" else None, initial=_state_of(agent))
    if form.is_valid():
        supervising.set_state(agent, form.cleaned_data["state"], form.reason(), by=request.user)
        return changed()
    return render(request, "inbox/board/state.html", {"agent": agent, "form": form}, status=422 if form.is_bound else 200)


@require_safe
@for_supervisors
def work(request: HttpRequest, work_id: int) -> HttpResponse:
    """The dialog for one piece of work: who has it, and what can be done about it."""
    return _dialog(request, _found(work_id))


@require_POST
@for_supervisors
def change_class(request: HttpRequest, work_id: int) -> HttpResponse:
    """Makes waiting work more or less urgent."""
    found, form = _found(work_id), ClassForm(request.POST)
    if not form.is_valid():
        return _dialog(request, found, class_form=form)
    try:
        supervising.change_class(found, form.cleaned_data["priority_class"], by=request.user)
    except supervising.CannotSteer as refused:
        return refused_with(refused)
    return changed()


@require_POST
@for_supervisors
def give(request: HttpRequest, work_id: int) -> HttpResponse:
    """Offers work to somebody, whoever has it now."""
    found = _found(work_id)
    form = GiveForm(found, _held_by(found), request.POST)
    if not form.is_valid():
        return _dialog(request, found, give_form=form)
    try:
        supervising.give(found, form.cleaned_data["agent"], by=request.user, seen_with=form.cleaned_data["seen_with"])
    except supervising.CannotSteer as refused:
        return refused_with(refused)
    return changed()


@require_POST
@for_supervisors
def take_back(request: HttpRequest, work_id: int) -> HttpResponse:
    """Puts work that somebody has back into its line."""
    found, form = _found(work_id), SeenForm(request.POST)
    if not form.is_valid():
        return _dialog(request, found)
    try:
        supervising.take_back(found, by=request.user, seen_with=form.cleaned_data["seen_with"])
    except supervising.CannotSteer as refused:
        return refused_with(refused)
    return changed()


def _dialog(
    request: HttpRequest, found: WorkItem, *, class_form: ClassForm | None = None, give_form: GiveForm | None = None
) -> HttpResponse:
    held = board.held_as([found]).get(found.pk)
    public_id, name = naming.by_subject([found.subject]).get(found.subject, (None, found.subject))
    shown = {
        "work": found,
        "held": held,
        "waits": found.state in board.WAITING,
        "is_over": found.state not in WorkItem.LIVE_STATES,
        "public_id": public_id,
        "name": name,
        "can_listen": public_id is not None and call_seats.is_colleague_talking(public_id),
        "now": clock.now(),
        "class_form": class_form or ClassForm(initial={"priority_class": str(found.priority_class)}),
        "give_form": give_form or GiveForm(found, held.agent_id if held else None),
        "seen_form": SeenForm(initial={"seen_with": held.agent_id if held else None}),
    }
    return render(request, "inbox/board/work.html", shown, status=422 if request.method == "POST" else 200)


def _found(work_id: int) -> WorkItem:
    return get_object_or_404(WorkItem.objects.select_related("queue"), pk=work_id)


def _held_by(found: WorkItem) -> int | None:
    held = board.held_as([found]).get(found.pk)
    return held.agent_id if held else None


def _state_of(agent: AgentProfile) -> dict[str, str]:
    presence = getattr(agent, "presence", None)
    return {"state": presence.state, "away_reason": presence.away_reason} if presence else {}


def _with_hours(queues: list[board.QueueNow], now: datetime) -> list[tuple[board.QueueNow, bool | None]]:
    """Each queue with whether its hours are open now, None without hours; one statement for each hours in use."""
    hours = {each.queue.hours_id: each.queue.hours for each in queues if each.queue.hours}
    open_now: dict[int | None, bool] = {number: is_open(each, now) for number, each in hours.items()}
    return [(each, open_now.get(each.queue.hours_id)) for each in queues]


def _name(names: dict[str, tuple[UUID, str]], subject: str) -> str:
    """What the customer behind work is called; work that is no conversation of ours by routing's name for it."""
    return names[subject][1] if subject in names else subject
