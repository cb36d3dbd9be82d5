"""A real chromium, driven by Playwright. Tests that use it are skipped, and said to be, where it is not installed."""

import os
import shutil
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser
from django.test import Client
from playwright.sync_api import Browser, Page, Playwright, sync_playwright

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
POPUPS = ("WebUIOmniboxPopup", "WebUIOmniboxAimPopup", "WebUIOmniboxFullPopup")
"""Pages behind the address bar, which nobody sees here: made for each window, they take more than half of its processor time."""
SWITCHED_OFF_BY_PLAYWRIGHT = (
    "AimEnabled", "AvoidCorsURLLoaderRestartOnRedirect", "AvoidUnnecessaryBeforeUnloadCheckSync", "DestroyProfileOnBrowserClose",
    "HttpsFirstBalancedModeAutoEnable", "HttpsUpgrades", "LensOverlay", "MediaRouter", "NetworkTimeServiceQuerying", "OptimizationHints",
    "PaintHolding", "PreconnectToSearch", "TcpPortRandomizationWin", "ThirdPartyStoragePartitioning",
)  # fmt: skip
"""Said again, since chromium listens to the last such list alone."""


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One chromium for the whole run."""
    if CHROMIUM is None:
        pytest.skip("chromium is not installed, so browser tests do not run")
    # Playwright keeps an event loop in this thread, and Django would refuse the test's own queries beside it.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    with sync_playwright() as playwright:
        chromium = launch(playwright)
        yield chromium
        chromium.close()
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


def launch(playwright: Playwright) -> Browser:
    """Starts the machine's own chromium."""
    sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []
    off = ",".join(SWITCHED_OFF_BY_PLAYWRIGHT + POPUPS)
    return playwright.chromium.launch(executable_path=CHROMIUM, args=[*sandbox, "--disable-dev-shm-usage", f"--disable-features={off}"])


@pytest.fixture
def open_page(browser: Browser) -> Iterator[Callable[..., Page]]:
    """A function that opens a new window: `open_page(web.url, user=manager)`.

    `user` is signed in beforehand; other keyword arguments go to Playwright's `new_context`. The test fails at its
    end when a page raised an error or broke the Content-Security-Policy.
    """
    contexts = []
    complaints: list[str] = []

    def note_console(message: Any) -> None:
        if message.type == "error" and "Content Security Policy" in message.text:
            complaints.append(message.text)

    def open_window(url: str, *, user: AbstractBaseUser | None = None, **options: Any) -> Page:
        context = browser.new_context(base_url=url, **options)
        contexts.append(context)
        if user is not None:
            client = Client()
            client.force_login(user)
            value = client.cookies[settings.SESSION_COOKIE_NAME].value
            context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": value, "url": url}])
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", note_console)
        return page

    yield open_window
    for context in contexts:
        context.close()
    assert not complaints, "\n".join(complaints)
