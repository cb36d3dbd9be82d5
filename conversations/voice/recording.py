"""Whether a call is recorded: said or asked first, begun only then, and ended when the caller no longer wants it.

A `record` action records the room that a leg is in until the leg leaves it: nothing stops a recording but moving the leg on.
So every move of a leg says anew whether the new room is recorded (`transfer`), and ending a recording is a move to where nothing
is recorded. Source: Vonage, "Recording" and "NCCO reference".

`Interaction.data["recording"]` of a call: `on` while the room of its customer's leg is recorded as far as we know; `announced`
once that was said, `is_end_told` once its end was, `is_written_down` when what people say is; `asked` in which language they were
asked, `awaits` while the answer is waited for; `paused` while it is, with why,
`is_resumed` until the leg is where it is recorded again.
"""

import asyncio
import logging
from datetime import datetime
from itertools import takewhile
from typing import Any, Final

from asgiref.sync import sync_to_async
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import override

from conversations.models import Consent, EntryPoint, Interaction
from conversations.models.consent import Purpose
from conversations.services import call_state, consent, consent_on_lines, timeline
from conversations.services.consent_texts import WORDINGS
from conversations.services.timeline import NewEntry
from conversations.understanding.recording import agrees_to_recording
from conversations.voice import dialogue, gateway, ncco, replies, waiting
from conversations.voice.dialogue import Words
from conversations.voice.gateway import GatewayError
from conversations.voice.ncco import Ncco
from conversations.voice.protocol import CallInput

logger = logging.getLogger(__name__)
YES_KEY: Final = "1"
MOVING_SECONDS: Final = 3
"""How long a leg waits to be moved out of a recorded room before it hears there what it was to hear anyway."""
KEEPS_THE_LINE: Final = ("input", "conversation", "connect")
Policy = EntryPoint.RecordingPolicy
_moving: set[asyncio.Task[None]] = set()


def begin_call(call: Interaction, actions: Ncco, *, people: bool = False) -> Ncco:
    """The first actions of a call, with the announcement and the recording before them where they are due; see `transfer`."""
    return _prefixed(call, actions, is_first=True, people=people)


def transfer(call: Interaction, actions: Ncco, *, people: bool = False) -> None:
    """Moves the customer's leg on, into a room that is recorded when it may be; what was recorded until now ends with it.

    Where `people` talk, each side gets a channel of its own. Raises CallGone or GatewayError, after which all is as before.
    """
    before, at = _state(call), timezone.now()
    prefixed = _prefixed(call, actions, people=people)
    is_begun = prefixed is not actions
    try:
        gateway.transfer(call.provider_id, prefixed, region_url=call.data.get("region_url", ""))
    except GatewayError:
        _remember(call, on=before.get("on", False), announced=before.get("announced", False))
        raise
    if before.get("on") and not is_begun:
        note_end(call, at)
        _remember(call, on=False)


def ask_first(call: Interaction) -> bool:
    """Asks, before everything else, whether the call may be recorded, where that has to be asked; says whether it does."""
    if not has_to_be_asked(call):
        return False
    _say(call, ask(call), source_id=f"recording-question:{call.provider_id}")
    return True


def awaits_answer(call: Interaction) -> bool:
    """Whether the caller was asked whether the call may be recorded and has not answered."""
    return bool(_state(call).get("awaits"))


def settle(call: Interaction, given: CallInput) -> Words | Ncco | None:
    """What follows from what was said or keyed after the question: kept as consent when it is a yes or a no.

    Silence, and whatever else is said, is no yes. What is said instead is answered as if nobody had asked.
    """
    agrees = take_answer(call, given)
    if agrees is None and (given.digits or given.hypotheses):
        call.data = call_state.change_data(call.pk, lambda data: data.update(stage=dialogue.STAGE_OPENING)).data
        return waiting.settle(call, given)
    if agrees is not None:
        _say(call, told_of(agrees=agrees), source_id=f"{given.source_id}:recording-told")
    if call.data.get("stage") is None:
        dialogue.greet(call)
    elif agrees is None:
        return replies.aside(call, _("How can I help?"))
    return None


def take_answer(call: Interaction, given: CallInput) -> bool | None:
    """Keeps what was answered to the question, or that it was neither yes nor no (None)."""
    agrees = _answer_in(call, given)
    _remember(call, awaits=False)
    if agrees is None:
        text = _("They did not say that the call may be recorded, so it is not.")
        _note(call, "recording.not_agreed", text, key=f"{given.source_id}:not-agreed")
    else:
        _keep_answer(call, given, agrees=agrees)
    return agrees


def told_of(*, agrees: bool) -> str:
    """What is said to an answer."""
    return _("Thank you.") if agrees else _("All right, this call is not recorded.")


def settled(call: Interaction, actions: Ncco, *, may_ask: bool) -> Ncco:
    """What a webhook answers in the middle of a call, with the recording that may begin now.

    With `may_ask`, the caller is asked after what is said whether the call may be recorded, once in each language of the call.
    """
    if not _goes_on(actions):
        return actions
    with override(call.language):
        if may_ask and has_to_be_asked(call):
            said = takewhile(lambda action: action["action"] == "talk", actions)
            return [*said, *ncco.reply(ask(call), language=call.language)]
        return actions if is_on(call) else _prefixed(call, actions)


async def left(call: Interaction, actions: Ncco) -> Ncco:
    """Has the leg moved out of its recorded room when the call may not be recorded any more; the actions come along.

    The move leaves beside the answer to this webhook, whose first action is to wait for it. Should it fail, the leg hears the
    actions where it is, and the next webhook tries again.
    """
    if not is_on(call) or not _goes_on(actions) or await sync_to_async(is_wanted)(call):
        return actions
    await sync_to_async(note_end)(call, timezone.now())
    task = asyncio.get_running_loop().create_task(sync_to_async(leave)(call, actions))
    _moving.add(task)
    task.add_done_callback(_moving.discard)
    return [*ncco.silence(MOVING_SECONDS), *actions]


def is_on(call: Interaction) -> bool:
    """Whether the room of the customer's leg is recorded, as far as we know."""
    return bool(_state(call).get("on"))


def paused(call: Interaction) -> str:
    """Why the recording is paused; empty when it is not."""
    return str(_state(call).get("paused") or "")


def concerns(call: Interaction) -> bool:
    """Whether there is anything about recording on this call. Asks nothing of the database."""
    return is_on(call) or call.entry_point.recording_policy != Policy.NOT_RECORDED


def is_wanted(call: Interaction) -> bool:
    """Whether the call is to be recorded now: allowed, not paused, and somebody is on the line whom it was said to or who agreed."""
    if call.entry_point.recording_policy == Policy.NOT_RECORDED or _state(call).get("paused"):
        return False
    if call_state.waits_for_code(call) or call_state.is_being_recognised(call) or awaits_answer(call):
        return False
    return consent.may_we(call.conversation.customer, Purpose.RECORDING, interaction=call).allowed


def leave(call: Interaction, actions: Ncco) -> None:
    """Moves the customer's leg to where it is recorded, or not, as it is to be now. Never raises; blocks for the platform's answer."""
    try:
        transfer(call, actions)
    except GatewayError as error:
        logger.warning("recording_goes_on", extra={"call": call.provider_id, "error": str(error)})


def _prefixed(call: Interaction, actions: Ncco, *, is_first: bool = False, people: bool = False) -> Ncco:
    """The actions, behind those that announce and begin a recording where one is due; the call remembers it."""
    if not concerns(call) or not _goes_on(actions) or not is_wanted(call):
        return actions
    with override(call.language), transaction.atomic():
        said = _announced(call, again=is_first)
        if not is_on(call) and not _state(call).get("is_resumed"):
            _note(call, "recording.began", _("The call is recorded from here on."))
        _remember(call, on=True, is_end_told=False, is_resumed=False)
        if people and call.entry_point.transcribes_recordings:
            _remember(call, is_written_down=True)
    return [*said, ncco.record(call, people=people), *actions]


def _announced(call: Interaction, *, again: bool) -> Ncco:
    """The words that announce the recording, which are written down; none when they were said before, or the caller has agreed."""
    if call.entry_point.recording_policy != Policy.ANNOUNCE or (_state(call).get("announced") and not again):
        return []
    text = _("This call is recorded, to keep what we agree on. If you do not want that, say: do not record me.")
    _note(call, "recording.announced", text, key=f"{call.provider_id}:announced", wording=text, language=call.language)
    _remember(call, announced=True)
    return ncco.talk(text, language=call.language)


def note_end(call: Interaction, at: datetime) -> None:
    """Writes from when on the call is not to be recorded, once, whenever the platform follows: nothing after it is kept of a file."""
    if not _state(call).get("is_end_told") and not _state(call).get("paused"):
        _note(call, "recording.ended", _("The call is not recorded any more."), at=at)
        _remember(call, is_end_told=True)


def has_to_be_asked(call: Interaction) -> bool:
    """Whether the customer has to be asked before anything is recorded, and was not yet."""
    if call.entry_point.recording_policy != Policy.ASK_FIRST or awaits_answer(call) or _state(call).get("asked") == call.language:
        return False
    if call_state.waits_for_code(call) or call_state.is_in_campaign_stage(call):
        return False
    return consent.may_we(call.conversation.customer, Purpose.RECORDING, interaction=call).code == "not_asked"


def ask(call: Interaction) -> str:
    """Notes that it is asked, once in each language of a call, and returns the question."""
    text = _question(call)
    with transaction.atomic():
        key = f"{call.provider_id}:asked:{call.language}"
        _note(call, "recording.asked", text, key=key, wording=text, language=call.language)
        _remember(call, asked=call.language, awaits=True)
    return text


def _question(call: Interaction) -> str:
    keys = _("Say yes or press %(yes)s; otherwise say no or press %(no)s.") % {"yes": YES_KEY, "no": _no_key(call)}
    return f"{WORDINGS[Purpose.RECORDING]} {keys}"


def _no_key(call: Interaction) -> str:
    """The first key after those of the languages."""
    return str(max(2, len(call.entry_point.playbook.languages) + 1))


def _answer_in(call: Interaction, given: CallInput) -> bool | None:
    """Whether they agree; None when they said neither yes nor no."""
    if given.digits:
        return {YES_KEY: True, _no_key(call): False}.get(given.digits)
    readings = [agrees_to_recording(each.text, call.language) for each in given.hypotheses[:1]]
    return readings[0] if readings else None


def _keep_answer(call: Interaction, given: CallInput, *, agrees: bool) -> None:
    if given.digits:
        dialogue.note_keys(call, given)
    else:
        dialogue.note_words(call, given, given.hypotheses[0].text)
    consent_on_lines.keep(
        call,
        purpose=Purpose.RECORDING,
        agrees=agrees,
        recorded_by=call.entry_point.company_name,
        source_id=f"{given.source_id}:recording",
        how=Consent.How.KEYED if given.digits else Consent.How.SAID,
        wording=_question(call),
    )


def _goes_on(actions: Ncco) -> bool:
    """Whether the caller stays on the line after these actions: words and goodbye are not recorded."""
    return any(action["action"] in KEEPS_THE_LINE for action in actions)


def _state(call: Interaction) -> dict[str, Any]:
    return dict(call.data.get("recording") or {})


def _remember(call: Interaction, **changes: Any) -> None:
    def change(data: dict[str, Any]) -> None:
        data["recording"] = {**(data.get("recording") or {}), **changes}

    if any(_state(call).get(name) != value for name, value in changes.items()):
        call.data = call_state.change_data(call.pk, change).data


def _say(call: Interaction, text: str, *, source_id: str) -> None:
    """Writes what is said next."""
    said = NewEntry(
        kind="message",
        actor_kind="assistant",
        actor_name=call.entry_point.company_name,
        body=text,
        interaction=call,
        source_id=source_id,
        data={"spoken": True},
    )
    timeline.append(call.conversation_id, said)


def _note(call: Interaction, kind: str, text: str, *, key: str = "", at: datetime | None = None, **data: Any) -> None:
    timeline.append(
        call.conversation_id,
        NewEntry(
            kind=kind,
            actor_kind="system",
            audience="staff",
            body=text,
            interaction=call,
            source_id=f"recording:{key}" if key else None,
            occurred_at=at,
            data=data,
        ),
    )
