"""Erasing a person to its end: our own tables, and the outside systems that hold copies."""

from __future__ import annotations

import logging
from uuid import UUID

from django.db.models import QuerySet

from conversations.connectors import registry
from conversations.connectors.base import ConnectorError, EraseCustomers
from conversations.models import ConnectorRequest
from conversations.services import connector_requests, erasure

logger = logging.getLogger(__name__)


def run(number: int) -> str:
    """Does what is left of a request, asks those of its outside systems that are due, and returns its state then."""
    state = erasure.run(number, connectors=registry.names())
    if _ask_all(connector_requests.due().filter(erasure=number)) and state == "running":
        state = erasure.run(number, connectors=registry.names())
    return state


def sweep() -> int:
    """Goes on with every request that is not done; returns how many are done now."""
    return sum(run(number) == "done" for number in erasure.due())


def ask_connectors() -> int:
    """Asks every outside system that is due to erase; returns how many confirmed it."""
    return _ask_all(connector_requests.due())


def _ask_all(requests: QuerySet[ConnectorRequest]) -> int:
    return sum(_ask(number) for number in requests.values_list("pk", flat=True))


def _ask(number: int) -> bool:
    """Asks one system; says whether it confirmed. Its errors' texts may quote the person, so only a word of them is kept."""
    request = connector_requests.claim(number)
    if request is None:
        return False
    try:
        operation = registry.connector(request.connector).operations["erase"]
        copies = operation(EraseCustomers(tuple(map(UUID, request.customers)), tuple(request.references)))
    except ConnectorError as error:
        connector_requests.note_failure(request, error=error.code, permanent=error.permanent)
    except Exception as error:
        connector_requests.note_failure(request, error=type(error).__name__, permanent=False)
        logger.error("connector_not_asked", extra={"connector": request.connector, "error": type(error).__name__})
    else:
        connector_requests.confirm(request, count=copies.count)
        return True
    return False
