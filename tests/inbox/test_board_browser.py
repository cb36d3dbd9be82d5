"""The board in a real browser: it follows what happens, is worked by keys, and fits every screen."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from routing.models import Queue, WorkItem
from routing.services import presence
from tests.inbox.conftest import Cast
from tests.inbox.test_board import supervisor
from tests.inbox.test_browser import meanwhile, serious
from tests.support.processes import WebProcess

pytestmark = [pytest.mark.browser]


def test_what_waits_and_who_goes_away_appears_by_itself(
    live_cast: Cast, web: WebProcess, open_page: Callable[..., Any]
) -> None:
    """Without a reload; and a supervisor pauses, gives and is told, by keys."""
    kim = supervisor()
    page = open_page(web.url, user=kim)
    page.goto("/inbox/board/")
    page.wait_for_selector("body[data-ready]")
    page.wait_for_selector("text=Nobody waits")
    page.evaluate("window.stayed = true")
    conversation = meanwhile(live_cast.chat, "Wendy Waits")
    work = meanwhile(live_cast.hands_over, conversation).work_item
    page.wait_for_selector(".board-line >> text=Wendy Waits")
    meanwhile(presence.set_state, live_cast.ben, "offline")
    page.wait_for_selector(f"#board-agent-{live_cast.ben.pk}", state="detached")
    queue = live_cast.company.service
    page.focus(f"#pause-{queue.pk}")
    page.keyboard.press("Enter")
    page.wait_for_selector("#action-dialog[open] input[name=why]:focus")
    page.keyboard.press("Enter")
    page.wait_for_selector("#action-dialog >> text=Write why")
    page.keyboard.type("Fire drill")
    page.keyboard.press("Enter")
    page.wait_for_selector("text=Kim Lee: Fire drill")
    page.click(f"#waiting-{work.pk}")
    page.select_option("#action-dialog [name=agent]", str(live_cast.ann.pk))
    page.click("#action-dialog button:has-text('Give')")
    page.wait_for_selector(f"#held-{work.pk} >> text=offered")
    page.wait_for_selector(".board-line >> text=offered to Ann")
    assert (WorkItem.objects.get(pk=work.pk).state, Queue.objects.get(pk=queue.pk).paused_why) == ("reserved", "Fire drill")
    assert page.evaluate("window.stayed")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_keeps_nobody_out_and_fits(
    live_cast: Cast, web: WebProcess, open_page: Callable[..., Any], scheme: str
) -> None:
    """No serious finding of axe, and nothing to scroll sideways, from a phone to a wide screen."""
    meanwhile(live_cast.hands_over, meanwhile(live_cast.chat, "Wendy Waits-With-A-Long-Name-That-Does-Not-End"))
    meanwhile(presence.set_state, live_cast.ann, "available", by="Kim Lee")
    page = open_page(web.url, user=supervisor(), color_scheme=scheme)
    page.goto("/inbox/board/")
    page.wait_for_selector("body[data-ready]")
    for width in (390, 900, 1200, 1600):
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert serious(page) == []
