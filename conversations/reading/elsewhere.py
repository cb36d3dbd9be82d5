"""Whose order, invoice or ticket has a number that staff type: the connectors to other systems are asked."""

from __future__ import annotations

import logging
from collections.abc import Iterator

from conversations.connectors.accounts import OwnersOf
from conversations.connectors.base import ConnectorError
from conversations.connectors.desk import OpenersOf
from conversations.connectors.registry import accounts, desk
from conversations.selectors.customer_search import REFERENCE, Elsewhere, clean

logger = logging.getLogger(__name__)


def whose(text: str) -> list[Elsewhere]:
    """What the sales system and the help desk have under a number; nothing for a text that is none. A system that fails is left out."""
    reference = clean(text).replace(" ", "").upper()
    if not REFERENCE.match(reference):
        return []
    found: list[Elsewhere] = []
    for ask in (_sold, _opened):
        try:
            found += ask(reference)
        except ConnectorError as error:
            logger.warning("a search left a system out: %s", error.code)
    return found


def _sold(reference: str) -> Iterator[Elsewhere]:
    for owner in accounts().owners_of(OwnersOf(reference)):
        yield Elsewhere(owner.kind, owner.reference, known_as=owner.known_as)


def _opened(reference: str) -> Iterator[Elsewhere]:
    for opener in desk().openers_of(OpenersOf(reference)):
        yield Elsewhere("ticket", opener.reference, customer=opener.customer)
