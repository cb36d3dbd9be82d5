"""Two machines that talk with each other come to an end: a person is asked once, and then the AI agent is silent."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest
from pytest_django import Settings

from conversations.models import Entry, HostSiteKey
from routing.models import WorkItem
from tests.attacks.on_phone import OWN
from tests.attacks.scene import Scene
from tests.voice.rest_side import Platform

pytestmark = pytest.mark.usefixtures("transactional_db")
TURNS = 16
MOST_ANSWERS = 10
OPENING = "Good morning, this is the customer service of Fjordbank"
OUT_OF_OFFICE = ("Thank you for your message. Your ticket number is 48213.", "We have received your enquiry and will answer it soon.")
QUESTIONS = ("how do I bleed a radiator", "how long does a service take", "what are your opening hours", "how do I pay", "where are you")
WISHES = ("no adverts please", "please do not call me", "no text messages please", "what are your opening hours", "how do I pay")
Bot = Callable[[str, int], str]


def echoes(heard: str, number: int) -> str:
    """A machine that says what it hears."""
    return heard or OPENING


def answers_out_of_office(heard: str, number: int) -> str:
    """A machine with two texts of its own, one of them with a new number each time."""
    return OUT_OF_OFFICE[number % 2].replace("48213", str(48213 + number))


async def talks(says: Callable[[str], Awaitable[str]], bot: Bot) -> list[str]:
    """What the AI agent said each time."""
    heard = [await says(OPENING)]
    for number in range(TURNS):
        heard.append(await says(bot(heard[-1], number)))
    return heard


@pytest.mark.parametrize("bot", [echoes, answers_out_of_office])
@pytest.mark.parametrize("channel", ["chat", "voice"])
async def test_a_machine_is_left(channel: str, bot: Bot, company: HostSiteKey, platform: Platform) -> None:
    scene = Scene(platform, company, None)
    if channel == "chat":
        async with scene.chat() as chat:
            heard = await talks(chat.says, bot)
    else:
        heard = await talks((await scene.call(OWN)).says, bot)
    answered = [words for words in heard if words]
    assert len(answered) <= MOST_ANSWERS
    assert heard[-3:] == ["", "", ""]
    # What it says after a silence may be new once more; nobody is asked twice for that.
    assert 1 <= await Entry.objects.filter(kind="assistant.stopped").acount() <= 2
    assert await WorkItem.objects.acount() == 1, "a person is asked once"


async def test_a_customer_who_says_something_new_is_answered_again(company: HostSiteKey, platform: Platform) -> None:
    async with Scene(platform, company, None).chat() as chat:
        await talks(chat.says, echoes)
        assert "8 am" in await chat.says("what are your opening hours on weekdays?")


@pytest.mark.parametrize("limit", ["ASSISTANT_REPLIES_PER_MINUTE", "ASSISTANT_REPLIES_IN_A_ROW", "ASSISTANT_TOOLS_PER_CONVERSATION"])
async def test_the_limits_of_a_conversation(limit: str, company: HostSiteKey, platform: Platform, settings: Settings) -> None:
    """Every one ends with a person, who is asked for once."""
    setattr(settings, limit, 2)
    says = WISHES if limit == "ASSISTANT_TOOLS_PER_CONVERSATION" else QUESTIONS
    async with Scene(platform, company, None).chat() as chat:
        heard = [await chat.says(question) for question in says]
    assert heard[-1] == ""
    assert await Entry.objects.filter(kind="assistant.stopped").acount() == 1
    assert await WorkItem.objects.acount() == 1
