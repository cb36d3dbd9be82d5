"""The call back that is promised when people take over later: one a conversation, found, put right, put off and called off.

It is the work that waits, and no row of its own: its number and its time are those that the history told last.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db import transaction
from django.db.models import QuerySet
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from conversations.models import Conversation, Entry, Interaction
from conversations.services import action_items, callbacks, facts, handoff, ownership, records, timeline
from conversations.services.action_items import By
from conversations.services.staff_words import in_staffs_language
from conversations.services.timeline import NewEntry
from routing.models import WorkItem
from routing.services import queueing

KINDS: Final = ("callback.requested", "callback.changed", "callback.cancelled")


@dataclass(frozen=True, slots=True)
class Promise:
    """On which number, in E.164, the customer of a conversation is called back, and by when."""

    conversation: Conversation
    phone: str
    by: datetime

    @property
    def number(self) -> str:
        """The number as people read it."""
        return facts.phone(self.phone)


def promised_on(lines: QuerySet[Interaction]) -> list[Promise]:
    """The calls back that were promised on these lines and for which work still waits or is with somebody. At most two statements."""
    told = Entry.objects.filter(interaction__in=lines, kind__in=KINDS, redacted_at__isnull=True).exclude(data__has_key="item")
    told = told.exclude(source_id__startswith="call-me:").order_by("conversation_id", "-seq").distinct("conversation_id")
    last = {entry.conversation.public_id.hex: entry for entry in told.select_related("conversation__customer")}
    if not last:
        return []
    live = WorkItem.objects.filter(subject__in=last, state__in=WorkItem.LIVE_STATES).values_list("subject", flat=True)
    return [_promise(last[subject]) for subject in live if _stands(last[subject])]


def change_number(promise: Promise, line: Interaction, *, phone: str, by: By, key: str, asked_with: str) -> bool:
    """Has the customer called back on another number, in E.164, as it was agreed with `asked_with` on a line; the time stays.

    False when nobody is to be called any more. The same `key` again changes nothing. One transaction; locks the customer, then the
    conversation with its work.
    """
    with transaction.atomic():
        if not _held(promise):
            return False
        with in_staffs_language():
            when = date_format(promise.by, "j M, H:i")
            told = _("The call back is now on %(number)s by %(time)s.") % {"number": facts.phone(phone), "time": when}
        _note(promise, "callback.changed", told, {"phone": phone, "by": promise.by.isoformat()}, line, key)
        action_items.keep_request(line, phone=phone, at=promise.by, by=by, key=key, asked_with=asked_with)
    return True


def put_off(promise: Promise, line: Interaction, *, phone: str, at: datetime, by: By, key: str, asked_with: str) -> bool:
    """Turns the promise into a call at a time that the customer chose: what waits for people leaves the line until then.

    False when nobody is to be called any more. One transaction; locks the customer, then the conversation with its work.
    """
    reason, old = promise.conversation.reason, facts.phone(promise.phone)
    with transaction.atomic():
        if not _held(promise):
            return False
        with in_staffs_language():
            told = _("The call back on %(number)s is put off to the time that they chose.") % {"number": old}
        _note(promise, "callback.cancelled", told, {"phone": promise.phone}, line, key)
        item = action_items.add_call_back(
            line, phone=phone, at=at, by=by, key=key, asked_with=asked_with, about=reason.name if reason else ""
        )
        data = {"item": str(item.public_id), "phone": phone, "by": at.isoformat()}
        _note(promise, "callback.changed", item.title, data, line, key)
        queueing.cancel(promise.conversation.public_id.hex)
        callbacks.forget_time(promise.conversation)
    return True


def call_off(promise: Promise, line: Interaction, *, by: By, key: str) -> bool:
    """Nobody calls back, since the customer asked for it on a line; what they came about still waits for people.

    What they asked for is taken back as for any call (`action_items.call_off`). False when nobody is to be called any more. One
    transaction; locks the customer, then the conversation with its work.
    """
    with transaction.atomic():
        if not _held(promise):
            return False
        with in_staffs_language():
            told = _("The call back on %(number)s was called off.") % {"number": facts.phone(promise.phone)}
        _note(promise, "callback.cancelled", told, {"phone": promise.phone}, line, key)
        action_items.take_request_back(promise.conversation.customer, promise.phone, line, by=by, key=key)
        if WorkItem.objects.filter(subject=promise.conversation.public_id.hex, kind=callbacks.KIND_OF_WORK).exists():
            handoff.wait_on(promise.conversation)
        callbacks.forget_time(promise.conversation)
    return True


def stands_in(conversation: Conversation) -> bool:
    """Whether such a call is still to come in a conversation. At most two statements."""
    return bool(promised_on(Interaction.objects.filter(conversation=conversation)))


def number_promised(conversation: Conversation) -> str:
    """The number that the customer is to be called back on, promised in whatever way; empty when none is. One statement."""
    told = Entry.objects.filter(conversation=conversation, kind__in=KINDS, redacted_at__isnull=True).order_by("-seq").first()
    return "" if told is None or told.kind == "callback.cancelled" else str(told.data.get("phone") or "")


def _held(promise: Promise) -> bool:
    """Takes the locks; says whether the promise still stands."""
    records.lock_root(promise.conversation.customer)
    row = ownership.lock_with_work(promise.conversation)
    return promise in promised_on(Interaction.objects.filter(conversation=row))


def _promise(told: Entry) -> Promise:
    return Promise(told.conversation, str(told.data["phone"]), datetime.fromisoformat(str(told.data["by"])))


def _stands(told: Entry) -> bool:
    return told.kind != "callback.cancelled" and bool(told.data.get("phone")) and bool(told.data.get("by"))


def _note(promise: Promise, kind: str, body: str, data: Mapping[str, Any], line: Interaction, key: str) -> None:
    entry = NewEntry(
        kind=kind, actor_kind="system", audience="staff", body=body, interaction=line, data=data, source_id=f"{kind}:{key}"
    )
    timeline.append(promise.conversation.pk, entry)
