"""The waiting line, in the one order in which its work is offered.

Work that the same agents may take is a lane. A dispatch pass looks at the heads of the lanes that somebody free may take,
through an index, so that it costs the same however long the line is.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple

from django.db import connection
from django.db.models import Q, QuerySet

from routing.models import WorkItem

ORDER = ("priority_class", "in_good_time", "deadline", "pk")


class Place(NamedTuple):
    """A piece's place in the line; smaller comes first."""

    priority_class: int
    in_good_time: bool
    deadline: datetime
    id: int


BEFORE_ALL = Place(0, False, datetime.min.replace(tzinfo=UTC), 0)


@dataclass(frozen=True, slots=True)
class Lane:
    """Waiting work that the same agents may take."""

    key: str
    kind: str
    queue_ids: tuple[int, ...]
    required_skills: frozenset[str]
    min_proficiency: int


@dataclass(frozen=True, slots=True)
class Waiting:
    """One waiting piece."""

    place: Place
    lane: Lane
    enqueued_at: datetime
    preferred_agent_id: int | None

    @property
    def id(self) -> int:
        """The work item's id."""
        return self.place.id


@dataclass(frozen=True, slots=True)
class Wanted:
    """How many heads of a lane are wanted: those that wait since `since` at the latest, after a place."""

    lane: Lane
    most: int
    since: datetime
    after: Place = BEFORE_ALL


_LANES = """
    WITH RECURSIVE lane AS (
        (SELECT work.lane AS key FROM routing_workitem work WHERE work.state = 'queued' ORDER BY work.lane LIMIT 1)
        UNION ALL
        SELECT (SELECT work.lane FROM routing_workitem work WHERE work.state = 'queued' AND work.lane > lane.key ORDER BY work.lane LIMIT 1)
          FROM lane WHERE lane.key IS NOT NULL
    )
    SELECT lane.key, head.kind, head.queue_id, head.also_queues, head.required_skills, head.min_proficiency
      FROM lane
      CROSS JOIN LATERAL (
          SELECT * FROM routing_workitem work WHERE work.state = 'queued' AND work.lane = lane.key
           ORDER BY work.priority_class, work.in_good_time, work.deadline, work.id LIMIT 1
      ) head
      JOIN routing_queue queue ON queue.id = head.queue_id
     WHERE queue."group" = %s AND queue.paused_at IS NULL
"""
_HEADS = """
    SELECT wanted.key, head.priority_class, head.in_good_time, head.deadline, head.id, head.enqueued_at, head.preferred_agent_id
      FROM unnest(%s::text[], %s::int[], %s::timestamptz[], %s::int[], %s::bool[], %s::timestamptz[], %s::bigint[])
           AS wanted(key, most, since, priority_class, in_good_time, deadline, id)
      CROSS JOIN LATERAL (
          SELECT * FROM routing_workitem work
           WHERE work.state = 'queued' AND work.lane = wanted.key AND work.enqueued_at <= wanted.since
             AND (work.priority_class, work.in_good_time, work.deadline, work.id)
               > (wanted.priority_class, wanted.in_good_time, wanted.deadline, wanted.id)
           ORDER BY work.priority_class, work.in_good_time, work.deadline, work.id LIMIT wanted.most
      ) head
     ORDER BY head.priority_class, head.in_good_time, head.deadline, head.id
"""


def in_order(work: QuerySet[WorkItem]) -> QuerySet[WorkItem]:
    """Sorts work as it is offered: class, then what waited too long, then deadline, then number."""
    return work.order_by(*ORDER)


def is_anything_waiting(group: str) -> bool:
    """Whether work waits in a queue group that is not paused. One statement."""
    return WorkItem.objects.filter(state=WorkItem.State.QUEUED, queue__group=group, queue__paused_at__isnull=True).exists()


def lanes(group: str) -> list[Lane]:
    """The lanes of a queue group in which something waits, but for paused queues. One statement, through an index."""
    with connection.cursor() as cursor:
        cursor.execute(_LANES, [group])
        rows = cursor.fetchall()
    return [
        Lane(key, kind, (queue_id, *_list(also)), frozenset(_list(skills)), proficiency)
        for key, kind, queue_id, also, skills, proficiency in rows
    ]


def heads(wanted: Sequence[Wanted]) -> list[Waiting]:
    """The first pieces of each lane, all together in the order of the line. One statement, through an index."""
    lane_of = {each.lane.key: each.lane for each in wanted}
    columns: list[Iterable[object]] = [
        lane_of,
        [each.most for each in wanted],
        [each.since for each in wanted],
        *([each.after[number] for each in wanted] for number in range(len(Place._fields))),
    ]
    with connection.cursor() as cursor:
        cursor.execute(_HEADS, [list(column) for column in columns])
        rows = cursor.fetchall()
    return [Waiting(Place(*row[1:5]), lane_of[row[0]], row[5], row[6]) for row in rows]


def position(work: WorkItem) -> int:
    """How many pieces of its queue would be offered before this one, and one more: 1 is next. One statement."""
    ahead = WorkItem.objects.filter(queue=work.queue_id, state__in=(WorkItem.State.QUEUED, WorkItem.State.RESERVED)).filter(
        Q(priority_class__lt=work.priority_class)
        | Q(priority_class=work.priority_class, in_good_time__lt=work.in_good_time)
        | Q(priority_class=work.priority_class, in_good_time=work.in_good_time, deadline__lt=work.deadline)
        | Q(priority_class=work.priority_class, in_good_time=work.in_good_time, deadline=work.deadline, pk__lt=work.pk)
    )
    return ahead.count() + 1


def _list(value: str) -> list[Any]:
    """A JSON column as plain SQL gives it."""
    return list(json.loads(value))
