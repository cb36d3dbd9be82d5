"""Who has proven to be the customer is not asked what the account says, and is told what of it is used."""

from __future__ import annotations

import pytest
from channels.db import database_sync_to_async

from conversations.models import Booking, Customer
from conversations.services import identity
from tests.assistant.conftest import Line
from tests.assistant.test_errands import JANE, on, proves

pytestmark = pytest.mark.usefixtures("monday")
NAME, NUMBER = "Jane Whitfield", "07700 900301"
ASKS_NAME = "What name"


async def jane(channel: str = "chat") -> Line:
    """Jane, who has proven it."""
    line = await on(channel)
    await line.say("where is my order?")
    assert "HH-R7T2KD" in await proves(line, JANE)
    customer = await Customer.objects.aget(conversations=line.conversation_id)
    await Customer.objects.filter(pk=customer.pk).aupdate(name=NAME)
    await database_sync_to_async(identity.claim)(customer, "phone", NUMBER, source="Web chat", region="GB")
    return line


@pytest.mark.parametrize("channel", ["chat", "voice"])
async def test_a_visit_is_in_the_name_of_the_account(channel: str) -> None:
    line = await jane(channel)
    for words in ("I want to book a boiler service", "HB1 4QT", "tomorrow morning"):
        await line.say(words)
    told = await line.say("the first")
    booked = await Booking.objects.aget()
    assert (booked.name, NAME in told) == (NAME, True)
    # Of a call, the number that it shows is taken.
    assert (NUMBER in told) is (channel == "chat")
    told = await line.say("no, the name is Rob Field")
    await booked.arefresh_from_db()
    assert booked.name == "Rob Field", told


async def test_what_was_told_goes_before_the_account() -> None:
    line = await jane()
    for words in ("I want to book a boiler service", "my name is Rob Field", "HB1 4QT", "tomorrow morning"):
        await line.say(words)
    told = await line.say("the first")
    assert "Rob Field" in told
    assert NUMBER in told
    assert NAME not in told


async def test_a_bill_is_asked_about_in_the_name_of_the_account() -> None:
    line = await jane()
    told = await line.say("there is a mistake on my bill, you charged me twice")
    assert "name is on the bill" not in told
    assert NAME in told


async def test_a_call_back_is_promised_to_the_number_of_the_account(sunday_night: object) -> None:
    line = await jane()
    told = await line.say("can I talk to a person")
    assert "On which phone number" not in told
    assert NUMBER in told


async def test_who_has_proven_nothing_is_asked_and_told_nothing() -> None:
    line = Line()
    await line.say(f"my email is {JANE}")
    for words in ("I want to book a boiler service", "HB1 4QT", "tomorrow morning"):
        await line.say(words)
    told = await line.say("the first")
    assert ASKS_NAME in told
    assert not await Booking.objects.aexists()
