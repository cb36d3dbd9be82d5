"""What the account says of a customer who has proven to be one, so that nobody has to ask for it."""

from __future__ import annotations

from collections.abc import Collection, Container, Mapping
from typing import Any, Final

from django.db.models import Case, Value, When

from conversations.models import Conversation, Identifier
from conversations.models.identifier import SAID, Assurance
from conversations.services.facts import KnownFact

NOT_SAID: Final = 0
"""The place in the history of what nobody said in it."""
SUREST_FIRST: Final = tuple(
    When(assurance=each, then=Value(place)) for place, each in enumerate((Assurance.VERIFIED, Assurance.NETWORK_HINT, Assurance.CLAIMED))
)


def with_account(known: Mapping[str, KnownFact], conversation: Conversation, level: str) -> dict[str, KnownFact]:
    """What is known, with the name and the surest phone number of the account where the party told no other.

    Only for one that has proven to be the customer (`level`): what is known of a record is told to nobody else. At most one statement.
    """
    return {**_of_account(conversation, level, without=known), **known}


def put_right(conversation: Conversation, known: Mapping[str, KnownFact], new: Collection[str], level: str) -> dict[str, Any]:
    """What is `new` in place of what a visit that was just booked has from the account, with the value of the account."""
    state = conversation.form_state
    if state.get("step") != "done" or not state.get("reference"):
        return {}
    before = _of_account(conversation, level, without=known.keys() - set(new))
    return {name: fact.value for name, fact in before.items() if name in new and known[name].value != fact.value}


def _of_account(conversation: Conversation, level: str, *, without: Container[str]) -> dict[str, KnownFact]:
    if level != Assurance.VERIFIED:
        return {}
    found = {}
    if conversation.customer.name and "name" not in without:
        found["name"] = conversation.customer.name
    if "phone" not in without:
        numbers = Identifier.objects.filter(customer=conversation.customer_id, kind=Identifier.Kind.PHONE).exclude(source=SAID)
        surest = numbers.order_by(Case(*SUREST_FIRST), "-last_seen_at")
        found["phone"] = surest.values_list("value", flat=True).first() or ""
    return {name: KnownFact(name, value, NOT_SAID, level, "") for name, value in found.items() if value}
