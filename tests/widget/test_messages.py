"""What a customer writes arrives once, whatever the line does."""

import pytest
from playwright.sync_api import expect

from tests.widget.conftest import Chat, wait_until
from tests.widget.double import ChatDouble

pytestmark = pytest.mark.django_db


def test_a_message_is_shown_at_once_and_sent_when_acknowledged(chat):
    """It says that it is being sent until the server has it."""
    window = chat()
    window.server.acknowledges = False
    window.write("My boiler is cold")
    expect(window.bubbles).to_have_count(2)
    expect(window.log.get_by_text("Sending")).to_be_visible()
    expect(window.box).to_have_value("")
    window.server.acknowledges = True
    window.server.cut()
    expect(window.log.get_by_text("Sending")).to_have_count(0)
    expect(window.bubbles).to_have_text([window.server.greeting, "My boiler is cold"])


def test_a_cut_line_repeats_the_message_under_its_client_id(chat):
    """The server stored it, the acknowledgement was lost: the repetition carries the same client_id, one bubble stays."""
    window = chat()
    window.server.acknowledges = False
    window.write("Once only")
    wait_until(window, lambda: len(window.server.got("message")) == 1)
    window.server.cut()
    window.server.acknowledges = True
    wait_until(window, lambda: len(window.server.got("message")) == 2 or window.server.said() == ["Once only"])
    expect(window.log.get_by_text("Sending")).to_have_count(0)
    assert {frame["client_id"] for frame in window.server.got("message")} == {window.server.entries[0]["data"]["client_id"]}
    expect(window.log.get_by_text("Once only")).to_have_count(1)
    assert window.server.said() == ["Once only"]


def test_an_unsent_message_survives_a_reload(chat):
    """What was never stored is sent by the next page, in the order it was written."""
    window = chat()
    window.server.stores = False
    window.write("First")
    window.write("Second")
    wait_until(window, lambda: len(window.server.got("message")) == 1)
    window.server.stores = True
    window.page.reload()
    expect(window.log.get_by_text("Second")).to_be_visible()
    expect(window.log.get_by_text("Sending")).to_have_count(0)
    assert window.server.said() == ["First", "Second"]


def test_messages_keep_their_order(chat):
    """Written in one go, they arrive in the order they were written."""
    window = chat()
    for number in range(6):
        window.write(f"Line {number}")
    expect(window.log.get_by_text("Sending")).to_have_count(0)
    assert window.server.said() == [f"Line {number}" for number in range(6)]


def test_offline_is_said_and_what_is_written_goes_later(chat):
    """Without a network the bar says so; when it is back the message goes by itself."""
    window = chat()
    window.page.context.set_offline(True)
    expect(window.page.get_by_text("You are offline.")).to_be_visible()
    window.write("Written on a train")
    expect(window.log.get_by_text("Sending")).to_be_visible()
    window.page.context.set_offline(False)
    expect(window.log.get_by_text("Sending")).to_have_count(0)
    expect(window.page.get_by_text("You are offline.")).to_have_count(0)
    assert window.server.said() == ["Written on a train"]


def test_a_server_that_refuses_connections_is_tried_again(chat):
    """A lost line is mentioned, and found again without the customer doing anything."""
    window = chat()
    window.server.accepts = False
    window.server.cut()
    expect(window.page.get_by_text("Reconnecting.")).to_be_visible()
    window.server.accepts = True
    expect(window.page.get_by_text("Reconnecting.")).to_have_count(0, timeout=10_000)


def test_resuming_asks_only_for_what_is_new(chat):
    """After a lost line the widget names the last seq it knows, and shows nothing twice."""
    window = chat()
    window.server.say("One")
    window.server.say("Two")
    expect(window.bubbles).to_have_count(3)
    window.server.cut()
    wait_until(window, lambda: len(window.server.got("hello")) == 2)
    assert window.server.got("hello")[1]["after"] == 2
    window.server.push({"type": "entries", "entries": window.server.entries, "upto": 2})
    window.server.say("Three")
    expect(window.bubbles).to_have_text([window.server.greeting, "One", "Two", "Three"])


def test_a_reload_keeps_the_conversation_and_the_open_panel(chat):
    """Token and session are remembered, the panel stays open, a half-written text stays in its box."""
    window = chat()
    window.write("Hello")
    expect(window.log.get_by_text("Hello", exact=True)).to_be_visible()
    window.box.fill("half a sent")
    window.page.reload()
    expect(window.log.get_by_text("Hello", exact=True)).to_be_visible()
    expect(window.box).to_have_value("half a sent")
    first, second = window.server.got("hello")
    assert (first["token"], first["session"], first["after"]) == (None, None, 0)
    assert (second["token"], second["session"], second["after"]) == ("token-1", "session-1", 0)


def test_a_refusal_says_why_and_keeps_the_text(chat):
    """The text can be put back into the box, or sent again under its old client_id."""
    window = chat()
    window.server.refuses = {"code": "too_long", "reason": "This message is too long."}
    window.write("A long story")
    expect(window.log.get_by_text("Not sent. This message is too long.")).to_be_visible()
    window.page.reload()
    expect(window.log.get_by_text("Not sent. This message is too long.")).to_be_visible()
    window.server.refuses = None
    window.page.get_by_role("button", name="Send again").click()
    expect(window.log.get_by_text("Not sent.")).to_have_count(0)
    assert len({frame["client_id"] for frame in window.server.got("message")}) == 1
    assert window.server.said() == ["A long story"]


def test_a_refused_text_can_be_edited(chat):
    """Edit takes it out of the history and into the box, before what is being written there."""
    window = chat()
    window.server.refuses = {"code": "not_unicode", "reason": "This message holds characters that are not valid."}
    window.write("Broken")
    window.box.fill("meanwhile")
    window.page.get_by_role("button", name="Edit").click()
    expect(window.box).to_have_value("Broken\nmeanwhile")
    expect(window.box).to_be_focused()
    expect(window.bubbles).to_have_count(1)


def test_what_went_too_fast_goes_again_by_itself(chat):
    """The limit of the server is no business of the customer's."""
    window = chat()
    window.server.refuses = {"code": "too_fast", "reason": "That was too fast."}
    window.write("Quick")
    wait_until(window, lambda: len(window.server.got("message")) == 1)
    window.server.refuses = None
    expect(window.log.get_by_text("Sending")).to_have_count(0)
    assert window.server.said() == ["Quick"]


def test_a_text_over_the_limit_is_not_sent(chat):
    """4,001 characters stay in the box with a sentence that says what to do."""
    window = chat()
    window.write("x" * 4001)
    expect(window.page.get_by_text("This is 4001 characters long. Please send at most 4000 at a time.")).to_be_visible()
    expect(window.box).to_have_value("x" * 4001)
    assert window.server.got("message") == []


def test_a_second_tab_shares_the_conversation(chat):
    """Both name the same visitor and session, and both show what was said."""
    server = ChatDouble()
    window = chat(server=server)
    window.write("From the first tab")
    expect(window.log.get_by_text("From the first tab")).to_be_visible()
    page = window.page.context.new_page()
    other = Chat(page, server.serve(page))
    page.goto("/help/boiler-pressure")
    other.open()
    expect(other.log.get_by_text("From the first tab")).to_be_visible()
    other.write("From the second tab")
    expect(window.log.get_by_text("From the second tab")).to_be_visible()
    assert server.got("hello")[-1]["session"] == "session-1"


def test_a_new_conversation_begins_below_the_old_one(chat):
    """When the old conversation is over, seq begins anew; nothing of either is lost or mixed."""
    window = chat()
    window.server.say("Goodbye")
    expect(window.bubbles).to_have_count(2)
    window.server.entries = []
    window.server.push({"type": "session", "session": "session-2"})
    window.server.say("", kind="interaction.started", actor="system")
    window.server.say("Welcome back")
    expect(window.bubbles).to_have_text([window.server.greeting, "Goodbye", "Welcome back"])
