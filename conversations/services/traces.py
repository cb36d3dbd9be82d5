"""Where a person may still be named in what belongs to somebody else, for people to look at before all trace of it is gone."""

from __future__ import annotations

from typing import Any

import phonenumbers
from django.db.models import F, Func, Q, TextField, Value
from django.db.models.functions import Cast

from conversations.models import Entry, Identifier, MatchCandidate
from conversations.services.personal_data import Scope, identifiers_of

MOST = 50


def elsewhere(scope: Scope) -> dict[str, Any]:
    """Numbers of rows outside the person's own records that hold what they can be reached by; each list at most 50 long.

    `conversations` of other customers in whose entries a phone number (in any spelling) or an address stands, `records` on
    which one was claimed, `alike` records that were looked at as the same person. Reads every entry of the history, so
    it is nothing to wait for.
    """
    reachable = {(kind, value) for kind, value in identifiers_of(scope) if kind in ("phone", "email")}
    return {
        "conversations": _conversations(scope, reachable),
        "records": _records(scope, reachable),
        "alike": _alike(scope),
    }


def _conversations(scope: Scope, reachable: set[tuple[str, str]]) -> list[int]:
    if not reachable:
        return []
    said = Q(pk__in=[])
    for kind, value in reachable:
        said |= Q(digits__contains=_digits(value)) if kind == Identifier.Kind.PHONE else Q(body__icontains=value) | Q(told__icontains=value)
    digits = Func(F("body"), Value(r"\D"), Value(""), Value("g"), function="regexp_replace", output_field=TextField())
    others = Entry.objects.exclude(conversation__in=scope.conversations).exclude(interaction__in=scope.lines)
    found = others.annotate(digits=digits, told=Cast("data", TextField())).filter(said)
    return list(found.order_by("conversation").values_list("conversation", flat=True).distinct()[:MOST])


def _digits(number: str) -> str:
    """The digits of a number without its country's code, which are in it however it was written."""
    try:
        return str(phonenumbers.parse(number).national_number)
    except phonenumbers.NumberParseException:
        return number.removeprefix("+")


def _records(scope: Scope, reachable: set[tuple[str, str]]) -> list[int]:
    same = Q(pk__in=[])
    for kind, value in reachable:
        same |= Q(kind=kind, value=value)
    found = Identifier.objects.filter(same).exclude(original_customer__in=scope.records)
    return list(found.order_by("original_customer").values_list("original_customer", flat=True).distinct()[:MOST])


def _alike(scope: Scope) -> list[int]:
    pairs = MatchCandidate.objects.filter(Q(customer__in=scope.records) | Q(other__in=scope.records), state=MatchCandidate.State.OPEN)
    both = {number for pair in pairs.values_list("customer", "other") for number in pair}
    return sorted(both - scope.records)[:MOST]
