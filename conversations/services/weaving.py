"""Two conversations that turn out to be one, and a line that belongs into another one: by links that can be taken back.

Entries stay where they were written. What a joining moves is the live lines, the duty to answer and the place in
routing's line.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.db import transaction
from django.db.models import BigIntegerField, F, Max, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce, Now
from django.utils.translation import gettext as _

from conversations.models import Conversation, ConversationLink, CustomerLink, Entry, Handoff, Interaction, InteractionLink
from conversations.selectors import closeness, history
from conversations.selectors.closeness import WAITING
from conversations.services import announce, facts, handoff, ownership, records, timeline, turns
from conversations.services.timeline import NewEntry
from routing.models import AgentProfile, WorkItem
from routing.services import queueing, reservations
from routing.services.locks import lock_subject


class NotJoinable(ValueError):
    """Two conversations cannot be joined, or kept apart, as they are. Its text is a sentence for the person who asked."""


def join_by_hand(joined: Conversation, into: Conversation, *, reason: str, made_by: str) -> Conversation:
    """Joins two open conversations because a person says that they are about one need; returns the one that goes on.

    The records of their customers stay as they are. One transaction; locks both records, then what `join_with_work` locks.
    Raises NotJoinable.
    """
    with transaction.atomic():
        records.lock_roots(joined.customer, into.customer)
        for each in _locked_with_works(joined, into):
            if each.status != Conversation.Status.OPEN or each.joined_into_id:
                raise NotJoinable(_("%(conversation)s is closed or goes on in another one by now.") % {"conversation": each})
        if joined.pk == into.pk:
            raise NotJoinable(_("This is one conversation already."))
        evidence = {"method": "by_hand", "reason": reason}
        return join_with_work(joined, into, evidence=evidence, made_by=made_by, sentence=reason)


def keep_apart(link: ConversationLink, *, undone_by: str) -> None:
    """Takes one joining of conversations back because a person says so; see `separate`.

    One transaction; locks both records, then what `separate` locks. Raises NotJoinable when it was taken back meanwhile, and
    when one customer would have two open conversations.
    """
    with transaction.atomic():
        ends = ConversationLink.objects.select_related("joined__customer", "into__customer").get(pk=link.pk)
        root, other = records.lock_roots(ends.joined.customer, ends.into.customer)
        row = ConversationLink.objects.select_related("joined", "into").get(pk=link.pk)
        if not row.active:
            raise NotJoinable(_("Somebody has taken this joining back already."))
        if root == other and row.joined.status == Conversation.Status.OPEN:
            raise NotJoinable(_("A customer has one open conversation. Take the joining of the two records back, or close this one first."))
        separate([row], undone_by=undone_by)


def join_conversations(
    joined: Conversation,
    into: Conversation,
    *,
    evidence: Mapping[str, Any],
    made_by: str,
    sentence: str,
    because_of: CustomerLink | None = None,
) -> ConversationLink:
    """Makes one conversation go on in another; its live interactions move there, its entries stay where they are.

    Facts that only the joined one knows become known, and an answer that it owes is owed there. Must run in a
    transaction; locks both in the order of their ids. `because_of` is the joining of records that this follows from.
    """
    rows = _locked(joined.pk, into.pk)
    source, target = rows[joined.pk], rows[into.pk]
    link = ConversationLink.objects.create(
        joined=source, into=target, evidence=timeline.clean(evidence), made_by=made_by, customer_link=because_of
    )
    owed = {"after": source.turn_done_seq, "upto": source.turn_wanted_seq, "whole": True} if _owes(source) else None
    _note(source, target, "conversation.joined", "into", sentence, evidence=dict(evidence))
    Conversation.objects.filter(pk=source.pk).update(joined_into=target, turn_worker="", turn_lease_until=None, turn_attempts=0)
    Interaction.objects.filter(conversation=source).exclude(state=Interaction.State.ENDED).update(conversation=target)
    facts.gather(target.pk)
    turns.carry_state(source, target)
    _note(target, source, "conversation.joined", "from", sentence, owed=owed, evidence=dict(evidence))
    announce.work_changed(source)
    announce.work_changed(target)
    return link


def join_with_work(
    joined: Conversation,
    into: Conversation,
    *,
    evidence: Mapping[str, Any],
    made_by: str,
    sentence: str,
    because_of: CustomerLink | None = None,
) -> Conversation:
    """Joins two conversations and returns the one that goes on.

    That is the one that a person has, else the one that waits for a person, else `into`. Two that wait become one place
    in the line, the more urgent one; a person who had the other one has room again. When somebody was quicker and one of them goes
    on elsewhere by now, nothing is joined. Must run in a transaction; takes the locks of both works, then those of the conversations.
    """
    works = _lock_works(joined, into)
    fresh = Conversation.objects.in_bulk([joined.pk, into.pk])
    if any(each.joined_into_id for each in fresh.values()):
        return fresh[joined.pk].joined_into or fresh[joined.pk]
    source, target = closeness.joined_and_going_on(fresh[joined.pk], fresh[into.pk], works)
    link = join_conversations(source, target, evidence=evidence, made_by=made_by, sentence=sentence, because_of=because_of)
    ended = works.get(source.public_id.hex)
    if ended:
        if ended.state in WAITING and closeness.closeness(target, works) == 1 and ended.decision:
            queueing.enqueue(subject=target.public_id.hex, kind=ended.kind, decision=ended.decision)
        _end_work(ended)
        ConversationLink.objects.filter(pk=link.pk).update(ended_work=ended)
    return target


def move_line(line: Interaction, into: Conversation, *, evidence: Mapping[str, Any], made_by: str, sentence: str) -> None:
    """Has one line go on in another conversation, without the conversation it is in and without its history.

    What was learned on the line and what is owed to it go along; so does its place when it waits for a person. Must run
    in a transaction; takes the locks of both works, then those of the conversations.
    """
    _lock_works(line.conversation, into)
    rows = _locked(line.conversation_id, into.pk)
    origin, target = rows[line.conversation_id], rows[into.pk]
    InteractionLink.objects.create(interaction=line, origin=origin, into=target, evidence=timeline.clean(evidence), made_by=made_by)
    Interaction.objects.filter(pk=line.pk).update(conversation=target)
    facts.gather(origin.pk)
    facts.gather(target.pk)
    turns.carry_state(origin, target)
    _note(origin, target, "interaction.moved", "into", sentence, evidence=dict(evidence))
    _note(target, origin, "interaction.moved", "from", sentence, owed=_owed_in(origin, to=target), evidence=dict(evidence))
    _stop_turn(origin)
    asked = Handoff.objects.filter(conversation=origin, interaction=line, work_item__state__in=WAITING)
    waiting = asked.select_related("work_item__decision", "work_item__preferred_agent").first()
    if waiting:
        _end_work(waiting.work_item)
        _wait_again(target, waiting.work_item)
    announce.work_changed(origin)
    announce.work_changed(target)


def separate(links: Sequence[ConversationLink], *, undone_by: str) -> None:
    """Takes joinings of conversations back: lines, facts, the duty to answer and the work return to where they were.

    A conversation whose customer has another open one by now goes on in that. Must run in a transaction; takes the
    locks of all works, then those of all conversations.
    """
    ends = [each for link in links for each in (link.joined, link.into)]
    ends += _open_ones(link.joined.customer_id for link in links)
    _lock_works(*ends)
    _locked(*(each.pk for each in ends))
    for link in links:
        _separate(link, undone_by)


def _separate(link: ConversationLink, undone_by: str) -> None:
    source, target = (Conversation.objects.get(pk=each) for each in (link.joined_id, link.into_id))
    is_open = source.status == Conversation.Status.OPEN
    successor = _open_ones([source.customer_id]).first() if is_open else None
    ConversationLink.objects.filter(pk=link.pk).update(active=False, undone_at=Now(), undone_by=undone_by)
    done = F("turn_wanted_seq") if _is_answered(source, target) else F("turn_done_seq")
    Conversation.objects.filter(pk=source.pk).update(joined_into=successor, turn_done_seq=done)
    _lines_away_from(source).update(conversation=source)
    facts.gather(source.pk)
    facts.gather(target.pk)
    sentence = _("The two conversations are kept apart again.")
    owed = _owed_in(target, to=source) if is_open else None
    _note(source, target, "conversation.separated", "from", sentence, owed=owed)
    _note(target, source, "conversation.separated", "into", sentence)
    _stop_turn(target)
    if successor:
        reason = str(link.evidence.get("sentence") or sentence)
        join_conversations(
            source, successor, evidence=link.evidence, made_by=link.made_by, sentence=reason, because_of=link.customer_link
        )
    if link.ended_work and is_open:
        begin_work_again(source, successor, link.ended_work)
    announce.work_changed(source)
    announce.work_changed(target)


def _locked(*conversation_ids: int) -> dict[int, Conversation]:
    rows = Conversation.objects.select_for_update(no_key=True).filter(pk__in=conversation_ids).order_by("pk")
    return {row.pk: row for row in rows}


def _locked_with_works(*conversations: Conversation) -> list[Conversation]:
    """The rows of conversations, locked in the order of their ids after the locks of their works."""
    _lock_works(*conversations)
    return list(_locked(*(each.pk for each in conversations)).values())


def _lock_works(*conversations: Conversation) -> dict[str, WorkItem]:
    """Takes the locks of the works, sorted; returns the live ones by subject."""
    subjects = sorted({each.public_id.hex for each in conversations})
    for subject in subjects:
        lock_subject(subject)
    return closeness.live_works(conversations)


def _open_ones(customer_ids: Iterable[int]) -> QuerySet[Conversation]:
    """The conversations in which these customers' next words are filed."""
    return Conversation.objects.filter(customer__in=set(customer_ids), status=Conversation.Status.OPEN, joined_into__isnull=True)


def _lines_away_from(conversation: Conversation) -> QuerySet[Interaction]:
    """The lines that began in a conversation, or were moved into it, or into one that goes on in it, and are elsewhere."""
    here = {conversation.pk, *(each.pk for each in history.going_on_in(conversation.pk))}
    moved = InteractionLink.objects.filter(interaction=OuterRef("pk")).order_by("-pk").values("into")[:1]
    lines = Interaction.objects.annotate(home=Coalesce(Subquery(moved), F("original_conversation"), output_field=BigIntegerField()))
    return lines.filter(home__in=here).exclude(conversation__in=here)


def _note(
    conversation: Conversation,
    other: Conversation,
    kind: str,
    direction: str,
    sentence: str,
    *,
    owed: Mapping[str, Any] | None = None,
    **data: Any,
) -> None:
    """Writes down what happened to two conversations; with what is owed here from now on, an answer becomes due.

    `owed` says which entries of the other one: those after `after` up to `upto`, all of them or only those of lines
    that are here now (`whole`).
    """
    timeline.append(
        conversation.pk,
        NewEntry(
            kind=kind,
            actor_kind="system",
            audience="staff",
            body=sentence,
            data={"conversation": other.public_id.hex, "direction": direction, **data, **({"owed": dict(owed)} if owed else {})},
            wants_turn=owed is not None,
        ),
    )


def _owes(conversation: Conversation) -> bool:
    """Whether the AI agent owes an answer in this conversation."""
    return conversation.owner_kind == Conversation.Owner.ASSISTANT and conversation.turn_wanted_seq > conversation.turn_done_seq


def _owed_in(conversation: Conversation, *, to: Conversation) -> dict[str, Any] | None:
    """What nobody has answered in a conversation of what was said on lines that are in another one now; None when nothing."""
    messages = Entry.objects.filter(conversation=conversation, kind="message", interaction__conversation=to)
    answers = messages.filter(actor_kind=Entry.Actor.AGENT).aggregate(last=Max("seq", default=0))
    after = max(conversation.turn_done_seq, answers["last"])
    words = messages.filter(actor_kind=Entry.Actor.CUSTOMER, seq__gt=after).aggregate(last=Max("seq"))
    return {"after": after, "upto": words["last"], "whole": False} if words["last"] else None


def _is_answered(source: Conversation, target: Conversation) -> bool:
    """Whether what a conversation owed when it was joined into another has been answered there, by the AI agent or a person."""
    within = Entry.objects.filter(conversation=target)
    taken_in = within.filter(kind="conversation.joined", data__conversation=source.public_id.hex, data__direction="from")
    note = taken_in.order_by("-seq").first()
    if note is None or "owed" not in note.data:
        return False
    answers = within.filter(kind="message", actor_kind=Entry.Actor.AGENT, interaction__original_conversation=source, seq__gt=note.seq)
    return target.turn_done_seq >= note.seq or answers.exists()


def _stop_turn(conversation: Conversation) -> None:
    """Makes the turn that runs void, and ends it when it owes nothing to a line that is still here."""
    row = Conversation.objects.get(pk=conversation.pk)
    open_range = Entry.objects.filter(conversation=row, seq__gt=row.turn_done_seq, seq__lte=row.turn_wanted_seq)
    words = open_range.filter(kind="message", actor_kind=Entry.Actor.CUSTOMER, interaction__conversation=row)
    taken_over = open_range.filter(data__has_key="owed").values_list("data__conversation", flat=True)
    joined = {each.public_id.hex for each in history.going_on_in(row.pk)}
    still_owes = words.exists() or not joined.isdisjoint(taken_over)
    Conversation.objects.filter(pk=row.pk).update(
        turn_worker="",
        turn_lease_until=None,
        turn_attempts=0,
        turn_done_seq=F("turn_done_seq") if still_owes else F("turn_wanted_seq"),
    )


def _end_work(work: WorkItem) -> None:
    """Ends live work; whoever had it has room again. Needs the subject's lock."""
    if work.state in WAITING:
        queueing.cancel(work.subject)
    else:
        reservations.complete(work.subject)


def begin_work_again(source: Conversation, successor: Conversation | None, ended: WorkItem) -> None:
    """Gives the work back to who had it, when they have room, or to the line, at its old place."""
    place = successor or source
    agent = None if successor else source.owner_agent
    if agent is None:
        _wait_again(place, ended)
        return
    try:
        reservation = reservations.assign(subject=source.public_id.hex, kind=ended.kind, agent=agent)
    except reservations.NoCapacity:
        ownership.let_go(source)
        _wait_again(source, ended, preferred_agent=agent)
    else:
        handoff.renew(ended, reservation.work_item, conversation=source)


def _wait_again(conversation: Conversation, ended: WorkItem, *, preferred_agent: AgentProfile | None = None) -> None:
    """Queues what waited in another conversation's name, with its time and its package."""
    if ended.decision is None:
        return
    work_item = queueing.enqueue(
        subject=conversation.public_id.hex,
        kind=ended.kind,
        decision=ended.decision,
        preferred_agent=preferred_agent or ended.preferred_agent,
        since=ended.enqueued_at,
    )
    handoff.renew(ended, work_item, conversation=conversation)
