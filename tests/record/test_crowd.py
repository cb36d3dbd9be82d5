"""A thousand contacts at once, mixed over two channels and repeated: one record a person, one open conversation, nothing lost."""

from __future__ import annotations

import asyncio
import json
import random
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from threading import Barrier, Semaphore, Thread

import pytest
from django.db import close_old_connections, connection

from conversations.chat.visitor import Visitor
from conversations.flows import inbound
from conversations.flows.inbound import InboundMessage
from conversations.models import Conversation, Customer, Entry, EntryPoint, Identifier, Interaction, MatchCandidate, WebhookRecord
from conversations.selectors import invariants
from conversations.services import async_connections
from tests.record import parties, rows
from tests.voice.platform import Caller, bearer, claims_for, post

pytestmark = pytest.mark.django_db(transaction=True)
PEOPLE = 50
SESSIONS, MESSAGES, CALLS = 2, 3, 2
AT_ONCE = 8
"""So many of the thousand threads are let in at a time, so that they do not only wait for a connection."""
RETRIES = 5


@dataclass
class Person:
    """Somebody with a browser whose site vouches for their number, and a phone that shows it."""

    phone: str
    browser: Visitor
    sessions: list[str] = field(default_factory=list)
    calls: list[Caller] = field(default_factory=list)


class WebProcess:
    """The event loop of a web process, in a thread of its own, as sockets find it; it ends before the AI agent answers anybody."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.thread = Thread(target=self.loop.run_forever)
        self.thread.start()

    def files(self, message: InboundMessage) -> None:
        asyncio.run_coroutine_threadsafe(self._file(message), self.loop).result(120)

    async def _file(self, message: InboundMessage) -> None:
        await inbound.receive(message, channel="chat")
        for task in asyncio.all_tasks():
            if task.get_name().startswith("turn "):
                task.cancel()

    def ends(self) -> None:
        asyncio.run_coroutine_threadsafe(self._close(), self.loop).result(60)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()
        self.loop.close()

    async def _close(self) -> None:
        await async_connections.close()
        await asyncio.get_running_loop().shutdown_default_executor()


@pytest.fixture
def web() -> Iterator[WebProcess]:
    process = WebProcess()
    yield process
    process.ends()


@pytest.fixture
def people(transactional_db: None) -> list[Person]:
    rows.phone_line()
    rows.entry_point()
    made = []
    for number in range(PEOPLE):
        phone = f"+4477009001{number:02}"
        browser = parties.vouched_for("phone", phone)
        calls = [Caller(number=phone.removeprefix("+")) for _ in range(CALLS)]
        made.append(Person(phone, browser, [browser.new_session() for _ in range(SESSIONS)], calls))
    return made


def contacts(people: list[Person], web: WebProcess) -> list[Callable[[], None]]:
    """Every contact of everybody: each message sent twice, each webhook delivered twice; twenty a person."""
    door = EntryPoint.objects.get(channel="chat")
    every: list[Callable[[], None]] = []
    for person in people:
        for place, session in enumerate(person.sessions):
            for number in range(MESSAGES):
                # Not the session's id in the words: its digits may be those of a card, which would be masked.
                text, source = said_in(place, number), f"{session}:{number}"
                message = InboundMessage(door.pk, session, person.browser.party, text, source)
                every += 2 * [lambda message=message: web.files(message)]
        for call in person.calls:
            every += 2 * [webhook("/voice/answer/", call.answer()), webhook("/voice/event/", call.event("completed", duration="7"))]
    return every


def said_in(place: int, number: int) -> str:
    """The words of a person's message in their session of that place."""
    return f"Session {place} says {number}"


def webhook(path: str, body: dict[str, object]) -> Callable[[], None]:
    """One delivery with its token; a repetition is the same bytes with the same token. A full database is tried again."""
    raw = json.dumps(body).encode()
    authorization = bearer(claims_for(raw))

    def deliver() -> None:
        for _ in range(RETRIES):
            answer = post(path, raw, authorization=authorization)
            if answer.status_code != 503:
                break
        assert answer.status_code < 300, (path, answer.status_code, answer.content)

    return deliver


def all_at_once(works: list[Callable[[], None]]) -> list[Exception]:
    """Begins every work in a thread of its own, all waiting for each other; returns what went wrong."""
    barrier, gate, troubles = Barrier(len(works)), Semaphore(AT_ONCE), list[Exception]()

    def run(work: Callable[[], None]) -> None:
        barrier.wait(120)
        try:
            with gate:
                work()
                close_old_connections()
        except Exception as error:
            troubles.append(error)
        finally:
            connection.close()

    threads = [Thread(target=run, args=[work]) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return troubles


def test_a_thousand_contacts_of_fifty_people_make_fifty_customers(people: list[Person], web: WebProcess) -> None:
    """With one open conversation each, every message and call in it once, and numbers without a hole."""
    works = contacts(people, web)
    assert len(works) == 1000
    random.Random(3).shuffle(works)
    assert all_at_once(works) == []

    assert Customer.objects.count() == PEOPLE
    owners = Counter(Identifier.objects.filter(kind="phone", assurance="verified").values_list("value", flat=True))
    assert owners == dict.fromkeys((person.phone for person in people), 1)
    assert not MatchCandidate.objects.exists()
    alone = Conversation.objects.filter(status="open", joined_into__isnull=True)
    assert Counter(alone.values_list("customer", flat=True)) == dict.fromkeys(Customer.objects.values_list("pk", flat=True), 1)
    assert Conversation.objects.count() == PEOPLE

    for person in people:
        customer = Identifier.objects.get(kind="phone", value=person.phone).customer
        entries = Entry.objects.filter(conversation__customer=customer)
        said = Counter(entries.filter(kind="message", actor_kind="customer").values_list("body", flat=True))
        assert said == {said_in(place, number): 1 for place in range(SESSIONS) for number in range(MESSAGES)}
        lines = Interaction.objects.filter(conversation__customer=customer)
        expected = {*person.sessions, *(call.uuid for call in person.calls)}
        assert Counter(lines.values_list("provider_id", flat=True)) == dict.fromkeys(expected, 1)
        assert entries.filter(kind="interaction.started").count() == SESSIONS + CALLS
        assert entries.filter(kind="interaction.ended").count() == CALLS
        assert set(lines.filter(channel="voice").values_list("state", flat=True)) == {"ended"}
    assert WebhookRecord.objects.values("provider_id", "kind").distinct().count() == 2 * PEOPLE * CALLS
    assert [problem for each in invariants.INVARIANTS if "message to the AI" not in each.sentence for problem in each.violations()] == []
