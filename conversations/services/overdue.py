"""What each retention rule takes away now. Every table that may name a person, and every kind of entry, stands in one of the lists.

A test fails for a table or a kind of entry of which nobody has said whether it goes by age, or why it stays until the person is
erased.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from axes.models import AccessAttempt, AccessFailureLog, AccessLog
from django.contrib.postgres.fields import ArrayField
from django.contrib.sessions.models import Session
from django.db.models import DurationField, ExpressionWrapper, F, Func, IntegerField, JSONField, Q, QuerySet, TextField, Value
from django.db.models.functions import Coalesce, Now
from django.utils import timezone
from django.utils.translation import gettext as _

from conversations.models import (
    ActionItem,
    CallRecording,
    CampaignContact,
    ChatLink,
    ChatSessionRecord,
    Conversation,
    Customer,
    DialAttempt,
    Entry,
    Handoff,
    Interaction,
    JoinCode,
    KnowledgeCheck,
    OneTimeCode,
    Qualification,
    RetentionRule,
    SentLink,
    TurnTrace,
    WebhookRecord,
)
from conversations.models.entry_point import Channel
from conversations.services import delivered_webhooks, erasers, holds, personal_data, recordings, timeline, turn_traces
from routing.models import Decision
from routing.services import forgetting

Kind = RetentionRule.Kind
TYPED: Final = (Channel.CHAT, Channel.SMS)
OF_TEXTS: Final = ("text", "text_status")
"""The kinds of webhook that are about text messages."""
WORDS: Final = frozenset(
    {
        "message", "draft", "disclosure.shown", "note", "fact.learned", "reason.recognised", "handoff.requested", "call.dtmf",
        "wrapped_up", "speech", "reply.refused", "outcome.set", "conversation.transferred", "work.moved", "work.class_changed", "qualified",
        "action.added", "action.done", "ticket.opened", "call.transcribed",
    }
)  # fmt: skip
"""The kinds of entry that hold what was said, what was understood of it, and what staff wrote about it."""
NUMBERS: Final = frozenset({"callback.requested", "callback.changed", "callback.cancelled", "callback.refused", "call.refused"})
"""The kinds of entry that say which number was to be called."""
BY_ANOTHER_RULE: Final = frozenset({"tool.called", "routing.decided"})

_HAPPENED = "It says that something happened and when; there are no words of anybody in it."
_WHO = "It says how somebody was known, or what they agreed to, which has to be shown as long as it counts."
_ARRANGED = "It is part of what was arranged or changed, and goes with the person."
ENTRIES_THAT_STAY: Final[Mapping[str, str]] = {
    **dict.fromkeys(
        [
            "interaction.started", "interaction.ended", "call.ringing", "call.answered", "call.connected_to_agent", "call.machine",
            "call.recorded", "call.problem", "call.outcome", "language.chosen", "handoff.accepted", "owner.changed",
            "survey.asked", "survey.answered",
            "voicemail", "recording.not_agreed", "recording.began", "recording.ended", "recording.paused", "recording.resumed",
            "recording.heard", "recording.cut", "recording.deleted", "work.overflowed",
            "wrap_up.ended", "conversation.closed", "assistant.stopped", "link.sent",
            "text.sent", "text.failed", "call.not_connected", "call.consulted", "call.left", "call.held", "call.resumed", "call.parked",
            "call.supervised", "call.handed_over",
        ],
        _HAPPENED,
    ),
    **dict.fromkeys(
        [
            "identity.proven", "identity.code_sent", "identity.code_refused", "consent.given", "consent.refused", "consent.revoked",
            "recording.announced", "recording.asked", "voicemail.asked", "contact.suppressed",
            "conversation.joined", "conversation.separated", "interaction.moved",
        ],
        _WHO,
    ),
    **dict.fromkeys(
        ["booking.made", "booking.changed", "booking.cancelled", "payment.promised", "record.changed"], _ARRANGED
    ),
}  # fmt: skip
"""The kinds of entry that no rule takes, each with the reason."""

_BOTH = (Kind.CHAT_MESSAGES, Kind.CALL_TRANSCRIPTS)
TABLES_THAT_AGE: Final[Mapping[str, tuple[str, ...]]] = {
    "conversations.Entry": (*_BOTH, Kind.TOOL_TRACES, Kind.DECISIONS, Kind.NUMBERS_CALLED),
    "conversations.Conversation": _BOTH,
    "conversations.Interaction": _BOTH,
    "conversations.Handoff": _BOTH,
    "conversations.ActionItem": _BOTH,
    "conversations.Qualification": _BOTH,
    "conversations.UnansweredQuestion": _BOTH,
    "conversations.TurnTrace": (*_BOTH, Kind.TOOL_TRACES),
    "conversations.WebhookRecord": (*_BOTH, Kind.WEBHOOKS),
    "conversations.CallRecording": (Kind.RECORDINGS,),
    "conversations.ChatSessionRecord": (Kind.CHAT_SESSIONS,),
    "routing.Decision": (Kind.DECISIONS,),
    "conversations.DialAttempt": (Kind.NUMBERS_CALLED,),
    "conversations.CampaignContact": (Kind.NUMBERS_CALLED,),
    "conversations.SentLink": (Kind.NUMBERS_CALLED,),
    **dict.fromkeys(
        ["conversations.OneTimeCode", "conversations.JoinCode", "conversations.ChatLink", "conversations.KnowledgeCheck"], (Kind.CODES,)
    ),
}
"""By which rules the rows of a table go, are deleted or lose their words."""

_RECORD = "It is the record itself: who the customer is and what belongs together, for as long as there is the customer."
_OUTSIDE = "It stands for an outside system, which has rules of its own."
TABLES_THAT_STAY: Final[Mapping[str, str]] = {
    **dict.fromkeys(
        [
            "conversations.Customer", "conversations.Identifier", "conversations.CustomerLink", "conversations.ConversationLink",
            "conversations.InteractionLink", "conversations.FieldConflict", "conversations.MatchCandidate",
            "conversations.ContactPreference", "conversations.LegalHold",
        ],
        _RECORD,
    ),
    **dict.fromkeys(["conversations.Proof", "conversations.Consent", "conversations.Suppression", "conversations.SubjectTalk"], _WHO),
    **dict.fromkeys(
        [
            "conversations.Booking", "conversations.SalesAccount", "conversations.SalesOrder", "conversations.Invoice",
            "conversations.PaymentPromise", "conversations.Ticket",
        ],
        _OUTSIDE,
    ),
    "conversations.SentText": _HAPPENED,
    "conversations.SharedIdentifier": "It is about a value that is nobody's alone.",
    "conversations.RetiredVisitor": "It goes by itself once no token of it can be shown any more, see `services.visitors`.",
    "admin.LogEntry": "It says who of the staff changed what.",
}  # fmt: skip
"""The tables that no rule takes from, each with the reason; an erasure reaches them all."""

DOES_SOMETHING: Final = Q(keep_days__isnull=False) | Q(kind=Kind.RECORDINGS)
"""Rules with an effect: an entry point may say how long its recordings are kept where the rule says nothing."""
WORDS_ON_A_LINE: Final = ("said", "answers", "question")
"""The keys of a line's `data` that hold what was said on it."""


@dataclass(frozen=True, slots=True)
class Overdue:
    """Rows whose time is over, and how a batch of them is taken away; what was taken away is not found again."""

    rows: QuerySet[Any]
    take_away: Callable[[QuerySet[Any]], int]


def of(rule: RetentionRule) -> list[Overdue]:
    """What a rule takes away now."""
    before = timezone.now() - timedelta(days=rule.keep_days or 0)
    match rule.kind:
        case Kind.CHAT_MESSAGES:
            # What was written by text message came in the platform's webhooks, and stands there, too.
            typed = _words(before, Q(interaction__channel__in=TYPED) | Q(interaction__isnull=True), TYPED)
            return [*typed, _webhooks(before, kinds=OF_TEXTS)]
        case Kind.CALL_TRANSCRIPTS:
            # The words came in the platform's webhooks, and stand there, too.
            return [*_words(before, Q(interaction__channel=Channel.VOICE), (Channel.VOICE,)), _webhooks(before)]
        case Kind.RECORDINGS:
            return [Overdue(_recordings(rule.keep_days), _remove_recordings)]
        case Kind.TOOL_TRACES:
            return [Overdue(_entries(before).filter(kind="tool.called"), _erase_entries), _traces(before)]
        case Kind.DECISIONS:
            # The sentence in the history may quote a fact, as the decision's own may.
            told = _entries(before).filter(kind="routing.decided")
            return [Overdue(_decisions(before), forgetting.forget_rows), Overdue(told, _erase_entries)]
        case Kind.WEBHOOKS:
            return [_webhooks(before)]
        case Kind.CHAT_SESSIONS:
            return [Overdue(_chat_sessions(before), erasers.pseudonymise_sessions)]
        case Kind.CODES:
            codes = (
                OneTimeCode.objects.filter(sent_at__lt=before),
                JoinCode.objects.filter(created_at__lt=before),
                ChatLink.objects.filter(sent_at__lt=before),
                KnowledgeCheck.objects.filter(made_at__lt=before),
            )
            return [Overdue(_without_held(each, "interaction__conversation__customer"), _delete) for each in codes]
        case Kind.NUMBERS_CALLED:
            return _numbers(before)
        case _:
            return _sign_ins(before)


def _words(before: datetime, of_line: Q, channels: Sequence[str]) -> list[Overdue]:
    """What was said, what was understood of it, what was made of it, and what a model was told of it."""
    ended = Conversation.objects.filter(status="closed", closed_at__lt=before, interactions__channel__in=channels)
    packages = Handoff.objects.filter(conversation__status="closed", requested_at__lt=before).exclude(why=erasers.GONE)
    lines = Interaction.objects.filter(
        conversation__status="closed", channel__in=channels, state="ended", ended_at__lt=before, data__has_any_keys=WORDS_ON_A_LINE
    )
    done = ActionItem.objects.filter(conversation__status="closed", made_at__lt=before, done_at__isnull=False)
    forms = Qualification.objects.filter(conversation__in=ended.values("pk"), qualified_at__lt=before)
    return [
        Overdue(_entries(before).filter(of_line, kind__in=WORDS), _erase_entries),
        Overdue(
            _without_held(ended.exclude(facts={}, form_state={}), "customer").distinct(),
            lambda rows: rows.update(facts={}, form_state={}),
        ),
        Overdue(
            _without_held(packages.filter(of_line), "conversation__customer"),
            lambda rows: rows.update(why=erasers.GONE, summary="", facts=[], tried=[], next_step=""),
        ),
        Overdue(_without_held(lines, "conversation__customer"), lambda rows: rows.update(data=_without_words())),
        Overdue(_without_held(done.filter(of_line), "conversation__customer"), _delete),
        Overdue(_without_held(forms.exclude(state=Qualification.State.WAITING), "conversation__customer"), _delete),
        _traces(before, channels),
    ]


def _numbers(before: datetime) -> list[Overdue]:
    """Which numbers were rung or sent a link; that they were, and a keyed hash by which calls are counted, stays."""
    attempts = DialAttempt.objects.filter(ended_at__lt=before).exclude(number="")
    contacts = CampaignContact.objects.filter(state=CampaignContact.State.DONE, done_at__lt=before).exclude(number="")
    links = SentLink.objects.filter(asked_at__lt=before)
    return [
        *(Overdue(_without_held(each, "customer"), lambda rows: rows.update(number="")) for each in (attempts, contacts)),
        Overdue(_without_held(links, "interaction__conversation__customer"), _delete),
        Overdue(_entries(before).filter(kind__in=NUMBERS), _erase_entries),
    ]


def _entries(before: datetime) -> QuerySet[Entry]:
    """Entries of closed conversations: an open one is still needed, whatever its age.

    What was joined with the history of a customer under a hold is part of that history.
    """
    old = Entry.objects.filter(conversation__status="closed", recorded_at__lt=before, redacted_at__isnull=True)
    for way in ("conversation__customer", "conversation__joined_into__customer", "interaction__conversation__customer"):
        old = _without_held(old, way)
    return old


def _traces(before: datetime, channels: Sequence[str] = tuple(Channel)) -> Overdue:
    """What a model was told and answered."""
    rows = TurnTrace.objects.filter(conversation__status="closed", recorded_at__lt=before, emptied_at__isnull=True)
    return Overdue(_without_held(rows.filter(interaction__channel__in=channels), "conversation__customer"), turn_traces.empty)


def _decisions(before: datetime) -> QuerySet[Decision]:
    held = Conversation.objects.filter(customer__in=holds.held_customers()).values_list("public_id", flat=True)
    subjects = [each.hex for each in held]
    return Decision.objects.filter(decided_at__lt=before, forgotten_at__isnull=True).exclude(subject__in=subjects)


def _webhooks(before: datetime, kinds: Sequence[str] = ()) -> Overdue:
    """Those of some kinds, or all. Whatever leg, room or number of a customer under a hold one is about, it stays."""
    held = holds.held_customers()
    records = Customer.objects.filter(Q(pk__in=held) | Q(root__in=held)).values_list("pk", flat=True)
    rows = WebhookRecord.objects.filter(received_at__lt=before).exclude(body_hash="")
    rows = rows.filter(kind__in=kinds) if kinds else rows
    if records:
        rows = rows.exclude(pk__in=delivered_webhooks.about(personal_data.scope_of(records)).values("pk"))
    return Overdue(rows, delivered_webhooks.empty)


def _chat_sessions(before: datetime) -> QuerySet[ChatSessionRecord]:
    """Those whose browser cannot come back to them: the chat is over."""
    kept = Interaction.objects.filter(Q(conversation__customer__in=holds.held_customers()) | ~Q(state="ended")).values("provider_id")
    return ChatSessionRecord.objects.filter(last_seen_at__lt=before).exclude(visitor="").exclude(session_id__in=kept)


def _recordings(keep_days: int | None) -> QuerySet[CallRecording]:
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


def _without_words() -> Func:
    """For a query: the data of a line without what was said on it."""
    gone = Value(list(WORDS_ON_A_LINE), output_field=ArrayField(TextField()))
    return Func(F("data"), gone, template="(%(expressions)s)", arg_joiner=" - ", output_field=JSONField())


def _erase_entries(rows: QuerySet[Entry]) -> int:
    numbers = list(rows.values_list("pk", flat=True))
    timeline.erase(numbers, reason=_("Kept long enough"))
    return len(numbers)


def _delete(rows: QuerySet[Any]) -> int:
    return rows.delete()[0]
