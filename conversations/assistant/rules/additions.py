"""What more is wanted of a visit: kept while it is being booked, and noted for the people who see to it."""

from __future__ import annotations

import re
from typing import Final

from django.utils.translation import gettext as _

from conversations.assistant import later, what_was_done
from conversations.assistant.rules import slots
from conversations.assistant.rules.dialogue import Dialogue, label_of
from conversations.assistant.tools import add_action_item
from conversations.understanding.normalise import plain

KEY: Final = "more"
TOLD_ONCE: Final = frozenset({"address", "postcode", "name", "phone"})
MOST: Final = 3
LONGEST_TITLE: Final = 300
SEVERAL: Final = re.compile(
    r"^(?:(?:yes|yeah|yep|ok|okay|sure|no|but|and|also|actually|sorry|please|it is|it's|that's) )*"
    r"(?:for|there are|(?:we|i) have|(?:we|i)'ve got) \d{1,2} (?:\w+ )?"
    r"(?!(?:minutes|mins|hours|days|weeks|months|years|times|persons)\b)[a-z]{3,}s\b"
)
"""“But for two boilers”."""


def keep(dialogue: Dialogue) -> bool:
    """Keeps what the words want more of the visit that is being booked, and says so; says whether they do."""
    words = dialogue.context.words
    is_there = add_action_item.TOOL.name in dialogue.context.behaviour.tools
    if not is_there or not (what_was_done.adds_to_it(words) or SEVERAL.search(plain(words))):
        return False
    said = dialogue.context.text.strip()
    dialogue.state[KEY] = [*dialogue.state.get(KEY, []), said][-MOST:]
    dialogue.say(_("I keep that for your visit: “%(words)s”.") % {"words": said})
    return True


def address_told(dialogue: Dialogue) -> list[str]:
    """The address of a visit that is booked now, as words for whoever goes there, since a visit itself has only a postcode.

    Nothing where none was told, or where it was noted for an earlier visit at another postcode.
    """
    context = dialogue.context
    address = context.value("address") if "address" in context.told_facts else ""
    of = {"address": address, "postcode": context.value("postcode")}
    before = dialogue.state.get(later.ADDRESS_NOTED) or {}
    is_there = add_action_item.TOOL.name in context.behaviour.tools
    if not address or not is_there or (before.get("address") == address and before != of):
        return []
    dialogue.state[later.ADDRESS_NOTED] = of
    return [f"{label_of('address').lower()} {address}"]


def tells_what_is_known(dialogue: Dialogue) -> bool:
    """Whether words tell nothing but where or who once more, which is known by now and so no wrong answer."""
    context = dialogue.context
    told = [fact for fact in context.understanding.facts if fact.name in TOLD_ONCE]
    return bool(told) and all(context.value(fact.name) == fact.value for fact in told) and not slots.is_wished(dialogue)


async def note_kept(dialogue: Dialogue, kept: list[str], reference: str) -> None:
    """Notes what was kept for a visit that is booked now."""
    for words in kept:
        await note(dialogue, reference, words)


async def note(dialogue: Dialogue, reference: str, words: str) -> bool:
    """Notes for people what is wanted more of a visit, and says so; says whether that was possible."""
    result = await dialogue.tools.call(add_action_item.TOOL.name, {"title": f"{reference}: {words}"[:LONGEST_TITLE]})
    if not result.worked:
        return False
    values = {"reference": reference, "words": words}
    dialogue.say(_("I have noted for your visit %(reference)s: “%(words)s”. A colleague looks at it before the visit.") % values)
    return True
