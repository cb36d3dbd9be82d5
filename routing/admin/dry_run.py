"""What a draft would change, as the page on which it is published shows it: counted, and the decisions behind each count."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django import forms
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from routing.models import Decision, RuleSet
from routing.rules.dry_run import DEFAULT_DAYS, MOST_DAYS, ChangedDecision, dry_run
from routing.rules.publish import in_words
from routing.rules.schema import OUTPUTS, Vocabulary

CHANGES_SHOWN = 50
GROUPS_SHOWN = 100


class DaysForm(forms.Form):
    """How far back the dry run looks."""

    days = forms.IntegerField(label=gettext_lazy("Days"), min_value=1, max_value=MOST_DAYS, initial=DEFAULT_DAYS)


def dry_run_shown(draft: RuleSet, request: HttpRequest) -> dict[str, Any]:
    """The dry run over the days that were asked for, counted by queue and by reason, with the newest changed decisions.

    `reason`, `from` and `to` in the address choose the decisions of one count. Raises TableRefused.
    """
    form = DaysForm(request.GET if "days" in request.GET else {"days": DEFAULT_DAYS})
    days = form.cleaned_data["days"] if form.is_valid() else DEFAULT_DAYS
    run = dry_run(draft, days=days)
    names = _names()
    chosen = [change for change in run.changed if _is_chosen(change, request)]
    return {
        "days_form": form,
        "dry_run": run,
        "by_queue": [
            _group(names, number, came_to, would_come_to, {"days": days}) for came_to, would_come_to, number in run.by_queue[:GROUPS_SHOWN]
        ],
        "by_reason": [
            _group(names, number, came_to, would_come_to, {"days": days, "reason": reason})
            for reason, came_to, would_come_to, number in run.by_reason[:GROUPS_SHOWN]
        ],
        "chosen": len(chosen),
        "is_chosen": len(chosen) != len(run.changed),
        "changes": _changes(draft, chosen[:CHANGES_SHOWN]),
    }


def _group(names: dict[str, str], number: int, came_to: str, would_come_to: str, address: dict[str, Any]) -> dict[str, Any]:
    return {
        "number": number,
        "reason": names.get(address.get("reason", ""), address.get("reason", "")),
        "came_to": names.get(came_to, came_to),
        "would_come_to": names.get(would_come_to, would_come_to),
        "stays": came_to == would_come_to,
        "address": "?" + urlencode({**address, "from": came_to, "to": would_come_to}) + "#changes",
    }


def _names() -> dict[str, str]:
    """Codes of reasons, queues and who acts, as people read them."""
    lists = Vocabulary.current().lists
    return {"": _("nowhere yet"), **lists["reasons"], **lists["handlers"], **lists["queues"]}


def _is_chosen(change: ChangedDecision, request: HttpRequest) -> bool:
    told = {"reason": change.reason, "from": change.came_to, "to": change.would_come_to}
    return all(request.GET.get(name, value) == value for name, value in told.items())


def _changes(draft: RuleSet, changes: list[ChangedDecision]) -> list[dict[str, Any]]:
    labels = {output.name: output.label for output in OUTPUTS[draft.kind]}
    decisions = Decision.objects.in_bulk([change.decision_id for change in changes])
    return [
        {
            "decision": decisions[change.decision_id],
            "row": change.row,
            "differences": [
                (labels[name], in_words(change.before[name]), in_words(change.after[name])) for name in change.after
            ],
        }
        for change in changes
    ]
