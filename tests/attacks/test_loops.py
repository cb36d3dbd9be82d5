"""Two machines that talk with each other come to an end: a person is asked once, and then the AI agent is silent."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest
from pytest_django import Settings

from conversations.assistant import publishing
from conversations.models import Entry, HostSiteKey, Playbook
from conversations.services import playbooks
from routing.models import WorkItem
from tests.attacks.on_phone import OWN
from tests.attacks.scene import Scene, in_thread
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


async def test_other_words_do_not_start_it_again_before_a_person_has_come(company: HostSiteKey, platform: Platform) -> None:
    """Neither a machine's nor anybody's; the hand-over says why, and somebody in danger is told what to do all the same."""
    async with Scene(platform, company, None).chat() as chat:
        await talks(chat.says, echoes)
        assert not await chat.says("what are your opening hours on weekdays?")
        assert not await chat.says("and where are you?")
        assert "0800 111 999" in await chat.says("I smell gas!")
    stopped = await Entry.objects.filter(kind="assistant.stopped").order_by("seq").afirst()
    assert stopped is not None
    assert "repeats" in stopped.body


@pytest.mark.parametrize("limit", ["ASSISTANT_REPLIES_PER_MINUTE", "ASSISTANT_REPLIES_IN_A_ROW"])
async def test_the_limits_of_a_conversation(limit: str, company: HostSiteKey, platform: Platform, settings: Settings) -> None:
    setattr(settings, limit, 2)
    await ends_with_a_person(Scene(platform, company, None), QUESTIONS)


@pytest.mark.parametrize("of_the_playbook", [None, 2])
async def test_no_conversation_uses_tools_without_end(
    of_the_playbook: int | None, company: HostSiteKey, platform: Platform, settings: Settings
) -> None:
    """As often as the playbook says, or as the settings do where it says nothing; what comes after that comes to a person."""
    settings.ASSISTANT_TOOLS_PER_CONVERSATION = 10_000 if of_the_playbook else 2
    as_usual = (await Playbook.objects.aget(status="published")).most_tool_calls
    await in_thread(publish_with)(of_the_playbook)
    try:
        await ends_with_a_person(Scene(platform, company, None), WISHES)
    finally:
        await in_thread(publish_with)(as_usual)
    assert (await Entry.objects.aget(kind="assistant.stopped")).data["reason"] == "too_many_tools"


def publish_with(most_tool_calls: int | None) -> None:
    draft = playbooks.new_draft(Playbook.objects.get(status="published"))
    draft.most_tool_calls = most_tool_calls
    draft.save()
    publishing.publish(draft)


async def ends_with_a_person(scene: Scene, says: tuple[str, ...]) -> None:
    """Somebody is asked for once, and then there is silence."""
    async with scene.chat() as chat:
        heard = [await chat.says(question) for question in says]
    assert heard[-1] == ""
    assert await Entry.objects.filter(kind="assistant.stopped").acount() == 1
    assert await WorkItem.objects.acount() == 1
