"""Whether the company comes to a place that was named in a question."""

from __future__ import annotations

import re
from typing import Final

from django.utils.translation import gettext as _

from conversations.assistant import acts
from conversations.assistant.rules.dialogue import Dialogue
from conversations.assistant.tools import check_area, search_knowledge
from conversations.rendering.written import SENTENCE_END
from conversations.understanding.postcodes import OUTWARD

ASKS: Final = re.compile(
    r"\b(?:do|does|can|could|would|will|is|are) (?:you|your|the|it|i|we|anyone|someone)?\b.*"
    r"\b(?:cover|come|serve|work|travel|go|get|visit|area|catchment|reach)\b"
)
OF_A_VISIT: Final = re.compile(r"\b(?:booked|(?:is|are|was) there (?:a|an|any) (?:visit|appointment|booking)s?)\b")
"""Whether somebody comes there is asked of a visit, which is nobody else's business, and not of the area."""
_FAR: Final = r"(?: (?:out|over|up|down|as far|all the way))*"
NAMED: Final = re.compile(
    rf"\b(?:(?:come|go|travel|drive|work){_FAR} (?:to|in|as|near)|cover|serve)"
    r" (?P<place>(?!(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)days?\b)[A-Z][a-zà-ÿ]+(?:[ -](?:[a-z]{1,3}[ -])?[A-Z][a-zà-ÿ]+)*)\W*$"
)
IN_SMALL_LETTERS: Final = re.compile(
    rf"\b(?:come|go|travel|drive){_FAR} (?:to|as) (?P<place>(?!(?:me|us|them|you|mine|look|help|work)\b)[a-z]{{4,}})\W*$"
)
"""A town at the end of a question, with a capital or in small letters."""
LISTED: Final = re.compile(r"^\s*[-*]|\*\*|\n", re.MULTILINE)
"""A list of places, which says no more of one than that somebody comes there."""
ASKS_ON: Final = re.compile(r"^(?:and |what about |how about |or |y )(?:(?:to|in|for|at|a|en) )?")


async def answer(dialogue: Dialogue) -> bool | None:
    """Says yes or no to “do you come to HB4?” and returns it; None, and nothing said, when no place was asked about."""
    return None if dialogue.form or dialogue.state.get("action") else await says(dialogue)


async def says(dialogue: Dialogue) -> bool | None:
    """The same, whatever is going on."""
    words, asked_before = acts.plain(dialogue.context.words), dialogue.state.pop("area_asked", False)
    place = _place(dialogue)
    is_question = acts.is_question(dialogue.context.words)
    asks_on = asked_before and (_is_only(place, ASKS_ON.sub("", words)) or (is_question and ASKS_ON.search(words)))
    if not place and (town := _town(dialogue)):
        return await _asked_for_postcode(dialogue, town)
    if not place or OF_A_VISIT.search(words) or not (asks_on or (is_question and ASKS.search(words))):
        return None
    found = await dialogue.tools.call(check_area.TOOL.name, {"postcode": place})
    if not found.worked:
        return None
    dialogue.state["area_asked"] = True
    if found.result["served"]:
        area = dialogue.context.behaviour.named(found.result["territory_name"])
        dialogue.say(_("Yes, we come to %(place)s (%(area)s).") % {"place": place, "area": area})
        await _say_what_holds_there(dialogue, place, area)
        return True
    dialogue.say(_("I am sorry, we do not come to %(place)s.") % {"place": place})
    return False


def _town(dialogue: Dialogue) -> str:
    """The town that is asked about by its name."""
    text = dialogue.context.words
    found = NAMED.search(text) or IN_SMALL_LETTERS.search(text)
    return found["place"] if found and acts.is_question(text) and ASKS.search(acts.plain(text)) else ""


async def _asked_for_postcode(dialogue: Dialogue, town: str) -> bool | None:
    """Asks for the postcode of a town that no article names; None, and nothing said, where one does."""
    found = await dialogue.tools.call(search_knowledge.TOOL.name, {"query": dialogue.context.text[:2000]})
    told = found.result.get("passages", []) if found.worked else []
    if any(town.lower() in str(each["text"]).lower() for each in told):
        return None
    dialogue.state["area_asked"] = True
    dialogue.say(_("By the name of a place I cannot tell. Which postcode is it?"))
    return False


async def _say_what_holds_there(dialogue: Dialogue, place: str, area: str) -> None:
    """Says the sentence of an article that names the place, such as on which days somebody comes there."""
    outward = place.partition(" ")[0].upper()
    named = re.compile(rf"\b{re.escape(outward)}\b(?! ?\d)")
    query = _("Do you come to %(place)s (%(area)s)?") % {"place": outward, "area": area}
    found = await dialogue.tools.call(search_knowledge.TOOL.name, {"query": query})
    for each in found.result.get("passages", []) if found.worked else []:
        told = next((line for line in SENTENCE_END.split(each["text"]) if named.search(line) and not LISTED.search(line)), "")
        if told:
            dialogue.say(told.strip())
            dialogue.cite(each["title"], each["url"])
            return


def _is_only(place: str, words: str) -> bool:
    return bool(place) and place.replace(" ", "").lower() == words.replace(" ", "")


def _place(dialogue: Dialogue) -> str:
    """The postcode that this turn names, or the first half of one."""
    named = next((fact.value for fact in dialogue.context.understanding.facts if fact.name == "postcode"), "")
    half = OUTWARD.search(dialogue.context.words)
    return named or (half.group().upper() if half else "")
