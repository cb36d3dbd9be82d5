"""A caller who waits in line for a person: music and where they stand, and what they say or key meanwhile.

1 or “call me back” has them called back at their place, 2 leaves a message where one is taken, 0 tells where they stand; all else is
answered as on every call.
"""

from __future__ import annotations

import re
from typing import Any, Final

from django.utils import timezone
from django.utils.translation import gettext as _

from conversations.flows import waiting
from conversations.models import Interaction
from conversations.rendering import spoken
from conversations.services import call_state, callbacks, facts, numbers, timeline, voicemail
from conversations.services.numbers_to_ring import NotToBeRung, number_to_ring
from conversations.services.timeline import NewEntry
from conversations.understanding.facts import extract
from conversations.understanding.gloss import gloss
from conversations.understanding.normalise import normalise
from conversations.voice import dialogue, replies
from conversations.voice.dialogue import Words
from conversations.voice.ncco import Ncco
from conversations.voice.protocol import CallInput
from routing.models import WorkItem

CALL_BACK_KEY: Final = "1"
MESSAGE_KEY: Final = "2"
WANTS_CALL_BACK: Final = re.compile(
    r"\b(?:(?:call|ring|phone) (?:me|us) (?:back|later)|call ?back|return my call|"
    r"ll[aá]m[ea]n?me|me llam[ea]n?|devu[eé]lv\w+ la llamada)\b",
    re.IGNORECASE,
)
WANTS_TO_LEAVE_MESSAGE: Final = re.compile(
    r"\bleave (?:a|you a|the) (?:voice ?)?message\b|\bvoice ?mail\b|\bdejar (?:un|el) mensaje\b", re.IGNORECASE
)
NOT: Final = re.compile(r"\b(?:do not|don't|not|no)\b", re.IGNORECASE)
WAITS: Final = re.compile(r"\b(?:wait|hold|stay)\b", re.IGNORECASE)
CONFIRMING: Final = "confirming"
ASKING: Final = "asking"
SHORTEST_NUMBER: Final = 7
MOST_TRIES: Final = 3


def settle(call: Interaction, given: CallInput) -> Words | Ncco | None:
    """What follows from something said or keyed, or from silence, while the caller waits; see `dialogue.settle`."""
    work = waiting.work_of(call.conversation)
    if work is None:
        return dialogue.settle(call, given)
    if dialogue.was_said_before(given):
        return dialogue.settle(call, given)
    said = gloss(normalise(given.hypotheses[0].text, spoken=True), call.language.partition("-")[0]) if given.hypotheses else ""
    step = call.data.get("call_back_step")
    if not given.digits and not said:
        return _number_again(call) if step else replies.aside(call, waiting.announcement(call, work))
    if step:
        return _answered(call, given, said, work)
    heard = given.hypotheses[0].text if given.hypotheses else ""
    is_wish = bool(WANTS_CALL_BACK.search(said) or WANTS_CALL_BACK.search(heard)) and not NOT.search(said)
    if (given.digits == CALL_BACK_KEY or is_wish) and waiting.can_be_called_back(work):
        _note(call, given)
        return _begin(call)
    if (given.digits == MESSAGE_KEY or WANTS_TO_LEAVE_MESSAGE.search(f"{said} {heard}")) and voicemail.is_offered(call):
        _note(call, given)
        return voicemail.take(call)
    if given.digits == dialogue.PERSON_KEY:
        _note(call, given)
        return replies.aside(call, waiting.announcement(call, work))
    return dialogue.settle(call, given, is_new=True)


def _begin(call: Interaction) -> Ncco:
    """Asks whether the number that is known is the right one, or for one."""
    known = facts.known_to(call.conversation, call).get("phone")
    written = str(known.value) if known else call.party
    try:
        return _confirm(call, number_to_ring(written, call.entry_point))
    except NotToBeRung:
        return _ask(call, "")


def _answered(call: Interaction, given: CallInput, said: str, work: WorkItem) -> Words | Ncco | None:
    """What the caller answered to the question for the number."""
    number = str(call.data.get("call_back_number", ""))
    written = _number_in(call, given, said)
    if written:
        _note(call, given, _("(a phone number)"))
        try:
            return _confirm(call, number_to_ring(written, call.entry_point))
        except NotToBeRung as refused:
            return _ask(call, _why_not(refused))
    is_confirming = call.data.get("call_back_step") == CONFIRMING
    if is_confirming and number and (given.digits == CALL_BACK_KEY or dialogue.YES.match(said)):
        return _chosen(call, given, number, work)
    if given.digits == dialogue.PERSON_KEY or WAITS.search(said):
        _note(call, given)
        _remember(call, call_back_step=None, call_back_number="")
        return replies.aside(call, f"{_('All right.')} {waiting.announcement(call, work)}")
    if is_confirming and (given.digits == MESSAGE_KEY or dialogue.NO.fullmatch(said)):
        _note(call, given)
        return _ask(call, "")
    if int(call.data.get("call_back_tries", 0)) >= MOST_TRIES or len(said.split()) > dialogue.LONGEST_MERE_YES:
        _remember(call, call_back_step=None, call_back_number="")
        return dialogue.settle(call, given)
    _note(call, given)
    return _number_again(call)


def _chosen(call: Interaction, given: CallInput, number: str, work: WorkItem) -> Ncco | None:
    _note(call, given)
    asked_with = _question(number)
    try:
        told = waiting.choose_call_back(call, work, number, asked_with=asked_with, source_id=f"{given.source_id}:call-back")
    except callbacks.NotWanted:
        return _ask(call, _("We cannot call that number."))
    except callbacks.NoPlace:
        _remember(call, call_back_step=None)
        return replies.aside(call, _("A colleague is taking your call now. Please stay on the line."))
    _remember(call, call_back_step=None)
    timeline.append(
        call.conversation_id,
        NewEntry(
            kind="message",
            actor_kind="assistant",
            actor_name=call.entry_point.company_name,
            body=told,
            interaction=call,
            source_id=f"{given.source_id}:call-back",
            data={"spoken": True, "ends_call": True},
        ),
    )
    return None


def _confirm(call: Interaction, number: str) -> Ncco:
    _remember(call, call_back_step=CONFIRMING, call_back_number=number)
    return replies.aside(call, spoken.words(_question(number), {}))


def _question(number: str) -> str:
    words = _("We can call you back on %(number)s, and you keep your place in the line. If that is right, press 1 or say yes.")
    text = _("If we cannot reach you then, we send you a text message.") if numbers.takes_texts(number) else ""
    other = _("For another number, say it or key it in. To wait on, press 0.")
    return " ".join(filter(None, [words % {"number": facts.phone(number)}, text, other]))


def _ask(call: Interaction, why: str) -> Ncco:
    tries = int(call.data.get("call_back_tries", 0)) + 1
    _remember(call, call_back_step=ASKING, call_back_number="", call_back_tries=tries)
    asked = _("On which number may we call you back? Say it or key it in, with the area code. To wait on, press 0.")
    return replies.aside(call, f"{why} {asked}".strip())


def _number_again(call: Interaction) -> Ncco:
    """The question once more; whoever does not answer it waits on."""
    tries = int(call.data.get("call_back_tries", 0)) + 1
    _remember(call, call_back_tries=tries)
    number = str(call.data.get("call_back_number", ""))
    if tries > MOST_TRIES:
        _remember(call, call_back_step=None, call_back_tries=0)
        return replies.aside(call, _("Then please stay on the line. You keep your place."))
    return replies.aside(call, spoken.words(_question(number), {})) if number else _ask(call, "")


def _number_in(call: Interaction, given: CallInput, said: str) -> str:
    """The number that was keyed or said; empty when there is none."""
    keyed = given.digits.strip("*#")
    if given.digits:
        return keyed if len(keyed) >= SHORTEST_NUMBER and keyed.isdigit() else ""
    found = extract(said, now=timezone.now(), default_region=call.entry_point.default_region, expecting="phone")
    return next((str(fact.value) for fact in found if fact.name == "phone"), "")


def _why_not(refused: NotToBeRung) -> str:
    if refused.reason == "abroad":
        return _("We cannot call numbers of that country.")
    if refused.reason == "special":
        return _("We cannot call that kind of number.")
    return _("That is not a phone number I can use.")


def _note(call: Interaction, given: CallInput, instead: str = "") -> None:
    """Keeps what was said or keyed and is settled here, once; `instead` of the words when they hold a number."""
    if given.digits:
        dialogue.note_keys(call, given)
    elif given.hypotheses:
        dialogue.note_words(call, given, instead or given.hypotheses[0].text)


def _remember(call: Interaction, **changes: Any) -> None:
    call.data = call_state.change_data(call.pk, lambda data: data.update(changes)).data
