"""A phone that we ring because a chat asked for it: who is calling is said, and only the chat's code opens the chat to it.

Whoever asked may have typed any number, so whoever picks up may be a stranger: until the code that the chat shows was
keyed in or said, the call tells nothing of the chat, keeps nothing that is said, and takes nobody's words to the AI agent.
"""

import logging
import re
from typing import Any, Final
from uuid import UUID

from django.utils.translation import gettext as _
from django.utils.translation import override

from conversations.flows import calling_back, inbound
from conversations.models import Conversation, Interaction
from conversations.services import call_state, joining, timeline
from conversations.services.timeline import NewEntry
from conversations.understanding.normalise import normalise
from conversations.voice import call_events, dialing, dialogue, ncco, replies
from conversations.voice.ncco import Ncco
from conversations.voice.protocol import AnsweredCall, CallInput

logger = logging.getLogger(__name__)
NOT_ASKED_KEY: Final = "1"
MOST_PROMPTS: Final = 3


def ring(call: Interaction) -> None:
    """Ring the call's party, once. Raises NotRung with a sentence for staff when the phone does not ring, see `dialing`."""
    dialing.ring(
        call,
        answer_url=ncco.webhook_url("voice:called-answer", public_id=call.public_id),
        event_url=ncco.webhook_url("voice:called-event", public_id=call.public_id),
    )


def answer(public_id: UUID, asked: AnsweredCall) -> Ncco:
    """Somebody, or something, picked up: say who is calling and ask for the code."""
    call = call_state.adopt(public_id, asked.call_id)
    if call is None:
        return []
    call_events.follow(call)
    call.refresh_from_db(fields=["state"])
    if call.state == Interaction.State.ENDED:
        return []
    with override(call.language):
        if call.conversation.status == Conversation.Status.CLOSED:
            return replies.closing(call)
        _remember(call, region_url=asked.region_url, room=asked.room_id)
        _introduce(call)
        unspoken = call_state.claim_unspoken(call.pk, as_webhook=True)
        return replies.of(unspoken) if unspoken else replies.again(call)


def settle(call: Interaction, given: CallInput) -> Ncco | None:
    """What follows from what was said or keyed before the code: None when it was the code, so that the call goes on."""
    if given.digits:
        dialogue.note_keys(call, given)
    code = _code_in(call, given)
    if code:
        return _redeem(call, given, code)
    if given.digits == NOT_ASKED_KEY:
        calling_back.note_not_asked(call)
        text = _("I am sorry for the trouble. We will not call this number again because of a chat. Goodbye.")
        return ncco.goodbye(text, language=call.language)
    return _ask_again(call, _("Please key in the six digits that the chat on your screen shows."))


def _code_in(call: Interaction, given: CallInput) -> str:
    """The six digits that were keyed in, or that the words hold and nothing else."""
    if given.digits:
        keyed = given.digits.strip("*#")
        return keyed if dialogue.is_code(keyed, call) else ""
    for heard in given.hypotheses:
        found = dialogue.SPOKEN_CODE.fullmatch(normalise(heard.text, spoken=True))
        if found:
            return re.sub(r"\D", "", found[1])
    return ""


def _redeem(call: Interaction, given: CallInput, code: str) -> Ncco | None:
    if call.data.get("code_given") == given.source_id:
        return replies.again(call)
    _remember(call, code_given=given.source_id)
    try:
        opened = joining.redeem_code(code, call)
    except joining.TooManyAttempts:
        return ncco.goodbye(_("That was not the code either. Please go on in the chat. Goodbye."), language=call.language)
    if opened is None:
        return _ask_again(call, _("That is not the code that the chat shows, or it is too old. Please try once more."))
    if not given.digits:
        dialogue.note_words(call, given, _("(a code)"))
    _remember(call, waits_for_code=False)
    call = Interaction.objects.select_related("conversation", "entry_point").get(pk=call.pk)
    inbound.disclose(call, call.entry_point)
    dialogue.welcome(call)
    return None


def _ask_again(call: Interaction, text: str) -> Ncco:
    prompts = int(call.data.get("prompts", 0)) + 1
    _remember(call, prompts=prompts)
    if prompts > MOST_PROMPTS:
        return ncco.goodbye(_("I have to end the call here. You can go on in the chat. Goodbye."), language=call.language)
    return replies.aside(call, text)


def _introduce(call: Interaction) -> None:
    """Write what is said first. It names the company and the chat, and nothing that was said in it."""
    text = _(
        "This is the automated voice of %(company)s. You asked in our web chat to be called. To carry on where you were, "
        "please key in the six-digit code on your screen. If you did not ask for this call, press 1, and we will not "
        "call this number again because of a chat."
    )
    timeline.append(
        call.conversation_id,
        NewEntry(
            kind="disclosure.shown",
            actor_kind="assistant",
            actor_name=call.entry_point.company_name,
            body=text % {"company": call.entry_point.company_name},
            interaction=call,
            source_id=f"introduction:{call.public_id.hex}",
        ),
    )


def _remember(call: Interaction, **changes: Any) -> None:
    call.data = call_state.change_data(call.pk, lambda data: data.update(changes)).data
