"""Which writer writes."""

from __future__ import annotations

from conversations.assistant.writing.base import Writer
from conversations.assistant.writing.extractive import ExtractiveWriter


def choose_writer() -> Writer:
    """The writer to use now.

    One with a language model goes here, used only while `selectors.roll_out.stop_in_force()` is None.
    """
    return ExtractiveWriter()
