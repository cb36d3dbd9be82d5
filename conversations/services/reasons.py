"""Why a customer came, set by somebody who knows better than the words alone."""

from __future__ import annotations

from django.db import transaction
from django.utils.translation import gettext as _

from conversations.models import Conversation, Entry, Interaction
from conversations.services import announce, timeline
from conversations.services.action_items import By
from conversations.services.timeline import NewEntry
from routing.models import ReasonCode


class NoSuchReason(ValueError):
    """There is no active reason of that code."""


def set_reason(conversation: Conversation, code: str, *, by: By, key: str, interaction: Interaction | None = None) -> ReasonCode:
    """Makes a reason that of the conversation and tells of it in the history; the same `key` again changes nothing.

    Locks the conversation. Raises NoSuchReason.
    """
    reason = ReasonCode.objects.filter(code=code, active=True).first()
    if reason is None:
        raise NoSuchReason(code)
    source_id = f"reason:{key}"
    with transaction.atomic():
        row = Conversation.objects.select_for_update(no_key=True).get(pk=conversation.pk)
        if Entry.objects.filter(source_id=source_id).exists():
            return reason
        Conversation.objects.filter(pk=row.pk).update(reason=reason)
        timeline.append(
            row.pk,
            NewEntry(
                kind="reason.recognised",
                actor_kind=by.kind,
                actor_name=by.name,
                audience="staff",
                body=_("It is about: %(reason)s.") % {"reason": reason.name},
                interaction=interaction,
                data={
                    "reason": reason.code,
                    "confidence": 1.0,
                    "alternatives": [],
                    "urgency": row.urgency,
                    "sentiment": round(row.sentiment, 3),
                },
                source_id=source_id,
            ),
        )
        announce.work_changed(row)
    return reason
