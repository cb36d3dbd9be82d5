"""What words mean in their place: a code among codes, one of several addresses, a number of things and no hour, a value that is new."""

from __future__ import annotations

from datetime import datetime

import pytest
from django.core import mail

from conversations.models import ActionItem, Booking, Handoff
from tests.assistant.conftest import Line
from tests.assistant.test_several_needs import on

BOTH = pytest.mark.parametrize("channel", ["chat", "voice"])


@BOTH
@pytest.mark.parametrize(
    "words", ["what does E119 mean?", "tell me what E119 means", "i don't want a visit, just tell me what E119 means", "E119"]
)
async def test_a_code_gets_its_own_meaning(monday: datetime, record: None, channel: str, words: str) -> None:
    """Not those of the codes beside it; and another code is asked about by its name alone."""
    line = await on(channel)
    said = await line.say(words)
    assert "top up to 1.3 bar" in said
    assert "gas did not light" not in said
    said = await line.say("and F32")
    assert "do not reset" in said
    assert "1.3 bar" not in said


@BOTH
@pytest.mark.parametrize(
    "words",
    ["can you book a boiler service for three flats HB1 4QT, HB2 3AB and HB4 2DD",
     "book a boiler service at HB1 4QT and another at HB2 3AB and at HB4 2DD"],
)  # fmt: skip
async def test_of_a_list_of_addresses_the_first_comes_first(monday: datetime, record: None, channel: str, words: str) -> None:
    line = await on(channel)
    said = await line.say(words)
    assert "I begin with HB1 4QT." in said
    assert said.index("Boiler service, HB2 3AB") < said.index("Boiler service, HB4 2DD")


async def test_an_address_that_is_put_right_is_the_later_one(monday: datetime, record: None, chat: Line) -> None:
    said = await chat.say("boiler service at HB1 4QT, no sorry, HB2 3AB")
    assert "postcode HB2 3AB" in said
    assert "HB1 4QT" not in said


@BOTH
async def test_for_two_boilers_is_no_hour_and_is_noted_for_the_visit(monday: datetime, record: None, channel: str) -> None:
    line = await on(channel)
    await line.say("i need a boiler service at HB1 4QT")
    said = await line.say("yes, but for two boilers")
    assert "I keep that for your visit" in said
    assert "14:00" not in said
    for words in ("the first one", "Jane Miller", "07700 900123"):
        said = await line.say(words)
        if await Booking.objects.aexists():
            break
    visit = await Booking.objects.aget()
    assert "I have noted for your visit" in said
    assert said.endswith("Is there anything else I can do?")
    assert (await ActionItem.objects.aget()).title.startswith(f"{visit.reference}: yes, but for ")


@BOTH
async def test_more_is_wanted_while_the_visit_is_booked(monday: datetime, record: None, channel: str) -> None:
    line = await on(channel)
    await line.say("i need a boiler service at HB1 4QT")
    assert "I keep that for your visit" in await line.say("can he also look at the radiator in the hall")
    assert not await ActionItem.objects.aexists()


@BOTH
async def test_who_cannot_pay_is_asked_by_when_they_can(monday: datetime, record: None, channel: str) -> None:
    """For which they have to show who they are; how one may pay is another question."""
    line = await on(channel)
    assert "once I know that it is you" in await line.say("i cant pay my invoice this month")
    assert (await line.conversation()).form_state["purpose"] == "promise_to_pay"


async def test_who_cannot_pay_is_understood_in_spanish(monday: datetime, record: None, chat: Line) -> None:
    await chat.say("no puedo pagar la factura este mes")
    assert (await chat.conversation()).form_state["purpose"] == "promise_to_pay"


async def test_who_cannot_pay_by_card_has_another_trouble(monday: datetime, record: None, chat: Line) -> None:
    await chat.say("i can't pay my invoice by card on your website")
    assert (await chat.conversation()).form_state.get("purpose") != "promise_to_pay"


@pytest.mark.parametrize(("language", "words"), [("en", ("can i change my phone number", "the new one is 07700 900555")),
                                                 ("es", ("puedo cambiar mi número de teléfono", "el nuevo es 07700 900555"))])  # fmt: skip
async def test_no_code_goes_to_a_number_that_is_new(
    monday: datetime, record: None, chat: Line, language: str, words: tuple[str, str]
) -> None:
    """It shows nothing of who the customer is; it is kept, and changed once a code has reached what is on the record."""
    await chat.say(words[0])
    said = await chat.say(words[1])
    assert "07700 900555" in said
    state = (await chat.conversation()).form_state
    assert (state["step"], state["said"]["phone"]) == ("where", "+447700900555")
    await chat.say("jane.whitfield@example.com")
    assert [message.to for message in mail.outbox] == [["jane.whitfield@example.com"]]


@BOTH
async def test_somebody_who_is_named_is_a_person(monday: datetime, record: None, channel: str) -> None:
    line = await on(channel)
    await line.say("i need to speak to Gary, its broken again")
    assert await Handoff.objects.aexists()


@BOTH
async def test_a_price_for_other_work_is_told_as_the_nearest(monday: datetime, record: None, channel: str) -> None:
    line = await on(channel)
    assert (await line.say("how much is it to bleed 3 radiators")).startswith("I have no price for exactly that.")
    for words in ("how much to install a new boiler", "how much does it cost to unblock a toilet", "how much to replace a tap"):
        assert "no price for exactly" not in await line.say(words)


@BOTH
async def test_a_town_that_no_page_names_is_asked_for_by_its_postcode(monday: datetime, record: None, channel: str) -> None:
    line = await on(channel)
    assert "Which postcode is it?" in await line.say("do you come to Glasgow?")
    assert "we do not come to G1 1AA" in await line.say("G1 1AA")
    assert "Gullhaven" in await line.say("do you cover Gullhaven?")


@BOTH
@pytest.mark.parametrize("words", ["how much to fix a boiler", "what does a boiler repair cost?", "how much is it to mend a radiator"])
async def test_a_repair_has_the_price_of_a_call_out(monday: datetime, record: None, channel: str, words: str) -> None:
    """And not of a service or a plan; the price that was told is told again."""
    line = await on(channel)
    said = await line.say(words)
    assert said.startswith("Plumber or heating engineer call-out: £95")
    assert "Boiler service" not in said
    assert "Care" not in said
    assert "£95" in await line.say("wait what did you say the price was")


@BOTH
async def test_the_price_is_told_again_in_the_middle_of_a_booking(monday: datetime, record: None, channel: str) -> None:
    line = await on(channel)
    await line.say("how much is a boiler service")
    await line.say("yes please")
    await line.say("HB1 4QT")
    said = await line.say("wait what did you say the price was")
    assert "£85" in said
    assert "Nothing is booked" not in said


@BOTH
async def test_forget_it_then_drops_it(monday: datetime, record: None, channel: str) -> None:
    line = await on(channel)
    await line.say("i want to change my appointment to friday")
    await line.say("i dont have it")
    assert "I have stopped that" in await line.say("forget it then")


@BOTH
@pytest.mark.parametrize(
    "words", ["do you do gas safety certificates for landlords?", "i was wondering like do you guys do gas safety certificates"]
)
async def test_how_much_is_that_is_about_what_was_asked(monday: datetime, record: None, channel: str, words: str) -> None:
    """And the visit that is booked is for that."""
    line = await on(channel)
    assert "Shall I book a visit for you?" in await line.say(words)
    assert "Landlord gas safety check: £75" in await line.say("how much is that")
    for said in ("ok can you book me in", "HB1 4QT", "the first one", "Sam Okafor", "07700 900123"):
        if not await Booking.objects.aexists():
            await line.say(said)
    assert (await Booking.objects.aget()).service == "Landlord gas safety check"


@BOTH
@pytest.mark.parametrize("words", ["hello its about my booking", "i booked a boiler service last week"])
async def test_a_booking_that_is_there_is_not_made_again(monday: datetime, record: None, channel: str, words: str) -> None:
    line = await on(channel)
    assert "once I know that it is you" in await line.say(words)
    assert not (await line.conversation()).form_state.get("form")


@BOTH
async def test_can_you_come_earlier_moves_the_visit_just_booked(monday: datetime, record: None, channel: str) -> None:
    line = await on(channel)
    for said in ("i need a boiler service at HB1 4QT", "wednesday", "first", "Sam Okafor", "07700 900123"):
        if not await Booking.objects.aexists():
            await line.say(said)
    visit = await Booking.objects.aget()
    said = await line.say("can you come earlier?")
    assert visit.reference in said
    assert "Monday 23 November" in said
    assert await Booking.objects.acount() == 1


@BOTH
@pytest.mark.parametrize("words", ["thx bye", "cheers bye bye", "see ya", "ok cool"])
async def test_a_goodbye_is_no_name(monday: datetime, record: None, channel: str, words: str) -> None:
    line = await on(channel)
    for said in ("i need a boiler service at HB1 4QT, my number is 07700 900123", "friday", "the first"):
        await line.say(said)
    await line.say(words)
    assert not await Booking.objects.aexists()
    assert "name" not in (await line.conversation()).facts


@BOTH
@pytest.mark.parametrize("words", ["14 Mill Lane", "number fourteen Mill Lane", "12 Mill Lane", "the address is 16 Quay Street", "flat 3"])
async def test_a_house_number_is_no_hour(monday: datetime, record: None, channel: str, words: str) -> None:
    line = await on(channel)
    await line.say("i need a boiler service at HB1 4QT")
    await line.say(words)
    state = (await line.conversation()).form_state
    assert not state.get("slot")
    assert len(state["offered"]) == 3


@BOTH
async def test_who_wants_no_calls_is_promised_none(monday: datetime, record: None, channel: str) -> None:
    """While one is being promised, and afterwards."""
    line = await on(channel)
    await line.say("call me tomorrow at 10 on 07700 900124")
    said = await line.say("dont call me")
    assert "you want no calls from us" in said
    assert "Is that right" not in said
    assert not await ActionItem.objects.aexists()


@BOTH
async def test_a_promised_call_is_called_off_by_wanting_none(monday: datetime, record: None, channel: str) -> None:
    line = await on(channel)
    await line.say("call me tomorrow at 10 on 07700 900124")
    await line.say("yes")
    assert await ActionItem.objects.filter(done_at=None).acount() == 1
    assert "called off" in await line.say("dont call me any more")
    assert not await ActionItem.objects.filter(done_at=None).aexists()


@BOTH
async def test_a_time_beside_that_of_the_visit(monday: datetime, record: None, channel: str) -> None:
    line = await on(channel)
    for said in ("i need a boiler service at HB1 4QT", "tuesday", "first", "Sam Okafor", "07700 900123"):
        if not await Booking.objects.aexists():
            await line.say(said)
    said = await line.say("actually can it be the day after")
    assert "Wednesday 25 November" in said
    assert "Monday" not in said
    said = await line.say("the second")
    assert "now on Wednesday 25 November, 10:00 to 12:00" in said
    said = await line.say("can it be later that day")
    assert "Wednesday 25 November, 12:00 to 14:00" in said
    assert "08:00" not in said


@pytest.mark.parametrize(
    ("booked_in", "price", "hour"),
    [(("i need a boiler service at HB1 4QT", "thursday", "the first", "Pat Lake", "07700 900444"), "how much will it be",
      "what time is it"),
     (("necesito una revisión de caldera en HB1 4QT", "el jueves", "la primera", "Pat Lake", "07700 900444"), "¿cuánto me va a costar?",
      "¿a qué hora es?")],
)  # fmt: skip
async def test_what_was_booked_is_what_the_price_is_asked_of(
    monday: datetime, record: None, chat: Line, booked_in: tuple[str, ...], price: str, hour: str
) -> None:
    for said in booked_in:
        await chat.say(said)
    visit = await Booking.objects.aget()
    assert visit.reference in await chat.say(hour)
    assert "£85" in await chat.say(price)


@BOTH
async def test_gas_that_was_smelt_last_week_stands_in_no_service_s_way(monday: datetime, record: None, channel: str) -> None:
    line = await on(channel)
    said = await line.say("I don't smell gas any more, it was last week, just want a service")
    assert "What is the postcode of the address?" in said
    conversation = await line.conversation()
    assert (conversation.reason.code, conversation.urgency) == ("boiler_service_booking", "normal")


@BOTH
async def test_gas_that_is_not_smelt_any_more_is_a_danger_where_a_head_aches(monday: datetime, record: None, channel: str) -> None:
    line = await on(channel)
    said = await line.say("I don't smell gas any more but my head aches")
    assert "Get everybody out" in said or "Go outside" in said
    assert (await line.conversation()).urgency == "emergency"
    assert await Handoff.objects.aexists()


@BOTH
@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("I can't pay my bill this month", "I lost my job"), "payment_problem"),
        (("I lost my job",), "payment_problem"),
        (("book a boiler service", "and is there a discount, I am 70"), "boiler_service_booking"),
        (("no hot water", "my neighbour is 92 and lives here"), "no_hot_water"),
    ],
)
async def test_what_it_is_about_stays_what_it_is_about(
    monday: datetime, record: None, channel: str, words: tuple[str, ...], reason: str
) -> None:
    line = await on(channel)
    for each in words:
        await line.say(each)
    assert (await line.conversation()).reason.code == reason


@BOTH
async def test_who_tells_who_they_are_and_asks_for_their_order_changes_no_details(monday: datetime, record: None, channel: str) -> None:
    line = await on(channel)
    await line.say("my email is jon.smith@example.com and I want to check my order")
    reason = (await line.conversation()).reason
    assert reason is None or reason.code != "update_details"


@BOTH
async def test_somebody_at_risk_there_is_said_of_the_need(monday: datetime, record: None, channel: str) -> None:
    """They are no answer to the question that was asked, and the people of the emergency line take over."""
    line = await on(channel)
    await line.say("no hot water")
    said = await line.say("my neighbour is 92 and lives here")
    assert "postcode" not in said
    assert await Handoff.objects.aexists()


@BOTH
async def test_a_question_for_an_amount_tells_none(monday: datetime, record: None, channel: str) -> None:
    line = await on(channel)
    await line.say("I want to pay my bill")
    assert "noted" not in await line.say("is it forty five pounds")
