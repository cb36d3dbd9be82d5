"""The dialogs in which an agent uses the AI agent's tools, and what is to be done for a customer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils.dateparse import parse_date, parse_datetime
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from conversations.assistant.tools.base import Tool
from conversations.flows import staff_tools
from conversations.flows.outbound import NoLine, NotYours, line_spoken_on, live_call
from conversations.inbox.actions import changed, refused_with
from conversations.inbox.doors import AgentRequest, for_agents
from conversations.inbox.tool_forms import ToolForm
from conversations.inbox.views import readable
from conversations.models import ActionItem, Conversation, EntryPoint
from conversations.models.identifier import Assurance
from conversations.reading.wording import unmarked
from conversations.selectors import access
from conversations.services import delivery, facts

TAKES_PAYMENT = frozenset({"promise_to_pay"})
"""Tools in whose step a customer may give the number of a card."""
CURRENCY: Final = "currency"
AMOUNTS: Final = frozenset({"total", "left_to_pay", "amount"})
"""What of a result is money, in the currency that the result names."""


@dataclass(frozen=True, slots=True)
class Row:
    """One thing that a tool found, as pairs of what it is called and how it reads; or only words."""

    pairs: list[tuple[str, str]]


@never_cache
@require_safe
@for_agents
def choose(request: AgentRequest, public_id: UUID) -> HttpResponse:
    """The tools that this agent may use here."""
    found = readable(request, public_id)
    try:
        tools = staff_tools.offered(found, request.agent)
    except (NotYours, NoLine) as refused:
        return refused_with(refused)
    groups = {"doing": [tool for tool in tools if tool.changes], "looking": [tool for tool in tools if not tool.changes]}
    return render(request, "inbox/tools.html", {"conversation": found, **groups})


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@for_agents
def use(request: AgentRequest, public_id: UUID, name: str) -> HttpResponse:
    """The form of one tool; POST runs it and shows what came of it. Sending it again with the same `client_id` changes nothing."""
    found = readable(request, public_id)
    try:
        tool, context = staff_tools.tool_for(found, request.agent, name)
        region = EntryPoint.objects.get(interactions=context.interaction).default_region
        if name in TAKES_PAYMENT and request.method != "POST":
            _pause_recording(found, request.agent.display_name)
        form = ToolForm(tool, context, region=region, data=request.POST if request.method == "POST" else None)
        if not form.is_valid():
            return _form(request, found, form)
        used = staff_tools.use(found, request.agent, name, form.arguments(), client_id=form.client_key)
    except (NotYours, NoLine) as refused:
        return refused_with(refused)
    except KeyError:
        raise Http404 from None
    except staff_tools.NotDone as refused:
        form.add_error(None, str(refused))
        return _form(request, found, form)
    answer = render(
        request,
        "inbox/tool_result.html",
        {"conversation": found, "tool": tool, "sentence": used.sentence, "rows": _rows(tool, used.result), "proven": _is_proven(found)},
    )
    answer["HX-Trigger"] = "inbox:changed"
    return answer


@require_POST
@for_agents
def finish_item(request: AgentRequest, item_id: UUID) -> HttpResponse:
    """Something that was to be done is done."""
    item = ActionItem.objects.select_related("conversation", "owner").filter(public_id=item_id).first()
    if item is None:
        raise Http404
    readable(request, item.conversation.public_id)
    staff_tools.finish_item(item, request.agent)
    return changed()


def _pause_recording(conversation: Conversation, by: str) -> None:
    """A card's number may be given in the next moments: the recording of the call pauses until the agent goes on with it."""
    call = live_call(conversation)
    if call is not None:
        delivery.pause_recording(call, by=by, why="payment")


def _form(request: AgentRequest, conversation: Conversation, form: ToolForm) -> HttpResponse:
    asked = {"conversation": conversation, "form": form, "tool": form.tool, "proven": _is_proven(conversation)}
    return render(request, "inbox/tool.html", asked, status=422 if form.is_bound else 200)


def _is_proven(conversation: Conversation) -> bool:
    line = line_spoken_on(conversation)
    return line is not None and access.assurance_of(line) == Assurance.VERIFIED


def _rows(tool: Tool, result: Mapping[str, Any]) -> list[Row]:
    """What a tool answered, to be read: each thing of a list by itself, everything else and lists of words as one."""
    unshown, sign = tool.unshown | {CURRENCY}, str(result.get(CURRENCY, ""))
    rows, single = [], {}
    for name, value in result.items():
        things = [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []
        rows += [Row(_pairs(each, unshown, sign)) for each in things]
        if name not in unshown and not things:
            single[name] = ", ".join(map(str, value)) if isinstance(value, list) else value
    pairs = _pairs(single, unshown, sign)
    return [*rows, *([Row(pairs)] if pairs else [])]


def _pairs(values: Mapping[str, Any], unshown: frozenset[str], sign: str) -> list[tuple[str, str]]:
    hidden = unshown | ({"state"} if "state_name" in values else set())
    shown = {name: _readable(name, value, sign) for name, value in values.items() if name not in hidden}
    return [(name.removesuffix("_name").replace("_", " ").capitalize(), text) for name, text in shown.items() if text]


def _readable(name: str, value: Any, sign: str) -> str:
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, float):
        return f"{value:.2f}"
    text = str(value)
    if name in AMOUNTS and text:
        return f"{sign}{text}"
    if name in ("phone", "text"):
        return facts.phone(text) if name == "phone" else unmarked(text)
    moment: datetime | None = parse_datetime(text) if "T" in text and len(text) > 15 else None
    if moment is not None and moment.tzinfo is not None:
        return date_format(localtime(moment), "D j M Y, H:i")
    day = parse_date(text) if len(text) == 10 else None
    return date_format(day, "D j M Y") if day else text
