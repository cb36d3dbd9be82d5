"""What the inbox shows; every address here only reads. What agents do is in actions.py."""

from typing import Any
from uuid import UUID

from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from conversations.flows import outbound
from conversations.inbox import pane, placeholders
from conversations.inbox.doors import AgentRequest, InboxRequest, for_agents, for_staff
from conversations.inbox.forms import ListForm, PageForm
from conversations.inbox.how_answered import story_of
from conversations.inbox.page_texts import page_texts
from conversations.models import Conversation, Entry, Interaction, TurnTrace
from conversations.reading import elsewhere
from conversations.selectors import access, inbox, profile, turn_traces
from conversations.services import promises


@never_cache
@require_safe
@for_staff
def home(request: InboxRequest) -> HttpResponse:
    """The inbox with no conversation open."""
    return render(request, "inbox/home.html", {**_lists(request), **_page(request)})


@never_cache
@require_safe
@for_staff
def lists(request: InboxRequest) -> HttpResponse:
    """The left pane: presence, offers, the tabs with their counts, the chosen list."""
    return render(request, "inbox/lists.html", _lists(request))


@never_cache
@require_safe
@for_staff
def conversation(request: InboxRequest, public_id: UUID) -> HttpResponse:
    """One conversation: the whole page, or its two panes when htmx asks."""
    found = readable(request, public_id)
    panes = {**pane.whole(found, request.agent, may_supervise=access.may_supervise(request.user)), **_customer_pane(found)}
    if request.htmx:  # type: ignore[attr-defined]  # set by django-htmx
        return render(request, "inbox/panes.html", panes)
    return render(request, "inbox/home.html", {**_lists(request, current=public_id), **_page(request), **panes})


@never_cache
@require_safe
@for_staff
def entries(request: InboxRequest, public_id: UUID) -> HttpResponse:
    """A part of the history: the page before a seq, or everything after one (X-Upto says where that ends)."""
    found = readable(request, public_id)
    asked = PageForm(request.GET)
    if not asked.is_valid():
        raise Http404
    whose = {"conversation": found, "agent": request.agent}
    if asked.cleaned_data["before"]:
        return render(request, "inbox/older.html", {**pane.older(found, asked.cleaned_data["before"]), **whose})
    part = {**pane.newer(found, asked.cleaned_data["after"] or 0), **whose}
    answer = render(request, "inbox/entries.html", part)
    answer["X-Upto"] = str(part["upto"])
    return answer


@never_cache
@require_safe
@for_staff
def status(request: InboxRequest, public_id: UUID) -> HttpResponse:
    """What changes around the history when the owner or a line changes: header, package, what the composer does."""
    around = pane.surroundings(readable(request, public_id), request.agent, may_supervise=access.may_supervise(request.user))
    return render(request, "inbox/status.html", around)


@never_cache
@require_safe
@for_staff
def customer(request: InboxRequest, public_id: UUID) -> HttpResponse:
    """The right pane."""
    found = readable(request, public_id)
    return render(request, "inbox/customer.html", {"conversation": found, **_customer_pane(found), "agent": request.agent})


@never_cache
@require_safe
@for_staff
def find(request: InboxRequest) -> HttpResponse:
    """Conversations by the customer's name, number or address, for the palette."""
    text = _typed(request)
    return render(request, "inbox/found.html", {"rows": inbox.find(text, elsewhere=elsewhere.whose(text)), "text": text})


@never_cache
@require_safe
@for_agents
def inserts(request: AgentRequest, public_id: UUID) -> HttpResponse:
    """What can be put into a reply by the words after a slash: saved replies, filled in, and passages of knowledge."""
    found, text = readable(request, public_id), _typed(request)
    line = outbound.chosen_line(found, line_asked(request))
    groups = {"replies": placeholders.offered(found, request.agent, line, text), "answers": inbox.answers(text, limit=5)}
    return render(request, "inbox/inserts.html", {**groups, "text": text})


@never_cache
@require_safe
@for_staff
def how_answered(request: InboxRequest, entry_id: int) -> HttpResponse:
    """How the AI agent came to what it said, in a dialog."""
    entry = get_object_or_404(Entry.objects.select_related("conversation"), pk=entry_id)
    readable(request, entry.conversation.public_id)
    trace = turn_traces.trace_of(entry)
    return render(request, "inbox/how_answered.html", story_of(trace) if trace else {"trace": None})


@never_cache
@require_safe
@for_staff
def how_written(request: InboxRequest, trace_id: int) -> HttpResponse:
    """How something came to be written for staff that stands in no entry, such as a suggested reply, in a dialog."""
    trace = get_object_or_404(TurnTrace.objects.select_related("conversation"), pk=trace_id)
    readable(request, trace.conversation.public_id)
    return render(request, "inbox/how_answered.html", story_of(trace))


def readable(request: InboxRequest, public_id: UUID) -> Conversation:
    """The conversation, when this reader may see it. Raises Http404."""
    try:
        return access.conversation_for_agent(request.user, public_id)
    except Conversation.DoesNotExist:
        raise Http404 from None


def _typed(request: InboxRequest) -> str:
    """What was typed into a search, at most 100 characters; without null bytes, which the database refuses."""
    return request.GET.get("q", "").replace("\x00", "")[:100]


def line_asked(request: InboxRequest) -> UUID | None:
    """The line that the composer says the words go to, when it says one."""
    try:
        return UUID(request.GET.get("line", ""))
    except ValueError:
        return None


def _customer_pane(conversation: Conversation) -> dict[str, Any]:
    """The profile, and the calls back that were promised when people were to take over: work that waits, and something to do."""
    shown = profile.profile_of(conversation, outbound.line_spoken_on(conversation))
    promised = promises.promised_on(Interaction.objects.filter(conversation__customer=conversation.customer_id))
    return {"profile": shown, "promised": promised, "to_do_count": len(promised) + len(shown.to_do)}


def _page(request: InboxRequest) -> dict[str, Any]:
    return {"section": "inbox", "agent": request.agent, "texts": page_texts()}


def _lists(request: InboxRequest, *, current: UUID | None = None) -> dict[str, Any]:
    asked = ListForm(request.GET).asked()
    agent = request.agent
    tab = asked["tab"] if agent or asked["tab"] != "mine" else "open"
    match tab:
        case "mine":
            rows = inbox.my_work(agent) if agent else []
        case "waiting":
            rows = inbox.waiting()
        case _:
            rows = inbox.all_open(asked["show"])
    return {
        "agent": agent,
        "presence": getattr(agent, "presence", None),
        "offers": inbox.offers(agent) if agent else [],
        "counts": inbox.counts(agent),
        "tab": tab,
        "rows": rows,
        "show": asked["show"],
        "next_show": min(asked["show"] + inbox.PAGE, 500),
        "current": current or asked["current"],
    }
