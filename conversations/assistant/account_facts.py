"""What the account says of a customer who has proven to be one, so that nobody has to ask for it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Final

from conversations.models import Conversation, Customer
from conversations.models.identifier import Assurance
from conversations.services import details
from conversations.services.facts import KnownFact
from conversations.understanding.postcodes import find_postcode

NOT_SAID: Final = 0
"""The place in the history of what nobody said in it."""


def with_account(known: Mapping[str, KnownFact], conversation: Conversation, level: str, *, region: str) -> dict[str, KnownFact]:
    """What is known, with the name, the number, the email address and the place of the account where the party told no other.

    A postcode or a street that was told is of another place, with which nothing of that of the account is put together. Only for one
    that has proven to be the customer (`level`): what is known of a record is told to nobody else. `region` (two letters) is the one
    whose postcodes are meant. At most one statement.
    """
    return {**_of_account(conversation, level, region, known=known), **known}


def put_right(
    conversation: Conversation, known: Mapping[str, KnownFact], new: Collection[str], level: str, *, region: str
) -> dict[str, Any]:
    """What is `new` in place of what a visit that was just booked has from the account, with the value of the account."""
    state = conversation.form_state
    if state.get("step") != "done" or not state.get("reference"):
        return {}
    told = {name: fact for name, fact in known.items() if name not in new}
    before = _of_account(conversation, level, region, known=told)
    return {name: fact.value for name, fact in before.items() if name in new and known[name].value != fact.value}


def _of_account(conversation: Conversation, level: str, region: str, *, known: Mapping[str, KnownFact]) -> dict[str, KnownFact]:
    if level != Assurance.VERIFIED:
        return {}
    customer, place = conversation.customer, _place(conversation.customer, region)
    is_elsewhere = any(name in known and known[name].value != value for name, value in place.items())
    found = {"name": customer.name, **({} if is_elsewhere else place)}
    if wanted := [kind for kind in details.IDENTIFIERS if kind not in known]:
        found |= details.of_record(customer.pk, wanted)
    return {name: KnownFact(name, value, NOT_SAID, level, "") for name, value in found.items() if value and name not in known}


def _place(customer: Customer, region: str) -> dict[str, str]:
    """Where a customer lives, the postcode in its normal form."""
    written = find_postcode(customer.postcode, region=region, expected=True)
    return {"postcode": written[0] if written else customer.postcode, "address": customer.address}
