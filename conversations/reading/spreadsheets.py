"""Values as cells that are safe to open in a spreadsheet."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from conversations.services.import_files import FORMULA_STARTS


def harmless(value: Any) -> Any:
    """The value as a cell that no spreadsheet runs: a text that begins like a formula gets an apostrophe before it."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.isoformat(timespec="seconds")
    if isinstance(value, (int, float)):
        return value
    text = str(value)
    return f"'{text}" if text.lstrip(" ").startswith(FORMULA_STARTS) else text
