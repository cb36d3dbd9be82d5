"""The rules brain: what it makes of one turn, in the order in which it looks."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable
from dataclasses import replace
from functools import partial

from django.utils.translation import gettext as _

from conversations.assistant import acts, later, pauses, what_was_done, wording
from conversations.assistant.brain import BrainEvent, Form, HandOff, Reply, ToolBox, ToolResult, TurnContext
from conversations.assistant.recording import TurnRecord
from conversations.assistant.rules import (
    additions,
    afterwards,
    aside,
    bills,
    booking,
    call_me,
    card_number,
    changing,
    chat_link,
    consent,
    for_others,
    foreign_language,
    going_back,
    identifying,
    in_between,
    knowledge,
    offers,
    slots,
    small_talk,
    subject,
    waiting,
    what_for,
)  # fmt: skip
from conversations.assistant.rules.dialogue import LISTENING, STOPPED_THAT, Dialogue, echo
from conversations.assistant.rules.errands import ERRANDS, engine
from conversations.assistant.rules.errands.engine import Errand
from conversations.assistant.tools import book, change_callback, find_orders, promise_to_pay, schedule_callback, set_consent, update_fact
from conversations.understanding.dates import no_such_day

WHEN = frozenset({"date", "time_window"})
CALLS = (schedule_callback.TOOL.name, change_callback.TOOL.name)
IN_A_FORM = (find_orders.TOOL.name, promise_to_pay.TOOL.name, update_fact.TOOL.name)


class RulesBrain:
    """Answers without any network: from articles, the price list, forms and tools."""

    async def answer(self, context: TurnContext, tools: ToolBox, record: TurnRecord) -> AsyncGenerator[BrainEvent, None]:
        """See `assistant.brain.Brain`."""
        dialogue = Dialogue(_about_the_first(context), tools)
        later.keep(dialogue.state, context.besides, context.language.partition("-")[0])
        yield card_number.told(dialogue, aside.with_what_waits(dialogue, await _answer(dialogue)))


def _about_the_first(context: TurnContext) -> TurnContext:
    """Of several needs in one breath, the context of that which comes first."""
    if not context.besides:
        return context
    return replace(context, text=context.understanding.text, gloss=context.understanding.gloss)


async def _answer(dialogue: Dialogue) -> Reply | HandOff:
    context = dialogue.context
    announced = await _announce(dialogue)
    if announced and not context.text:
        return announced
    if only_that := await _consent_noted(dialogue):
        return only_that
    context = dialogue.context
    if card_number.asked_about(dialogue):
        return await _back_to_it(dialogue)
    has_other_use = _errand_wanted_now(dialogue) or (dialogue.state.get("offered_to") and acts.has_code_sent(context.words))
    if not has_other_use and (texted := await chat_link.wanted(dialogue)):
        return texted
    if called := call_me.wanted(dialogue):
        return called
    if context.asks_only_for_language:
        return await _in_that_language(dialogue)
    if context.waits_for_person:
        return await waiting.go_on(dialogue)
    if told := foreign_language.told(dialogue):
        return told
    if context.stops:
        dialogue.say_first(str(STOPPED_THAT))
    await aside.answer_besides(dialogue)
    _tell_of_no_such_day(dialogue)
    looks = (
        _small_acts, afterwards.go_on, afterwards.call, offers.left_to_people, offers.answered, _identity_going_on,
        _errand_going_on, changing.tell, for_others.go_on, changing.corrected, _errand_wanted, _identity_wanted, _change_wanted,
        _change_going_on, _told_in_a_form, _form_going_on, subject.hours_asked_on, subject.area_asked, subject.new,
    )  # fmt: skip
    for look in looks:
        if found := await look(dialogue):
            return found
    return await subject.otherwise(dialogue)


def _tell_of_no_such_day(dialogue: Dialogue) -> None:
    """Says that no calendar has the day that was named, beside whatever comes: nothing is offered for it as if it were not said."""
    context = dialogue.context
    if named := no_such_day(context.words, now=context.now, day_first=context.region != "US"):
        dialogue.add_besides(_("There is no %(day)s.") % {"day": wording.day_and_month(*named)})


async def _in_that_language(dialogue: Dialogue) -> Reply | HandOff:
    """Nothing but another language was asked for: it goes on in it where it was."""
    dialogue.say(_("All right, we go on in English."))
    state = dialogue.state
    if state.get("action") == identifying.ACTION:
        return identifying.go_back(dialogue)
    if state.get("offered"):
        return slots.say_again(dialogue)
    if state.get("action") and state.get("step") != "done":
        return await going_back.to_change(dialogue)
    if dialogue.form:
        return await going_back.to_form(dialogue)
    dialogue.say(_("What can I do for you?"))
    return dialogue.reply()


async def _consent_noted(dialogue: Dialogue) -> Reply | HandOff | None:
    """Notes what was said about consent: the end of a turn in which nothing else was said, and what was going on goes on."""
    if not await consent.note(dialogue):
        return None
    if dialogue.context.understanding.besides:
        dialogue.leave_out_consent()
        return None
    if dialogue.state.get("action") in CALLS and consent.refuses_calls(dialogue):
        dialogue.leave_form()
        return dialogue.reply()
    return await _back_to_it(dialogue)


async def _back_to_it(dialogue: Dialogue) -> Reply | HandOff:
    """What was going on goes on."""
    if dialogue.state.get("action") and dialogue.state.get("step") != "done":
        return await going_back.to_change(dialogue)
    return await going_back.to_form(dialogue)


async def _announce(dialogue: Dialogue) -> Reply | None:
    """Something was done that the customer was not told yet, because a process died in between."""
    done = dialogue.context.form_state.get("announce")
    if not done:
        return None
    result = ToolResult(str(done["tool"]), done.get("result") or {}, str(done.get("error", "")), str(done.get("sentence", "")))
    if result.tool == set_consent.TOOL.name:
        dialogue.say(consent.told_consent(result))
        return dialogue.reply()
    if result.tool == chat_link.TOOL:
        return chat_link.told(dialogue, result)
    if result.tool in ERRANDS:
        return ERRANDS[result.tool].told(dialogue, result)
    if result.tool == book.TOOL.name:
        return await booking.told_booking(dialogue, result)
    return await changing.told_change(dialogue, result.tool, result)


async def _small_acts(dialogue: Dialogue) -> Reply | HandOff | None:
    text, state = dialogue.context.words, dialogue.state
    busy = bool(dialogue.form or state.get("action"))
    is_sound = not text.strip(" .…")
    asks_again = acts.is_short(dialogue.context.hypotheses[0], acts.EH) if is_sound else acts.is_short(text, acts.REPEAT)
    if state.get("offered") and (asks_again or acts.is_short(text, acts.REPEAT_TIMES)):
        return slots.say_again(dialogue)
    if asks_again and (said := dialogue.last_said or small_talk.beginning(dialogue)):
        return small_talk.say_again(dialogue, said)
    if is_sound:
        # “Um …” alone.
        dialogue.say(str(LISTENING))
        return dialogue.reply()
    if pauses.asks_for_a_moment(text) and not dialogue.context.new_facts and not dialogue.context.besides:
        dialogue.say(_("Of course, take your time."))
        return dialogue.reply()
    if acts.wants_to_start_over(text):
        dialogue.leave_form()
        dialogue.say(_("All right, let us start again. What can I do for you?"))
        return dialogue.reply()
    if state.get("action") == "reschedule" and state.get("step") != "done" and acts.gives_up_visit(text):
        return await changing.cancel_instead(dialogue)
    is_whether_to_cancel = state.get("action") == "cancel" and state.get("step") == "confirm"
    errand = ERRANDS.get(str(state.get("purpose") or state.get("action")))
    if busy and (acts.drops_it(text) or (errand and errand.is_dropped(dialogue))) and not is_whether_to_cancel:
        return await afterwards.stopped(dialogue)
    comes_back = pauses.comes_back(text)
    told = dialogue.context.new_facts - (WHEN if comes_back else set())
    if busy and (comes_back or acts.is_brief_mention(text, acts.FAREWELL)) and not told:
        dialogue.leave_form()
        nothing = _("All right, nothing was booked or changed. Write or call again whenever you like.")
        dialogue.say(_("All right. Write or call again whenever you like.") if dialogue.done_here else nothing)
        return dialogue.reply()
    if small_talk.answered(dialogue, busy=busy):
        changes = state.get("action") in ("reschedule", "cancel") and state.get("step") != "done"
        return await (going_back.to_change(dialogue) if changes else going_back.to_form(dialogue))
    if busy or (dialogue.context.new_facts and not comes_back):
        return None
    if acts.is_brief_mention(text, acts.BYE) or (acts.is_brief_mention(text, acts.THANKS, 6) and not dialogue.context.reason_is_new):
        dialogue.say(_("You are welcome. Write or call again whenever you like."))
        return dialogue.reply()
    return small_talk.in_the_middle_of_nothing(dialogue)


async def _identity_going_on(dialogue: Dialogue) -> Reply | HandOff | None:
    """Who this is, is being found out: a question in between is answered, then that goes on; another need leaves it."""
    may_be_other = identifying.may_be_in_between(dialogue)
    if may_be_other:
        if in_between.asks_of_own_record(dialogue) and (asked := identifying.ask_again(dialogue)):
            return asked
        if await in_between.answers(dialogue) or in_between.has_no_answer(dialogue):
            return identifying.go_back(dialogue)
    if may_be_other and subject.is_other_need(dialogue):
        aside.put(dialogue)
        return None
    changes: identifying.Then = {action: partial(changing.begin, action=action) for action in ("reschedule", "cancel")}
    errands: identifying.Then = {action: partial(engine.resume, errand=errand) for action, errand in ERRANDS.items()}
    return await identifying.go_on(dialogue, {**changes, **errands})


async def _errand_going_on(dialogue: Dialogue) -> Reply | HandOff | None:
    """What is being done for the customer goes on; a question in between is answered, and a new subject leaves it."""
    errand = ERRANDS.get(str(dialogue.state.get("action")))
    if errand is None:
        return None
    if errand.action in CALLS and acts.OTHER_VISIT.search(acts.plain(dialogue.context.words)) and dialogue.context.reason_is_new:
        aside.put(dialogue)
        return None
    found = await engine.go_on(dialogue, errand)
    if found:
        return found
    if await in_between.answers(dialogue):
        return await engine.go_on_with(dialogue, errand)
    begins = errand.is_of_a_call and acts.BOOKS.search(acts.plain(dialogue.context.words)) and subject.is_other_need(dialogue)
    if dialogue.context.reason_is_new or begins or _errand_wanted_now(dialogue) or in_between.asks_of_own_record(dialogue):
        aside.put(dialogue)
        return None
    return await engine.again(dialogue, errand)


def _errand_wanted_now(dialogue: Dialogue) -> Errand | None:
    """The errand that the words ask for, unless a form or a change is going on or the playbook does not have its tool."""
    if dialogue.form or dialogue.state.get("action") not in (None, "", *ERRANDS):
        return None
    there = [errand for action, errand in ERRANDS.items() if action in dialogue.context.behaviour.tools]
    return next((errand for errand in there if errand.is_wanted(dialogue)), None)


async def _errand_wanted(dialogue: Dialogue) -> Reply | HandOff | None:
    errand = _errand_wanted_now(dialogue)
    return await engine.begin(dialogue, errand) if errand else None


async def _identity_wanted(dialogue: Dialogue) -> Reply | None:
    return None if dialogue.form else await identifying.wanted(dialogue)


async def _change_wanted(dialogue: Dialogue) -> Reply | None:
    """A wish to move, give up or correct a visit, by its reason or, just after booking, by its words."""
    context, state = dialogue.context, dialogue.state
    if state.get("action") and state.get("step") != "done":
        return None
    reason = context.understanding.reason or (context.reason.code if context.reason and context.reason_is_new else "")
    for action in ("reschedule", "cancel"):
        if reason.startswith(action) and not dialogue.form:
            if acts.asks_only(context.words) and await knowledge.answer(dialogue):
                return dialogue.reply()
            return await changing.begin(dialogue, action)
    if state.get("step") != "done" or not state.get("reference"):
        return None
    words = acts.plain(context.words)
    if acts.GIVE_UP.search(words) and acts.VISIT.search(words) and not acts.is_question(words):
        return await changing.begin(dialogue, "cancel")
    moves = context.changed_facts.keys() & WHEN or what_was_done.moves_it(words)
    if moves or ((acts.MOVE.search(words) or acts.CORRECTS.search(words)) and context.new_facts & WHEN):
        return await changing.begin(dialogue, "reschedule")
    return await changing.put_right(dialogue)


async def _change_going_on(dialogue: Dialogue) -> Reply | HandOff | None:
    if not dialogue.state.get("action") or dialogue.state.get("step") == "done":
        return None
    found = await changing.go_on(dialogue)
    if found:
        return found
    if await in_between.answers(dialogue):
        return await going_back.to_change(dialogue)
    if dialogue.context.reason_is_new:
        aside.put(dialogue)
        return None
    return await going_back.to_change(dialogue)


async def _told_in_a_form(dialogue: Dialogue) -> Reply | HandOff | None:
    """In a form, what the own record says is told, or which invoice the form is about is taken; the form goes on."""
    if dialogue.form and (await in_between.is_told_of_own_record(dialogue) or await bills.chosen(dialogue)):
        return await going_back.to_form(dialogue)
    return None


async def _form_going_on(dialogue: Dialogue) -> Reply | HandOff | None:
    form, context = dialogue.form, dialogue.context
    if form is None:
        return None
    other = subject.form_of_new_reason(dialogue)
    if other and other.code != form.code and not _errand_named(dialogue):
        if acts.asks_only(context.words) and await in_between.answers(dialogue):
            return await going_back.to_form(dialogue)
        aside.put(dialogue)
        return None
    if other_errand := _other_errand(dialogue):
        aside.put(dialogue)
        return await other_errand
    _keep_other_places(dialogue, form)
    adds = form.tool == book.TOOL.name and additions.keep(dialogue)
    tells_what_for = await what_for.told(dialogue, form)
    may_choose = dialogue.state.get("step") == "choose" and not (adds and len(dialogue.state.get("offered") or []) > 1)
    if may_choose and (slot := await slots.chosen(dialogue, context.value("postcode"))):
        booking.take(dialogue, slot)
        return await booking.go_on(dialogue, form)
    if form.tool == book.TOOL.name and (other_time := await booking.other_time(dialogue, form)):
        return other_time
    if not context.new_facts and (adds or tells_what_for or await in_between.is_answered(dialogue)):
        return await going_back.to_form(dialogue)
    if not (form.tool == book.TOOL.name and booking.is_ready(dialogue)):
        dialogue.say(echo(context))
    if context.changed_facts.keys() & WHEN or (context.new_facts & WHEN and dialogue.state.get("slot")):
        dialogue.state.pop("slot", None)
    if dialogue.state.get("step") == "choose" and not context.new_facts:
        if additions.tells_what_is_known(dialogue):
            return await going_back.to_form(dialogue)
        return await _ask_again_for_time(dialogue, form)
    given_up = booking.note_answer(dialogue, form)
    return given_up or await booking.go_on(dialogue, form)


def _keep_other_places(dialogue: Dialogue, form: Form) -> None:
    """Several addresses at once, in the middle of a booking: it goes on with one, and the others wait and are told back."""
    places = subject.other_places(dialogue) if form.tool == book.TOOL.name and "postcode" in dialogue.context.new_facts else []
    if places:
        aside.keep_places(dialogue, str(dialogue.state.get("service") or form.name), places)
        dialogue.say(_("I begin with %(service)s.") % {"service": dialogue.context.value("postcode")})


def _other_errand(dialogue: Dialogue) -> Awaitable[Reply | HandOff | None] | None:
    """What else is clearly asked for in the middle of a form: a visit, another one changed, an order looked up, a payment promised."""
    context = dialogue.context
    errand = _errand_named(dialogue)
    if errand and errand.action == update_fact.TOOL.name:
        return engine.begin(dialogue, errand)
    if context.new_facts - WHEN - {"amount"}:
        return None
    if dialogue.form and dialogue.form.tool != book.TOOL.name and acts.wants_visit(context.words):
        return subject.new(dialogue)
    reason = context.reason.code if context.reason and context.reason_is_new else ""
    change = next((action for action in ("reschedule", "cancel") if reason.startswith(action)), "")
    if change and acts.OTHER_VISIT.search(acts.plain(context.words)):
        return changing.begin(dialogue, change)
    return engine.begin(dialogue, errand) if errand else None


def _errand_named(dialogue: Dialogue) -> Errand | None:
    """The errand that words ask for in the middle of a form: an order that is looked up, a payment promised, a record changed."""
    there = [ERRANDS[name] for name in IN_A_FORM if name in dialogue.context.behaviour.tools]
    return next((errand for errand in there if errand.is_wanted_in_a_form(dialogue)), None)


async def _ask_again_for_time(dialogue: Dialogue, form: Form) -> Reply | HandOff:
    if acts.wants_several(dialogue.context.words):
        dialogue.say(_("One visit takes one of these times. Which one shall I take?"))
        dialogue.suggest([slot["label"] for slot in dialogue.state.get("offered", [])])
        return dialogue.reply()
    if dialogue.context.understanding.affirmative is False or "another" in dialogue.context.words.lower():
        dialogue.say(_("No problem. Which other day or time would suit you?"))
        dialogue.state["asked"] = "time_window"
        return dialogue.reply()
    dialogue.state["misses"] = misses = int(dialogue.state.get("misses", 0)) + 1
    if misses >= booking.MOST_MISSES:
        return booking.offer_person(dialogue, _("I am sorry, I could not make that out."))
    if slots.is_wished(dialogue):
        # The day that was named before is named once more: what is free then is told once more.
        return await booking.go_on(dialogue, form)
    dialogue.say(_("I did not get which time suits you. Choose one of these, or name another day."))
    dialogue.suggest([slot["label"] for slot in dialogue.state.get("offered", [])])
    return dialogue.reply()
