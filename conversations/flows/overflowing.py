"""Waiting work that a step of its queue made a call back: the customer is told on their line, and may say that they would rather wait.

Nobody is called who said that they want no calls: they wait on.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import override

from conversations.assistant import wording
from conversations.assistant.brain import QuickReply
from conversations.assistant.handing_over import place_sentence
from conversations.flows.outbound import line_to_customer
from conversations.models import Conversation, Entry, Interaction
from conversations.models.consent import Purpose
from conversations.selectors import roll_out
from conversations.selectors.limbo import WAITING, unkept_call_backs
from conversations.services import announce, callbacks, consent, delivery, facts, handoff, ownership, timeline
from conversations.services.consent import Answer
from conversations.services.consent_texts import NUMBER_LEFT_OUT
from conversations.services.timeline import NewEntry
from routing import clock
from routing.models import WorkItem
from routing.services.locks import lock_live_work
from routing.services.service_levels import call_back_by


@dataclass(frozen=True, slots=True)
class _Offer:
    """A call back that waiting work became: on which number, by when, and whether we may; `answer` is None without a number."""

    work: WorkItem
    line: Interaction | None
    number: str
    by: datetime
    answer: Answer | None

    @property
    def is_refused(self) -> bool:
        return self.answer is not None and self.answer.is_no


def tell(conversation: Conversation) -> bool:
    """Tells the customer once that they are called back, by when, and how to say no; who agreed before is let go on a call.

    Who has chosen a call back themselves (`flows.waiting`) was told of it then.

    Where they have said no to calls, or the number is on the do-not-contact list, they are not called back: they wait on, and are
    told that. Without a number it is asked for, and noted when it is there. With nobody on the line it is only noted. Says
    whether anything was new. Locks the work's subject, then the conversation's row and the work. What is to be said leaves after
    commit.
    """
    with transaction.atomic():
        row = ownership.lock_with_work(conversation)
        work = lock_live_work(row.public_id.hex)
        if work is None or work.kind != callbacks.KIND_OF_WORK or work.kind_stays or work.state not in WAITING:
            return False
        if row.status == Conversation.Status.CLOSED or row.owner_kind == Conversation.Owner.HUMAN:
            return False
        line = line_to_customer(row)
        number = _number_of(row, line)
        answer = consent.may_we(row.customer, Purpose.OUTBOUND_CALL, identifier=("phone", number)) if number else None
        is_new = _note_overflow(row, work)
        is_noted = False
        offer = _Offer(work, line, number, _by(work, line), answer)
        if answer is not None and answer.is_no:
            _refuse(row, offer, answer)
        elif answer is not None:
            is_noted = not callbacks.note(row, line, number, offer.by, answer).repeated
        if is_new and line is not None and _is_anybody_there(line):
            _say(row, line, offer)
        announce.work_changed(row)
    return is_new or is_noted


def tell_everybody() -> int:
    """The sweep: tells those whose event was lost, and notes numbers that were given since; returns in how many conversations."""
    return sum(tell(each) for each in unkept_call_backs(callbacks.KIND_OF_WORK))


def _number_of(conversation: Conversation, line: Interaction | None) -> str:
    """The number that this line's party gave or calls from; empty when there is none that it may be told."""
    if line is None:
        return ""
    known = facts.known_to(conversation, line).get("phone")
    if known is not None:
        return str(known.value)
    return line.party if line.channel in ("voice", "sms") and line.party.startswith("+") else ""


def _by(work: WorkItem, line: Interaction | None) -> datetime:
    """By when they are called, in the zone of the line."""
    due = call_back_by(work, clock.now())
    return due.astimezone(ZoneInfo(line.entry_point.time_zone)) if line else due


def _is_anybody_there(line: Interaction) -> bool:
    """A caller who hung up hears nothing; what is written in a chat is there when its visitor comes back."""
    return line.channel != "voice" or line.state != Interaction.State.ENDED


def _note_overflow(conversation: Conversation, work: WorkItem) -> bool:
    words = _("Nobody became free in %(queue)s in time, so the customer is to be called back.") % {"queue": work.queue.name}
    new = NewEntry(
        kind="work.overflowed",
        actor_kind="system",
        audience="staff",
        body=words,
        data={"queue": work.queue.code},
        source_id=f"overflow:{work.pk}",
    )
    return not timeline.append(conversation.pk, new).repeated


def _refuse(conversation: Conversation, offer: _Offer, answer: Answer) -> None:
    why = _("Not called back on %(number)s, so they wait on. %(why)s") % {"number": facts.phone(offer.number), "why": answer.sentence}
    source_id = f"overflow:{offer.work.pk}:refused"
    callbacks.note_refused(conversation, offer.line, offer.number, reason=answer.code, why=why, source_id=source_id)
    handoff.wait_on(conversation)
    offer.work.refresh_from_db()


def _say(conversation: Conversation, line: Interaction, offer: _Offer) -> None:
    is_call = line.channel == "voice"
    is_let_go = offer.answer is not None and offer.answer.allowed
    with override(line.language):
        when = wording.moment_of(offer.by, clock.now().astimezone(offer.by.tzinfo))
        words = _words(offer, is_call=is_call)
        told = words % {"number": facts.phone(offer.number), "when": when}
        body = f"{_('None of my colleagues has become free yet.')} {told}"
        if offer.answer is None:
            body = f"{body} {_('If you would rather wait, say no.')}"
        choices = [] if is_call or is_let_go or offer.is_refused else _choices(offer)
    data = {"spoken": True, "ends_call": is_let_go} if is_call else {"quick_replies": choices} if choices else {}
    is_ours = is_call or roll_out.answers(line.entry_point, conversation.public_id, reason=conversation.reason, now=clock.now())
    timeline.append(
        conversation.pk,
        NewEntry(
            kind="message",
            actor_kind=Entry.Actor.ASSISTANT if is_ours else Entry.Actor.SYSTEM,
            actor_name=line.entry_point.company_name,
            body=body,
            interaction=line,
            data=data,
            source_id=f"overflow:{offer.work.pk}:told",
        ),
    )
    if not offer.is_refused:
        asked = words % {"number": NUMBER_LEFT_OUT, "when": when}
        question = asked if offer.answer is None else ""
        callbacks.keep_in_mind(
            conversation, line, by=offer.by, question=question, offer="" if is_let_go else asked, number=offer.number
        )
    transaction.on_commit(lambda: delivery.deliver(conversation.pk))


def _words(offer: _Offer, *, is_call: bool) -> str:
    if offer.answer is None:
        return _("On which phone number may we call you back by %(when)s?")
    if offer.is_refused:
        return " ".join(filter(None, [_("You keep your place in the line."), place_sentence(offer.work)]))
    if offer.answer.allowed and is_call:
        return _("You need not stay on the line: we will call you back on %(number)s by %(when)s.")
    if offer.answer.allowed:
        return _("You need not wait here: we will call you back on %(number)s by %(when)s. You can go on here until then.")
    if is_call:
        return _("We will call you back on %(number)s by %(when)s. Say yes and you can hang up, or no and you keep your place in the line.")
    return _("We will call you back on %(number)s by %(when)s. You need not wait here. Say no and you keep your place in the line.")


def _choices(offer: _Offer) -> list[dict[str, str]]:
    """What can be answered with one press."""
    no = QuickReply(_("No, I will wait"), _("No, I will wait")).as_data()
    return [QuickReply(_("Yes, call me back"), _("Yes, call me back")).as_data(), no] if offer.number else [no]
