"""The header over a history in a real browser: what stands and what can be done never cover each other."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from conversations.flows import takeover
from conversations.models import Conversation
from tests.inbox.conftest import Cast
from tests.inbox.test_browser import meanwhile
from tests.support.processes import WebProcess

pytestmark = [pytest.mark.browser]
WIDTHS = (390, 899, 900, 1024, 1199, 1200, 1280, 1440, 1920)
NAMES = {"short": "Mary O'Connor", "long": "Maria-Theresia Papadopoulou-Wojciechowska van der Westhuizen of Harborough"}
OVERLAPS = """() => {
  const header = document.querySelector("#conversation-header");
  const boxes = [...header.querySelectorAll("h1, .badge, button")].filter((each) => each.checkVisibility());
  const room = header.getBoundingClientRect();
  const found = [];
  boxes.forEach((one, place) => {
    const a = one.getBoundingClientRect();
    const leaves = a.left < room.left - 1 || a.right > room.right + 1 || a.bottom > room.bottom + 1;
    if (leaves) found.push(`${one.textContent.trim()} leaves the header`);
    for (const other of boxes.slice(place + 1)) {
      const b = other.getBoundingClientRect();
      const apart = a.right <= b.left + 1 || b.right <= a.left + 1 || a.bottom <= b.top + 1 || b.bottom <= a.top + 1;
      if (!apart) found.push(`${one.textContent.trim()} and ${other.textContent.trim()}`);
    }
  });
  return found;
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
def test_what_can_be_done_covers_nothing_of_what_stands(
    live_cast: Cast, web: WebProcess, open_page: Callable[..., Any], name: str, scheme: str
) -> None:
    """After “take over” of a call, at every width from a phone's to a wide screen's."""
    conversation = meanwhile(live_cast.chat, name=name)
    meanwhile(live_cast.call, conversation)
    meanwhile(takeover.take_over, conversation, live_cast.ann)
    Conversation.objects.filter(pk=conversation.pk).update(urgency="emergency")
    page = open_page(web.url, user=live_cast.ann.user, color_scheme=scheme)
    page.goto(f"/inbox/c/{conversation.public_id}/")
    page.wait_for_selector("text=Connect my phone")
    page.wait_for_function("document.querySelector('[data-clock]').textContent !== ''")
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate(OVERLAPS) == [], width
