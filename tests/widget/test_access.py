"""Everybody can use it: keyboard, screen reader, zoom, small screens, strong contrast."""

from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.widget.conftest import Chat, wait_until

pytestmark = pytest.mark.django_db
SERIOUS = ("serious", "critical")
SMALLEST_TARGET = 24  # pixels, WCAG 2.2 "Target Size (Minimum)"


def violations(page: Page) -> list[str]:
    """What axe finds serious, as "rule: element"."""
    found = Axe().run(page).response["violations"]
    return [f"{each['id']}: {node['html'][:160]}" for each in found if each["impact"] in SERIOUS for node in each["nodes"]]


def fill(window: Chat) -> None:
    """Something of every kind."""
    server = window.server
    server.say("Cold radiators", actor="customer", name="")
    server.say("Fill it up.", data={"sources": [{"title": "Your boiler loses pressure", "url": "/help/boiler-pressure"}]})
    visit = {"service": "Repair", "reference": "HH-1", "window_start": "2026-06-09T09:00:00Z", "window_end": "2026-06-09T11:00:00Z"}
    server.say("Booked.", kind="booking.made", data=visit)
    server.say("hello", actor="customer", name="", channel="voice")
    server.say("Ann joined.", kind="handoff.accepted", actor="agent", name="Ann Archer")
    field: dict[str, Any] = {"fact": "email", "label": "Your email", "options": []}
    server.say(
        "Hello, I am Ann. See https://harborhome.example",
        actor="agent",
        name="Ann",
        data={"field": field, "quick_replies": [{"label": "No email", "value": "no"}]},
    )
    server.push({"type": "activity", "who": "agent", "name": "Ann", "what": "typing", "text": ""})
    expect(window.page.get_by_label("Your email")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_chat_has_no_serious_barrier(chat, scheme):
    """Neither in the conversation nor with the phone sheet, a refusal and an error open."""
    window = chat(color_scheme=scheme, reduced_motion="reduce", bypass_csp=True)  # axe brings styles of its own
    fill(window)
    assert violations(window.page) == []
    window.server.refuses = {"code": "x", "reason": "That cannot be sent."}
    window.write("Refused")
    window.server.push({"type": "error", "code": "x", "reason": "Something did not work."})
    window.server.answer_phone = {"type": "phone_code", "number": "+441632960100", "code": "482913", "expires_at": "2099-01-01T00:00:00Z"}
    window.page.get_by_role("button", name="Continue by phone").click()
    expect(window.page.get_by_text("482913")).to_be_visible()
    assert violations(window.page) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", ["/harborhome", "/help/", "/help/boiler-pressure"])
def test_the_companys_pages_have_no_serious_barrier(chat, path, scheme):
    """With the launcher on them."""
    window = chat(opened=False, path=path, color_scheme=scheme, bypass_csp=True)
    assert violations(window.page) == []


def test_everything_works_by_keyboard(chat):
    """Open, write, answer a suggestion, ask for a code, close: without a mouse, the focus never lost."""
    window = chat(opened=False)
    keyboard = window.page.keyboard
    window.launcher.focus()
    keyboard.press("Enter")
    expect(window.box).to_be_focused()
    keyboard.type("Hello")
    keyboard.press("Shift+Enter")
    keyboard.type("there")
    keyboard.press("Enter")
    expect(window.bubbles.last).to_have_text("Hello\nthere", use_inner_text=True)
    wait_until(window, lambda: window.server.said() == ["Hello\nthere"])
    window.server.say("Today?", data={"quick_replies": [{"label": "Yes", "value": "Yes"}, {"label": "No", "value": "No"}]})
    expect(window.page.get_by_role("button", name="No", exact=True)).to_be_visible()
    keyboard.press("Shift+Tab")
    expect(window.page.get_by_role("button", name="No", exact=True)).to_be_focused()
    keyboard.press("Enter")
    expect(window.bubbles.last).to_have_text("No")
    expect(window.box).to_be_focused()
    keyboard.press("Escape")
    expect(window.panel).to_be_hidden()
    expect(window.launcher).to_be_focused()


def test_full_screen_keeps_the_focus_inside(chat):
    """On a phone the page behind cannot be reached by Tab."""
    window = chat(width=390, height=844)
    expect(window.panel).to_have_attribute("aria-modal", "true")
    for _step in range(12):
        window.page.keyboard.press("Tab")
        assert window.page.evaluate("document.activeElement.localName") == "cx-chat"


def test_new_messages_are_announced_politely(chat):
    """The history is a polite log that announces additions, and times that age are none."""
    window = chat()
    expect(window.log).to_have_attribute("aria-live", "polite")
    expect(window.log).to_have_attribute("aria-relevant", "additions")
    window.server.say("One")
    expect(window.bubbles).to_have_count(2)
    window.log.evaluate("log => log.firstChild.dataset.kept = 'yes'")
    window.server.say("Two")
    expect(window.bubbles).to_have_count(3)
    assert window.log.evaluate("log => log.firstChild.dataset.kept") == "yes"


@pytest.mark.parametrize(("width", "height"), [(320, 640), (390, 844), (320, 256), (1100, 800)])
def test_it_fits_every_screen(chat, width, height):
    """Nothing is cut off sideways, every control is big enough, the box can be reached (320 × 256 is 400 % zoom)."""
    window = chat(width=width, height=height)
    fill(window)
    box = window.panel.bounding_box()
    assert box is not None
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= width
    assert window.panel.evaluate("node => node.scrollWidth <= node.clientWidth")
    assert window.page.locator(".scroller").evaluate("node => node.scrollWidth <= node.clientWidth")
    for control in window.panel.locator("button:visible, input:visible, textarea:visible, .sources a:visible").all():
        size = control.bounding_box()
        assert size is not None
        assert min(size["width"], size["height"]) >= SMALLEST_TARGET, control.evaluate("node => node.outerHTML")
    window.box.scroll_into_view_if_needed()
    window.write("I can write here")
    expect(window.log.get_by_text("I can write here")).to_have_count(1)


def test_bigger_text_makes_the_chat_bigger(chat):
    """The reader's own text size counts, and the panel stays usable."""
    window = chat(opened=False)
    window.page.evaluate("document.documentElement.style.setProperty('font-size', '200%')")
    window.open()
    assert float(window.bubbles.first.evaluate("node => parseFloat(getComputedStyle(node).fontSize)")) == 28
    assert window.panel.evaluate("node => node.scrollWidth <= node.clientWidth")
    expect(window.box).to_be_in_viewport()


def test_motion_rests_when_asked(chat):
    """With prefers-reduced-motion nothing moves."""
    window = chat(reduced_motion="reduce")
    window.server.push({"type": "activity", "who": "assistant", "name": "", "what": "typing", "text": ""})
    dots = window.page.locator(".dots i").first
    expect(dots).to_be_visible()
    assert dots.evaluate("node => getComputedStyle(node).animationName") == "none"
    assert window.panel.evaluate("node => parseFloat(getComputedStyle(node).animationDuration)") == 0


CONTRASTS = """panel => {
  const channels = (colour) => colour.match(/[\\d.]+/g).slice(0, 3).map(Number);
  const light = (colour) => {
    const [r, g, b] = channels(colour).map((c) => (c / 255 <= 0.04045 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ratio = (one, other) => {
    const [high, low] = [light(one), light(other)].sort((a, b) => b - a);
    return (high + 0.05) / (low + 0.05);
  };
  const behind = (node) => {
    for (let at = node; at; at = at.parentElement) {
      const colour = getComputedStyle(at).backgroundColor;
      if (!colour.startsWith("rgba(0, 0, 0, 0")) return colour;
    }
  };
  const texts = [".state", ".meta", ".speaker", ".bubble p", ".line", ".card-fact", ".action"];
  const edges = [".action", ".bubble", ".by-customer .bubble", ".by-agent .bubble", ".card", ".field-form", "header", ".composer"];
  const found = {};
  for (const name of texts) {
    const node = panel.querySelector(name);
    found[`text of ${name}`] = ratio(getComputedStyle(node).color, behind(node));
  }
  for (const name of edges) {
    const node = panel.querySelector(name);
    const style = getComputedStyle(node);
    const edge = name === "header" ? style.borderBlockEndColor : style.borderBlockStartColor;
    found[`edge of ${name}`] = ratio(edge, behind(node.parentElement));
  }
  return found;
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_more_contrast_is_more_where_it_is_asked_for(chat, scheme):
    """With prefers-contrast every text reaches 7:1 (WCAG 1.4.6), and every edge what a text would need."""
    window = chat(color_scheme=scheme, contrast="more", reduced_motion="reduce")
    fill(window)
    ratios = window.panel.evaluate(CONTRASTS)
    assert {name: ratio for name, ratio in ratios.items() if ratio < 7} == {}


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_systems_own_colours_hold_everywhere(chat, scheme):
    """With forced colours every button has an edge, every drawing the colour of its text, and what is marked a frame."""
    window = chat(color_scheme=scheme, forced_colors="active", reduced_motion="reduce")
    fill(window)
    for button in window.page.locator(".launcher, .send, .action, .choice, .button").all():
        style = button.evaluate(
            "node => { const {color, borderTopStyle, borderTopColor, backgroundColor} = getComputedStyle(node);"
            " const icon = node.querySelector('.icon');"
            " return {color, edge: borderTopColor, solid: borderTopStyle, surface: backgroundColor,"
            " icon: icon ? getComputedStyle(icon).color : color}; }"
        )
        assert style["solid"] == "solid"
        assert style["edge"] not in (style["surface"], "rgba(0, 0, 0, 0)")
        assert style["icon"] == style["color"]
    mark = window.panel.locator(".mark")
    assert mark.evaluate("node => getComputedStyle(node).borderTopWidth") == "1px"


@pytest.mark.parametrize(
    ("owner", "name", "is_open"), [("assistant", "", True), ("assistant", "", False), ("human", "Ann Archer", True), ("closed", "", True)]
)
def test_there_is_a_way_to_a_person_in_every_state(chat, owner, name, is_open):
    """With the AI agent, out of hours, and after the end one is asked for; once a person is there, the header says who."""
    window = chat(opened=False)
    opens_at = None if is_open else "2026-06-02T07:00:00Z"
    window.server.welcome = {"state": {"owner": owner, "name": name}, "open": is_open, "opens_at": opens_at}
    window.open()
    ask = window.page.get_by_role("button", name="Talk to a person")
    if owner == "human":
        expect(window.panel.locator(".state")).to_have_text("Ann is with you")
    else:
        expect(ask).to_be_visible()
        ask.click()
        expect(window.bubbles.last).to_have_text("I would like to talk to a person.")
        expect(ask).to_be_visible()
    expect(window.page.get_by_role("button", name="Continue by phone")).to_be_visible()
