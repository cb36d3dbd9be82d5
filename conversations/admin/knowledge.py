"""Knowledge: what the AI agent may answer with."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from conversations.knowledge.ingest import ingest
from conversations.models import KnowledgeArticle, PriceListItem
from routing.admin.explained import Explained


@admin.register(KnowledgeArticle)
class KnowledgeArticleAdmin(Explained, admin.ModelAdmin):
    help_texts = {
        "title": _("As customers read it above the article and under an answer."),
        "slug": _("The end of its address: small letters, digits and hyphens."),
        "published": _("Only published articles are shown and answered from."),
        "reason": _("What customers who need it come for. Empty: any reason."),
        "language": _("Two letters, such as en."),
    }
    list_display = ("title", "reason", "language", "published", "passage_count", "updated_at")
    list_filter = ("published", "language", "reason")
    list_select_related = ("reason",)
    search_fields = ("title", "body", "slug")
    prepopulated_fields = {"slug": ("title",)}
    fieldsets = (
        (None, {"fields": ("title", "slug", "body", "published")}),
        (
            _("Where it belongs"),
            {
                "fields": ("reason", "url", "language"),
                "description": _("The AI agent names the address as its source. Articles of the recognised reason come first."),
            },
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[KnowledgeArticle]:
        articles: QuerySet[KnowledgeArticle] = super().get_queryset(request)
        return articles.annotate(number_of_passages=Count("passages"))

    def save_model(self, request: HttpRequest, obj: KnowledgeArticle, form: Any, change: bool) -> None:
        """Saves the article and makes its passages anew when what they are made of has changed, or there are none."""
        super().save_model(request, obj, form, change)
        if {"title", "body"} & set(form.changed_data) or not obj.passages.exists():
            number = ingest(obj)
            messages.info(request, _("The AI agent finds it in %(number)s passages from now on.") % {"number": number})

    @admin.display(description=_("Passages"), ordering="number_of_passages")
    def passage_count(self, article: Any) -> int:
        return int(article.number_of_passages)


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
