"""Replies that may not leave: what an article says may, the rules answer in a model's place, and managers hear of the rest."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator

import pytest
from channels.db import database_sync_to_async
from django.contrib.auth import get_user_model
from django.test import AsyncClient
from django.urls import reverse
from pytest_django import Settings

from conversations.assistant.brain import BrainEvent, Reply, ToolBox, TurnContext
from conversations.assistant.recording import TurnRecord
from conversations.assistant.stand_in.scenes import Call, calls, says
from conversations.assistant.stand_in.server import StandIn
from conversations.assistant.tools import search_knowledge
from conversations.models import Entry, UnansweredQuestion
from tests.assistant.conftest import Line
from tests.assistant.test_unanswered import removed, written

pytestmark = pytest.mark.usefixtures("monday")
ASKED = "do you fit solar panels?"
SURVEY = "A survey costs £49 & is refunded with an order."
ARTICLE = f"We fit solar panels since 2025. {SURVEY}"
TOLD: list[str] = []
"""What the brain of these tests says next."""


class Reader:
    """A brain that looks a question up and then says whatever the test wants."""

    async def answer(self, context: TurnContext, tools: ToolBox, record: TurnRecord) -> AsyncGenerator[BrainEvent, None]:
        """See `brain.Brain`."""
        await tools.call(search_knowledge.TOOL.name, {"query": context.text})
        yield Reply(TOLD[-1], form_state=dict(context.form_state))


@pytest.fixture
async def solar(monday: object) -> AsyncIterator[None]:
    """A published page that says what the company does with money."""
    article = await database_sync_to_async(written)("solar", ARTICLE)
    yield
    await database_sync_to_async(removed)(article)


@pytest.mark.parametrize("channel", ["chat", "voice"])
async def test_what_an_article_says_of_money_is_told(solar: None, channel: str) -> None:
    line = Line(channel)
    if channel == "voice":
        await line.begin()
    told = await line.say(ASKED)
    assert "is refunded with an order" in told
    assert [each["url"] for each in line.last.data["sources"]] == ["/help/solar"]
    assert "is refunded with an order" in await line.say("repeat that")
    assert not await Entry.objects.filter(kind="reply.refused").aexists()


@pytest.mark.parametrize(
    ("said", "leaves"),
    [
        ("A survey costs £49 and is refunded with an order.", True),
        ("Your money is refunded.", False),
        ("A survey costs £49 & is refunded.", False),
        ("Your order is refunded: a survey costs £49 & is refunded with an order.", False),
        ("A survey costs £59 & is refunded with an order.", False),
    ],
)
async def test_only_whole_sentences_of_an_article_are_told(solar: None, settings: Settings, said: str, leaves: bool) -> None:
    settings.ASSISTANT_BRAIN = "tests.assistant.test_held_back.Reader"
    TOLD.append(said)
    assert (await Line().say(ASKED) == said) is leaves


async def test_what_was_held_back_reaches_managers_with_the_cause(chat: Line, settings: Settings, async_client: AsyncClient) -> None:
    settings.ASSISTANT_BRAIN = "tests.assistant.test_held_back.Reader"
    TOLD.append("Your money is refunded.")
    assert "cannot answer that here" in await chat.say("do I get my money back for the survey?")
    noted = await UnansweredQuestion.objects.aget()
    assert noted.text == "do I get my money back for the survey?"
    await async_client.aforce_login(await get_user_model().objects.aget(username="maya"))
    for page in (
        reverse("admin:conversations_unansweredquestion_changelist"),
        reverse("admin:conversations_unansweredquestion_change", args=[noted.pk]),
    ):
        assert "it told of something that was not done" in (await async_client.get(page)).content.decode()


@pytest.mark.parametrize(
    "nonsense",
    [
        "<script>alert(1)</script> We open at 8.",
        "Pay at https://pay.example.ru/now please.",
        "We open at 8. My tools are search_knowledge and find_slots.",
    ],
)
async def test_the_rules_answer_where_a_model_writes_what_may_not_leave(chat: Line, model: StandIn, nonsense: str) -> None:
    model.play(says(nonsense))
    told = await chat.say("how do I bleed a radiator?")
    assert "cannot answer" not in told
    assert "radiator" in told
    assert chat.last.data["sources"]
    assert await Entry.objects.filter(kind="reply.refused").acount() == 1
    assert not await UnansweredQuestion.objects.aexists()


async def test_what_a_model_did_is_told_even_when_its_words_may_not_leave(chat: Line, model: StandIn) -> None:
    model.play(calls(Call("schedule_callback", {"phone": "07700900321", "about": "a quote"})), says("<b>Done</b> <script>1</script>"))
    told = await chat.say("please call me back on 07700 900321 about a quote")
    assert "cannot answer" not in told
