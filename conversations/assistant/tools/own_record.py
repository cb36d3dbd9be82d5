"""What the tools about a customer's own things share: by what outside systems know the customer, and amounts as text."""

from __future__ import annotations

from decimal import Decimal

from conversations.assistant.tools.base import ToolContext
from conversations.connectors.accounts import KnownAs
from conversations.models import Conversation, Identifier
from conversations.models.identifier import PROVEN, Assurance

KINDS = (Identifier.Kind.EXTERNAL, Identifier.Kind.EMAIL, Identifier.Kind.PHONE)


def known_as(context: ToolContext) -> KnownAs:
    """What the record has that was proven to be the customer's; for a person who asks, also the numbers they called from.

    What somebody only claimed opens nobody's account.
    """
    proven = PROVEN if context.is_for_agent else (Assurance.VERIFIED,)
    customer = Conversation.objects.values("customer").get(public_id=context.conversation)["customer"]
    rows = Identifier.objects.filter(customer=customer, kind__in=KINDS, assurance__in=proven)
    return tuple(rows.order_by("kind", "value").values_list("kind", "value").distinct())


def money(amount: Decimal) -> str:
    """An amount as plain text: 85.50."""
    return f"{amount:.2f}"
