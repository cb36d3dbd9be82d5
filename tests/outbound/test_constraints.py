"""The database itself refuses every bad row about calls that we make."""

from __future__ import annotations

from datetime import date, time, timedelta
from typing import Any

import pytest
from django.utils import timezone

from conversations.chat import visitor
from conversations.models import (
    Audience,
    CallingHours,
    CallingPolicy,
    CallingRegion,
    Campaign,
    CampaignContact,
    DialAttempt,
    Playbook,
    PlaybookOpening,
    SubjectTalk,
)
from conversations.selectors.consent import value_hash
from tests.outbound import campaigns as made
from tests.outbound.calling import RULE, callable_customer, open_hours, policy
from tests.record import parties, rows
from tests.record.test_constraints import refused
from tests.support import triggers

pytestmark = pytest.mark.django_db
NOW = timezone.now()
LATER = NOW + timedelta(days=1)


def attempt(**changes: Any) -> DialAttempt:
    """A permission to ring a customer."""
    customer, number = callable_customer()
    owner = {"customer": customer, "original_customer": customer, "consent": customer.consents.get()}
    values = {"number": number, "number_hash": value_hash("phone", number), "purpose": "reminder", "entry_point": rows.phone_line()}
    return DialAttempt.objects.create(**{**owner, **values, **changes})


def contact(**changes: Any) -> CampaignContact:
    customer, number = callable_customer()
    values = {"customer": customer, "original_customer": customer, "number": number, "subject": "booking:1"}
    return CampaignContact.objects.create(**{**values, **changes})


@pytest.mark.parametrize(
    ("constraint", "changes"),
    [
        ("dial_purpose_is_known", {"purpose": "a chat"}),
        ("dialled_number_is_e164", {"number": "07700 900123"}),
        ("dialled_number_has_its_hash", {"number_hash": "none"}),
        ("offers_by_phone_need_a_yes_of_their_own", {"offers": True}),
        ("dial_attempt_has_an_outcome_exactly_when_ended", {"outcome": "reached"}),
        ("dial_attempt_has_an_outcome_exactly_when_ended", {"ended_at": NOW}),
        ("dial_outcome_is_known", {"outcome": "splendid", "ended_at": NOW}),
    ],
)
def test_permission_rules(constraint: str, changes: dict[str, Any]) -> None:
    """Whatever the rules of calling say."""
    with triggers.ignored(RULE):
        refused(constraint, lambda: attempt(**changes))


def test_what_was_talked_about() -> None:
    line = parties.chat(visitor.new())
    customer = line.conversation.customer
    about = {"customer": customer, "original_customer": customer, "interaction": line, "subject": "debt"}
    SubjectTalk.objects.create(purpose="collection", **about)
    refused("talk_about_something_is_noted_once_a_line", lambda: SubjectTalk.objects.create(purpose="collection", **about))
    refused("talk_is_about_a_known_purpose", lambda: SubjectTalk.objects.create(purpose="a chat", **about))


def test_region_rules() -> None:
    """A region is known by numbers, and has one row of hours a weekday and one holiday a day."""
    region = open_hours()
    hours = {"region": region, "opens": time(8), "closes": time(20)}
    refused("calling_region_is_known_by_some_beginning_of_a_number", lambda: CallingRegion.objects.create(name="Nowhere", prefixes=[]))
    refused("calling_region_has_hours_once_a_weekday", lambda: CallingHours.objects.create(weekday=0, **hours))
    refused("calling_weekday_is_monday_to_sunday", lambda: CallingHours.objects.create(weekday=7, **hours))
    region.hours.all().delete()
    refused("calling_hours_end_after_they_begin", lambda: CallingHours.objects.create(weekday=0, **hours | {"closes": time(8)}))
    region.holidays.create(day=date(2027, 1, 1), name="New Year")
    refused("calling_region_has_a_holiday_once", lambda: region.holidays.create(day=date(2027, 1, 1), name="Again"))


def test_policy_rules() -> None:
    """A policy is for a known purpose; each of its caps counts something known within some time, once."""
    rules = policy("reminder", ("number", 3, 168))
    refused("calling_policy_is_for_a_known_purpose", lambda: CallingPolicy.objects.create(purpose="a chat"))
    refused("calling_policy_rests_for_a_year_at_most", lambda: CallingPolicy.objects.create(purpose="callback", quiet_days=367))
    for tries in (0, 11):
        refused("calling_policy_tries_one_to_ten_times", lambda tries=tries: CallingPolicy.objects.create(purpose="callback", tries=tries))
    refused("calling_policy_pauses_between_tries", lambda: CallingPolicy.objects.create(purpose="callback", pause_minutes=0))
    refused("calling_cap_stands_once_for_a_span", lambda: rules.caps.create(counted_by="number", most=1, hours=168))
    refused("calling_cap_counts_something_known", lambda: rules.caps.create(counted_by="moon", most=1, hours=24))
    refused("calling_cap_is_within_some_time", lambda: rules.caps.create(counted_by="number", most=1, hours=0))


def test_opening_rules() -> None:
    draft = Playbook.objects.create(code="draft", name="Harbor", persona="Friendly.", disclosure="I am an AI.")
    words = {"playbook": draft, "language": "en", "opening": "About a visit.", "message": "It is tomorrow."}
    PlaybookOpening.objects.create(purpose="reminder", **words)
    refused("playbook_opens_a_call_in_one_way_a_language", lambda: PlaybookOpening.objects.create(purpose="reminder", **words))
    refused("playbook_opening_is_for_a_known_purpose", lambda: PlaybookOpening.objects.create(purpose="a chat", **words))


@pytest.mark.parametrize(
    ("constraint", "changes"),
    [
        ("campaign_purpose_is_known", {"purpose": "call_me"}),
        ("campaign_state_is_known", {"state": "odd", "started_at": NOW}),
        ("campaign_that_was_started_says_when", {"state": "running"}),
        ("campaign_says_when_it_ended_exactly_when_over", {"state": "stopped", "started_at": NOW}),
        ("campaign_says_when_it_ended_exactly_when_over", {"state": "running", "started_at": NOW, "ended_at": NOW}),
        ("campaign_ends_after_it_starts", {"starts_at": LATER, "ends_at": NOW}),
        ("campaign_calls_somebody", {"calls_per_second": 0}),
        ("campaign_calls_somebody", {"at_once": 0}),
        ("campaign_calls_somebody", {"most_attempts": 0}),
    ],
)
def test_campaign_rules(constraint: str, changes: dict[str, Any]) -> None:
    draft = made.campaign(starts=False)
    refused(constraint, lambda: Campaign.objects.filter(pk=draft.pk).update(**changes))


def test_an_audience_comes_from_somewhere_known() -> None:
    refused("audience_source_is_known", lambda: Audience.objects.create(name="The world", source="street"))


@pytest.mark.parametrize(
    ("constraint", "changes"),
    [
        ("contact_state_is_known", {"state": "odd"}),
        ("contact_has_an_outcome_exactly_when_done", {"outcome": "reached"}),
        ("contact_has_an_outcome_exactly_when_done", {"state": "done", "done_at": NOW}),
        ("contact_is_leased_exactly_while_dialled", {"state": "dialling"}),
        ("contact_is_leased_exactly_while_dialled", {"lease_until": LATER}),
        ("contact_outcome_is_known", {"state": "done", "done_at": NOW, "outcome": "splendid"}),
        ("contact_number_is_e164", {"number": "07700 900123"}),
        ("contact_is_called_about_something", {"subject": ""}),
    ],
)
def test_contact_rules(constraint: str, changes: dict[str, Any]) -> None:
    draft = made.campaign(starts=False)
    refused(constraint, lambda: contact(campaign=draft, **changes))


def test_a_campaign_calls_about_something_once() -> None:
    draft = made.campaign(starts=False)
    contact(campaign=draft)
    refused("campaign_calls_about_something_once", lambda: contact(campaign=draft))
