"""Cards of replies in the inbox's history, in a real browser: what the customer saw, as text, and nothing that can be pressed."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from conversations.models import Conversation
from conversations.services import timeline
from conversations.services.timeline import NewEntry
from tests.inbox.conftest import Cast
from tests.inbox.test_browser import SCRIPT, meanwhile, serious
from tests.support.processes import WebProcess
from tests.widget.test_cards import ARTICLE, CODE, ORDER, PRICES, visit

pytestmark = [pytest.mark.browser]
PICTURES = os.environ.get("CARD_PICTURES", "")


def said(conversation: Conversation, body: str, *cards: dict[str, Any]) -> None:
    """A reply of the AI agent with its cards."""
    line = conversation.interactions.get()
    timeline.append(
        conversation.pk,
        NewEntry(kind="message", actor_kind="assistant", actor_name="Harbor", body=body, interaction=line, data={"cards": list(cards)}),
    )


def with_cards(cast: Cast) -> Conversation:
    """A conversation with a card of each kind."""
    conversation = cast.chat()
    said(conversation, "Boiler service: £85 (per boiler).", PRICES)
    said(conversation, "Your order HH-R7T2KD is on its way.", ORDER)
    said(conversation, "Fill it up. A code is on its way.", ARTICLE, CODE)
    said(conversation, "It is cancelled.", visit("HH-2YRGXC", title="Repair (cancelled)", over=True, buttons=[]))
    said(conversation, "Your visit is booked.", visit(title=SCRIPT))
    return conversation


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_a_colleague_sees_what_the_customer_saw(
    live_cast: Cast, web: WebProcess, open_page: Callable[..., Any], scheme: str, width: int
) -> None:
    """Every card with its rows and what it offered; markup in it is text, nothing is cut off, and axe finds nothing serious."""
    conversation = meanwhile(with_cards, live_cast)
    page = open_page(
        web.url, user=live_cast.ann.user, viewport={"width": width, "height": 900}, color_scheme=scheme, bypass_csp=True,
        reduced_motion="reduce",
    )  # fmt: skip
    page.goto(f"/inbox/c/{conversation.public_id}/")
    page.wait_for_selector(".reply-card >> text=HH-EQ2V5M")
    cards = page.locator(".reply-card")
    assert cards.count() == 6
    last = page.get_by_role("group", name=SCRIPT)
    assert "Wednesday 25 November, 10:00 to 12:00" in last.inner_text()
    assert "Offered: Move · Cancel" in last.inner_text()
    assert page.locator(".reply-card button").count() == 0
    assert page.evaluate("window.broken") is None
    assert all(card.evaluate("card => card.scrollWidth <= card.clientWidth + 1") for card in cards.all())
    assert serious(page) == []
    if PICTURES:
        page.screenshot(path=Path(PICTURES) / f"inbox-{scheme}-{width}.png")
