"""The widget with the real chat socket, database and Valkey behind it."""

import re
import secrets
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import quote

import pytest
from django.db import connection
from playwright.sync_api import Page, WebSocketRoute, expect

from conversations.models import Entry, EntryPoint, Interaction
from conversations.services import chat_links
from tests.support.processes import WebProcess
from tests.voice.test_simulator import Phone
from tests.widget.conftest import Chat
from tests.widget.double import ChatDouble

pytestmark = pytest.mark.django_db


@pytest.fixture
def visit(company: EntryPoint, web: WebProcess, open_page: Callable[..., Page]) -> Callable[..., Chat]:
    """A function that opens the demo company's page, with the chat open, in a browser that was never there."""

    def open_chat(prepare: Callable[[Page], Any] = lambda page: None) -> Chat:
        page = open_page(web.url, locale="en-GB")
        prepare(page)
        window = Chat(page, ChatDouble())
        page.goto("/harborhome")
        window.open()
        return window

    return open_chat


def unique(text: str) -> str:
    """The text, told apart from that of every other test on this database."""
    return f"{text} {secrets.token_hex(4)}"


def test_what_is_written_is_stored_once_and_outlives_a_reload(visit):
    """Sent, acknowledged, in the history after a reload and in a second tab."""
    window = visit()
    text = unique("My radiators are cold")
    window.write(text)
    expect(window.log.get_by_text(text)).to_have_count(1)
    expect(window.log.get_by_text("Sending")).to_have_count(0)
    assert Entry.objects.filter(body=text, actor_kind="customer").count() == 1
    window.page.reload()
    expect(window.log.get_by_text(text)).to_have_count(1)
    second = Chat(window.page.context.new_page(), window.server)
    second.page.goto(window.page.url)
    second.open()
    expect(second.log.get_by_text(text)).to_have_count(1)
    answer = unique("And from here")
    second.write(answer)
    expect(window.log.get_by_text(answer)).to_have_count(1)
    assert Interaction.objects.filter(entries__body__in=[text, answer]).distinct().count() == 1


def test_a_lost_acknowledgement_does_not_store_twice(visit):
    """The server has stored the message when the line is cut; the widget repeats it and it is there once."""
    lines: list[WebSocketRoute] = []
    cut_after: list[str] = ["ack"]

    def through_a_bad_line(line: WebSocketRoute) -> None:
        server = line.connect_to_server()
        lines.append(line)

        def pass_on(frame: str | bytes) -> None:
            if cut_after and f'"type":"{cut_after[0]}"' in str(frame):
                cut_after.clear()
                server.close()
                line.close(code=1001)
            elif not (cut_after and '"kind":"message"' in str(frame)):
                line.send(frame)

        server.on_message(pass_on)

    window = visit(lambda page: page.route_web_socket(re.compile("/ws/chat/"), through_a_bad_line))
    text = unique("Only once")
    window.write(text)
    expect(window.log.get_by_text("Sending")).to_have_count(0)
    expect(window.log.get_by_text(text)).to_have_count(1)
    assert len(lines) >= 2
    assert Entry.objects.filter(body=text).count() == 1


def test_the_phone_code_comes_from_the_server(visit):
    """Before the first message only the number; with it, in the sheet that is open, six digits."""
    window = visit()
    window.page.get_by_role("button", name="Continue by phone").click()
    expect(window.page.get_by_text("Write a first message, and a code comes here that takes it along to the phone.")).to_be_visible()
    expect(window.page.get_by_role("region", name="Continue by phone").get_by_role("link", name="01632 960100")).to_be_visible()
    expect(window.page.get_by_role("button", name="Get a code")).to_have_count(0)
    expect(window.page.get_by_label("Or we call you. On which number?")).to_have_count(0)
    window.write(unique("Hello"))
    expect(window.page.locator(".phone-code")).to_have_text(re.compile(r"^\d{6}$"))
    expect(window.page.get_by_role("link", name="01632 960100", exact=True)).to_have_count(2)


def asks_to_be_called(window: Chat, number: str) -> Page:
    """A chat whose visitor has a phone rung, and the page of that phone."""
    window.write(unique("Hello"))
    expect(window.log.get_by_text("Sending")).to_have_count(0)
    window.page.get_by_role("button", name="Continue by phone").click()
    window.page.get_by_label("Or we call you. On which number?").fill(number)
    window.page.get_by_role("button", name="Call me").click()
    with window.page.expect_popup() as opened:
        window.page.get_by_role("link", name="Answer on the phone simulator").click()
    expect(opened.value.get_by_text("+441632960100 is calling you")).to_be_visible()
    return opened.value


def test_a_phone_that_was_asked_for_rings_and_carries_on(visit):
    """From the widget's sheet to the phone and back into the chat: the code on the screen opens it."""
    window = visit()
    phone = asks_to_be_called(window, "07700 900133")
    phone.get_by_role("button", name="Answer").click()
    expect(phone.locator("#lines")).to_contain_text("You asked in our web chat to be called", timeout=30_000)
    expect(window.page.locator(".phone-code")).to_be_visible()
    for digit in f"{window.page.locator('.phone-code').inner_text()}#":
        phone.locator(f"#keypad [data-key='{digit}']").click()
    expect(phone.locator("#lines")).to_contain_text("I have our chat", timeout=30_000)
    expect(window.page.locator(".phone-code")).to_have_count(0)
    expect(window.log).to_contain_text("I have our chat")
    phone.locator("#hang-up").click()
    expect(phone.locator("#call-status")).to_have_text("Call ended", timeout=30_000)


def test_a_call_that_is_turned_away_is_told_in_the_chat(visit):
    window = visit()
    phone = asks_to_be_called(window, "07700 900134")
    phone.get_by_role("button", name="Decline").click()
    expect(phone.get_by_text("is calling you")).to_be_hidden()
    expect(phone.get_by_role("button", name="Call", exact=True)).to_be_enabled()
    expect(window.log).to_contain_text("We could not reach you on the number ending in 134.")
    expect(window.page.locator(".phone-code")).to_have_count(0)


@pytest.fixture
def texted(company: EntryPoint, web: WebProcess, settings: Any) -> str:
    """The address in the text message that a caller was sent, in the order in which it would happen."""
    settings.PORT, settings.PUBLIC_URL = web.port, web.url
    number = f"+4477009{secrets.randbelow(10**5):05d}"
    phone = Phone(web.url)
    phone.dial(caller=number)
    phone.until(lambda state: state["doing"] == "listening")
    call = Interaction.objects.select_related("entry_point").get(provider_id=phone.leg)

    def send() -> None:
        try:
            chat_links.send(call, made_by="tests")
        finally:
            connection.close()

    # On a connection of its own: what this test writes is seen by nobody else.
    with ThreadPoolExecutor(1) as beside:
        beside.submit(send).result()
    texts = phone.http.get("/simulator/phone/texts/", params={"number": number}).json()["texts"]
    return str(re.search(r"http\S+", texts[-1]["text"])[0])  # type: ignore[index]


def test_a_link_from_the_phone_opens_the_chat(texted, web, open_page):
    """Its page has one button; then the chat is open, with what the call said, and the address shows nothing of it."""
    page = open_page(web.url, locale="en-GB")
    page.goto(texted)
    expect(page.get_by_role("heading", name="Carry on with Harbor Home Services in writing")).to_be_visible()
    page.get_by_role("button", name="Open the chat").click()
    window = Chat(page, ChatDouble())
    expect(window.log).to_contain_text("Here you can go on in writing.")
    assert "#" not in page.url
    text = unique("In writing now")
    window.write(text)
    expect(window.log.get_by_text(text)).to_have_count(1)
    page.reload()
    expect(window.log.get_by_text(text)).to_have_count(1)
    page.goto(texted)
    expect(page.get_by_text("This link was opened already")).to_be_visible()


def test_script_in_a_message_is_inert_after_a_reload(visit):
    """Stored as it was written, shown as text."""
    window = visit()
    text = unique('<img src=x onerror="document.title=1">')
    window.write(text)
    expect(window.log.get_by_text("Sending")).to_have_count(0)
    window.page.reload()
    expect(window.log.get_by_text(text)).to_have_count(1)
    assert window.page.locator("cx-chat img").count() == 0


@pytest.mark.parametrize(("host", "allowed"), [("localhost", True), ("127.0.0.1", False)])
def test_another_site_shows_the_chat_with_one_script_tag(company, web, open_page, host_port, host, allowed):
    """When its origin is allowed; any other site is told that there is no chat."""
    page = open_page(f"http://{host}:{host_port}", locale="en-GB")
    script = quote(f"{web.url}/widget.js?entry_point=/harborhome", safe="")
    page.goto(f"/?script={script}")
    window = Chat(page, ChatDouble())
    window.launcher.click()
    refusal = page.get_by_text("The chat is not available on this page.")
    if allowed:
        expect(window.log.get_by_text(window.server.greeting)).to_be_visible()
        expect(refusal).to_have_count(0)
    else:
        expect(refusal).to_be_visible()
        expect(refusal.get_by_role("link", name="01632 960100")).to_have_attribute("href", "tel:+441632960100")
        expect(window.bubbles).to_have_count(0)
