"""The do-not-contact list: numbers and addresses that are never contacted, whoever they belong to."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from conversations.models import Interaction, Suppression
from conversations.selectors.consent import suppression_of, value_hash
from conversations.services import facts, identity, timeline
from conversations.services.timeline import NewEntry

LONGEST_REASON = 300


class NoReason(ValueError):
    """Nothing is put on the list or taken off it without saying why."""


@dataclass(frozen=True, slots=True)
class BadLine:
    """A row of a file that could not be taken in: its number in the file, counted from 1, and why, in a sentence."""

    number: int
    problem: str


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of a file: how many values were added, how many stood on the list already, and the bad rows."""

    added: int
    known: int
    bad: tuple[BadLine, ...]


def suppress(
    kind: str,
    value: str,
    *,
    reason: str,
    added_by: str,
    region: str = "",
    interaction: Interaction | None = None,
    ends_by_start: bool = False,
) -> tuple[Suppression, bool]:
    """Puts a number or address on the list; says whether it was new there.

    `ends_by_start`: its holder wrote STOP, so their START takes it off again, unless somebody else wants it there, too.

    `region` is the country of a number written without a country code. With an `interaction`, on which it was asked, the
    history says so for staff; its conversation's row is then locked. Raises identity.InvalidIdentifier and NoReason.
    """
    normal = identity.normalise(kind, value, region)
    if not reason.strip():
        raise NoReason(_("Say why it must never be contacted."))
    with transaction.atomic():
        row, created = Suppression.objects.get_or_create(
            kind=kind,
            value_hash=value_hash(kind, normal),
            lifted_at__isnull=True,
            defaults={
                "value": normal,
                "reason": timeline.storable(reason.strip())[:LONGEST_REASON],
                "added_by": added_by[:200],
                "ends_by_start": ends_by_start,
            },
        )
        if not created and row.ends_by_start and not ends_by_start:
            Suppression.objects.filter(pk=row.pk).update(ends_by_start=False)
            row.ends_by_start = False
        if created and interaction:
            _tell(interaction, row)
    return row, created


def lift(row: Suppression, *, reason: str, lifted_by: str) -> bool:
    """Takes a value off the list, keeping the row; says whether this call did it. Raises NoReason."""
    if not reason.strip():
        raise NoReason(_("Say why it may be contacted again."))
    why = timeline.storable(reason.strip())[:LONGEST_REASON]
    changes: dict[str, Any] = {"lifted_at": Now(), "lifted_by": lifted_by[:200], "lifted_reason": why}
    return bool(Suppression.objects.filter(pk=row.pk, lifted_at__isnull=True).update(**changes))


def forget_value(kind: str, value: str) -> int:
    """Erases a value in normal form from the list, and the words around it; says from how many rows.

    Its hash stays, so that it is still never contacted.
    """
    rows = Suppression.objects.filter(kind=kind, value_hash=value_hash(kind, value))
    rows.filter(lifted_at__isnull=False).update(lifted_reason=_("Kept after an erasure."))
    return rows.exclude(value="").update(value="", reason=_("Kept after an erasure."))


def take_in(rows: Iterable[tuple[int, str, str]], *, reason: str, added_by: str, region: str) -> Imported:
    """Puts rows of (line number, kind, value) on the list. Taking the same in again changes nothing.

    An empty kind is email when there is an @ in the value, else phone. Each row is for itself: a bad one keeps no other out.
    """
    added, known = 0, 0
    bad: list[BadLine] = []
    for number, written, value in rows:
        kind = written.strip().lower() or (Suppression.Kind.EMAIL if "@" in value else Suppression.Kind.PHONE)
        if kind not in Suppression.Kind.values:
            bad.append(BadLine(number, _("The kind is “%(kind)s”; it has to be phone or email.") % {"kind": kind[:40]}))
            continue
        try:
            _row, created = suppress(kind, value, reason=reason, added_by=added_by, region=region)
        except identity.InvalidIdentifier as problem:
            bad.append(BadLine(number, str(problem)))
            continue
        added, known = added + created, known + (not created)
    return Imported(added, known, tuple(bad))


def is_suppressed(kind: str, value: str) -> bool:
    """Whether a value in normal form is on the list."""
    return suppression_of(kind, value) is not None


def _tell(interaction: Interaction, row: Suppression) -> None:
    line = Interaction.objects.get(pk=interaction.pk)
    shown = facts.phone(row.value) if row.kind == Suppression.Kind.PHONE else row.value
    timeline.append(
        line.conversation_id,
        NewEntry(
            kind="contact.suppressed",
            actor_kind="system",
            actor_name=row.added_by,
            audience="staff",
            body=_("%(value)s is on the do-not-contact list now: %(reason)s") % {"value": shown, "reason": row.reason},
            interaction=line,
            data={"kind": row.kind, "value": row.value},
        ),
    )
