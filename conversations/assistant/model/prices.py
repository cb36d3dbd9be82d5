"""What a request costs, by the prices in the settings: an estimate for budgets and traces, not a bill."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from django.conf import settings

from conversations.assistant.model.exchange import Usage

MILLION: Final = Decimal(1_000_000)
CACHE_READ: Final = Decimal("0.1")
CACHE_WRITE: Final = Decimal("1.25")
"""Of the price of a fresh token."""


def cost_of(model: str, usage: Usage) -> Decimal:
    """US dollars. A model without a price costs as much as the dearest one that has one."""
    prices: dict[str, tuple[Decimal, Decimal]] = settings.MODEL_PRICES
    into, out = prices.get(model) or max(prices.values())
    fresh = usage.fresh + usage.cache_read * CACHE_READ + usage.cache_written * CACHE_WRITE
    return (fresh * into + usage.output * out) / MILLION
