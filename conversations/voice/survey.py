"""One question after a person has left the call: how it was, from 1 to 5, by key or by voice; then goodbye, or what else the caller wants.

Asked where the entry point says so, once on a call. What else the caller wants is the AI agent's again, as by the button of the person
who had them: their work is done. `Interaction.data["survey"]` holds, from then on: `step` while an answer is waited
for (`asked`, then `told` once there is one; empty afterwards), `move`, the number of the caller's place in which it is asked (elsewhere
it is over), the `question`, who was on the call (`agent` and `name`), `prompts`, and `answered_by`, the source id of the answer.
"""

from __future__ import annotations

from typing import Any, Final

from django.utils.translation import gettext as _
from django.utils.translation import override

from conversations.models import CallSeat, Conversation, Interaction
from conversations.services import call_state, timeline
from conversations.services.timeline import NewEntry
from conversations.understanding import marks
from conversations.understanding.marks import HIGHEST, mark_in
from conversations.voice import dialogue, left_alone, ncco, replies, waiting
from conversations.voice.dialogue import Words
from conversations.voice.ncco import Ncco
from conversations.voice.protocol import CallInput

ASKED: Final = "asked"
TOLD: Final = "told"
MOST_PROMPTS: Final = 2


def ask(call: Interaction, left: CallSeat) -> str:
    """The words that ask, once the caller is with the voice again, after somebody has left who had them; noted as asked.

    Empty where nothing is asked, or was asked already. Call before the caller is moved.
    """
    if not call.entry_point.asks_survey or call_state.survey_of(call) or left.agent_id is None:
        return ""
    with override(call.language):
        question = question_of(call)
        move = call_state.place_of(call).number + 1
        _remember(call, step=ASKED, move=move, question=question, agent=left.agent_id, name=left.name, prompts=1)
        _note(call, "survey.asked", question, key="asked", agent=left.agent_id)
        return _("%(name)s has left the call. %(question)s") % {"name": left.name, "question": question}


def question_of(call: Interaction) -> str:
    """The entry point's own words in the language of the call, else ours."""
    own = str(call.entry_point.survey_questions.get(call.language.partition("-")[0], ""))
    return own or _(
        "One question before you go: from 1 to 5, how content are you with this call? 1 is not at all, 5 is very."
        " Say the number or press the key."
    )


def concerns(call: Interaction, given: CallInput) -> bool:
    """Whether what was said or keyed is for the survey, also when it comes a second time."""
    state = call_state.survey_of(call)
    return call_state.is_in_survey(call) or state.get("answered_by") == given.source_id


def settle(call: Interaction, given: CallInput) -> Words | Ncco | None:
    """What follows from what was said or keyed after the question, or from silence; see `dialogue.settle`."""
    state = call_state.survey_of(call)
    if state.get("answered_by") == given.source_id:
        return _thanks(call)
    is_silent = not given.digits and not given.hypotheses
    if state.get("step") == TOLD:
        is_no = bool(given.hypotheses) and dialogue.NO.fullmatch(given.hypotheses[0].text)
        return replies.closing(call) if is_silent or is_no else _something_else(call, given)
    mark = _mark(given)
    if mark is not None:
        return _answered(call, given, mark)
    is_number = given.digits.strip("*#").isdigit() and given.digits.strip("*#") != dialogue.PERSON_KEY
    if not is_silent and not is_number:
        return _something_else(call, given)
    if is_number:
        dialogue.note_keys(call, given)
    return _again(call, state)


def _answered(call: Interaction, given: CallInput, mark: int) -> Ncco:
    if given.digits:
        dialogue.note_keys(call, given)
    else:
        dialogue.note_words(call, given, given.hypotheses[0].text)
    state = call_state.survey_of(call)
    _remember(call, step=TOLD, answered_by=given.source_id)
    sentence = _("%(mark)s of %(highest)s for the call with %(name)s.")
    _note(
        call,
        "survey.answered",
        sentence % {"mark": mark, "highest": HIGHEST, "name": state["name"]},
        key="answered",
        mark=mark,
        highest=HIGHEST,
        method="keyed" if given.digits else "said",
        agent=state["agent"],
    )
    return _thanks(call)


def _thanks(call: Interaction) -> Ncco:
    if call.conversation.status == Conversation.Status.CLOSED:
        return ncco.goodbye(_("Thank you for your answer. Goodbye."), language=call.language)
    return ncco.reply(_("Thank you for your answer. Is there anything else? Otherwise just hang up."), language=call.language)


def _something_else(call: Interaction, given: CallInput) -> Words | Ncco | None:
    """The question is over, and what they said is answered by the AI agent where nobody talks with them any more."""
    _remember(call, step="")
    if call.conversation.status == Conversation.Status.CLOSED:
        return replies.closing(call)
    return waiting.settle(left_alone.taken_back(call), given)


def _again(call: Interaction, state: dict[str, Any]) -> Ncco:
    prompts = int(state.get("prompts", 0)) + 1
    _remember(call, prompts=prompts)
    if prompts > MOST_PROMPTS:
        _remember(call, step="")
        return replies.closing(call)
    return ncco.reply(str(state["question"]), language=call.language)


def _mark(given: CallInput) -> int | None:
    keyed = given.digits.strip("*#")
    if given.digits:
        return int(keyed) if keyed.isdigit() and len(keyed) == 1 and marks.LOWEST <= int(keyed) <= HIGHEST else None
    return next((mark for each in given.hypotheses if (mark := mark_in(each.text)) is not None), None)


def _remember(call: Interaction, **changes: Any) -> None:
    def change(data: dict[str, Any]) -> None:
        data["survey"] = {**(data.get("survey") or {}), **changes}

    call.data = call_state.change_data(call.pk, change).data


def _note(call: Interaction, kind: str, body: str, *, key: str, **data: Any) -> None:
    is_answer = kind == "survey.answered"
    timeline.append(
        call.conversation_id,
        NewEntry(
            kind=kind,
            actor_kind="customer" if is_answer else "assistant",
            actor_name="" if is_answer else call.entry_point.company_name,
            audience="staff",
            body=body,
            interaction=call,
            source_id=f"survey:{call.public_id.hex}:{key}",
            data=data,
        ),
    )
