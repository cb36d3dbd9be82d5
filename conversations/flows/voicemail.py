"""A message that a caller left becomes part of the history, and a call back in the line where they waited."""

from __future__ import annotations

from django.db import transaction
from django.utils.translation import gettext as _

from conversations.models import CallRecording, Conversation, Interaction
from conversations.services import callbacks, handoff, ownership, records, timeline
from conversations.services.timeline import NewEntry
from routing import clock
from routing.models import Decision, WorkItem
from routing.need import Need
from routing.services.decide import NoPublishedRules, decide
from routing.services.service_levels import deadline, service_level_of


def file(row: CallRecording, *, prompt: str) -> bool:
    """Writes that a message was left, once, and has the caller called back on the number that they called from; says whether it was new.

    `prompt` is what they were told before the tone, which they answered by leaving a message. Who is with a person already is not
    queued. Who has withheld the number, or wants no calls, is not called back, so the message waits to be listened to: as work of
    another kind than a call, for nobody holds the line. One transaction; locks the customer, then the conversation with its work.
    """
    with transaction.atomic():
        call = Interaction.objects.select_related("conversation__customer", "entry_point").get(pk=row.interaction_id)
        records.lock_root(call.conversation.customer)
        conversation = ownership.lock_with_work(call.conversation)
        length = "" if row.seconds is None else _("%(seconds)d s") % {"seconds": row.seconds}
        new = NewEntry(
            kind="voicemail",
            actor_kind="customer",
            audience="staff",
            body=" ".join(filter(None, [_("Left a message."), length])),
            interaction=call,
            occurred_at=row.began_at,
            source_id=f"voicemail:{row.recording_id}",
            data={"recording": row.recording_id, "duration_seconds": row.seconds or 0},
        )
        if timeline.append(conversation.pk, new).repeated:
            return False
        if conversation.owner_kind != Conversation.Owner.HUMAN and conversation.status == Conversation.Status.OPEN:
            _call_back(conversation, call, prompt=prompt, once=f"voicemail:{row.recording_id}:call-back")
    return True


def _call_back(conversation: Conversation, call: Interaction, *, prompt: str, once: str) -> None:
    work = _work_of(conversation) or _begun(conversation, call)
    if work is None:
        return
    if not call.party.startswith("+"):
        handoff.wait_on(conversation)
        return
    by = deadline(clock.now(), service_level_of(work.decision, work.queue), work.queue.hours)
    try:
        with transaction.atomic():
            callbacks.choose(conversation, call, call.party, by, wording=prompt, source_id=once)
    except callbacks.NoPlace:
        return
    except callbacks.NotWanted:
        handoff.wait_on(conversation)


def _work_of(conversation: Conversation) -> WorkItem | None:
    waiting = WorkItem.objects.filter(subject=conversation.public_id.hex, state__in=(WorkItem.State.QUEUED, WorkItem.State.RESERVED))
    return waiting.select_related("queue__hours", "decision").first()


def _begun(conversation: Conversation, call: Interaction) -> WorkItem | None:
    """Work for somebody who waited for nobody, in the queue where their need was to go, else where who asks for a person goes."""
    subject = conversation.public_id.hex
    decision = Decision.objects.filter(subject=subject, queue__isnull=False).order_by("-pk").first()
    if decision is None:
        try:
            decision = decide(Need(asked_for_human=True), subject=subject)
        except NoPublishedRules:
            return None
    if decision.queue is None:
        return None
    package = handoff.Package(why=_("They left a message."), summary="")
    handoff.request(conversation, decision, package, interaction=call)
    return _work_of(conversation)
