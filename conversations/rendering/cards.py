"""Cards: what a reply tells, set out so that it can be taken in at a glance, with what can be done about it.

A card goes with the words of a reply and never replaces them: a chat shows it below them, and the phone says, in a sentence,
what of it the words do not say.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.utils.translation import gettext as _

NOT_COMPARED: Final = re.compile(r"[\W_]+")


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a card: what it is called, and what it is."""

    label: str
    value: str


@dataclass(frozen=True, slots=True)
class Button:
    """What can be pressed: what stands on it, and the words that it sends as the customer's own."""

    label: str
    value: str


@dataclass(frozen=True, slots=True)
class Card:
    """One card. `kind` is `visit`, `prices`, `order`, `invoices`, `article` or `code`.

    `key` says what it is about: a later card with the same key replaces it, so its buttons do nothing any more. `until` (ISO) is when
    they stop anyway; `asks` says that they answer this very reply, so that they stop with the next one. `total` is the last row of
    amounts, `url` where an article stands, `over` that what it tells of is cancelled.
    """

    kind: str
    key: str
    title: str
    rows: tuple[Row, ...] = ()
    total: Row | None = None
    buttons: tuple[Button, ...] = ()
    url: str = ""
    until: str = ""
    asks: bool = False
    over: bool = False

    def as_data(self) -> dict[str, Any]:
        """How it is kept with the message; without what it does not have."""
        told: dict[str, Any] = {
            "kind": self.kind,
            "key": self.key,
            "title": self.title,
            "rows": [_row(each) for each in self.rows],
            "total": _row(self.total) if self.total else None,
            "buttons": [{"label": each.label, "value": each.value} for each in self.buttons],
            "url": self.url,
            "until": self.until,
            "asks": self.asks,
            "over": self.over,
        }
        return {name: value for name, value in told.items() if value}

    def texts(self) -> Iterator[str]:
        """All that a customer would see of it, or send by it."""
        yield self.title
        for row in (*self.rows, *([self.total] if self.total else [])):
            yield f"{row.label}: {row.value}"
        for button in self.buttons:
            yield from (button.label, button.value)
        if self.url:
            yield self.url


def unsaid(cards: object, body: str) -> list[str]:
    """Sentences for what the cards of an entry's data show and its words do not say, each thing once."""
    told = _squeezed(body)
    sentences: list[str] = []
    for label, value in _rows(cards if isinstance(cards, list) else []):
        form = _squeezed(value)
        if form and form not in told:
            told += form
            sentences.append(_("%(label)s: %(value)s.") % {"label": label, "value": value})
    return sentences


def _rows(cards: Iterable[Any]) -> Iterator[tuple[str, str]]:
    for card in cards:
        if not isinstance(card, Mapping):
            continue
        for row in (*card.get("rows", []), *([card["total"]] if card.get("total") else [])):
            yield str(row.get("label", "")), str(row.get("value", ""))


def _row(row: Row) -> dict[str, str]:
    return {"label": row.label, "value": row.value}


def _squeezed(text: str) -> str:
    return NOT_COMPARED.sub("", text).casefold()
