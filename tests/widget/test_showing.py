"""What the widget shows of what happened, and what it lets the customer do about it."""

import json
import re
from datetime import UTC, datetime, timedelta

import pytest
from django.utils.translation import override
from playwright.sync_api import expect

from conversations.chat.widget_texts import widget_texts
from tests.widget.conftest import Chat, wait_until
from tests.widget.double import ChatDouble

pytestmark = pytest.mark.django_db
EVIL = '<img src=x onerror="document.title=1"><script>document.title=2</script>'


def test_it_says_that_it_is_an_ai_first_and_once(chat):
    """The disclosure is the first thing; its entry in the history does not repeat it."""
    window = chat()
    window.server.say(window.server.greeting, kind="disclosure.shown")
    window.server.say("How can I help?")
    expect(window.bubbles).to_have_text([window.server.greeting, "How can I help?"])
    expect(window.page.get_by_text("AI agent, answers at once")).to_be_visible()


def test_a_person_is_called_by_the_first_name(chat):
    """The header and the bubbles say who it is now."""
    window = chat()
    window.server.push({"type": "state", "owner": "human", "name": "Ann Archer"})
    window.server.say("Ann joined.", kind="handoff.accepted", actor="agent", name="Ann Archer")
    window.server.say("Hi, I am here.", actor="agent", name="Ann Archer")
    expect(window.page.get_by_text("Ann is with you")).to_be_visible()
    expect(window.log.locator(".by-agent .speaker")).to_have_text("Ann: ")
    expect(window.page.get_by_role("button", name="Talk to a person")).to_have_count(0)


def test_who_waits_and_what_has_ended_is_said(chat):
    """Between the AI agent and the person the header says who comes; after the end, that it has ended."""
    window = chat()
    window.server.push({"type": "state", "owner": "waiting", "name": ""})
    expect(window.panel.get_by_text("A person will join you")).to_be_visible()
    window.server.push({"type": "state", "owner": "human", "name": "Ann"})
    expect(window.panel.get_by_text("Ann is with you")).to_be_visible()
    window.server.push({"type": "state", "owner": "closed", "name": ""})
    expect(window.panel.get_by_text("This chat has ended")).to_be_visible()


def test_closed_says_until_when(chat):
    """The opening time is on the company's own clock."""
    server = ChatDouble()
    closed = {"open": False, "opens_at": "2026-06-08T07:00:00+00:00", "answers": "people"}
    server.welcome = {"state": {"owner": "closed", "name": ""}, **closed}
    window = chat(server=server)
    expect(window.page.get_by_text("Closed until Mon 08:00")).to_be_visible()


def test_closed_is_not_said_where_the_ai_agent_answers(chat):
    """Who writes again gets an answer at once, whatever the hours of people."""
    server = ChatDouble()
    closed = {"open": False, "opens_at": "2026-06-08T07:00:00+00:00", "answers": "assistant"}
    server.welcome = {"state": {"owner": "closed", "name": ""}, **closed}
    window = chat(server=server)
    expect(window.panel.get_by_text("This chat has ended")).to_be_visible()
    expect(window.page.get_by_text("Closed until")).to_have_count(0)


def test_an_open_chat_says_who_answers_when_that_changes(chat):
    """The AI agent is stopped while the chat is open: the header says so before the customer writes."""
    window = chat()
    expect(window.page.get_by_text("AI agent, answers at once")).to_be_visible()
    people = {"greeting": "Hello, one of our team answers you here.", "answers": "people", "open": True, "opens_at": None}
    window.server.push({"type": "answering", **people})
    expect(window.page.get_by_text("Our team answers here")).to_be_visible()
    expect(window.page.get_by_text("AI agent, answers at once")).to_have_count(0)
    expect(window.bubbles).to_have_text(["Hello, one of our team answers you here."])


def test_a_chat_that_was_begun_keeps_its_greeting(chat):
    """The AI agent is stopped in the middle: nothing new stands before what was said long ago."""
    window = chat()
    window.server.say(window.server.greeting, kind="disclosure.shown")
    window.server.say("How can I help?")
    people = {"greeting": "Hello, one of our team answers you here.", "answers": "people", "open": True, "opens_at": None}
    window.server.push({"type": "answering", **people})
    expect(window.page.get_by_text("Our team answers here")).to_be_visible()
    expect(window.bubbles).to_have_text([window.server.greeting, "How can I help?"])


def test_labels_are_in_the_language_of_the_conversation(chat):
    """On an English page a chat in Spanish has a field and buttons in Spanish, and so has everything around them."""
    window = chat()
    window.server.say("¿Cuál es el código postal?", data={"field": {"fact": "postcode", "label": "Código postal"}})
    expect(window.page.get_by_role("button", name="Continue", exact=True)).to_be_visible()
    with override("es"):
        window.server.push({"type": "language", "language": "es", "texts": widget_texts()})
    expect(window.page.get_by_role("button", name="Continuar", exact=True)).to_be_visible()
    expect(window.page.get_by_role("button", name="Continue", exact=True)).to_have_count(0)
    expect(window.page.get_by_role("button", name="Hablar con una persona")).to_be_visible()
    expect(window.page.get_by_placeholder("Escriba un mensaje")).to_be_visible()
    expect(window.page.get_by_text("Asistente de IA, responde al momento")).to_be_visible()
    expect(window.page.get_by_text("Talk to a person")).to_have_count(0)


def test_what_people_and_systems_write_is_inert(chat):
    """Markup anywhere in a frame is text; addresses that are not http(s) are no links."""
    server = ChatDouble(greeting=f"Hello {EVIL}")
    window = chat(server=server)
    title = window.page.title()
    window.write(EVIL)
    server.say(
        EVIL + " javascript:alert(1) data:text/html,x",
        name=EVIL,
        data={
            "sources": [{"title": EVIL, "url": "javascript:alert(1)"}, {"title": "data", "url": "data:text/html,<b>"}],
            "quick_replies": [{"label": EVIL, "value": EVIL}],
        },
    )
    server.say(EVIL, kind="booking.made", data={"service": EVIL, "window_start": "soon", "reference": EVIL})
    server.say(EVIL, kind="conversation.closed", actor="system")
    server.say(EVIL, actor="agent", name=EVIL, data={"field": {"fact": EVIL, "label": EVIL, "options": []}})
    server.push({"type": "error", "code": "x", "reason": EVIL})
    server.push({"type": "activity", "who": "agent", "name": EVIL, "what": "draft", "text": EVIL})
    expect(window.page.locator(".live .bubble")).to_have_text(EVIL)
    assert window.page.locator("cx-chat img, cx-chat script, cx-chat b").count() == 0
    assert window.log.locator("a").count() == 0
    assert window.page.title() == title


def test_addresses_in_a_text_become_links(chat):
    """Only the address, without the full stop; in a new tab that cannot reach back."""
    window = chat()
    window.server.say("See https://harborhome.example/a?b=1&c=2. Or (http://x.example/y), not ftp://z.example.")
    links = window.log.get_by_role("link")
    expect(links).to_have_text(["https://harborhome.example/a?b=1&c=2", "http://x.example/y"])
    for link in links.all():
        assert link.get_attribute("rel") == "noopener noreferrer"
        assert link.get_attribute("target") == "_blank"


def test_a_source_opens_its_article(chat):
    """What the AI agent cites is a page that can be read."""
    window = chat()
    window.server.say("Fill it up.", data={"sources": [{"title": "Your boiler loses pressure", "url": "/help/boiler-pressure"}]})
    with window.page.context.expect_page() as opened:
        window.log.get_by_role("link", name="Your boiler loses pressure").click()
    expect(opened.value.get_by_role("heading", level=1)).to_have_text("Your boiler loses pressure")


def test_quick_replies_stand_under_the_last_message_only(chat):
    """Pressing one answers with its value and shows its words; afterwards they are gone."""
    window = chat()
    window.server.say("When?", data={"quick_replies": [{"label": "Tuesday morning", "value": "2026-06-09T09:00"}]})
    window.page.get_by_role("button", name="Tuesday morning").click()
    expect(window.bubbles.last).to_have_text("Tuesday morning")
    expect(window.page.get_by_role("button", name="Tuesday morning")).to_have_count(0)
    assert window.server.said() == ["2026-06-09T09:00"]


@pytest.mark.parametrize(
    ("fact", "attributes"),
    [
        ("name", {"type": "text", "autocomplete": "name"}),
        ("phone", {"type": "tel", "autocomplete": "tel", "inputmode": "tel"}),
        ("email", {"type": "email", "autocomplete": "email"}),
        ("postcode", {"type": "text", "autocomplete": "postal-code", "autocapitalize": "characters"}),
        ("order_number", {"type": "text", "autocomplete": "off"}),
    ],
)
def test_a_field_helps_to_fill_it_in(chat, fact, attributes):
    """The browser is told what is asked, so that it offers the right keyboard and what it knows."""
    window = chat()
    window.server.say("Please tell me.", data={"field": {"fact": fact, "label": "Your answer", "options": []}})
    field = window.page.get_by_label("Your answer")
    for name, value in attributes.items():
        expect(field).to_have_attribute(name, value)


def test_a_form_asks_one_field_after_the_other(chat):
    """A wrong answer is said beside the field; a right one goes, and the focus moves on to the next field."""
    window = chat()
    window.server.say("Your email, please.", data={"field": {"fact": "email", "label": "Email", "options": []}})
    field = window.page.get_by_label("Email")
    field.fill("nobody")
    field.press("Enter")
    expect(window.page.get_by_text("That does not look right yet. Please check: Email")).to_be_visible()
    assert window.server.got("message") == []
    field.fill(" ann@harbor.example ")
    field.press("Enter")
    expect(window.bubbles.last).to_have_text("ann@harbor.example")
    expect(window.page.get_by_label("Email")).to_have_count(0)
    window.server.say("And your postcode?", data={"field": {"fact": "postcode", "label": "Postcode", "options": []}})
    expect(window.page.get_by_label("Postcode")).to_be_focused()
    window.page.get_by_label("Postcode").press("Enter")
    expect(window.page.get_by_text("Please fill in: Postcode")).to_be_visible()


def test_a_field_with_options_is_a_choice(chat):
    """Options are buttons; they may be plain words or words with a value."""
    window = chat()
    options = ["Morning", {"label": "Afternoon", "value": "pm"}]
    window.server.say("When?", data={"field": {"fact": "time_window", "label": "Time", "options": options}})
    group = window.page.get_by_role("group", name="Time")
    expect(group.get_by_role("button")).to_have_text(["Morning", "Afternoon"])
    group.get_by_role("button", name="Afternoon").click()
    expect(window.bubbles.last).to_have_text("Afternoon")
    assert window.server.said() == ["pm"]


def test_a_reply_is_seen_while_it_is_written(chat):
    """Typing, then the draft as it grows, then the message in its place."""
    window = chat()
    live = window.page.locator(".live")
    window.server.push({"type": "activity", "who": "agent", "name": "Ann Archer", "what": "typing", "text": ""})
    expect(live.get_by_text("Ann is typing")).to_have_count(1)
    for text in ("Your boiler", "Your boiler needs water"):
        window.server.push({"type": "activity", "who": "assistant", "name": "", "what": "draft", "text": text})
        expect(live.locator(".bubble")).to_have_text(text)
    window.server.say("Your boiler needs water.")
    expect(live).to_be_hidden()
    expect(window.bubbles.last).to_have_text("Your boiler needs water.")


def test_a_booking_is_a_card_on_the_companys_clock(chat):
    """A visit happens where the company is, whatever the reader's own zone."""
    window = chat(timezone_id="Asia/Tokyo")
    visit = {
        "service": "Boiler repair",
        "reference": "HH-4F7K2Q",
        "window_start": "2026-06-09T09:00:00+00:00",
        "window_end": "2026-06-09T11:00:00+00:00",
    }
    window.server.say("Booked.", kind="booking.made", data=visit)
    card = window.log.locator(".card")
    expect(card).to_contain_text("Visit booked")
    expect(card).to_contain_text("Tuesday 9 June")
    expect(card).to_contain_text("10:00–12:00")
    expect(card).to_contain_text("Reference HH-4F7K2Q")


def test_what_was_said_on_a_call_is_in_the_same_history(chat):
    """With a phone and a word beside it."""
    window = chat()
    window.server.say("", kind="call.answered", actor="system", channel="voice")
    window.server.say("can you come earlier", actor="customer", channel="voice")
    window.server.say("Yes, at nine.", channel="voice")
    window.server.say("", kind="interaction.ended", actor="system", channel="voice", data={"duration_seconds": 192})
    expect(window.log.locator(".meta").get_by_text("on the phone")).to_have_count(2)
    expect(window.log.get_by_text("The call ended · 3 mins 12 secs")).to_be_visible()


def test_another_conversation_is_a_new_chapter(chat):
    """When the chat goes on in another conversation its numbers begin anew; both stay on the screen, in order."""
    window = chat()
    entry = window.server.say("In the first conversation")
    expect(window.bubbles).to_have_count(2)
    newer = {**entry, "body": "In the second conversation"}
    window.server.push({"type": "entries", "conversation": "0" * 32, "entries": [newer], "upto": 1})
    expect(window.bubbles).to_have_text([re.compile("AI agent"), "In the first conversation", "In the second conversation"])


def test_a_removed_message_is_gone_from_the_screen(chat):
    """A redaction replaces what was shown."""
    window = chat()
    entry = window.server.say("A secret", actor="customer")
    expect(window.bubbles).to_have_count(2)
    window.server.push({"type": "entries", "entries": [{**entry, "body": "", "redacted": True}], "upto": 1})
    expect(window.log.get_by_text("A secret")).to_have_count(0)
    expect(window.log.get_by_text("A message was removed.")).to_be_visible()


def test_continue_by_phone_shows_number_and_code(chat):
    """With how long they are good, and the simulator when the server offers one; an expired code can be renewed."""
    window = chat()
    soon = datetime.now(UTC) + timedelta(minutes=14, seconds=30)
    window.server.answer_phone = {
        "type": "phone_code",
        "number": "+441632960100",
        "readable_number": "01632 960100",
        "code": "482913",
        "expires_at": soon.isoformat(),
        "simulator_url": "/simulator/phone/?to=441632960100&code=482913",
    }
    window.page.get_by_role("button", name="Continue by phone").click()
    sheet = window.page.get_by_role("region", name="Continue by phone")
    expect(sheet.get_by_text("482913")).to_be_visible()
    expect(sheet.get_by_role("link", name="01632 960100")).to_have_attribute("href", "tel:+441632960100")
    expect(sheet.get_by_text("good for 15 minutes")).to_be_visible()
    expect(sheet.get_by_role("link", name="Call from the phone simulator")).to_have_attribute(
        "href", re.compile(r"^http://127\.0\.0\.1:\d+/simulator/phone/\?to=441632960100&code=482913$")
    )
    window.page.keyboard.press("Escape")
    expect(sheet).to_have_count(0)
    expect(window.page.get_by_role("button", name="Continue by phone")).to_be_focused()
    window.server.answer_phone["expires_at"] = "2020-01-01T00:00:00+00:00"
    window.page.get_by_role("button", name="Continue by phone").click()
    expect(sheet.get_by_text("The code has run out.")).to_be_visible()
    window.server.answer_phone["expires_at"] = soon.isoformat()
    sheet.get_by_role("button", name="Get a code").click()
    expect(sheet.get_by_text("482913")).to_be_visible()


def test_without_a_code_the_sheet_says_why(chat):
    """The server's reason, and a way to ask again."""
    window = chat()
    window.server.answer_phone = {"type": "error", "code": "no_phone", "reason": "There is no number to call at the moment."}
    window.page.get_by_role("button", name="Continue by phone").click()
    expect(window.page.get_by_text("There is no number to call at the moment.")).to_be_visible()
    expect(window.page.get_by_role("button", name="Get a code")).to_be_visible()


def test_a_code_is_offered_only_when_there_is_something_to_carry_over(chat):
    """Before the first message the sheet says so; with the message the code comes by itself."""
    window = chat()
    window.server.answer_phone = {"type": "error", "code": "nothing_said", "reason": "Write a first message."}
    window.page.get_by_role("button", name="Continue by phone").click()
    sheet = window.page.get_by_role("region", name="Continue by phone")
    expect(sheet.get_by_text("Write a first message.")).to_be_visible()
    expect(sheet.get_by_role("button", name="Get a code")).to_have_count(0)
    window.server.answer_phone = {
        "type": "phone_code", "number": "+441632960100", "code": "482913", "expires_at": "2099-01-01T00:00:00Z",
    }  # fmt: skip
    window.write("Hello")
    expect(sheet.get_by_text("482913")).to_be_visible()


def test_call_me_shows_the_code_to_key_in_until_the_call_is_over(chat):
    """The number goes as it was typed; the code stays on the screen until the call carries on here or has come to nothing."""
    window = chat()
    soon = (datetime.now(UTC) + timedelta(minutes=14, seconds=30)).isoformat()
    window.server.answer_phone = {
        "type": "phone_code", "number": "+441632960100", "readable_number": "01632 960100", "code": "482913", "expires_at": soon,
    }  # fmt: skip
    window.server.answer_call = {
        "type": "calling", "number": "+447700900123", "readable_number": "07700 900123", "code": "113355", "expires_at": soon,
        "simulator_url": "/simulator/phone/?from=447700900123",
    }  # fmt: skip
    sheet = window.page.get_by_role("region", name="Continue by phone")

    def call_me() -> None:
        window.page.get_by_role("button", name="Continue by phone").click()
        sheet.get_by_label("Or we call you. On which number?").fill(" 07700 900123 ")
        sheet.get_by_role("button", name="Call me").click()
        expect(sheet.get_by_text("We are calling 07700 900123 now.")).to_be_visible()
        expect(sheet.get_by_text("113355")).to_be_visible()

    call_me()
    assert [frame["number"] for frame in window.server.got("call_me")] == ["07700 900123"]
    expect(sheet.get_by_role("link", name="Answer on the phone simulator")).to_have_attribute(
        "href", re.compile(r"/simulator/phone/\?from=447700900123$")
    )
    window.server.say("Something else meanwhile.")
    expect(window.log.get_by_text("Something else meanwhile.")).to_be_visible()
    expect(sheet.get_by_text("113355")).to_be_visible()
    window.server.say("We could not reach you.", actor="system", data={"call_me": "over"})
    expect(sheet).to_have_count(0)
    call_me()
    window.server.say("Thank you. I have our chat here.", channel="voice")
    expect(sheet).to_have_count(0)


def test_a_refused_call_says_why_and_keeps_the_number(chat):
    """So that a mistake can be put right; an empty number is not sent."""
    window = chat()
    window.server.answer_phone = {
        "type": "phone_code", "number": "+441632960100", "code": "482913", "expires_at": "2099-01-01T00:00:00Z",
    }  # fmt: skip
    window.server.answer_call = {"type": "error", "code": "not_called", "reason": "That is not a phone number we can call."}
    window.page.get_by_role("button", name="Continue by phone").click()
    sheet = window.page.get_by_role("region", name="Continue by phone")
    sheet.get_by_role("button", name="Call me").click()
    assert window.server.got("call_me") == []
    sheet.get_by_label("Or we call you. On which number?").fill("12")
    sheet.get_by_role("button", name="Call me").click()
    expect(sheet.get_by_role("alert")).to_have_text("That is not a phone number we can call.")
    expect(sheet.get_by_label("Or we call you. On which number?")).to_have_value("12")


def test_a_person_can_always_be_asked_for(chat):
    """Even on a lost line: the wish is kept like a message and arrives once."""
    window = chat()
    window.page.context.set_offline(True)
    window.page.get_by_role("button", name="Talk to a person").click()
    expect(window.bubbles.last).to_have_text("I would like to talk to a person.")
    window.page.context.set_offline(False)
    expect(window.log.get_by_text("Sending")).to_have_count(0)
    assert len({frame["client_id"] for frame in window.server.got("person")}) == 1
    assert window.server.said() == ["I would like to talk to a person."]


def test_unread_messages_are_counted_on_the_launcher(chat):
    """A closed chat says how many messages wait; opening it reads them."""
    window = chat()
    window.write("Hello")
    expect(window.log.get_by_text("Hello", exact=True)).to_be_visible()
    window.page.get_by_role("button", name="Close chat").first.click()
    window.server.say("Are you there?")
    window.server.say("It is about your boiler.")
    expect(window.page.get_by_role("button", name="Open chat. 2 unread")).to_be_visible()
    window.page.reload()
    window.launcher.click()
    expect(window.log.get_by_text("It is about your boiler.")).to_be_visible()
    window.page.get_by_role("button", name="Close chat").first.click()
    expect(window.page.get_by_role("button", name="Open chat", exact=True)).to_be_visible()


def test_reading_above_is_not_disturbed(chat):
    """A new message does not move what is being read; a button leads to it."""
    window = chat()
    for number in range(40):
        window.server.append(f"Message {number}")
    window.server.push({"type": "entries", "entries": window.server.entries, "upto": 40})
    expect(window.bubbles).to_have_count(41)
    scroller = window.page.locator(".scroller")
    scroller.evaluate("node => node.scrollTop = 0")
    window.server.say("The newest")
    pill = window.page.get_by_role("button", name="New messages")
    expect(pill).to_be_visible()
    assert scroller.evaluate("node => node.scrollTop") == 0
    pill.click()
    expect(window.log.get_by_text("The newest")).to_be_in_viewport()
    expect(pill).to_be_hidden()


def test_broken_frames_are_ignored(chat):
    """What is not JSON or not known changes nothing."""
    window = chat()
    for socket in window.server.sockets:
        socket.send("{")
        socket.send(json.dumps({"type": "weather"}))
    window.server.say("Still here")
    expect(window.bubbles.last).to_have_text("Still here")


def test_the_button_for_a_call_has_the_number_rung(chat):
    """What the AI agent offers does the same as the sheet: nothing is said, a refusal can be put right."""
    window = chat()
    window.server.answer_call = {"type": "error", "code": "not_called", "reason": "We cannot call this number at the moment."}
    offer = {"label": "Call 07700 900123", "value": "Call 07700 900123", "call": "+447700900123"}
    window.server.say("We can call 07700 900123 now.", data={"quick_replies": [offer]})
    window.page.get_by_role("button", name="Call 07700 900123").click()
    sheet = window.page.get_by_role("region", name="Continue by phone")
    expect(sheet.get_by_role("alert")).to_have_text("We cannot call this number at the moment.")
    expect(sheet.get_by_label("Or we call you. On which number?")).to_have_value("+447700900123")
    assert [frame["number"] for frame in window.server.got("call_me")] == ["+447700900123"]
    assert window.server.said() == []


def test_what_is_pressed_before_the_chat_has_loaded_opens_it(company, web, open_page):
    """On a slow line nobody has to press twice."""
    page = open_page(web.url)
    window, held = Chat(page, ChatDouble().serve(page)), []
    page.route("**/widget/chat*.js", lambda route: held.append(route))
    page.goto("/harborhome", wait_until="domcontentloaded")
    wait_until(window, lambda: bool(held))
    page.get_by_role("button", name="Chat with us").first.click()
    expect(window.launcher).to_have_count(0)
    held[0].continue_()
    expect(window.panel).to_be_visible()


@pytest.mark.parametrize(
    ("welcome", "state"),
    [
        ({"answers": "people"}, "Our team answers here"),
        ({"answers": "people", "open": False, "opens_at": "2026-06-08T07:00:00+00:00"}, "Our team is back Mon 08:00"),
        ({"answers": "people", "open": False}, "Our team is away now"),
        ({"answers": "either"}, "Our AI agent or our team answers"),
    ],
)
def test_where_people_answer_nothing_is_said_by_an_ai(chat, welcome, state):
    """The header says who answers and when; what the system says is called what it is."""
    server = ChatDouble(greeting="Hello, this is the chat of Harbor Home Services.")
    server.welcome = welcome
    window = chat(server=server)
    expect(window.panel.get_by_text(state, exact=True)).to_be_visible()
    window.server.say("A colleague will join you here as soon as one is free.", actor="system")
    expect(window.log.locator(".speaker")).to_have_text(["Automatic message: "])
    expect(window.panel.get_by_text("AI agent, answers at once")).to_have_count(0)
