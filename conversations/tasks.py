"""Sweeps over what happened: each calls one function."""

import logging

from celery import shared_task

from conversations.assistant import recap, turn
from conversations.flows import calling_back, calling_customers, campaigning, erasing, keeping_promises, overflowing, tidying
from conversations.services import campaigns, linkage, retention, suggestions
from conversations.voice import call_back_call, fetching, leaving, reconciling, texting
from conversations.voice.gateway import GatewayError

logger = logging.getLogger(__name__)


@shared_task
def finish_turns() -> int:
    """Finishes answers whose process died: see conversations.assistant.turn.sweep."""
    return turn.sweep()


@shared_task
def write_wrap_ups() -> int:
    """See conversations.assistant.recap.sweep."""
    return recap.sweep()


@shared_task
def end_silent_interactions() -> int:
    """See conversations.flows.tidying.end_silent_interactions."""
    return tidying.end_silent_interactions()


@shared_task
def end_lost_legs() -> int:
    """See conversations.voice.leaving.look_after_calls."""
    return leaving.look_after_calls()


@shared_task
def tell_of_calls() -> int:
    """See conversations.flows.calling_back.tell_of_calls."""
    return calling_back.tell_of_calls()


@shared_task
def reconcile_calls() -> int:
    """Returns how many calls ended because of it. See conversations.voice.reconciling.reconcile; without a platform there is nothing."""
    try:
        return reconciling.reconcile().ended
    except GatewayError as error:
        logger.warning("calls_not_reconciled", extra={"error": str(error)})
        return 0


@shared_task
def close_quiet_conversations() -> int:
    """See conversations.flows.tidying.close_quiet_conversations."""
    return tidying.close_quiet_conversations()


@shared_task
def leave_nobody_without_work() -> int:
    """See conversations.flows.tidying.leave_nobody_without_work."""
    return tidying.leave_nobody_without_work()


@shared_task
def tell_of_call_backs() -> int:
    """See conversations.flows.overflowing.tell_everybody."""
    return overflowing.tell_everybody()


@shared_task(time_limit=7_200)
def suggest_matches() -> int:
    """Notes the records that may be one person; returns how many pairs. See conversations.services.suggestions.suggest.

    Without the extra, or with too little to learn from, there is nothing to suggest.
    """
    try:
        return sum(1 for _suggested in suggestions.suggest())
    except (linkage.NotInstalled, linkage.TooFew):
        return 0


@shared_task(time_limit=7_200)
def erase_person(number: int) -> str:
    """Begins an erasure that was just asked for: see conversations.flows.erasing.run. `erase_people` goes on with what is left."""
    return erasing.run(number)


@shared_task(time_limit=7_200)
def erase_people() -> int:
    """See conversations.flows.erasing.sweep."""
    return erasing.sweep()


@shared_task
def ask_connectors() -> int:
    """See conversations.flows.erasing.ask_connectors."""
    return erasing.ask_connectors()


@shared_task
def call_back_in_time() -> int:
    """See conversations.flows.keeping_promises.call_back_in_time."""
    return keeping_promises.call_back_in_time()


@shared_task
def keep_call_backs() -> int:
    """Calls that people make: see conversations.voice.call_back_call.begin_what_was_missed and flows.calling_customers."""
    return call_back_call.begin_what_was_missed() + calling_customers.settle_what_was_missed()


@shared_task
def send_forgotten_texts() -> int:
    """See conversations.voice.texting.send_forgotten."""
    return texting.send_forgotten()


@shared_task
def send_leads() -> int:
    """See conversations.flows.keeping_promises.send_leads."""
    return keeping_promises.send_leads()


@shared_task
def run_campaigns() -> int:
    """See conversations.flows.campaigning.run."""
    return campaigning.run()


@shared_task
def begin_campaign_round(number: int) -> int:
    """See conversations.services.campaigns.begin_round; beat calls it by the schedule of the campaign."""
    return campaigns.begin_round(number)


@shared_task
def apply_retention() -> None:
    """See conversations.services.retention.apply."""
    retention.apply()


@shared_task
def fetch_recordings() -> int:
    """See conversations.voice.fetching.fetch_due."""
    return fetching.fetch_due()


@shared_task
def delete_recordings_at_the_platform() -> int:
    """See conversations.voice.fetching.delete_copies."""
    return fetching.delete_copies()
