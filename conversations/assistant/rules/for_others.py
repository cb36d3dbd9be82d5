"""After a visit was booked: another one like it, at another address perhaps, or the same one for somebody else."""

from __future__ import annotations

import re
from datetime import datetime

from django.utils.translation import gettext as _

from conversations.assistant import acts, named_weeks
from conversations.assistant.brain import HandOff, Reply
from conversations.assistant.rules import booking, changing
from conversations.assistant.rules.dialogue import Dialogue
from conversations.assistant.tools import book, correct
from conversations.understanding.names import volunteered

ANOTHER = re.compile(
    r"\b(?:another|a second|one more|a further|the same)(?: (?:one|visit|appointment|booking|service|visita|cita|again|thing))?"
    r"(?:,? (?:please|too|as well|then|also))*(?= (?:for|at|in|on|to)\b|,|$)"
)
ANOTHER_TIME = re.compile(r"\b(?:another|different|other) (?:day|time|date|week)\b|\b(?:move|change|reschedul\w*|instead|cancel)\b")
SAME_DAY = re.compile(r"\b(?:the )?same (?:day|date|time)\b|\bthat day\b")
_KIN = (
    "mum|mom|mam|mother|dad|father|nan|nana|gran|grandma|grandmother|grandad|grandfather|wife|husband|partner|son|daughter|brother|sister"
    "|aunt|auntie|uncle|cousin|friend|mate|neighbour|neighbor|tenant|landlord|landlady|boss|girlfriend|boyfriend"
    "|madre|padre|mamá|mama|papá|papa|abuela|abuelo|mujer|marido|esposa|esposo|pareja|hijo|hija|hermano|hermana|tía|tia|tío|tio|prima|primo"
    "|amigo|amiga|vecino|vecina|suegra|suegro|inquilino|inquilina"
)
FOR_SOMEBODY = re.compile(rf"\b(?:for|para) (?:my|our|mi|nuestra|nuestro) (?:\w+ )?(?:{_KIN})\b,? (?P<name>.+)$", re.IGNORECASE)


async def go_on(dialogue: Dialogue) -> Reply | HandOff | None:
    """Another visit is begun, or the one that was booked is put in somebody's name; None when neither is wanted."""
    done = dialogue.done_here
    if done.get("kind") != "visit" or dialogue.is_busy or acts.asks_only(dialogue.context.words):
        return None
    return await _another(dialogue, done.get("start", "")) or await _for_somebody(dialogue, done["reference"])


async def _another(dialogue: Dialogue, start: str) -> Reply | HandOff | None:
    context, words = dialogue.context, acts.plain(dialogue.context.words)
    form = context.behaviour.form_for_tool(book.TOOL.name)
    is_another = ANOTHER.search(words) and not ANOTHER_TIME.search(words)
    other_need = context.understanding.reason and context.behaviour.form_for_reason(context.understanding.reason)
    wanted = acts.is_request(words) or acts.BOOKS.search(words) or "postcode" in context.new_facts
    if form is None or not is_another or not wanted or other_need:
        return None
    service = str(dialogue.state.get("priced") or await booking.service_wanted(dialogue))
    dialogue.enter_form(form)
    dialogue.state["service"] = service
    if start and SAME_DAY.search(words):
        named_weeks.keep_day(dialogue.state, datetime.fromisoformat(start).date())
    known = {"service": context.behaviour.named(service), "postcode": context.value("postcode")}
    dialogue.say(_("Another visit, then: %(service)s at %(postcode)s.") % known)
    return await booking.go_on(dialogue, form)


async def _for_somebody(dialogue: Dialogue, reference: str) -> Reply | None:
    """“It's for my mum, Jean Lee”: the visit is in the name of whoever lets the engineer in; the customer's own name stays."""
    found = FOR_SOMEBODY.search(dialogue.context.text.strip(" .!"))
    names = volunteered(found["name"]) if found else []
    if not names:
        return None
    name = " ".join(word if not word.islower() else word.capitalize() for word in names[0].split())
    result = await dialogue.tools.call(correct.TOOL.name, {"reference": reference, "name": name})
    return await changing.told_change(dialogue, correct.TOOL.name, result)
