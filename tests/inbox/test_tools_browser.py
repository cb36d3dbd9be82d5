"""Tools by keyboard in a real browser: choosing one, filling its form, reading what came of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from conversations.flows import takeover
from conversations.models import ActionItem, Ticket
from tests.inbox.conftest import Cast
from tests.inbox.test_browser import meanwhile, serious
from tests.support.processes import WebProcess

pytestmark = [pytest.mark.browser]


def test_a_tool_is_used_by_keyboard(
    live_cast: Cast, web: WebProcess, open_page: Callable[..., Any]
) -> None:
    """`u` lists the tools; a form says what is missing; what came of it is read; what is to be done is marked in the pane."""
    conversation = meanwhile(live_cast.chat)
    meanwhile(takeover.take_over, conversation, live_cast.ann)
    page = open_page(web.url, user=live_cast.ann.user)
    page.goto(f"/inbox/c/{conversation.public_id}/")
    page.wait_for_selector("#words")
    page.keyboard.press("Escape")
    page.keyboard.press("u")
    page.wait_for_selector("#action-dialog[open] >> text=Open a ticket")
    assert serious(page) == []
    page.focus("#action-dialog >> text=Open a ticket")
    page.keyboard.press("Enter")
    page.wait_for_selector("#action-dialog [name=subject]")
    page.keyboard.press("Enter")
    page.wait_for_selector("#action-dialog [name=subject][aria-invalid]")
    page.keyboard.type("The meter is wrong")
    page.keyboard.press("Enter")
    page.wait_for_selector(".tool-result >> text=Opened ticket HH-")
    assert serious(page) == []
    page.click(".tool-result >> text=All tools")
    page.click("#action-dialog >> text=Add something to do")
    page.fill("#action-dialog [name=title]", "Send a new meter")
    page.click(".tool-form button[type=submit]")
    page.wait_for_selector(".tool-result >> text=To do: Send a new meter")
    page.click(".tool-result >> text=Close")
    page.click("#customer-pane .to-do-done")
    page.wait_for_selector("#customer-pane >> text=done by Ann")
    assert meanwhile(Ticket.objects.count) == 1
    assert meanwhile(ActionItem.objects.filter(done_at__isnull=False).count) == 1
