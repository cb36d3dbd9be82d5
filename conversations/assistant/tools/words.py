"""Sentences that customers and staff may both read, each in their own language.

A tool runs in the customer's language, and what it says when it fails is told to them; the history that staff read is in theirs.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.utils.translation import gettext, override

from conversations.connectors.base import ConnectorError


class ForBoth(str):
    """A text in the language that was spoken where it was made; `for_staff` is the same text in staff's."""

    __slots__ = ("for_staff",)
    for_staff: str

    def __new__(cls, text: str, for_staff: str) -> ForBoth:
        made = super().__new__(cls, text)
        made.for_staff = for_staff
        return made

    def __mod__(self, values: Any) -> ForBoth:
        theirs = {name: getattr(value, "for_staff", value) for name, value in values.items()} if isinstance(values, Mapping) else values
        return ForBoth(str.__mod__(self, values), self.for_staff % theirs)


def for_both(message: str) -> ForBoth:
    """`message` in the language that is spoken now, and in staff's."""
    with override(settings.LANGUAGE_CODE):
        for_staff = gettext(message)
    return ForBoth(gettext(message), for_staff)


def nothing_to_change() -> ConnectorError:
    """For a change of which nothing was said that should be otherwise."""
    return ConnectorError(for_both("Nothing was said that should change."), code="nothing_to_change", permanent=True)


def for_staff(sentence: object) -> str:
    """A sentence as staff read it; what was made for one language only, or is not translated yet, is read in that or in theirs."""
    if isinstance(sentence, ForBoth):
        return sentence.for_staff
    with override(settings.LANGUAGE_CODE):
        return str(sentence)
