"""Lists that are on their way, that failed, or whose line is away, in a real browser with faults on its network."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from conversations.flows import takeover
from conversations.models import Conversation
from conversations.services import facts
from conversations.services.facts import LearnedFact
from tests.inbox.conftest import Cast
from tests.inbox.test_browser import meanwhile, serious
from tests.support.processes import WebProcess

pytestmark = [pytest.mark.browser]
LISTS = "**/inbox/lists/**"
SLOW_MS = 200


@pytest.fixture
def mine(live_cast: Cast) -> Conversation:
    """A conversation that Ann has taken over."""
    conversation: Conversation = meanwhile(live_cast.chat)
    meanwhile(takeover.take_over, conversation, live_cast.ann)
    return conversation


@pytest.fixture
def page(live_cast: Cast, mine: Conversation, web: WebProcess, open_page: Callable[..., Any]) -> Page:
    """The inbox as Ann sees it, with her conversation open."""
    # axe is put into the page as a script, which the page's own policy would rightly refuse.
    shown: Page = open_page(web.url, user=live_cast.ann.user, bypass_csp=True)
    shown.goto(f"/inbox/c/{mine.public_id}/")
    shown.wait_for_selector("#main:not([inert])")
    shown.wait_for_load_state("networkidle")
    return shown


def refuse(route: Route) -> None:
    """The server fails."""
    route.fulfill(status=500, content_type="text/html", body="<h1>Server error</h1>")


def cut(route: Route) -> None:
    """The network fails."""
    route.abort()


def hold(held: list[Route]) -> Callable[[Route], None]:
    """The answer comes when the test lets it."""

    def keep(route: Route) -> None:
        held.append(route)

    return keep


def address_of(conversation: Conversation) -> str:
    return f"**/inbox/c/{conversation.public_id}/"


def test_a_list_that_cannot_be_refreshed_says_so_and_keeps_its_rows(page: Page, mine: Conversation) -> None:
    """What failed, what to do, the old rows under their own tab; trying again, by hand or by itself, puts it right."""
    row = page.locator(f"#row-{mine.public_id.hex}")
    note = page.locator("#lists-trouble .trouble")
    page.route(LISTS, refuse)
    page.click("[data-tab=waiting]")
    expect(note).to_contain_text("“Waiting” could not be loaded. You still see “My work”")
    expect(note).to_contain_text("The server could not do this. Try again in a moment.")
    expect(row).to_be_visible()
    expect(page.locator("[data-tab=mine]")).to_have_attribute("aria-current", "true")
    assert serious(page) == []
    page.unroute(LISTS)
    note.get_by_role("button", name="Try again").click()
    expect(page.locator("#queue-rows")).to_contain_text("Nobody waits")
    expect(note).to_have_count(0)
    expect(page.locator("[data-tab=waiting]")).to_have_attribute("aria-current", "true")
    page.click("[data-tab=mine]")
    expect(row).to_be_visible()
    page.route(LISTS, cut)
    page.click("[data-tab=mine]")
    expect(note).to_contain_text("This list could not be refreshed. It shows how things stood at")
    expect(note).to_contain_text("There is no connection right now.")
    expect(row).to_be_visible()
    page.unroute(LISTS)
    expect(note).to_have_count(0, timeout=15000)


def test_a_skeleton_appears_after_200_ms_and_not_before(page: Page, live_cast: Cast, mine: Conversation) -> None:
    """A quick list never flickers; a slow one shows shapes, and its rows when they come."""
    held: list[Route] = []
    skeletons = page.locator("#lists .skeletons")
    page.clock.install()
    page.clock.pause_at(page.evaluate("Date.now() + 1000"))
    page.route(LISTS, hold(held))
    with page.expect_request(LISTS):
        page.click("[data-tab=open]")
    page.clock.run_for(SLOW_MS - 10)
    expect(skeletons).to_have_count(0)
    expect(page.locator("#queue-rows")).to_be_visible()
    page.clock.run_for(20)
    expect(skeletons).to_be_visible()
    expect(page.locator("#queue-rows")).not_to_be_visible()
    held.pop().continue_()
    expect(skeletons).to_have_count(0)
    expect(page.locator(f"#row-{mine.public_id.hex}")).to_be_visible()
    with page.expect_request(LISTS):
        page.click("[data-tab=waiting]")
    page.clock.run_for(SLOW_MS + 10)
    expect(skeletons).to_be_visible()
    held.pop().abort()
    expect(page.locator("#lists-trouble .trouble")).to_be_visible()
    expect(skeletons).to_have_count(0)
    expect(page.locator(f"#row-{mine.public_id.hex}")).to_be_visible()


def test_a_conversation_that_cannot_be_opened_says_so_and_can_be_tried_again(page: Page, live_cast: Cast) -> None:
    """Shapes while it is late; then what failed, nothing of the conversation before, and a way on."""
    other = meanwhile(live_cast.chat, name="Priya Nair")
    page.click("[data-tab=open]")
    row = page.locator(f"#row-{other.public_id.hex}")
    expect(row).to_be_visible()
    held: list[Route] = []
    page.route(address_of(other), hold(held))
    row.click()
    expect(page.locator("#history-pane .skeletons")).to_be_visible()
    expect(page.locator("#customer-pane .skeletons")).to_be_visible()
    held.pop().abort()
    failed = page.locator("#history-pane .failed")
    expect(failed).to_contain_text("This conversation could not be opened")
    expect(failed).to_contain_text("There is no connection right now.")
    expect(page.locator("#customer-pane")).to_be_empty()
    assert serious(page) == []
    page.unroute(address_of(other))
    page.route(address_of(other), refuse)
    failed.get_by_role("button", name="Try again").click()
    expect(failed).to_contain_text("The server could not do this.")
    page.unroute(address_of(other))
    page.set_viewport_size({"width": 420, "height": 860})
    failed.get_by_role("button", name="Back to the list").click()
    expect(row).to_be_visible()
    row.click()
    expect(page.locator("#conversation-header h1")).to_contain_text("Priya Nair")


def test_the_conversation_chosen_last_is_the_one_that_opens(page: Page, live_cast: Cast) -> None:
    """One that answers late does not push away what was opened after it."""
    slow, quick = (meanwhile(live_cast.chat, name=name) for name in ("Slow Sam", "Quick Quin"))
    page.click("[data-tab=open]")
    held: list[Route] = []
    page.route(address_of(slow), hold(held))
    page.click(f"#row-{slow.public_id.hex}")
    expect(page.locator("#history-pane .skeletons")).to_be_visible()
    page.click(f"#row-{quick.public_id.hex}")
    expect(page.locator("#conversation-header h1")).to_contain_text("Quick Quin")
    held.pop().abort()
    meanwhile(live_cast.says, quick, "Still me?")
    expect(page.locator("#entries")).to_contain_text("Still me?")
    expect(page.locator("#conversation-header h1")).to_contain_text("Quick Quin")
    expect(page.locator("#customer-pane h2")).to_contain_text("Quick Quin")


def test_what_stands_around_a_history_says_when_it_is_old(page: Page, mine: Conversation) -> None:
    """The customer's pane keeps what it showed, and a note says that it could not be refreshed."""
    page.route(f"{address_of(mine)}customer/", refuse)
    meanwhile(facts.learn, mine, [LearnedFact("postcode", "HB1 4AP")], interaction=None, from_seq=2)
    note = page.locator("#customer-pane > .trouble")
    expect(note).to_contain_text("What is known of the customer could not be refreshed.")
    expect(page.locator("#customer-pane h2")).to_contain_text("Maria Lopez")
    assert serious(page) == []
    page.unroute(f"{address_of(mine)}customer/")
    note.get_by_role("button", name="Try again").click()
    expect(page.locator("#customer-pane")).to_contain_text("HB1 4AP")
    expect(note).to_have_count(0)


def test_messages_that_cannot_be_loaded_are_not_passed_over(page: Page, live_cast: Cast, mine: Conversation) -> None:
    """Newer ones are announced and fetched by a press; of earlier ones, the place says what is wrong."""
    for number in range(70):
        meanwhile(live_cast.says, mine, f"Line {number}")
    expect(page.locator("#entries")).to_contain_text("Line 69")
    newer, older = f"{address_of(mine)}entries/?after=*", f"{address_of(mine)}entries/?before=*"
    page.route(newer, refuse)
    meanwhile(live_cast.says, mine, "The newest")
    note = page.locator("#history-trouble .trouble")
    expect(note).to_contain_text("There are newer messages that could not be loaded.")
    page.unroute(newer)
    note.get_by_role("button", name="Try again").click()
    expect(page.locator("#entries")).to_contain_text("The newest")
    expect(note).to_have_count(0)
    page.reload()
    page.route(older, cut)
    page.get_by_role("button", name="Show earlier").click()
    place = page.locator("#older")
    expect(place).to_contain_text("What was said earlier could not be loaded. There is no connection right now.")
    page.unroute(older)
    place.get_by_role("button", name="Try again").click()
    expect(page.locator("#entries")).to_contain_text("My boiler is cold.")
    expect(place).to_have_count(0)


def test_a_search_that_fails_keeps_what_was_typed(page: Page) -> None:
    """The palette and the menu of the composer say what failed; the words stay, and trying again finds."""
    page.route("**/inbox/find/**", refuse)
    page.keyboard.press("Control+k")
    page.keyboard.type("maria")
    note = page.locator("#palette .trouble")
    expect(note).to_contain_text("The search could not be done. What you typed is kept.")
    page.unroute("**/inbox/find/**")
    note.get_by_role("button", name="Try again").click()
    expect(page.locator("#palette-found")).to_contain_text("Maria Lopez")
    expect(page.locator("#palette-words")).to_have_value("maria")
    page.keyboard.press("Escape")
    page.route("**/inserts/**", cut)
    page.keyboard.press("r")
    page.keyboard.type("Please wait /press")
    note = page.locator("#insert .trouble")
    expect(note).to_contain_text("Saved replies and knowledge could not be loaded. What you typed is kept.")
    page.unroute("**/inserts/**")
    note.get_by_role("button", name="Try again").click()
    expect(page.locator("#insert")).to_contain_text("Try fewer words.")
    expect(page.locator("#words")).to_have_value("Please wait /press")
    assert serious(page) == []


def test_without_a_network_a_bar_stands_until_it_is_back(page: Page, live_cast: Cast, mine: Conversation) -> None:
    """Rows and history stay readable, and what happened meanwhile is there afterwards."""
    bar = page.locator("#connection")
    expect(bar).not_to_be_visible()
    page.context.set_offline(True)
    expect(bar).to_contain_text("You are offline.")
    expect(page.locator(f"#row-{mine.public_id.hex}")).to_be_visible()
    expect(page.locator("#entries")).to_contain_text("My boiler is cold.")
    meanwhile(live_cast.says, mine, "Said meanwhile")
    page.context.set_offline(False)
    expect(bar).not_to_be_visible()
    expect(page.locator("#entries")).to_contain_text("Said meanwhile", timeout=20000)
