"""What a new subject starts: a form, an answer, or a question back."""

from __future__ import annotations

import re

from django.utils.translation import gettext as _

from conversations.assistant import acts, questions
from conversations.assistant.brain import Form, HandOff, Reply
from conversations.assistant.rules import area, aside, booking, knowledge, not_known, opening, what_for
from conversations.assistant.rules.dialogue import Dialogue, echo
from conversations.assistant.tools import book
from conversations.understanding.postcodes import every_postcode

MOST_WORDS_OF_FACTS = 6
MOST_NAMED = 6
VISIT_ADVISED = re.compile(r"\b(?:book an? (?:visit|engineer)|needs an engineer|reserve una visita|necesita una visita)\b", re.IGNORECASE)
"""An article ends with the advice to have somebody come."""


async def hours_asked_on(dialogue: Dialogue) -> Reply | None:
    """“And on Boxing Day?”, “then when?”, after hours were told."""
    return dialogue.reply() if not dialogue.form and await opening.asked_on(dialogue) else None


async def area_asked(dialogue: Dialogue) -> Reply | None:
    served = None if is_wish(dialogue) else await area.answer(dialogue)
    if served is None:
        return None
    form = dialogue.context.behaviour.form_for_tool(book.TOOL.name)
    if served and form:
        await _offer_visit(dialogue, form)
        if offer := dialogue.state.get("offer"):
            offer["asks_what"] = not offer["service"] and _has_said_nothing_else(dialogue)
    return dialogue.reply()


def is_wish(dialogue: Dialogue) -> bool:
    """Whether something is to be done that has a form, or somebody to come on a day: “can I get a boiler service HB1 4QT” asks for no area.

    “Can you come to HB1 4QT?” alone tells of nothing to be done.
    """
    says_more = booking.telling_of_the_need(dialogue) or {fact.name for fact in dialogue.context.understanding.facts} & booking.WHEN
    return bool(says_more) and is_other_need(dialogue) and acts.is_request(dialogue.context.words)


def _has_said_nothing_else(dialogue: Dialogue) -> bool:
    """Whether what was asked is all that the customer has said, so that nobody knows what a visit would be for."""
    said = [line for line in dialogue.context.history if line.kind == "message" and line.speaker == "customer"]
    return len(said) <= 1 and not dialogue.context.besides


def form_of_new_reason(dialogue: Dialogue) -> Form | None:
    reason = dialogue.context.reason
    if reason is None or not dialogue.context.reason_is_new:
        return None
    return dialogue.context.behaviour.form_for_reason(reason.code)


def is_other_need(dialogue: Dialogue) -> bool:
    """Whether the words are a need with a form of its own, and no question in the middle of something."""
    reason = dialogue.context.understanding.reason
    form = dialogue.context.behaviour.form_for_reason(reason) if reason else None
    return form is not None and not acts.asks_only(dialogue.context.words)


async def new(dialogue: Dialogue) -> Reply | HandOff | None:
    """A need with a form starts it, unless only something was asked about it."""
    context = dialogue.context
    if knowledge.names_more(dialogue) and await knowledge.answer_price(dialogue):
        if booking_form := context.behaviour.form_for_tool(book.TOOL.name):
            await _offer_visit(dialogue, booking_form)
        return dialogue.reply()
    understood = context.understanding.reason or (context.reason.code if context.reason and context.reason_is_new else "")
    form = context.behaviour.form_for_reason(understood) if understood else None
    wants_visit = acts.wants_visit(context.words) if not understood else acts.asks_to_come(context.words) and not dialogue.is_busy
    work = "" if understood or dialogue.is_busy else await what_for.work_on_the_list(dialogue)
    if form is None and (wants_visit or work):
        form = context.behaviour.form_for_tool(book.TOOL.name)
    if form and work and what_for.is_asked_about(dialogue) and await knowledge.answer_price(dialogue, of=work):
        await _offer_visit(dialogue, form)
        return dialogue.reply()
    if form is None:
        return None
    if acts.asks_only(context.words) and await knowledge.answer(dialogue):
        if form.tool == book.TOOL.name and not dialogue.does_not_know:
            await _offer_visit(dialogue, form)
        return dialogue.reply()
    if acts.wishes_to_know(context.words) or (questions.asks_of_us(acts.plain(context.words)) and not context.new_facts):
        return not_known.reply(dialogue)
    if form.tool == book.TOOL.name:
        # What a visit is for is said at the beginning; the later words are only about place and time.
        service = what_for.named_before(dialogue) or work or await booking.service_wanted(dialogue)
        is_unsaid = what_for.only_asks_for_it(dialogue) and not what_for.named_before(dialogue)
        if knowledge.asks_for_price(dialogue):
            await knowledge.answer_price(dialogue)
        dialogue.enter_form(form)
        dialogue.state.update({"service": service, **({what_for.UNSAID: True} if is_unsaid else {})})
        if places := other_places(dialogue):
            aside.keep_places(dialogue, service, places)
            dialogue.say(_("I begin with %(service)s.") % {"service": dialogue.context.value("postcode")})
    else:
        dialogue.enter_form(form)
    dialogue.say(echo(context) or _opening_words(form))
    return await booking.go_on(dialogue, form)


def other_places(dialogue: Dialogue) -> list[str]:
    """The other addresses, by postcode, where several were named and none was put right."""
    context = dialogue.context
    named = every_postcode(context.text, region=context.region)
    is_put_right = acts.PUTS_RIGHT.search(acts.plain(context.words)) is not None
    return [] if is_put_right else [each for each in named if each != context.value("postcode")]


async def _offer_visit(dialogue: Dialogue, form: Form) -> None:
    """Offers a visit for what was asked about, unless it was just booked; “both” then means that and what was asked about before it."""
    state, done = dialogue.state, dialogue.done_here
    told = [str(each) for each in state.pop("services", [])]
    service = str(state.pop("service", "")) or await booking.service_named(dialogue)
    if done.get("kind") == "visit" and await booking.service_named(dialogue) in ("", done.get("service")):
        return
    dialogue.say(_("Shall I book a visit for you?"))
    dialogue.suggest_yes_or_no()
    earlier = [each for each in state.get("named", []) if each != service]
    state["named"] = named = [*earlier, *([service] if service else [])][-MOST_NAMED:]
    services = named if earlier and service else told
    state["offer"] = {"kind": "form", "form": form.code, "service": service, "services": services}


def _opening_words(form: Form) -> str:
    return _("I can arrange a visit for that.") if form.tool == book.TOOL.name else _("I can help with that.")


async def otherwise(dialogue: Dialogue) -> Reply:
    """No form fits: an answer from the articles, or a question back."""
    context = dialogue.context
    if _only_tells_facts(dialogue):
        dialogue.say(f"{echo(context)} {_('What can I do for you?')}")
        return dialogue.reply()
    if _adds_to_what_is_promised(dialogue):
        dialogue.say(_("Thank you, I have added that for my colleagues."))
        return dialogue.reply()
    dialogue.state.pop("clarify", None)
    if not dialogue.has_said_something and await knowledge.asks_what_for(dialogue):
        return dialogue.reply()
    wants_answer = acts.is_question(context.words) or context.understanding.reason is not None
    is_all_said = dialogue.has_said_something and not acts.wants_to_know(context.words)
    if is_all_said or await knowledge.answer(dialogue, least_score=0.0 if wants_answer else knowledge.SURE_ANSWER):
        booking_form = context.behaviour.form_for_tool(book.TOOL.name)
        helps = dialogue.state.get("service") or acts.speaks_of_coming(context.words) or dialogue.has_said(VISIT_ADVISED)
        if booking_form and helps and dialogue.done_here.get("kind") != "visit":
            await _offer_visit(dialogue, booking_form)
        return dialogue.reply()
    return not_known.reply(dialogue)


def _adds_to_what_is_promised(dialogue: Dialogue) -> bool:
    """Whether something is told, and nothing asked or wanted, after people have promised to call back: it is for them."""
    context = dialogue.context
    is_the_last = dialogue.done_here.get("kind") in (None, "call")
    promised = bool(context.form_state.get("callback")) and is_the_last and not dialogue.has_said_something
    asks = acts.wants_to_know(context.words) or acts.is_request(context.words)
    other = context.understanding.reason and context.reason and context.understanding.reason != context.reason.code
    return promised and not asks and not other


def _only_tells_facts(dialogue: Dialogue) -> bool:
    """Whether nothing but where, when or who was told, before anybody asked: nothing in it is misunderstood."""
    context = dialogue.context
    told = context.new_facts and not context.understanding.reason and len(context.words.split()) <= MOST_WORDS_OF_FACTS
    return bool(told) and not dialogue.has_said_something and not acts.wants_to_know(context.words)
