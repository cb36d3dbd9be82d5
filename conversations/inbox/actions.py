"""What agents do in the inbox: each view checks a form, calls one flow and answers.

An action that cannot be done answers 409 with the reason as a sentence; what was sent wrongly, 422.
"""

from uuid import UUID

from django.forms import Form
from django.http import Http404, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from conversations.assistant import recap
from conversations.flows import calling_customers, outbound, supervising, takeover
from conversations.inbox import pane
from conversations.inbox.doors import AgentRequest, for_agents
from conversations.inbox.forms import CloseForm, ConsentForm, PreferenceForm, PresenceForm, SayForm, TransferForm
from conversations.inbox.views import readable
from conversations.models import Consent, Conversation
from conversations.models.consent import Purpose
from conversations.models.identifier import Assurance
from conversations.selectors.consent import preference_of
from conversations.services import chat_links, consent, delivery, handoff
from conversations.services.consent import Said
from routing.models import AwayReason, DispositionCode
from routing.selectors.board import who_has_room
from routing.services import presence as presence_service
from routing.services import reservations


@require_POST
@for_agents
def say(request: AgentRequest, public_id: UUID) -> HttpResponse:
    """Says something to the customer. Sending it again with the same `client_id` changes nothing."""
    found, form = readable(request, public_id), SayForm(request.POST)
    if not form.is_valid():
        return wrong(form)
    try:
        appended = outbound.say_as_agent(
            found, request.agent, form.cleaned_data["text"], client_id=form.cleaned_data["client_id"], line=form.cleaned_data["line"]
        )
    except (outbound.NotYours, outbound.NoLine) as refused:
        return refused_with(refused)
    return JsonResponse({"seq": appended.seq}, status=200 if appended.repeated else 201)


@require_POST
@for_agents
def note(request: AgentRequest, public_id: UUID) -> HttpResponse:
    """Adds a note that only colleagues see."""
    found, form = readable(request, public_id), SayForm(request.POST)
    if not form.is_valid():
        return wrong(form)
    appended = outbound.add_note(found, request.agent, form.cleaned_data["text"], client_id=form.cleaned_data["client_id"])
    return JsonResponse({"seq": appended.seq}, status=200 if appended.repeated else 201)


@require_POST
@for_agents
def accept(request: AgentRequest, reservation_id: int) -> HttpResponse:
    """Takes an offer and opens its conversation; for a call back the agent's phone rings."""
    try:
        taken = calling_customers.accept(reservation_id, request.agent)
    except reservations.ReservationGone as refused:
        return refused_with(refused)
    return opened(taken)


@require_POST
@for_agents
def decline(request: AgentRequest, reservation_id: int) -> HttpResponse:
    """Lets an offer go to somebody else."""
    try:
        reservations.reject(reservation_id, request.agent)
    except reservations.ReservationGone as refused:
        return refused_with(refused)
    return changed()


@require_POST
@for_agents
def take_over(request: AgentRequest, public_id: UUID) -> HttpResponse:
    """Takes a conversation that was not offered."""
    found = readable(request, public_id)
    try:
        takeover.take_over(found, request.agent)
    except (outbound.NotYours, reservations.NoCapacity) as refused:
        return refused_with(refused)
    return changed()


@require_POST
@for_agents
def connect(request: AgentRequest, public_id: UUID) -> HttpResponse:
    """Has the live call connected to the agent's phone."""
    found = readable(request, public_id)
    try:
        outbound.connect_call(found, request.agent)
    except (outbound.NotYours, delivery.CannotConnect) as refused:
        return refused_with(refused)
    return changed()


@require_POST
@for_agents
def call(request: AgentRequest, public_id: UUID) -> HttpResponse:
    """Rings the agent's phone, and then the customer's."""
    found = readable(request, public_id)
    try:
        calling_customers.call_now(found, request.agent)
    except (outbound.NotYours, delivery.CannotConnect) as refused:
        return refused_with(refused)
    return changed()


@require_POST
@for_agents
def text_link(request: AgentRequest, public_id: UUID) -> HttpResponse:
    """Texts the caller a link to the web chat."""
    found = readable(request, public_id)
    try:
        outbound.text_chat_link(found, request.agent)
    except (outbound.NotYours, outbound.NoLine, chat_links.NoLink) as refused:
        return refused_with(refused)
    return changed()


@require_http_methods(["GET", "HEAD", "POST"])
@for_agents
def transfer(request: AgentRequest, public_id: UUID) -> HttpResponse:
    """Passes a conversation to a queue or a colleague; GET answers the form for the dialog."""
    found = readable(request, public_id)
    colleagues = who_has_room(handoff.kind_of_work(found)).exclude(pk=request.agent.pk)
    form = TransferForm(colleagues, request.POST if request.method == "POST" else None)
    if form.is_valid():
        chosen = form.cleaned_data
        try:
            if chosen["agent"]:
                takeover.transfer_to_agent(found, request.agent, chosen["agent"], chosen["note"])
            else:
                takeover.transfer(found, request.agent, chosen["queue"], chosen["note"])
        except (outbound.NotYours, supervising.CannotSteer) as refused:
            return refused_with(refused)
        return changed()
    return render(request, "inbox/transfer.html", {"conversation": found, "form": form}, status=422 if form.is_bound else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@for_agents
def close(request: AgentRequest, public_id: UUID) -> HttpResponse:
    """Ends a conversation with its outcome; GET answers the form for the dialog."""
    found = readable(request, public_id)
    needs_outcome = takeover.needs_outcome(found)
    if request.method == "POST":
        form = CloseForm(request.POST, needs_outcome=needs_outcome)
    else:
        suggested = recap.suggested_for(found)
        outcome = DispositionCode.objects.filter(code=suggested.code, active=True).first() if suggested.code else None
        form = CloseForm(None, needs_outcome=needs_outcome, suggested=outcome, because=suggested.because)
    if form.is_valid():
        chosen = form.cleaned_data
        try:
            takeover.close(found, request.agent, chosen["disposition"], chosen["note"], suggested=chosen["suggested"])
        except (outbound.NotYours, takeover.OutcomeMissing) as refused:
            return refused_with(refused)
        return changed()
    return render(request, "inbox/close.html", {"conversation": found, "form": form}, status=422 if form.is_bound else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@for_agents
def set_consent(request: AgentRequest, public_id: UUID, purpose: str) -> HttpResponse:
    """Keeps what the customer told an agent about one purpose; GET answers the form for the dialog."""
    found = readable(request, public_id)
    if purpose not in Purpose.values:
        raise Http404
    scopes, lines = pane.scopes_of(found, purpose), pane.spoken_lines(found)
    form = ConsentForm(request.POST if request.method == "POST" else None, purpose=Purpose(purpose), scopes=scopes, lines=lines)
    if form.is_valid():
        spoken_on = form.line_chosen()
        said = Said(
            given_by=Consent.GivenBy.AGENT,
            how=form.cleaned_data["how"],
            recorded_by=request.agent.display_name,
            assurance=spoken_on.assurance if spoken_on else Assurance.CLAIMED,
            interaction=spoken_on.line if spoken_on else None,
            conversation_id=found.pk,
            note=form.cleaned_data["note"],
        )
        way, identifier = form.scope_chosen()
        decision, words = form.cleaned_data["decision"], form.words()
        consent.record(
            found.customer, purpose=purpose, decision=decision, said=said, way=way, identifier=identifier, wording=words
        )
        return changed()
    asked = {"conversation": found, "form": form, "purpose": Purpose(purpose)}
    return render(request, "inbox/consent.html", asked, status=422 if form.is_bound else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@for_agents
def set_preference(request: AgentRequest, public_id: UUID) -> HttpResponse:
    """Keeps how the customer likes to be reached; GET answers the form for the dialog."""
    found = readable(request, public_id)
    kept = preference_of(found.customer)
    initial = {"way": kept.way, "times": kept.times, "language": kept.language} if kept else None
    form = PreferenceForm(request.POST if request.method == "POST" else None, initial=initial)
    if form.is_valid():
        consent.prefer(found.customer, **form.cleaned_data, updated_by=request.agent.display_name)
        return changed()
    return render(request, "inbox/preference.html", {"conversation": found, "form": form}, status=422 if form.is_bound else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@for_agents
def presence(request: AgentRequest) -> HttpResponse:
    """Changes whether work is offered to this agent; GET answers the dialog with the reasons for being away."""
    form = PresenceForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        presence_service.set_state(request.agent, form.cleaned_data["state"], form.reason())
        return changed()
    if form.is_bound and "state" in form.errors:
        return wrong(form)
    shown = {"form": form, "reasons": AwayReason.objects.filter(active=True)}
    return render(request, "inbox/presence.html", shown, status=422 if form.is_bound else 200)


def opened(conversation: Conversation) -> HttpResponse:
    """Nothing to show by itself; the page opens the conversation, and asks anew for what may have changed."""
    address = reverse("inbox:conversation", args=[conversation.public_id])
    return HttpResponse(status=204, headers={"HX-Trigger": "inbox:changed", "X-Open": address})


def changed() -> HttpResponse:
    """Nothing to show by itself; the page asks anew for what may have changed."""
    return HttpResponse(status=204, headers={"HX-Trigger": "inbox:changed"})


def refused_with(refused: Exception) -> HttpResponse:
    return HttpResponse(str(refused), status=409, content_type="text/plain; charset=utf-8")


def wrong(form: Form) -> HttpResponse:
    sentences = " ".join(str(error) for errors in form.errors.values() for error in errors)
    return HttpResponse(sentences, status=422, content_type="text/plain; charset=utf-8")
