"""A company with two agents, a manager and a customer who has chatted, called, and asked for a person."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import transaction
from django.test import Client
from pytest_django import DjangoDbBlocker

from conversations.models import Conversation, Customer, EntryPoint, Handoff, Interaction
from conversations.services import handoff, identity, threads, timeline
from conversations.services.parties import IdentifierClaim, Party
from conversations.services.timeline import Appended, NewEntry
from routing.models import AgentProfile, DispositionCode, Presence, Reservation
from routing.need import Need
from routing.rules.publish import publish
from routing.services.decide import decide
from tests.routing.conftest import Company, make_company, make_draft
from tests.support.processes import WebProcess, running_web

PHONE = "+441632960123"


@dataclass
class Cast:
    """Who and what the tests speak of."""

    company: Company
    ann: AgentProfile
    ben: AgentProfile
    manager: User
    stranger: User
    web: EntryPoint
    line: EntryPoint
    solved: DispositionCode

    def client(self, who: AgentProfile | User | None) -> Client:
        """A browser, signed in as somebody or as nobody."""
        browser = Client()
        user = who.user if isinstance(who, AgentProfile) else who
        if user is not None:
            browser.force_login(user)
        return browser

    def chat(self, name: str = "Maria Lopez", says: str = "My boiler is cold.") -> Conversation:
        """A conversation begun in the web chat, with the customer's first words."""
        visitor = uuid.uuid4().hex
        party = Party((IdentifierClaim("visitor", visitor, "verified"),), display=visitor)
        with transaction.atomic():
            customer = identity.resolve(party.claims, source="web chat")
            Customer.objects.filter(pk=customer.pk).update(name=name)
            conversation = threads.open_or_resume(customer)
            threads.start_interaction(conversation, entry_point=self.web, provider_id=visitor, party=party)
        conversation.refresh_from_db()
        self.says(conversation, says)
        return conversation

    def call(self, conversation: Conversation) -> Interaction:
        """The same customer is on the phone, too."""
        party = Party((IdentifierClaim("phone", PHONE, "network_hint"),), display=PHONE)
        with transaction.atomic():
            return threads.start_interaction(conversation, entry_point=self.line, provider_id=uuid.uuid4().hex, party=party)

    def says(self, conversation: Conversation, text: str) -> Appended:
        """Words of the customer, over the line that was begun last."""
        line = conversation.interactions.order_by("-pk").first()
        new = NewEntry(kind="message", actor_kind="customer", actor_name="Maria Lopez", body=text, interaction=line)
        return timeline.append(conversation.pk, new)

    def hands_over(
        self,
        conversation: Conversation,
        *,
        preferred: AgentProfile | None = None,
        summary: str = "Boiler cold since this morning, reset did not help.",
    ) -> Handoff:
        """The AI agent gives up: a package and waiting work; said again, the package of the work that waits is renewed."""
        decision = decide(Need(asked_for_human=True), subject=conversation.public_id.hex)
        package = handoff.Package(
            why="The customer asked for a person.",
            summary=summary,
            facts=[{"name": "postcode", "value": "LS1 4AP", "from": "chat"}],
            tried=["Offered the reset guide"],
            next_step="Book a visit for today.",
        )
        line = conversation.interactions.order_by("-pk").first()
        return handoff.request(conversation, decision, package, interaction=line, preferred_agent=preferred)

    def offer(self, conversation: Conversation, agent: AgentProfile) -> Reservation:
        """The pending offer of a conversation to an agent."""
        return Reservation.objects.get(work_item__subject=conversation.public_id.hex, agent=agent, state=Reservation.State.PENDING)


def make_cast() -> Cast:
    """Creates everybody in the current database; both agents are away until a test says otherwise."""
    company = make_company()
    publish(make_draft(), by="tests", note="First version.")
    return Cast(
        company=company,
        ann=company.agent("ann", state=Presence.State.AWAY),
        ben=company.agent("ben", state=Presence.State.AWAY),
        manager=User.objects.create_user("manager", is_staff=True),
        stranger=User.objects.create_user("stranger"),
        web=EntryPoint.objects.create(name="Web", channel="chat", address="/harborhome", company_name="Harbor", playbook_code="front"),
        line=EntryPoint.objects.create(name="Line", channel="voice", address="+441632960100", company_name="Harbor", playbook_code="front"),
        solved=DispositionCode.objects.create(code="solved", name="Solved"),
    )


@pytest.fixture(scope="package")
def web(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[WebProcess]:
    """One web process on the test database for this whole folder."""
    with django_db_blocker.unblock(), running_web() as (process,):
        yield process


@pytest.fixture
def cast(db: None) -> Cast:
    """The cast in a test whose transaction is rolled back."""
    return make_cast()


@pytest.fixture
def live_cast(transactional_db: None) -> Cast:
    """The cast in a test whose transactions are really committed, for sockets and for what follows a commit."""
    return make_cast()


@pytest.fixture
def offered(live_cast: Cast) -> Callable[..., tuple[Conversation, Reservation]]:
    """Has a conversation handed over and offered to one available agent."""
    from routing.services import presence

    def make(agent: AgentProfile, **chat: Any) -> tuple[Conversation, Reservation]:
        presence.set_state(agent, Presence.State.AVAILABLE)
        conversation = live_cast.chat(**chat)
        live_cast.hands_over(conversation)
        return conversation, live_cast.offer(conversation, agent)

    return make
