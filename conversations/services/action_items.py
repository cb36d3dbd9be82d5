"""What is to be done after a conversation: noted once, seen by staff, done by somebody; calls at a chosen time among them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import transaction
from django.db.models import QuerySet
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from conversations.models import ActionItem, Consent, Conversation, Customer, Interaction
from conversations.models.consent import Purpose
from conversations.models.identifier import Assurance
from conversations.selectors.limbo import call_backs_nobody_was_given
from conversations.services import consent, facts, records, timeline
from conversations.services.consent_texts import NUMBER_LEFT_OUT
from conversations.services.staff_words import in_staffs_language
from conversations.services.timeline import NewEntry
from routing.models import AgentProfile

CALL_BACK_LASTS: Final = timedelta(days=3)
"""For how long after the promised time a call may still be tried."""


@dataclass(frozen=True, slots=True)
class By:
    """Who notes or does something: `assistant`, `agent` or `system`, and the name people read."""

    kind: str
    name: str


def add(
    conversation: Conversation,
    *,
    title: str,
    by: By,
    key: str,
    kind: str = ActionItem.Kind.TASK,
    interaction: Interaction | None = None,
    due_at: datetime | None = None,
    phone: str = "",
    owner: AgentProfile | None = None,
) -> ActionItem:
    """Notes something to do, and tells of it in the history; the same `key` again notes nothing and returns the first.

    One transaction; locks the customer, then the conversation.
    """
    with transaction.atomic():
        customer = records.lock_root(conversation.customer)
        known = ActionItem.objects.filter(idempotency_key=key).first()
        if known is not None:
            return known
        item = ActionItem.objects.create(
            customer=customer,
            original_customer=customer,
            conversation=conversation,
            interaction=interaction,
            kind=kind,
            title=timeline.storable(title)[:300],
            phone=phone,
            owner=owner,
            due_at=due_at,
            made_by=by.name[:200],
            idempotency_key=key,
        )
        _note(item, "action.added", by, _added_sentence(item), interaction)
    return item


def add_call_back(
    interaction: Interaction, *, phone: str, at: datetime, by: By, key: str, asked_with: str, about: str = ""
) -> ActionItem:
    """Notes that the customer is to be called on a number in E.164 at a time that they chose, as they asked for it.

    `asked_with` are the words it was agreed in; `about` says in a few words why. The same `key` again notes nothing. Locks the
    customer, then the conversation.
    """
    conversation = interaction.conversation
    title = _call_title(phone, at)
    with in_staffs_language():
        requested = _("Call back on %(number)s at %(time)s.") % {"number": facts.phone(phone), "time": _moment(at)}
    with transaction.atomic():
        records.lock_root(conversation.customer)
        item = add(
            conversation, title=f"{title} {about}".strip(), by=by, key=key, kind=ActionItem.Kind.CALL_BACK,
            interaction=interaction, due_at=at, phone=phone,
        )  # fmt: skip
        timeline.append(
            conversation.pk,
            NewEntry(
                kind="callback.requested",
                actor_kind="system",
                audience="staff",
                body=requested,
                interaction=interaction,
                data={"item": str(item.public_id), "phone": phone, "by": at.isoformat()},
                source_id=f"callback:{key}",
            ),
        )
        keep_request(interaction, phone=phone, at=at, by=by, key=key, asked_with=asked_with)
    return item


def call_backs_of(lines: Iterable[Interaction]) -> QuerySet[ActionItem]:
    """The calls that were promised on these lines, that are still to come and that nobody was given yet, the soonest first."""
    return ActionItem.objects.filter(
        interaction__in=lines, kind=ActionItem.Kind.CALL_BACK, done_at__isnull=True, put_in_line_at__isnull=True
    ).order_by("due_at", "pk")


def move_call_back(
    item: ActionItem, interaction: Interaction, *, phone: str, at: datetime, by: By, key: str, asked_with: str
) -> bool:
    """Moves a promised call to another time, another number or both, as it was agreed with `asked_with` on a line.

    False when it is done, called off or given to people by now. The same `key` again changes nothing. One transaction; locks the
    customer, then the item, then its conversation.
    """
    with transaction.atomic():
        records.lock_root(item.customer)
        before = _call_title(item.phone, item.due_at.astimezone(at.tzinfo)) if item.due_at else item.title
        title = item.title.replace(before, _call_title(phone, at), 1)
        if not _still_to_come(item).update(phone=phone, due_at=at, title=title[:300]):
            return False
        with in_staffs_language():
            told = _("The call back is now on %(number)s at %(time)s.") % {"number": facts.phone(phone), "time": _moment(at)}
        _note_call(item, "callback.changed", told, {"phone": phone, "by": at.isoformat()}, interaction, key)
        keep_request(interaction, phone=phone, at=at, by=by, key=key, asked_with=asked_with)
    return True


def call_off(item: ActionItem, interaction: Interaction, *, by: By, key: str) -> bool:
    """Calls a promised call off, since the customer asked for it on a line: nobody calls, and what they asked for is taken back.

    That is only kept where the number is shown to be theirs and nothing else lets us call it, since a no stands until whose
    number it is says yes again; elsewhere the request ends by itself. False when the call is done or given to people by now. One
    transaction; locks the customer, then the item, then its conversation.
    """
    with transaction.atomic():
        customer = records.lock_root(item.customer)
        if not _still_to_come(item).update(done_at=Now(), done_by=by.name[:200]):
            return False
        with in_staffs_language():
            told = _("The call back on %(number)s was called off.") % {"number": facts.phone(item.phone)}
        _note_call(item, "callback.cancelled", told, {"phone": item.phone}, interaction, key)
        take_request_back(customer, item.phone, interaction, by=by, key=key)
    return True


def _still_to_come(item: ActionItem) -> QuerySet[ActionItem]:
    return ActionItem.objects.filter(pk=item.pk, kind=ActionItem.Kind.CALL_BACK, done_at__isnull=True, put_in_line_at__isnull=True)


def keep_request(interaction: Interaction, *, phone: str, at: datetime, by: By, key: str, asked_with: str) -> None:
    """Keeps, until a while after the promised time, that the customer asked to be called on a number, with the words it was agreed in.

    Needs the customer's lock.
    """
    consent.keep_request(
        interaction,
        Purpose.OUTBOUND_CALL,
        phone,
        wording=asked_with.replace(facts.phone(phone), NUMBER_LEFT_OUT),
        lasts=max(at - timezone.now(), timedelta(0)) + CALL_BACK_LASTS,
        recorded_by=by.name,
        given_by=_given_by(by),
        source_id=f"callback:{key}",
    )


def _given_by(by: By) -> str:
    return Consent.GivenBy.AGENT if by.kind == "agent" else Consent.GivenBy.CUSTOMER


def take_request_back(customer: Customer, phone: str, interaction: Interaction, *, by: By, key: str) -> None:
    """Takes back that the customer asked to be called, as `call_off` says. Needs the customer's lock."""
    number = ("phone", phone)
    assurance = consent.assurance_for(interaction, number)
    others = call_backs_of(Interaction.objects.filter(conversation__customer=customer)).filter(phone=phone).exists()
    answer = consent.may_we(customer, Purpose.OUTBOUND_CALL, identifier=number, by_request=False)
    if assurance == Assurance.CLAIMED or answer.allowed or others:
        return
    said = consent.Said(
        given_by=_given_by(by), how=consent.how_on(interaction), recorded_by=by.name, assurance=assurance,
        interaction=interaction, source_id=f"callback:{key}",
    )  # fmt: skip
    consent.revoke(customer, Purpose.OUTBOUND_CALL, said=said, identifier=number)


def _note_call(item: ActionItem, kind: str, body: str, data: dict[str, Any], interaction: Interaction, key: str) -> None:
    entry = NewEntry(
        kind=kind, actor_kind="system", audience="staff", body=body, interaction=interaction,
        data={"item": str(item.public_id), **data}, source_id=f"{kind}:{key}",
    )  # fmt: skip
    timeline.append(item.conversation_id, entry)


@in_staffs_language()
def _call_title(phone: str, at: datetime) -> str:
    return _("Call %(number)s on %(time)s.") % {"number": facts.phone(phone), "time": _moment(at)}


def _moment(at: datetime) -> str:
    return date_format(timezone.localtime(at, at.tzinfo), "D j M, H:i")


def finish(item: ActionItem, *, by: By) -> bool:
    """Marks something as done, once; says whether this call did it. Locks the item, then its conversation."""
    with transaction.atomic():
        open_ones = ActionItem.objects.filter(pk=item.pk, done_at__isnull=True)
        if not open_ones.update(done_at=Now(), done_by=by.name[:200]):
            return False
        _note(item, "action.done", by, item.title, None)
    return True


def due_call_backs() -> QuerySet[ActionItem]:
    """The calls whose time has come and that nobody was given yet, the longest due first."""
    return call_backs_nobody_was_given(Now())


def claim(item: ActionItem) -> bool:
    """Takes a call whose time has come, so that it is given to people once. Must run in the transaction that gives it."""
    return bool(due_call_backs().filter(pk=item.pk).update(put_in_line_at=Now()))


def _note(item: ActionItem, kind: str, by: By, sentence: str, interaction: Interaction | None) -> None:
    data: dict[str, Any] = {
        "item": str(item.public_id),
        "item_kind": item.kind,
        "owner": item.owner.display_name if item.owner else "",
        "due_at": item.due_at.isoformat() if item.due_at else None,
    }
    timeline.append(
        item.conversation_id,
        NewEntry(
            kind=kind,
            actor_kind=by.kind,
            actor_name=by.name,
            audience="staff",
            body=sentence,
            interaction=interaction,
            data=data,
            source_id=f"{kind}:{item.public_id.hex}",
        ),
    )


@in_staffs_language()
def _added_sentence(item: ActionItem) -> str:
    """What is to be done, by whom and until when, as far as that was said; a call back says its time itself."""
    until = date_format(timezone.localtime(item.due_at), "j M, H:i") if item.due_at and item.kind != ActionItem.Kind.CALL_BACK else ""
    told = [item.owner.display_name if item.owner else "", _("by %(time)s") % {"time": until} if until else ""]
    return f"{item.title} ({', '.join(filter(None, told))})" if any(told) else item.title
