"""Help for whoever writes: a suggested reply with its sources, rewriting, what was asked and said, and thumbs for drafts.

Nothing here reaches a customer: what is suggested goes into the field, and a person sends it.
"""

from uuid import UUID

from django import forms
from django.http import Http404, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from conversations.assistant import copilot
from conversations.assistant.writing.base import STYLES
from conversations.assistant.writing.choice import choose_writer
from conversations.flows import outbound
from conversations.inbox import placeholders
from conversations.inbox.actions import wrong
from conversations.inbox.doors import AgentRequest, for_agents
from conversations.inbox.forms import LONGEST_MESSAGE
from conversations.inbox.views import line_asked, readable
from conversations.models import DraftReview, Entry
from conversations.services import roll_out


class RewriteForm(forms.Form):
    """What is to be rewritten, and how."""

    text = forms.CharField(
        max_length=LONGEST_MESSAGE, strip=False, error_messages={"required": _("Write something first; then it can be rewritten.")}
    )
    style = forms.ChoiceField(error_messages={"invalid_choice": _("This way of rewriting is not there now.")})
    line = forms.UUIDField(required=False)

    def __init__(self, data: object, *, styles: tuple[str, ...]) -> None:
        super().__init__(data)  # type: ignore[arg-type]  # a request's POST
        self.fields["style"].choices = [(style, style) for style in styles]  # type: ignore[attr-defined]


class JudgeForm(forms.Form):
    """What an agent thinks of a draft."""

    seq = forms.IntegerField(min_value=1, max_value=2**31 - 1)
    verdict = forms.ChoiceField(choices=DraftReview.Verdict.choices)


@never_cache
@require_safe
@for_agents
def show(request: AgentRequest, public_id: UUID) -> HttpResponse:
    """The panel: a suggestion, ways of rewriting, what was asked and said, what it is about."""
    found = readable(request, public_id)
    line = outbound.chosen_line(found, line_asked(request))
    styles = [(style, label) for style, label in STYLES.items() if style in choose_writer().styles]
    return render(request, "inbox/copilot.html", {"conversation": found, "help": copilot.help_with(found, line), "styles": styles})


@require_POST
@for_agents
def rewrite(request: AgentRequest, public_id: UUID) -> HttpResponse:
    """What was written, in another style; placeholders are filled in by what the party of the line may be told."""
    found = readable(request, public_id)
    form = RewriteForm(request.POST, styles=choose_writer().styles)
    if not form.is_valid():
        return wrong(form)
    line = outbound.chosen_line(found, form.cleaned_data["line"])
    known = placeholders.known_of(found, request.agent, line)
    again = copilot.rewrite(found, line, form.cleaned_data["text"], form.cleaned_data["style"], known)
    note = str(_("It could not be written again just now, so it was only tidied up.")) if again.fell_back else ""
    return JsonResponse({"text": again.text[:LONGEST_MESSAGE], "note": note})


@require_POST
@for_agents
def judge(request: AgentRequest, public_id: UUID) -> HttpResponse:
    """Keeps whether an agent would have sent a draft of the AI agent."""
    found, form = readable(request, public_id), JudgeForm(request.POST)
    if not form.is_valid():
        return wrong(form)
    draft = Entry.objects.filter(conversation=found, seq=form.cleaned_data["seq"], kind="draft").first()
    if draft is None:
        raise Http404
    try:
        roll_out.judge(draft, request.agent, form.cleaned_data["verdict"])
    except DraftReview.DoesNotExist:
        raise Http404 from None
    return HttpResponse(status=204)
