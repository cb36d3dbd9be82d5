"""Who is signed in on the host site, or has proven it by a code: what the account says is used, and what is told reaches the record."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

import pytest
from channels.db import database_sync_to_async
from django.utils import timezone

from conversations.chat.demo_site import CUSTOMERS
from conversations.models import ActionItem, Booking, Customer, Entry, Handoff, Identifier, PaymentPromise
from conversations.services import threads
from conversations.services.parties import IdentifierClaim, Party
from tests.assistant.conftest import Line
from tests.assistant.test_errands import JANE, on, proves

pytestmark = pytest.mark.usefixtures("monday")
NEW_NUMBER, NEW_ADDRESS = "07700 900555", "14 Mill Lane, Harbor"


@pytest.fixture(autouse=True)
def _no_promise_is_left() -> Iterator[None]:
    yield
    PaymentPromise.objects.all().delete()


@dataclass
class SignedIn(Line):
    """A chat of a customer for whom the company's site vouches, as it does on its pages."""

    who: str = "Jane Whitfield"

    @property
    def _party(self) -> Party:
        known = next(each for each in CUSTOMERS if each.name == self.who)
        until = timezone.now() + timedelta(minutes=30)
        claims = (
            IdentifierClaim("visitor", self.party, "verified"),
            IdentifierClaim("external", f"harborhome:{known.id}", "verified", until),
            IdentifierClaim("email", known.email, "verified", until),
            IdentifierClaim("phone", known.phone, "claimed"),
        )
        return Party(claims, self.party, known.name, "en")

    async def anew(self) -> SignedIn:
        """The same customer, who comes again when this conversation is over."""
        conversation = await self.conversation()
        await database_sync_to_async(threads.close)(conversation, actor_kind="system", actor_name="", disposition=None)
        return SignedIn(who=self.who)


async def proven(channel: str) -> Line:
    """Jane, signed in on the site, or on the phone with a code."""
    if channel == "chat":
        return SignedIn()
    line = await on("voice")
    await line.say("where is my order?")
    await proves(line, JANE)
    await Customer.objects.filter(conversations=line.conversation_id).aupdate(name="Jane Whitfield")
    return line


async def changed() -> dict[str, str]:
    """What was changed on records, by the fact."""
    return {entry.data["name"]: entry.data["value"] async for entry in Entry.objects.filter(kind="record.changed")}


async def test_the_number_that_was_put_right_is_the_one_that_counts() -> None:
    """Also in the next conversation, for which the site tells the old one once more; and when the old one is put back."""
    line = SignedIn()
    for words in (f"my new number is {NEW_NUMBER}", "yes"):
        told = await line.say(words)
    assert NEW_NUMBER in told
    line = await line.anew()
    told = await line.say("there is a mistake on my bill")
    assert NEW_NUMBER in told
    assert "07700 900301" not in told
    line = await line.anew()
    for words in ("my new number is 07700 900301", "yes"):
        await line.say(words)
    line = await line.anew()
    told = await line.say("there is a mistake on my bill")
    assert "07700 900301" in told
    before = [entry.data["replaces"] async for entry in Entry.objects.filter(kind="record.changed").order_by("pk")]
    assert before == ["+447700900301", "+447700900555"]
    sources = {row.value: row.source async for row in Identifier.objects.filter(kind="phone")}
    assert sources == {"+447700900301": "put right", "+447700900555": "put right before"}


async def test_a_number_that_was_only_told_for_something_is_not_the_record_s() -> None:
    line = SignedIn()
    await line.say(f"there is a mistake on my bill, my number is {NEW_NUMBER}")
    line = await line.anew()
    assert "07700 900301" in await line.say("there is a mistake on my bill")


@pytest.mark.parametrize(("wish", "asked"), [
    ("can you book me a boiler service", "What is the postcode"),
    ("¿puede reservarme una revisión de caldera?", "Cuál es el código postal"),
])  # fmt: skip
async def test_a_visit_is_where_the_account_says(wish: str, asked: str) -> None:
    """Said before it is booked; the street is noted for whoever goes there."""
    line = SignedIn()
    for words in (f"my new address is {NEW_ADDRESS}, HB3 2XY", "yes"):
        await line.say(words)
    line = await line.anew()
    told = await line.say(wish)
    assert asked not in told
    assert "HB3 2XY" in told
    assert NEW_ADDRESS in told
    await line.say("tomorrow" if asked.startswith("What") else "mañana")
    await line.say("the first one" if asked.startswith("What") else "la primera")
    booked = await Booking.objects.aget()
    assert (booked.postcode, booked.name, booked.phone) == ("HB3 2XY", "Jane Whitfield", "+447700900301")
    item = await ActionItem.objects.aget()
    assert NEW_ADDRESS in item.title


async def test_a_visit_elsewhere_has_nothing_of_the_address_of_the_account() -> None:
    line = SignedIn()
    for words in (f"my new address is {NEW_ADDRESS}, HB3 2XY", "yes"):
        await line.say(words)
    line = await line.anew()
    told = await line.say("can you book a boiler service at HB1 4QT")
    assert "HB3 2XY" not in told
    for words in ("tomorrow", "the first one"):
        told = await line.say(words)
    assert (await Booking.objects.aget()).postcode == "HB1 4QT"
    assert NEW_ADDRESS not in told
    assert not await ActionItem.objects.aexists()


async def test_a_visit_that_the_account_placed_is_moved_elsewhere() -> None:
    line = SignedIn()
    for words in (f"my new address is {NEW_ADDRESS}, HB3 2XY", "yes"):
        await line.say(words)
    line = await line.anew()
    await line.say("can you book me a boiler service")
    await line.say("no, it is at HB1 4QT")
    for words in ("tomorrow", "the first one"):
        await line.say(words)
    assert (await Booking.objects.aget()).postcode == "HB1 4QT"


async def test_who_has_proven_nothing_gets_no_place_of_an_account() -> None:
    line = SignedIn()
    for words in (f"my new address is {NEW_ADDRESS}, HB3 2XY", "yes"):
        await line.say(words)
    await line.anew()
    stranger = Line()
    await stranger.say(f"my email is {JANE}")
    told = await stranger.say("can you book me a boiler service")
    assert "What is the postcode" in told
    assert "HB3" not in told
    assert await Customer.objects.filter(postcode="HB32XY").acount() == 1


@pytest.mark.parametrize("channel", ["chat", "voice"])
@pytest.mark.parametrize("asks", ["when will it arrive", "has it been sent yet?", "and when do i get it?"])
async def test_what_is_asked_after_orders_is_about_them(channel: str, asks: str) -> None:
    """And no missing engineer is looked for; what has come is not told once more."""
    line = await proven(channel)
    await line.say("where's my order")
    told = await line.say(asks)
    assert "HH-R7T2KD: on its way, expected" in told
    assert "HH-M4X9CE" not in told
    conversation = await line.conversation()
    assert (conversation.owner_kind, conversation.urgency) == ("assistant", "normal")
    assert conversation.reason is None or "engineer" not in conversation.reason.code
    assert "You owe £85" in await line.say("how much do i owe")


@pytest.mark.parametrize("asks", [
    "has my order been sent yet", "my parcel hasn't arrived", "i still haven't received my order", "has my new heating control shipped yet",
    "when will my radiator valves arrive?", "¿ha salido ya mi pedido?", "mi pedido no ha llegado",
])  # fmt: skip
async def test_an_order_is_told_however_it_is_asked_about(asks: str) -> None:
    line = SignedIn()
    assert "HH-R7T2KD" in await line.say(asks)
    assert not await line.entries("handoff.requested")


async def test_an_order_is_asked_about_in_spanish_once_more() -> None:
    line = SignedIn()
    await line.say("hola, ¿dónde está mi pedido?")
    told = await line.say("¿y cuándo llegará?")
    assert "HH-R7T2KD: en camino" in told
    assert "HH-M4X9CE" not in told


async def test_an_order_in_the_middle_of_a_form_and_an_engineer_who_is_late() -> None:
    """The order is told and the form waits; who asks for the engineer is looked after by people as before."""
    line = SignedIn(who="Tom Adeyemi")
    await line.say("there is a mistake on my bill")
    assert "HH-K9P3TY" in await line.say("has my filter been shipped yet")
    line = await line.anew()
    await line.say("has my engineer been sent yet? he is an hour late")
    assert await line.entries("handoff.requested")


async def test_what_is_new_is_put_on_the_record_in_the_middle_of_a_form() -> None:
    """Read back, changed after a yes, and the form is offered again; several details at once, too."""
    line = SignedIn(who="Tom Adeyemi")
    assert "Which invoice" in await line.say("can i have a copy of my invoice")
    asked = await line.say(f"ive moved, my new address is {NEW_ADDRESS}, HB3 2XY")
    assert "noted" not in asked
    assert f"address {NEW_ADDRESS} and postcode HB3 2XY. Is that right?" in asked
    assert "Shall we go on" in await line.say("yes")
    await line.say("no")
    asked = await line.say(f"my new number is {NEW_NUMBER} and my new email is tom@home.example")
    assert f"phone {NEW_NUMBER} and email tom@home.example. Is that right?" in asked
    await line.say("yes")
    assert await changed() == {
        "address": NEW_ADDRESS, "postcode": "HB3 2XY", "phone": "+447700900555", "email": "tom@home.example",
    }  # fmt: skip


@pytest.mark.parametrize("channel", ["chat", "voice"])
async def test_a_new_number_in_a_booking_is_the_record_s_and_the_visit_s(channel: str) -> None:
    line = await proven(channel)
    await line.say("I want to book a boiler service")
    assert "put this on your record" in await line.say(f"my new number is {NEW_NUMBER}")
    assert "Shall we go on" in await line.say("yes")
    for words in ("yes", "HB1 4QT", "tomorrow", "the first one"):
        await line.say(words)
    assert (await Booking.objects.aget()).phone == "+447700900555"
    assert await changed() == {"phone": "+447700900555"}


async def test_in_a_form_who_has_proven_nothing_changes_no_record() -> None:
    """What they tell is for the form alone, and nobody is asked for a code in the middle of it."""
    line = Line()
    await line.say("there is a mistake on my bill")
    told = await line.say(f"my new number is {NEW_NUMBER}")
    assert "record" not in told
    assert "reference of the visit" in told
    assert await changed() == {}


@pytest.mark.parametrize("channel", ["chat", "voice"])
@pytest.mark.parametrize("says", ["id like to complain about my bill, its wrong", "can you email me my invoice"])
async def test_the_only_invoice_to_pay_is_the_one_that_is_meant(channel: str, says: str) -> None:
    """Its reference is not asked for, nor its amount; people read which one it is."""
    line = await proven(channel)
    told = await line.say(says)
    assert "reference of the visit" not in told
    assert "HH-Q3W8NF" in told
    assert "billing team will look at it" in told
    assert (await Handoff.objects.aget()).next_step.rstrip(".").endswith("HH-Q3W8NF")


@pytest.mark.parametrize(("answer", "meant"), [
    ("HH-V2N6WR", "HH-V2N6WR"), ("the second one", "HH-V2N6WR"), ("the drain one", "HH-T5C7GH"), ("the overdue one", "HH-V2N6WR"),
    ("it's about the tap", "HH-V2N6WR"),
])  # fmt: skip
async def test_of_several_invoices_one_is_chosen(answer: str, meant: str) -> None:
    """By its place, by what it is for, by being overdue; none of that is a need of its own."""
    line = SignedIn(who="Tom Adeyemi")
    asked = await line.say("there is a mistake on my bill")
    assert "HH-T5C7GH (Clearing a blocked drain) or HH-V2N6WR (Replacing a tap)" in asked
    assert line.choices == ["HH-T5C7GH", "HH-V2N6WR"]
    told = await line.say(answer)
    assert meant in told
    assert "billing team" in told
    reason = (await line.conversation()).reason
    assert reason is not None
    assert reason.code == "billing_question"


async def test_money_back_is_asked_for_of_any_invoice() -> None:
    line = SignedIn()
    assert "HH-Q3W8NF (Boiler service) or HH-D6J2VA (Smart heating control)" in await line.say("i want a refund")
    told = await line.say("the heating control")
    assert "HH-D6J2VA" in told
    conversation = await line.conversation()
    assert (conversation.reason.code if conversation.reason else "", conversation.urgency) == ("payment_problem", "normal")


async def test_who_has_proven_nothing_is_asked_for_the_reference_and_told_no_invoice() -> None:
    line = Line()
    await line.say(f"my email is {JANE}")
    told = await line.say("there is a mistake on my bill")
    assert "reference of the visit" in told
    assert "HH-Q3W8NF" not in told


@pytest.mark.parametrize(("asks", "told"), [
    ("whats my balance", "You owe £85"),
    ("my balance please", "You owe £85"),
    ("hi can you tell me about my bill", "HH-Q3W8NF: £85 left to pay"),
    ("i want to pay my bill", "send me the link to pay"),
    ("did you get my payment of 85 yesterday?", "HH-Q3W8NF: £85 left to pay"),
    ("why have i been charged 85", "Boiler service, invoice HH-Q3W8NF"),
    ("is anything overdue?", "overdue since"),
    ("¿cuál es mi saldo?", "£85"),
    ("¿qué factura está vencida?", "HH-Q3W8NF: quedan por pagar £85, vencida desde"),
])  # fmt: skip
async def test_what_the_account_says_is_told(asks: str, told: str) -> None:
    assert told in await SignedIn().say(asks)


async def test_what_the_account_says_is_told_in_a_form() -> None:
    """The form goes on with the same question; a payment that is promised is, and its amount finds the invoice."""
    line = SignedIn(who="Tom Adeyemi")
    await line.say("there is a mistake on my bill")
    for asks, told in (
        ("whats my balance", "You owe £180"),
        ("do i have any visits booked", "no visit coming up"),
        ("which one is overdue", "HH-V2N6WR: £60 left to pay, overdue"),
    ):
        answer = await line.say(asks)
        assert told in answer
        assert "Which invoice is it" in answer
    assert "£60 of invoice HH-V2N6WR by Friday 27 November. Is that right?" in await line.say("il pay 60 on friday")
    await line.say("yes")
    assert await PaymentPromise.objects.filter(invoice__reference="HH-V2N6WR").acount() == 1


@pytest.mark.parametrize(("says", "recalls"), [
    ("i cant pay it till the 10th", "what did i agree to pay"), ("no puedo pagarla hasta el 10 de diciembre", "¿cuánto debo?"),
])  # fmt: skip
async def test_a_day_until_when_one_cannot_pay_is_the_day(says: str, recalls: str) -> None:
    line = SignedIn()
    await line.say("how much do i owe" if says.startswith("i") else "hola, ¿cuánto debo?")
    asked = await line.say(says)
    assert "10" in asked
    assert "HH-Q3W8NF" in asked
    await line.say("yes" if says.startswith("i") else "sí")
    told = await line.say(recalls)
    assert ("said you would pay by Thursday 10 December" in told) or ("pagaría a más tardar el jueves 10 de diciembre" in told)


@pytest.mark.parametrize(("asks", "told"), [
    ("what number do you have for me", "07700 900301"), ("whats the email on my account", JANE),
    ("what name do you have for me", "Jane Whitfield"),
    ("what address do you have for me", "does not say"), ("¿qué número tienen de mí?", "07700 900301"),
])  # fmt: skip
async def test_what_is_held_of_somebody_is_told_to_them_alone(asks: str, told: str) -> None:
    line = SignedIn()
    assert told in await line.say(asks)
    stranger = Line()
    await stranger.say(f"my email is {JANE}")
    answer = await stranger.say(asks)
    assert "07700 900301" not in answer
    assert "Jane" not in answer.replace(JANE, "")


@pytest.mark.parametrize("channel", ["chat", "voice"])
async def test_a_visit_that_was_just_booked_has_the_new_number_too(channel: str) -> None:
    line = await proven(channel)
    for words in ("I want to book a boiler service", "HB1 4QT", "tomorrow", "the first one", f"my new number is {NEW_NUMBER}"):
        await line.say(words)
    told = await line.say("yes")
    visit = await Booking.objects.aget()
    assert f"on your visit {visit.reference}, too" in told
    assert visit.phone == "+447700900555"
    assert await changed() == {"phone": "+447700900555"}


async def test_a_visit_of_the_account_is_told_while_another_is_booked() -> None:
    line = SignedIn()
    for words in ("I want to book a boiler service", "HB1 4QT", "tomorrow", "the first one"):
        await line.say(words)
    visit = await Booking.objects.aget()
    line = await line.anew()
    await line.say("i want a plumber for a dripping tap")
    told = await line.say("when is my other visit")
    assert visit.reference in told
    assert "Nothing is booked" not in told
    assert "postcode" in told


@pytest.mark.parametrize(("asks", "not_told"), [
    ("what do you charge for a new tap", "HH-Q3W8NF"), ("how do i pay my bill", "HH-Q3W8NF"),
    ("what is your phone number", "Your account says"), ("why have i been charged twice", "If something looks wrong, tell me what"),
])  # fmt: skip
async def test_what_is_asked_of_the_company_is_not_told_from_the_account(asks: str, not_told: str) -> None:
    assert not_told not in await SignedIn().say(asks)


async def test_who_cannot_pay_promises_a_day_in_a_form_too() -> None:
    line = SignedIn(who="Tom Adeyemi")
    await line.say("there is a mistake on my bill")
    asked = await line.say("i cant pay my bill")
    assert "Which invoice is it: HH-T5C7GH or HH-V2N6WR" in asked
