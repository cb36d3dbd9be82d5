"""After a visit was booked, another one is wanted, or the same one for somebody else."""

from __future__ import annotations

from datetime import datetime

import pytest

from conversations.models import ActionItem, Booking, Customer
from tests.assistant.conftest import Line
from tests.assistant.test_several_needs import on

CHANNELS = pytest.mark.parametrize("channel", ["chat", "voice"])
BOOKED = {
    "en": ("book a boiler service HB1 4QT thursday 8 to 10, Ann Lee, 07700 900123", "yes", "is booked"),
    "es": ("quiero una revisión de la caldera en HB1 4QT el jueves de 8 a 10, me llamo Ana Gil, 07700 900123", "si", "está reservada"),
}


async def booked(channel: str, language: str = "en") -> Line:
    """A customer with a visit on Thursday 26 November at eight."""
    line = await on(channel)
    asked, yes, told = BOOKED[language]
    await line.say(asked)
    assert told in await line.say(yes)
    return line


async def visits() -> list[tuple[str, str, str, int]]:
    booked = Booking.objects.filter(state="booked")
    return sorted([(each.postcode, each.name, each.service, each.window.lower.day) async for each in booked])


@CHANNELS
@pytest.mark.parametrize(
    "said",
    [
        "i need another one for my mums house HB3 1AB, same day",
        "can you book a second one at HB3 1AB on the same day",
        "I'd like the same for my neighbour at HB3 1AB, same day please",
    ],
)
async def test_another_visit_is_no_wrong_address_of_the_first(monday: datetime, record: None, channel: str, said: str) -> None:
    line = await booked(channel)
    answer = await line.say(said)
    assert "booked anew" not in answer
    assert "Thursday 26 November, 08:00 to 10:00 is free" in answer
    assert "is booked" in await line.say("yes")
    assert [(postcode, day) for postcode, _name, _service, day in await visits()] == [("HB1 4QT", 26), ("HB3 1AB", 26)]


async def test_in_spanish_too(monday: datetime, record: None) -> None:
    line = await booked("chat", "es")
    assert "jueves 26 de noviembre" in await line.say("necesito otra para casa de mi madre, HB3 1AB, el mismo día")
    assert "está reservada" in await line.say("si")
    assert len(await visits()) == 2


async def test_a_wrong_address_is_still_put_right(monday: datetime, record: None) -> None:
    line = await booked("chat")
    assert "booked anew" in await line.say("sorry the postcode is HB3 1AB")


@CHANNELS
@pytest.mark.parametrize("said", ["its actually for my mum, Jean Lee", "it is for my mother Jean Lee", "sorry, it's for my mum, Jean Lee"])
async def test_a_visit_is_put_in_the_name_of_whom_it_is_for(monday: datetime, record: None, channel: str, said: str) -> None:
    line = await booked(channel)
    assert "in the name of Jean Lee" in await line.say(said)
    assert [name for _postcode, name, _service, _day in await visits()] == ["Jean Lee"]
    customer = await Customer.objects.aget(conversations=await line.conversation())
    assert customer.name == "Ann Lee"


async def test_a_visit_of_somebody_else_in_spanish(monday: datetime, record: None) -> None:
    line = await booked("chat", "es")
    assert "a nombre de Juana Gil" in await line.say("es para mi madre, Juana Gil")


@CHANNELS
async def test_what_was_booked_is_sent_by_people_to_the_address_that_comes_next(monday: datetime, record: None, channel: str) -> None:
    line = await booked(channel)
    assert "I cannot send that" in await line.say("can you email me the confirmation")
    assert "sam@example.com" in await line.say("sam@example.com")
    (item,) = [each.title async for each in ActionItem.objects.all()]
    assert "sam@example.com" in item
