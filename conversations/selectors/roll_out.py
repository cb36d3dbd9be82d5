"""Whether the AI agent answers: at which door, for which share, at which hours, for which reasons, and unless it was stopped."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db import connection

from conversations.models import AssistantSwitch, EntryPoint
from routing.models import ReasonCode
from routing.services import hours


def stop_in_force() -> AssistantSwitch | None:
    """The switch when somebody has stopped the AI agent everywhere, None while it runs. One statement."""
    return AssistantSwitch.objects.filter(stopped_at__isnull=False).first()


def is_stopped() -> bool:
    """Whether somebody has stopped the AI agent everywhere. One statement, which every turn makes twice."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT FROM conversations_assistantswitch WHERE stopped_at IS NOT NULL)")
        return bool(cursor.fetchone()[0])


def answers(door: EntryPoint, conversation: UUID, *, reason: ReasonCode | None, now: datetime) -> bool:
    """Whether the AI agent answers the conversation with this public id at a door now.

    A reason that is not known yet is left out by nothing: the AI agent finds out what it is about.
    """
    return door.is_in_live_share(conversation) and _at_this_hour(door, now) and _for_reason(door, reason) and not is_stopped()


def who_answers(door: EntryPoint, now: datetime) -> str:
    """Who answers whoever comes in at a door now: `assistant`, `people`, or `either` where the AI agent answers a share of them."""
    if door.mode != door.Mode.LIVE or not door.live_share_percent or not _at_this_hour(door, now) or is_stopped():
        return "people"
    return "assistant" if door.live_share_percent == 100 else "either"


def left_to_people(door: EntryPoint, reasons: frozenset[str]) -> frozenset[str]:
    """Which of some reasons (codes) people answer at a live door. One statement, none where the AI agent answers all."""
    if door.mode != door.Mode.LIVE or door.live_reasons == EntryPoint.LiveReasons.ALL:
        return frozenset()
    chosen = frozenset(door.reasons.values_list("code", flat=True))
    return reasons - chosen if door.live_reasons == EntryPoint.LiveReasons.ONLY else reasons & chosen


def _at_this_hour(door: EntryPoint, now: datetime) -> bool:
    match door.live_hours:
        case EntryPoint.LiveHours.INSIDE:
            return hours.is_open(door.hours, now)
        case EntryPoint.LiveHours.OUTSIDE:
            return not hours.is_open(door.hours, now)
        case _:
            return True


def _for_reason(door: EntryPoint, reason: ReasonCode | None) -> bool:
    if reason is None or door.live_reasons == EntryPoint.LiveReasons.ALL:
        return True
    return door.reasons.filter(pk=reason.pk).exists() == (door.live_reasons == EntryPoint.LiveReasons.ONLY)
