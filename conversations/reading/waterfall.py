"""How much each comparison of two records speaks for one person, as bars; see `services.linkage`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

KEY: Final = "linkage"
_WHAT: Final[dict[str, str | Promise]] = {
    "given_name": gettext_lazy("First name"),
    "family_name": gettext_lazy("Last name"),
    "born": gettext_lazy("Date of birth"),
    "home": gettext_lazy("Address and postcode"),
    "phones": gettext_lazy("Phone"),
    "emails": gettext_lazy("Email"),
}
_HOW: Final[dict[str, str | Promise]] = {
    "same": gettext_lazy("the same"),
    "similar": gettext_lazy("similar"),
    "one_slip": gettext_lazy("one character off"),
    "similar_same_postcode": gettext_lazy("similar, in the same postcode"),
    "same_postcode": gettext_lazy("the same postcode only"),
    "different": gettext_lazy("different"),
    "missing": gettext_lazy("not known of both"),
}


@dataclass(frozen=True, slots=True)
class Bar:
    """One row: what was compared, how it came out, its weight in bits as text, and the bar from `start` on, of 100 in all."""

    what: str
    how: str
    weight: str
    start: float
    width: float
    speaks_for: bool


@dataclass(frozen=True, slots=True)
class Waterfall:
    """The bars from what is to be expected of any two records to the whole, what they add up to, and where zero is."""

    bars: tuple[Bar, ...]
    total: str
    percent: str
    zero: float


def waterfall_of(evidence: Mapping[str, Any]) -> Waterfall | None:
    """The bars of a candidate's or link's evidence; None when no comparison was made."""
    told = evidence.get(KEY)
    if not told:
        return None
    prior = float(told["prior_weight"])
    steps = [(_("Any two records"), _("before anything is compared"), prior)]
    for each in told["comparisons"]:
        what, how = each["comparison"], each["level"]
        steps.append((str(_WHAT.get(what, what)), str(_HOW.get(how, how)), float(each["weight"])))
    sums = [0.0]
    for _what, _how, weight in steps:
        sums.append(sums[-1] + weight)
    low, high = min(sums), max(sums)
    scale = 100 / ((high - low) or 1)
    bars = tuple(
        Bar(
            what=what,
            how=how,
            weight=f"{weight:+.1f}".replace("-", "−"),
            start=round((min(before, after) - low) * scale, 2),
            width=round(abs(weight) * scale, 2),
            speaks_for=weight >= 0,
        )
        for (what, how, weight), before, after in zip(steps, sums, sums[1:], strict=False)
    )
    return Waterfall(bars, f"{sums[-1]:+.1f}".replace("-", "−"), _percent(float(told["probability"])), round(-low * scale, 2))


def _percent(probability: float) -> str:
    """Rounded down, so that nothing reads as certain."""
    return f"{int(probability * 1000) / 10:.1f} %" if probability < 0.999 else _("over 99.9 %")
