"""What else was wanted, and what was put aside for it: answered at once where it can be, named, and offered when its turn has come."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from django.utils.translation import gettext as _

from conversations.assistant import acts, later, own_record
from conversations.assistant.brain import HandOff, Reply
from conversations.assistant.rules import area, identifying, knowledge
from conversations.assistant.rules.dialogue import Dialogue
from conversations.assistant.rules.errands import ERRANDS
from conversations.models.identifier import Assurance

MOST_OFFERS: Final = 2
NOT_KEPT: Final = (*later.OUTLASTING, "offer")


async def answer_besides(dialogue: Dialogue) -> None:
    """Answers the questions that came in the same breath, as far as articles, prices and what is proven allow."""
    for understood in dialogue.context.besides:
        beside = dialogue.about(understood)
        if await _answers(beside, of=dialogue.context.words):
            dialogue.answer_besides(beside)
            later.forget(dialogue.state, understood.text)


async def _answers(beside: Dialogue, *, of: str) -> bool:
    """Says what there is to a question; that there is no answer, too. “And how much is it?” is about what was said first, `of` which."""
    words = beside.context.words
    if not acts.asks_only(words) or own_record.OWN_ACCOUNT.search(acts.plain(words)):
        return await _tells_own(beside)
    if await area.says(beside) is not None or await knowledge.answer(beside):
        return True
    if knowledge.asks_for_price(beside) and await knowledge.answer_price(beside, of=of):
        return True
    beside.say(_("To “%(words)s” I have no answer; a colleague can tell you.") % {"words": beside.context.text})
    return True


async def _tells_own(beside: Dialogue) -> bool:
    """What the own record says, to who has proven whose it is."""
    words = beside.context.words
    if not own_record.OWN_RECORD.search(acts.plain(words)) or beside.context.assurance != Assurance.VERIFIED:
        return False
    return await identifying.tell_in_between(beside)


def put(dialogue: Dialogue) -> None:
    """Puts what is going on aside, with a word; it is offered again when its turn has come."""
    if not dialogue.is_busy:
        return
    saved = {name: value for name, value in dialogue.state.items() if name not in NOT_KEPT}
    called = _called(saved, dialogue)
    waiting = [{"state": saved, "called": called}, *dialogue.state.get(later.KEY, [])]
    dialogue.leave_form()
    dialogue.state[later.KEY] = waiting[: later.MOST]
    dialogue.say(_("I have put %(what)s aside; we can go on with it afterwards.") % {"what": called})


def keep_words(dialogue: Dialogue) -> None:
    """Keeps what was asked for when what is going on is done."""
    later.keep(dialogue.state, [dialogue.context.understanding], dialogue.context.language.partition("-")[0])


def keep_services(dialogue: Dialogue, services: list[str]) -> None:
    """Keeps visits for other services, which are booked when that which is begun is done."""
    wanted = [_("book: %(service)s") % {"service": dialogue.context.behaviour.named(each)} for each in services]
    understood = [replace(dialogue.context.understanding, text=each) for each in wanted]
    later.keep(dialogue.state, understood, dialogue.context.language.partition("-")[0])


def keep_places(dialogue: Dialogue, service: str, postcodes: list[str]) -> None:
    """Keeps visits for the same at other addresses, which are booked when that which is begun is done."""
    wanted = [f"{_('book: %(service)s') % {'service': dialogue.context.behaviour.named(service)}}, {each}" for each in postcodes]
    understood = [replace(dialogue.context.understanding, text=each) for each in wanted]
    later.keep(dialogue.state, understood, dialogue.context.language.partition("-")[0])


def take_up(dialogue: Dialogue) -> bool:
    """Restores what was put aside, when it is what waits first; says whether it is."""
    waiting = list(dialogue.state.get(later.KEY) or [])
    if not waiting or "state" not in waiting[0]:
        return False
    first = waiting.pop(0)
    dialogue.leave_form()
    dialogue.state.update(first["state"])
    dialogue.state[later.KEY] = waiting
    return True


def drop(dialogue: Dialogue) -> None:
    """Forgets what waits first: they do not want it any more."""
    dialogue.state[later.KEY] = list(dialogue.state.get(later.KEY) or [])[1:]


def with_what_waits(dialogue: Dialogue, said: Reply | HandOff) -> Reply | HandOff:
    """A reply that names what was kept in this turn, or offers what waits first when nothing else is asked."""
    waiting: list[dict[str, Any]] = [dict(each) for each in said.form_state.get(later.KEY) or []]
    if not waiting:
        return said
    if isinstance(said, HandOff):
        return _after_closing(said, waiting) if said.message else said
    busy = dialogue.is_busy or said.asks or said.quick_replies or said.form_state.get("offer") or said.failed
    if busy:
        return _naming(said, waiting)
    question = _offer(waiting)
    if not question:
        return said
    body = said.body.removesuffix(_("Is there anything else I can do?")).rstrip()
    yes_or_no = Dialogue(dialogue.context, dialogue.tools)
    yes_or_no.suggest_yes_or_no()
    state = {**said.form_state, later.KEY: waiting, "offer": {"kind": later.OFFER}}
    return replace(said, body=f"{body} {question}".strip(), quick_replies=yes_or_no.reply().quick_replies, form_state=state)


def _offer(waiting: list[dict[str, Any]]) -> str:
    """The question whether to go on with what waits first, which is noted; empty when it was asked often enough."""
    first = waiting[0]
    if int(first.get("offered", 0)) >= MOST_OFFERS:
        return ""
    first.update(offered=int(first.get("offered", 0)) + 1, named=True)
    if "state" in first:
        return _("We had begun with %(what)s. Shall we go on with that now?") % {"what": first["called"]}
    return _("You also said: “%(words)s”. Shall we go on with that now?") % {"words": first["text"]}


def _after_closing(said: HandOff, waiting: list[dict[str, Any]]) -> HandOff:
    """Nobody needs to join at once, so what waits is offered in the same breath."""
    question = _offer(waiting)
    state = {**said.form_state, later.KEY: waiting, "offer": {"kind": later.OFFER}}
    return replace(said, message=f"{said.message} {question}", form_state=state) if question else said


def _naming(said: Reply, waiting: list[dict[str, Any]]) -> Reply:
    new = [each for each in waiting if "text" in each and not each.get("named")]
    if not new:
        return said
    for each in new:
        each["named"] = True
    words = ", ".join(f"“{each['text']}”" for each in new)
    sentence = _("I will come to this afterwards: %(words)s.") % {"words": words}
    return replace(said, body=f"{sentence} {said.body}".strip(), form_state={**said.form_state, later.KEY: waiting})


def _called(state: dict[str, Any], dialogue: Dialogue) -> str:
    if state.get("form") == "booking" or state.get("slot") or state.get("offered"):
        return _("your visit")
    errand = ERRANDS.get(str(state.get("purpose") or state.get("action")))
    if errand:
        return str(errand.called)
    if {state.get("action"), state.get("purpose")} & {"reschedule", "cancel"}:
        return _("the change of your visit")
    if state.get("action") == acts.IDENTIFYING:
        return _("what you asked about your visits")
    form = dialogue.context.behaviour.form(str(state.get("form") or ""))
    return f"“{form.name}”" if form else _("what you asked before")
