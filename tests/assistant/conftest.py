"""The demo company, and customers who chat and call through the one door."""

from __future__ import annotations

import importlib
import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest
import time_machine
from django.core.management import call_command
from pytest_django import DjangoDbBlocker

from conversations.assistant import turn
from conversations.assistant.stand_in.server import StandIn
from conversations.demo.load import load
from conversations.flows import inbound
from conversations.flows.inbound import CallStart, InboundMessage
from conversations.models import Conversation, Entry, EntryPoint, Interaction
from conversations.services.parties import IdentifierClaim, Party
from tests.support.company import empty_the_record

# A Monday in November, an hour after the office has opened.
MONDAY = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
SUNDAY_NIGHT = datetime(2026, 11, 22, 22, 0, tzinfo=UTC)
_numbers = itertools.count(1)


@pytest.fixture(scope="package")
def company(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """Harbor Home Services, loaded once: turns run in threads, so nothing of this can live in a rolled-back transaction."""
    with django_db_blocker.unblock():
        load()
        yield
        call_command("flush", interactive=False, reset_sequences=False, verbosity=0)


@pytest.fixture
def transactional_db(company: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """The company with an empty record; what a test writes is gone afterwards.

    Stands in for pytest-django's fixture of this name, which would empty every table and have the company loaded anew.
    """
    with django_db_blocker.unblock():
        yield
        empty_the_record()


@pytest.fixture
def record(transactional_db: None) -> None:
    """The company with an empty record."""


@pytest.fixture
def monday(record: None) -> Iterator[datetime]:
    """Monday morning, with the clock running."""
    with time_machine.travel(MONDAY, tick=True):
        yield MONDAY


@pytest.fixture
def sunday_night(record: None) -> Iterator[datetime]:
    """Sunday night, when only the emergency line is staffed."""
    with time_machine.travel(SUNDAY_NIGHT, tick=True):
        yield SUNDAY_NIGHT


@dataclass
class Line:
    """A customer on one line: what they say goes through the one door, and the answer is waited for."""

    channel: str = "chat"
    party: str = ""
    provider_id: str = ""
    assurance: str = "network_hint"
    conversation_id: int = 0
    interaction_id: int = 0
    replies: list[Entry] = field(default_factory=list)

    def __post_init__(self) -> None:
        number = next(_numbers)
        self.party = self.party or (f"visitor-{number}" if self.channel == "chat" else f"+4477009{number:05d}")
        self.provider_id = self.provider_id or f"{self.channel}-{number}"

    @property
    def _party(self) -> Party:
        kind, assurance = ("visitor", "verified") if self.channel == "chat" else ("phone", self.assurance)
        return Party((IdentifierClaim(kind, self.party, assurance),), self.party)

    async def begin(self) -> None:
        """A call is answered."""
        entry_point = await EntryPoint.objects.aget(channel="voice")
        received = await turn._in_thread(inbound.begin_call)(CallStart(entry_point.pk, self.provider_id, self._party))
        self.conversation_id, self.interaction_id = received.conversation_id, received.interaction_id

    async def send(self, text: str) -> inbound.Received:
        """Says something and does not wait for the answer."""
        entry_point = await EntryPoint.objects.aget(channel=self.channel)
        message = InboundMessage(
            entry_point.pk, self.provider_id, self._party, text, f"{self.provider_id}:{next(_numbers)}",
            data={"spoken": True} if self.channel == "voice" else {},
        )  # fmt: skip
        received = await inbound.receive(message, channel=self.channel)
        self.conversation_id, self.interaction_id = received.conversation_id, received.interaction_id
        return received

    async def say(self, text: str) -> str:
        """Says something and returns the answer's words, wherever the line is by then; empty when there is none."""
        received = await self.send(text)
        asked = await Entry.objects.aget(conversation=received.conversation_id, seq=received.seq)
        if received.owner_kind == Conversation.Owner.ASSISTANT:
            await turn.schedule(received.conversation_id)
        line = await self.interaction()
        # A browser whose party has proven who it is goes by another id from then on.
        self.conversation_id, self.provider_id, self.party = line.conversation_id, line.provider_id, line.party
        said = Entry.objects.filter(
            conversation__in=[received.conversation_id, self.conversation_id],
            pk__gt=asked.pk,
            kind="message",
            actor_kind__in=["assistant", "system"],
        )
        new = [entry async for entry in said.order_by("pk")]
        self.replies += new
        return new[-1].body if new else ""

    @property
    def last(self) -> Entry:
        """The last answer."""
        return self.replies[-1]

    @property
    def choices(self) -> list[str]:
        """The suggestions under the last answer."""
        return [each["label"] for each in self.last.data.get("quick_replies", [])]

    async def conversation(self) -> Conversation:
        """The conversation as it is now."""
        rows = Conversation.objects.select_related("reason", "owner_agent")
        return await rows.aget(pk=self.conversation_id)

    async def interaction(self) -> Interaction:
        """This line's interaction."""
        return await Interaction.objects.aget(pk=self.interaction_id)

    async def entries(self, *kinds: str) -> list[Entry]:
        """The conversation's entries of some kinds, in order."""
        rows = Entry.objects.filter(conversation_id=self.conversation_id, kind__in=kinds).order_by("seq")
        return [entry async for entry in rows]


@pytest.fixture
async def chat(record: None) -> Line:
    """A visitor of the web page."""
    return Line()


@pytest.fixture(autouse=True)
def empty_valkey() -> None:
    """Valkey keeps what was learned from the company's phrases, so that another process need not learn it again."""


@pytest.fixture(autouse=True)
async def _closed_pool() -> Iterator[None]:
    """Every test has its own event loop, and so its own pool."""
    yield
    await turn.close()


@pytest.fixture(scope="package")
def provider() -> Iterator[StandIn]:
    """The stand-in for the model's provider; the library that asks it is read beforehand, as the web process does."""
    importlib.import_module("conversations.assistant.claude")
    stand_in = StandIn()
    stand_in.start()
    yield stand_in
    stand_in.stop()


@pytest.fixture
def model(provider: StandIn, settings: Any) -> StandIn:
    """The stand-in, asked in place of Claude; what is known of its failures is forgotten."""
    provider.play()
    settings.ANTHROPIC_BASE_URL, settings.ANTHROPIC_API_KEY = provider.url, f"key-{next(_numbers)}"
    settings.MODEL_TIMEOUT_SECONDS, settings.MODEL_SILENCE_SECONDS, settings.VOICE_MODEL_TIMEOUT_SECONDS = 4, 1, 2
    return provider
