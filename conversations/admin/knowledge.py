"""Knowledge: what the AI agent may answer with, in versions, and what customers ask that it has no answer to."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from conversations.admin.knowledge_import import KnowledgeImport
from conversations.assistant.outgoing.instructions import orders_in
from conversations.knowledge import belonging
from conversations.knowledge.ingest import ingest
from conversations.knowledge.publishing import Published, publish
from conversations.models import KnowledgeArticle, KnowledgeVersion, PriceListItem, UnansweredQuestion
from conversations.models.knowledge import CONTENT, Audience
from conversations.selectors import questions
from conversations.selectors.articles import due_for_review
from conversations.services import articles
from conversations.services.articles import Content
from routing.admin.explained import Explained
from routing.admin.read_only import ReadOnlyAdmin

NEXT_REVIEW = timedelta(days=182)
PLACE = ("slug", "url", "reason", "language", "review_by")


class ArticleForm(forms.ModelForm):
    """What is written of an article: its draft when there is one, otherwise what is published."""

    class Meta:
        model = KnowledgeArticle
        fields = (*CONTENT, *PLACE)
        widgets = {"asked_as": forms.Textarea(attrs={"rows": 4})}

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        if self.instance.pk:
            content = articles.content_to_edit(self.instance)
            self.initial.update({name: getattr(content, name) for name in CONTENT})

    def clean_url(self) -> str:
        address = str(self.cleaned_data["url"]).strip()
        if problem := belonging.problem_of_address(address):
            raise forms.ValidationError(problem)
        return address

    def clean_language(self) -> str:
        language = str(self.cleaned_data["language"]).strip()
        if problem := belonging.problem_of_language(language):
            raise forms.ValidationError(problem)
        return language

    def clean(self) -> dict[str, Any]:
        found: dict[str, Any] = super().clean() or self.cleaned_data
        # Browsers end lines in their own way, which would make every saving a change.
        found |= {name: found[name].replace("\r\n", "\n") for name in ("body", "asked_as") if name in found}
        if found.get("valid_from") and found.get("valid_until") and found["valid_until"] < found["valid_from"]:
            self.add_error("valid_until", _("Choose a day on or after the first one."))
        return found


def _answered_when(article: KnowledgeArticle) -> str:
    """Who is answered from a published article, and from when on."""
    today = timezone.localdate()
    if article.audience == Audience.STAFF:
        return str(_("Staff find it; customers are never answered from it."))
    if article.valid_until and article.valid_until < today:
        return str(_("Nobody is answered from it: it was valid until %(date)s.")) % {"date": date_format(article.valid_until)}
    if article.valid_from and article.valid_from > today:
        return str(_("The AI agent answers from it from %(date)s on.")) % {"date": date_format(article.valid_from)}
    if article.audience == Audience.VERIFIED:
        return str(_("The AI agent answers from it from now on, whoever has shown who they are."))
    return str(_("The AI agent answers from it from now on."))


class ReviewFilter(admin.SimpleListFilter):
    """Articles that somebody should read again."""

    title = _("review")
    parameter_name = "review"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("due", _("Due now or within two weeks")), ("none", _("No date"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[KnowledgeArticle]) -> QuerySet[KnowledgeArticle]:
        if self.value() == "due":
            return queryset.filter(pk__in=due_for_review().values("pk"))
        return queryset.filter(review_by=None) if self.value() == "none" else queryset


@admin.register(KnowledgeArticle)
class KnowledgeArticleAdmin(KnowledgeImport, Explained, admin.ModelAdmin):
    form = ArticleForm
    change_form_template = "admin/conversations/article_page.html"
    change_list_template = "admin/conversations/article_list.html"
    help_texts = {
        "title": _("As customers read it above the article and under an answer."),
        "slug": _("The end of its address: small letters, digits and hyphens."),
        "audience": _("Nobody else is answered from it, whatever they ask."),
        "reason": _("What customers who need it come for. Empty: any reason."),
        "language": _("Two letters, such as en."),
    }
    list_display = ("title", "reason", "language", "audience", "state", "warning", "review", "passage_count", "updated_at")
    list_filter = ("published", ReviewFilter, "audience", "language", "reason")
    list_select_related = ("reason",)
    search_fields = ("title", "body", "slug")
    prepopulated_fields = {"slug": ("title",)}
    fieldsets = (
        (None, {"fields": ("title", "slug", "body", "asked_as")}),
        (_("Who reads it, and when"), {"fields": ("audience", "valid_from", "valid_until", "review_by")}),
        (
            _("Where it belongs"),
            {
                "fields": ("reason", "url", "language"),
                "description": _("The AI agent names the address as its source. Articles of the recognised reason come first."),
            },
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[KnowledgeArticle]:
        found: QuerySet[KnowledgeArticle] = super().get_queryset(request)
        return found.annotate(number_of_passages=Count("passages", distinct=True)).prefetch_related("versions")

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """An article that is written for a question has the customers' words in it."""
        question = _question_of(request)
        return questions.article_for(question) if question else dict(super().get_changeform_initial_data(request))

    def has_delete_permission(self, request: HttpRequest, obj: KnowledgeArticle | None = None) -> bool:
        """What was published once is withdrawn and not deleted."""
        was_read = obj is not None and any(version.status != KnowledgeVersion.Status.DRAFT for version in obj.versions.all())
        return bool(super().has_delete_permission(request, obj)) and not was_read

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """No deleting of many at once, since most may not be deleted."""
        return {name: action for name, action in super().get_actions(request).items() if name != "delete_selected"}

    def save_model(self, request: HttpRequest, obj: KnowledgeArticle, form: Any, change: bool) -> None:
        """Keeps a draft; with the button for it, publishes it."""
        content = Content(**{name: form.cleaned_data[name] for name in CONTENT})
        articles.write(obj, content, by=request.user.get_username())
        if orders_in(content.title, content.body):
            found = _("Something in it speaks to an AI as if to give it an order. It is cut from every answer; see below.")
            messages.warning(request, found)
        if "_publish" in request.POST:
            self._tell(request, publish(obj), obj)
        elif obj.published and "language" in form.changed_data:
            ingest(obj)

    def response_add(self, request: HttpRequest, obj: KnowledgeArticle, post_url_continue: str | None = None) -> HttpResponse:
        """Whoever wrote an article for a question goes back to the questions."""
        if "_publish" in request.POST and _question_of(request) is not None:
            return redirect("admin:conversations_unansweredquestion_changelist")
        return super().response_add(request, obj, post_url_continue)

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **options: Any) -> HttpResponse:
        """Beside the form: the versions, and the questions that it is written for."""
        article, question = options.get("obj"), _question_of(request)
        versions = list(article.versions.all()) if article else []
        context |= {
            "versions": versions,
            "draft": next((each for each in versions if each.status == KnowledgeVersion.Status.DRAFT), None),
            "current": next((each for each in versions if each.status == KnowledgeVersion.Status.PUBLISHED), None),
            "asked": questions.of_group(question.group) if question else None,
            "orders": _orders(article, versions) if article else [],
            "next_review": timezone.localdate() + NEXT_REVIEW,
        }
        return super().render_change_form(request, context, *args, **options)

    def get_urls(self) -> list[URLPattern]:
        return [
            path("<int:number>/withdraw/", self.admin_site.admin_view(self.withdraw), name="conversations_knowledgearticle_withdraw"),
            path("<int:number>/reviewed/", self.admin_site.admin_view(self.reviewed), name="conversations_knowledgearticle_reviewed"),
            *super().get_urls(),
        ]

    @method_decorator(require_POST)
    def withdraw(self, request: HttpRequest, number: int) -> HttpResponseRedirect:
        """Takes an article out of answers and off the help pages."""
        article = self._article(request, number)
        articles.withdraw(article)
        self.log_change(request, article, _("Withdrawn."))
        messages.success(request, _("Withdrawn. Nobody is answered from it; its versions are kept."))
        return redirect("admin:conversations_knowledgearticle_change", number)

    @method_decorator(require_POST)
    def reviewed(self, request: HttpRequest, number: int) -> HttpResponseRedirect:
        """Notes that somebody has read it and found it right."""
        article, again = self._article(request, number), timezone.localdate() + NEXT_REVIEW
        articles.reviewed(article, next_by=again)
        self.log_change(request, article, _("Read and found right."))
        messages.success(request, _("Noted. It is due again on %(date)s.") % {"date": again})
        return redirect("admin:conversations_knowledgearticle_change", number)

    def _article(self, request: HttpRequest, number: int) -> KnowledgeArticle:
        if not request.user.has_perm("conversations.change_knowledgearticle"):
            raise PermissionDenied
        return get_object_or_404(KnowledgeArticle, pk=number)

    def _tell(self, request: HttpRequest, done: Published, article: KnowledgeArticle) -> None:
        if done.is_new:
            number = done.ingested.passages
            told = ngettext("Published in %(number)d passage.", "Published in %(number)d passages.", number) % {"number": number}
            messages.success(request, f"{told} {_answered_when(article)}")
        else:
            messages.info(request, _("Nothing of what it says has changed, so it stays the same version."))
        if done.answered:
            answered = ngettext(
                "It answers %(number)d question that nobody could answer.",
                "It answers %(number)d questions that nobody could answer.",
                done.answered,
            )
            messages.success(request, answered % {"number": done.answered})
        question = _question_of(request)
        left = questions.of_group(question.group).count() if question else 0
        if left:
            still = ngettext(
                "%(number)d question is still not answered by it. Add it to “asked as” in the customer's words.",
                "%(number)d questions are still not answered by it. Add them to “asked as” in the customers' words.",
                left,
            )
            messages.warning(request, still % {"number": left})

    @admin.display(description=_("State"), ordering="published")
    def state(self, article: KnowledgeArticle) -> SafeString:
        """Published, draft or withdrawn, and whether a draft waits beside what is published."""
        versions = list(article.versions.all())
        if article.published:
            waits = any(version.status == KnowledgeVersion.Status.DRAFT for version in versions)
            badge = format_html('<span class="badge badge-ok">{}</span>', _("Published"))
            return format_html('{} <span class="badge badge-warn">{}</span>', badge, _("Draft waits")) if waits else badge
        was_read = any(version.status != KnowledgeVersion.Status.DRAFT for version in versions)
        kind, text = ("badge", _("Withdrawn")) if was_read else ("badge badge-warn", _("Draft"))
        return format_html('<span class="{}">{}</span>', kind, text)

    @admin.display(description=_("Orders to an AI"))
    def warning(self, article: KnowledgeArticle) -> SafeString | str:
        """Whether something in it, or in its draft, speaks to a machine: it is cut from every answer."""
        found = _orders(article, list(article.versions.all()))
        return format_html('<span class="badge badge-danger" title="{}">{}</span>', found[0], _("Look at it")) if found else ""

    @admin.display(description=_("Review by"), ordering="review_by")
    def review(self, article: KnowledgeArticle) -> Any:
        """The date, marked when it is past."""
        if article.review_by and article.published and article.review_by <= timezone.localdate():
            return format_html('<span class="badge badge-danger">{}</span>', article.review_by)
        return article.review_by

    @admin.display(description=_("Passages"), ordering="number_of_passages")
    def passage_count(self, article: Any) -> int:
        return int(article.number_of_passages)


def _orders(article: KnowledgeArticle, versions: Sequence[KnowledgeVersion]) -> list[str]:
    """What of an article as it is read, and of its draft, speaks to a machine."""
    drafts = [version for version in versions if version.status == KnowledgeVersion.Status.DRAFT]
    return list(dict.fromkeys(orders_in(*(text for each in (article, *drafts) for text in (each.title, each.body)))))


@admin.register(KnowledgeVersion)
class KnowledgeVersionAdmin(ReadOnlyAdmin):
    """What an article said; reached from the article."""

    change_form_template = "admin/conversations/article_version_page.html"
    list_display = ("title", "number", "status", "made_by", "created_at", "published_at")
    list_filter = ("status",)
    search_fields = ("title", "body")
    fields = ("article", "number", "status", "made_by", "created_at", "published_at", *CONTENT)

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Reached from the article, so not in the lists."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: KnowledgeVersion | None = None) -> bool:
        """A draft is dropped; what was published stays."""
        is_draft = obj is not None and obj.status == KnowledgeVersion.Status.DRAFT
        return is_draft and request.user.has_perm("conversations.delete_knowledgeversion")

    def get_urls(self) -> list[URLPattern]:
        name = "conversations_knowledgeversion_restore"
        return [path("<int:number>/restore/", self.admin_site.admin_view(self.restore), name=name), *super().get_urls()]

    @method_decorator(require_POST)
    def restore(self, request: HttpRequest, number: int) -> HttpResponseRedirect:
        """Makes what a version says the draft of its article."""
        if not request.user.has_perm("conversations.change_knowledgearticle"):
            raise PermissionDenied
        version = get_object_or_404(KnowledgeVersion.objects.select_related("article"), pk=number)
        if articles.restore(version, by=request.user.get_username()):
            messages.success(request, _("This is the draft. Customers read it when you publish it."))
        else:
            messages.info(request, _("That is what is published already."))
        return redirect("admin:conversations_knowledgearticle_change", version.article_id)


@admin.register(PriceListItem)
class PriceListItemAdmin(Explained, admin.ModelAdmin):
    help_texts = {
        "name": _("As customers read and hear it."),
        "code": _("A short name of its own for it, such as boiler_service."),
        "description": _("What is included, in a sentence."),
        "price": _("With tax, in the company's currency."),
    }
    list_display = ("name", "price", "unit", "code")
    search_fields = ("name", "code", "description")


def _question_of(request: HttpRequest) -> UnansweredQuestion | None:
    """The question that an article is written for (`?question=`), for those who may see it."""
    asked = request.GET.get("question", "")
    if not (asked.isascii() and asked.isdecimal() and len(asked) < 19 and request.user.has_perm("conversations.view_unansweredquestion")):
        return None
    return UnansweredQuestion.objects.filter(pk=asked).first()


def write_address(question: UnansweredQuestion) -> str:
    """Where an article is written for a question."""
    return f"{reverse('admin:conversations_knowledgearticle_add')}?question={question.pk}"
