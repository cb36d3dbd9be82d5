"""Orders, invoices, promises, tickets, calls at a chosen time, details and links: on chat and phone alike."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import pytest
from asgiref.sync import sync_to_async
from django.core import mail

from conversations.models import ActionItem, Consent, Customer, Entry, Identifier, PaymentPromise, SalesAccount, SentLink, Ticket
from tests.assistant.conftest import Line
from tests.assistant.test_identifying import TEXTED, mailed, texting

pytestmark = pytest.mark.usefixtures("monday")
JANE = "jane.whitfield@example.com"
TOM = "tom.adeyemi@example.com"


@pytest.fixture(autouse=True)
def texts() -> Iterator[None]:
    with texting():
        yield
    PaymentPromise.objects.all().delete()
    Ticket.objects.all().delete()


async def on(channel: str, number: str = "+447700900555") -> Line:
    """A line of somebody nobody knows yet."""
    line = Line(channel, party=number if channel == "voice" else "")
    if channel == "voice":
        await line.begin()
    return line


def as_said(address: str) -> str:
    """An address as a caller says it."""
    return address.replace("@", " at ").replace(".", " dot ")


async def proves(line: Line, address: str) -> str:
    """Answers where the code may go, and gives the code; returns what is said then."""
    if line.channel == "voice":
        await line.say("no")
        await line.say(as_said(address))
    else:
        await line.say(address)
    return await line.say(mailed())


@pytest.mark.parametrize("channel", ["chat", "voice"])
async def test_an_order_is_told_to_its_customer_alone(channel: str) -> None:
    """Nothing before the code; with it, where the order is and when it is expected; the same on both channels."""
    line = await on(channel)
    asked = await line.say("where is my order?")
    assert "know that it is you" in asked
    assert "valves" not in asked
    told = await proves(line, JANE)
    assert "HH-R7T2KD: on its way, expected" in told
    assert "HH-M4X9CE" in told
    again = await line.say("what about my order HH-M4X9CE, where is that order")
    assert "HH-M4X9CE: delivered" in again
    assert "valves" not in again


async def test_an_account_of_a_claimed_address_stays_closed() -> None:
    """Somebody who proves their own address and only says another one's sees nothing of the other one's account."""
    line = await on("chat")
    await line.say(f"my email is {JANE}")
    await line.say("where is my order?")
    told = await proves(line, "nobody@example.org")
    assert "I find no such order" in told


@pytest.mark.parametrize("channel", ["chat", "voice"])
async def test_a_promise_to_pay(channel: str) -> None:
    """Who, which invoice, how much and when; read back, changed, and noted once after a yes, with something to do on that day."""
    line = await on(channel)
    typed, heard = "I can't pay it now, can I pay 50 pounds on Friday?", "can i pay fifty pounds on friday please"
    await line.say(typed if channel == "chat" else heard)
    which = await proves(line, TOM)
    assert "Which invoice" in which
    assert "HH-T5C7GH" in which
    back = await line.say("the first one")
    assert "£50" in back
    assert "Friday 27 November. Is that right?" in back
    assert not await PaymentPromise.objects.aexists()
    changed = await line.say("no, on Thursday")
    assert "Thursday 26 November. Is that right?" in changed
    noted = await line.say("yes")
    assert "noted that you pay £50" in noted
    promise = await PaymentPromise.objects.select_related("invoice").aget()
    assert (promise.invoice.reference, promise.pay_by, f"{promise.amount}") == ("HH-T5C7GH", date(2026, 11, 26), "50.00")
    assert len(await line.entries("payment.promised")) == 1
    item = await ActionItem.objects.aget()
    assert (item.kind, item.due_at.date()) == ("payment", date(2026, 11, 26))
    assert "you said you would pay by Thursday 26 November" in await line.say("how much is my bill?")


async def test_a_promise_that_makes_no_sense_is_asked_for_again() -> None:
    """More than is left, or a day too far away: why, and the question again; nothing is noted."""
    line = await on("chat")
    await line.say("I will pay 500 pounds on Friday")
    await proves(line, JANE)
    assert "Only £85.00 is left" in await line.say("yes")
    assert "Is that right" in await line.say("85 pounds on Friday")
    await line.say("yes please")
    assert f"{(await PaymentPromise.objects.aget()).amount}" == "85.00"


@pytest.mark.parametrize("channel", ["chat", "voice"])
@pytest.mark.parametrize(
    ("address", "owed"), [(JANE, "You owe £85."), (TOM, "You owe £180."), ("lucia.navarro@example.com", "You owe nothing.")]
)
async def test_what_is_owed_is_what_is_left_of_the_invoices(channel: str, address: str, owed: str) -> None:
    line = await on(channel, "+447700900557")
    await line.say("do I owe you anything?")
    assert owed in await proves(line, address)
    assert owed in await line.say("what is my balance")
    invoices = await line.say("show me my invoices")
    assert ("HH-T5C7GH" in invoices) == (address == TOM)
    assert "You owe" not in invoices


@pytest.mark.parametrize("channel", ["chat", "voice"])
async def test_an_invoice_and_the_link_to_pay_it(channel: str) -> None:
    """What is left to pay, then the company's own link by email or text message, to where the customer said."""
    line = await on(channel, "+447700900556")
    await line.say("how much is my bill?")
    told = await proves(line, JANE)
    assert "invoice HH-Q3W8NF: £85 left to pay" in told
    assert "HH-D6J2VA" not in told
    sent = await line.say("can you send me the payment link")
    assert "I have sent you the link" in sent
    row = await SentLink.objects.aget()
    assert row.link == "payment"
    assert "https://harborhome.example/pay" in (mail.outbox[-1].body if row.kind == "email" else TEXTED[-1])
    assert len(await line.entries("link.sent")) == 1
    called = await Entry.objects.filter(kind="tool.called", data__tool="send_link").afirst()
    assert row.value not in str(called.data)


@pytest.mark.parametrize("channel", ["chat", "voice"])
async def test_a_ticket_for_what_nothing_else_helps_with(channel: str) -> None:
    """What, and how to answer; read back; one ticket with its reference, which is said."""
    line = await on(channel)
    asked = await line.say("please open a ticket")
    assert "look into" in asked
    said = await line.say("the van blocked my drive for two hours and nobody answered the phone")
    if channel == "chat":
        assert "number or email" in said
        said = await line.say("07700 900321")
    assert "the van blocked my drive" in said
    assert "Is that right?" in said
    done = await line.say("yes")
    ticket = await Ticket.objects.aget()
    assert ticket.reference in done
    assert ticket.contact["phone"] in ("+447700900321", "+447700900555")
    assert "nobody answered" in ticket.details
    assert [entry.data["reference"] for entry in await line.entries("ticket.opened")] == [ticket.reference]


@pytest.mark.parametrize(("wish", "story"), [
    ("please open a ticket, my radiator keeps banging", "my radiator keeps banging"),
    ("My radiator keeps banging. Can you open a ticket for that, please?", "my radiator keeps banging"),
    ("I want to open a ticket because the van blocked my drive", "the van blocked my drive"),
    ("I have no heating since Monday, I want to open a ticket", "i have no heating since monday"),
])  # fmt: skip
async def test_a_ticket_whose_story_was_told_with_the_wish_is_not_asked_for_it(wish: str, story: str) -> None:
    line = await on("voice")
    assert f"“{story}”" in await line.say(wish)
    assert "reference" in await line.say("yes")
    assert (await Ticket.objects.aget()).details == story


@pytest.mark.parametrize("channel", ["chat", "voice"])
async def test_a_call_at_a_chosen_time(channel: str) -> None:
    """No person is looked for now; number and time are read back; outside the office hours another time is asked for."""
    line = await on(channel)
    said = await line.say("can somebody call me back on Sunday at 10?")
    assert "Sunday 29 November, nobody is there" in said
    back = await line.say("tomorrow at 3 pm")
    if channel == "chat":
        assert "number" in back
        back = await line.say("07700 900321")
    assert "tomorrow, Tuesday 24 November, at 15:00" in back
    assert "will call you on" in await line.say("yes")
    item = await ActionItem.objects.aget()
    assert (item.kind, item.due_at.isoformat()) == ("call_back", "2026-11-24T15:00:00+00:00")
    assert item.phone == ("+447700900321" if channel == "chat" else "+447700900555")
    assert len(await line.entries("callback.requested")) == 1
    assert not await line.entries("handoff.requested")
    assert await Consent.objects.filter(purpose="outbound_call", decision="given", value=item.phone).aexists()


@pytest.mark.parametrize("channel", ["chat", "voice"])
async def test_a_new_number_is_put_on_the_record_of_who_it_is(channel: str) -> None:
    """First who this is, by what is known already; then the new number read back; the old one stays in the history."""
    line = await on(channel)
    typed, heard = "my new number is 07700 900888", "my new number is oh seven seven double oh nine double oh eight eight eight"
    asked = await line.say(typed if channel == "chat" else heard)
    assert "know that it is you" in asked
    assert "07700 900888" not in line.choices
    back = await proves(line, JANE)
    assert "phone 07700 900888. Is that right?" in back
    assert "is now 07700 900888" in await line.say("yes")
    customer = await Customer.objects.aget(identifiers__value=JANE, identifiers__assurance="verified")
    assert await Identifier.objects.filter(customer=customer, kind="phone", value="+447700900888", assurance="claimed").aexists()
    changed = await line.entries("record.changed")
    assert [entry.data["value"] for entry in changed] == ["+447700900888"]


async def test_a_stranger_changes_no_record() -> None:
    """Without a proof the wish leads to the question who this is, and nothing of the record changes."""
    line = await on("chat")
    await line.say("my new email is mallory@example.org")
    await line.say("I do not have a code")
    await line.say("yes")
    assert not await Entry.objects.filter(kind="record.changed").aexists()


SPANISH = [
    (["hola, quiero abrir un ticket", "la furgoneta bloqueó mi entrada dos horas", "07700 900321", "sí"], "He abierto un ticket"),
    (["hola, quiero que me llamen mañana a las 3 de la tarde", "07700 900321", "sí"], "le llamará al 07700 900321 mañana"),
    (["hola, ¿dónde está mi pedido?", None], "pedido HH-R7T2KD: en camino, se espera"),
    (["hola, ¿cuánto debo de mi factura?", None], "factura HH-Q3W8NF: quedan por pagar £85"),
    (["hola, pagaré 85 libras el viernes", None, "sí"], "£85 de la factura HH-Q3W8NF a más tardar el viernes 27 de noviembre. ¿Puedo"),
    (["hola, mi nuevo número es 07700 900888", None, "sí"], "en su ficha consta ahora teléfono 07700 900888"),
    (["hola, mi correo es sam@example.org", "envíeme el enlace de pago"], "Le he enviado el enlace por correo electrónico"),
]


@pytest.mark.parametrize(("says", "told"), SPANISH)
async def test_errands_in_spanish(says: list[str | None], told: str) -> None:
    """The same errands in the customer's words and in ours; where None stands, they prove who they are."""
    line = await on("chat")
    for words in says:
        await (line.say(words) if words else proves(line, JANE))
    assert told in line.last.body, [entry.body for entry in line.replies]


async def test_an_errand_can_be_left_and_a_question_in_between_is_answered() -> None:
    """A question is answered and the errand goes on; “never mind” ends it."""
    line = await on("chat")
    await line.say("please call me back tomorrow, my number is 07700 900321")
    answered = await line.say("what does a boiler service cost?")
    assert "£85" in answered
    assert "At what time shall we call?" in answered
    assert "stopped" in await line.say("never mind")
    assert not await ActionItem.objects.aexists()


async def test_erasing_the_person_at_the_sales_system() -> None:
    """The connector empties the account that is known by what it is asked with, and what was sold stays."""
    from conversations.connectors import registry
    from conversations.connectors.base import EraseCustomers

    @sync_to_async
    def erase() -> tuple[int, int]:
        made = SalesAccount.objects.create(number="harborhome:9", name="Zed", email="zed@example.org")
        asked = EraseCustomers((), ("zed@example.org",))
        counts = registry.accounts().erase(asked).count, registry.accounts().erase(asked).count
        made.refresh_from_db()
        assert (made.name, made.email) == ("", "")
        made.delete()
        return counts

    assert await erase() == (1, 0)
