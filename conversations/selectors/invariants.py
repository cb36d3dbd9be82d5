"""What must always be true of the record, each with the query that finds what breaks it."""

import re
from datetime import timedelta
from uuid import UUID

from django.db.models import BigIntegerField, Count, Exists, F, Max, Min, OuterRef, Q, Value
from django.db.models.functions import Coalesce, Concat
from django.utils import timezone

from conversations.models import ChatSessionRecord, Conversation, Customer, CustomerLink, DialAttempt, Entry, Interaction, WebhookRecord
from conversations.models.registry import re_rooted_models
from conversations.selectors import call_reports
from conversations.selectors.limbo import (
    LONGEST_CALL,
    SWEPT_WITHIN,
    call_backs_nobody_was_given,
    endless_interactions,
    owned_without_work,
    turns_nobody_works_on,
    unwritten_wrap_ups,
)
from routing.models import WorkItem
from routing.selectors.invariants import Invariant

RECENT = timedelta(days=30)
SETTLED = timedelta(minutes=1)
"""How long a transport's row may be there before its interaction."""
HEARD_OF_LATELY = timedelta(days=3)
HEX_UUID = re.compile(r"[0-9a-f]{32}")


def histories_with_holes() -> list[str]:
    """Conversations of the last 30 days whose entries do not count from 1 to `last_seq`."""
    broken = (
        Conversation.objects.filter(last_entry_at__gt=timezone.now() - RECENT)
        .annotate(stored=Count("entries"), highest=Max("entries__seq", default=0))
        .exclude(stored=F("last_seq"), highest=F("last_seq"))
    )
    return [f"Conversation {one.pk} has {one.stored} entries up to {one.highest}, and should have {one.last_seq}." for one in broken]


def customers_with_several_open_conversations() -> list[str]:
    """Customers with more than one open conversation that is not joined into another."""
    is_open = Q(conversations__status=Conversation.Status.OPEN, conversations__joined_into__isnull=True)
    broken = Customer.objects.annotate(open=Count("conversations", filter=is_open)).filter(open__gt=1)
    return [f"Customer {customer.pk} has {customer.open} open conversations." for customer in broken]


def conversations_without_one_owner() -> list[str]:
    """Conversations owned by a person who is not named, or by the AI agent while a person is named."""
    with_person = Q(owner_kind=Conversation.Owner.HUMAN, owner_agent__isnull=False)
    with_assistant = Q(owner_kind=Conversation.Owner.ASSISTANT, owner_agent__isnull=True)
    broken = Conversation.objects.exclude(with_person | with_assistant)
    return [f"Conversation {one.pk} has no single owner." for one in broken]


def contacts_without_interaction() -> list[str]:
    """Calls and chat sessions that a transport saw and the record does not show. The other direction is unique already.

    A call that was turned away is no contact: its webhook was refused, or it was answered without listening.
    """
    settled = timezone.now() - SETTLED
    turned_away = Q(answer__has_key="refused") | (Q(answered_at__isnull=False) & ~Q(answer__contains=[{"action": "input"}]))
    calls = WebhookRecord.objects.filter(kind="answer", received_at__lt=settled).exclude(provider_id="").exclude(turned_away)
    sessions = ChatSessionRecord.objects.filter(started_at__lt=settled)
    lost_calls = calls.exclude(Exists(Interaction.objects.filter(provider_id=OuterRef("provider_id"))))
    lost_sessions = sessions.exclude(Exists(Interaction.objects.filter(provider_id=OuterRef("session_id"))))
    return [
        *(f"Call {provider_id} has no interaction." for provider_id in lost_calls.values_list("provider_id", flat=True)),
        *(f"Chat session {session} has no interaction." for session in lost_sessions.values_list("session_id", flat=True)),
    ]


def texts_not_filed() -> list[str]:
    """Text messages that the platform delivered and the history does not show, but for those that were not taken.

    What was emptied after its time, or with a person, is not looked for: the entry may have lost its words and its source as well.
    """
    settled = timezone.now() - SETTLED
    taken = WebhookRecord.objects.filter(kind="text", received_at__lt=settled).exclude(provider_id="").exclude(body_hash="")
    filed = Entry.objects.filter(source_id=Concat(Value("text:"), OuterRef("provider_id")))
    lost = taken.exclude(answer__has_key="refused").exclude(Exists(filed)).order_by("provider_id").distinct("provider_id")
    return [f"Text message {message_id} is in no history." for message_id in lost.values_list("provider_id", flat=True)]


def legs_unlike_their_reports() -> list[str]:
    """Legs heard of in the last three days that are not what the raw webhooks make, and calls that go on although they are over.

    `manage.py rebuild_calls` looks at all of them, and puts them right.
    """
    settled = timezone.now() - SETTLED
    since = timezone.now() - HEARD_OF_LATELY
    return [*call_reports.legs_that_differ(since, until=settled), *call_reports.calls_that_differ(since, until=settled)]


def interactions_in_limbo() -> list[str]:
    """Calls and chat sessions that should have ended long ago."""
    live = endless_interactions(timezone.now() - SWEPT_WITHIN)
    return [f"{one} is still live, since {one.started_at:%Y-%m-%d %H:%M} UTC." for one in live]


def turns_in_limbo() -> list[str]:
    """Customers who wait for the AI agent, whose turn nobody works on."""
    waiting = turns_nobody_works_on(timezone.now() - SWEPT_WITHIN)
    return [f"Conversation {one.pk} waits for an answer to entry {one.turn_wanted_seq}." for one in waiting]


def call_backs_in_limbo() -> list[str]:
    """Customers who were promised a call at a time that is over, and whom nobody was asked to call."""
    waiting = call_backs_nobody_was_given(timezone.now() - SWEPT_WITHIN)
    return [f"Call back {one.pk} was promised for {one.due_at:%Y-%m-%d %H:%M} UTC, and nobody was asked to call." for one in waiting]


def wrap_ups_in_limbo() -> list[str]:
    """Calls and chat sessions that ended a while ago and have no wrap-up yet."""
    return [f"{one} ended at {one.ended_at:%Y-%m-%d %H:%M} UTC and is not wrapped up." for one in unwritten_wrap_ups(timezone.now())]


def work_of_ended_conversations() -> list[str]:
    """Work that waits for, is offered to or is with a person although its conversation is closed or goes on in another."""
    live = list(WorkItem.objects.filter(state__in=WorkItem.LIVE_STATES).values_list("subject", flat=True))
    subjects = [UUID(subject) for subject in live if HEX_UUID.fullmatch(subject)]
    ended = Q(status=Conversation.Status.CLOSED) | Q(joined_into__isnull=False)
    broken = Conversation.objects.filter(ended, public_id__in=subjects).order_by("pk")
    return [f"Conversation {one.pk} has live work, and is {'joined' if one.joined_into_id else 'closed'}." for one in broken]


def owners_without_work() -> list[str]:
    """Conversations that a person has in name only: their work ended a while ago, and no sweep ended the conversation."""
    since = timezone.now() - SWEPT_WITHIN
    found = [each for each in owned_without_work() if each.last_entry_at < since]
    lately = WorkItem.objects.filter(subject__in=[each.public_id.hex for each in found], ended_at__gte=since)
    just_ended = set(lately.values_list("subject", flat=True))
    return [f"Conversation {one.pk} is with a person without any work of it." for one in found if one.public_id.hex not in just_ended]


def rows_under_another_record() -> list[str]:
    """Rows that count for another customer than the root of the record they were made for."""
    found = []
    root = Coalesce("original_customer__root", "original_customer", output_field=BigIntegerField())
    for model in re_rooted_models():
        broken = model._default_manager.exclude(customer=root).order_by("pk")
        found += [f"{model._meta.object_name} {one.pk} does not count for the root of its record." for one in broken]
    return found


def roots_that_are_joined() -> list[str]:
    """Records that others count for although they count for another one themselves, or that no link joins to their root."""
    joined = Exists(CustomerLink.objects.filter(joined=OuterRef("pk"), active=True))
    chained = Q(root__root__isnull=False)
    broken = Customer.objects.filter(chained | Q(joined, root__isnull=True) | Q(~joined, root__isnull=False)).order_by("pk")
    return [f"Customer {one.pk} does not count for the record that its links lead to." for one in broken]


def calls_without_permission() -> list[str]:
    """Phones that we rang in the last 30 days, since calls are counted, without the row that permits it."""
    first = DialAttempt.objects.aggregate(Min("at"))["at__min"]
    if first is None:
        return []
    ours = Interaction.objects.filter(channel="voice", direction=Interaction.Direction.OUTBOUND, dial_attempt__isnull=True)
    rung = ours.filter(started_at__gt=max(first, timezone.now() - RECENT)).exclude(provider_id__startswith="unplaced-")
    return [f"Call {each.pk} was made without permission." for each in rung.order_by("pk")]


def calls_that_count_as_live() -> list[str]:
    """Permissions to dial that are older than any call can be and were never ended, so that the number is not rung again."""
    since = timezone.now() - LONGEST_CALL - SWEPT_WITHIN
    endless = DialAttempt.objects.filter(ended_at__isnull=True, at__lt=since).order_by("pk")
    return [f"The permission {each.pk} to dial was never ended." for each in endless]


INVARIANTS = (
    Invariant("An accepted message is stored once, in order, without a hole.", histories_with_holes),
    Invariant("A customer has at most one open conversation.", customers_with_several_open_conversations),
    Invariant("A conversation has exactly one owner.", conversations_without_one_owner),
    Invariant("Every call and chat session has exactly one interaction.", contacts_without_interaction),
    Invariant("Every text message is filed.", texts_not_filed),
    Invariant("The state of every call follows from what was reported of it.", legs_unlike_their_reports),
    Invariant("Every interaction ends.", interactions_in_limbo),
    Invariant("Every message to the AI agent is answered.", turns_in_limbo),
    Invariant("Every promised call is given to somebody in time.", call_backs_in_limbo),
    Invariant("Every interaction that ended is wrapped up.", wrap_ups_in_limbo),
    Invariant("A closed conversation, or one that goes on in another, has no live work.", work_of_ended_conversations),
    Invariant("Whoever has a conversation has live work of it.", owners_without_work),
    Invariant("Every row counts for the root of the record it was made for.", rows_under_another_record),
    Invariant("A record that others count for is not joined itself.", roots_that_are_joined),
    Invariant("No phone of a customer is rung without permission.", calls_without_permission),
    Invariant("Every permission to dial ends.", calls_that_count_as_live),
)
