"""The story as its people live it in the browser, step by step.

The story's test plays it and asserts; the pictures of the documents are taken while it plays.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from playwright.sync_api import Locator, Page, expect

PASSWORD = "harbor-demo-2026"
PATIENCE_MS = 20_000
CODE = re.compile(r"(\d{6}) is your code")
Look = Callable[[str, Page], None]


def nothing_to_see(name: str, page: Page) -> None:
    """Takes no picture."""


@dataclass
class Customer:
    """Sam, who has a cold house: in the chat and on the phone."""

    page: Page
    look: Look = nothing_to_see
    bookings: list[str] = field(default_factory=list)

    def open_chat(self) -> None:
        self.page.goto("/harborhome")
        self.page.get_by_role("button", name="Open chat").click()
        expect(self.log.get_by_text("AI assistant").first).to_be_visible(timeout=PATIENCE_MS)

    @property
    def log(self) -> Locator:
        """What the chat shows."""
        return self.page.get_by_role("log")

    def write(self, text: str) -> None:
        """Types a message and waits until it stands in the history."""
        box = self.page.get_by_label("Your message")
        box.fill(text)
        box.press("Enter")

    def reads(self, words: str | re.Pattern[str]) -> Locator:
        """Waits until the chat shows these words."""
        shown = self.log.get_by_text(words).last
        expect(shown).to_be_visible(timeout=PATIENCE_MS)
        return shown

    def choose(self, words: str | re.Pattern[str]) -> None:
        """Presses a quick reply."""
        self.page.get_by_role("group").get_by_role("button", name=words).first.click(timeout=PATIENCE_MS)

    def continue_by_phone(self) -> None:
        """Asks for number and code, and opens the phone with both filled in."""
        self.page.get_by_role("button", name="Continue by phone").click()
        expect(self.page.locator(".phone-code")).to_be_visible(timeout=PATIENCE_MS)


@dataclass
class Phone:
    """Sam's telephone: the phone simulator's page."""

    page: Page

    def call(self) -> None:
        self.page.get_by_role("button", name="Call", exact=True).click()
        self.hears("AI")

    def key_in_code(self) -> None:
        self.page.locator("#key-code").click()

    def say(self, text: str) -> None:
        words = self.page.locator("#words")
        expect(words).to_be_enabled(timeout=PATIENCE_MS)
        words.fill(text)
        words.press("Enter")

    def hears(self, words: str | re.Pattern[str]) -> Locator:
        """Waits until the company's voice has said these words."""
        heard = self.page.locator("#lines .line-company", has_text=words).last
        expect(heard).to_be_visible(timeout=PATIENCE_MS)
        return heard

    def texted_code(self) -> str:
        """Waits for a text message with a code and returns its digits one by one, as they are said."""
        message = self.page.locator("#messages").get_by_text(CODE).first
        expect(message).to_be_visible(timeout=PATIENCE_MS)
        found = CODE.search(message.inner_text())
        return " ".join(found[1]) if found else ""

    def hang_up(self) -> None:
        self.page.locator("#hang-up").click()


@dataclass
class Staff:
    """Somebody of the company in front of a browser."""

    page: Page

    def sign_in(self, name: str, at: str) -> None:
        self.page.goto(at)
        self.page.get_by_label("User name or email").fill(name)
        self.page.get_by_label("Password").fill(PASSWORD)
        self.page.get_by_role("button", name="Sign in").click()

    def become_available(self) -> None:
        self.page.get_by_role("button", name="Available").click()
        expect(self.page.locator("#presence-available")).to_have_attribute("aria-pressed", "true", timeout=PATIENCE_MS)
