"""How many statements PostgreSQL runs for a customer's message; statement_counts.json holds the numbers, and a change must be explained."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from channels.db import database_sync_to_async
from django.db import DatabaseError, connection, transaction
from pytest_django import Settings

from conversations.assistant import turn
from conversations.models import Conversation
from conversations.services import ownership
from tests.record import rows
from tests.support.sockets import Widget, open_widget

pytestmark = pytest.mark.django_db(transaction=True)
COMMITTED = json.loads((Path(__file__).parent / "statement_counts.json").read_text())
MESSAGES = 10
# Not counted: transaction control and settings, and the two checks of foreign keys that PostgreSQL makes by itself at commit.
OF_MESSAGES = """
    SELECT coalesce(sum(calls), 0) FROM pg_stat_statements
     WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database())
       AND query !~* '^\\s*(begin|commit|rollback|set|show|discard|deallocate|select pg_stat_statements_reset)'
       AND query !~ 'pg_stat_statements' AND query !~ 'FOR KEY SHARE OF x$'
"""


@pytest.fixture
def counted(settings: Settings) -> None:
    """PostgreSQL counts statements (the embedded one is started so), and the customer may write fast."""
    settings.CHAT_MESSAGES_PER_SECOND = 1000
    rows.entry_point()
    rows.everybody_to_people()
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("CREATE EXTENSION IF NOT EXISTS pg_stat_statements")
            cursor.execute("SELECT pg_stat_statements_reset(0, (SELECT oid FROM pg_database WHERE datname = current_database()), 0)")
    except DatabaseError as error:
        pytest.skip(f"This PostgreSQL does not count statements: {error}")


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
        before = await database_sync_to_async(_statements)()
        await _say_some(widget, "counted", again)
        after = await database_sync_to_async(_statements)()
    assert (after - before) / MESSAGES == COMMITTED[what]


async def test_statements_for_a_first_message(counted: None) -> None:
    """A new visitor's first words: identity, conversation, session, disclosure, and the turn that hands over to a person."""
    await _first_messages("warm")
    before = await database_sync_to_async(_statements)()
    await _first_messages("counted")
    after = await database_sync_to_async(_statements)()
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


def _statements() -> int:
    with connection.cursor() as cursor:
        cursor.execute(OF_MESSAGES)
        return int(cursor.fetchone()[0])
