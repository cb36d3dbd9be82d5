"""Reads model and phrases before the first customer speaks, so that nobody waits for it."""

import logging
import threading

from conversations.understanding.embed import embed
from conversations.understanding.reasons import current, tone_reader
from conversations.understanding.vectors import shipped

logger = logging.getLogger(__name__)


def warm_in_background() -> threading.Thread:
    """Starts reading in a thread of its own; a failure is logged, and the first turn reads instead."""
    thread = threading.Thread(target=_warm, name="warm understanding", daemon=True)
    thread.start()
    return thread


def _warm() -> None:
    from django.db import connection

    try:
        current()
        tone_reader()
        shipped()
        embed(["anything"])
    except Exception:
        logger.exception("understanding_not_warmed")
    finally:
        connection.close()
