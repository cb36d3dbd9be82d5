"""Questions that nobody could answer: what customers asked in vain, most often asked first."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern, path, reverse
from django.utils.decorators import method_decorator
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from conversations.admin.knowledge import write_address
from conversations.knowledge.search import search
from conversations.models import KnowledgeArticle, UnansweredQuestion
from conversations.models.knowledge import Audience
from conversations.selectors import questions
from conversations.services import unanswered
from routing.admin.read_only import ReadOnlyAdmin

State = UnansweredQuestion.State
MOST_SHOWN = 100
MOST_KEPT = 3


def _kept_from(question: UnansweredQuestion) -> list[tuple[KnowledgeArticle, str]]:
    """The articles that seem to answer a question and are not for everybody, each with whom it is for."""
    hits = search(question.text, limit=MOST_KEPT, language=question.language, audiences=frozenset(Audience.values) - {Audience.PUBLIC})
    articles = KnowledgeArticle.objects.in_bulk({hit.article for hit in hits})
    return [(article, str(Audience(article.audience).label)) for article in articles.values()]


class StateFilter(admin.SimpleListFilter):
    """Open questions unless others are asked for."""

    title = _("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("answered", State.ANSWERED.label), ("dismissed", State.DISMISSED.label)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[UnansweredQuestion]) -> QuerySet[UnansweredQuestion]:
        return queryset.filter(state=self.value() or State.OPEN)

    def choices(self, changelist: Any) -> Any:
        """“Open” in place of “All”."""
        for number, choice in enumerate(super().choices(changelist)):
            yield choice | {"display": State.OPEN.label} if number == 0 else choice


@admin.register(UnansweredQuestion)
class UnansweredQuestionAdmin(ReadOnlyAdmin):
    change_form_template = "admin/conversations/question_page.html"
    list_display = ("question", "times_asked", "asked_last", "language", "asked_in", "why", "write")
    list_filter = (StateFilter, "language")
    search_fields = ("text",)
    fields = ("text", "language", "state", "article", "asked_at")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        found: QuerySet[Any] = super().get_queryset(request)
        if request.resolver_match and str(request.resolver_match.url_name).endswith("_changelist"):
            return questions.with_why(questions.groups(found)).order_by("-times", "-last_asked")
        return found

    def get_list_display(self, request: HttpRequest) -> tuple[str, ...]:
        """Without the way to write an article for those who may not."""
        may_write = request.user.has_perm("conversations.add_knowledgearticle")
        return self.list_display if may_write else self.list_display[:-1]

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **options: Any) -> HttpResponse:
        """With every question of the group and where it was asked."""
        question = options.get("obj")
        if question:
            same = questions.of_group(question.group, question.state)
            is_open = question.state == State.OPEN
            context |= {"same": same[:MOST_SHOWN], "times": same.count(), "write": write_address(question), "is_open": is_open}
            context["kept_from_them"] = _kept_from(question) if is_open else []
        return super().render_change_form(request, context, *args, **options)

    def get_urls(self) -> list[URLPattern]:
        return [
            path("<int:number>/dismiss/", self.admin_site.admin_view(self.dismiss), name="conversations_unansweredquestion_dismiss"),
            path("<int:number>/reopen/", self.admin_site.admin_view(self.reopen), name="conversations_unansweredquestion_reopen"),
            *super().get_urls(),
        ]

    @method_decorator(require_POST)
    def dismiss(self, request: HttpRequest, number: int) -> HttpResponseRedirect:
        """Takes a question and those like it off the list."""
        question = self._question(request, number)
        unanswered.dismiss(question.group)
        self.log_change(request, question, _("Dismissed."))
        messages.success(request, _("Off the list, and so are questions like it that will be asked."))
        return redirect("admin:conversations_unansweredquestion_changelist")

    @method_decorator(require_POST)
    def reopen(self, request: HttpRequest, number: int) -> HttpResponseRedirect:
        """Puts a question that was dismissed back on the list."""
        question = self._question(request, number)
        unanswered.reopen(question.group)
        self.log_change(request, question, _("Put back on the list."))
        return redirect("admin:conversations_unansweredquestion_changelist")

    def _question(self, request: HttpRequest, number: int) -> UnansweredQuestion:
        if not request.user.has_perm("conversations.change_unansweredquestion"):
            raise PermissionDenied
        return get_object_or_404(UnansweredQuestion, pk=number)

    @admin.display(description=_("Question"), ordering="text")
    def question(self, row: UnansweredQuestion) -> str:
        return row.text

    @admin.display(description=_("Times asked"), ordering="times")
    def times_asked(self, row: Any) -> int:
        return int(row.times)

    @admin.display(description=_("Asked last"), ordering="last_asked")
    def asked_last(self, row: Any) -> Any:
        return row.last_asked

    @admin.display(description=_("Asked in"))
    def asked_in(self, row: UnansweredQuestion) -> SafeString:
        """The newest conversations in which it was asked."""
        rows = questions.of_group(row.group, row.state)[: questions.EXAMPLES]
        asked_in = {each.conversation_id: each.conversation.customer for each in rows}
        links = ((reverse("admin:conversations_conversation_change", args=[number]), name) for number, name in asked_in.items())
        return format_html_join(", ", '<a href="{}">{}</a>', links)

    @admin.display(description=_("Why"), ordering="held_back")
    def why(self, row: Any) -> str:
        """What kept an answer back that there was; otherwise none was known."""
        return str(row.held_back or _("No answer was known."))

    @admin.display(description=_("Answer it"))
    def write(self, row: UnansweredQuestion) -> SafeString:
        return format_html('<a class="button" href="{}">{}</a>', write_address(row), _("Write an article"))
