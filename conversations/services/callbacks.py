"""Promises to call a customer back: noted for staff, and kept in mind for the line on which they were made."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from django.utils.formats import date_format
from django.utils.translation import gettext as _

from conversations.models import Conversation, Interaction
from conversations.services import facts, timeline
from conversations.services.consent import Answer
from conversations.services.timeline import Appended, NewEntry

KIND_OF_WORK: Final = "callback"
"""Work that a step of its queue turned into a call back; routing profiles weigh it."""


def note(conversation: Conversation, line: Interaction | None, number: str, by: datetime, answer: Answer) -> Appended:
    """Writes down, once a conversation and number, that the customer is to be called by then.

    `answer` is what `consent.may_we` says to it; staff read it where it is not a yes.
    """
    return _note(conversation, line, number, by, _("Call back on %(number)s by %(time)s."), answer, once(conversation, number))


def note_agreed(conversation: Conversation, line: Interaction, number: str, by: datetime, answer: Answer) -> Appended:
    """Writes down, once a conversation and number, that a customer who was told of a call back has said yes to it."""
    words = _("They said yes to being called back on %(number)s by %(time)s.")
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
    told = words % {"number": facts.phone(number), "time": date_format(by, "j M, H:i")}
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
    """What makes a call back on a number the same one."""
    return f"callback:{conversation.public_id.hex}:{number}"


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
