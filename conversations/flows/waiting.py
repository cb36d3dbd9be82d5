"""A caller who waits for a person: where they stand, what they may choose instead, and the call back that keeps their place."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

from conversations.assistant.handing_over import place_sentence
from conversations.models import Conversation, Interaction
from conversations.services import callbacks, facts, voicemail
from conversations.services.consent_texts import NUMBER_LEFT_OUT
from routing import clock
from routing.compiled import CompiledOnce, Given
from routing.models import WorkItem
from routing.selectors import untaken
from routing.services import waits
from routing.services.service_levels import call_back_by

WAITING: Final = CompiledOnce(
    lambda: WorkItem.objects.filter(subject=Given("subject"), state__in=(WorkItem.State.QUEUED, WorkItem.State.RESERVED))
    .exclude(kind=callbacks.KIND_OF_WORK)
    .select_related("queue__hours", "queue__service_level", "decision")[:1]
)


def work_of(conversation: Conversation) -> WorkItem | None:
    """The work for which a caller of the conversation holds the line; None when nothing waits, or when they are called back."""
    return WAITING.first(subject=conversation.public_id.hex)


def announcement(call: Interaction, work: WorkItem) -> str:
    """What the caller hears between the music: that they are still waited for, where they stand now, and what they may choose."""
    return " ".join(filter(None, [standing(work), offers(call, work)]))


def standing(work: WorkItem) -> str:
    """The same for a caller to whom nobody listens, so that there is nothing to choose."""
    if work.state == WorkItem.State.RESERVED:
        place = _("A colleague is being asked to take your call.")
    else:
        place = place_sentence(work) or _("A colleague will be with you as soon as one is free.")
    return " ".join([_("Thank you for waiting."), place])


def offers(call: Interaction, work: WorkItem) -> str:
    """What a caller who has waited for a while may choose instead, with its key; empty before that."""
    told = []
    if is_call_back_offered(work):
        told.append(_("If you would rather be called back, press 1 or say: call me back. You keep your place in the line."))
    if voicemail.is_offered(call):
        told.append(_("To leave a message, press 2."))
    return " ".join(told)


def can_be_called_back(work: WorkItem) -> bool:
    """Whether people take calls back from this queue, so that the work would not wait for nobody."""
    return untaken.is_taken(work.queue, callbacks.KIND_OF_WORK)


def is_call_back_offered(work: WorkItem) -> bool:
    """Whether the work has waited for so long that its queue offers a call back."""
    after = work.queue.call_back_after_seconds
    return after is not None and clock.now() - work.enqueued_at >= timedelta(seconds=after) and can_be_called_back(work)


def choose_call_back(call: Interaction, work: WorkItem, number: str, *, asked_with: str, source_id: str) -> str:
    """Has the caller called back on a number in E.164 and returns what they are told. Raises callbacks.NoPlace, callbacks.NotWanted.

    `asked_with` is the question that they said yes to. Locks what `callbacks.choose` locks.
    """
    by = call_back_by(work, clock.now())
    still = waits.estimated_wait(work, clock.now())
    wording = asked_with.replace(facts.phone(number), NUMBER_LEFT_OUT)
    callbacks.choose(call.conversation, call, number, _in_zone(by, call), wording=wording, source_id=source_id)
    told = _("Thank you. You keep your place in the line, and a colleague calls you on %(number)s when it is your turn.")
    return f"{told % {'number': facts.phone(number)}} {_about(still)}".strip()


def _about(still: timedelta | None) -> str:
    if still is None:
        return ""
    minutes = max(1, round(still.total_seconds() / 60))
    return _("That will be in about %(minutes)d min.") % {"minutes": minutes}


def _in_zone(at: datetime, call: Interaction) -> datetime:
    return at.astimezone(ZoneInfo(call.entry_point.time_zone))
