"""Parties of the record as transports know them, each speaking on a line of its own, without the AI agent's turn."""

from __future__ import annotations

from itertools import count

from django.db import transaction

from conversations.chat.visitor import Visitor
from conversations.flows import inbound
from conversations.flows.inbound import CallStart
from conversations.models import Conversation, Interaction
from conversations.services import identity, proving, threads, timeline, visitors
from conversations.services.parties import IdentifierClaim, Party
from conversations.services.timeline import NewEntry
from tests.record import rows

VICTIM = "+447700900123"
_numbers = count(1)


def vouched_for(kind: str, value: str) -> Visitor:
    """A new visitor of whom a host site has proven this."""
    return Visitor(visitors.new_browser(), (IdentifierClaim(kind, value, "verified"),))


def chat(visitor: Visitor) -> Interaction:
    """A new chat session of a browser."""
    with transaction.atomic():
        customer = identity.resolve(visitor.party.claims, source="web chat")
        conversation = threads.open_or_resume(customer)
        line = threads.start_interaction(
            conversation, entry_point=rows.entry_point(), provider_id=visitor.new_session(), party=visitor.party
        )
        proving.keep_vouched(line, visitor.party.claims, made_by="tests")
    return line


def call(number: str = VICTIM) -> Interaction:
    """A call that shows this number, whoever makes it."""
    party = Party((IdentifierClaim("phone", number, "network_hint"),), number)
    start = CallStart(rows.phone_line().pk, f"call-{next(_numbers)}", party)
    return Interaction.objects.get(pk=inbound.begin_call(start).interaction_id)


def says(line: Interaction, text: str) -> int:
    """The party says something, filed by what `line` knew when it was read; returns the entry's number."""
    words = NewEntry(kind="message", actor_kind="customer", body=text, interaction=line, wants_turn=True)
    return timeline.append(line.conversation_id, words).seq


def is_told(line: Interaction, text: str) -> None:
    """The AI agent says something to the party, where the line is now."""
    place = Interaction.objects.values_list("conversation", flat=True).get(pk=line.pk)
    timeline.append(place, NewEntry(kind="message", actor_kind="assistant", body=text, interaction=line))


def place_of(line: Interaction) -> Conversation:
    """The conversation in which a line is now."""
    return Conversation.objects.get(interactions=line.pk)
