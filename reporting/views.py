"""The report and the rows behind its numbers. For managers."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from reporting import attention as concerns
from reporting.charts import Sparkline, sparkline
from reporting.csv_export import csv_response
from reporting.figure import Figure, Metric, Table, measure
from reporting.forms import SPANS, PeriodForm, chosen_period
from reporting.metrics import HEADLINES, METRICS, ROLL_OUT, SERVICE, draft_agreement, volumes
from reporting.pictures import pictures

ROWS_PER_PAGE = 50

View = Callable[..., HttpResponse]


def managers_only(view: View) -> View:
    """Sends strangers to the sign-in page and refuses everybody who is not staff."""

    @never_cache
    @require_safe
    @login_required
    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not request.user.is_staff:
            raise PermissionDenied(_("Reports are for managers. Ask one to give you access."))
        return view(request, *args, **kwargs)

    return guarded


@managers_only
def report(request: HttpRequest) -> HttpResponse:
    """Figures, pictures and definitions over the chosen period."""
    form = PeriodForm(request.GET)
    period = chosen_period(form)

    def figures(metrics: tuple[Metric, ...]) -> list[tuple[Figure, Sparkline | None]]:
        measured = [measure(metric, period) for metric in metrics]
        return [(figure, sparkline(figure.daily)) for figure in measured]

    with timezone.override(period.zone):
        return render(
            request,
            "reporting/report.html",
            {
                "section": "reports",
                "form": form,
                "period": period,
                "spans": list(PeriodForm.base_fields["period"].choices),  # type: ignore[attr-defined]
                "chosen_span": _span_of(request),
                "headlines": figures(HEADLINES),
                "volumes": figures(volumes.METRICS),
                "service": figures(SERVICE),
                "pictures": pictures(period),
            },
        )


@managers_only
def roll_out(request: HttpRequest) -> HttpResponse:
    """How far people agree with the AI agent's drafts and suggestions, at each door and for each reason."""
    form = PeriodForm(request.GET)
    period = chosen_period(form)
    with timezone.override(period.zone):
        measured = [measure(metric, period) for metric in ROLL_OUT]
        shown = {
            "section": "reports",
            "form": form,
            "period": period,
            "spans": list(PeriodForm.base_fields["period"].choices),  # type: ignore[attr-defined]
            "chosen_span": _span_of(request),
            "figures": [(figure, sparkline(figure.daily)) for figure in measured],
            "agreements": draft_agreement.agreements(period),
        }
        return render(request, "reporting/roll_out.html", shown)


@managers_only
def rows(request: HttpRequest, code: str) -> HttpResponse:
    """The rows behind one figure, page by page, or all of them as CSV."""
    metric = METRICS.get(code)
    if metric is None:
        raise Http404(_("There is no figure of that name."))
    form = PeriodForm(request.GET)
    period = chosen_period(form)
    with timezone.override(period.zone):
        whole = metric.basis if request.GET.get("of") == "all" else None
        context: dict[str, Any] = {
            "title": metric.name,
            "subtitle": _("All that was looked at") if whole else metric.rows_are,
            "definition": metric.definition,
            "period": period,
            "form": form,
            "has_basis": metric.basis is not None,
            "of_all": whole is not None,
        }
        return _table_page(request, (whole or metric.rows)(period), code, context)


@managers_only
def attention(request: HttpRequest, code: str) -> HttpResponse:
    """The rows of one thing that needs attention."""
    concern = concerns.CONCERNS.get(code)
    if concern is None:
        raise Http404(_("There is no list of that name."))
    context = {"title": concern.name, "definition": concern.advice, "from_admin": True}
    return _table_page(request, concern.table(concern.rows(timezone.now())), code, context)


def _table_page(request: HttpRequest, table: Table, name: str, context: dict[str, Any]) -> HttpResponse:
    if request.GET.get("format") == "csv":
        return csv_response(table, name)
    page = Paginator(table.source, ROWS_PER_PAGE).get_page(request.GET.get("page"))
    parameters = request.GET.copy()
    parameters.pop("page", None)
    parameters.pop("format", None)
    other = parameters.copy()
    other["of"] = "rows" if context.get("of_all") else "all"
    context |= {
        "section": "reports",
        "table": table,
        "page": page,
        "rows": list(table.rows(page.object_list)),
        "parameters": parameters.urlencode(),
        "other_parameters": other.urlencode(),
    }
    return render(request, "reporting/rows.html", context)


def _span_of(request: HttpRequest) -> str:
    if request.GET.get("from") or request.GET.get("to"):
        return ""
    return request.GET["period"] if request.GET.get("period") in SPANS else "7d"
