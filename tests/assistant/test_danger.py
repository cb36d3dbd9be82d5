"""Danger in whatever words: people at once, what to do, and no menu; until somebody has looked after it, it stays one."""

from __future__ import annotations

from datetime import datetime

import pytest

from conversations.models import Handoff
from tests.assistant.conftest import Line
from tests.assistant.test_several_needs import on

BOTH = pytest.mark.parametrize("channel", ["chat", "voice"])
POISONED = [
    "i feel dizzy since the boiler was turned on",
    "we all feel ill and drowsy near the boiler",
    "the boiler flame is yellow and i've got a headache",
    "my boiler has black soot and the flame is orange",
    "there is a strange smell from the cooker",
    "i can smell gaz",
]
WATER = [
    "my pipe is burst and i cant turn it off!!",
    "my son is stuck in the bathroom and the water is rising",
    "theres water dripping onto the fuse box",
    "the tank leaks and we cannot stop the water",
]
SPANISH = [
    "se me ha roto una tubería y no puedo cerrar el agua",
    "estoy mareada y la caldera hace un ruido raro",
    "hay una inundación en la cocina",
]
AT_RISK = [
    "we have no heating and a baby in the house",
    "heating and hot water gone and i've a 3 week old baby",
    "my heating is broken, my mother is 90",
    "no heating and my wife has cancer",
    "no heating and I am ill in bed",
    "no tenemos calefacción y hay un bebé en casa",
]
ORDINARY = [
    "no heating here and I'm sick of it",
    "this boiler is a headache, please book a boiler service",
    "my key is stuck in the lock of the boiler cupboard, no heating",
    "my boiler is 3 months old and there is no heating",
]


async def queue_of_the_handoff() -> str:
    handoff = await Handoff.objects.select_related("work_item__queue").aget()
    return str(handoff.work_item.queue.code)


@BOTH
@pytest.mark.parametrize("words", [*POISONED, *WATER, *SPANISH])
async def test_a_danger_goes_to_people_with_what_to_do(monday: datetime, record: None, channel: str, words: str) -> None:
    line = await on(channel)
    said = await line.say(words)
    assert await queue_of_the_handoff() == "urgent"
    assert (await line.conversation()).urgency == "emergency"
    assert len(said) > 100
    assert "?" not in said


@BOTH
@pytest.mark.parametrize("words", AT_RISK)
async def test_no_heating_where_somebody_is_at_risk_goes_to_people(monday: datetime, record: None, channel: str, words: str) -> None:
    """As the help pages say of the emergency line. The table says so, and managers can change it."""
    line = await on(channel)
    await line.say(words)
    assert await queue_of_the_handoff() == "urgent"


@pytest.mark.parametrize("words", ORDINARY)
async def test_what_only_sounds_like_it_is_booked(monday: datetime, record: None, chat: Line, words: str) -> None:
    assert "What is the postcode" in await chat.say(words)


@BOTH
async def test_who_wants_to_die_is_answered_as_a_person(monday: datetime, record: None, channel: str) -> None:
    line = await on(channel)
    assert "do not stay alone" in await line.say("i want to kill myself")
    assert await queue_of_the_handoff() == "urgent"


async def test_somebody_who_is_hurt_needs_an_ambulance_first(monday: datetime, record: None, chat: Line) -> None:
    said = await chat.say("the co alarm is going off and my wife is unconscious")
    assert said.startswith("Call an ambulance at once.")
    assert "0800 111 999" in said


@BOTH
async def test_whoever_waits_in_danger_is_answered(monday: datetime, record: None, channel: str) -> None:
    """What to do is told again, that somebody comes each time; nothing else leads away from it."""
    line = await on(channel)
    await line.say("i smell gas")
    for asked in ("what do i do now", "can i switch the light on to see"):
        assert "Touch no switches" in await line.say(asked)
    for asked in ("is anyone coming", "how long till someone comes", "hello?", "sorry how much is a boiler service"):
        assert (await line.say(asked)).strip() == "A colleague will be with you as soon as one is free."


@BOTH
async def test_an_emergency_stays_one_whatever_is_said_beside(monday: datetime, record: None, channel: str) -> None:
    """The people who take it see what it is."""
    line = await on(channel)
    await line.say("my kitchen is flooding")
    for words in ("can i move my visit to tuesday", "where is the engineer", "how much will it cost"):
        await line.say(words)
    conversation = await line.conversation()
    assert conversation.reason is not None
    assert (conversation.reason.code, conversation.urgency) == ("leak", "emergency")


async def test_who_waits_is_told_who_speaks(monday: datetime, record: None, chat: Line) -> None:
    await chat.say("I want to talk to a person")
    assert "I am an AI assistant" in await chat.say("are you a robot?")


@BOTH
@pytest.mark.parametrize(
    ("asks", "told"), [("how long does a boiler service take?", "about an hour"), ("when do you open on Saturday?", "9 am")]
)
async def test_other_questions_are_still_answered_while_they_wait(
    monday: datetime, record: None, channel: str, asks: str, told: str
) -> None:
    """Only when somebody comes is asked of the colleague."""
    line = await on(channel)
    await line.say("I want to talk to a person")
    assert told in await line.say(asks)
    assert "as soon as one is free" in await line.say("how long until somebody comes?")


@BOTH
@pytest.mark.parametrize(
    "words",
    ["I smell gas but first tell me what a service costs", "huele a gas pero primero dígame cuánto cuesta una revisión",
     "how much is a service, we have been waiting since Monday, my neighbour says you are good, and I smell gas in the hall, thank you"],
)  # fmt: skip
async def test_gas_among_other_words_is_told_as_gas(monday: datetime, record: None, channel: str, words: str) -> None:
    """What to do, with the number to call, as when nothing else is said."""
    line = await on(channel)
    said = await line.say(words)
    assert "0800" in said
    reason = (await line.conversation()).reason
    assert reason is not None
    assert reason.code == "gas_smell"


@BOTH
@pytest.mark.parametrize(
    "words",
    ["my boiler is making a banging noise and we have had no hot water since yesterday",
     "hi my boilr is making a banging noize and no hot water since yestarday"],
)  # fmt: skip
async def test_who_is_at_risk_is_said_of_what_waits(monday: datetime, record: None, channel: str, words: str) -> None:
    line = await on(channel)
    assert "no hot water since" in await line.say(words)
    await line.say("yes its urgent we have a baby")
    assert await Handoff.objects.acount() == 1


@BOTH
@pytest.mark.parametrize(
    "words",
    ["I have a water leak and I can't turn the stop tap off", "the leak won't stop", "water leak, can't shut the valve",
     "water is gushing out and the stopcock is stuck", "water is leaking and I can't find how to stop it", "there's water everywhere",
     "my boiler is leaking and it is near the fuse box, also how much do you charge",
     "tengo una fuga de agua y no puedo cerrar la llave"],
)  # fmt: skip
async def test_water_that_nobody_can_stop_is_told_as_a_leak(monday: datetime, record: None, channel: str, words: str) -> None:
    """People at once, and what to do about water; a tap that drips is no emergency."""
    line = await on(channel)
    await line.say(words)
    conversation = await line.conversation()
    assert conversation.reason is not None
    assert (conversation.reason.code, conversation.urgency) == ("leak", "emergency")
    assert await Handoff.objects.aexists()


@pytest.mark.parametrize(
    "words", ["my tap drips and I can't turn it off fully", "the stop tap is a bit stiff, can someone replace it",
              "i have a leak under the sink but i turned the water off"]
)  # fmt: skip
async def test_water_that_is_stopped_is_no_emergency(monday: datetime, record: None, chat: Line, words: str) -> None:
    await chat.say(words)
    assert (await chat.conversation()).urgency != "emergency"
