"""The end of a turn, in one transaction: the reply or the hand-over is written, and the turn is done."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Final

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import override

from conversations.assistant import acknowledging, handing_over, packing, places, qualification, tracing, wrap_up
from conversations.assistant.brain import HandOff, Reply
from conversations.assistant.need_of import need_of
from conversations.assistant.pacing import Stop
from conversations.assistant.preparing import Prepared, decide_and_note
from conversations.assistant.reading import TURN_SOURCE, words_to_answer
from conversations.assistant.recording import TurnRecord
from conversations.assistant.tools import send_chat_link
from conversations.models import Conversation, Entry, Handoff
from conversations.rendering import written
from conversations.selectors.roll_out import stop_in_force
from conversations.services import callbacks, delivery, facts, handoff, promises, records, roll_out, speaking, timeline, turns, unanswered
from conversations.services.timeline import NewEntry
from conversations.services.turns import Claim
from conversations.understanding.embed import embed
from conversations.understanding.normalise import meaning
from routing.models import Decision, WorkItem
from routing.services.locks import lock_subject

FEWEST_WORDS: Final = 3
PERSONAL: Final = ("name", "phone", "email", "postcode", "address", "date_of_birth", "order_number", "account_number")
"""Facts that a question is kept without."""


@dataclass(frozen=True, slots=True)
class Ending:
    """What ends a turn.

    `did_something` keeps a reply that tells of it even when the customer said more meanwhile; `unanswered` says that something was
    asked that nobody could answer, `stopped` why the AI agent says no more after it. `record` is how a brain came to it; None when
    no brain was asked.
    """

    said: Reply | HandOff
    decision: Decision
    failed: bool = False
    did_something: bool = False
    gave_number: bool = False
    repeats_question: bool = False
    agrees_to_call: bool | None = None
    silent: bool = False
    stopped: Stop | None = None
    record: TurnRecord | None = None
    unanswered: bool = False


@dataclass(frozen=True, slots=True)
class Finished:
    """What the customer is told stands at `seq`, 0 when nothing is told; `is_last` says that no other turn was due by then."""

    seq: int
    is_last: bool


def finish(prepared: Prepared, ending: Ending) -> Finished:
    """Writes the ending.

    Locks the customer when a call back may be promised or a form is filled, then the subject of the work, then the
    conversation's row. Raises TurnLost, TurnOvertaken and AssistantStopped: nothing is written.
    """
    claim = prepared.claim
    question = _question(prepared) if ending.unanswered and prepared.live else None
    with transaction.atomic():
        qualified = qualification.form_filled_by(prepared, ending.said)
        later = ending.decision.handler in (Decision.Handler.CALLBACK, Decision.Handler.AFTER_HOURS)
        if qualified or later or ending.gave_number or ending.agrees_to_call:
            records.lock_root(prepared.conversation.customer)
        # The same order as when an agent accepts an offer: the work first, then the conversation.
        lock_subject(prepared.conversation.public_id.hex)
        row = turns.hold(claim, even_if_overtaken=ending.did_something)
        if qualified:
            qualification.keep(prepared, qualified)
        if prepared.live:
            roll_out.require_running()
        reply = _reply(prepared, ending)
        if prepared.handoff and isinstance(ending.said, Reply) and not (ending.did_something and _is_put_off(prepared.handoff)):
            packing.refresh(prepared)
        if question:
            unanswered.note(question, line=prepared.interaction, seq=claim.wanted_seq)
        if reply.body and prepared.live and prepared.state.get("away"):
            # The AI agent is back, or answers for the first time: whoever came while it was away was not told of it.
            speaking.disclose(
                prepared.interaction,
                prepared.entry_point.playbook,
                prepared.context.language.partition("-")[0],
                company=prepared.entry_point.company_name,
            )
        seq = _say(prepared, reply, unanswered=ending.unanswered) if reply.body else 0
        if ending.stopped:
            _note_stop(prepared, ending.stopped)
        is_due = turns.finish(
            claim,
            form_state=_state(prepared, row, reply, did_something=ending.did_something),
            failed_turns=_failed_turns(prepared, ending),
        )
        if ending.record:
            outcome = "answered" if isinstance(ending.said, Reply) else "handed_over"
            tracing.keep(prepared, ending.record, outcome=outcome, reply_seq=seq)
        transaction.on_commit(lambda: delivery.deliver(claim.conversation_id))
    return Finished(seq, is_last=not is_due)


def _is_put_off(waiting: Handoff) -> bool:
    """Whether what waited for people has left the line in this turn, since the customer chose another time."""
    return not WorkItem.objects.filter(pk=waiting.work_item_id, state__in=WorkItem.LIVE_STATES).exists()


def nothing_to_say(claim: Claim) -> None:
    """Ends a turn in which there was nothing to answer."""
    with transaction.atomic():
        try:
            row = turns.hold(claim, even_if_overtaken=True)
        except turns.TurnLost:
            return
        turns.finish(claim, form_state=row.form_state, failed_turns=row.failed_turns)


def give_up(claim: Claim) -> int:
    """After several failures: an apology, and a person. Returns the seq of the apology. Raises TurnLost.

    Uses nothing but the record and routing, since understanding or the brain is what failed.
    """
    words = words_to_answer(claim.conversation_id, after=claim.done_seq, upto=claim.wanted_seq)
    if words is None:
        nothing_to_say(claim)
        return 0
    conversation = Conversation.objects.select_related("customer", "reason").get(pk=claim.conversation_id)
    line = words.interaction
    known = facts.known_to(conversation, line)
    need = need_of(conversation, known, opening=line.entry_point.hours, now=timezone.now(), asked_for_human=True)
    decision = decide_and_note(conversation, need, line)
    with transaction.atomic():
        lock_subject(conversation.public_id.hex)
        row = turns.hold(claim, even_if_overtaken=True)
        if decision.queue:
            package = wrap_up.package(conversation, decision, known)
            handoff.request(conversation, decision, package, interaction=line)
        with override(line.language):
            handed = _("I am sorry, something went wrong on my side. I have asked a colleague to take over.")
            body = handed if decision.queue else _("I am sorry, something went wrong on my side. Please try again in a few minutes.")
        appended = timeline.append(
            claim.conversation_id,
            NewEntry(
                kind="message",
                actor_kind=Entry.Actor.SYSTEM if stop_in_force() else Entry.Actor.ASSISTANT,
                actor_name=line.entry_point.company_name,
                body=body,
                interaction=line,
                source_id=_source_id(claim),
            ),
        )
        turns.finish(claim, form_state=row.form_state, failed_turns=0)
        transaction.on_commit(lambda: delivery.deliver(claim.conversation_id))
    return appended.seq


def keep_draft(prepared: Prepared, reply: Reply, record: TurnRecord, wanted: list[str]) -> None:
    """Writes, once a turn and for staff only, what the AI agent would have said, to be compared with what a person says.

    `wanted` are the names of the tools that it would have used to change something.
    """
    with transaction.atomic():
        appended = timeline.append(
            prepared.conversation.pk,
            NewEntry(
                kind="draft",
                actor_kind="assistant",
                actor_name=prepared.entry_point.company_name,
                audience="staff",
                body=reply.body,
                data=_data(prepared, reply),
                interaction=prepared.interaction,
                source_id=f"draft:{prepared.conversation.pk}:{prepared.claim.wanted_seq}",
            ),
        )
        tracing.keep(prepared, record, outcome="drafted", reply_seq=appended.seq)
        draft = Entry.objects.select_related("conversation__reason", "interaction__entry_point")
        roll_out.keep_review(draft.get(conversation=appended.conversation_id, seq=appended.seq), tools=wanted)


def _reply(prepared: Prepared, ending: Ending) -> Reply:
    said = ending.said
    if isinstance(said, Reply):
        return said
    if ending.silent:
        packing.refresh(prepared, why=said.why, next_step=said.next_step)
        return Reply("", form_state=said.form_state) if ending.stopped else acknowledging.noted(prepared, said)
    if ending.agrees_to_call is not None:
        return handing_over.call_back_answered(prepared, agrees=ending.agrees_to_call)
    if ending.gave_number:
        return handing_over.callback_number_given(prepared)
    if ending.repeats_question:
        return handing_over.number_asked_again(prepared)
    if ending.decision.handler == Decision.Handler.HUMAN:
        return handing_over.to_person(prepared, ending.decision, handing=said)
    return handing_over.to_later(prepared, ending.decision, handing=said)


def _question(prepared: Prepared) -> unanswered.Question | None:
    """What was asked, without what the party told of itself; None when it is too short to be written an article about."""
    context = prepared.context
    told = [prepared.standing.facts[name] for name in PERSONAL if name in prepared.standing.facts]
    text = unanswered.masked(context.text, told=told)
    core = meaning(text)
    if len(core.split()) < FEWEST_WORDS:
        return None
    return unanswered.Question(text, embed([core])[0].tolist(), context.language.split("-")[0].lower())


def _say(prepared: Prepared, reply: Reply, *, unanswered: bool) -> int:
    # Where the AI agent does not answer, what is said about waiting comes from the system.
    appended = timeline.append(
        prepared.conversation.pk,
        NewEntry(
            kind="message",
            actor_kind=Entry.Actor.ASSISTANT if prepared.live else Entry.Actor.SYSTEM,
            actor_name=prepared.entry_point.company_name,
            body=written.text(reply.body),
            data=_data(prepared, reply) | ({"unanswered": True} if unanswered else {}) | ({"failed": True} if reply.failed else {}),
            interaction=prepared.interaction,
            source_id=_source_id(prepared.claim),
        ),
    )
    return appended.seq


def _note_stop(prepared: Prepared, stop: Stop) -> None:
    timeline.append(
        prepared.conversation.pk,
        NewEntry(
            kind="assistant.stopped",
            actor_kind="system",
            audience="staff",
            body=stop.sentence,
            data={"reason": stop.reason},
            interaction=prepared.interaction,
        ),
    )


def _data(prepared: Prepared, reply: Reply) -> dict[str, Any]:
    data: dict[str, Any] = {}
    if reply.quick_replies:
        data["quick_replies"] = [each.as_data() for each in reply.quick_replies]
    if reply.sources:
        data["sources"] = [asdict(each) for each in reply.sources]
    if reply.cards:
        data["cards"] = [each.as_data() for each in reply.cards]
    if reply.asks:
        data["field"] = asdict(reply.asks)
    if prepared.context.spoken:
        data["spoken"] = True
        if send_chat_link.TOOL.name in prepared.context.behaviour.tools and prepared.interaction.party.startswith("+"):
            data["link_by_text"] = True
        if reply.ends_call:
            data["ends_call"] = True
    return data


def _state(prepared: Prepared, row: Conversation, reply: Reply, *, did_something: bool) -> dict[str, Any]:
    """The brain's part from the reply, the turn's own from what it kept, the places of other parties; what was to be told is told."""
    kept = {key: prepared.state[key] for key in ("callback", "warned") if key in prepared.state}
    if offer := (kept.get("callback") or {}).get("offer"):
        kept["callback"] = {**kept["callback"], "offer": {**offer, "is_new": False}}
    if did_something and (kept.get("callback") or {}).get("by") and not promises.stands_in(row):
        # It was put off or called off in this turn.
        kept["callback"] = dict(callbacks.WITHOUT_TIME)
    if not prepared.live:
        kept["away"] = True
    aside = places.kept_aside(row.form_state, prepared.interaction, prepared.lines)
    state = {**kept, **reply.form_state, "line": prepared.interaction.pk, "aside": aside}
    return {key: value for key, value in state.items() if value not in (None, "", [], {}) and key not in places.OF_THE_TURN}


def _failed_turns(prepared: Prepared, ending: Ending) -> int:
    """Failures are counted in a row; a person who is asked to take over ends the row."""
    return prepared.need.failed_turns + 1 if ending.failed and isinstance(ending.said, Reply) else 0


def _source_id(claim: Claim) -> str:
    return f"{TURN_SOURCE}{claim.conversation_id}:{claim.wanted_seq}"
