"""Promises to call a customer back: noted for staff, and kept in mind for the line on which they were made."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import transaction
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from conversations.models import Conversation, Interaction
from conversations.models.consent import Purpose
from conversations.selectors.consent import value_hash
from conversations.services import consent, facts, numbers, ownership, records, timeline
from conversations.services.consent import Answer
from conversations.services.staff_words import in_staffs_language
from conversations.services.timeline import Appended, NewEntry
from routing import clock
from routing.models import WorkItem
from routing.services import queueing

KIND_OF_WORK: Final = "callback"
"""Work that a step of its queue turned into a call back; routing profiles weigh it."""

WITHOUT_TIME: Final[Mapping[str, bool]] = {"noted": True}
"""What the AI agent keeps in mind where people are to take over and no call is promised, or none any more."""

LASTS: Final = timedelta(days=3)
"""For how long after the promised time a call back may still be tried."""


class NoPlace(Exception):
    """Nothing of theirs waits any more: somebody has taken it, or it has ended."""


class NotWanted(Exception):
    """The number is not called: its holder wants no calls, or it is on the do-not-contact list."""


def choose(conversation: Conversation, line: Interaction, number: str, by: datetime, *, wording: str, source_id: str) -> WorkItem:
    """The waiting customer of a line is called back on a number in E.164 when it is their turn, and may hang up.

    The work stays in its line with its first time, class and place, as a call back that no step changes any more. What they said
    yes to (`wording`, without the number) is kept as their request, also for the text message that follows where nobody answers.
    A repetition changes nothing. One transaction; locks the customer, the conversation with its work, and an agent who was offered
    the work as a call. Raises NoPlace, NotWanted.
    """
    with transaction.atomic():
        records.lock_root(conversation.customer)
        row = ownership.lock_with_work(conversation)
        lasts = max(by - clock.now(), timedelta(0)) + LASTS
        purposes = (Purpose.OUTBOUND_CALL, Purpose.SMS) if numbers.takes_texts(number) else (Purpose.OUTBOUND_CALL,)
        for purpose in purposes:
            consent.keep_request(
                line,
                purpose,
                number,
                wording=wording,
                lasts=lasts,
                recorded_by=line.entry_point.company_name,
                source_id=f"{source_id}:{purpose}",
            )
        answer = consent.may_we(row.customer, Purpose.OUTBOUND_CALL, identifier=("phone", number))
        if not answer.allowed:
            raise NotWanted
        if not queueing.keep_kind(row.public_id.hex, KIND_OF_WORK):
            raise NoPlace
        work = WorkItem.objects.get(subject=row.public_id.hex, state__in=WorkItem.LIVE_STATES)
        words = gettext_noop("Wants to be called back on %(number)s and keeps the place in the line, by about %(time)s.")
        _note(row, line, number, by, words, answer, f"callback:chosen:{work.pk}:{number}")
        keep_in_mind(row, line, by=by)
    return work


def note(conversation: Conversation, line: Interaction | None, number: str, by: datetime, answer: Answer) -> Appended:
    """Writes down, once a conversation and number, that the customer is to be called by then.

    `answer` is what `consent.may_we` says to it; staff read it where it is not a yes.
    """
    return _note(conversation, line, number, by, gettext_noop("Call back on %(number)s by %(time)s."), answer, once(conversation, number))


def note_agreed(conversation: Conversation, line: Interaction, number: str, by: datetime, answer: Answer) -> Appended:
    """Writes down, once a conversation and number, that a customer who was told of a call back has said yes to it."""
    words = gettext_noop("They said yes to being called back on %(number)s by %(time)s.")
    return _note(conversation, line, number, by, words, answer, f"{once(conversation, number)}:agreed")


def note_refused(conversation: Conversation, line: Interaction | None, number: str, *, reason: str, why: str, source_id: str) -> Appended:
    """Writes down for staff that the customer is not called back: a word for programs, and a sentence that says why."""
    return timeline.append(
        conversation.pk,
        NewEntry(
            kind="callback.refused",
            actor_kind="system",
            audience="staff",
            body=why,
            interaction=line,
            data={"reason": reason, "phone": number},
            source_id=source_id,
        ),
    )


def _note(
    conversation: Conversation, line: Interaction | None, number: str, by: datetime, words: str, answer: Answer, source_id: str
) -> Appended:
    with in_staffs_language():
        told = _(words) % {"number": facts.phone(number), "time": date_format(by, "j M, H:i")}
    return timeline.append(
        conversation.pk,
        NewEntry(
            kind="callback.requested",
            actor_kind="system",
            audience="staff",
            body=told if answer.allowed else f"{told} {answer.sentence}",
            interaction=line,
            data={"phone": number, "by": by.isoformat(), "consent": answer.code},
            source_id=source_id,
        ),
    )


def once(conversation: Conversation, number: str) -> str:
    """What makes a call back on a number the same one, without the number: consents keep it for good."""
    return f"callback:{conversation.public_id.hex}:{value_hash('phone', number)[:16]}"


def keep_in_mind(
    conversation: Conversation, line: Interaction, *, by: datetime, question: str = "", offer: str = "", number: str = ""
) -> None:
    """Has the AI agent remember that a call back was promised on a line, and, with a question, that its number is awaited.

    `offer` are the words, without the number, that the customer may say yes or no to. Needs the conversation's lock. A turn that
    is under way may overwrite it.
    """
    promise: dict[str, Any] = {"noted": not question, "by": by.isoformat(), "question": question}
    if offer:
        promise["offer"] = {"words": offer, "number": number, "is_new": True}
    place: Mapping[str, Any] = {"callback": promise, **({"asked": "phone", "step": "callback"} if question else {})}
    state = dict(conversation.form_state)
    if state.get("line") in (None, line.pk):
        state |= {**place, "line": line.pk}
    else:
        aside = dict(state.get("aside", {}))
        state["aside"] = {**aside, str(line.pk): {**aside.get(str(line.pk), {}), **place}}
    Conversation.objects.filter(pk=conversation.pk).update(form_state=timeline.clean(state))


def forget_time(conversation: Conversation) -> None:
    """Has the AI agent no longer remember until when a call back was promised, on any line. Needs the conversation's lock."""
    state = dict(Conversation.objects.only("form_state").get(pk=conversation.pk).form_state)
    state["aside"] = {line: _without_time(place) for line, place in state.get("aside", {}).items()}
    Conversation.objects.filter(pk=conversation.pk).update(form_state=_without_time(state))


def _without_time(place: Mapping[str, Any]) -> dict[str, Any]:
    return {**place, "callback": WITHOUT_TIME} if "by" in (place.get("callback") or {}) else dict(place)
