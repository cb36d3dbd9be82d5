"""Waiting work that a step of its queue made a call back: the customer is told on their line and need not wait on it any longer."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import override

from conversations.assistant import wording
from conversations.flows.outbound import line_to_customer
from conversations.models import Conversation, Entry, Interaction
from conversations.selectors import roll_out
from conversations.selectors.limbo import WAITING, unkept_call_backs
from conversations.services import announce, callbacks, delivery, facts, ownership, timeline
from conversations.services.timeline import NewEntry
from routing import clock
from routing.models import WorkItem
from routing.services.locks import lock_live_work
from routing.services.service_levels import deadline, service_level_of


def tell(conversation: Conversation) -> bool:
    """Tells the customer once that they are called back, and by when; a caller whose number is known is let go after it.

    Without a number it is asked for, and noted when it is there. With nobody on the line it is only noted. Says whether anything
    was new. Locks the work's subject, then the conversation's row and the work. What is to be said leaves after commit.
    """
    with transaction.atomic():
        row = ownership.lock_with_work(conversation)
        work = lock_live_work(row.public_id.hex)
        if work is None or work.kind != callbacks.KIND_OF_WORK or work.state not in WAITING:
            return False
        if row.status == Conversation.Status.CLOSED or row.owner_kind == Conversation.Owner.HUMAN:
            return False
        line = line_to_customer(row)
        number = _number_of(row, line)
        by = _by(work, line)
        is_new = _note_overflow(row, work)
        is_noted = bool(number) and not callbacks.note(row, line, number, by).repeated
        if is_new and line is not None and _is_anybody_there(line):
            _say(row, work, line, number, by)
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
    return line.party if line.channel == "voice" and line.party.startswith("+") else ""


def _by(work: WorkItem, line: Interaction | None) -> datetime:
    """By when they are called: what the service level allows from now on, in the zone of the line."""
    due = deadline(clock.now(), service_level_of(work.decision, work.queue), work.queue.hours)
    return due.astimezone(ZoneInfo(line.entry_point.time_zone)) if line else due


def _is_anybody_there(line: Interaction) -> bool:
    """A caller who hung up hears nothing; what is written in a chat is there when its visitor comes back."""
    return line.channel == "chat" or line.state != Interaction.State.ENDED


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


def _say(conversation: Conversation, work: WorkItem, line: Interaction, number: str, by: datetime) -> None:
    is_call = line.channel == "voice"
    with override(line.language):
        when = wording.moment_of(by, clock.now().astimezone(by.tzinfo))
        question = "" if number else _("On which phone number may we call you back by %(when)s?") % {"when": when}
        words = question or _words(is_call) % {"number": facts.phone(number), "when": when}
        body = f"{_('None of my colleagues has become free yet.')} {words}"
    is_answered = is_call or roll_out.answers(line.entry_point, conversation.public_id, reason=conversation.reason, now=clock.now())
    timeline.append(
        conversation.pk,
        NewEntry(
            kind="message",
            actor_kind=Entry.Actor.ASSISTANT if is_answered else Entry.Actor.SYSTEM,
            actor_name=line.entry_point.company_name,
            body=body,
            interaction=line,
            data={"spoken": True, "ends_call": bool(number)} if is_call else {},
            source_id=f"overflow:{work.pk}:told",
        ),
    )
    callbacks.keep_in_mind(conversation, line, by=by, question=question)
    transaction.on_commit(lambda: delivery.deliver(conversation.pk))


def _words(is_call: bool) -> str:
    if is_call:
        return _("You need not stay on the line: we will call you back on %(number)s by %(when)s.")
    return _("You need not wait here: we will call you back on %(number)s by %(when)s. You can go on here until then.")
