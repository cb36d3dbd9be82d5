"""The demo company's pages on a real web process, and a chat window in a real browser."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from html import escape
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.core.management import call_command
from playwright.sync_api import Locator, Page, expect

from conversations.models import EntryPoint, KnowledgeArticle, Playbook, PriceListItem
from conversations.services import calling_rules
from routing.models import ReasonCode, Territory, TerritoryPostcode
from tests.support.http_server import listening
from tests.support.processes import WebProcess, running_web
from tests.widget.double import GREETING, ChatDouble

ARTICLE = """# Why pressure drops

Fill it to **1.2 bar** and [read on](/help/boiler-service).

| Bar | Meaning |
|---|---|
| 0.5 | too low |

<script>document.title = "taken over"</script>
"""


class HostSite(BaseHTTPRequestHandler):
    """A shop's page that includes the script named in its query and nothing else of ours."""

    def do_GET(self) -> None:
        script = parse_qs(urlsplit(self.path).query).get("script", [""])[0]
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        tag = f'<script src="{escape(script)}" async></script>'
        self.wfile.write(f"<!doctype html><html lang=en><title>Shop</title><h1>Shop</h1>{tag}</html>".encode())

    def log_message(self, *arguments: Any) -> None:
        """Says nothing."""


@pytest.fixture(scope="package")
def host_port() -> Iterator[int]:
    """The port of another web site, at http://localhost and, to a browser another origin, at http://127.0.0.1."""
    with listening(HostSite, "localhost") as port:
        yield port


@pytest.fixture(scope="package")
def company(django_db_setup: None, django_db_blocker: Any, host_port: int) -> Iterator[EntryPoint]:
    """Harbor Home Services with just what its pages and its chat need, for this whole folder."""
    with django_db_blocker.unblock():
        calling_rules.lay_down()
        yield found_company(allowed_origin=f"http://localhost:{host_port}")
        call_command("flush", interactive=False, reset_sequences=False, verbosity=0)


def found_company(allowed_origin: str) -> EntryPoint:
    """Writes the demo company's rows and returns its web chat, which one other site may show."""
    Playbook.objects.create(
        code="harbor", name="Harbor", status="published", persona="Kind and brief.", disclosure=GREETING, tools=[], languages=["en"]
    )
    EntryPoint.objects.create(
        name="Phone", channel="voice", address="+441632960100", company_name="Harbor Home Services", playbook_code="harbor"
    )
    heating = ReasonCode.objects.create(code="boiler_pressure", name="Boiler pressure")
    for slug, title, body in (
        ("boiler-pressure", "Your boiler loses pressure", ARTICLE),
        ("boiler-service", "What happens at a boiler service", "We clean it."),
    ):
        KnowledgeArticle.objects.create(slug=slug, title=title, body=body, url=f"/help/{slug}", reason=heating)
    KnowledgeArticle.objects.create(slug="draft", title="Not finished", body="…", url="/help/draft", published=False)
    PriceListItem.objects.create(code="service", name="Boiler service", price=Decimal("89.00"), unit="per visit")
    territory = Territory.objects.create(code="north", name="North quay")
    TerritoryPostcode.objects.create(territory=territory, prefix="HB1")
    return EntryPoint.objects.create(
        name="Web chat",
        channel="chat",
        address="/harborhome",
        company_name="Harbor Home Services",
        playbook_code="harbor",
        time_zone="Europe/London",
        allowed_origins=[allowed_origin],
    )


@pytest.fixture(scope="package")
def web(django_db_setup: None, django_db_blocker: Any) -> Iterator[WebProcess]:
    """One web process on the test database for this whole folder."""
    with django_db_blocker.unblock(), running_web() as (process,):
        yield process


@dataclass
class Chat:
    """A page with the widget, and the widget's parts as a reader would name them."""

    page: Page
    server: ChatDouble

    @property
    def launcher(self) -> Locator:
        return self.page.locator(".launcher")

    @property
    def panel(self) -> Locator:
        return self.page.get_by_role("dialog", name="Harbor Home Services")

    @property
    def log(self) -> Locator:
        return self.page.get_by_role("log")

    @property
    def bubbles(self) -> Locator:
        return self.log.locator(".bubble")

    @property
    def box(self) -> Locator:
        return self.page.get_by_label("Your message")

    def open(self) -> None:
        self.launcher.click()
        expect(self.log.get_by_text(self.server.greeting)).to_be_visible()

    def write(self, text: str) -> None:
        self.box.fill(text)
        self.box.press("Enter")


@pytest.fixture
def chat(company: EntryPoint, web: WebProcess, open_page: Callable[..., Page]) -> Callable[..., Chat]:
    """A function that opens the demo company's page with the chat open, on the test double: `chat(width=320)`."""

    def open_chat(*, opened: bool = True, server: ChatDouble | None = None, path: str = "/harborhome", **options: Any) -> Chat:
        width, height = options.pop("width", 1100), options.pop("height", 800)
        page = open_page(web.url, viewport={"width": width, "height": height}, locale="en-GB", **options)
        window = Chat(page, (server or ChatDouble()).serve(page))
        page.goto(path)
        expect(window.launcher).to_be_visible()
        if opened:
            window.open()
        return window

    return open_chat


def wait_until(window: Chat, condition: Callable[[], bool]) -> None:
    """Lets the browser go on until the double has seen what is awaited."""
    for _attempt in range(400):
        if condition():
            return
        window.page.wait_for_timeout(25)
    raise AssertionError("It did not happen within 10 seconds.")
