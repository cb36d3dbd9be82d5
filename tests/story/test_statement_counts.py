"""How many statements PostgreSQL runs for a question that the AI agent answers by rules (tests/support/statement_counts.json)."""

from __future__ import annotations

import statistics

from channels.db import database_sync_to_async
from pytest_django import Settings

from conversations.assistant import turn
from conversations.models import Conversation
from tests.support.sockets import open_widget
from tests.support.statements import COMMITTED, count_from_now, statements_run
from tests.voice.platform import Caller, post_async

QUESTIONS = (
    "What pressure should my boiler have?", "Why does my boiler sound like a kettle?", "How do I top up the pressure on my boiler?",
    "How do I let the air out of a radiator that is cold at the top?", "What is your phone number?", "When are you open?",
    "How do I prepare the heating for the winter?",
)  # fmt: skip
"""All are answered from an article, and different, since who repeats themselves is taken for a machine."""
WARMING = 2


async def test_statements_for_a_question_in_the_chat(transactional_db: None, settings: Settings) -> None:
    settings.CHAT_MESSAGES_PER_SECOND = 1000
    await database_sync_to_async(count_from_now)()
    counts = []
    async with open_widget() as widget:
        await widget.hello()
        for number, question in enumerate(QUESTIONS):
            before = await database_sync_to_async(statements_run)()
            await widget.say(question, client_id=f"{number}")
            await turn.schedule((await Conversation.objects.aget()).pk)
            counts.append(await database_sync_to_async(statements_run)() - before)
    assert statistics.median(counts[WARMING:]) == COMMITTED["a question in the chat and its answer"]


async def test_statements_for_a_question_on_the_phone(transactional_db: None, settings: Settings) -> None:
    settings.VOICE_REPLY_BUDGET_MS = 20_000
    await database_sync_to_async(count_from_now)()
    caller, counts = Caller(), []
    await post_async("/voice/answer/", caller.answer())
    await post_async("/voice/event/", caller.event("answered"))
    for question in QUESTIONS:
        before = await database_sync_to_async(statements_run)()
        await post_async("/voice/input/", caller.said(question.lower().rstrip("?")))
        await turn.wait_for((await Conversation.objects.aget()).pk, seconds=60)
        counts.append(await database_sync_to_async(statements_run)() - before)
    assert statistics.median(counts[WARMING:]) == COMMITTED["a question on the phone and its answer"]
