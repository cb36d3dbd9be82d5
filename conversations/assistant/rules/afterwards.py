"""After something was done: when it is, its reference, whether it is done, and that it be undone, though nobody names it."""

from __future__ import annotations

from datetime import datetime

from django.utils.translation import gettext as _

from conversations.assistant import acts, what_was_done, wording
from conversations.assistant.brain import HandOff, Reply
from conversations.assistant.rules import additions, changing, going_back, identifying
from conversations.assistant.rules.booking import told_of
from conversations.assistant.rules.dialogue import Dialogue
from conversations.assistant.rules.errands import ERRANDS, engine
from conversations.assistant.tools import add_action_item, change_callback, find_callbacks
from conversations.services import facts

ABOUT_A_VISIT = ("visit", "cancelled")
IN_WRITING = "in_writing"
"""In the state of a dialogue: what was done was asked for in writing, so an address that comes next is for that."""


async def go_on(dialogue: Dialogue) -> Reply | HandOff | None:
    """What is asked or wanted of the visit or the call that was done last; what is going on goes on. None when nothing is."""
    if gives_up := await _given_up(dialogue):
        return gives_up
    words, kind = dialogue.context.words, dialogue.done_here.get("kind")
    if kind in (None, "call") and await _said_when_called(dialogue):
        return dialogue.reply()
    sends = kind in ABOUT_A_VISIT and what_was_done.wants_it_sent(words)
    asks = what_was_done.asks_of_what_was_done(words) or (acts.is_question(words) and acts.OWN_VISIT.search(acts.plain(words)))
    if added := (await _where_to_write(dialogue) or await _added(dialogue)):
        return added
    if kind not in ABOUT_A_VISIT and dialogue.form and asks:
        if not await _said_visits(dialogue):
            dialogue.say(_("Nothing is booked yet."))
        return await going_back.to_form(dialogue)
    if kind not in ABOUT_A_VISIT or not (asks or sends):
        return None
    if sends:
        dialogue.say(_("I cannot send that as a message from here, so please note it down."))
        dialogue.state[IN_WRITING] = True
    return await _back(dialogue) if await _said_what_stands(dialogue) else None


async def _said_when_called(dialogue: Dialogue) -> bool:
    """Says until when people call back who were not there, to who asks what happens next; says whether that was asked and promised."""
    promised, context = dict(dialogue.context.form_state.get("callback") or {}).get("noted"), dialogue.context
    if not promised or dialogue.is_busy or not what_was_done.NEXT.search(acts.plain(context.words)):
        return False
    found = await dialogue.tools.call(find_callbacks.TOOL.name, {})
    coming = [each for each in found.result.get("calls", []) if each["by"]] if found.worked else []
    for each in coming[-1:]:
        when = wording.moment_of(datetime.fromisoformat(each["at"]).astimezone(context.now.tzinfo), context.now)
        words = _("I have noted that we will call you back on %(number)s by %(when)s.")
        dialogue.say(words % {"number": facts.phone(each["phone"]), "when": when})
    return bool(coming)


async def _given_up(dialogue: Dialogue) -> Reply | HandOff | None:
    """“Cancel it” when nothing is going on: the visit that was booked here, which is read back before."""
    done = dialogue.done_here
    if done.get("kind") != "visit" or dialogue.is_busy or not what_was_done.gives_it_up(dialogue.context.words):
        return None
    dialogue.state["named"] = done["reference"]
    return await changing.begin(dialogue, "cancel")


async def _added(dialogue: Dialogue) -> Reply | None:
    """Something more for the visit that was booked here: noted for people, who see to it; no second visit is begun."""
    done, context = dialogue.done_here, dialogue.context
    is_there = add_action_item.TOOL.name in context.behaviour.tools
    is_address = "address" in context.new_facts and what_was_done.OF_THE_RECORD.search(acts.plain(context.words)) is None
    is_more = what_was_done.adds_to_it(context.words) or (is_address and "postcode" not in context.new_facts)
    if done.get("kind") != "visit" or dialogue.is_busy or not is_there or not is_more:
        return None
    told = additions.address_told(dialogue) if is_address else [context.text.strip()]
    if not told or not await additions.note(dialogue, str(done["reference"]), told[0]):
        return None
    dialogue.state.pop("offer", None)
    dialogue.say(_("Is there anything else I can do?"))
    return dialogue.reply()


async def _where_to_write(dialogue: Dialogue) -> Reply | None:
    """The address for what was asked for in writing: people send it. None for anything else."""
    wanted, email = dialogue.state.pop(IN_WRITING, False), dialogue.context.value("email")
    told = any(fact.name == "email" for fact in dialogue.context.understanding.facts)
    reference, is_there = dialogue.done_here.get("reference", ""), add_action_item.TOOL.name in dialogue.context.behaviour.tools
    if not (wanted and told and reference and is_there) or dialogue.is_busy:
        return None
    title = _("%(reference)s: send what was booked to %(email)s") % {"reference": reference, "email": email}
    if not (await dialogue.tools.call(add_action_item.TOOL.name, {"title": title})).worked:
        return None
    dialogue.say(_("Thank you. I have asked my colleagues to send that to %(email)s.") % {"email": email})
    dialogue.say(_("Is there anything else I can do?"))
    return dialogue.reply()


async def _said_what_stands(dialogue: Dialogue) -> bool:
    """Says which visits of this party stand, and that one was cancelled; says whether there was anything to say."""
    done = dialogue.done_here
    if done["kind"] == "cancelled":
        start, end = datetime.fromisoformat(done["start"]), datetime.fromisoformat(done["end"])
        window = wording.window(start, end, dialogue.context.now, plain=True)
        dialogue.say(_("Your visit %(reference)s on %(window)s is cancelled.") % {"reference": done["reference"], "window": window})
    lead = _("It is not cancelled.") if done["kind"] == "visit" and "cancel" in dialogue.context.words.lower() else ""
    return await _said_visits(dialogue, lead) or done["kind"] == "cancelled"


async def _said_visits(dialogue: Dialogue, lead: str = "") -> bool:
    """Says which visits this party may know of, after `lead`; says whether there are any."""
    known = await changing.visits_known(dialogue)
    if known:
        dialogue.say(lead)
    for visit in known:
        dialogue.say(_("%(service)s on %(window)s, reference %(reference)s.") % told_of(visit, dialogue))
    return bool(known)


async def _back(dialogue: Dialogue) -> Reply | HandOff:
    if dialogue.state.get("action") == identifying.ACTION:
        return identifying.go_back(dialogue)
    if dialogue.form:
        return await going_back.to_form(dialogue)
    return await going_back.to_change(dialogue) if dialogue.is_busy else dialogue.reply()


async def call(dialogue: Dialogue) -> Reply | HandOff | None:
    """A promised call is moved, recalled or called off, also in the middle of something else; None when nothing of it is wanted."""
    errand = ERRANDS[change_callback.TOOL.name]
    if dialogue.form or dialogue.is_busy or not errand.is_wanted(dialogue):
        return None
    dialogue.state.pop("offer", None)
    return await engine.begin(dialogue, errand)


async def stopped(dialogue: Dialogue) -> Reply:
    """What was going on is stopped; a visit that was booked before stays, and is named so that nobody takes it for stopped, too."""
    dialogue.leave_form()
    dialogue.say(dialogue.stopped())
    reference = dialogue.done_here.get("reference", "")
    if dialogue.done_here.get("kind") == "visit" and reference:
        dialogue.say(_("Your visit %(reference)s stays booked.") % {"reference": reference})
    elif dialogue.done_here.get("kind") == "call":
        dialogue.say(_("The call that we promised stays as it was."))
    dialogue.say(_("Is there anything else I can do?"))
    return dialogue.reply()
