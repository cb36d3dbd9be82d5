"""The dialog in which an agent finds out who the customer is."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from conversations.flows import identifying
from conversations.flows.outbound import NotYours
from conversations.inbox.doors import AgentRequest, for_agents
from conversations.inbox.forms import AttestForm, CodeForm, SendCodeForm
from conversations.inbox.views import readable
from conversations.models import Conversation
from conversations.models.entry_point import Channel
from conversations.selectors import access
from conversations.services import verifying


@require_http_methods(["GET", "HEAD", "POST"])
@for_agents
def verify(request: AgentRequest, public_id: UUID) -> HttpResponse:
    """The dialog; POST with `step` send, check or attest does one thing and shows what follows, or 204 when it is settled."""
    conversation = readable(request, public_id)
    if request.method != "POST":
        return _dialog(request, conversation)
    steps = {"send": _send, "check": _check, "attest": _attest}
    step = steps.get(request.POST.get("step", ""))
    if step is None:
        return HttpResponse(_("Choose one of the ways."), status=422, content_type="text/plain; charset=utf-8")
    try:
        return step(request, conversation)
    except (NotYours, identifying.CannotVerify) as refused:
        return HttpResponse(str(refused), status=409, content_type="text/plain; charset=utf-8")


def _send(request: AgentRequest, conversation: Conversation) -> HttpResponse:
    form = SendCodeForm(conversation.customer, request.POST)
    if not form.is_valid():
        return _dialog(request, conversation, send=form, status=422)
    identifying.send_code(conversation, request.agent, form.cleaned_data["identifier"])
    return _dialog(request, conversation)


def _check(request: AgentRequest, conversation: Conversation) -> HttpResponse:
    form = CodeForm(request.POST)
    if not form.is_valid():
        return _dialog(request, conversation, check=form, status=422)
    try:
        checked = identifying.check_code(conversation, request.agent, form.cleaned_data["code"])
    except identifying.NotWritten as refused:
        form.add_error("code", str(refused))
        return _dialog(request, conversation, check=form, status=422)
    if checked.is_right:
        return HttpResponse(status=204, headers={"HX-Trigger": "inbox:changed"})
    left = checked.tries_left
    wrong = ngettext("That is not the code. %(tries)d more try.", "That is not the code. %(tries)d more tries.", left)
    form.add_error("code", wrong % {"tries": left})
    return _dialog(request, conversation, check=form, status=422)


def _attest(request: AgentRequest, conversation: Conversation) -> HttpResponse:
    form = AttestForm(request.POST)
    if not form.is_valid():
        return _dialog(request, conversation, attest=form, status=422)
    identifying.attest(conversation, request.agent, form.cleaned_data["note"])
    return HttpResponse(status=204, headers={"HX-Trigger": "inbox:changed"})


def _dialog(
    request: AgentRequest,
    conversation: Conversation,
    *,
    send: SendCodeForm | None = None,
    check: CodeForm | None = None,
    attest: AttestForm | None = None,
    status: int = 200,
) -> HttpResponse:
    line = identifying.line_of_customer(conversation)
    context = {
        "conversation": conversation,
        "proofs": access.proofs_of(line).order_by("made_at", "pk") if line else [],
        "is_chat": line is not None and line.channel == Channel.CHAT,
        "code": verifying.live_code(line) if line else None,
        "send": send or SendCodeForm(conversation.customer),
        "check": check or CodeForm(),
        "attest": attest or AttestForm(),
    }
    return render(request, "inbox/verify.html", context, status=status)
