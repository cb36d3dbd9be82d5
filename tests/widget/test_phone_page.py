"""The phone simulator's page in a real browser: everything in its place on wide and narrow, and a call made from it."""

import pytest
from playwright.sync_api import Locator, expect

pytestmark = [pytest.mark.browser, pytest.mark.django_db]
CODE = "166350"


def box(locator: Locator) -> dict[str, float]:
    """Where an element stands, in CSS pixels. Fails when it cannot be seen."""
    found = locator.bounding_box()
    assert found is not None
    return dict(found)


def stands_within(inner: Locator, outer: Locator) -> bool:
    """Whether nothing of `inner` reaches over the edges of `outer`."""
    small, large = box(inner), box(outer)
    return (
        small["x"] >= large["x"]
        and small["y"] >= large["y"]
        and small["x"] + small["width"] <= large["x"] + large["width"]
        and small["y"] + small["height"] <= large["y"] + large["height"]
    )


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 1000, 420, 320])
def test_the_code_stands_in_its_own_frame_beside_the_words(company, web, open_page, width, scheme):
    page = open_page(web.url, viewport={"width": width, "height": 900}, color_scheme=scheme)
    page.goto(f"/simulator/phone/?code={CODE}")
    hint, words = page.locator("#code-hint"), page.locator("#code-hint p")
    expect(hint).to_contain_text(CODE)
    assert stands_within(page.locator("#key-code"), hint)
    assert stands_within(words, hint)
    assert box(words)["width"] >= 180, "one word a line"
    assert stands_within(hint, page.locator(".talk"))
    assert box(hint)["y"] + box(hint)["height"] <= box(page.locator("#lines-empty"))["y"]
    assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0


def test_keys_pressed_one_after_another_are_one_line(company, web, open_page):
    page = open_page(web.url, viewport={"width": 1440, "height": 900})
    page.goto(f"/simulator/phone/?code={CODE}")
    page.get_by_role("button", name="Call", exact=True).click()
    expect(page.locator("#lines .line-company").first).to_be_visible(timeout=30_000)
    page.locator("#key-code").click()
    keyed = page.locator("#lines .line-keys")
    expect(keyed).to_contain_text(CODE, timeout=30_000)
    expect(keyed).to_have_count(1)
    expect(page.locator("#code-hint")).to_be_hidden()
    page.locator("#hang-up").click()
    expect(page.locator("#call-status")).to_have_text("Call ended", timeout=30_000)
    expect(page.locator("#words")).to_be_disabled()
