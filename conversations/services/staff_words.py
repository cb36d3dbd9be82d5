"""What only staff read is written in their language, whoever speaks what where it is written."""

from __future__ import annotations

from django.conf import settings
from django.utils.translation import override


def in_staffs_language() -> override:
    """A context, or a decorator, in which texts, labels and dates are in staff's language."""
    return override(settings.LANGUAGE_CODE)
