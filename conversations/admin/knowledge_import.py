"""Importing articles in the admin: a file is uploaded, shown what it would change, and imported when that was confirmed."""

from __future__ import annotations

import secrets
from typing import Any, Final

from django import forms
from django.contrib import messages
from django.core.cache import cache
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from conversations.connectors.price_conflicts import conflicts_in
from conversations.knowledge.belonging import problem_of_language
from conversations.knowledge.documents import UnreadableExport, read_upload
from conversations.knowledge.importing import ImportPlan, Options, PlanChanged, apply_import, plan_import
from conversations.models import KnowledgeArticle
from conversations.models.knowledge import Audience
from conversations.services import manager_log

MOST_MEGABYTES: Final = 10
KEPT_SECONDS: Final = 3600
MAY_IMPORT: Final = ("conversations.add_knowledgearticle", "conversations.change_knowledgearticle")


class UploadForm(forms.Form):
    """The file, and what holds for new articles where it does not say it."""

    file = forms.FileField(
        label=gettext_lazy("File"),
        help_text=gettext_lazy("Markdown (.md), a web page (.html), or a zip file of these, such as an export of your help pages."),
    )
    language = forms.CharField(
        label=gettext_lazy("Language"), max_length=10, initial="en", help_text=gettext_lazy("Of new articles that do not name theirs.")
    )
    audience = forms.ChoiceField(
        label=gettext_lazy("Audience"), choices=Audience.choices, help_text=gettext_lazy("Of new articles that do not name theirs.")
    )
    drafts = forms.BooleanField(
        label=gettext_lazy("Leave them as drafts"),
        required=False,
        help_text=gettext_lazy("Then each is published on its own page. Otherwise customers read them at once."),
    )

    def clean_language(self) -> str:
        """Refuses what articles are not searched in."""
        language = str(self.cleaned_data["language"]).strip()
        if problem := problem_of_language(language):
            raise forms.ValidationError(problem)
        return language

    def clean_file(self) -> Any:
        """Refuses what is too large to be looked at while somebody waits."""
        file = self.cleaned_data["file"]
        if file.size > MOST_MEGABYTES * 2**20:
            problem = _("This file is larger than %(most)d MB. Split it, or have it imported on the server.")
            raise forms.ValidationError(problem % {"most": MOST_MEGABYTES})
        return file


class KnowledgeImport:
    """The page at `import/`, for whoever may add and change articles."""

    admin_site: Any

    def get_urls(self) -> list[URLPattern]:
        name = "conversations_knowledgearticle_import"
        own: list[URLPattern] = super().get_urls()  # type: ignore[misc]
        return [path("import/", self.admin_site.admin_view(self.import_page), name=name), *own]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """With a way to the import for those who may."""
        context = {**(extra_context or {}), "may_import": request.user.has_perms(MAY_IMPORT)}
        found: HttpResponse = super().changelist_view(request, context)  # type: ignore[misc]
        return found

    def import_page(self, request: HttpRequest) -> HttpResponse:
        """Asks for a file, shows what it would do, does it."""
        if not request.user.has_perms(MAY_IMPORT):
            raise PermissionDenied
        if "confirm" in request.POST:
            return self._confirmed(request)
        form = UploadForm(request.POST or None, request.FILES or None)
        if request.method != "POST" or not form.is_valid():
            return self._page(request, {"form": form})
        asked = form.cleaned_data
        kept = {"name": asked["file"].name, "data": asked["file"].read(), "drafts": asked["drafts"]}
        kept |= {"language": asked["language"], "audience": asked["audience"]}
        try:
            plan = plan_import(read_upload(kept["name"], kept["data"]), Options(kept["language"], kept["audience"]))
        except UnreadableExport as problem:
            form.add_error("file", str(problem))
            return self._page(request, {"form": form})
        token = secrets.token_urlsafe(24)
        cache.set(_key(request, token), kept, KEPT_SECONDS)
        return self._page(request, {"plan": plan, "token": token, "drafts": kept["drafts"], "name": kept["name"]})

    def _confirmed(self, request: HttpRequest) -> HttpResponse:
        kept = cache.get(_key(request, request.POST.get("confirm", "")[:100]))
        if not kept:
            messages.error(request, _("The uploaded file was kept for an hour and is gone now. Upload it again."))
            return redirect("admin:conversations_knowledgearticle_import")
        documents, how = read_upload(kept["name"], kept["data"]), Options(kept["language"], kept["audience"])
        by, fingerprint = request.user.get_username(), request.POST.get("fingerprint", "-")
        try:
            plan = apply_import(documents, how, by=by, drafts=kept["drafts"], fingerprint=fingerprint)
        except PlanChanged:
            messages.warning(request, _("The articles have changed meanwhile. This is what the import would do now."))
            shown = {"plan": plan_import(documents, how), "token": request.POST["confirm"], "drafts": kept["drafts"], "name": kept["name"]}
            return self._page(request, shown)
        cache.delete(_key(request, request.POST["confirm"]))
        done = _told(plan)
        manager_log.note(request.user, KnowledgeArticle, done)
        messages.success(request, done)
        return redirect("admin:conversations_knowledgearticle_changelist")

    def _page(self, request: HttpRequest, values: dict[str, Any]) -> HttpResponse:
        if plan := values.get("plan"):
            values["rows"] = [(row, [] if row.problem else conflicts_in(str(dict(row.values).get("body", "")))) for row in plan.rows]
        context = {**self.admin_site.each_context(request), "opts": KnowledgeArticle._meta, "title": _("Import articles"), **values}
        return TemplateResponse(request, "admin/conversations/knowledge_import.html", context)


def _told(plan: ImportPlan) -> str:
    return _("Imported articles: %(added)d new, %(changed)d changed, %(left)d left as they are, %(refused)d refused.") % {
        "added": plan.added, "changed": plan.changed, "left": plan.left, "refused": plan.refused,
    }  # fmt: skip


def _key(request: HttpRequest, token: str) -> str:
    return f"knowledge-import:{request.user.pk}:{token}"
