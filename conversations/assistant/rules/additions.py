"""What more is wanted of a visit: kept while it is being booked, and noted for the people who see to it."""

from __future__ import annotations

import re
from typing import Final

from django.utils.translation import gettext as _

from conversations.assistant import what_was_done
from conversations.assistant.rules.dialogue import Dialogue
from conversations.assistant.tools import add_action_item
from conversations.understanding.normalise import plain

KEY: Final = "more"
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
