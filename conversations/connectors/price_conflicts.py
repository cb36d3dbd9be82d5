"""What a text says a service costs, where the price list says otherwise."""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal
from typing import Final

from django.utils.translation import gettext as _

from conversations.connectors.base import ConnectorError
from conversations.connectors.registry import schedule
from conversations.connectors.schedule import ListPrices, Price
from conversations.knowledge.sentences import sentences

AMOUNT: Final = re.compile(r"[£€$]\s?(\d[\d,]*(?:\.\d+)?)|(\d[\d,]*(?:\.\d+)?)\s?(?:£|€|\$|pounds\b|euros\b)")
NUMBER: Final = re.compile(r"\d+(?:\.\d+)?")


def conflicts_in(text: str) -> list[str]:
    """A sentence for each service that a sentence of a Markdown text names in full with amounts none of which the list has for it.

    Empty when the list cannot be read.
    """
    try:
        listed = schedule().list_prices(ListPrices())
    except ConnectorError:
        return []
    found = []
    for sentence in sentences(text):
        amounts = [found[1] or found[2] for found in AMOUNT.finditer(sentence)]
        price = _named(sentence, listed)
        if price and amounts and not {Decimal(each.replace(",", "")) for each in amounts} & _amounts_of(price):
            values = {"service": price.name, "said": amounts[0], "listed": f"{price.price:.2f}".removesuffix(".00")}
            found.append(_("It says %(said)s for “%(service)s”; the price list says %(listed)s.") % values)
    return list(dict.fromkeys(found))


def _named(sentence: str, listed: Sequence[Price]) -> Price | None:
    """The service with the longest name that stands in a sentence."""
    named = [each for each in listed if re.search(rf"\b{re.escape(each.name.casefold())}s?\b", sentence.casefold())]
    return max(named, key=lambda each: len(each.name), default=None)


def _amounts_of(price: Price) -> set[Decimal]:
    return {price.price, *map(Decimal, NUMBER.findall(price.description))}
