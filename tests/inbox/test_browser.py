"""The inbox in a real browser: taking an offer, answering, losing the network, and text that would like to be script."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.db import connection

from conversations.flows import takeover
from conversations.models import Conversation, Entry
from routing.models import Reservation
from tests.inbox.conftest import Cast
from tests.support.processes import WebProcess

Offered = Callable[..., tuple[Conversation, Reservation]]
SCRIPT = "<img src=x onerror='window.broken=1'><script>window.broken=1</script>"
pytestmark = [pytest.mark.browser]


def meanwhile(action: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Does something in another thread: Playwright's event loop runs in this one, and pushes need one of their own."""

    def act() -> Any:
        try:
            return action(*args, **kwargs)
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as thread:
        return thread.submit(act).result()


def serious(page: Any) -> list[str]:
    """What axe finds that keeps somebody from using the page."""
    found = Axe().run(page).response["violations"]
    return [f"{each['id']}: {each['nodes'][0]['target']}" for each in found if each["impact"] in ("serious", "critical")]


def test_an_offer_is_taken_by_key_and_answered(
    live_cast: Cast, offered: Offered, web: WebProcess, open_page: Callable[..., Any]
) -> None:
    """The offer appears by itself; `a` takes it, the package is read, Enter sends, the customer's answer comes live."""
    page = open_page(web.url, user=live_cast.ann.user)
    page.goto("/inbox/")
    page.wait_for_selector("text=Nothing is with you")
    conversation, _reservation = meanwhile(offered, live_cast.ann, name=SCRIPT, says=SCRIPT)
    page.wait_for_selector("[data-offer] progress")
    page.keyboard.press("a")
    page.wait_for_selector("#conversation")
    page.wait_for_selector(".package-line >> text=Book a visit for today.")
    assert page.inner_text("#send-label") == "Send to web chat"
    page.keyboard.press("r")
    page.keyboard.type("I am Ann. I look at it now.")
    page.keyboard.press("Enter")
    page.wait_for_selector(".by-agent .bubble:has-text('I am Ann.')")
    page.wait_for_selector("#unsent li", state="detached")
    assert page.input_value("#words") == ""
    meanwhile(live_cast.says, conversation, "Thank you, Ann.")
    page.wait_for_selector(".by-customer .bubble:has-text('Thank you, Ann.')")
    assert page.locator(".by-customer .bubble").first.inner_text() == SCRIPT
    assert page.evaluate("window.broken") is None
    assert Entry.objects.filter(conversation=conversation, actor_kind="agent", kind="message").count() == 1


def test_who_takes_over_answers_the_customer(live_cast: Cast, web: WebProcess, open_page: Callable[..., Any]) -> None:
    """Before, only a note can be written; after, what is written goes to the customer, unless a note was begun."""
    for begun, what in (("", "Send to web chat"), ("Look at the bill first", "Add note")):
        conversation = meanwhile(live_cast.chat)
        page = open_page(web.url, user=live_cast.ann.user)
        page.goto(f"/inbox/c/{conversation.public_id}/")
        page.wait_for_selector("#words")
        assert page.inner_text("#send-label") == "Add note"
        page.fill("#words", begun)
        page.click(".conversation-header >> text=Take over")
        page.wait_for_selector("#composer-state[data-can-say=true]", state="attached")
        page.wait_for_function("words => document.getElementById('send-label').textContent === words", arg=what)
        assert page.input_value("#words") == begun


def test_what_is_written_without_a_network_waits_and_goes_out_once(
    live_cast: Cast, web: WebProcess, open_page: Callable[..., Any]
) -> None:
    """A bar says it, the words wait in their place, a reload keeps the draft, and nothing is sent twice."""
    conversation = meanwhile(live_cast.chat)
    meanwhile(takeover.take_over, conversation, live_cast.ann)
    page = open_page(web.url, user=live_cast.ann.user)
    page.goto(f"/inbox/c/{conversation.public_id}/")
    page.wait_for_selector("#words")
    page.fill("#words", "A draft that stays")
    page.keyboard.press("Escape")
    page.reload()
    page.wait_for_function("document.getElementById('words').value === 'A draft that stays'")
    page.context.set_offline(True)
    page.wait_for_selector("#connection", state="visible")
    page.focus("#words")
    page.keyboard.press("Enter")
    page.wait_for_selector("#unsent >> text=Waits for the connection")
    page.context.set_offline(False)
    page.wait_for_selector(".by-agent .bubble:has-text('A draft that stays')")
    page.wait_for_selector("#unsent li", state="detached")
    assert Entry.objects.filter(conversation=conversation, body="A draft that stays").count() == 1


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_serious_keeps_anybody_out(
    live_cast: Cast,
    offered: Offered,
    web: WebProcess,
    open_page: Callable[..., Any],
    scheme: str,
) -> None:
    """axe finds nothing serious on the pages, the dialogs and the palette, in light and dark, wide and narrow."""
    conversation = meanwhile(live_cast.chat)
    meanwhile(live_cast.hands_over, conversation)
    meanwhile(takeover.take_over, conversation, live_cast.ann)
    # axe is put into the page as a script, which the page's own policy would rightly refuse.
    page = open_page(web.url, user=live_cast.ann.user, color_scheme=scheme, bypass_csp=True)
    page.goto(f"/inbox/c/{conversation.public_id}/")
    page.wait_for_selector("#words")
    meanwhile(offered, live_cast.ann, name="Offered Olga")
    page.wait_for_selector("[data-offer]")
    assert serious(page) == []
    page.keyboard.press("Control+k")
    page.wait_for_selector("#palette[open]")
    assert serious(page) == []
    page.keyboard.press("Escape")
    page.set_viewport_size({"width": 390, "height": 844})
    assert page.is_visible("#history-pane")
    assert not page.is_visible("#lists")
    assert serious(page) == []
    page.click(".conversation-header [data-pane-to=customer]")
    assert page.is_visible("#customer-pane")
    assert serious(page) == []
