"""Whether the record that a line is filed under is its party's own. Filing a line somewhere proves nothing."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from conversations.models import Conversation, Customer, CustomerLink, Identifier, Interaction, customer_fields
from conversations.models.entry_point import Channel
from conversations.models.identifier import PROVEN, SAID, Assurance
from conversations.models.registry import re_rooted_models
from conversations.selectors import access, history

SAID_ON_A_LINE = {"name", "language", "time_zone"}
"""What a record can have learned of the person from one line alone."""

JUST_NOW = timedelta(minutes=10)


def is_own(record: Customer, line: Interaction) -> bool:
    """Whether the party has shown that the record of its line is its own: just now, on this line, or as `is_nobody_elses` says.

    What was proven a while ago may have been proven by somebody who has left the browser or handed on the phone since.
    """
    just_now = access.proofs_of(line).filter(customer=record, level=Assurance.VERIFIED, made_at__gt=Now() - JUST_NOW)
    return just_now.exists() or is_nobody_elses(record, line)


def is_nobody_elses(record: Customer, line: Interaction) -> bool:
    """Whether nothing is known of a record but its line's party, so that joining it can open nothing of anybody else.

    For a chat: it is known by nothing but that browser and calls into which one of its codes was keyed; for a call: it holds
    nothing but that call.
    """
    if line.channel != Channel.CHAT:
        return is_of_this_line_alone(record, line)
    calls = access.lines_of_party(line).filter(channel=Channel.VOICE)
    known = Q(kind=Identifier.Kind.VISITOR, value=line.party) | Q(kind=Identifier.Kind.PHONE, value__in=calls.values("party"))
    return not Identifier.objects.filter(customer=record, assurance__in=PROVEN).exclude(known).exists()


def is_of_this_line_alone(record: Customer, line: Interaction) -> bool:
    """Whether a record was made by this line and nothing else is known of it, so that joining it can open nothing.

    What its party said of itself, such as the address that it then proves, is of the line: no other has said anything there.
    """
    if CustomerLink.objects.filter(Q(joined=record) | Q(into=record)).exists() or not holds_nothing_but(line):
        return False
    of_the_line = Q(kind=Identifier.Kind.PHONE, value=line.party) | Q(assurance=Assurance.CLAIMED, source=SAID)
    if Identifier.objects.filter(customer=record).exclude(of_the_line).exists():
        return False
    said = customer_fields.values_of(record)
    if any(name not in SAID_ON_A_LINE and not customer_fields.says_nothing(name, value) for name, value in said.items()):
        return False
    others = [_beside(line, model) for model in re_rooted_models() if model not in (Conversation, Identifier)]
    rows = [Conversation.objects.exclude(pk=line.conversation_id), *others]
    return not any(each.filter(customer=record).exists() for each in rows)


def _beside(line: Interaction, model: type[models.Model]) -> models.QuerySet[Any]:
    """The rows of a table that are not of this line or its conversation; every row, when the table does not say of which they are."""
    names = {field.name for field in model._meta.get_fields()}
    rows = model._default_manager.all()
    if "interaction" in names:
        return rows.exclude(interaction=line)
    return rows.exclude(conversation=line.conversation_id) if "conversation" in names else rows


def holds_nothing_but(line: Interaction) -> bool:
    """Whether a line's conversation has never had another line, nor another conversation in it."""
    conversation = line.conversation_id
    lines = Interaction.objects.filter(Q(conversation=conversation) | Q(original_conversation=conversation))
    return not lines.exclude(pk=line.pk).exists() and not history.going_on_in(conversation)
