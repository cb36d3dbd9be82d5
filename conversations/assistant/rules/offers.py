"""What was offered last, a person, a visit or what waits: taken or declined."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from django.utils.translation import gettext as _

from conversations.assistant import acts, later, prices_asked, what_was_done
from conversations.assistant.brain import HandOff, Reply, TurnContext
from conversations.assistant.rules import aside, booking, going_back, identifying, subject, what_for
from conversations.assistant.rules.dialogue import Dialogue
from conversations.assistant.tools import book
from conversations.understanding import foreign


async def answered(dialogue: Dialogue) -> Reply | HandOff | None:
    """Yes or no to what was offered last. An offer stands for one turn."""
    offer, context = dialogue.state.pop("offer", None), dialogue.context
    if not offer:
        return _without_offer(dialogue)
    affirmative = _answer_to(offer, dialogue)
    if offer["kind"] == "person" and _is_yes_to_person(context, affirmative):
        return HandOff(form_state=dict(dialogue.state), asked_for=True)
    if offer["kind"] == "person" and _wants_something_else(context):
        return None
    several = offer["kind"] == "form" and len(offer.get("services") or []) > 1 and acts.wants_several(context.words)
    if affirmative is None and not several:
        return None
    if offer["kind"] == later.OFFER:
        return await _go_on_with_what_waits(dialogue, goes_on=bool(affirmative))
    if (affirmative or several) and (visit := await _visit_begun(dialogue, offer, several=several)):
        return visit
    dialogue.say(_("All right. What else can I do for you?"))
    return dialogue.reply() if not dialogue.form else await going_back.to_form(dialogue)


def _is_yes_to_person(context: TurnContext, affirmative: bool | None) -> bool:
    """“Yes, it's about my bill” is one; in “ok then, book a boiler service”, or “no, …”, they say what they want instead."""
    if acts.YES_AND.search(acts.plain(context.words)):
        return True
    return affirmative is True and not _wants_something_else(context)


def _wants_something_else(context: TurnContext) -> bool:
    """Whether words have a need of their own, and ask for it: “ok, can someone come and give me a quote”."""
    return bool(context.understanding.reason) and (context.reason_is_new or acts.is_request(context.words))


def _gives_details(dialogue: Dialogue) -> bool:
    """Whether an offered visit is answered with where, when or who, and nothing else: “HB1 4QT”, “Tuesday morning”."""
    context = dialogue.context
    told = {fact.name for fact in context.understanding.facts} & {*booking.NEEDED_TO_BOOK, *booking.WHEN}
    few = len(context.words.split()) <= subject.MOST_WORDS_OF_FACTS
    other = context.understanding.reason or acts.wants_to_know(context.words) or _moves_what_was_booked(dialogue)
    return bool(told) and few and not other and not prices_asked.goes_on_about_when(context.words, dialogue.state)


BOOKS_IT: Final = re.compile(r"(?<!not )(?<!n't )(?<!never )\b(?:book|arrange|schedule) (?:it|that|one|me in|us in)\b")


async def left_to_people(dialogue: Dialogue) -> HandOff | None:
    """A visit that is asked for where the AI agent books none: people do."""
    words = dialogue.context.words
    if dialogue.context.behaviour.form_for_tool(book.TOOL.name) or dialogue.is_busy:
        return None
    if not (acts.wants_visit(words) or BOOKS_IT.search(acts.plain(words))) or acts.asks_only(words):
        return None
    return HandOff(form_state=dict(dialogue.state))


def _moves_what_was_booked(dialogue: Dialogue) -> bool:
    """Whether the visit that was just booked is moved: “I want to change it to Thursday” books none beside it."""
    words = dialogue.context.words
    is_booked = dialogue.state.get("step") == "done" and bool(dialogue.state.get("reference"))
    return is_booked and (what_was_done.moves_it(words) or acts.MOVE.search(acts.plain(words)) is not None)


def _asks_to_come(context: TurnContext) -> bool:
    """“Ok, when can you come?”, “yes, can you book it?” take the offer."""
    words = context.words
    return acts.speaks_of_coming(words) or acts.is_request(words) or acts.YES_AND.search(acts.plain(words)) is not None


def _answer_to(offer: Mapping[str, Any], dialogue: Dialogue) -> bool | None:
    """Yes or no to an offer, in whatever words; None for neither."""
    context = dialogue.context
    if acts.drops_it(context.words):
        # “Ok, never mind” begins like a yes.
        return False
    affirmative = context.understanding.affirmative
    if affirmative is None:
        affirmative = foreign.answer(context.text)
    if affirmative and offer["kind"] == "form" and acts.is_question(context.words) and not _asks_to_come(context):
        # “Ok and is there parking needed” goes on asking.
        return None
    books_it = BOOKS_IT.search(acts.plain(context.words)) is not None
    takes_it = books_it or _gives_details(dialogue) or _asks_for_what_is_offered(dialogue)
    if affirmative is None and offer["kind"] == "form" and takes_it:
        return True
    return affirmative


def _asks_for_what_is_offered(dialogue: Dialogue) -> bool:
    """“Book that for next Wednesday”; but “and can you come to HB1 4QT?” asks about a place."""
    context = dialogue.context
    asks_of_place = acts.is_question(context.words) and bool(context.new_facts & booking.PLACES)
    return what_for.only_asks_for_it(dialogue) and not asks_of_place and not _moves_what_was_booked(dialogue)


def _without_offer(dialogue: Dialogue) -> Reply | None:
    """A yes or a no when nothing was offered and nothing is going on."""
    context, affirmative = dialogue.context, dialogue.context.understanding.affirmative
    if affirmative is None and acts.drops_it(context.words):
        affirmative = False
    busy = dialogue.form or dialogue.state.get("action")
    about = context.understanding.reason or context.reason_is_new
    if affirmative is None or busy or about or context.new_facts or not acts.is_bare_answer(context.words):
        return None
    if acts.is_question(context.words):
        return None
    dialogue.say(_("Good. What can I do for you?") if affirmative else _("All right. Write or call again whenever you like."))
    return dialogue.reply()


async def _visit_begun(dialogue: Dialogue, offer: Mapping[str, Any], *, several: bool) -> Reply | HandOff | None:
    """The visit that was offered is begun, for one service or for `several`; None when the playbook has no such form."""
    context = dialogue.context
    if offer.get("asks_what") and acts.is_bare_answer(context.words):
        # A day or a postcode does not answer that: it is asked once more.
        dialogue.state["offer"] = dict(offer)
        dialogue.say(_("What is the visit for?"))
        return dialogue.reply()
    form = context.behaviour.form(str(offer.get("form", "")))
    if form is None:
        return None
    first, *others = _services_of(offer) if several else [str(offer.get("service") or "")]
    dialogue.enter_form(form)
    dialogue.state.update({"service": first} if first else {what_for.UNSAID: True})
    if several:
        aside.keep_services(dialogue, others)
        dialogue.say(_("I begin with %(service)s.") % {"service": context.behaviour.named(first)})
    return await booking.go_on(dialogue, form)


def _services_of(offer: Mapping[str, Any]) -> list[str]:
    """Every service that was named, without those that are part of another (“Boiler service” of “Boiler service with gas safety check”)."""
    named = {str(each): set(acts.plain(str(each)).split()) for each in offer["services"]}
    return [name for name, words in named.items() if not any(words < others for others in named.values())]


async def _go_on_with_what_waits(dialogue: Dialogue, *, goes_on: bool) -> Reply | HandOff | None:
    """What was put aside goes on where it was, or is left; words that wait were taken up before this turn was understood."""
    if not goes_on:
        aside.drop(dialogue)
        dialogue.say(_("All right, I leave that. Is there anything else I can do?"))
        return dialogue.reply()
    if not aside.take_up(dialogue):
        return None
    if dialogue.state.get("action") == identifying.ACTION:
        return identifying.ask_again(dialogue)
    return await (going_back.to_change(dialogue) if dialogue.state.get("action") else going_back.to_form(dialogue))
