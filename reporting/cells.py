"""Cells that every table of rows writes alike: conversations, customers, times."""

from datetime import datetime

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from conversations.models import Conversation, Customer, Interaction
from reporting.figure import Cell


def customer_cell(customer: Customer, *, told_apart: bool = False) -> Cell:
    """The customer's name, leading to the customer page; `told_apart` where it stands beside another record."""
    called = customer.told_apart() if told_apart else str(customer)
    return Cell(called, reverse("admin:conversations_customer_change", args=[customer.pk]))


def conversation_cell(conversation: Conversation) -> Cell:
    """A conversation by its number, leading to its history."""
    return conversation_number(conversation.pk)


def conversation_number(number: int) -> Cell:
    """The same when only the primary key is at hand."""
    return Cell(
        _("Conversation %(number)s") % {"number": number},
        reverse("admin:conversations_conversation_change", args=[number]),
    )


def interaction_cell(interaction: Interaction) -> Cell:
    """A call or chat session, leading to its record."""
    return Cell(
        f"{interaction.get_channel_display()} {interaction.provider_id}",
        reverse("admin:conversations_interaction_change", args=[interaction.pk]),
    )


def time_cell(moment: datetime | None) -> Cell:
    """A moment in the reader's zone, to the second."""
    return Cell(timezone.localtime(moment) if moment else None)


def interaction_number(number: int | None) -> Cell:
    """An interaction when only the primary key is at hand, if there is one."""
    if number is None:
        return Cell("")
    return Cell(
        _("Interaction %(number)s") % {"number": number},
        reverse("admin:conversations_interaction_change", args=[number]),
    )
