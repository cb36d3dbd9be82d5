"""A call that a campaign makes, until it is known who has picked up: who calls and why, “is it you”, and the way out.

Whoever picks up may be anybody, so nothing private is said before they have shown who they are; a machine that picks up gets a
message that anybody may hear, after its beep. Once the customer was told what the call is about, it goes on like every other call.
"""

import logging
import re
from typing import Any, Final
from uuid import UUID

from django.utils.translation import gettext as _
from django.utils.translation import override

from conversations.assistant.rules.identifying import QUESTIONS
from conversations.assistant.tools import find_visits
from conversations.flows import campaigning
from conversations.models import CampaignContact, Conversation, Interaction
from conversations.models.consent import Purpose
from conversations.models.dial_attempt import DialOutcome
from conversations.selectors import access, audiences
from conversations.selectors.audiences import Details
from conversations.services import call_state, consent_on_lines, knowing, openings, records, suppression, timeline
from conversations.services.timeline import NewEntry
from conversations.understanding.answers import facts_in
from conversations.understanding.consent import read_wishes
from conversations.understanding.gloss import gloss
from conversations.voice import call_events, dialing, dialogue, gateway, ncco, replies
from conversations.voice.dialogue import Words
from conversations.voice.gateway import GatewayError
from conversations.voice.ncco import Ncco
from conversations.voice.protocol import AnsweredCall, CallEvent, CallInput

logger = logging.getLogger(__name__)
AFTER_THE_BEEP: Final = frozenset({"beep_start", "beep_timeout"})
LONGEST_GREETING_SECONDS: Final = 50
"""How long a machine's greeting is waited for; the platform tells of its beep, or gives up on it after 45 s."""
MOST_PIECES: Final = 20
"""Into how many pieces a machine's greeting may fall, which pauses between sentences; more are no greeting."""
LONGEST_HELLO: Final = 4
"""The words of somebody who was taken for a machine and hears nothing; a greeting has more, or says what it is."""
OF_A_MACHINE: Final = re.compile(r"\b(?:message|beep|tone|voice ?mail|mailbox|unavailable|not available|reached|recording|leave)\b")
YES_KEY: Final = "1"
NO_KEY: Final = "2"
MOST_PROMPTS: Final = 2
MOST_ANSWERS: Final = 6
WRONG_NUMBER: Final = re.compile(
    r"\b(?:wrong (?:number|person)|no ?(?:one|body) (?:of|by|with|called) that|no such person|do(?:es)? not know (?:him|her|them))\b"
)

THEMSELVES: Final = re.compile(
    r"(?:yes,? )?(?:speaking(?: now)?|this is (?:he|she|him|her)|(?:it is|it's|that is|that's) me|i am)\b", re.IGNORECASE
)
NOT_HERE: Final = re.compile(r"\b(?:(?:is not|isn't|not) (?:here|in|home|at home|available)|is out)\b")
NOT_INTERESTED: Final = re.compile(r"\b(?:not interested|do not want|no time|too busy|not now)\b")


def ring(call: Interaction) -> None:
    """Ring the call's party with its permission. Raises NotRung with a sentence for staff when it does not ring."""
    dialing.ring(
        call,
        answer_url=ncco.webhook_url("voice:campaign-answer", public_id=call.public_id),
        event_url=ncco.webhook_url("voice:campaign-event", public_id=call.public_id),
        on_machine="continue",
    )


def answer(public_id: UUID, asked: AnsweredCall) -> Ncco:
    """Somebody, or something, picked up: say who is calling and why, and ask whether it is the customer."""
    call = call_state.adopt(public_id, asked.call_id)
    if call is None:
        return []
    call_events.follow(call)
    call.refresh_from_db(fields=["state"])
    if call.state == Interaction.State.ENDED:
        return []
    with override(call.language):
        _remember(call, region_url=asked.region_url, room=asked.room_id)
        contact = _contact(call)
        if call.data.get("campaign_stage") == call_state.MACHINE:
            return _until_the_beep(call)
        if contact is None or call.conversation.status == Conversation.Status.CLOSED:
            return replies.closing(call)
        text = openings.introduction(call.entry_point, contact.campaign.purpose, contact.customer, call.language)
        _write(call, text, kind="disclosure.shown", key="introduction")
        unspoken = call_state.claim_unspoken(call.pk, as_webhook=True)
        return replies.of(unspoken) if unspoken else replies.again(call)


def note_event(public_id: UUID, event: CallEvent) -> None:
    """What the platform reports about a phone that a campaign has rung; nothing when it is about a leg that is not this call's.

    The contact follows the call, when that is over.
    """
    call = call_state.adopt(public_id, event.call_id) if event.call_id else None
    if call is None:
        return
    if event.status == call_state.MACHINE and call.state != Interaction.State.ENDED:
        _machine(call, after_the_beep=event.detail in AFTER_THE_BEEP)
    call_events.note_event(event)
    call.refresh_from_db(fields=["state"])
    if call.state == Interaction.State.ENDED:
        campaigning.settle(call)
        if event.status == call_state.MACHINE:
            campaigning.correct(call)


def settle(call: Interaction, given: CallInput) -> Words | Ncco | None:
    """What follows from what was said or keyed: None when an entry was written to be said, words when the AI agent is to answer."""
    text = gloss(given.hypotheses[0].text, call.language.partition("-")[0]).lower() if given.hypotheses else ""
    stage = call.data.get("campaign_stage")
    wants_out = given.digits == call_state.OUT_KEY or _wants_out(text)
    if stage == call_state.MACHINE and not (given.digits or wants_out or _is_a_hello(text)):
        return _heard_a_greeting(call, is_silent=not text and not given.is_failure)
    contact = _contact(call)
    if stage == call_state.TOLD and contact and not wants_out:
        return _replied(call, contact, given, text)
    if given.digits:
        dialogue.note_keys(call, given)
    elif text:
        dialogue.note_words(call, given, _("(an answer)") if stage == call_state.PROVING else given.hypotheses[0].text)
    if wants_out:
        return _let_out(call, given, wrong_person=bool(WRONG_NUMBER.search(text)))
    if contact is None:
        return replies.closing(call)
    if stage == call_state.MACHINE and not wants_out:
        return _is_a_person_after_all(call, contact)
    if stage == call_state.PROVING:
        return _answered(call, contact, given, text)
    return _who_it_is(call, contact, given, text)


def _who_it_is(call: Interaction, contact: CampaignContact, given: CallInput, text: str) -> Ncco | None:
    """What they answer to whether they are the customer."""
    if NOT_HERE.search(text):
        _remember(call, outcome=DialOutcome.NO_ANSWER)
        return ncco.goodbye(_("Thank you. Then I will try another time. Goodbye."), language=call.language)
    if NOT_INTERESTED.search(text):
        return ncco.goodbye(_("All right. Thank you for your time. Goodbye."), language=call.language)
    if given.digits == NO_KEY or WRONG_NUMBER.search(text) or dialogue.NO.fullmatch(text):
        _remember(call, outcome=DialOutcome.WRONG_PERSON)
        return ncco.goodbye(_("Then I am sorry to have disturbed you. Goodbye."), language=call.language)
    if given.digits == YES_KEY or (text and (dialogue.YES.match(text) or THEMSELVES.match(text))):
        return _it_is_them(call, contact)
    return _again(call, openings.asks_for(contact.customer) + " " + openings.way_out())


def _it_is_them(call: Interaction, contact: CampaignContact) -> Ncco | None:
    """They say that they are the customer, which proves nothing yet: what is private needs more."""
    details = audiences.details_of(contact)
    if details is None:
        _remember(call, outcome=DialOutcome.REACHED)
        return ncco.goodbye(_("Thank you. It is settled already, so there is nothing more. Goodbye."), language=call.language)
    if not details.private or _has_shown_enough(call, contact, details):
        _tell(call, contact, details)
        return None
    playbook = call.entry_point.playbook
    if details.amount is None and playbook.knowledge_check and find_visits.TOOL.name in playbook.opens_with_answers:
        _remember(call, campaign_stage=call_state.PROVING, answers={}, prompts=0, outcome=DialOutcome.ANSWERED)
        return _ask(call, contact, {})
    _go_on(call, _("To hear what it is about, say: show me my account, and I first check that it is you. Or tell me how I can help."))
    return None


def _replied(call: Interaction, contact: CampaignContact, given: CallInput, text: str) -> Words | Ncco | None:
    """What they say to what they were told: that it suits them ends the call, all else the AI agent answers."""
    _remember(call, campaign_stage="")
    is_about_a_visit = contact.subject.startswith("booking:")
    if is_about_a_visit and dialogue.YES.match(text) and len(text.split()) <= dialogue.LONGEST_MERE_YES:
        dialogue.note_words(call, given, given.hypotheses[0].text)
        return ncco.goodbye(_("Thank you. Then all stays as it is. Goodbye."), language=call.language)
    if is_about_a_visit and dialogue.NO.fullmatch(text):
        dialogue.note_words(call, given, given.hypotheses[0].text)
        asked = _("To move the visit, say: change my appointment. To cancel it, say: cancel my appointment.")
        _write(call, asked, kind="message", key="other-time")
        return None
    return dialogue.settle(call, given)


def _answered(call: Interaction, contact: CampaignContact, given: CallInput, text: str) -> Ncco | None:
    """An answer to one of the questions that show who somebody is."""
    answers: dict[str, list[str]] = {fact: list(told) for fact, told in (call.data.get("answers") or {}).items()}
    tried = int(call.data.get("prompts", 0)) + 1
    _remember(call, prompts=tried)
    if tried > MOST_ANSWERS:
        return _not_shown(call)
    languages = tuple(dict.fromkeys((call.language.partition("-")[0], "en")))
    asked, needed = str(call.data.get("question", "")), call.entry_point.playbook.knowledge_check
    readings = [given.digits] if given.digits else [each.text for each in given.hypotheses]
    for reading in readings:
        found = facts_in(reading, asked, needed, languages=languages, region=call.entry_point.default_region)
        for fact, value in found.items():
            answers[fact] = list(dict.fromkeys([*answers.get(fact, []), value]))
    _remember(call, answers=answers)
    return _ask(call, contact, answers)


def _ask(call: Interaction, contact: CampaignContact, answers: dict[str, list[str]]) -> Ncco | None:
    """Asks the next question, or weighs the answers when all are there."""
    needed = call.entry_point.playbook.knowledge_check
    try:
        question = knowing.next_question(call, answers, needed)
        if question:
            _remember(call, question=question)
            return replies.aside(call, _("For your safety: %(question)s") % {"question": QUESTIONS[question]})
        right = knowing.check(call, answers, needed, made_by=call.entry_point.company_name)
    except knowing.TooManyChecks:
        right = False
    _remember(call, answers={})
    call = _fresh(call)
    details = audiences.details_of(contact)
    if right and details and _has_shown_enough(call, contact, details):
        _tell(call, contact, details)
        return None
    return _not_shown(call)


def _not_shown(call: Interaction) -> Ncco:
    text = _("I am sorry, I could not confirm who you are that way, so I may not tell you more. You can call us on %(number)s. Goodbye.")
    return ncco.goodbye(text % {"number": call.entry_point.address}, language=call.language)


def _has_shown_enough(call: Interaction, contact: CampaignContact, details: Details) -> bool:
    """Whether whoever is on the line has shown to be this customer, as well as what is to be said asks for."""
    if call.conversation.customer_id != records.root_of(contact.customer).pk:
        return False
    return access.is_the_customer(call) or (details.amount is None and bool(access.proven_level(call)))


def _tell(call: Interaction, contact: CampaignContact, details: Details) -> None:
    text = openings.message(call.entry_point, contact.campaign.purpose, contact.customer, details, call.language)
    _go_on(call, text, stage=call_state.TOLD)


def _go_on(call: Interaction, text: str, *, stage: str = "") -> None:
    """The customer is reached: the call goes on like every other one from here, or once they have said something to it."""
    _write(call, text, kind="message", key="told")
    _remember(call, campaign_stage=stage, stage=dialogue.STAGE_NONE, silences=0, outcome=DialOutcome.REACHED)


def _let_out(call: Interaction, given: CallInput, *, wrong_person: bool) -> Ncco:
    """No more calls: kept as a no for this number, and for the whole list when somebody else has it."""
    company = call.entry_point.company_name
    consent_on_lines.keep(call, purpose=Purpose.OUTBOUND_CALL, agrees=False, recorded_by=company, source_id=f"{given.source_id}:out")
    if wrong_person:
        reason = _("Whoever has the number is somebody else and wants no calls.")
        suppression.suppress("phone", call.party, reason=reason, added_by=company, interaction=call)
    _remember(call, outcome=DialOutcome.OPTED_OUT)
    return ncco.goodbye(_("All right. We will not call you on this number again. Goodbye."), language=call.language)


def _wants_out(text: str) -> bool:
    wishes, _rest = read_wishes(text)
    return any(not wish.agrees and wish.purpose in (Purpose.OUTBOUND_CALL, Purpose.CONTACT) for wish in wishes)


def _again(call: Interaction, text: str) -> Ncco:
    prompts = int(call.data.get("prompts", 0)) + 1
    _remember(call, prompts=prompts)
    if prompts > MOST_PROMPTS:
        return ncco.goodbye(_("I cannot hear you well, so I will end the call here. Goodbye."), language=call.language)
    return replies.aside(call, text)


def _machine(call: Interaction, *, after_the_beep: bool) -> None:
    """A machine picked up: be silent until its beep, then leave the message, or hang up when none is to be left.

    Nothing when it has turned out to be a person.
    """
    contact = _contact(call)
    if call.data.get("is_a_person"):
        return
    try:
        if contact is None or not contact.campaign.leaves_message:
            _remember(call, outcome=DialOutcome.MACHINE, campaign_stage=call_state.MACHINE)
            gateway.hang_up(call.provider_id, region_url=call.data.get("region_url", ""))
            return
        if not after_the_beep:
            _remember(call, outcome=DialOutcome.MACHINE, campaign_stage=call_state.MACHINE)
            actions = _until_the_beep(call)
        elif call.data.get("outcome") == DialOutcome.MESSAGE_LEFT:
            return
        else:
            with override(call.language):
                text = openings.voicemail(call.entry_point, contact.campaign.purpose, contact.customer, call.language)
                _write(call, text, kind="message", key="voicemail", said=True)
                actions = ncco.goodbye(text, language=call.language)
            _remember(call, outcome=DialOutcome.MESSAGE_LEFT, campaign_stage=call_state.MACHINE)
        gateway.transfer(call.provider_id, actions, region_url=call.data.get("region_url", ""))
    except GatewayError as error:
        _remember(call, outcome=DialOutcome.MACHINE)
        logger.warning("message_not_left", extra={"call": call.provider_id, "error": str(error)})


def _until_the_beep(call: Interaction) -> Ncco:
    """Nothing is said, but listened: a person who was taken for a machine says so within seconds."""
    return [ncco.listen(language=call.language, silence_seconds=LONGEST_GREETING_SECONDS)]


def _is_a_hello(text: str) -> bool:
    return 0 < len(text.split()) <= LONGEST_HELLO and not OF_A_MACHINE.search(text)


def _heard_a_greeting(call: Interaction, *, is_silent: bool) -> Ncco:
    """A machine speaks: its beep is waited for. The call ends when nothing was heard for as long as a greeting may take."""
    pieces = int(call.data.get("prompts", 0)) + 1
    _remember(call, prompts=pieces)
    return [] if is_silent or pieces >= MOST_PIECES else _until_the_beep(call)


def _is_a_person_after_all(call: Interaction, contact: CampaignContact) -> Ncco:
    """The platform took them for a machine: they hear once more who is calling, and no message follows."""
    _remember(call, campaign_stage=call_state.WHO_IS_IT, outcome=DialOutcome.ANSWERED, is_a_person=True, prompts=0)
    return replies.aside(call, openings.introduction(call.entry_point, contact.campaign.purpose, contact.customer, call.language))


def _contact(call: Interaction) -> CampaignContact | None:
    contacts = CampaignContact.objects.select_related("campaign", "customer")
    return contacts.filter(attempt__interaction=call).first()


def _fresh(call: Interaction) -> Interaction:
    return Interaction.objects.select_related("conversation__customer", "entry_point").get(pk=call.pk)


def _write(call: Interaction, text: str, *, kind: str, key: str, said: bool = False) -> None:
    """Writes what is said; `said` when it is spoken by other means, so that nothing speaks it again."""
    appended = timeline.append(
        call.conversation_id,
        NewEntry(
            kind=kind,
            actor_kind="assistant",
            actor_name=call.entry_point.company_name,
            body=text,
            interaction=call,
            source_id=f"campaign:{call.public_id.hex}:{key}",
            data={"spoken": True},
        ),
    )
    if said:
        _remember(call, spoken_seq=appended.seq, spoken_conversation=call.conversation_id)


def _remember(call: Interaction, **changes: Any) -> None:
    call.data = call_state.change_data(call.pk, lambda data: data.update(changes)).data
