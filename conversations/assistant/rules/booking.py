"""Filling a form one fact at a time, and booking the visit when everything is there."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from conversations.assistant import acts, choosing, details_told, wording
from conversations.assistant.account_facts import NOT_SAID
from conversations.assistant.brain import Form, FormField, HandOff, Reason, Reply, ToolResult
from conversations.assistant.rules import additions, bills, card_number, slots
from conversations.assistant.rules.dialogue import Dialogue, label_of, missing
from conversations.assistant.tools import book, check_area, find_prices, hand_off, open_ticket
from conversations.services import facts

WHEN = frozenset({"date", "time_window"})
PLACES = frozenset({"postcode", "address"})
NEEDED_TO_BOOK = ("postcode", "name", "phone")
MOST_MISSES = 3
LONGEST_QUERY = 2000
SHARE_OF_NAME = 0.7
TRIED = re.compile(r"[0-9@]")
WORD = re.compile(r"[a-z]+[0-9]*")
FITS = re.compile(r"\b(?:fit|install|replac)")
_ASKING = (
    "a an the any some my our your this that these those it its one ones me us i d ll m ve s re we you he she they them "
    "of to for on at in by with and or so but if is am are be been was will would can could shall may do does did not no "
    "want wants wanted wanna need needs needed like love have has having had get gets getting got make making set "
    "setting up book books booked booking schedule scheduled arrange arranged reserve request ask visit visits "
    "appointment appointments slot slots call callout engineer engineers plumber plumbers technician man guy people "
    "someone somebody anyone anybody come comes coming came out round over here there go ahead let lets soon possible "
    "available next when earliest soonest as see look looking put down fit squeeze send repair repairs please thanks "
    "thank hi hello hey good morning afternoon evening ok okay yes yeah sure actually then just now today tomorrow day days time "
    "week about"
)
OF_ANY_VISIT = frozenset(_ASKING.split())
"""What every visit is asked for with, so that it tells nothing of what one is for."""


async def go_on(dialogue: Dialogue, form: Form) -> Reply | HandOff:
    """The next step of a form: check, offer, ask, or do what it is for."""
    if form.tool == book.TOOL.name:
        return await _go_on_booking(dialogue, form)
    dialogue.state["step"] = "collect"
    _read_back_account(dialogue, {field.fact for field in form.fields})
    if which := await bills.settle(dialogue, form):
        return which
    if left := missing(form, dialogue.context.facts, dialogue.state.get("skipped", [])):
        return _ask(dialogue, left[0])
    bill = dialogue.state.get("bill")
    next_step = f"{form.name}: {bill}" if bill else form.name
    if form.tool == hand_off.TOOL.name:
        return HandOff(next_step=next_step, form_state={})
    dialogue.leave_form()
    dialogue.state.update(step="done", form=form.code)
    message = f"{dialogue.reply().body} {form.closing}" if form.closing else ""
    return HandOff(next_step=next_step, message=message.strip(), form_state=dict(dialogue.state))


def _read_back_account(dialogue: Dialogue, named: Collection[str]) -> None:
    """Says once what is taken from the account of who has proven whose it is, of what is `named`."""
    known = dialogue.context.facts
    taken = [name for name in known if name in named and known[name].seq == NOT_SAID]
    if not taken or dialogue.state.get("from_account"):
        return
    dialogue.state["from_account"] = True
    told = wording.listed([f"{label_of(name).lower()} {facts.written(name, known[name].value)}" for name in taken])
    dialogue.say(_("From your account I take: %(facts)s.") % {"facts": told})


def note_answer(dialogue: Dialogue, form: Form) -> Reply | None:
    """Looks at whether the fact that was asked for came. After three misses a person is offered."""
    state, context = dialogue.state, dialogue.context
    asked = str(state.get("asked") or "")
    if not asked or asked in context.new_facts or state.get("step") != "collect":
        state["misses"] = 0
        return None
    field = next((field for field in form.fields if field.fact == asked), None)
    if field is not None and not field.required and acts.is_short(context.words, acts.SKIP):
        state["skipped"] = [*state.get("skipped", []), asked]
        return None
    if asked in context.facts:
        return None
    if context.new_facts or card_number.is_hidden_in(context.text):
        if context.new_facts == {details_told.open_question(form)}:
            dialogue.say(_("Thank you, I have added that."))
        return None
    if acts.is_short(context.words, acts.DECLINES):
        return _declined(dialogue)
    state["misses"] = int(state.get("misses", 0)) + 1
    if state["misses"] >= MOST_MISSES:
        offered = offer_person(dialogue, _("I am sorry, I could not make that out."))
        # Whoever goes on to say nothing that can be used is offered one each time.
        return replace(offered, form_state={**offered.form_state, "misses": MOST_MISSES - 1})
    meant = context.behaviour.form_for_reason(context.understanding.reason or "")
    if meant and meant.code == form.code:
        # More of the same need, or the same once more, is understood; only what was asked for is still missing.
        return None
    repair = wording.REPAIRS.get(asked) if _is_a_try(asked, context.words) else None
    dialogue.say(str(repair or _("I did not get that: I need the %(fact)s.") % {"fact": label_of(asked).lower()}))
    return None


def _declined(dialogue: Dialogue) -> Reply | None:
    """Nobody has to tell anything: said once, and then a person is offered."""
    declined = dialogue.state["declined"] = int(dialogue.state.get("declined", 0)) + 1
    if declined > 1:
        return offer_person(dialogue, _("I understand."), failed=False)
    dialogue.say(_("You do not have to tell me that. Without it I cannot go on here, but a colleague can help you."))
    return None


def _is_a_try(asked: str, words: str) -> bool:
    """Whether words are meant to be what was asked for, so that they are told what it looks like: they hold a digit, an @ or its name."""
    return TRIED.search(words) is not None or label_of(asked).lower() in words.lower() or len(words.split()) == 1


def offer_person(dialogue: Dialogue, lead: str, *, or_ticket: bool = False, failed: bool = True) -> Reply:
    """Says what did not work and offers a person; what was going on stays where it is. It counts as a failed turn unless `failed` is False.

    With `or_ticket`, a ticket about what was just said is offered beside, where the playbook has them.
    """
    dialogue.say(lead)
    dialogue.say(_("Shall I pass you to a person?"))
    dialogue.state["offer"] = {"kind": "person"}
    dialogue.state["misses"] = 0
    dialogue.suggest_yes_or_no()
    if or_ticket and open_ticket.TOOL.name in dialogue.context.behaviour.tools:
        dialogue.state["offer"]["about"] = dialogue.context.text[:LONGEST_QUERY]
        dialogue.suggest([_("Yes"), _("No"), _("Open a ticket")])
    return dialogue.reply(failed=failed)


def is_ready(dialogue: Dialogue) -> bool:
    """Whether everything for the visit is known, so that it is booked and read back in this reply."""
    return bool(dialogue.state.get("slot")) and all(fact in dialogue.context.facts for fact in NEEDED_TO_BOOK)


async def other_time(dialogue: Dialogue, form: Form) -> Reply | HandOff | None:
    """Another time than the one that was taken already, before the visit is booked; None when none is wanted."""
    if slot := slots.chosen_after_all(dialogue):
        take(dialogue, slot)
        return await go_on(dialogue, form)
    why = await slots.other_than_taken(dialogue, dialogue.context.value("postcode"))
    if why is None:
        return None
    return offer_person(dialogue, why) if why else dialogue.reply()


def take(dialogue: Dialogue, slot: slots.Slot) -> None:
    """Keeps the window that was chosen. Which one it is, is said where it was named by its place or its day alone."""
    offered = dialogue.state.get("offered") or dialogue.state.get("others") or []
    dialogue.state.update(slot=slot, step="collect", asked="", offered=[], others=offered, misses=0)
    if not is_ready(dialogue) and not choosing.names_it(dialogue.context.words, str(slot["label"])):
        dialogue.say(_("I take %(slot)s.") % {"slot": slot["label"]})


async def _go_on_booking(dialogue: Dialogue, form: Form) -> Reply | HandOff:
    _read_back_account(dialogue, PLACES)
    refused = await _refused_area(dialogue)
    if refused:
        return refused
    state, context = dialogue.state, dialogue.context
    for fact in ("postcode", *(field.fact for field in form.fields), *NEEDED_TO_BOOK):
        if fact in WHEN:
            if not state.get("slot"):
                return await _offer(dialogue, form)
        elif fact not in context.facts:
            field = next((field for field in form.fields if field.fact == fact), None)
            if field is None or field.required:
                state["step"] = "collect"
                return _ask(dialogue, field or _plain_field(fact))
    if not state.get("slot"):
        return await _offer(dialogue, form)
    return await _book(dialogue)


async def _refused_area(dialogue: Dialogue) -> Reply | None:
    postcode = dialogue.context.value("postcode")
    if not postcode or dialogue.state.get("area") == postcode:
        return None
    found = await dialogue.tools.call(check_area.TOOL.name, {"postcode": postcode})
    if found.worked and found.result["served"]:
        # Windows that were offered or chosen belong to the area of the old postcode.
        for key in ("slot", "offered"):
            dialogue.state.pop(key, None)
        dialogue.state["area"] = postcode
        return None
    refused = int(dialogue.state.get("refused", 0)) + 1
    dialogue.state.update(step="collect", misses=0, refused=refused)
    if found.worked and refused >= MOST_MISSES:
        # Another postcode each time leads nowhere, and may go on for ever between two machines.
        return offer_person(dialogue, _("I am sorry, we do not come to any of these places."))
    if found.worked:
        if "postcode" in dialogue.context.told_facts:
            dialogue.say(_("I am sorry, we do not come to %(postcode)s.") % {"postcode": postcode})
        else:
            dialogue.say(_("I am sorry, we do not come to the postcode that we have."))
        dialogue.ask("postcode", _("If the visit is somewhere else, tell me that postcode."))
        return dialogue.reply()
    return offer_person(dialogue, found.sentence or _("I cannot look up your area at the moment."))


async def _offer(dialogue: Dialogue, form: Form) -> Reply:
    prompt = next((dialogue.prompt_of(field) for field in form.fields if field.fact in WHEN), _("When would suit you?"))
    none_free = _("I am sorry, I find no free time in the next two weeks.")
    why = await slots.offer(dialogue, dialogue.context.value("postcode"), none_free=none_free, prompt=prompt)
    return offer_person(dialogue, why) if why else dialogue.reply()


async def _book(dialogue: Dialogue) -> Reply:
    context, state = dialogue.context, dialogue.state
    arguments = {
        "service": str(state.get("service") or await service_wanted(dialogue)),
        "name": context.value("name")[:200],
        "phone": context.value("phone"),
        "postcode": context.value("postcode"),
        "start": state["slot"]["start"],
    }
    result = await dialogue.tools.call(book.TOOL.name, arguments)
    return await told_booking(dialogue, result)


async def told_booking(dialogue: Dialogue, result: ToolResult) -> Reply:
    """What came of booking: read back, or what else is free."""
    if not result.worked:
        dialogue.state.pop("slot", None)
        if result.error == "slot_taken" and await slots.offer_others(dialogue, result):
            return dialogue.reply()
        lost = result.error == "slot_taken"
        return offer_person(dialogue, "" if lost else _("I am sorry, I could not book that: %(why)s") % {"why": result.sentence})
    kept = [str(each) for each in dialogue.state.pop(additions.KEY, [])]
    say_booked(dialogue, result.result)
    await additions.note_kept(dialogue, [*kept, *additions.address_told(dialogue)], str(result.result["reference"]))
    dialogue.say(_("If anything is wrong, just tell me. Is there anything else I can do?"))
    return dialogue.reply()


def say_booked(dialogue: Dialogue, visit: Mapping[str, Any]) -> None:
    """Reads a booking back and leaves the form."""
    dialogue.leave_form()
    dialogue.state.update(step="done", reference=visit["reference"], priced=str(visit["service"]))
    dialogue.note_done("visit", **{name: str(visit[name]) for name in ("reference", "service", "start", "end")})
    dialogue.say(
        _("Your visit is booked: %(service)s on %(window)s. Your reference is %(reference)s.")
        % told_of(visit, dialogue)
    )
    told = dialogue.context.told_facts
    if {"name", "phone"} <= told:
        names = {"name": visit["name"], "phone": facts.phone(visit["phone"])}
        dialogue.say(_("It is in the name of %(name)s, and the engineer can ring %(phone)s.") % names)
    elif "name" in told:
        dialogue.say(_("It is in the name of %(name)s.") % {"name": visit["name"]})


def told_of(visit: Mapping[str, Any], dialogue: Dialogue) -> dict[str, str]:
    """What is told of a visit: `service`, `window` and `reference` as they read on this line."""
    service = dialogue.context.behaviour.named(str(visit["service"]))
    return {"service": service, "window": window_of(visit, dialogue), "reference": str(visit["reference"])}


def window_of(visit: Mapping[str, Any], dialogue: Dialogue) -> str:
    """A visit's window in words."""
    start, end = datetime.fromisoformat(str(visit["start"])), datetime.fromisoformat(str(visit["end"]))
    return wording.window(start, end, dialogue.context.now, plain=True)


async def service_wanted(dialogue: Dialogue) -> str:
    """The service on the price list that the words of this turn or else the reason mean; the reason's name when there is none.

    The reason of these words goes before that of the conversation where it is one for a visit.
    """
    context = dialogue.context
    form = context.behaviour.form_for_reason(context.about.code) if context.about else None
    meant = context.about if form and form.tool == book.TOOL.name else context.reason
    meant = _reason_of_the_need(dialogue) or meant
    reason = meant.name if meant else _("Visit")
    if named := await service_named(dialogue):
        return named
    of_the_reason = await service_named(dialogue, reason)
    return (of_the_reason and await _service_nearer(dialogue, of_the_reason)) or of_the_reason or reason[:120]


def telling_of_the_need(dialogue: Dialogue) -> set[str]:
    """The words of this turn beyond those that every visit is asked for with, and those that tell where, when or who."""
    context = dialogue.context
    told = {word for fact in context.understanding.facts for word in WORD.findall(fact.text.lower())}
    return set(WORD.findall(context.words.lower())) - OF_ANY_VISIT - told


def _reason_of_the_need(dialogue: Dialogue) -> Reason | None:
    """The reason whose name says all that words tell beside asking for a visit, though they sound more like another that does not.

    “For a blocked toilet” sounds like a repair, and is about “Blocked drain or toilet”.
    """
    told, behaviour = telling_of_the_need(dialogue), dialogue.context.behaviour
    for reason in dialogue.context.alternatives if told else ():
        form = behaviour.form_for_reason(reason.code)
        if form and form.tool == book.TOOL.name and told <= set(WORD.findall(reason.name.lower())):
            return reason
    return None


async def _service_nearer(dialogue: Dialogue, than: str) -> str:
    """The service that the words of this turn are about, where they name nothing of that of their reason; empty when none is.

    One reason may stand for several services: who books a “gas certificate” means that and no boiler service.
    """
    words = dialogue.context.words
    said = _telling_words(words)
    rows = await _on_the_list(dialogue, words)
    first = next(iter(rows), None)
    if first is None or first["name"] == than or said & _telling_words(than):
        return ""
    shared = said & _telling_words(f"{first['name']} {first['description']}")
    is_meant = len(shared) > 1 or any(word[-1].isdigit() for word in shared)
    return first["name"][:120] if is_meant else ""


async def service_named(dialogue: Dialogue, words: str = "") -> str:
    """The service on the price list that `words`, or else those of this turn, name; empty when none is."""
    words = words or dialogue.context.words
    named = [each["name"] for each in await _on_the_list(dialogue, words)]
    return named[0][:120] if named and _is_about(named[0], words) else ""


async def service_on(dialogue: Dialogue, work: str, what: str) -> str:
    """The service on the price list that is nearest to some `work` on `what`; empty when none is about that, or only fits it anew."""
    first = next(iter(await _on_the_list(dialogue, f"{work} {what}")), None)
    if first is None or first["unit"] == find_prices.BY_THE_MONTH:
        return ""
    listed = f"{first['name']} {first['description']}".lower()
    is_there = (_telling_words(what) - OF_ANY_VISIT) & _telling_words(listed)
    return first["name"][:120] if is_there and (FITS.search(work) or not FITS.search(listed)) else ""


async def _on_the_list(dialogue: Dialogue, words: str) -> list[dict[str, str]]:
    found = await dialogue.tools.call(find_prices.TOOL.name, {"query": words[:LONGEST_QUERY] or "-"})
    return list(found.result.get("prices", [])) if found.worked else []


def _is_about(service: str, words: str) -> bool:
    """Whether most of the service's words are said: “Boiler service” in “book a boiler service”, but not in “my boiler is cold”."""
    wanted, said = _telling_words(service), _telling_words(words)
    return len(wanted & said) >= max(2, SHARE_OF_NAME * len(wanted))


def _telling_words(text: str) -> set[str]:
    return {word.removesuffix("s") for word in WORD.findall(text.lower()) if word not in find_prices.COMMON}


def _ask(dialogue: Dialogue, field: FormField) -> Reply:
    dialogue.ask(field.fact, dialogue.prompt_of(field))
    return dialogue.reply()


def _plain_field(fact: str) -> FormField:
    return FormField(fact, _("What is your %(fact)s?") % {"fact": label_of(fact).lower()}, "", True)
