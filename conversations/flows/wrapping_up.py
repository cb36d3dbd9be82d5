"""After the talking comes the writing-up: the person's work follows the lines to the customer."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from conversations.models import Conversation, Interaction
from conversations.selectors.limbo import owned_without_work
from conversations.services import delivery, handoff, ownership, threads, timeline, weaving
from conversations.services.timeline import NewEntry
from routing.models import WorkItem
from routing.services import reservations


def end(interaction: Interaction, *, reason: str, at: datetime | None = None, seconds: int | None = None) -> bool:
    """Ends an interaction once; says whether this call did it. The wrap-up may follow, see `begin_when_over`.

    `seconds` is how long the transport says it was.
    """
    ended = threads.end_interaction(interaction, reason=reason, at=at, seconds=seconds)
    if ended:
        begin_when_over(interaction)
    return ended


def begin_when_over(ended: Interaction) -> None:
    """Begins the wrap-up of the person who has the conversation, when this was its last open line.

    What waits for a person because of a call that is over waits on as no call: it takes no more of somebody than it will.
    A transaction of its own: work is locked before its conversation, so call it after the one that ended the line.
    """
    conversation = Conversation.objects.get(interactions=ended.pk)
    if not conversation.interactions.exclude(state=Interaction.State.ENDED).exists():
        reservations.wrap_up(conversation.public_id.hex)
    if ended.channel == "voice":
        handoff.let_the_line_go(conversation)


def talk_again_after_commit(conversation: Conversation) -> None:
    """The customer is back: a person who has the conversation is talking again, once the transaction is committed."""
    if conversation.owner_kind == Conversation.Owner.HUMAN:
        transaction.on_commit(lambda: reservations.talk_again(conversation.public_id.hex), robust=True)


def leave_nobody_without_work(conversation: Conversation) -> bool:
    """Ends what a person has in name only, since the time for writing up ran out: closed without an outcome.

    Should the customer be back at that moment, the work begins again instead, with whoever had it or in its line. Says whether
    it did either. Locks all the conversation's work, then its row, as closing does.
    """
    if conversation.status == Conversation.Status.CLOSED or conversation.owner_kind != Conversation.Owner.HUMAN:
        return False
    with transaction.atomic():
        row = ownership.lock_with_work(conversation)
        if not owned_without_work([row.pk]):
            return False
        ended = WorkItem.objects.filter(subject=row.public_id.hex).select_related("decision", "preferred_agent").order_by("-pk").first()
        if ended is not None and row.interactions.exclude(state=Interaction.State.ENDED).exists():
            weaving.begin_work_again(row, None, ended)
            return True
        if row.owner_agent is not None:
            sentence = _("%(name)s's time for writing up ran out, so this was closed without an outcome.")
            words = sentence % {"name": row.owner_agent.display_name}
            timeline.append(row.pk, NewEntry(kind="wrap_up.ended", actor_kind="system", audience="staff", body=words))
        threads.close(row, actor_kind="system", actor_name="", disposition=None)
        transaction.on_commit(lambda: delivery.deliver(row.pk))
    return True
