"""How many statements PostgreSQL runs for a customer's message (tests/support/statement_counts.json)."""

from __future__ import annotations

import pytest
from channels.db import database_sync_to_async
from django.db import transaction
from pytest_django import Settings

from conversations.assistant import turn
from conversations.models import Conversation
from conversations.services import ownership
from tests.record import rows
from tests.support.sockets import Widget, open_widget
from tests.support.statements import COMMITTED, count_from_now, statements_run

pytestmark = pytest.mark.django_db(transaction=True)
MESSAGES = 10


@pytest.fixture
def counted(settings: Settings) -> None:
    """PostgreSQL counts statements (the embedded one is started so), and the customer may write fast."""
    settings.CHAT_MESSAGES_PER_SECOND = 1000
    rows.entry_point()
    rows.everybody_to_people()
    count_from_now()


@pytest.mark.parametrize(("what", "again"), [("a message to a person", False), ("a repeated message", True)])
async def test_statements_for_a_message(counted: None, what: str, again: bool) -> None:
    """Once a person has the conversation, each message costs what is committed, identity, order and history included."""
    async with open_widget() as widget:
        await widget.hello()
        await widget.say("Hello", client_id="first")
        await turn.schedule((await Conversation.objects.aget()).pk)
        await database_sync_to_async(_give_to_a_person)()
        await widget.wait_for(lambda frame: frame["type"] == "state" and frame["owner"] == "human")
        await _say_some(widget, "warm", again)
        before = await database_sync_to_async(statements_run)()
        await _say_some(widget, "counted", again)
        after = await database_sync_to_async(statements_run)()
    assert (after - before) / MESSAGES == COMMITTED[what]


async def test_statements_for_a_first_message(counted: None) -> None:
    """A new visitor's first words: identity, conversation, session, disclosure, and the turn that hands over to a person."""
    await _first_messages("warm")
    before = await database_sync_to_async(statements_run)()
    await _first_messages("counted")
    after = await database_sync_to_async(statements_run)()
    assert (after - before) / MESSAGES == COMMITTED["a first message and its turn"]


async def _first_messages(name: str) -> None:
    for number in range(MESSAGES):
        async with open_widget() as widget:
            await widget.hello()
            await widget.say("Hello", client_id=f"{name}-{number}")
            await turn.schedule((await Conversation.objects.order_by("-pk").afirst()).pk)
            await widget.wait_for(lambda frame: frame["type"] == "state" and frame["owner"] == "waiting")


async def _say_some(widget: Widget, name: str, again: bool) -> None:
    for number in range(MESSAGES):
        client_id = "first" if again else f"{name}-{number}"
        assert (await widget.say("Hello", client_id=client_id))["type"] == "ack"


def _give_to_a_person() -> None:
    with transaction.atomic():
        ownership.give_to_human(Conversation.objects.get(), rows.agent())
