"""In a real browser, the rows of a table change places by pointer and by keyboard, and the order is kept."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.urls import reverse
from playwright.sync_api import Page, expect

from routing.models import RuleSet
from tests.routing.conftest import make_company, make_draft

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
Draft = tuple[User, RuleSet]


@pytest.fixture
def draft() -> Draft:
    """Written in a thread of its own: Playwright keeps an event loop in this one."""
    with ThreadPoolExecutor(1) as writer:
        return writer.submit(_written).result()


def _written() -> Draft:
    try:
        make_company()
        return User.objects.create(username="mia", is_staff=True, is_superuser=True), make_draft()
    finally:
        connection.close()


def order(draft: RuleSet) -> list[str]:
    return [description[:5] for description in draft.rules.order_by("position").values_list("description", flat=True)]


def opened(live_server: object, open_page: Callable[..., Page], draft: Draft) -> Page:
    manager, rules = draft
    window = open_page(live_server.url, user=manager, viewport={"width": 1360, "height": 1200})  # type: ignore[attr-defined]
    window.goto(reverse("admin:routing_ruleset_change", args=[rules.pk]))
    return window


def save(window: Page) -> None:
    with window.expect_navigation():
        window.locator("[name=_save]").first.click()


def test_rows_move_by_keyboard(live_server: object, open_page: Callable[..., Page], draft: Draft) -> None:
    """The focus stays on the button, so that pressing again moves on; where the row is now is said; the edge is the end."""
    window = opened(live_server, open_page, draft)
    up = window.locator("#rules-2 .rule-up")
    up.focus()
    for _press in range(3):
        window.keyboard.press("Enter")
    expect(up).to_be_focused()
    expect(window.locator("#rule-rows-moved")).to_contain_text("Now row 1.")
    save(window)
    assert order(draft[1]) == ["Anger", "A sme", "Whoev", "Every"]


def test_rows_are_dragged(live_server: object, open_page: Callable[..., Page], draft: Draft) -> None:
    """Dropped under the second row; a drag that is given up by Escape changes nothing."""
    window = opened(live_server, open_page, draft)

    def drag(row: int, onto: int) -> None:
        handle = window.locator(f"#rules-{row} .rule-handle").bounding_box()
        target = window.locator(f"#rules-{onto}").bounding_box()
        assert handle is not None
        assert target is not None
        window.mouse.move(handle["x"] + 5, handle["y"] + 5)
        window.mouse.down()
        window.mouse.move(handle["x"] + 5, target["y"] + target["height"] - 4, steps=8)

    drag(0, onto=2)
    window.keyboard.press("Escape")
    window.mouse.up()
    expect(window.locator("#rules-0 .field-position input")).to_have_value("1")
    drag(0, onto=1)
    window.mouse.up()
    expect(window.locator("#rules-0 .field-position input")).to_have_value("2")
    save(window)
    assert order(draft[1]) == ["Whoev", "A sme", "Anger", "Every"]


def test_the_wrong_part_of_a_cell_is_selected(live_server: object, open_page: Callable[..., Page], draft: Draft) -> None:
    """The cell keeps what was typed, says which character, and its focus goes there."""
    window = opened(live_server, open_page, draft)
    window.fill("[name=rules-0-when_reason]", "gas_smell, gsa, no_heating")
    save(window)
    cell = window.locator("[name=rules-0-when_reason]")
    expect(window.locator("#rules-0 .field-when_reason .errorlist")).to_contain_text("At character 12")
    cell.focus()
    assert cell.evaluate("cell => cell.value.slice(cell.selectionStart, cell.selectionEnd)") == "gsa"
