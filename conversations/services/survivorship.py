"""Which value of a field counts when records are joined, and what becomes of it when a joining is taken back.

What the joined record says is filled in where the root says nothing, and kept for a person to settle where the two differ.
Taking a joining back plays the joinings and choices of its records over again without it. So every record says what it
would say had that joining never been, whatever was joined, settled and taken back in between, and in whatever order. A
value that somebody changed by other ways after it was written stays where it was changed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.db import models, transaction
from django.db.models import DateTimeField, Func

from conversations.models import Customer, CustomerLink, FieldConflict
from conversations.models import customer_fields as fields
from conversations.services import records

State, Choice = FieldConflict.State, FieldConflict.Choice


class AlreadySettled(ValueError):
    """Somebody chose before, or the joining was taken back. Its text is the state as people read it."""


class ClockTimestamp(Func):
    """The time of this moment, where `Now` is that of the transaction's beginning: what waited for a lock is dated after it."""

    function = "clock_timestamp"
    output_field: DateTimeField[Any, Any] = DateTimeField()


def note_differences(link: CustomerLink, joined: Customer, into: Customer) -> list[FieldConflict]:
    """Fills in what the root does not say, and keeps for a person what the two say differently. Needs the locks of both."""
    found = fields.differences(fields.values_of(into), fields.values_of(joined))
    changed = {fields.write(into, each.field, each.joined_value) for each in found if each.fills}
    if changed:
        into.save(update_fields=changed)
    return FieldConflict.objects.bulk_create(
        FieldConflict(
            link=link,
            field=each.field,
            root_value=each.root_value,
            joined_value=each.joined_value,
            state=State.FILLED if each.fills else State.OPEN,
            written_to=into if each.fills else None,
        )
        for each in found
    )


def settle(conflict: FieldConflict, choice: str, *, settled_by: str) -> None:
    """Notes what a person chose; the joined record's value is then written to the record that both count for now.

    One transaction; locks that record, then the conflict. Raises AlreadySettled.
    """
    with transaction.atomic():
        root = records.lock_root(conflict.link.joined)
        row = FieldConflict.objects.select_for_update(no_key=True, of=("self",)).get(pk=conflict.pk)
        if row.state != State.OPEN:
            raise AlreadySettled(row.get_state_display())
        changes: dict[str, Any] = {"state": State.SETTLED, "chosen": Choice(choice)}
        changes |= {"settled_by": settled_by, "settled_at": ClockTimestamp()}
        if choice == Choice.JOINED:
            changes |= {"written_to": root, "value_before": fields.values_of(root).get(row.field)}
            root.save(update_fields=[fields.write(root, row.field, row.joined_value)])
        FieldConflict.objects.filter(pk=row.pk).update(**changes)


def take_back(link: CustomerLink, customer_ids: Iterable[int]) -> None:
    """Makes the records that counted for one root say what they would say without a link.

    Needs the locks of all these records; the link is inactive already.
    """
    customers = {each.pk: each for each in Customer.objects.filter(pk__in=customer_ids)}
    links = CustomerLink.objects.filter(models.Q(active=True) | models.Q(pk=link.pk), joined__in=customers).order_by("made_at", "pk")
    conflicts = FieldConflict.objects.filter(link__in=links).select_related("link").order_by("pk")
    by_field: dict[str, list[FieldConflict]] = defaultdict(list)
    for conflict in conflicts:
        by_field[conflict.field].append(conflict)
    said = {pk: fields.values_of(each) for pk, each in customers.items()}
    changed: dict[int, set[str]] = defaultdict(set)
    for name, rows in by_field.items():
        story = _Story(name, list(links), rows, {pk: values.get(name) for pk, values in said.items()})
        for pk, value in story.without(link).items():
            changed[pk].add(fields.write(customers[pk], name, value))
    for pk, columns in changed.items():
        customers[pk].save(update_fields=columns)


@dataclass(frozen=True, slots=True)
class _Verdict:
    """What a joining came to in one field: its state, the two values, what was written where over which value."""

    state: str
    root_value: Any
    joined_value: Any
    written_to: int | None = None
    value_before: Any = None


@dataclass(frozen=True, slots=True)
class _Event:
    """A joining, or a choice made in its conflict (`row`), when it happened."""

    at: datetime
    link: CustomerLink
    row: FieldConflict | None = None


class _Story:
    """One field of the records of one root: what happened to it, to be played with and without one of the joinings."""

    def __init__(self, field: str, links: Sequence[CustomerLink], rows: Sequence[FieldConflict], now: Mapping[int, Any]) -> None:
        self.field = field
        self.rows = {row.link_id: row for row in rows}
        settled = [_Event(row.settled_at, row.link, row) for row in rows if row.state == State.SETTLED and row.settled_at]
        self.events = sorted([_Event(link.made_at, link) for link in links] + settled, key=lambda each: (each.at, each.link.pk))
        self.left: set[int] = set()
        """The links whose value was changed by other ways after it was written, so that nothing of it stands any more."""
        self.before = dict(now)
        for customer, value in now.items():
            self._look_behind(customer, value)

    def without(self, link: CustomerLink) -> dict[int, Any]:
        """What records say otherwise without a link, by their ids; stores what the conflicts of all the links come to then."""
        values, verdicts = self._played(self.events)
        values_then, verdicts_then = self._played([event for event in self.events if event.link.pk != link.pk])
        for link_id in verdicts.keys() | verdicts_then.keys():
            if link_id != link.pk and verdicts.get(link_id) != verdicts_then.get(link_id):
                self._store(link_id, verdicts_then.get(link_id))
        if row := self.rows.get(link.pk):
            FieldConflict.objects.filter(pk=row.pk).update(state=State.KEPT if link.pk in self.left else State.UNDONE)
        return {pk: value for pk, value in values_then.items() if value != values[pk]}

    def _look_behind(self, customer: int, value: Any) -> None:
        """Finds what a record said before what was written to it that still stands."""
        written = [row for event in self.events if (row := self._written_by(event)) and row.written_to_id == customer]
        stands = value
        while written and written[-1].joined_value == stands:
            stands = written.pop().value_before
        self.before[customer] = stands
        self.left |= {row.link_id for row in written}

    def _written_by(self, event: _Event) -> FieldConflict | None:
        """The row of what an event wrote, when it wrote something."""
        row = event.row or self.rows.get(event.link.pk)
        expected = State.SETTLED if event.row else State.FILLED
        return row if row and row.state == expected and row.written_to_id else None

    def _played(self, events: Iterable[_Event]) -> tuple[dict[int, Any], dict[int, _Verdict]]:
        """The values and verdicts that the events come to, one after the other."""
        values, verdicts, parents = dict(self.before), dict[int, _Verdict](), dict[int, int]()
        for event in events:
            link = event.link
            if event.row is None:
                parents[link.joined_id] = link.into_id
            if link.pk in self.left:
                continue
            verdict = self._choice(event.row, verdicts.get(link.pk)) if event.row else self._meeting(link, values)
            if verdict is None:
                continue
            if verdict.state == State.FILLED or (event.row and event.row.chosen == Choice.JOINED):
                root = _top(link.joined_id, parents)
                verdict = replace(verdict, written_to=root, value_before=values[root])
                values[root] = verdict.joined_value
            verdicts[link.pk] = verdict
        return values, verdicts

    def _meeting(self, link: CustomerLink, values: Mapping[int, Any]) -> _Verdict | None:
        root_value, joined_value = values[link.into_id], values[link.joined_id]
        if fields.says_nothing(self.field, joined_value) or joined_value == root_value:
            return None
        return _Verdict(State.FILLED if root_value is None else State.OPEN, root_value, joined_value)

    def _choice(self, row: FieldConflict, verdict: _Verdict | None) -> _Verdict | None:
        """The conflict as settled, when it is still about what was chosen from; None when the choice has become void."""
        if verdict is None or verdict.state != State.OPEN or verdict.joined_value != row.joined_value:
            return None
        if row.chosen == Choice.ROOT and verdict.root_value != row.root_value:
            return None
        return replace(verdict, state=State.SETTLED)

    def _store(self, link_id: int, verdict: _Verdict | None) -> None:
        row = self.rows.get(link_id)
        if verdict is None:
            if row:
                FieldConflict.objects.filter(pk=row.pk).update(state=State.UNDONE, written_to=None, value_before=None)
            return
        content: dict[str, Any] = {
            "state": verdict.state,
            "root_value": verdict.root_value,
            "joined_value": verdict.joined_value,
            "written_to_id": verdict.written_to,
            "value_before": verdict.value_before,
        }
        if verdict.state != State.SETTLED:
            content |= {"chosen": "", "settled_by": "", "settled_at": None}
        FieldConflict.objects.update_or_create(link_id=link_id, field=self.field, defaults=content)


def _top(customer: int, parents: Mapping[int, int]) -> int:
    while customer in parents:
        customer = parents[customer]
    return customer
