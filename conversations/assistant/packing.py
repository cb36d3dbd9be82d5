"""The package that goes into the line with a need, and is renewed while it waits there."""

from __future__ import annotations

from django.utils.translation import gettext as _
from django.utils.translation import override

from conversations.assistant import later
from conversations.assistant.brain import HandOff
from conversations.assistant.preparing import Prepared
from conversations.assistant.wrap_up import package
from conversations.models import Handoff
from conversations.services import callbacks, handoff
from conversations.services.handoff import Package
from routing.models import Decision


def request(prepared: Prepared, decision: Decision, *, handing: HandOff) -> Handoff:
    """Puts the need into the line, or refreshes the package of the one that waits."""
    told = _packed(prepared, decision, handing)
    waiting = handoff.request(prepared.conversation, decision, told, interaction=prepared.interaction)
    if handing.message:
        # Nobody waits who could be called back instead: a second promise would contradict the first.
        handoff.wait_on(prepared.conversation)
    return waiting


def refresh(prepared: Prepared, *, why: str = "", next_step: str = "") -> None:
    """Adds what the customer said meanwhile to the package of the work that waits; its place stays.

    `why` and `next_step` are as usual when empty.
    """
    decision = prepared.handoff.work_item.decision if prepared.handoff else None
    if prepared.handoff is None or decision is None:
        return
    conversation, line, work = prepared.conversation, prepared.interaction, prepared.handoff.work_item
    told = _packed(prepared, decision, HandOff(why=why, next_step=next_step))
    # Whoever speaks is on a call.
    is_on_call = work.kind == handoff.CALL and prepared.context.spoken
    is_same_kind = is_on_call or work.kind in (callbacks.KIND_OF_WORK, handoff.kind_of_work(conversation))
    if not is_same_kind or not handoff.repack(conversation, work, told, interaction=line):
        handoff.request(conversation, decision, told, interaction=line)


def _packed(prepared: Prepared, decision: Decision, handing: HandOff) -> Package:
    """The package for colleagues, so in the company's language and not in the customer's."""
    with override(prepared.entry_point.language):
        why, next_step = handing.why, handing.next_step
        if handing.message:
            why = _("A form is filled in. The customer was told what comes of it, and does not wait.")
            next_step = _("Go on with what they filled in: %(form)s.") % {"form": next_step}
        return package(
            prepared.conversation, decision, prepared.context.facts,
            behaviour=prepared.context.behaviour, why=why, next_step=next_step,
            waiting=later.as_told(handing.form_state or prepared.state, prepared.context.besides),
        )  # fmt: skip
