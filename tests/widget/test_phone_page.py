"""The phone simulator's page in a real browser: everything in its place on wide and narrow, and a call made from it."""

import time
from typing import Any
from uuid import uuid4

import httpx
import jwt
import pytest
from django.conf import settings
from playwright.sync_api import Locator, expect

from conversations.models import EntryPoint
from conversations.services import messengers
from tests.support.processes import WebProcess

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


SLOW_FIRST_KEY = """
const usual = window.fetch;
let keys = 0;
window.fetch = async (address, asked) => {
  if (String(asked?.body).includes('"key"') && keys++ === 0) await new Promise((go) => setTimeout(go, 500));
  return usual(address, asked);
};
"""


def test_keys_arrive_in_the_order_in_which_they_were_pressed(company, web, open_page):
    """Also when the first one takes longer than the next."""
    page = open_page(web.url)
    page.add_init_script(SLOW_FIRST_KEY)
    page.goto("/simulator/phone/")
    page.get_by_role("button", name="Call", exact=True).click()
    expect(page.locator("#lines .line-company").first).to_be_visible(timeout=30_000)
    for digit in "123":
        page.locator(f"#keypad [data-key='{digit}']").click()
    keyed = page.locator("#lines .line-keys .line-text")
    expect(keyed).to_have_text("123", timeout=30_000)
    page.locator("#hang-up").click()


@pytest.fixture
def reaching(web: WebProcess, settings: Any) -> None:
    """This process's gateway reaches the simulator in the web process."""
    settings.PORT, settings.PUBLIC_URL = web.port, web.url


def test_text_messages_appear_with_their_links(company, web, open_page, reaching):
    """Live, newest first; those to another number do not, and what looks like markup stays text."""
    page = open_page(web.url)
    page.goto("/simulator/phone/?from=447700900131")
    number = EntryPoint.objects.get(channel="voice")
    messengers.send_text(to="+447700900131", entry_point=number, text="Carry on at https://example.com/c/abc. <b>Thanks</b>")
    messages = page.get_by_role("list", name="Messages")
    link = messages.get_by_role("link", name="https://example.com/c/abc")
    expect(link).to_have_attribute("href", "https://example.com/c/abc")
    expect(messages).to_contain_text("From +441632960100")
    expect(messages).to_contain_text("<b>Thanks</b>")
    messengers.send_text(to="+447700900131", entry_point=number, text="Second")
    expect(messages.get_by_role("listitem").first).to_contain_text("Second")
    page.get_by_label("Your number").fill("07700 900132")
    page.get_by_label("Your number").press("Tab")
    expect(page.get_by_text("Text messages to your number appear here.")).to_be_visible()


@pytest.mark.parametrize("width", [1280, 400])
def test_a_persons_phone_rings_talks_and_says_who_is_heard(company, web, open_page, reaching, width):
    """Two phones that the company rings into one room: each shows the other by name or number, and what it says."""
    pages = []
    for address in ("+441632960111", "sip:kim@phones.harbor.example"):
        page = open_page(web.url, viewport={"width": width, "height": 900})
        page.goto(f"/simulator/phone/at/{address}/")
        expect(page.get_by_text("This phone is quiet.")).to_be_visible()
        pages.append(page)
    ann, kim = pages
    ring_into_a_room({"type": "phone", "number": "441632960111"}, {"type": "sip", "uri": "sip:kim@phones.harbor.example"})
    for page in pages:
        expect(page.get_by_text("is calling you")).to_be_visible(timeout=30_000)
        page.get_by_role("button", name="Answer").click()
    expect(ann.locator("#together")).to_contain_text("sip:kim@phones.harbor.example: you hear each other", timeout=30_000)
    ann.get_by_placeholder("Say something").fill("Hello Kim")
    ann.get_by_role("button", name="Say", exact=True).click()
    line = kim.locator("#lines .line-other")
    expect(line).to_contain_text("Hello Kim", timeout=30_000)
    expect(line).to_contain_text("+441632960111")
    for page in pages:
        assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0
        page.get_by_role("button", name="Hang up").click()
        expect(page.locator("#call-status")).to_have_text("Call ended", timeout=30_000)


def ring_into_a_room(*endpoints: dict[str, str]) -> None:
    """The company rings these and puts who answers into one room, by the platform's REST side."""
    now = int(time.time())
    claims = {"application_id": settings.VONAGE_APPLICATION_ID, "iat": now, "exp": now + 60, "jti": str(uuid4())}
    token = jwt.encode(claims, settings.VONAGE_PRIVATE_KEY, algorithm="RS256")
    for endpoint in endpoints:
        body = {
            "to": [endpoint],
            "from": {"type": "phone", "number": "441632960100"},
            "ncco": [{"action": "conversation", "name": "desk"}],
        }
        address = f"http://127.0.0.1:{settings.PORT}/simulator/v1/calls"
        answer = httpx.post(address, json=body, headers={"Authorization": f"Bearer {token}"}, trust_env=False)
        assert answer.status_code == 201, answer.text
