"""What became of a row of policy, as the database kept it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import models
from django.utils.text import capfirst

from routing.models.history import ADDED, CHANGED


@dataclass(frozen=True, slots=True)
class Difference:
    """One column: its label, and what it held before and after, as people read it."""

    label: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Change:
    """One insert, update or delete. `who` is empty when no request made it, `where` is the page it came from."""

    at: datetime
    number: int
    what: str
    thing: str
    who: str
    where: str
    differences: tuple[Difference, ...]


def changes_of(model: type[models.Model], pk: Any, parts: Sequence[type[models.Model]] = ()) -> list[Change]:
    """Everything that was done to a row and to the rows of its `parts` that belong to it, newest first.

    It holds rows that are gone, too. One query for each table, and one for each table that a column refers to.
    """
    found = list(_changes(model, models.Q(pgh_obj_id=pk)))
    for part in parts:
        owner = next(field for field in part._meta.fields if field.related_model is model)
        found += _changes(part, models.Q(**{owner.attname: pk}), without=owner.name)
    return sorted(found, key=lambda change: (change.at, change.number), reverse=True)


def _changes(model: type[models.Model], which: models.Q, *, without: str = "") -> Iterator[Change]:
    event_model: Any = model._meta.get_field("events").related_model
    events = list(event_model.objects.filter(which).order_by("pgh_id"))
    columns = [field for field in model._meta.fields if _is_kept(event_model, field) and field.name != without]
    names = {field.name: _names(field, events) for field in columns}
    before: dict[int, Any] = defaultdict(lambda: None)
    for event in events:
        context = event.pgh_context or {}
        yield Change(
            at=event.pgh_created_at,
            number=event.pgh_id,
            what=event.pgh_label,
            thing=capfirst(str(model._meta.verbose_name)),
            who=str(context.get("name", "")),
            where=str(context.get("url", "")),
            differences=tuple(_differences(columns, names, before[event.pgh_obj_id], event)),
        )
        before[event.pgh_obj_id] = event


def _is_kept(event_model: Any, field: models.Field[Any, Any]) -> bool:
    return not field.primary_key and field.name in {kept.name for kept in event_model._meta.fields}


def _names(field: models.Field[Any, Any], events: Sequence[Any]) -> dict[Any, str]:
    """What the values of a column are called: choices by their label, references by the row they name, if it is there."""
    names = {value: str(label) for value, label in field.flatchoices}
    related: Any = field.related_model
    if related is not None:
        rows = related._base_manager.in_bulk({getattr(event, field.attname) for event in events} - {None})
        names |= {pk: str(row) for pk, row in rows.items()}
    return names


def _differences(
    columns: Sequence[models.Field[Any, Any]], names: dict[str, dict[Any, str]], before: Any, after: Any
) -> Iterator[Difference]:
    """What an update changed, or all that a new or a deleted row held."""
    for field in columns:
        is_now = getattr(after, field.attname)
        was = getattr(before, field.attname) if before is not None else None
        if after.pgh_label == CHANGED and before is not None and was == is_now:
            continue
        said = [_in_words(value, names[field.name]) for value in (was, is_now)]
        label = capfirst(str(field.verbose_name))
        if after.pgh_label == CHANGED:
            yield Difference(label, *said)
        elif said[1]:
            yield Difference(label, "", said[1]) if after.pgh_label == ADDED else Difference(label, said[1], "")


def _in_words(value: Any, names: dict[Any, str]) -> str:
    """A value of a column as people read it; of several, one after the other."""
    if isinstance(value, list):
        return ", ".join(map(str, value))
    if isinstance(value, dict):
        return "; ".join(f"{name}: {each}" for name, each in value.items())
    return names.get(value, "" if value is None else str(value))
