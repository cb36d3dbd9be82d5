"""What happens in the story, in order. Every line either does something as one of its people or waits for what they see."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from playwright.sync_api import Page, expect

from tests.story.script import PATIENCE_MS, Customer, Look, Phone, Staff, nothing_to_see

ANSWERED = re.compile(r"1\.0 and 1\.5 bar")
REFERENCE = re.compile(r"HH-[A-Z0-9]{6}")
WINDOW = re.compile(r"\d{1,2}:00 to \d{1,2}:00")
COMPANY_ZONE = ZoneInfo("Europe/London")
SATURDAY = 5


def tell(new_window: Callable[[], Page], look: Look = nothing_to_see) -> None:
    """Plays the story. `new_window` opens a window of a person of its own; `look` may take pictures."""
    ann, sam = Staff(new_window()), Customer(new_window())
    ann.sign_in("ann", "/inbox/")
    ann.become_available()
    _book_by_chat(sam, look)
    phone = _carry_on_by_phone(sam, new_window, look)
    _meet_a_person(ann, phone, sam, look)
    _prove_who_it_is(phone, look)
    maya = Staff(new_window())
    maya.sign_in("maya", "/admin/")
    _see_the_customer(maya, look)
    _change_the_rules(maya, look)
    _follow_the_new_rules(Customer(new_window()), ann, look)
    _read_the_report(maya, look)


def _book_by_chat(sam: Customer, look: Look) -> None:
    sam.open_chat()
    sam.write("What pressure should my boiler have?")
    sam.reads(ANSWERED)
    expect(sam.log.get_by_role("link", name=re.compile("boiler pressure"))).to_be_visible()
    sam.write("I would like to book a boiler service")
    sam.reads("postcode")
    sam.write("HB1 4QT")
    sam.reads("free")
    sam.choose(WINDOW)
    sam.reads(re.compile("name", re.I))
    sam.write("Sam Okafor")
    sam.reads(re.compile("number", re.I))
    sam.write("07700 900123")
    sam.reads("Visit booked")
    sam.reads(REFERENCE)
    look("chat", sam.page)


def _carry_on_by_phone(sam: Customer, new_window: Callable[[], Page], look: Look) -> Phone:
    sam.continue_by_phone()
    phone = Phone(new_window())
    address = sam.page.get_by_role("link", name="Call from the phone simulator").get_attribute("href")
    phone.page.goto(address or "")
    phone.call()
    phone.key_in_code()
    phone.hears("Book a boiler service")
    day = _a_later_weekday()
    phone.say(f"I need to move my visit to {day}")
    phone.hears(day)
    phone.say("yes please")
    phone.hears("Done")
    look("phone", phone.page)
    sam.reads("Visit changed")
    phone.say("Oh wait, I smell gas")
    phone.hears("Please stay on the line")
    return phone


def _a_later_weekday() -> str:
    """The name of a working day of this week or the next, later than any window that is offered first."""
    day = datetime.now(COMPANY_ZONE) + timedelta(days=4)
    while day.weekday() >= SATURDAY:
        day += timedelta(days=1)
    return f"{day:%A}"


def _meet_a_person(ann: Staff, phone: Phone, sam: Customer, look: Look) -> None:
    page = ann.page
    offer = page.locator(".offer")
    expect(offer).to_contain_text("Gas", timeout=PATIENCE_MS)
    look("offer", page)
    offer.get_by_role("button", name="Accept").click()
    expect(page.locator("#conversation-header")).to_contain_text("With you", timeout=PATIENCE_MS)
    history = page.locator("#entries")
    for words in ("What pressure should my boiler have?", "Oh wait, I smell gas", "Boiler service"):
        expect(history).to_contain_text(words, timeout=PATIENCE_MS)
    phone.hears("Ann has joined")
    page.locator("#words").fill("This is Ann. Are you outside the house now?")
    page.get_by_role("button", name="Say on the call").click()
    phone.hears("Are you outside the house now?")
    phone.say("Yes, we are all outside")
    expect(history).to_contain_text("Yes, we are all outside", timeout=PATIENCE_MS)
    look("inbox", page)
    page.get_by_role("button", name="Connect my phone").click()
    people = phone.page.locator(".agent-phone")
    people.get_by_role("button", name="Answer").click(timeout=PATIENCE_MS)
    people.get_by_role("button", name="Press 1").click(timeout=PATIENCE_MS)
    expect(history).to_contain_text("Ann is on the call", timeout=PATIENCE_MS)
    phone.hang_up()
    page.locator("[data-mode-to=note]").click()
    page.locator("#words").fill("Everybody is out. Gas emergency service is on the way.")
    page.get_by_role("button", name="Add note").click()
    expect(history).to_contain_text("Gas emergency service is on the way", timeout=PATIENCE_MS)
    page.locator("[data-mode-to=say]").click()
    page.locator("#words").fill("Your visit stays as it is. Stay safe.")
    page.get_by_role("button", name="Send to web chat").click(timeout=PATIENCE_MS)
    sam.reads("Stay safe")
    page.locator("#conversation-header [data-key=e]").click()
    page.get_by_label(re.compile("outcome|ended", re.I)).first.select_option(label="Resolved")
    page.get_by_role("button", name="Close conversation").click()
    expect(page.locator("#conversation-header")).to_contain_text("Closed", timeout=PATIENCE_MS)


def _prove_who_it_is(phone: Phone, look: Look) -> None:
    """Another day, without a code from the chat: a text message to the number shows that it is Sam."""
    phone.page.goto("/simulator/phone/")
    phone.call()
    phone.say("When is my visit?")
    phone.hears("Shall I?")
    phone.say("Yes")
    phone.hears("on its way")
    phone.say(phone.texted_code())
    phone.hears("that is confirmed")
    phone.hears("Boiler service on")
    look("proof", phone.page)
    phone.hang_up()


def _see_the_customer(maya: Staff, look: Look) -> None:
    page = maya.page
    page.goto("/admin/conversations/customer/?q=07700+900123")
    page.get_by_role("link", name="Sam Okafor").first.click()
    history = page.locator("#history")
    for words in ("What pressure should my boiler have?", "Oh wait, I smell gas", "Everybody is out"):
        expect(history).to_contain_text(words)
    look("customer", page)
    page.get_by_role("link", name=re.compile("into Sam Okafor")).click()
    expect(page.get_by_text("The code from the web chat was entered on the call")).to_be_visible()
    expect(page.get_by_role("button", name="Take the joining back")).to_be_visible()
    look("joining", page)


def _change_the_rules(maya: Staff, look: Look) -> None:
    page = maya.page
    page.goto("/admin/routing/ruleset/?status__exact=published&kind__exact=routing")
    page.locator("#result_list tbody th a").first.click()
    page.get_by_role("button", name="Make a draft from this").click()
    cell = page.locator("[name$=-when_reason]").first
    expect(cell).to_have_value("gas_smell")
    cell.fill("gas_smell, warranty")
    look("rules", page)
    page.get_by_role("button", name=re.compile("Save and continue", re.I)).click()
    page.get_by_role("link", name="Review and publish").click()
    page.get_by_label("What changes, and why").fill("Warranty questions go to a person, too.")
    page.get_by_role("button", name="Publish").click()
    expect(page.get_by_text("Every decision follows this version")).to_be_visible(timeout=PATIENCE_MS)


def _follow_the_new_rules(dana: Customer, ann: Staff, look: Look) -> None:
    ann.page.goto("/inbox/")
    dana.open_chat()
    dana.write("Is the repair from last month still under warranty?")
    expect(ann.page.locator(".offer")).to_be_visible(timeout=PATIENCE_MS)
    ann.page.locator(".offer").get_by_role("button", name="Accept").click()
    dana.reads(re.compile("Ann"))


def _read_the_report(maya: Staff, look: Look) -> None:
    page = maya.page
    page.goto("/reports/?period=today")
    headline = page.locator(".figures-headline")
    expect(headline.locator("#figure-duplicate_conversations .figure-value")).to_have_text(re.compile(r"^0"))
    expect(headline.locator("#figure-journey_accuracy .figure-value")).to_have_text(re.compile("100"))
    expect(headline.locator("#figure-routing_consistency .figure-value")).to_have_text(re.compile("100"))
    look("report", page)
