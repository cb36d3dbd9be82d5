"""Reads what a turn needs before the first customer speaks, so that nobody waits for it."""

from __future__ import annotations

import logging
import threading
from contextlib import suppress
from typing import Final
from zoneinfo import ZoneInfo

from django.db import connection
from django.utils import timezone

from conversations.assistant.playbooks import behaviour_of
from conversations.models import EntryPoint, Playbook
from conversations.understanding import reasons
from conversations.understanding.embed import embed
from conversations.understanding.read import understand
from conversations.understanding.vectors import shipped
from routing.compiled import compile_all
from routing.models import ServiceHours
from routing.rules.published import published
from routing.services import hours

logger = logging.getLogger(__name__)
SAID: Final = "I need a plumber at HB1 4QT tomorrow at ten, my number is 01632 960100"
"""Has every recogniser read what it reads at its first use."""


def warm_in_background() -> threading.Thread:
    """Starts reading in a thread of its own; a failure is logged, and the first turn reads instead."""
    thread = threading.Thread(target=_warm, name="warm", daemon=True)
    thread.start()
    return thread


def _warm() -> None:
    try:
        for read in (_understanding, _what_is_set_up, compile_all):
            try:
                read()
            except Exception:
                logger.exception("not_warmed", extra={"what": read.__name__})
    finally:
        connection.close()


def _understanding() -> None:
    reasons.current()
    reasons.tone_reader()
    shipped()
    embed(["anything"])


def _what_is_set_up() -> None:
    now = timezone.now()
    published()
    for each in ServiceHours.objects.all():
        hours.is_open(each, now)
    for door in EntryPoint.objects.exclude(mode=EntryPoint.Mode.OFF):
        with suppress(Playbook.DoesNotExist):
            behaviour_of(door)
        there = now.astimezone(ZoneInfo(door.time_zone))
        understand(SAID, spoken=door.channel == "voice", now=there, default_region=door.default_region)
