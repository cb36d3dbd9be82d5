"""When a person should act: the package goes into the line, and the customer is told truthfully what happens next."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Final

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from conversations.assistant import answers, later, packing, wording
from conversations.assistant.brain import TURNS_OWN, AskedField, HandOff, Reply, Source
from conversations.assistant.preparing import Prepared
from conversations.assistant.wrap_up import BOOKINGS
from conversations.knowledge.search import search
from conversations.models import Entry, KnowledgeArticle
from conversations.models.consent import Purpose
from conversations.selectors.roll_out import stop_in_force
from conversations.services import callbacks, consent, facts, handoff, numbers, voicemail
from conversations.services.consent import Answer
from conversations.services.consent_texts import NUMBER_LEFT_OUT
from conversations.services.facts import FACT_LABELS
from conversations.understanding.danger import says_to_leave, tells_of_despair, tells_of_hurt
from conversations.understanding.normalise import meaning
from routing import clock
from routing.models import Decision, ServiceHours, WorkItem
from routing.selectors import line
from routing.services import waits
from routing.services.hours import next_opening
from routing.services.service_levels import deadline, service_level_of

SAFETY_SENTENCES: Final = 8
CALL_PROMISED: Final = {"kind": "call"}
"""What was done last where a call back was promised: “not that number” and “cancel it” are about it."""
EMERGENCY: Final = "emergency"
# Whoever promised a call by four may try again the next days; after that the customer would wonder who it is.
CALL_BACK_LASTS: Final = timedelta(days=3)
CALL_BACK_WITHIN: Final = timedelta(days=1)
"""Where no service level says how soon."""
ORDINARY: Final = "normal"
COMPLAINT: Final = "complaint"


@dataclass(frozen=True, slots=True)
class Safety:
    """What to do at once, from the knowledge base. Empty when it says nothing of it."""

    text: str = ""
    sources: tuple[Source, ...] = field(default_factory=tuple)


def safety_first(prepared: Prepared) -> Safety:
    """For an emergency: the company's own safety article for the reason, its first paragraph or list.

    A danger that was told of in words alone, while the reason is unknown or an ordinary one, has no such article.
    """
    language = prepared.context.language.partition("-")[0]
    if prepared.need.urgency != EMERGENCY or prepared.state.get("warned") == language:
        return Safety()
    reason, context = prepared.conversation.reason, prepared.context
    said = meaning(context.words)
    if tells_of_despair(said):
        return Safety(
            _("I am very sorry that you feel like this. Please do not stay alone with it.")
            + " "
            + _("Call the emergency services, or somebody you trust, now.")
        )
    doctor = _("Call an ambulance at once.") if tells_of_hurt(said) else ""
    has_article = reason is not None and reason.urgency != ORDINARY and not (doctor and reason.urgency != EMERGENCY)
    if reason is None or not has_article or says_to_leave(said):
        leave = _("If anybody is in danger, leave the house at once and call the emergency services.")
        return Safety(f"{doctor} {leave}".strip())
    # By what was said, and by what it was understood to be: cries are short and in any language. Better another one than nothing.
    named = context.behaviour.named(reason.name)
    asked = ((context.text, language), (named, language), (context.words, "en"), (reason.name, "en"))
    found = (hit for text, tongue in dict.fromkeys(asked) for hit in search(text, limit=5, threshold=0.0, language=tongue))
    fitting = next((hit for hit in found if hit.reason == reason.code), None)
    if fitting is None:
        return Safety(doctor)
    article = KnowledgeArticle.objects.get(pk=fitting.article)
    told = answers.opening(answers.first_block(article.body), SAFETY_SENTENCES)
    return Safety(f"{doctor} {told}".strip(), (Source(article.title, article.url),))


def to_person(prepared: Prepared, decision: Decision, *, handing: HandOff) -> Reply:
    """Puts the conversation into the line of the decision's queue. Must run in a transaction that holds the turn."""
    again = prepared.handoff is not None
    waiting = packing.request(prepared, decision, handing=handing)
    safety = safety_first(prepared)
    if handing.message:
        # Nobody needs to join at once, so the AI agent goes on with whatever comes next.
        return Reply(handing.message, form_state={**handing.form_state, "callback": {"noted": True}})
    promise = prepared.state.get("callback") or {}
    if waiting.work_item.kind == callbacks.KIND_OF_WORK and promise.get("by"):
        told = _still_called_back(prepared, promise, safety)
        return Reply(told, sources=safety.sources, form_state={**handing.form_state, **_warned(safety, prepared)})
    if prepared.context.spoken:
        coming = _("Please stay on the line. A colleague will be with you as soon as one is free.")
    else:
        coming = _("A colleague will join you here as soon as one is free.")
    known = "" if again or safety.text or not prepared.standing.facts else _("They can see what you told me, so you need not repeat it.")
    gave_up = prepared.need.failed_turns and not safety.text and not prepared.context.understanding.asked_for_human
    apology = _("I am sorry that I could not help with this.") if gave_up else ""
    place = "" if safety.text else place_sentence(waiting.work_item)
    passed_on = later.as_told(prepared.state, prepared.context.besides) if not again and not safety.text else []
    also = _("I have passed on as well: %(what)s.") % {"what": wording.listed(passed_on)} if passed_on else ""
    # What is said while they wait anew is acknowledged anew.
    kept = handing.form_state if again else {key: value for key, value in handing.form_state.items() if key != "acknowledged"}
    parts = (safety.text, *since_stopped(prepared), _regret(prepared, again=again), apology, coming, place, known, also)
    body = " ".join(part for part in parts if part)
    return Reply(body, sources=safety.sources, form_state={**kept, **_warned(safety, prepared), "callback": None})


def _regret(prepared: Prepared, *, again: bool) -> str:
    """That we are sorry, once, to who complains."""
    reason = prepared.conversation.reason
    return _("I am sorry to hear that.") if reason and reason.code.startswith(COMPLAINT) and not again else ""


def since_stopped(prepared: Prepared) -> list[str]:
    """What is true when the AI agent was stopped in a conversation that it answered: that it was, and what it still did in this turn.

    Empty when it was not stopped, had not answered on this line, or people are being found already.
    """
    own = Entry.objects.filter(interaction=prepared.interaction)
    if prepared.live or prepared.handoff or stop_in_force() is None:
        return []
    if not own.filter(kind="disclosure.shown", source_id__startswith="disclosure:").exists():
        return []
    done = own.filter(kind__in=BOOKINGS, actor_kind=Entry.Actor.ASSISTANT, seq__gt=prepared.claim.done_seq).order_by("seq")
    return [*done.values_list("body", flat=True), _("Our AI assistant has been switched off for now.")]


def _still_called_back(prepared: Prepared, promise: Mapping[str, Any], safety: Safety) -> str:
    """What is told to somebody who asks for a person and is to be called back."""
    when = wording.moment_of(datetime.fromisoformat(promise["by"]), prepared.context.now)
    coming = _("A colleague will call you back by %(when)s.") % {"when": when}
    no = _("If you would rather wait, say no.") if promise.get("offer") else ""
    return " ".join(part for part in (safety.text, coming, promise.get("question", ""), no) if part)


def place_sentence(work: WorkItem) -> str:
    """Where work stands in its line and how long it will probably wait, as far as that is known; else empty.

    At most five statements. Whoever is next is told so only with a time, since a colleague may be free at once.
    """
    if work.state != WorkItem.State.QUEUED or work.queue.paused_at:
        return ""
    place, still = line.position(work), waits.estimated_wait(work, clock.now())
    if still is None:
        return _("You are number %(place)d in line.") % {"place": place} if place > 1 else ""
    minutes = max(1, round(still.total_seconds() / 60))
    about = ngettext("about %(minutes)d minute", "about %(minutes)d minutes", minutes) % {"minutes": minutes}
    if place == 1:
        return _("You are next in line, %(about)s.") % {"about": about}
    return _("You are number %(place)d in line, %(about)s.") % {"place": place, "about": about}


def to_later(prepared: Prepared, decision: Decision, *, handing: HandOff) -> Reply:
    """Out of hours, or when a call back was decided: the need waits in the line and a call back is noted.

    Without a phone number it is asked for. Must run in a transaction that holds the turn.
    """
    if decision.queue:
        packing.request(prepared, decision, handing=handing)
    if handing.message:
        return Reply(handing.message, form_state={**handing.form_state, "callback": {"noted": True}})
    safety = safety_first(prepared)
    number = prepared.standing.facts.get("phone", "")
    is_refused = bool(number) and numbers.costs_who_rings(number)
    number = "" if is_refused else number
    opening = _opening(prepared, decision)
    regret = _regret(prepared, again=prepared.handoff is not None)
    sentences = [safety.text, *since_stopped(prepared), regret, _closed_sentence(prepared, opening)]
    by = _by(decision, opening or prepared.context.now)
    when = wording.moment_of(by, prepared.context.now)
    if number:
        told = facts.phone(number) if "phone" in prepared.context.told_facts else _("the number we have")
        words = _("I have noted that we will call you back on %(number)s by %(when)s.")
        is_wanted = handing.asked_for or prepared.context.understanding.asked_for_human
        answer = note_callback(prepared, number, by, asked_for=words % {"number": NUMBER_LEFT_OUT, "when": when} if is_wanted else "")
        sentences.append(_not_called(prepared) if answer.is_no else words % {"number": told, "when": when})
        if prepared.context.spoken and voicemail.is_offered(prepared.interaction):
            sentences.append(_("If you would like to leave a message for them, press 2 or say: leave a message."))
        asked = None
    else:
        sentences.append(_("On which phone number may we call you back by %(when)s?") % {"when": when})
        asked = AskedField("phone", str(FACT_LABELS["phone"]))
    callback = {"noted": bool(number), "by": by.isoformat(), "question": "" if number else sentences[-1]}
    state = {**handing.form_state, **_warned(safety, prepared), "callback": callback}
    if number and not answer.is_no:
        state[later.DONE_HERE] = CALL_PROMISED
    if asked:
        state |= {"asked": "phone", "step": "callback"}
    return Reply(" ".join(part for part in sentences if part), sources=safety.sources, asks=asked, form_state=state)


def number_asked_again(prepared: Prepared) -> Reply:
    """The question for a call back's number once more, with how one looks. Must run in a transaction that holds the turn."""
    packing.refresh(prepared)
    promise = dict(prepared.state["callback"])
    body = " ".join((str(wording.REPAIRS["phone"]), str(promise.get("question", ""))))
    state = {**brains_part(prepared.state), "callback": {**promise, "repeated": True}}
    return Reply(body.strip(), asks=AskedField("phone", str(FACT_LABELS["phone"])), form_state=state)


def with_number_asked(prepared: Prepared, reply: Reply) -> Reply:
    """An answer to something else while the number for a call back is awaited, with that question once more, unless it asks itself."""
    promise = dict(prepared.state["callback"])
    asks_itself = reply.body.rstrip().endswith("?") or reply.form_state.get("step") != "callback"
    if promise.get("repeated") or not promise.get("question") or not reply.body or asks_itself:
        return reply
    state = {**reply.form_state, "callback": {**promise, "repeated": True}}
    body = f"{reply.body} {promise['question']}"
    return replace(reply, body=body, asks=AskedField("phone", str(FACT_LABELS["phone"])), form_state=state)


def callback_number_given(prepared: Prepared) -> Reply:
    """The number for a call back that was already promised has come. Must run in a transaction that holds the turn."""
    packing.refresh(prepared)
    number = prepared.standing.facts["phone"]
    promise = dict(prepared.state["callback"])
    if numbers.costs_who_rings(number):
        return _other_number_asked(prepared, promise)
    by = datetime.fromisoformat(promise["by"])
    answer = note_callback(prepared, number, by, asked_for=str(promise.get("question", "")))
    if answer.is_no:
        return _waits_on(prepared, _not_called(prepared))
    when = wording.moment_of(by, prepared.context.now)
    body = _("Thank you. I have noted that we will call you back on %(number)s by %(when)s.")
    # Where the AI agent does not answer, nobody does until then.
    more = _("Is there anything else I can do until then?") if prepared.live else ""
    agreed = {"noted": True, "by": promise["by"], "question": promise["question"]}
    told = f"{body % {'number': facts.phone(number), 'when': when}} {more}".strip()
    return Reply(told, form_state={**_not_asking(prepared), "callback": agreed, later.DONE_HERE: CALL_PROMISED})


def _other_number_asked(prepared: Prepared, promise: Mapping[str, Any]) -> Reply:
    """The question for a call back's number once more, since the one that came is not rung."""
    why = _("That number costs whoever rings it, so we cannot call it. Please give us another one.")
    state = {**brains_part(prepared.state), "callback": dict(promise), "asked": "phone", "step": "callback"}
    return Reply(f"{why} {promise.get('question', '')}".strip(), asks=AskedField("phone", str(FACT_LABELS["phone"])), form_state=state)


def call_back_answered(prepared: Prepared, *, agrees: bool) -> Reply:
    """Yes or no to the call back that waiting work became: kept as consent, or they wait on.

    Must run in a transaction that holds the turn; a yes needs the customer's lock before.
    """
    promise = dict(prepared.state["callback"])
    number, by = str(promise["offer"]["number"]), datetime.fromisoformat(promise["by"])
    if not agrees:
        callbacks.note_refused(
            prepared.conversation,
            prepared.interaction,
            number,
            reason="would_rather_wait",
            why=_("They do not want to be called back, and wait on."),
            source_id=f"{callbacks.once(prepared.conversation, number)}:no:{prepared.claim.wanted_seq}",
        )
        return _waits_on(prepared, _("All right."))
    answer = note_callback(prepared, number, by, asked_for=str(promise["offer"]["words"]))
    if answer.is_no:
        return _waits_on(prepared, _not_called(prepared))
    callbacks.note_agreed(prepared.conversation, prepared.interaction, number, by, answer)
    when = wording.moment_of(by, prepared.context.now)
    sentence = _("Thank you. We will call you back on %(number)s by %(when)s.") % {"number": facts.phone(number), "when": when}
    on = "" if prepared.context.spoken else _("You can go on here until then.")
    agreed = {"noted": True, "by": promise["by"], "question": ""}
    state = {**_not_asking(prepared), "callback": agreed, later.DONE_HERE: CALL_PROMISED}
    return Reply(f"{sentence} {on}".strip(), form_state=state, ends_call=prepared.context.spoken)


def _waits_on(prepared: Prepared, sentence: str) -> Reply:
    """Nobody is called back: the work waits on where it was made a call back; what was told else is told again."""
    waiting = prepared.handoff
    stays = place = ""
    if waiting is not None and waiting.work_item.kind == callbacks.KIND_OF_WORK:
        handoff.wait_on(prepared.conversation)
        waiting.work_item.refresh_from_db()
        stays, place = _("You keep your place in the line."), place_sentence(waiting.work_item)
    state = {**_not_asking(prepared), "callback": None if stays else {"noted": True}}
    return Reply(" ".join(part for part in (sentence, stays, place) if part), form_state=state)


def _not_called(prepared: Prepared) -> str:
    """For a number that is not called, whoever's it is and whatever stands in the way."""
    if prepared.context.spoken:
        return _("We cannot call that number. Please call us again.")
    return _("We cannot call that number. A colleague will answer you here.")


def _not_asking(prepared: Prepared) -> dict[str, Any]:
    """The brain's part of the state, no longer asking for a call back's number."""
    kept = brains_part(prepared.state)
    return {key: value for key, value in kept.items() if kept.get("step") != "callback" or key not in ("asked", "step")}


def note_callback(prepared: Prepared, number: str, by: datetime, *, asked_for: str) -> Answer:
    """Writes down, once a conversation and number, that the customer is to be called, or why not; returns whether we may.

    `asked_for` are the words that they asked for it or agreed to it with; without them nobody has agreed to anything. Needs the
    customer's lock, since what somebody asked for is kept as consent.
    """
    once = callbacks.once(prepared.conversation, number)
    if asked_for:
        consent.keep_request(
            prepared.interaction,
            Purpose.OUTBOUND_CALL,
            number,
            wording=asked_for,
            source_id=once,
            lasts=max(by - prepared.context.now, timedelta(0)) + CALL_BACK_LASTS,
            recorded_by=prepared.entry_point.company_name,
        )
    answer = consent.may_we(prepared.conversation.customer, Purpose.OUTBOUND_CALL, identifier=("phone", number))
    if numbers.costs_who_rings(number):
        answer = Answer(False, "special", _("That number costs whoever rings it."))
    if answer.is_no:
        why = _("Not called back on %(number)s. %(why)s") % {"number": facts.phone(number), "why": answer.sentence}
        callbacks.note_refused(
            prepared.conversation, prepared.interaction, number, reason=answer.code, why=why, source_id=f"{once}:refused"
        )
    else:
        callbacks.note(prepared.conversation, prepared.interaction, number, by, answer)
    return answer


def brains_part(state: Mapping[str, Any]) -> dict[str, Any]:
    """The form state without what the turn keeps for itself."""
    return {key: value for key, value in state.items() if key not in TURNS_OWN}


def _warned(safety: Safety, prepared: Prepared) -> dict[str, str]:
    """That they were told what to do, and in which language: in another one they are told again."""
    return {"warned": prepared.context.language.partition("-")[0]} if safety.text else {}


def _closed_sentence(prepared: Prepared, opening: datetime | None) -> str:
    if opening is None:
        if prepared.need.in_hours:
            return _("None of my colleagues is free at the moment.")
        return _("My colleagues are not in at the moment.")
    when = wording.moment_of(opening, prepared.context.now)
    return _("My colleagues are not in at the moment; they are back %(when)s.") % {"when": when}


def _opening(prepared: Prepared, decision: Decision) -> datetime | None:
    """When people are back, in the entry point's zone; None when they are in, or when no hours are kept."""
    hours: ServiceHours | None = (decision.queue.hours if decision.queue else None) or prepared.entry_point.hours
    opening = next_opening(hours, prepared.context.now)
    if opening is None or opening <= prepared.context.now:
        return None
    return opening.astimezone(prepared.context.now.tzinfo)


def _by(decision: Decision, since: datetime) -> datetime:
    """By when they are called back: what the service level of the work in the line allows, when somebody is in from `since` on."""
    if decision.queue:
        due = deadline(since, service_level_of(decision, decision.queue), decision.queue.hours)
    elif decision.service_level:
        due = deadline(since, decision.service_level, None)
    else:
        due = since + CALL_BACK_WITHIN
    return due.astimezone(since.tzinfo)
