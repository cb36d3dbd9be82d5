"""What goes after its time: each rule empties or removes one kind of data, but for customers who are under a legal hold."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from axes.models import AccessAttempt, AccessFailureLog, AccessLog
from django.contrib.sessions.models import Session
from django.db import transaction
from django.db.models import DurationField, ExpressionWrapper, F, IntegerField, Q, QuerySet, Value
from django.db.models.functions import Coalesce, Now
from django.utils import timezone
from django.utils.translation import gettext as _

from conversations.models import (
    CallRecording,
    ChatLink,
    ChatSessionRecord,
    Conversation,
    Entry,
    Handoff,
    Interaction,
    JoinCode,
    OneTimeCode,
    RetentionRule,
    RetentionRun,
    TurnTrace,
    WebhookRecord,
)
from conversations.services import erasers, holds, recordings, timeline, turn_traces
from routing import advisory
from routing.models import Decision
from routing.services import forgetting

Kind = RetentionRule.Kind
LOCK = "conversations.retention"
BATCH = 500
WORDS = (
    "message", "draft", "disclosure.shown", "note", "fact.learned", "reason.recognised", "handoff.requested", "call.dtmf",
    "wrapped_up",
)  # fmt: skip
"""The kinds of entry that hold what was said and what was understood of it."""
DOES_SOMETHING = Q(keep_days__isnull=False) | Q(kind=Kind.RECORDINGS)
"""Rules with an effect: an entry point may say how long its recordings are kept where the rule says nothing."""


@dataclass(frozen=True, slots=True)
class Overdue:
    """Rows whose time is over, and how a batch of them is taken away; what was taken away is not found again."""

    rows: QuerySet[Any]
    take_away: Callable[[QuerySet[Any]], int]


def apply() -> RetentionRun:
    """Does what the rules say, in batches that are each a transaction, and returns the report of it.

    Two runs at once do one batch after the other. A run that dies is gone on with by the next one.
    """
    run = RetentionRun.objects.create()
    counts = {}
    for rule in RetentionRule.objects.filter(DOES_SOMETHING):
        counts[rule.kind] = sum(map(_taken_away, _overdue(rule)))
        RetentionRun.objects.filter(pk=run.pk).update(counts=counts)
    RetentionRun.objects.filter(pk=run.pk).update(finished_at=Now())
    run.refresh_from_db()
    return run


def would_go() -> dict[str, int]:
    """How many rows of each kind `apply` would empty or remove now; changes nothing."""
    return {rule.kind: sum(each.rows.count() for each in _overdue(rule)) for rule in RetentionRule.objects.filter(DOES_SOMETHING)}


def _taken_away(overdue: Overdue) -> int:
    count = 0
    while done := _batch(overdue):
        count += done
    return count


def _batch(overdue: Overdue) -> int:
    with transaction.atomic():
        advisory.lock(LOCK)
        chosen = list(overdue.rows.order_by("pk").values_list("pk", flat=True)[:BATCH])
        return overdue.take_away(overdue.rows.model._base_manager.filter(pk__in=chosen)) if chosen else 0


def _overdue(rule: RetentionRule) -> list[Overdue]:
    """What a rule takes away now."""
    before = timezone.now() - timedelta(days=rule.keep_days or 0)
    match rule.kind:
        case Kind.CHAT_MESSAGES:
            return _words(before, Q(interaction__channel__in=["chat", "sms"]) | Q(interaction__isnull=True), "chat", "sms")
        case Kind.CALL_TRANSCRIPTS:
            return _words(before, Q(interaction__channel="voice"), "voice")
        case Kind.RECORDINGS:
            return [Overdue(_old_recordings(rule.keep_days), _remove_recordings)]
        case Kind.TOOL_TRACES:
            traces = TurnTrace.objects.filter(conversation__status="closed", recorded_at__lt=before, emptied_at__isnull=True)
            return [
                Overdue(_old_entries(before).filter(kind="tool.called"), _erase_entries),
                Overdue(_without_held(traces, "conversation__customer"), turn_traces.empty),
            ]
        case Kind.DECISIONS:
            return [Overdue(_old_decisions(before), forgetting.forget_rows)]
        case Kind.WEBHOOKS:
            return [Overdue(_old_webhooks(before), erasers.empty_webhooks)]
        case Kind.CHAT_SESSIONS:
            return [Overdue(_old_chat_sessions(before), erasers.pseudonymise_sessions)]
        case Kind.CODES:
            codes = (
                OneTimeCode.objects.filter(sent_at__lt=before),
                JoinCode.objects.filter(created_at__lt=before),
                ChatLink.objects.filter(sent_at__lt=before),
            )
            return [Overdue(_without_held(each, "interaction__conversation__customer"), _delete) for each in codes]
        case _:
            return _sign_ins(before)


def _words(before: datetime, of_line: Q, *channels: str) -> list[Overdue]:
    """What was said, what was understood of it, and the packages and facts made of it."""
    ended = Conversation.objects.filter(status="closed", closed_at__lt=before, interactions__channel__in=channels)
    knowing = _without_held(ended.exclude(facts={}, form_state={}), "customer").distinct()
    packages = Handoff.objects.filter(conversation__status="closed", requested_at__lt=before).exclude(why=erasers.GONE)
    return [
        Overdue(_old_entries(before).filter(of_line, kind__in=WORDS), _erase_entries),
        Overdue(knowing, lambda rows: rows.update(facts={}, form_state={})),
        Overdue(
            _without_held(packages.filter(of_line), "conversation__customer"),
            lambda rows: rows.update(why=erasers.GONE, summary="", facts=[], tried=[], next_step=""),
        ),
    ]


def _old_entries(before: datetime) -> QuerySet[Entry]:
    """Entries of closed conversations: an open one is still needed, whatever its age."""
    old = Entry.objects.filter(conversation__status="closed", recorded_at__lt=before, redacted_at__isnull=True)
    return _without_held(old, "conversation__customer")


def _old_decisions(before: datetime) -> QuerySet[Decision]:
    held = Conversation.objects.filter(customer__in=holds.held_customers()).values_list("public_id", flat=True)
    subjects = [each.hex for each in held]
    return Decision.objects.filter(decided_at__lt=before, forgotten_at__isnull=True).exclude(subject__in=subjects)


def _old_webhooks(before: datetime) -> QuerySet[WebhookRecord]:
    held = Interaction.objects.filter(conversation__customer__in=holds.held_customers()).values("provider_id")
    return WebhookRecord.objects.filter(received_at__lt=before).exclude(body_hash="").exclude(provider_id__in=held)


def _old_chat_sessions(before: datetime) -> QuerySet[ChatSessionRecord]:
    """Those whose browser cannot come back to them: the chat is over."""
    kept = Interaction.objects.filter(Q(conversation__customer__in=holds.held_customers()) | ~Q(state="ended")).values("provider_id")
    return ChatSessionRecord.objects.filter(last_seen_at__lt=before).exclude(visitor="").exclude(session_id__in=kept)


def _old_recordings(keep_days: int | None) -> QuerySet[CallRecording]:
    """Recordings kept longer than their entry point says, or where it says nothing, than the rule."""
    kept = CallRecording.objects.exclude(state=CallRecording.State.DELETED)
    days = Coalesce(F("interaction__entry_point__recording_keep_days"), Value(keep_days, output_field=IntegerField()))
    age = ExpressionWrapper(days * Value(timedelta(days=1)), output_field=DurationField())
    old = kept.annotate(kept_for=age).filter(kept_for__isnull=False, began_at__lt=Now() - F("kept_for"))
    return _without_held(old, "interaction__conversation__customer")


def _remove_recordings(rows: QuerySet[CallRecording]) -> int:
    return sum(recordings.remove(row, because=_("Kept long enough")) for row in rows)


def _sign_ins(before: datetime) -> list[Overdue]:
    return [
        Overdue(AccessAttempt.objects.filter(attempt_time__lt=before), _delete),
        Overdue(AccessFailureLog.objects.filter(attempt_time__lt=before), _delete),
        Overdue(AccessLog.objects.filter(attempt_time__lt=before), _delete),
        Overdue(Session.objects.filter(expire_date__lt=before), _delete),
    ]


def _without_held(rows: QuerySet[Any], customer: str) -> QuerySet[Any]:
    """Rows without those of customers under a legal hold; `customer` is the way from a row to its customer."""
    return rows.exclude(**{f"{customer}__in": holds.held_customers()})


def _erase_entries(rows: QuerySet[Entry]) -> int:
    numbers = list(rows.values_list("pk", flat=True))
    timeline.erase(numbers, reason=_("Kept long enough"))
    return len(numbers)


def _delete(rows: QuerySet[Any]) -> int:
    return rows.delete()[0]
