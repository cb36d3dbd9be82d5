"""Who is signed in on the host site, as the widget shows and tells it; with the double, then with the real server."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import expect

from conversations.chat import demo_site
from conversations.models import HostSiteKey, Interaction, Proof
from conversations.services import host_sites
from tests.widget.conftest import Chat, wait_until
from tests.widget.double import ChatDouble

pytestmark = pytest.mark.django_db
LISTEN = "addEventListener('cxhub:identity-needed', (event) => { (window.asked ??= []).push(event.detail.why); });"


def vouching(name: str = "Jane") -> ChatDouble:
    """A server that believes that somebody is signed in."""
    server = ChatDouble()
    server.welcome["identity"] = {"name": name, "until": (datetime.now(UTC) + timedelta(minutes=30)).isoformat()}
    return server


def test_the_pages_token_goes_along_with_each_hello(chat):
    """As the page gave it: before the script, or by a call when somebody signs in during the chat."""
    window = chat(opened=False)
    window.page.add_init_script("window.CXHub = { identity: 'from-the-page' };")
    window.page.reload()
    window.open()
    assert window.server.got("hello")[-1]["identity"] == "from-the-page"
    window.page.evaluate("window.CXHub.identify('from-a-call')")
    wait_until(window, lambda: [frame["jwt"] for frame in window.server.got("identify")] == ["from-a-call"])
    window.server.cut()
    wait_until(window, lambda: window.server.got("hello")[-1]["identity"] == "from-a-call")


def test_without_a_token_nothing_is_said_of_anybody(chat):
    """An anonymous chat looks as it always did."""
    window = chat()
    assert window.server.got("hello")[-1]["identity"] is None
    expect(window.panel.locator(".identity")).to_be_hidden()


def test_a_name_is_shown_as_text(chat):
    """Whatever the site calls somebody."""
    window = chat(server=vouching('<img src=x onerror="document.title=1">'))
    expect(window.panel.get_by_text('Signed in as <img src=x onerror="document.title=1">')).to_be_visible()
    assert window.page.locator("cx-chat img").count() == 0
    assert window.page.title() != "1"


def test_whom_nobody_vouches_for_now_can_only_leave(chat):
    """The site's word has ended: the header does not repeat it."""
    server = ChatDouble()
    server.welcome["identity"] = {"name": "", "until": None}
    window = chat(server=server)
    expect(window.panel.get_by_role("button", name="Not you? Start afresh")).to_be_visible()
    expect(window.panel.get_by_text("Signed in")).to_have_count(0)


def test_a_token_that_is_not_believed_is_the_developers_business(chat):
    """The customer sees nothing of it; the console says why, and the site is asked for a fresh one when that can help."""
    window = chat(opened=False)
    said: list[str] = []
    window.page.on("console", lambda message: said.append(message.text))
    window.page.evaluate(LISTEN)
    window.open()
    for code in ("identity_refused", "identity_expired", "identity_used"):
        window.server.push({"type": "error", "code": code, "reason": f"Because of {code}."})
    wait_until(window, lambda: len(window.page.evaluate("window.asked ?? []")) == 2)
    assert window.page.evaluate("window.asked") == ["expired", "used"]
    assert len([text for text in said if "Because of identity_" in text]) == 3
    expect(window.panel.locator(".notice")).to_be_hidden()


def test_a_fresh_token_is_asked_for_before_the_last_one_ends(chat):
    """In time for the site to fetch one."""
    window = chat()
    window.page.evaluate(LISTEN)
    until = datetime.now(UTC) + timedelta(seconds=3)
    window.server.push({"type": "identity", "identity": {"name": "Jane", "until": until.isoformat()}})
    wait_until(window, lambda: window.page.evaluate("window.asked ?? []")[:1] == ["expires"])


def test_signing_out_leaves_nothing_on_the_screen(chat):
    """History, draft and unsent words are gone, the server is told, and the promise is kept when it knows."""
    window = chat(server=vouching())
    window.write("My account number is 77")
    expect(window.log.get_by_text("My account number is 77")).to_be_visible()
    window.box.fill("half a sent")
    window.server.welcome["identity"] = None
    window.page.evaluate("window.CXHub.signOut()")
    assert len(window.server.got("sign_out")) == 1
    expect(window.log.get_by_text("My account number is 77")).to_have_count(0)
    expect(window.box).to_have_value("")
    expect(window.panel.locator(".identity")).to_be_hidden()
    window.page.reload()
    expect(window.log.get_by_text(window.server.greeting)).to_be_visible()
    assert window.server.got("hello")[-1]["token"] == "token-somebody-new"
    expect(window.box).to_have_value("")


def test_signing_out_without_a_line_is_made_up_for(chat):
    """Nothing is shown any more at once, and the server is told as soon as it can be, also on a later page."""
    window = chat(server=vouching())
    window.write("My account number is 77")
    expect(window.log.get_by_text("Sending")).to_have_count(0)
    window.server.accepts = False
    window.server.cut()
    window.page.evaluate("void window.CXHub.signOut()")
    expect(window.log.get_by_text("My account number is 77")).to_have_count(0)
    window.page.reload()
    expect(window.launcher).to_be_visible()
    assert not window.server.got("sign_out")
    window.server.accepts = True
    wait_until(window, lambda: len(window.server.got("sign_out")) == 1)
    expect(window.log.get_by_text("My account number is 77")).to_have_count(0)


def test_a_tab_that_has_to_start_over_keeps_what_is_typed(chat):
    """It waits a moment for the other tab's new token, and says hello with it."""
    window = chat()
    window.box.fill("half a sent")
    other = window.page.context.new_page()
    window.server.serve(other)
    other.goto("/help/")
    # The other tab's token is to come within the moment, however slow this machine is.
    other.evaluate(
        "void setTimeout(() => Object.keys(localStorage).filter((key) => /(token|session)$/.test(key))"
        ".forEach((key) => localStorage.setItem(key, key.endsWith('token') ? 'token-new' : 'new.1')), 100)"
    )
    window.server.push({"type": "start_over"})
    wait_until(window, lambda: any(hello["token"] == "token-new" for hello in window.server.got("hello")))
    expect(window.box).to_have_value("half a sent")


# ---- With the real server, at the demo company's own site


@pytest.fixture(scope="module")
def site_key(company, django_db_setup, django_db_blocker):
    """The demo company's site signs for its customers."""
    with django_db_blocker.unblock():
        key = host_sites.make_key(company, system="harborhome", algorithm="HS256", made_by="tests", kid=demo_site.KEY_ID)
        yield key
        HostSiteKey.objects.filter(pk=key.pk).delete()


@pytest.fixture
def visit(company, web, open_page, site_key):
    """A function that opens the demo company's page with the chat open: `visit()`."""

    def open_chat() -> Chat:
        page = open_page(web.url, locale="en-GB", viewport={"width": 1440, "height": 900})
        window = Chat(page, ChatDouble())
        page.goto("/harborhome")
        window.open()
        return window

    return open_chat


def sign_in(window: Chat, name: str) -> None:
    """Signs in on the site, as somebody would who has just written in the chat."""
    window.page.get_by_text("Sign in", exact=True).click()
    window.page.get_by_role("button", name=name).click()
    expect(window.panel.get_by_text(f"Signed in as {name}")).to_be_visible()


def test_signing_in_on_the_site_takes_the_chat_along_and_out_again(visit):
    """What was written stays; a second tab follows; after the sign-out neither tab shows it, and nothing opens it."""
    window = visit()
    window.write("My radiators are cold")
    expect(window.log.get_by_text("Sending")).to_have_count(0)
    expect(window.log.get_by_text("My radiators are cold")).to_have_count(1)
    stored = window.page.context.storage_state()
    sign_in(window, "Tom Adeyemi")
    expect(window.log.get_by_text("My radiators are cold")).to_have_count(1)
    proof = Proof.objects.get(kind="external", value="harborhome:1002")
    assert proof.customer.name == "Tom Adeyemi"
    second = Chat(window.page.context.new_page(), window.server)
    second.page.goto("/harborhome")
    second.open()
    expect(second.log.get_by_text("My radiators are cold")).to_have_count(1)
    second.box.fill("half a sent")
    thief = window.page.context.browser.new_context(storage_state=stored, locale="en-GB").new_page()
    copy = Chat(thief, window.server)
    thief.goto(window.page.url)
    copy.open()
    expect(copy.bubbles).to_have_count(1)
    thief.context.close()
    window.page.get_by_role("button", name="Sign out").click()
    expect(window.page.get_by_text("Sign in", exact=True)).to_be_visible()
    for tab in (window, second):
        expect(tab.log.get_by_text("My radiators are cold")).to_have_count(0)
    expect(second.box).to_have_value("half a sent")
    assert Interaction.objects.get(pk=proof.interaction_id).end_reason == "signed_out"


def test_the_site_fetches_a_fresh_token_when_the_chat_needs_one(visit):
    """The page's own token was used up in another browser: the chat asks, the site answers, and the header says who it is."""
    window = visit()
    sign_in(window, "Jane Whitfield")
    token = window.page.locator("script[data-identity]").get_attribute("data-identity")
    again = window.page.context.browser.new_context(locale="en-GB")
    again.add_cookies(window.page.context.cookies())
    page = again.new_page()
    page.goto(window.page.url)
    other = Chat(page, window.server)
    other.open()
    expect(other.panel.get_by_text("Signed in as Jane Whitfield")).to_be_visible()
    with page.expect_response(re.compile("/harborhome/identity$")):
        page.evaluate("token => window.CXHub.identify(token)", token)
    expect(other.panel.get_by_text("Signed in as Jane Whitfield")).to_be_visible()
    again.close()
