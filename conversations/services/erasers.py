"""What erasing a person does to each table. Every table of every app stands in exactly one of the two lists below.

A test fails for a table that stands in neither. To declare one: when its rows refer to a customer, a conversation or an
interaction, `deleted` or `emptied(column=value)` is mostly all it takes, since `personal_data.rows_of` finds the rows; when it
holds nothing of a customer, say why in HOLDS_NOTHING.

The steps run in the order of ERASERS: what is found by identifiers and by the transport's ids comes before those go.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from django.apps import apps
from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.contrib.postgres.fields import ArrayField
from django.db.models import F, Func, JSONField, Q, TextField, Value

from conversations.models import (
    CallRecording,
    ChatSessionRecord,
    Conversation,
    Customer,
    Entry,
    FieldConflict,
    Identifier,
    Interaction,
    OneTimeCode,
    RetiredVisitor,
    SharedIdentifier,
    TurnTrace,
)
from conversations.models.entry_point import Channel
from conversations.services import consent, delivered_webhooks, facts, recordings, suppression, timeline, turn_traces
from conversations.services.kinds import COUNTED
from conversations.services.personal_data import Scope, erased_hash, identifiers_of, rows_of
from routing.services import forgetting

ENTRIES_AT_ONCE = 500
GONE = "–"
_KEPT_BY_CONNECTORS = (
    "conversations.SalesAccount", "conversations.SalesOrder", "conversations.Invoice", "conversations.PaymentPromise",
    "conversations.Ticket",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Erased:
    """What one pass of a step did: how many rows, anything people should know (ids alone), and whether there is more to do."""

    count: int
    detail: Mapping[str, Any] = field(default_factory=dict)
    more: bool = False


Eraser = Callable[[Scope], Erased]


def _administration_log(scope: Scope) -> Erased:
    """What the log of the admin calls rows of the person; who did what and when stays."""
    about = Q(pk__in=[])
    for label in ERASERS:
        model = apps.get_model(label)
        ids = [str(pk) for pk in rows_of(model, scope).values_list("pk", flat=True)]
        about |= Q(content_type=ContentType.objects.get_for_model(model), object_id__in=ids)
    for _kind, value in identifiers_of(scope):
        # Rows that refer to no customer are called by a number or an address in the log.
        about |= Q(object_repr__iregex=rf"(^|[^[:alnum:]]){re.escape(value)}($|[^[:alnum:]])")
    named = LogEntry.objects.filter(about).exclude(object_repr=GONE, change_message="")
    return Erased(named.update(object_repr=GONE, change_message=""))


def _webhooks(scope: Scope) -> Erased:
    """What the platform delivered about the person's calls and their numbers."""
    return Erased(delivered_webhooks.empty(delivered_webhooks.about(scope)))


def _chat_sessions(scope: Scope) -> Erased:
    """Session and browser become a keyed hash, the same as in the interaction, so that reports still match the two."""
    own = Interaction.objects.filter(pk__in=scope.lines, channel="chat").values("provider_id")
    return Erased(pseudonymise_sessions(ChatSessionRecord.objects.filter(session_id__in=own)))


def pseudonymise_sessions(records: Any) -> int:
    """Takes the browser out of chat sessions, and out of the interactions that they became.

    `records` is a queryset of ChatSessionRecord. Returns how many were not so before.
    """
    count = 0
    for record in records.exclude(visitor="").order_by("pk"):
        session = record.session_id
        ChatSessionRecord.objects.filter(pk=record.pk).update(session_id=_pseudonym(session), visitor="")
        Interaction.objects.filter(provider_id=session).update(provider_id=_pseudonym(session), party="")
        count += 1
    return count


def _pseudonym(provider_id: str) -> str:
    return f"erased.{erased_hash('session', provider_id)[:40]}"


def _decisions(scope: Scope) -> Erased:
    subjects = [each.hex for each in Conversation.objects.filter(pk__in=scope.conversations).values_list("public_id", flat=True)]
    return Erased(forgetting.forget(subjects))


def _entries(scope: Scope) -> Erased:
    """A part at a time, since a history may be long."""
    words_left = ~Q(left={})
    open_ones = rows_of(Entry, scope).annotate(left=_without_counted()).filter(
        Q(redacted_at__isnull=True) | Q(source_id__isnull=False) | words_left
    )
    numbers = list(open_ones.order_by("pk").values_list("pk", flat=True)[:ENTRIES_AT_ONCE])
    timeline.erase(numbers, reason=scope.mark)
    return Erased(len(numbers), more=len(numbers) == ENTRIES_AT_ONCE)


def _without_counted() -> Func:
    """For a query: the keys of an entry's data that an erasure takes out."""
    kept = Value(sorted(COUNTED), output_field=ArrayField(TextField()))
    return Func(F("data"), kept, template="(%(expressions)s)", arg_joiner=" - ", output_field=JSONField())


def _interactions(scope: Scope) -> Erased:
    """The party goes, and from the ids of chats and text messages the browser and the number; a call's id names nobody, and the
    platform is asked by it."""
    rows = Interaction.objects.filter(pk__in=scope.lines)
    for line in rows.exclude(channel=Channel.VOICE).exclude(provider_id__startswith="erased."):
        Interaction.objects.filter(pk=line.pk).update(provider_id=_pseudonym(line.provider_id))
    return Erased(rows.update(party="", data={}, wrap_up_due_at=None))


def _conversations(scope: Scope) -> Erased:
    """What was known in the person's; and somebody else's into which a line of theirs was taken knows what its own lines said."""
    elsewhere = Interaction.objects.filter(pk__in=scope.lines).exclude(conversation__in=scope.conversations)
    for number in sorted(set(elsewhere.values_list("conversation", flat=True))):
        Conversation.objects.select_for_update(no_key=True).get(pk=number)
        facts.gather(number)
    return Erased(Conversation.objects.filter(pk__in=scope.conversations).update(facts={}, form_state={}))


def _one_time_codes(scope: Scope) -> Erased:
    """Those of the person's lines, and those that anybody had sent to their addresses."""
    to_them = Q(pk__in=[])
    for kind, value in identifiers_of(scope):
        to_them |= Q(kind=kind, value=value)
    return Erased(OneTimeCode.objects.filter(Q(interaction__in=scope.lines) | to_them).delete()[0])


def _shared_identifiers(scope: Scope) -> Erased:
    """A value that other records have as well stays shared; one that only the person has is theirs."""
    count = 0
    for kind, value in identifiers_of(scope):
        elsewhere = Identifier.objects.filter(kind=kind, value=value).exclude(original_customer__in=scope.records)
        if not elsewhere.exists():
            count += SharedIdentifier.objects.filter(kind=kind, value=value).delete()[0]
    return Erased(count)


def _counted_talks(scope: Scope) -> Erased:
    """Nothing: it says when somebody talked with a numbered record about what kind of thing, which limits further calls."""
    return Erased(0)


def _consents(scope: Scope) -> Erased:
    """What was agreed to, when and how has to be kept for years; the numbers and addresses in it become keyed hashes."""
    roots = Customer.objects.filter(pk__in=scope.records, root__isnull=True)
    return Erased(sum(consent.erase_of(customer) for customer in roots))


def _do_not_contact(scope: Scope) -> Erased:
    """Who asked never to be contacted is not, even when nobody knows any more who that is: the keyed hash stays."""
    return Erased(sum(suppression.forget_value(kind, value) for kind, value in sorted(identifiers_of(scope))))


def _retired_visitors(scope: Scope) -> Erased:
    browsers = [value for kind, value in identifiers_of(scope) if kind == Identifier.Kind.VISITOR]
    return Erased(RetiredVisitor.objects.filter(visitor__in=browsers).delete()[0])


def _field_conflicts(scope: Scope) -> Erased:
    """What two records said differently goes; that they did, and who settled it, stays."""
    rows = FieldConflict.objects.filter(Q(link__joined__in=scope.records) | Q(link__into__in=scope.records))
    return Erased(rows.update(root_value=None, joined_value=None, value_before=None))


def _turn_traces(scope: Scope) -> Erased:
    """What was told to a model and came back; what it took stays, since it is what was paid for."""
    return Erased(turn_traces.empty(rows_of(TurnTrace, scope)))


def _recordings(scope: Scope) -> Erased:
    """Files that other steps have not found, such as one that came while they ran; what is kept is that and when there was one."""
    rows = rows_of(CallRecording, scope)
    return Erased(recordings.erase(rows.values_list("pk", flat=True), because=scope.mark))


def _booked_visits(scope: Scope) -> Erased:
    """Nothing: the scheduling connector is asked, like every outside system, and confirms it."""
    return Erased(0)


def _asked_of_a_connector(scope: Scope) -> Erased:
    """Nothing: these tables stand for outside systems, whose connectors are asked and confirm it."""
    return Erased(0)


def _delete(label: str, scope: Scope) -> Erased:
    return Erased(rows_of(apps.get_model(label), scope).delete()[0])


def _empty(label: str, values: Mapping[str, Any], scope: Scope) -> Erased:
    return Erased(rows_of(apps.get_model(label), scope).update(**values))


def deleted(label: str) -> Eraser:
    """Deletes the person's rows of a table."""
    return partial(_delete, label)


def emptied(label: str, **values: Any) -> Eraser:
    """Writes these values into the person's rows of a table."""
    return partial(_empty, label, values)


def _by_label() -> dict[str, Eraser]:
    links = ("conversations.CustomerLink", "conversations.ConversationLink", "conversations.InteractionLink")
    return {
        "admin.LogEntry": _administration_log,
        "conversations.WebhookRecord": _webhooks,
        "conversations.ChatSessionRecord": _chat_sessions,
        "routing.Decision": _decisions,
        "conversations.Entry": _entries,
        "conversations.Handoff": emptied(
            "conversations.Handoff", why=GONE, summary="", facts=[], tried=[], next_step=""
        ),
        "conversations.TurnTrace": _turn_traces,
        "conversations.CallRecording": _recordings,
        "conversations.Booking": _booked_visits,
        **dict.fromkeys(_KEPT_BY_CONNECTORS, _asked_of_a_connector),
        "conversations.ActionItem": deleted("conversations.ActionItem"),
        "conversations.Qualification": deleted("conversations.Qualification"),
        "conversations.SentLink": deleted("conversations.SentLink"),
        **{label: emptied(label, evidence={}) for label in links},
        "conversations.MatchCandidate": deleted("conversations.MatchCandidate"),
        "conversations.JoinCode": deleted("conversations.JoinCode"),
        "conversations.OneTimeCode": _one_time_codes,
        "conversations.Proof": deleted("conversations.Proof"),
        "conversations.LegalHold": emptied("conversations.LegalHold", reason=GONE),
        "conversations.UnansweredQuestion": deleted("conversations.UnansweredQuestion"),
        "conversations.SentText": emptied("conversations.SentText", problem=""),
        "conversations.Interaction": _interactions,
        "conversations.Conversation": _conversations,
        "conversations.KnowledgeCheck": deleted("conversations.KnowledgeCheck"),
        "conversations.ChatLink": deleted("conversations.ChatLink"),
        "conversations.FieldConflict": _field_conflicts,
        "conversations.DialAttempt": emptied("conversations.DialAttempt", number=""),
        "conversations.CampaignContact": emptied("conversations.CampaignContact", number=""),
        "conversations.SubjectTalk": _counted_talks,
        "conversations.Consent": _consents,
        "conversations.ContactPreference": deleted("conversations.ContactPreference"),
        "conversations.Suppression": _do_not_contact,
        "conversations.RetiredVisitor": _retired_visitors,
        "conversations.SharedIdentifier": _shared_identifiers,
        "conversations.Identifier": deleted("conversations.Identifier"),
        "conversations.Customer": emptied(
            "conversations.Customer",
            name="",
            time_zone="",
            date_of_birth=None,
            address="",
            postcode="",
            open_balance=0,
            attributes={},
        ),
    }


ERASERS: Mapping[str, Eraser] = _by_label()

_POLICY = "Policy that managers write, the same for every customer."
_STAFF = "Staff, how they sign in and what they work on; no customer has an account."
_NUMBERS = "Codes, numbers and times; the conversation that it is about is named by a random id."
_CONTENT = "What the company publishes; nothing of it comes from a customer."
_SYSTEM = "The system's own books; nothing of a customer is in them."
_ABOUT_ERASING = "Numbers of records, counts and keyed hashes only; it is the proof that the erasure was done."

HOLDS_NOTHING: Mapping[str, str] = {
    **dict.fromkeys(
        [
            "routing.Configuration", "routing.ServiceHours", "routing.ServiceHoursException", "routing.ServiceLevel",
            "routing.Queue", "routing.ReasonCode",
            "routing.ReasonPhrase", "routing.DispositionCode", "routing.Territory", "routing.TerritoryPostcode", "routing.RuleSet",
            "routing.Rule", "routing.RuleSetCase", "routing.ChannelException", "routing.ChannelExceptionEvent", "routing.DeclaredFact",
            "routing.DeclaredFactEvent", "routing.DeclaredFactValue", "routing.DeclaredFactValueEvent", "routing.Team",
            "routing.Skill", "routing.RoutingProfile", "routing.RoutingProfileQueue", "routing.RoutingProfileWork",
            "routing.RoutingStep", "routing.RoutingStepEvent", "routing.AwayReason", "routing.AwayReasonEvent",
            "routing.ServiceHoursEvent", "routing.ServiceHoursExceptionEvent", "routing.ServiceLevelEvent", "routing.QueueEvent",
            "routing.ReasonCodeEvent", "routing.ReasonPhraseEvent", "routing.DispositionCodeEvent", "routing.TerritoryEvent",
            "routing.TerritoryPostcodeEvent", "routing.TeamEvent", "routing.SkillEvent", "routing.RoutingProfileEvent",
            "routing.RoutingProfileQueueEvent", "routing.RoutingProfileWorkEvent",
            "conversations.AssistantSwitch", "conversations.AssistantSwitchEvent", "conversations.EntryPoint_reasons",
            "conversations.EntryPoint", "conversations.Playbook", "conversations.PlaybookForm", "conversations.PlaybookForm_reasons",
            "conversations.PlaybookFormField", "conversations.HostSiteKey", "conversations.RetentionRule",
            "conversations.RetentionRuleEvent", "conversations.CallingRegion", "conversations.CallingHours",
            "conversations.CallingHoliday", "conversations.CallingPolicy", "conversations.CallingCap",
            "conversations.Audience", "conversations.Campaign", "conversations.PlaybookOpening", "conversations.CallingRegionEvent",
            "conversations.CallingHoursEvent", "conversations.CallingHolidayEvent", "conversations.CallingPolicyEvent",
            "conversations.CallingCapEvent", "conversations.AudienceEvent", "conversations.CampaignEvent",
            "conversations.OutsideNumber", "conversations.OutsideNumberEvent",
        ],
        _POLICY,
    ),
    **dict.fromkeys(
        [
            "auth.User", "auth.User_groups", "auth.User_user_permissions", "auth.Group", "auth.Group_permissions", "sessions.Session",
            "account.EmailAddress", "account.EmailConfirmation", "mfa.Authenticator", "axes.AccessAttempt",
            "axes.AccessAttemptExpiration", "axes.AccessFailureLog", "axes.AccessLog",
            "routing.AgentProfile", "routing.AgentProfileEvent", "routing.AgentSkill", "routing.AgentSkillEvent", "routing.Presence",
            "conversations.Technician", "conversations.Technician_territories", "conversations.TechnicianShift",
        ],
        _STAFF,
    ),
    **dict.fromkeys(
        [
            "routing.WorkItem", "routing.Reservation", "routing.Interruption", "conversations.RetentionRun", "conversations.DataExport",
            "conversations.HostSiteToken", "conversations.DraftReview", "conversations.CallLeg",
            "conversations.CallSeat",
        ],
        _NUMBERS,
    ),
    **dict.fromkeys(
        [
            "conversations.KnowledgeArticle", "conversations.KnowledgeVersion", "conversations.KnowledgePassage",
            "conversations.KnowledgeQuestion", "conversations.SavedReply", "conversations.PriceListItem",
        ],
        _CONTENT,
    ),
    **dict.fromkeys(
        [
            "auth.Permission", "contenttypes.ContentType", "pghistory.Context", "django_celery_beat.SolarSchedule",
            "django_celery_beat.IntervalSchedule", "django_celery_beat.ClockedSchedule", "django_celery_beat.CrontabSchedule",
            "django_celery_beat.PeriodicTasks", "django_celery_beat.PeriodicTask",
        ],
        _SYSTEM,
    ),
    **dict.fromkeys(
        ["conversations.ErasureRequest", "conversations.ErasureStep", "conversations.ErasedIdentifier", "conversations.ConnectorRequest"],
        _ABOUT_ERASING,
    ),
}  # fmt: skip
"""Tables in which nothing of a customer is kept, each with the reason. Embeddings are of articles (KnowledgePassage,
KnowledgeQuestion) and of unanswered questions, which are deleted with them."""


def tables() -> list[str]:
    """Every table of every app by its model's label."""
    every = apps.get_models(include_auto_created=True)
    return sorted(model._meta.label for model in every if model._meta.managed and not model._meta.proxy)


def undeclared(labels: Iterable[str]) -> list[str]:
    """Those of these tables of which nobody has said what an erasure does to them."""
    return [label for label in labels if label not in ERASERS and label not in HOLDS_NOTHING]
