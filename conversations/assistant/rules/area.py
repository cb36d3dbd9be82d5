"""Whether the company comes to a place that was named in a question."""

from __future__ import annotations

import re
from typing import Final

from django.utils.translation import gettext as _

from conversations.assistant import acts
from conversations.assistant.rules.dialogue import Dialogue
from conversations.assistant.tools import check_area
from conversations.understanding.postcodes import OUTWARD

ASKS: Final = re.compile(
    r"\b(?:do|does|can|could|would|will|is|are) (?:you|your|the|it|i|we|anyone|someone)?\b.*"
    r"\b(?:cover|come|serve|work|travel|go|get|visit|area|catchment|reach)\b"
)
OF_A_VISIT: Final = re.compile(r"\b(?:booked|(?:is|are|was) there (?:a|an|any) (?:visit|appointment|booking)s?)\b")
"""Whether somebody comes there is asked of a visit, which is nobody else's business, and not of the area."""
ASKS_ON: Final = re.compile(r"^(?:and |what about |how about |or )")


async def answer(dialogue: Dialogue) -> bool | None:
    """Says yes or no to “do you come to HB4?” and returns it; None, and nothing said, when no place was asked about."""
    return None if dialogue.form or dialogue.state.get("action") else await says(dialogue)


async def says(dialogue: Dialogue) -> bool | None:
    """The same, whatever is going on."""
    words, asked_before = acts.plain(dialogue.context.words), dialogue.state.pop("area_asked", False)
    place = _place(dialogue)
    asks_on = asked_before and (_is_only(place, words) or (acts.is_question(dialogue.context.words) and ASKS_ON.search(words)))
    if not place or OF_A_VISIT.search(words) or not (asks_on or (acts.is_question(dialogue.context.words) and ASKS.search(words))):
        return None
    found = await dialogue.tools.call(check_area.TOOL.name, {"postcode": place})
    if not found.worked:
        return None
    dialogue.state["area_asked"] = True
    if found.result["served"]:
        area = dialogue.context.behaviour.named(found.result["territory_name"])
        dialogue.say(_("Yes, we come to %(place)s (%(area)s).") % {"place": place, "area": area})
        return True
    dialogue.say(_("I am sorry, we do not come to %(place)s.") % {"place": place})
    return False


def _is_only(place: str, words: str) -> bool:
    return bool(place) and place.replace(" ", "").lower() == words.replace(" ", "")


def _place(dialogue: Dialogue) -> str:
    """The postcode that this turn names, or the first half of one."""
    named = next((fact.value for fact in dialogue.context.understanding.facts if fact.name == "postcode"), "")
    half = OUTWARD.search(dialogue.context.words)
    return named or (half.group().upper() if half else "")
