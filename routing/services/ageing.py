"""What waiting does to work: it comes to be late, rises by classes, and goes through the steps of its queue.

All of it is stored on the work item when it happens, so that the waiting line has one order that an index holds.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta

from routing.models import Queue, RoutingStep, ServiceLevel, WorkItem
from routing.services.announce import announce_work_item
from routing.services.hours import readable_calendar
from routing.services.opening_calendar import OpeningCalendar
from routing.services.service_levels import service_level_of

MOST_AT_ONCE = 500
BEST_CLASS_BY_WAITING = 2
"""Class 1 is for what is urgent by itself, such as a danger, or by a step: an old question never goes before it."""
CHANGED_BY_WAITING = (
    "priority_class",
    "in_good_time",
    "rises",
    "raised_by_steps",
    "steps_taken",
    "required_skills",
    "min_proficiency",
    "also_queues",
    "kind",
    "ages_at",
)


def age_waiting_work(group: str, now: datetime) -> int:
    """Brings waiting work of a queue group up to what its wait has made of it by now; returns how many changed.

    Needs a transaction. Takes the rows that nobody else holds, without waiting; the next pass finds the others.
    """
    due = (
        WorkItem.objects.select_for_update(of=("self",), no_key=True, skip_locked=True)
        .filter(state=WorkItem.State.QUEUED, ages_at__lte=now, queue__group=group)
        .select_related("queue__service_level", "queue__hours", "decision__service_level")
        .order_by("ages_at")[:MOST_AT_ONCE]
    )
    aged = list(due)
    if not aged:
        return 0
    steps = steps_of({work.queue_id for work in aged})
    calendars = {queue.pk: _calendar_of(queue) for queue in {work.queue for work in aged}}
    for work in aged:
        grow_older(work, service_level_of(work.decision, work.queue), steps[work.queue_id], now, calendars[work.queue_id])
        announce_work_item(work)
    WorkItem.objects.bulk_update(aged, CHANGED_BY_WAITING)
    return len(aged)


def steps_of(queue_ids: set[int]) -> dict[int, list[RoutingStep]]:
    """The steps of queues, by the queue's id, in the order in which work goes through them."""
    steps: dict[int, list[RoutingStep]] = defaultdict(list)
    for step in RoutingStep.objects.filter(queue__in=queue_ids).order_by("queue", "after_seconds"):
        steps[step.queue_id].append(step)
    return steps


def enter_queue(work: WorkItem, queue: Queue, now: datetime) -> None:
    """Puts work at the beginning of a queue's steps, asking for what its decision asked for, and ages it by its wait so far.

    Its class stays, and steps raise it only beyond what steps have raised it by already. Changes the instance and stores nothing.
    """
    work.queue = queue
    work.required_skills = sorted(work.decision.required_skills) if work.decision else []
    work.min_proficiency = queue.min_proficiency
    work.also_queues, work.steps_taken = [], 0
    grow_older(work, service_level_of(work.decision, queue), steps_of({queue.pk})[queue.pk], now, _calendar_of(queue))


def _calendar_of(queue: Queue) -> OpeningCalendar | None:
    """When somebody is there for the queue's work; None for always. One query when it keeps hours."""
    return readable_calendar(queue.hours) if queue.hours else None


def grow_older(
    work: WorkItem, level: ServiceLevel, steps: Sequence[RoutingStep], now: datetime, calendar: OpeningCalendar | None
) -> None:
    """Makes of work what its wait has made of it by now, and notes when waiting changes it next. Stores nothing.

    A wait counts while the queue's hours are open, as its service level does; `calendar` has them, None for always.
    """

    def after(seconds: int) -> datetime:
        wait = timedelta(seconds=seconds)
        return (calendar and calendar.after_open_time(work.enqueued_at, wait)) or work.enqueued_at + wait

    too_long = after(level.max_wait_seconds)
    work.in_good_time = now < too_long
    changes = [too_long] if work.in_good_time else []
    if level.rise_every_seconds:
        while work.priority_class > BEST_CLASS_BY_WAITING and (next_rise := after((work.rises + 1) * level.rise_every_seconds)) <= now:
            work.rises += 1
            work.priority_class -= 1
        changes += [next_rise] if work.priority_class > BEST_CLASS_BY_WAITING else []
    raised_here = sum(step.raise_class_by for step in steps[: work.steps_taken])
    for step in steps[work.steps_taken :]:
        comes = after(step.after_seconds)
        if comes > now:
            changes.append(comes)
            break
        raised_here += step.raise_class_by
        _go_through(work, step, raised_here)
    work.ages_at = min(changes, default=None)


def _go_through(work: WorkItem, step: RoutingStep, raised_here: int) -> None:
    """`raised_here` is what the steps of this queue have raised by, with this one; it counts beyond what others raised already."""
    work.steps_taken += 1
    work.priority_class = max(1, work.priority_class - max(0, raised_here - work.raised_by_steps))
    work.raised_by_steps = max(work.raised_by_steps, raised_here)
    if not work.kind_stays:
        work.kind = step.becomes_kind or work.kind
    if step.min_proficiency is not None:
        work.min_proficiency = min(work.min_proficiency, step.min_proficiency)
    if step.without_skills:
        work.required_skills, work.min_proficiency = [], 1
    if step.also_queue_id is not None:
        work.also_queues = sorted({*work.also_queues, step.also_queue_id})
