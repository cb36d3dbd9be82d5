"""The inbox by keyboard, in a real browser: rows, composer, dialogs, palette, and what a slash puts in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import expect

from conversations.flows import takeover
from conversations.knowledge.ingest import ingest
from conversations.models import Conversation, Entry, KnowledgeArticle, KnowledgePassage, SavedReply
from conversations.services import facts
from conversations.services.facts import LearnedFact
from tests.inbox.conftest import Cast
from tests.inbox.test_browser import meanwhile
from tests.support.processes import WebProcess

pytestmark = [pytest.mark.browser]
Visit = Callable[..., Any]


@pytest.fixture
def visit(live_cast: Cast, web: WebProcess, open_page: Callable[..., Any]) -> Visit:
    """A function that opens an address of the inbox as Ann and waits until it takes keys."""
    page = open_page(web.url, user=live_cast.ann.user)

    def go(address: str | Conversation) -> Any:
        page.goto(f"/inbox/c/{address.public_id}/" if isinstance(address, Conversation) else address)
        page.wait_for_selector("#main:not([inert])")
        return page

    return go


@pytest.fixture
def mine(live_cast: Cast) -> Conversation:
    """A conversation that Ann has taken over."""
    conversation: Conversation = meanwhile(live_cast.chat)
    meanwhile(takeover.take_over, conversation, live_cast.ann)
    return conversation


CLOSE_AND_PRESS_E_AT_ONCE = """() => {
  document.querySelector("#action-dialog").close();
  document.activeElement.dispatchEvent(new KeyboardEvent("keydown", { key: "e", bubbles: true }));
}"""


def focused(page: Any, selector: str) -> None:
    expect(page.locator(f"{selector}:focus")).to_have_count(1)


def value_is(page: Any, text: str) -> None:
    expect(page.locator("#words")).to_have_value(text)


def test_rows_are_walked_and_opened(live_cast: Cast, visit: Visit) -> None:
    """`j` and `k` move through the rows and stop at the ends, Enter opens the one reached."""
    older, newer = (meanwhile(live_cast.chat, name=name) for name in ("Older Olga", "Newer Nils"))
    page = visit("/inbox/?tab=open")
    first, second = (f"#row-{each.public_id.hex}" for each in (newer, older))
    page.keyboard.press("j")
    focused(page, first)
    page.keyboard.press("k")
    focused(page, first)
    page.keyboard.press("j")
    page.keyboard.press("j")
    focused(page, second)
    page.keyboard.press("Enter")
    page.wait_for_selector("#conversation-header h1:has-text('Older Olga')")
    assert page.url.endswith(f"/inbox/c/{older.public_id}/")
    expect(page.locator(second)).to_have_attribute("aria-current", "true")


def test_note_reply_transfer_and_close(visit: Visit, mine: Conversation) -> None:
    """`n` and `r` change what is written and keep both drafts, `t` and `e` open their forms, and `e` closes for good."""
    page = visit(mine)
    page.keyboard.press("n")
    focused(page, "#words")
    assert page.inner_text("#send-label") == "Add note"
    page.keyboard.type("Seems in a hurry")
    page.keyboard.press("Escape")
    page.keyboard.press("r")
    assert page.inner_text("#send-label") == "Send to web chat"
    assert page.input_value("#words") == ""
    page.keyboard.press("Escape")
    page.keyboard.press("n")
    assert page.input_value("#words") == "Seems in a hurry"
    page.keyboard.press("Escape")
    page.keyboard.press("t")
    page.wait_for_selector("#action-dialog[open] h2:has-text('Transfer to a queue')")
    page.keyboard.press("Escape")
    page.wait_for_selector("#action-dialog", state="hidden")
    page.keyboard.press("t")
    page.wait_for_selector("#action-dialog[open] h2:has-text('Transfer to a queue')")
    page.evaluate(CLOSE_AND_PRESS_E_AT_ONCE)
    page.wait_for_selector("#action-dialog[open] h2:has-text('Close the conversation')")
    page.click("#action-dialog [type=submit]")
    page.wait_for_selector("#action-dialog >> text=Choose how it ended.")
    page.select_option("#action-dialog select", label="Solved")
    page.click("#action-dialog [type=submit]")
    page.wait_for_selector("#conversation-header >> text=Closed: Solved")
    mine.refresh_from_db()
    assert mine.status == "closed"


def test_going_by_two_keys_and_the_sheet(visit: Visit, mine: Conversation) -> None:
    """`g` and a letter go to a list or the customer; the letter alone keeps its own meaning; `?` shows every key."""
    page = visit(mine)
    for letter, tab in (("w", "waiting"), ("o", "open"), ("m", "mine")):
        page.keyboard.press("g")
        page.keyboard.press(letter)
        page.wait_for_selector(f"[data-tab={tab}][aria-current=true]")
    page.keyboard.press("g")
    page.keyboard.press("c")
    focused(page, "#customer-pane *")
    page.keyboard.press("?")
    page.wait_for_selector("#keys[open]")
    page.keyboard.press("n")
    assert page.get_attribute("#composer", "data-mode") == "say"
    page.keyboard.press("Escape")
    page.wait_for_selector("#keys", state="hidden")


def test_the_palette_finds_people_and_does_things(live_cast: Cast, visit: Visit, mine: Conversation) -> None:
    """A part of a name opens a conversation, a part of an action does it, and nothing found says what to try."""
    other = meanwhile(live_cast.chat, name="Priya Nair")
    page = visit(mine)
    page.keyboard.press("Control+k")
    page.keyboard.type("priya")
    page.wait_for_selector("#palette-found [data-row]")
    page.keyboard.press("Enter")
    page.wait_for_selector("#conversation-header h1:has-text('Priya Nair')")
    assert page.get_attribute("#conversation", "data-public-id") == str(other.public_id)
    page.keyboard.press("Control+k")
    page.keyboard.type("zz-nobody")
    page.wait_for_selector("#palette >> text=Nobody and nothing by that name.")
    page.fill("#palette-words", "add a n")
    page.wait_for_selector("#do-note[aria-selected=true]")
    page.keyboard.press("Enter")
    focused(page, "#words")
    assert page.get_attribute("#composer", "data-mode") == "note"


def keep_replies() -> None:
    SavedReply.objects.create(shortcut="hello", title="Say hello", body="Hello {first_name|there}, this is {agent}.")
    SavedReply.objects.create(shortcut="mail", title="Confirm by email", body="I write to {email} now.")
    article = KnowledgeArticle.objects.create(slug="pressure", title="Boiler pressure", body="Top up.", url="/help/")
    KnowledgePassage.objects.create(article=article, position=1, text="Top up to 1.3 bar.", embedding=[0.0] * 384)


def test_a_slash_offers_both_groups_by_keyboard(visit: Visit, mine: Conversation) -> None:
    """Narrowed as one types, walked by arrows, put in by Enter where the slash stood; a gap must be filled before sending."""
    meanwhile(keep_replies)
    line = meanwhile(mine.interactions.get)
    meanwhile(facts.learn, mine, [LearnedFact("name", "Maria Lopez")], interaction=line, from_seq=2)
    page = visit(mine)
    assert "saved replies" in page.get_attribute("#words", "placeholder")
    page.keyboard.press("/")
    page.wait_for_selector("#insert >> text=Knowledge")
    assert page.locator("#insert [role=group]").count() == 2
    assert page.locator("#insert [role=option]").count() == 3
    page.keyboard.type("hel")
    expect(page.locator("#insert [role=option]")).to_have_count(1)
    page.keyboard.press("Enter")
    value_is(page, "Hello Maria, this is Ann.")
    assert not page.is_visible("#insert")
    page.keyboard.type(" Then /")
    page.wait_for_selector("#insert [role=option]")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.wait_for_selector("[data-insert='Top up to 1.3 bar.'][aria-selected=true]")
    page.keyboard.press("ArrowUp")
    page.wait_for_selector("[data-insert^='Hello'][aria-selected=true]")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    value_is(page, "Hello Maria, this is Ann. Then I write to {email} now.")
    page.keyboard.press("End")
    page.keyboard.press("Enter")
    page.wait_for_selector("#composer-error >> text=Fill in {email} first")
    page.keyboard.type("m@example.com")
    value_is(page, "Hello Maria, this is Ann. Then I write to m@example.com now.")
    page.keyboard.press("Enter")
    page.wait_for_selector("#entries .by-agent .bubble:has-text('I write to m@example.com now.')")
    assert Entry.objects.filter(conversation=mine, actor_kind="agent", kind="message").count() == 1


def test_nothing_typed_after_a_slash_is_sent_or_lost(visit: Visit, mine: Conversation) -> None:
    """Enter at once waits for what is found, Escape leaves a slash in the sentence, and undo brings back what was typed."""
    meanwhile(keep_replies)
    page = visit(mine)
    page.keyboard.press("r")
    page.keyboard.type("/hello")
    page.keyboard.press("Enter")
    value_is(page, "Hello there, this is Ann.")
    page.keyboard.press("Control+z")
    value_is(page, "/hello")
    page.fill("#words", "")
    page.keyboard.type("Monday /")
    page.wait_for_selector("#insert [role=option]")
    page.keyboard.press("Escape")
    assert not page.is_visible("#insert")
    page.keyboard.type(" Tuesday")
    assert not page.is_visible("#insert")
    page.keyboard.press("Enter")
    page.wait_for_selector("#entries .by-agent .bubble:has-text('Monday / Tuesday')")
    page.keyboard.type("/xyzzy")
    page.wait_for_selector("#insert >> text=Try fewer words.")
    page.keyboard.press("Enter")
    assert not page.is_visible("#insert")
    assert page.input_value("#words") == "/xyzzy"
    assert list(Entry.objects.filter(conversation=mine, actor_kind="agent", kind="message").values_list("body", flat=True)) == [
        "Monday / Tuesday"
    ]


def test_a_slash_by_mouse(visit: Visit, mine: Conversation) -> None:
    """The button opens the same menu at the caret, a press on a row puts it in, a press elsewhere closes it."""
    meanwhile(keep_replies)
    page = visit(mine)
    page.fill("#words", "Look:")
    page.click("#composer [data-do=insert]")
    page.click("#insert [data-insert='Top up to 1.3 bar.']")
    value_is(page, "Look: Top up to 1.3 bar.")
    page.click("#composer [data-do=insert]")
    page.wait_for_selector("#insert [role=option]")
    page.click("#conversation-header h1")
    page.wait_for_selector("#insert", state="hidden")
    assert page.input_value("#words") == "Look: Top up to 1.3 bar. /"


def test_a_pill_tells_of_new_messages_instead_of_jumping(live_cast: Cast, visit: Visit, mine: Conversation) -> None:
    """Who reads above stays where they are and is told how many came; the pill leads to the end."""
    for number in range(40):
        meanwhile(live_cast.says, mine, f"Line {number}")
    page = visit(mine)
    page.wait_for_selector("text=Line 39")
    page.evaluate("document.getElementById('history').scrollTop = 0")
    meanwhile(live_cast.says, mine, "And one more")
    page.wait_for_selector("#new-pill >> text=1 new message")
    meanwhile(live_cast.says, mine, "And another")
    page.wait_for_selector("#new-pill >> text=2 new messages")
    assert page.evaluate("document.getElementById('history').scrollTop") == 0
    page.click("#new-pill")
    page.wait_for_selector("#new-pill", state="hidden")
    expect(page.locator(".by-customer .bubble", has_text="And another")).to_be_in_viewport()


def test_sections_of_the_customer_stay_as_they_were_left(live_cast: Cast, visit: Visit, mine: Conversation) -> None:
    """A closed section is closed after a reload and beside another conversation."""
    other = meanwhile(live_cast.chat, name="Priya Nair")
    page = visit(mine)
    page.click("[data-section=facts] > summary")
    page.wait_for_selector("[data-section=facts]:not([open])")
    page.reload()
    page.wait_for_selector("[data-section=facts]:not([open])")
    page.keyboard.press("Control+k")
    page.keyboard.type("priya")
    page.click("#palette-found [data-row]")
    page.wait_for_selector("#customer-pane h2:has-text('Priya Nair')")
    page.wait_for_selector("[data-section=facts]:not([open])")
    assert page.is_visible("[data-section=bookings][open]")
    assert other.pk != mine.pk


def test_the_copilot_by_keyboard(live_cast: Cast, mine: Conversation, visit: Visit) -> None:
    """c opens it with the focus on what it suggests, Enter puts that into the field, and nothing is sent; Esc leaves all as it was."""
    article = KnowledgeArticle(title="Reset", body="Hold the reset button for ten seconds.", url="/help/reset/", published=True)
    meanwhile(article.save)
    meanwhile(ingest, article)
    meanwhile(live_cast.says, mine, "How do I reset my boiler?")
    page = visit(mine)
    page.keyboard.press("c")
    focused(page, "#copilot [data-put]")
    expect(page.locator("#copilot")).to_contain_text("Hold the reset button for ten seconds.")
    page.keyboard.press("Escape")
    focused(page, "#words")
    expect(page.locator("#copilot")).to_be_hidden()
    expect(page.locator("#words")).to_have_value("")
    page.keyboard.press("Escape")
    page.keyboard.press("Control+k")
    page.keyboard.type("suggest a reply")
    page.keyboard.press("Enter")
    focused(page, "#copilot [data-put]")
    page.keyboard.press("Enter")
    expect(page.locator("#words")).to_have_value("Hold the reset button for ten seconds.")
    page.locator("#copilot-button").click()
    page.get_by_role("button", name="Add a greeting and a sign-off").click()
    expect(page.locator("#words")).to_have_value("Hello,\n\nHold the reset button for ten seconds.\n\nKind regards,\nAnn")
    assert meanwhile(Entry.objects.filter(kind="message", actor_kind="agent").count) == 0
