"""The history on a manager's page: so many of its newest entries, in the words and shapes of the inbox."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import QuerySet
from django.http import HttpRequest

from conversations.models import Conversation, Customer, Entry
from conversations.reading.entries import Item, items

SHOWN = 300
"""So many entries are shown at first, the newest; more on request."""
MOST_SHOWN = 100_000


@dataclass(frozen=True, slots=True)
class History:
    """Entries as they are read, oldest first; `more` entries came before them."""

    items: Sequence[Item]
    more: int


def history_of(entries: QuerySet[Entry], customer: Customer, conversation: Conversation | None = None, shown: int = SHOWN) -> History:
    """The newest `shown` of `entries`, which must come ordered oldest first: of one conversation, or all of the customer's.

    Two queries.
    """
    newest = list(entries.select_related("interaction__entry_point").reverse()[:shown])
    more = entries.count() - len(newest) if len(newest) == shown else 0
    read = items(newest[::-1], conversation_id=conversation.pk if conversation else None, customer_name=customer.name)
    return History(read, more)


def entries_wanted(request: HttpRequest) -> int:
    """How many entries of the history are wanted (`?entries=`)."""
    wanted = request.GET.get("entries", "")
    return min(int(wanted), MOST_SHOWN) if wanted.isascii() and wanted.isdecimal() and len(wanted) < 7 else SHOWN
