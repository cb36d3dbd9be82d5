"""Campaigns at work: whoever is next is claimed, permitted, rung; what ended is settled; what a dead process left is taken up.

Claim, permission and dialling are each committed before the next: a process that is killed in between leaves a contact that is
called later, or an attempt that counted and came to nothing, and never two calls.
"""

from __future__ import annotations

import logging
import time
from typing import Final

from django.db import transaction
from django.utils.translation import gettext as _

from conversations.flows import wrapping_up
from conversations.models import Campaign, CampaignContact, Conversation, Customer, DialAttempt, Interaction
from conversations.models.calling_rules import CallPurpose
from conversations.models.dial_attempt import DialOutcome
from conversations.selectors import audiences
from conversations.services import action_items, call_state, campaigns, delivery, dial_attempts, dialing, speaking, threads, timeline
from conversations.services.action_items import By
from conversations.services.dialing import DialRefused, Wanted
from conversations.services.timeline import NewEntry
from conversations.understanding.languages import LANGUAGES

logger = logging.getLogger(__name__)
PASS_SECONDS: Final = 4.0
BREATH_SECONDS: Final = 0.25
NOT_PLACED: Final = "not_placed"
LOST: Final = "lost"


def run(*, seconds: float = PASS_SECONDS) -> int:
    """One pass, for so long as beat waits until the next: settles, and calls as many as pace and room allow; returns how many."""
    until = time.monotonic() + seconds
    rung = 0
    while True:
        look_after()
        running = Campaign.objects.filter(state=Campaign.State.RUNNING).order_by("pk")
        calls = [call_next(campaign) for campaign in running]
        rung += sum(calls)
        if time.monotonic() >= until or not campaigns.somebody_is_due():
            return rung
        if not any(calls):
            time.sleep(min(BREATH_SECONDS, max(0.0, until - time.monotonic())))


def look_after() -> None:
    """Ends what was lost, settles calls that are over, and ends campaigns that are through."""
    for attempt in dial_attempts.lost().select_related("interaction"):
        if attempt.interaction and attempt.interaction.state != Interaction.State.ENDED:
            wrapping_up.end(attempt.interaction, reason=LOST)
        dial_attempts.end(attempt, DialOutcome.LOST)
    campaigns.take_back_claims()
    for call in campaigns.ended_calls():
        settle(call)
    campaigns.finish_those_that_are_over()


def call_next(campaign: Campaign) -> bool:
    """Calls whoever is next, if anybody is and there is room; says whether somebody was claimed.

    Whose phone may not be rung at this hour waits for theirs, and the next one is looked at.
    """
    contact = campaigns.claim(campaign)
    while contact is not None and campaigns.wait_for_hours(contact):
        contact = campaigns.claim(campaign)
    if contact is None:
        return False
    call_claimed(contact)
    return True


def call_claimed(contact: CampaignContact) -> None:
    """Calls somebody who was claimed, when they may be called and the campaign still runs."""
    call = _begin(contact)
    if call is None:
        return
    try:
        delivery.ring(call)
    except delivery.NotRung as problem:
        logger.warning("campaign_call_not_placed", extra={"contact": contact.pk, "why": str(problem)})
        wrapping_up.end(call, reason=NOT_PLACED)
        settle(call)


def settle(call: Interaction) -> None:
    """The call is over: its contact is done or called again later, and a promise to call back is kept when somebody was reached."""
    contact = CampaignContact.objects.select_related("campaign", "customer", "attempt").filter(attempt__interaction=call).first()
    if contact is None or contact.attempt is None or not campaigns.settle(contact):
        return
    _tell(call, contact, contact.attempt)
    item = audiences.call_back_of(contact)
    if item and contact.attempt.outcome == DialOutcome.REACHED:
        action_items.finish(item, by=By("assistant", call.entry_point.company_name))


def correct(call: Interaction) -> None:
    """The platform tells after the end of a call that a machine picked it up: the attempt and the history say so. Idempotent."""
    with transaction.atomic():
        attempt = dial_attempts.correct(call)
        if attempt is None:
            return
        campaigns.correct(attempt)
        contact = CampaignContact.objects.select_related("campaign").filter(attempt=attempt).first()
        if contact is not None:
            _tell(call, contact, attempt)


def _tell(call: Interaction, contact: CampaignContact, attempt: DialAttempt) -> None:
    """Says in the history for staff what became of the call."""
    told = {"campaign": contact.campaign.name, "outcome": attempt.get_outcome_display()}
    timeline.append(
        call.conversation_id,
        NewEntry(
            kind="call.outcome",
            actor_kind="system",
            audience="staff",
            body=_("%(campaign)s: %(outcome)s.") % told,
            interaction=call,
            source_id=f"outcome:{attempt.public_id.hex}:{attempt.outcome}",
            data={"purpose": attempt.purpose, "outcome": attempt.outcome},
        ),
    )


def _begin(contact: CampaignContact) -> Interaction | None:
    """The call's line with its permission, not rung yet; None when it is not to be called now.

    One transaction: locks the campaign, the customer, what the gate locks, and the conversation.
    """
    campaign = contact.campaign
    with transaction.atomic():
        if not campaigns.hold_running(campaign.pk):
            campaigns.give_back(contact)
            return None
        if not contact.number or audiences.details_of(contact) is None:
            campaigns.done(contact, CampaignContact.Outcome.NOT_NEEDED)
            return None
        wanted = Wanted(
            contact.customer,
            contact.number,
            campaign.entry_point,
            CallPurpose(campaign.purpose),
            subject=contact.subject,
            offers=campaign.offers,
        )
        try:
            attempt = dialing.permit(wanted)
        except DialRefused as refused:
            campaigns.refused(contact, refused)
            return None
        call = _line(contact, threads.open_or_resume(attempt.customer))
        dial_attempts.attach(attempt, call)
        _choose_language(call, attempt.customer)
        campaigns.dialled(contact, attempt)
    return call


def _choose_language(call: Interaction, customer: Customer) -> None:
    """The call begins in the customer's language where the playbook speaks it and nothing else was chosen in the conversation."""
    language, usual = customer.language, call.entry_point.language.partition("-")[0]
    if call.conversation.language or language == usual or language not in LANGUAGES or not call.entry_point.playbook.speaks(language):
        return
    speaking.choose(call.conversation, language, interaction=call, named=LANGUAGES[language])


def _line(contact: CampaignContact, conversation: Conversation) -> Interaction:
    said = {"campaign": contact.campaign_id, "campaign_stage": call_state.WHO_IS_IT}
    return threads.start_call_to(conversation, contact.number, entry_point=contact.campaign.entry_point, data=said)
