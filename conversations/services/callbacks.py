"""Promises to call a customer back: noted for staff, and kept in mind for the line on which they were made."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from django.utils.formats import date_format
from django.utils.translation import gettext as _

from conversations.models import Conversation, Interaction
from conversations.services import facts, timeline
from conversations.services.timeline import Appended, NewEntry

KIND_OF_WORK: Final = "callback"
"""Work that a step of its queue turned into a call back; routing profiles weigh it."""


def note(conversation: Conversation, line: Interaction | None, number: str, by: datetime) -> Appended:
    """Writes down, once a conversation and number, that the customer is to be called by then."""
    return timeline.append(
        conversation.pk,
        NewEntry(
            kind="callback.requested",
            actor_kind="system",
            audience="staff",
            body=_("Call back on %(number)s by %(time)s.") % {"number": facts.phone(number), "time": date_format(by, "j M, H:i")},
            interaction=line,
            data={"phone": number, "by": by.isoformat()},
            source_id=once(conversation, number),
        ),
    )


def once(conversation: Conversation, number: str) -> str:
    """What makes a call back on a number the same one."""
    return f"callback:{conversation.public_id.hex}:{number}"


def keep_in_mind(conversation: Conversation, line: Interaction, *, by: datetime, question: str) -> None:
    """Has the AI agent remember that a call back was promised on a line, and, with a question, that its number is awaited.

    Needs the conversation's lock. A turn that is under way may overwrite it.
    """
    promise: dict[str, Any] = {"noted": not question, "by": by.isoformat(), "question": question}
    place: Mapping[str, Any] = {"callback": promise, **({"asked": "phone", "step": "callback"} if question else {})}
    state = dict(conversation.form_state)
    if state.get("line") in (None, line.pk):
        state |= {**place, "line": line.pk}
    else:
        aside = dict(state.get("aside", {}))
        state["aside"] = {**aside, str(line.pk): {**aside.get(str(line.pk), {}), **place}}
    Conversation.objects.filter(pk=conversation.pk).update(form_state=timeline.clean(state))
