"""Joining two customer records and taking it back: pairs to look at, the side-by-side preview, and the trail of who did what."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.decorators import method_decorator
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from conversations.models import Customer, CustomerLink, FieldConflict, MatchCandidate
from conversations.reading import evidence
from conversations.reading.waterfall import waterfall_of
from conversations.reading.wording import fact_label, fact_value, readable
from conversations.selectors import merge_preview, merge_trail
from conversations.services import candidates, merging, records, survivorship
from routing.admin.read_only import ReadOnlyAdmin

MAY_JOIN = "conversations.change_customer"
CHOICE = "choice."
"""What the names of the form's choices begin with; the field follows."""
FOUND_AT_MOST = 20


def trail_of(request: HttpRequest, customer: Customer) -> dict[str, Any]:
    """What the customer page shows of joinings: pairs to look at, differences to settle, and every link in and out."""
    return {
        "candidates": merge_trail.open_candidates(customer),
        "open_conflicts": [_as_read(each) for each in merge_trail.open_conflicts(customer)],
        "links": [_link_as_read(link) for link in merge_trail.links_of(customer)],
        "may_join": request.user.has_perm(MAY_JOIN),
    }


@admin.register(MatchCandidate)
class MatchCandidateAdmin(ReadOnlyAdmin):
    change_form_template = "admin/conversations/candidate_page.html"
    list_display = ("__str__", "how_sure", "state", "found_at", "settled_by")
    list_filter = ("state",)
    search_fields = ("customer__name", "other__name", "customer__identifiers__value", "other__identifiers__value")
    fields = ("state", "found_at", "settled_by", "settled_at")

    @admin.display(description=_("How alike"), ordering="score")
    def how_sure(self, candidate: MatchCandidate) -> str:
        return candidate.how_sure

    def get_queryset(self, request: HttpRequest) -> QuerySet[MatchCandidate]:
        return super().get_queryset(request).select_related("customer", "other", "settled_by")

    def get_urls(self) -> list[URLPattern]:
        settle = self.admin_site.admin_view(self.settle)
        return [path("<int:number>/settle/", settle, name="conversations_matchcandidate_settle"), *super().get_urls()]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        candidate = self.get_object(request, object_id)
        extra = self._page_of(request, candidate) if candidate else {}
        return super().change_view(request, object_id, form_url, {**extra, **(extra_context or {})})

    @method_decorator(require_POST)
    def settle(self, request: HttpRequest, number: int) -> HttpResponseRedirect:
        """Joins the two records or notes that they are different people."""
        _may_join(request)
        candidate = get_object_or_404(MatchCandidate, pk=number)
        decision = request.POST.get("decision")
        if decision not in ("join", "dismiss"):
            messages.warning(request, _("Choose one of the ways."))
            return redirect("admin:conversations_matchcandidate_change", number)
        try:
            if decision == "join":
                other_way = request.POST.get("into") == str(records.root_of(candidate.other).pk)
                link = candidates.join(candidate, request.user, other_way=other_way, choices=_choices(request.POST))
                messages.success(request, _("The two records count as one customer now. You can take it back on this page."))
                return redirect("admin:conversations_customerlink_change", link.pk)
            candidates.dismiss(candidate, request.user)
            messages.success(request, _("Noted as different people. The pair is not shown again."))
        except candidates.AlreadySettled as error:
            messages.warning(request, _("Somebody settled this pair already: %(state)s.") % {"state": error})
        except merging.OneRecordAlready:
            messages.warning(request, _("These two are one record already."))
        except merging.RecordErased as error:
            messages.warning(request, str(error))
        return redirect("admin:conversations_matchcandidate_changelist")

    def _page_of(self, request: HttpRequest, candidate: MatchCandidate) -> dict[str, Any]:
        """The two sides and what joining them would do, while nobody has settled it; a bounded number of statements."""
        into, joined = (records.root_of(each) for each in (candidate.customer, candidate.other))
        chosen = request.GET.get("into", "")
        if chosen == str(joined.pk) or (chosen != str(into.pk) and merge_preview.is_fuller(joined, into)):
            into, joined = joined, into
        page = {
            "evidence": evidence.told(candidate.evidence),
            "waterfall": waterfall_of(candidate.evidence),
            "open": candidate.state == MatchCandidate.State.OPEN,
            "may_settle": candidate.state == MatchCandidate.State.OPEN and request.user.has_perm(MAY_JOIN),
            "swap": f"?into={joined.pk}",
        }
        return {**page, **preview_page(into, joined)} if page["open"] and into != joined else page


@admin.register(CustomerLink)
class CustomerLinkAdmin(ReadOnlyAdmin):
    change_form_template = "admin/conversations/customer_link_page.html"
    list_display = ("__str__", "active", "made_by", "made_at", "undone_by", "undone_at")
    list_filter = ("active",)
    search_fields = ("joined__name", "into__name", "made_by")
    readonly_fields = ("joined_record", "into_record", "evidence_read", "joined_by")

    def get_queryset(self, request: HttpRequest) -> QuerySet[CustomerLink]:
        return super().get_queryset(request).select_related("joined", "into")

    def get_urls(self) -> list[URLPattern]:
        inside = self.admin_site.admin_view
        return [
            path("<int:number>/separate/", inside(self.separate), name="conversations_customerlink_separate"),
            path("join/<int:number>/", inside(self.choose), name="conversations_customerlink_choose"),
            path("join/<int:number>/with/<int:other>/", inside(self.join), name="conversations_customerlink_join"),
            path("conflict/<int:number>/", inside(self.settle), name="conversations_customerlink_settle"),
            *super().get_urls(),
        ]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        link = self.get_object(request, object_id)
        extra: dict[str, Any] = {"may_separate": request.user.has_perm(MAY_JOIN), "may_join": request.user.has_perm(MAY_JOIN)}
        if link:
            extra["conflicts"] = [_as_read(each) for each in link.conflicts.select_related("link__joined", "link__into")]
            extra["going_back"] = merge_preview.going_back(link) if link.active else None
        return super().change_view(request, object_id, form_url, {**extra, **(extra_context or {})})

    def get_fields(self, request: HttpRequest, obj: CustomerLink | None = None) -> tuple[str, ...]:
        """Who took it back is said of what was taken back."""
        made = ("joined_record", "into_record", "evidence_read", "joined_by", "made_at")
        return made if obj is None or obj.active else (*made, "undone_by", "undone_at")

    @admin.display(description=_("Joined"))
    def joined_record(self, link: CustomerLink) -> str:
        return _record(link.joined)

    @admin.display(description=_("Into"))
    def into_record(self, link: CustomerLink) -> str:
        return _record(link.into)

    @admin.display(description=_("Evidence"))
    def evidence_read(self, link: CustomerLink) -> str:
        return _evidence(link)

    @admin.display(description=_("Joined by"))
    def joined_by(self, link: CustomerLink) -> str:
        return link.made_by

    @method_decorator(require_POST)
    def separate(self, request: HttpRequest, number: int) -> HttpResponseRedirect:
        """Takes a joining back."""
        _may_join(request)
        link = get_object_or_404(CustomerLink, pk=number)
        if merging.separate_customers(link, undone_by=str(request.user)):
            messages.success(request, _("The two records stand for themselves again, each with its own history."))
        else:
            messages.warning(request, _("Somebody took this joining back already."))
        return redirect("admin:conversations_customerlink_change", number)

    def choose(self, request: HttpRequest, number: int) -> HttpResponse:
        """Looks for the other record to join a customer with, as the list of customers is searched."""
        _may_join(request)
        customer = records.root_of(get_object_or_404(Customer, pk=number))
        term = request.GET.get("q", "").strip()
        found: list[tuple[Customer, str]] = []
        if term:
            customers: Any = self.admin_site.get_model_admin(Customer)
            every = customers.get_queryset(request).filter(root__isnull=True, erased_at__isnull=True).exclude(pk=customer.pk)
            rows, _may_repeat = customers.get_search_results(request, every, term)
            found = [(each, customers.known_by(each)) for each in rows.prefetch_related("identifiers")[:FOUND_AT_MOST]]
        page = {"customer": customer, "term": term, "found": found, "title": gettext("Join with another customer")}
        return TemplateResponse(request, "admin/conversations/join_choose.html", {**self._page(request), **page})

    def join(self, request: HttpRequest, number: int, other: int) -> HttpResponse:
        """Shows the two records side by side, and joins the second into the first when that is posted with a reason."""
        _may_join(request)
        into, joined = (records.root_of(get_object_or_404(Customer, pk=each)) for each in (number, other))
        reason = request.POST.get("reason", "").replace("\x00", "").strip()[:500]
        if into == joined:
            messages.warning(request, _("These two are one record already."))
            return redirect("admin:conversations_customer_change", into.pk)
        if request.method == "POST" and reason:
            return self._joined(request, into, joined, reason)
        if request.method == "POST":
            messages.error(request, _("Say why the two are one person. Whoever looks at this later needs to know."))
        page = {**preview_page(into, joined), "title": gettext("Join two customers"), "may_settle": True}
        return TemplateResponse(request, "admin/conversations/join_page.html", {**self._page(request), **page})

    @method_decorator(require_POST)
    def settle(self, request: HttpRequest, number: int) -> HttpResponseRedirect:
        """Settles what two joined records say differently."""
        _may_join(request)
        conflict = get_object_or_404(FieldConflict.objects.select_related("link__joined"), pk=number)
        root = records.root_of(conflict.link.joined)
        choice = request.POST.get("choice", "")
        if choice not in FieldConflict.Choice.values:
            messages.error(request, _("Choose one of the two values."))
            return redirect("admin:conversations_customer_change", root.pk)
        try:
            survivorship.settle(conflict, choice, settled_by=str(request.user))
            messages.success(request, _("%(field)s is settled.") % {"field": conflict.label})
        except survivorship.AlreadySettled as error:
            messages.warning(request, _("This was settled meanwhile: %(state)s.") % {"state": error})
        return redirect("admin:conversations_customer_change", root.pk)

    def _joined(self, request: HttpRequest, into: Customer, joined: Customer, reason: str) -> HttpResponseRedirect:
        by_hand = {"method": "by_hand", "reason": reason}
        try:
            link = merging.join_customers(joined, into, evidence=by_hand, made_by=str(request.user), choices=_choices(request.POST))
        except merging.OneRecordAlready:
            messages.warning(request, _("Somebody joined these two meanwhile. They are one record already."))
            return redirect("admin:conversations_customer_change", into.pk)
        except merging.RecordErased as error:
            messages.warning(request, str(error))
            return redirect("admin:conversations_customer_change", into.pk)
        messages.success(request, _("The two records count as one customer now. You can take it back on this page."))
        return redirect("admin:conversations_customerlink_change", link.pk)

    def _page(self, request: HttpRequest) -> dict[str, Any]:
        return {**self.admin_site.each_context(request), "opts": self.opts}


def preview_page(into: Customer, joined: Customer) -> dict[str, Any]:
    """What the side-by-side preview shows, in words."""
    seen = merge_preview.preview(into, joined)
    return {
        "preview": seen,
        "filled": [(each.label, readable(each.joined_value)) for each in seen.filled],
        "differing": [
            (f"{CHOICE}{each.field}", each.label, readable(each.root_value), readable(each.joined_value)) for each in seen.conflicts
        ],
        "fact_conflicts": [
            (fact_label(each.name), fact_value(each.root_value, each.name), fact_value(each.joined_value, each.name))
            for each in seen.fact_conflicts
        ],
        "sides": [
            (side, [(fact_label(name), fact_value(value, name)) for name, value in side.facts.items()])
            for side in (seen.into, seen.joined)
        ],
    }


def _may_join(request: HttpRequest) -> None:
    if not request.user.has_perm(MAY_JOIN):
        raise PermissionDenied


def _choices(posted: QueryDict) -> dict[str, str]:
    """What was chosen for which field; what was left for later is not in it."""
    chosen = {name.removeprefix(CHOICE): str(value) for name, value in posted.items() if name.startswith(CHOICE)}
    return {field: value for field, value in chosen.items() if value in FieldConflict.Choice.values}


def _record(customer: Customer) -> str:
    return format_html(
        '<a href="{}">{}</a>', reverse("admin:conversations_customer_change", args=[customer.pk]), customer.told_apart()
    )


def _evidence(link: CustomerLink) -> str:
    return evidence.told(link.evidence) or "–"


def _as_read(conflict: FieldConflict) -> dict[str, Any]:
    return {
        "row": conflict,
        "label": conflict.label,
        "root_value": readable(conflict.root_value),
        "joined_value": readable(conflict.joined_value),
        "before": readable(conflict.value_before),
    }


def _link_as_read(link: CustomerLink) -> dict[str, Any]:
    return {
        "row": link,
        "joined": link.joined.told_apart(),
        "into": link.into.told_apart(),
        "evidence": _evidence(link),
        "conflicts": [_as_read(each) for each in link.conflicts.all()],
    }
