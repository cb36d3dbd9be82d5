"""What a figure is made of: its definition, its value with what it was counted from, and its rows."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from django.db import models
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from reporting.period import Period

Text = str | Promise
"""Text that may be translated when it is shown."""


NOTHING = _("Nothing here in this period.")


class Evidence(models.TextChoices):
    """How far a figure may be trusted; printed beside it."""

    OBSERVED = "observed", _("observed")
    AUDITED = "audited", _("audited")
    SIMULATED = "simulated", _("simulated")

    @property
    def meaning(self) -> str:
        """What the word says about the number."""
        return {
            "observed": gettext("Counted from the system's own record, for all rows. It cannot see what was never recorded."),
            "audited": gettext("From a random sample that two people checked."),
            "simulated": gettext("From made-up traffic whose truth is known."),
        }[self.value]


class Unit(models.TextChoices):
    """What a value counts."""

    SHARE = "share", _("%")
    COUNT = "count", ""
    SECONDS = "seconds", _("s")


class Better(models.TextChoices):
    """Which direction is good news."""

    LOWER = "lower", _("lower is better")
    HIGHER = "higher", _("higher is better")
    NEITHER = "neither", ""


@dataclass(frozen=True, slots=True)
class DayCount:
    """One day's share of a figure. A count has no denominator."""

    day: date
    numerator: float
    denominator: int | None = None


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell of a table; `url` makes it a link."""

    value: Any
    url: str = ""

    @property
    def text(self) -> str:
        """The value as it is read on a page."""
        if isinstance(self.value, datetime):
            return date_format(self.value, "j M Y, H:i:s")
        return "" if self.value is None else str(self.value)


@dataclass(frozen=True, slots=True)
class Table:
    """Rows behind a number. `source` is a queryset or a list; `cells` makes one row of cells of one item."""

    columns: Sequence[Text]
    source: Any
    cells: Callable[[Any], Sequence[Cell]]
    empty: Text = NOTHING

    def rows(self, items: Iterable[Any] | None = None) -> Iterable[Sequence[Cell]]:
        """The cells of `items`, or of everything."""
        everything = self.source.iterator(chunk_size=500) if isinstance(self.source, models.QuerySet) else self.source
        return (self.cells(item) for item in (everything if items is None else items))


@dataclass(frozen=True, slots=True)
class Metric:
    """A figure's definition. `daily` makes one query; its days add up to the figure, so the line and the number agree.

    `rows` are what a share looks for; `basis` is all that it was looked for in, where that can be opened, too; `beside` is what else
    a reader has to know of it, as a link.
    """

    code: str
    name: Text
    definition: Text
    unit: Unit
    better: Better
    daily: Callable[[Period], Sequence[DayCount]]
    rows: Callable[[Period], Table]
    rows_are: Text
    evidence: Evidence = Evidence.OBSERVED
    basis: Callable[[Period], Table] | None = None
    beside: Callable[[], Cell] | None = None


@dataclass(frozen=True, slots=True)
class Figure:
    """One number over one period, with what it was counted from.

    `value` is a share from 0 to 1, a count, or seconds; None when there was nothing to count.
    """

    metric: Metric
    period: Period
    value: float | None
    numerator: float
    denominator: int | None
    daily: Sequence[float | None] = field(default_factory=tuple)
    previous: float | None = None

    @property
    def evidence(self) -> Evidence:
        return self.metric.evidence

    @property
    def unit(self) -> Unit:
        return self.metric.unit

    @property
    def text(self) -> str:
        return text_of(self.value, self.unit)

    @property
    def change(self) -> float | None:
        """Percentage points for a share, otherwise the plain difference; None when either side is missing."""
        if self.value is None or self.previous is None:
            return None
        return (self.value - self.previous) * (100 if self.unit == Unit.SHARE else 1)

    @property
    def change_text(self) -> str:
        """The change as people read it, with its sign."""
        change = self.change or 0
        if self.unit == Unit.SHARE:
            return gettext("%(change)s pts") % {"change": f"{change:+.1f}"}
        return f"{change:+,.0f}" + (" s" if self.unit == Unit.SECONDS else "")

    @property
    def numerator_text(self) -> str:
        return f"{self.numerator:,.0f}"

    @property
    def meaning(self) -> str:
        """`ok`, `warn` or `same`: whether the change is good news."""
        if not self.change or self.metric.better == Better.NEITHER:
            return "same"
        return "ok" if (self.change > 0) == (self.metric.better == Better.HIGHER) else "warn"

    @property
    def rows_url(self) -> str:
        return f"{reverse('reporting:rows', args=[self.metric.code])}?from={self.period.first}&to={self.period.last}"


def measure(metric: Metric, period: Period) -> Figure:
    """The figure over `period` and over as many days before: two queries."""
    days = metric.daily(period)
    value, numerator, denominator = _total(metric, days)
    by_day = {count.day: count for count in days}
    return Figure(
        metric=metric,
        period=period,
        value=value,
        numerator=numerator,
        denominator=denominator,
        daily=[_total(metric, [by_day[day]] if day in by_day else [])[0] for day in period.days],
        previous=_total(metric, metric.daily(period.previous))[0],
    )


def text_of(value: float | None, unit: Unit) -> str:
    """The value as people read it. A share is cut, not rounded, so that 100 % means all of them."""
    if value is None:
        return "–"
    if unit == Unit.SHARE:
        tenths = math.floor(value * 1000 + 1e-9) if value > 0.5 else math.ceil(value * 1000 - 1e-9)
        return f"{tenths / 10:.1f} %".replace(".0 %", " %")
    if unit == Unit.SECONDS:
        return f"{int(value // 60)} min {int(value % 60)} s" if value >= 60 else f"{value:.0f} s"
    return f"{value:,.0f}"


def _total(metric: Metric, days: Sequence[DayCount]) -> tuple[float | None, float, int | None]:
    numerator = sum(count.numerator for count in days)
    if metric.unit == Unit.COUNT:
        return numerator, numerator, None
    denominator = sum(count.denominator or 0 for count in days)
    return (numerator / denominator if denominator else None), numerator, denominator
