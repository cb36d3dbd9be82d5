"""What was promised for later happens: calls at a chosen time go into the line, qualified needs to whoever sells."""

from __future__ import annotations

import logging
from datetime import datetime

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from conversations.assistant import wrap_up
from conversations.assistant.need_of import need_of
from conversations.assistant.preparing import decide_and_note
from conversations.connectors import registry
from conversations.connectors.base import ConnectorError
from conversations.connectors.desk import KeepLead
from conversations.models import ActionItem, Qualification
from conversations.services import action_items, callbacks, facts, handoff, qualifying, records, threads
from routing.models import WorkItem
from routing.selectors import untaken

logger = logging.getLogger(__name__)
AT_ONCE = 100


def call_back_in_time() -> int:
    """Gives every call back whose time has come to people, once; returns how many."""
    return sum(_give(item) for item in action_items.due_call_backs().select_related("customer")[:AT_ONCE])


def send_leads() -> int:
    """Sends what was qualified to the lead system; returns how many it confirmed."""
    return sum(_send(number) for number in qualifying.due().values_list("pk", flat=True)[:AT_ONCE])


def _give(item: ActionItem) -> bool:
    """Puts the customer's conversation into the line, with what the call is about. One transaction.

    Locks the customer, then the conversation with its work. A call that nobody could be given to is tried again.
    """
    with transaction.atomic():
        customer = records.lock_root(item.customer)
        if not action_items.claim(item):
            return False
        conversation = threads.open_or_resume(customer)
        line = item.interaction
        if line is None:
            return False
        known = facts.known(conversation)
        need = need_of(conversation, known, opening=line.entry_point.hours, now=timezone.now(), asked_for_human=True)
        decision = decide_and_note(conversation, need, line)
        if decision.queue is None:
            logger.error("call_back_goes_nowhere", extra={"item": item.pk, "rule": decision.rule_id})
            transaction.set_rollback(True)
            return False
        next_step = _("Call back now: %(title)s") % {"title": item.title}
        package = wrap_up.package(conversation, decision, known, next_step=next_step)
        handoff.request(
            conversation,
            decision,
            package,
            interaction=line,
            preferred_agent=item.owner,
            calls_back=untaken.is_taken(decision.queue, callbacks.KIND_OF_WORK),
            since=_waited_since(item),
        )
    return True


def _waited_since(item: ActionItem) -> datetime | None:
    """Since when somebody has waited who was called back before and not reached: they keep their place."""
    if item.interaction is None or "call_back" not in item.interaction.data:
        return None
    before = WorkItem.objects.filter(subject=item.conversation.public_id.hex, kind=callbacks.KIND_OF_WORK).order_by("-pk")
    return before.values_list("enqueued_at", flat=True).first()


def _send(number: int) -> bool:
    """Sends one; says whether it was confirmed. An error's text may quote the person, so only a word of it is kept."""
    row = qualifying.claim(number)
    if row is None:
        return False
    try:
        kept = registry.desk().keep_lead(_lead(row))
    except ConnectorError as error:
        qualifying.note_failure(row, error=error.code, permanent=error.permanent)
    except Exception as error:
        qualifying.note_failure(row, error=type(error).__name__, permanent=False)
        logger.error("lead_not_sent", extra={"error": type(error).__name__})
    else:
        qualifying.confirm(row, reference=kept.reference)
        return True
    return False


def _lead(row: Qualification) -> KeepLead:
    return KeepLead(
        customer=row.conversation.customer.public_id,
        conversation=row.conversation.public_id,
        form=row.form_name,
        score=row.score,
        answers={str(fact): str(answer) for fact, answer in row.answers.items()},
        idempotency_key=f"lead:{row.conversation.public_id.hex}:{row.form}",
    )
