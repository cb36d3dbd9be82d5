"""The life of a campaign and of those it calls. Each step is committed before the next one that cannot be taken back.

Locks: a campaign's row before customers; the lock of the pace, under which whoever is called next is chosen, before the contact.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

import jsonschema
from django.conf import settings
from django.db import transaction
from django.db.models import Count, F, Min, Q
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext as _
from django_celery_beat.models import PeriodicTask

from conversations.models import Audience, CallingPolicy, Campaign, CampaignContact, Customer, DialAttempt, EntryPoint, Interaction
from conversations.models.consent import Purpose, Way
from conversations.models.dial_attempt import DialOutcome
from conversations.selectors import audiences, calling_hours, roll_out
from conversations.selectors.calling_hours import Closed
from conversations.services import consent, openings
from conversations.services.dial_attempts import MAY_BE_A_MACHINE
from conversations.services.dialing import ASKED_FOR, DialRefused
from routing import advisory
from routing.selectors.board import who_has_room

PACE: Final = "conversations.campaigns.pace"
LEASE: Final = timedelta(minutes=3)
"""How long a worker has for a call to be permitted and placed; what takes longer is taken up by another one."""
ROUND_TASK: Final = "conversations.tasks.begin_campaign_round"
LIVE_VOICE: Final = "live_voice"
MOST_PREVIEWED: Final = 200
CLOSED: Final = timedelta(days=1)
PUT_OFF_AT_ONCE: Final = 500
REFUSED_AGAIN_AFTER: Final = timedelta(hours=1)
NOT_TRIED_AGAIN: Final = frozenset(
    {DialOutcome.REACHED, DialOutcome.ANSWERED, DialOutcome.WRONG_PERSON, DialOutcome.OPTED_OUT, DialOutcome.MESSAGE_LEFT}
)


class NotPossible(ValueError):
    """The campaign cannot be started, paused or stopped now; the message says why."""


@dataclass(frozen=True, slots=True)
class Preview:
    """Whom a campaign would call: all found, how many have a number, and of the first of them whether they may be called."""

    found: int
    with_number: int
    looked_at: int
    may_be_called: int
    refused: dict[str, int] = field(default_factory=dict)


def check_filters(audience: Audience) -> None:
    """Raises jsonschema.ValidationError for a filter that the audience's source does not know."""
    jsonschema.validate(audience.filters, audiences.FILTERS[audience.source])


def preview(audience: Audience, *, purpose: str, offers: bool = False) -> Preview:
    """Whom an audience finds now, and whether the first 200 of them have agreed to be called. Writes nothing."""
    total, with_number = audiences.count(audience)
    refused: Counter[str] = Counter()
    looked_at = 0
    for each in audiences.found(audience):
        if looked_at == MOST_PREVIEWED:
            break
        if not each.number:
            continue
        looked_at += 1
        code = _refusal(Customer.objects.get(pk=each.customer_id), each.number, purpose, offers)
        if code:
            refused[code] += 1
    return Preview(total, with_number, looked_at, looked_at - refused.total(), dict(refused))


def start(campaign: Campaign, *, by: str) -> int:
    """Starts a draft, or goes on after a pause; a start looks for its audience. Returns how many are to be called.

    One transaction; locks the campaign's row. Raises NotPossible.
    """
    with transaction.atomic():
        row = Campaign.objects.select_for_update().select_related("audience", "entry_point").get(pk=campaign.pk)
        if row.state not in (Campaign.State.DRAFT, Campaign.State.PAUSED):
            raise NotPossible(_("Only a draft or a campaign that pauses can be started."))
        if row.ends_at and row.ends_at <= timezone.now():
            raise NotPossible(_("Its end has passed. Choose a later one first."))
        if empty := openings.empty_places(row.entry_point, row.purpose, row.audience.source):
            why = _(
                "What is said for this purpose needs %(places)s, which this audience does not know. Choose another audience or purpose, or"
                " write an opening for it in the playbook."
            )
            raise NotPossible(why % {"places": ", ".join(f"{{{place}}}" for place in sorted(empty))})
        is_first = row.state == Campaign.State.DRAFT
        Campaign.objects.filter(pk=row.pk).update(
            state=Campaign.State.RUNNING, started_at=row.started_at or Now(), **({"made_by": by[:200]} if is_first else {})
        )
        row.refresh_from_db()
        if is_first:
            add_contacts(row)
        _schedule(row)
    return row.contacts.filter(state=CampaignContact.State.WAITING).count()


def pause(campaign: Campaign) -> None:
    """Calls nobody from now on until it is started again: no permission to dial is younger than this. Raises NotPossible."""
    _leave(campaign, Campaign.State.PAUSED, from_states=(Campaign.State.RUNNING,))


def stop(campaign: Campaign) -> None:
    """Ends it for good; whoever was not called is not called. Calls that are going on go on. Raises NotPossible."""
    _leave(campaign, Campaign.State.STOPPED, from_states=(Campaign.State.RUNNING, Campaign.State.PAUSED))


def begin_round(number: int) -> int:
    """Adds those a running campaign's audience finds now and did not find before; returns how many. For beat."""
    with transaction.atomic():
        row = Campaign.objects.select_for_update().select_related("audience").filter(pk=number, state=Campaign.State.RUNNING).first()
        return add_contacts(row) if row else 0


def add_contacts(campaign: Campaign) -> int:
    """A row for everybody the audience finds and the campaign has not; each for the time at which the phone may next be rung.

    Needs the campaign's lock. Returns how many were new.
    """
    before = campaign.contacts.count()
    begins = max(timezone.now(), campaign.starts_at or timezone.now())
    rows = []
    for each in audiences.found(campaign.audience):
        if each.number:
            owner = {"customer_id": each.customer_id, "original_customer_id": each.customer_id}
            rows.append(CampaignContact(campaign=campaign, number=each.number, subject=each.subject, next_at=begins, **owner))
    CampaignContact.objects.bulk_create(rows, batch_size=500, ignore_conflicts=True)
    return campaign.contacts.count() - before


def claim(campaign: Campaign) -> CampaignContact | None:
    """Whoever is to be called next, for this worker alone and for three minutes; None when nobody is, or there is no room.

    One transaction under the lock of the pace; contacts that others hold are passed by.
    """
    with transaction.atomic():
        advisory.lock(PACE)
        row = Campaign.objects.select_related("entry_point").filter(pk=campaign.pk, state=Campaign.State.RUNNING).first()
        if row is None or not _is_time(row) or not _may_speak(row) or not _has_room(row):
            return None
        waiting = row.contacts.filter(state=CampaignContact.State.WAITING, next_at__lte=Now())
        contact = waiting.select_for_update(skip_locked=True, no_key=True).order_by("next_at", "pk").first()
        if contact is None:
            return None
        contact.state = CampaignContact.State.DIALLING
        contact.lease_until = timezone.now() + LEASE
        contact.save(update_fields=["state", "lease_until"])
    return CampaignContact.objects.select_related("campaign__entry_point", "customer").get(pk=contact.pk)


def wait_for_hours(contact: CampaignContact) -> bool:
    """Whether a contact's phone may not be rung for the hour or the day alone; then it waits until it may, and nothing is written.

    So do the other contacts of the campaign whose turn it is and whose phones may not be rung now, some hundreds at a time. The gate
    is asked all the same of whoever is called.
    """
    if not CallingPolicy.objects.filter(purpose=contact.campaign.purpose, keeps_hours=True).exists():
        return False
    now = timezone.now()
    mine = {contact.pk: (contact.number, calling_hours.zones_of(contact.number, contact.customer))}
    closed = calling_hours.closed_now(mine, now)
    if contact.pk not in closed:
        return False
    give_back(contact, next_at=closed[contact.pk].opens or now + CLOSED, refusal=closed[contact.pk].why)
    due = CampaignContact.objects.filter(campaign=contact.campaign_id, state=CampaignContact.State.WAITING, next_at__lte=now)
    others = due.select_related("customer").order_by("next_at", "pk")[:PUT_OFF_AT_ONCE]
    phones = {each.pk: (each.number, calling_hours.zones_of(each.number, each.customer)) for each in others}
    together: dict[Closed, list[int]] = {}
    for number, each in calling_hours.closed_now(phones, now).items():
        together.setdefault(each, []).append(number)
    for each, numbers in together.items():
        due.filter(pk__in=numbers).update(next_at=each.opens or now + CLOSED, refusal=each.why)
    return True


def waiting_for_hours(campaign: Campaign) -> tuple[int, datetime | None]:
    """How many contacts wait for an hour at which their phones may be rung, and when the first of them may. One statement."""
    kept = {"state": CampaignContact.State.WAITING, "refusal__in": ["hours", "holiday"], "next_at__gt": Now()}
    found = campaign.contacts.filter(**kept).aggregate(Count("pk"), Min("next_at"))
    return found["pk__count"], found["next_at__min"]


def somebody_is_due() -> bool:
    """Whether a campaign that runs has somebody to call now, if there is room."""
    waiting = CampaignContact.objects.filter(state=CampaignContact.State.WAITING, next_at__lte=Now())
    return waiting.filter(campaign__state=Campaign.State.RUNNING).exists()


def hold_running(campaign_id: int) -> bool:
    """Whether a campaign runs, which it then does until the transaction ends: whoever pauses it waits."""
    return Campaign.objects.select_for_update(no_key=True).filter(pk=campaign_id, state=Campaign.State.RUNNING).first() is not None


def dialled(contact: CampaignContact, attempt: DialAttempt) -> None:
    """Names the permission with which a contact is called; it counts as a try."""
    CampaignContact.objects.filter(pk=contact.pk, state=CampaignContact.State.DIALLING).update(
        attempt=attempt, attempts=F("attempts") + 1, refusal=""
    )


def give_back(contact: CampaignContact, *, next_at: datetime | None = None, refusal: str = "") -> None:
    """Puts a contact back among those to be called, unless it is done."""
    changes: dict[str, Any] = {"next_at": next_at} if next_at else {}
    CampaignContact.objects.filter(pk=contact.pk, state=CampaignContact.State.DIALLING).update(
        state=CampaignContact.State.WAITING, lease_until=None, attempt=None, refusal=refusal, **changes
    )


def done(contact: CampaignContact, outcome: str, *, refusal: str = "") -> None:
    """Ends a contact with its outcome, once."""
    CampaignContact.objects.filter(pk=contact.pk).exclude(state=CampaignContact.State.DONE).update(
        state=CampaignContact.State.DONE, outcome=outcome, refusal=refusal, lease_until=None, done_at=Now()
    )


def refused(contact: CampaignContact, why: DialRefused) -> None:
    """The gate refused it: later, when what is in the way passes by itself, otherwise not at all."""
    if not why.passes:
        done(contact, CampaignContact.Outcome.NOT_ALLOWED, refusal=why.code)
        return
    now = timezone.now()
    soonest = now + (timedelta(minutes=1) if why.code in ("hours", "holiday") else REFUSED_AGAIN_AFTER)
    zones = calling_hours.zones_of(contact.number, contact.customer)
    give_back(contact, next_at=calling_hours.next_time(contact.number, zones, soonest) or now + CLOSED, refusal=why.code)


def settle(contact: CampaignContact) -> bool:
    """What follows from how the call of a contact ended: another try later, or that it is done; says whether it has ended."""
    attempt = DialAttempt.objects.filter(contact=contact, ended_at__isnull=False).first()
    if attempt is None or contact.state != CampaignContact.State.DIALLING:
        return False
    minutes = contact.campaign.again_after(attempt.outcome)
    if attempt.outcome in NOT_TRIED_AGAIN or minutes is None or contact.attempts >= contact.campaign.most_attempts:
        done(contact, attempt.outcome)
    else:
        give_back(contact, next_at=timezone.now() + timedelta(minutes=minutes))
    return True


def correct(attempt: DialAttempt) -> None:
    """A contact that is done keeps the outcome of its last try, which was corrected; it stays done."""
    done_with = CampaignContact.objects.filter(attempt=attempt, state=CampaignContact.State.DONE)
    done_with.filter(outcome__in=MAY_BE_A_MACHINE).update(outcome=attempt.outcome)


def ended_calls() -> list[Interaction]:
    """Calls of contacts that are over and were not looked at since."""
    over = Interaction.objects.filter(dial_attempt__ended_at__isnull=False, dial_attempt__contact__state=CampaignContact.State.DIALLING)
    return list(over.order_by("pk")[:500])


def take_back_claims() -> int:
    """Contacts that a worker claimed and never had permitted, since it died: others may call them. Returns how many."""
    dead = CampaignContact.objects.filter(state=CampaignContact.State.DIALLING, attempt__isnull=True, lease_until__lt=Now())
    return dead.update(state=CampaignContact.State.WAITING, lease_until=None)


def finish_those_that_are_over() -> int:
    """Ends campaigns whose time is over or that have nobody left to call and will find nobody else; returns how many."""
    ended = 0
    for campaign in Campaign.objects.filter(state__in=[Campaign.State.RUNNING, Campaign.State.PAUSED]):
        is_late = campaign.ends_at is not None and campaign.ends_at <= timezone.now()
        left = campaign.contacts.exclude(state=CampaignContact.State.DONE)
        is_through = campaign.state == Campaign.State.RUNNING and campaign.repeats_id is None and not left.exists()
        if is_late or is_through:
            _leave(campaign, Campaign.State.FINISHED, from_states=(Campaign.State.RUNNING, Campaign.State.PAUSED))
            ended += 1
    return ended


def progress(campaign: Campaign) -> dict[str, int]:
    """How many contacts there are in each state, and of those that are done with each outcome. One statement."""
    counted = campaign.contacts.values_list("state", "outcome").annotate(Count("pk"))
    return {(outcome or state): number for state, outcome, number in counted}


def _refusal(customer: Customer, number: str, purpose: str, offers: bool) -> str:
    asked = ("phone", number)
    answer = consent.may_we(customer, Purpose.OUTBOUND_CALL, identifier=asked, by_request=purpose in ASKED_FOR)
    if answer.allowed and offers:
        answer = consent.may_we(customer, Purpose.MARKETING, way=Way.CALL, identifier=asked)
    if not answer.allowed:
        return answer.code
    return "" if calling_hours.zones_of(number, customer) else "unknown_place"


def _is_time(campaign: Campaign) -> bool:
    now = timezone.now()
    return (campaign.starts_at is None or campaign.starts_at <= now) and (campaign.ends_at is None or now < campaign.ends_at)


def _may_speak(campaign: Campaign) -> bool:
    """Whether the AI agent is let at the campaign's number, and nobody has stopped it everywhere."""
    return campaign.entry_point.mode == EntryPoint.Mode.LIVE and roll_out.stop_in_force() is None


def _has_room(campaign: Campaign) -> bool:
    """Whether another call may begin now, by the provider's limit and by who could take it. Needs the lock of the pace."""
    second_ago = timezone.now() - timedelta(seconds=1)
    just_now = Q(at__gt=second_ago)
    live = Q(ended_at__isnull=True)
    counted = DialAttempt.objects.filter(just_now | live).aggregate(
        in_this_second=Count("pk", filter=just_now),
        own_in_this_second=Count("pk", filter=just_now & Q(contact__campaign=campaign)),
        live=Count("pk", filter=live),
    )
    claimed = CampaignContact.objects.filter(state=CampaignContact.State.DIALLING)
    unpermitted = claimed.filter(attempt__isnull=True).count()
    own = claimed.filter(campaign=campaign).count()
    if counted["in_this_second"] + unpermitted >= settings.OUTBOUND_CALLS_PER_SECOND:
        return False
    if counted["own_in_this_second"] >= campaign.calls_per_second or own >= campaign.at_once:
        return False
    if counted["live"] + unpermitted >= settings.OUTBOUND_CALLS_AT_ONCE:
        return False
    return not campaign.needs_people or own < who_has_room(LIVE_VOICE).count()


def _leave(campaign: Campaign, state: str, *, from_states: tuple[str, ...]) -> None:
    with transaction.atomic():
        row = Campaign.objects.select_for_update().get(pk=campaign.pk)
        if row.state not in from_states:
            raise NotPossible(_("It is %(state)s, so that cannot be done.") % {"state": row.get_state_display().lower()})
        is_over = state in (Campaign.State.STOPPED, Campaign.State.FINISHED)
        Campaign.objects.filter(pk=row.pk).update(state=state, **({"ended_at": Now()} if is_over else {}))
        if is_over:
            row.contacts.filter(state=CampaignContact.State.WAITING).update(
                state=CampaignContact.State.DONE, outcome=CampaignContact.Outcome.STOPPED, done_at=Now()
            )
        row.refresh_from_db()
        _schedule(row)


def _schedule(campaign: Campaign) -> None:
    """Has beat look for the audience again while the campaign runs, when it repeats."""
    if campaign.repeats is None:
        return
    task, _is_new = PeriodicTask.objects.update_or_create(
        name=f"campaign {campaign.public_id}",
        defaults={
            "task": ROUND_TASK,
            "crontab": campaign.repeats,
            "args": json.dumps([campaign.pk]),
            "enabled": campaign.state == Campaign.State.RUNNING,
        },
    )
    Campaign.objects.filter(pk=campaign.pk).update(round_task=task)

