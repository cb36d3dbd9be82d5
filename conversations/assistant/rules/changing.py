"""Moving, cancelling and correcting a visit that was booked in this conversation. The guard has the last word."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

from conversations.assistant import acts, choosing, what_was_done, wording
from conversations.assistant.brain import Reply, ToolResult
from conversations.assistant.rules import identifying, slots
from conversations.assistant.rules.booking import offer_person, told_of, window_of
from conversations.assistant.rules.dialogue import Dialogue, echo
from conversations.assistant.tools import book, cancel, correct, find_visits, reschedule
from conversations.models.identifier import Assurance
from conversations.services import facts

Visit = Mapping[str, Any]


async def begin(dialogue: Dialogue, action: str) -> Reply:
    """Starts to move (`reschedule`) or to give up (`cancel`) a visit."""
    named = _named(dialogue) or str(dialogue.state.get("named") or "")
    wishes = _wishes_now(dialogue) or bool(dialogue.state.get("wishes"))
    dialogue.leave_form()
    dialogue.state.update(action=action, named=named, wishes=wishes)
    return await _go_on_with_one(dialogue)


async def cancel_instead(dialogue: Dialogue) -> Reply:
    """Gives up the visit that was being moved; who is speaking and which visit it is stay settled."""
    named = _named(dialogue) or dialogue.state.get("reference") or dialogue.state.get("named") or ""
    dialogue.leave_form()
    dialogue.state.update(action="cancel", named=named)
    return await _go_on_with_one(dialogue)


async def tell(dialogue: Dialogue) -> Reply | None:
    """Reads back the visits that this party may know of, when it asks for them; None when there is none or nothing was asked."""
    words = acts.plain(dialogue.context.words)
    if not (acts.is_question(words) and acts.OWN_VISIT.search(words)):
        return None
    known = await visits_known(dialogue)
    for visit in known:
        dialogue.say(_("%(service)s on %(window)s, reference %(reference)s.") % told_of(visit, dialogue))
    return dialogue.reply() if known else None


async def go_on(dialogue: Dialogue) -> Reply | None:
    """The next step of a change that was begun; None when the words were about something else."""
    state, context = dialogue.state, dialogue.context
    visits = await visits_known(dialogue)
    if state.get("step") == "which":
        return await _chosen_visit(dialogue, visits)
    visit = next((each for each in visits if each.get("reference") == state.get("reference")), None)
    if visit is None:
        dialogue.leave_form()
        return offer_person(dialogue, _("I do not find that visit any more."))
    if state.get("step") == "confirm":
        return await _confirmed(dialogue, visit)
    slot = await slots.chosen(dialogue, str(visit["postcode"]))
    if slot:
        result = await dialogue.tools.call(reschedule.TOOL.name, {"reference": visit["reference"], "start": slot["start"]})
        return await told_change(dialogue, reschedule.TOOL.name, result)
    if context.understanding.affirmative is False and not context.new_facts:
        dialogue.say(_("No problem. Which other day or time would suit you?"))
        state["asked"] = "time_window"
        return dialogue.reply()
    wishes = context.new_facts & {"date", "time_window"} or slots.beside(dialogue, visit)
    return await _offer(dialogue, visit) if wishes else None


async def corrected(dialogue: Dialogue) -> Reply | None:
    """Another name or number for the visit that was just booked, whatever it sounds like; None for one that is for the record."""
    context, state = dialogue.context, dialogue.state
    is_other = context.changed_facts.keys() & {"name", "phone"} and not context.new_facts & {"date", "time_window"}
    if state.get("step") != "done" or not is_other or what_was_done.OF_THE_RECORD.search(acts.plain(context.words)):
        return None
    return await put_right(dialogue)


async def put_right(dialogue: Dialogue) -> Reply | None:
    """Puts a corrected name or number on the visit that was just booked; None when there is nothing to correct."""
    context, reference = dialogue.context, dialogue.state.get("reference")
    reason = context.understanding.reason
    if reason and context.behaviour.form_for_reason(reason) and not acts.CORRECTS.search(acts.plain(context.words)):
        # Another visit, at another address.
        return None
    if reference and "postcode" in context.changed_facts:
        return await _elsewhere(dialogue, str(reference))
    changed = {name: context.value(name) for name in ("name", "phone") if name in context.changed_facts}
    if not reference or not changed:
        return None
    result = await dialogue.tools.call(correct.TOOL.name, {"reference": reference, **changed})
    return await told_change(dialogue, correct.TOOL.name, result)


async def _elsewhere(dialogue: Dialogue, reference: str) -> Reply | None:
    """The visit that was just booked should be at another address: who is free there is another question, so it is booked anew."""
    visit = next((each for each in await visits_known(dialogue) if each["reference"] == reference), None)
    form = dialogue.context.behaviour.form_for_tool(book.TOOL.name)
    if visit is None or form is None:
        return None
    dialogue.say(echo(dialogue.context))
    dialogue.say(
        _("Your visit %(reference)s is for %(postcode)s; elsewhere other engineers come, so it has to be booked anew.")
        % {"reference": reference, "postcode": visit["postcode"]}
    )
    dialogue.say(_("Shall I book it there? Afterwards you can cancel the first one."))
    dialogue.suggest_yes_or_no()
    dialogue.state["offer"] = {"kind": "form", "form": form.code, "service": str(visit["service"])}
    return dialogue.reply()


async def told_change(dialogue: Dialogue, action: str, result: ToolResult) -> Reply:
    """What came of a change: read back, or why it was not done."""
    if not result.worked:
        return await _not_done(dialogue, result)
    visit = result.result
    dialogue.leave_form()
    if action == "cancel":
        text = _("Your visit %(reference)s on %(window)s is cancelled. Is there anything else I can do?")
    elif action == "reschedule":
        text = _("Done: your visit %(reference)s is now on %(window)s. Is there anything else I can do?")
    else:
        text = _("Thank you, I have corrected that: %(reference)s is in the name of %(name)s, and the engineer can ring %(phone)s.")
    if action != "cancel":
        dialogue.state.update(step="done", reference=visit["reference"], priced=str(visit["service"]))
    known_by = {name: str(visit[name]) for name in ("reference", "start", "end")}
    dialogue.note_done("cancelled" if action == "cancel" else "visit", **known_by)
    values = {
        "reference": visit["reference"],
        "window": window_of(visit, dialogue),
        "name": visit["name"],
        "phone": facts.phone(visit["phone"]),
    }
    dialogue.say(text % values)
    return dialogue.reply()


async def _not_done(dialogue: Dialogue, result: ToolResult) -> Reply:
    if result.error == "slot_taken" and await slots.offer_others(dialogue, result):
        return dialogue.reply()
    if result.error == "not_proven" and identifying.is_possible(dialogue):
        return await _identified_first(dialogue)
    return offer_person(dialogue, _("I am sorry, I cannot do that here. %(why)s") % {"why": result.sentence})


async def visits_known(dialogue: Dialogue) -> list[Visit]:
    """The coming visits that this party may know of."""
    found = await dialogue.tools.call(find_visits.TOOL.name, {})
    return list(found.result.get("visits", [])) if found.worked else []


async def _go_on_with_one(dialogue: Dialogue) -> Reply:
    """First who is speaking, then which visit, then when or whether."""
    visits = await visits_known(dialogue)
    named = dialogue.state.get("named")
    mine = [visit for visit in visits if not named or visit["reference"] == named]
    if len(mine) > 1:
        return _ask_which(dialogue, mine)
    if mine:
        return await _go_on_with(dialogue, mine[0])
    if identifying.is_possible(dialogue) and dialogue.context.assurance != Assurance.VERIFIED:
        return await _identified_first(dialogue)
    dialogue.leave_form()
    return offer_person(dialogue, _("I find no visit coming up that I could change."))


async def _identified_first(dialogue: Dialogue) -> Reply:
    """Who this is, is found out; which visit was named, and for when, is remembered until then."""
    state = dialogue.state
    keep = {"named": state.get("named") or state.get("reference") or "", "wishes": bool(state.get("wishes"))}
    return await identifying.begin(dialogue, str(state["action"]), keep=keep)


def _wishes_now(dialogue: Dialogue) -> bool:
    """Whether these words say when the visit shall be."""
    return any(fact.name in ("date", "time_window") for fact in dialogue.context.understanding.facts)


async def _go_on_with(dialogue: Dialogue, visit: Visit) -> Reply:
    dialogue.state.update(reference=visit["reference"], priced=str(visit.get("service", "")))
    if dialogue.state.get("action") == "cancel":
        dialogue.state.update(step="confirm", asked="")
        question = _("Shall I cancel your visit on %(window)s (%(reference)s)?")
        dialogue.say(question % {"window": window_of(visit, dialogue), "reference": visit["reference"]})
        dialogue.suggest_yes_or_no()
        return dialogue.reply()
    return await _offer(dialogue, visit)


async def _offer(dialogue: Dialogue, visit: Visit) -> Reply:
    lead = _("Your visit %(reference)s is on %(window)s now.") % {"reference": visit["reference"], "window": window_of(visit, dialogue)}
    is_choosing = dialogue.state.get("step") == "choose"
    if is_choosing:
        lead = ""
    # What was wished for when it was booked is what is to be changed.
    wishes = is_choosing or bool(dialogue.state.get("wishes")) or _wishes_now(dialogue)
    none_free, prompt = _("I am sorry, I find no other free time in the next two weeks."), _("When would suit you better?")
    wish = slots.beside(dialogue, visit)
    why = await slots.offer(dialogue, str(visit["postcode"]), none_free=none_free, prompt=prompt, lead=lead, wishes=wishes, wish=wish)
    return offer_person(dialogue, why) if why else dialogue.reply()


async def _confirmed(dialogue: Dialogue, visit: Visit) -> Reply | None:
    affirmative = dialogue.context.understanding.affirmative
    if affirmative is None:
        affirmative = acts.leading_answer(dialogue.context.words)
    if affirmative is None and acts.drops_it(dialogue.context.words):
        # “Cancel it” is a yes; “forget it” may mean the cancelling as well as the visit, and then the visit stays.
        affirmative = acts.means_the_visit(dialogue.context.words)
    if affirmative is None:
        return None
    if affirmative is False and acts.MOVE.search(acts.plain(dialogue.context.words)):
        return await begin(dialogue, "reschedule")
    if affirmative is False:
        dialogue.leave_form()
        dialogue.state.update(step="done", reference=visit["reference"])
        dialogue.note_done("visit", reference=str(visit["reference"]))
        dialogue.say(_("All right, your visit stays as it is. Is there anything else I can do?"))
        return dialogue.reply()
    result = await dialogue.tools.call(cancel.TOOL.name, {"reference": visit["reference"]})
    return await told_change(dialogue, cancel.TOOL.name, result)


async def _chosen_visit(dialogue: Dialogue, visits: list[Visit]) -> Reply:
    said = _named(dialogue)
    index = next((index for index, visit in enumerate(visits) if visit["reference"] == said), None)
    if index is None:
        index = choosing.choice(dialogue.context.words, len(visits))
    return _ask_which(dialogue, visits) if index is None else await _go_on_with(dialogue, visits[index])


def _named(dialogue: Dialogue) -> str:
    """The reference that the words of this turn name, if any."""
    return next((fact.value for fact in dialogue.context.understanding.facts if fact.name == "order_number"), "")


def _ask_which(dialogue: Dialogue, visits: list[Visit]) -> Reply:
    dialogue.state.update(step="which", asked="")
    dialogue.say(_("Which visit is it: %(references)s?") % {"references": wording.listed([v["reference"] for v in visits], _("or"))})
    dialogue.suggest([str(visit["reference"]) for visit in visits])
    return dialogue.reply()
