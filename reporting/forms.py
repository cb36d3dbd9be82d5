"""What a reader of the report may choose."""

from __future__ import annotations

from datetime import date
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from reporting.period import InvalidPeriod, Period, company_zone

SPANS = {"today": 1, "7d": 7, "30d": 30}
USUAL_SPAN = "7d"


class PeriodForm(forms.Form):
    """A named span (`period`) or two days (`from`, `to`); days win. `chosen` is the resulting Period."""

    period = forms.ChoiceField(
        choices=[("today", _("Today")), ("7d", _("7 days")), ("30d", _("30 days"))], required=False
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, label in (("from", _("From")), ("to", _("To"))):
            self.fields[name] = forms.DateField(
                label=label,
                required=False,
                error_messages={"invalid": _("Enter a date such as 2026-11-22.")},
                widget=forms.DateInput(attrs={"type": "date", "class": "input"}, format="%Y-%m-%d"),
            )

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        first, last = data.get("from"), data.get("to")
        zone = company_zone()
        try:
            if first or last:
                data["chosen"] = _between(first, last, Period.ending_today(1, zone))
            else:
                data["chosen"] = Period.ending_today(SPANS[data.get("period") or USUAL_SPAN], zone)
        except InvalidPeriod as error:
            raise forms.ValidationError(str(error)) from error
        return data


def _between(first: date | None, last: date | None, today: Period) -> Period:
    """The days named; one of them alone stands for both, or for “until today”. Days to come are cut off."""
    begin = first or last or today.first
    end = last or today.last
    return Period.between(begin, min(end, today.last) if begin <= today.last else end, today.zone)


def chosen_period(form: PeriodForm) -> Period:
    """The period asked for, or the usual one when what was asked for makes no sense (the form says why)."""
    if form.is_valid():
        period: Period = form.cleaned_data["chosen"]
        return period
    return Period.ending_today(SPANS[USUAL_SPAN])
