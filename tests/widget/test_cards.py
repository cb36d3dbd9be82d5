"""Cards in the chat: what they show, what their buttons say, when they do nothing any more, and that everybody can use them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, expect

from tests.widget.conftest import Chat, wait_until
from tests.widget.test_access import violations

pytestmark = pytest.mark.django_db
EVIL = "<img src=x onerror='document.title=1'>"
PICTURES = os.environ.get("CARD_PICTURES", "")


def visit(reference: str = "HH-EQ2V5M", **changes: Any) -> dict[str, Any]:
    """A visit's card."""
    return {
        "kind": "visit",
        "key": f"visit:{reference}",
        "title": "Boiler service",
        "rows": [
            {"label": "When", "value": "Wednesday 25 November, 10:00 to 12:00"},
            {"label": "Where", "value": "HB1 4QT"},
            {"label": "Reference", "value": reference},
        ],
        "buttons": [
            {"label": "Move", "value": f"I would like to move my visit {reference}."},
            {"label": "Cancel", "value": f"I would like to cancel my visit {reference}."},
        ],
        "until": "2099-01-01T10:00:00+00:00",
        **changes,
    }


PRICES: dict[str, Any] = {
    "kind": "prices",
    "key": "prices",
    "title": "What it costs",
    "rows": [{"label": "Boiler service", "value": "£85 (per boiler)"}, {"label": "New combi boiler", "value": "from £2150"}],
    "buttons": [{"label": "Book a visit", "value": "I would like to book a visit."}],
}
ORDER: dict[str, Any] = {
    "kind": "order",
    "key": "order:HH-R7T2KD",
    "title": "Two thermostatic radiator valves",
    "rows": [
        {"label": "State", "value": "On its way"},
        {"label": "Expected", "value": "Wednesday 25 November"},
        {"label": "Reference", "value": "HH-R7T2KD"},
    ],
    "total": {"label": "Total", "value": "£48"},
}
PAGE = "/help/boiler-pressure"
ARTICLE: dict[str, Any] = {"kind": "article", "key": f"article:{PAGE}", "title": "Your boiler loses pressure", "url": PAGE}
CODE: dict[str, Any] = {
    "kind": "code", "key": "code", "title": "Show us who you are", "asks": True,
    "buttons": [{"label": "New code", "value": "Please send a new code."}],
}  # fmt: skip


def card(window: Chat, name: str) -> Locator:
    """A card by its title; of two the later one."""
    return window.log.get_by_role("group", name=name).last


def everything(window: Chat) -> None:
    """One card of each kind, as replies carry them."""
    server = window.server
    server.say("Boiler service: £85 (per boiler). New combi boiler: from £2150.", data={"cards": [PRICES]})
    server.say("Your order HH-R7T2KD is on its way.", data={"cards": [ORDER]})
    sources = [{"title": ARTICLE["title"], "url": ARTICLE["url"]}]
    server.say("Fill it up to 1.2 bar.", data={"cards": [ARTICLE], "sources": sources})
    cancelled = visit("HH-2YRGXC", title="Repair (cancelled)", over=True, buttons=[])
    server.say("Your visit HH-2YRGXC is cancelled.", data={"cards": [cancelled]})
    server.say("Your visit is booked. Your reference is HH-EQ2V5M.", data={"cards": [visit()]})
    server.say("A six-digit code is on its way.", data={"cards": [CODE]})
    expect(card(window, "Show us who you are")).to_be_visible()


def test_a_card_is_read_and_its_button_speaks_for_the_customer(chat):
    """Title, rows and buttons by role and name; a press sends its words as the customer's own, and the focus goes where one writes."""
    window = chat()
    window.server.say("Your visit is booked.", data={"cards": [visit()]})
    shown = card(window, "Boiler service")
    expect(shown).to_contain_text("When")
    expect(shown.locator("dd")).to_have_text(["Wednesday 25 November, 10:00 to 12:00", "HB1 4QT", "HH-EQ2V5M"])
    shown.get_by_role("button", name="Move").focus()
    window.page.keyboard.press("Enter")
    wait_until(window, lambda: window.server.said() == ["I would like to move my visit HH-EQ2V5M."])
    expect(window.bubbles.last).to_have_text("I would like to move my visit HH-EQ2V5M.")
    expect(window.box).to_be_focused()


def test_a_later_card_or_booking_makes_the_buttons_inert(chat):
    """About the same visit; one about another visit stays as it is. The time of a visit does the same."""
    window = chat()
    server = window.server
    server.say("Booked.", data={"cards": [visit()]})
    server.say("Booked, too.", data={"cards": [visit("HH-OTHER1", title="Repair")]})
    server.say("That was yesterday.", data={"cards": [visit("HH-PAST11", title="Drains", until="2020-01-01T10:00:00+00:00")]})
    first = window.log.get_by_role("group", name="Boiler service").first
    expect(first.get_by_role("button", name="Move")).to_be_enabled()
    expect(card(window, "Drains").get_by_role("button", name="Move")).to_be_disabled()
    moved = visit(rows=[{"label": "When", "value": "Friday 27 November, 08:00 to 10:00"}])
    server.say("Done.", data={"cards": [moved]})
    expect(first.get_by_role("button", name="Move")).to_be_disabled()
    expect(card(window, "Boiler service").get_by_role("button", name="Move")).to_be_enabled()
    expect(card(window, "Repair").get_by_role("button", name="Cancel")).to_be_enabled()
    server.say("Ann cancelled it.", kind="booking.cancelled", actor="agent", name="Ann", data={"reference": "HH-OTHER1"})
    expect(card(window, "Repair").get_by_role("button", name="Cancel")).to_be_disabled()


def test_a_card_that_asks_is_inert_once_something_was_said(chat):
    """A code's card belongs to its reply alone, and stays inert after a reload."""
    window = chat()
    window.server.say("A code is on its way.", data={"cards": [CODE]})
    button = card(window, "Show us who you are").get_by_role("button", name="New code")
    expect(button).to_be_enabled()
    window.write("123456")
    expect(button).to_be_disabled()
    window.server.say("Thank you.")
    window.page.reload()
    expect(card(window, "Show us who you are").get_by_role("button", name="New code")).to_be_disabled()


def test_a_booking_is_shown_once(chat):
    """The reply's card stands for the entry of the booking; a visit that a person booked has its own."""
    window = chat()
    data = {"service": "Boiler service", "reference": "HH-EQ2V5M"}
    data |= {"window_start": "2026-06-09T09:00:00Z", "window_end": "2026-06-09T11:00:00Z"}
    window.server.say("Booked.", kind="booking.made", data=data)
    expect(window.log.get_by_text("Visit booked")).to_be_visible()
    window.server.say("Your visit is booked.", data={"cards": [visit()]})
    expect(card(window, "Boiler service")).to_be_visible()
    expect(window.log.get_by_text("Visit booked")).to_have_count(0)
    window.server.say("Booked.", kind="booking.made", actor="agent", name="Ann", data={**data, "reference": "HH-OTHER1"})
    expect(window.log.get_by_text("Visit booked")).to_have_count(1)


def test_an_article_is_named_once_and_opens_beside(chat):
    """A source that has a card is in no list; addresses that are none are no links; what stands on a card is text."""
    window = chat()
    title = window.page.title()
    everything(window)
    link = window.log.get_by_role("link", name="Your boiler loses pressure")
    expect(link).to_have_count(1)
    expect(link).to_have_attribute("target", "_blank")
    bad = {**ARTICLE, "title": "Bad", "url": "javascript:alert(1)"}
    window.server.say("Look.", data={"cards": [bad, visit("HH-EVIL11", title=EVIL)]})
    expect(card(window, EVIL)).to_be_visible()
    expect(window.log.get_by_text("Bad", exact=True)).to_have_count(0)
    assert window.page.title() == title


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 360, 1280])
def test_cards_have_no_serious_barrier_and_no_width_too_many(chat, scheme, width):
    """In light and dark, on phones and beside a page: nothing is cut off, and every button is large enough to hit."""
    window = chat(width=width, color_scheme=scheme, reduced_motion="reduce", bypass_csp=True)
    everything(window)
    assert violations(window.page) == []
    for each in window.log.locator(".reply-card").all():
        assert each.evaluate("card => card.scrollWidth <= card.clientWidth + 1")
    for each in window.log.locator(".reply-card button").all():
        assert each.bounding_box()["height"] >= 24
    assert window.log.evaluate("log => log.scrollWidth <= log.clientWidth + 1")
    if PICTURES:
        for place in ("top", "end"):
            window.page.locator(".scroller").evaluate(f"box => (box.scrollTop = {0 if place == 'top' else 9999})")
            window.page.screenshot(path=Path(PICTURES) / f"{scheme}-{width}-{place}.png")
