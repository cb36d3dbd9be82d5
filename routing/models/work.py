"""Work that waits for a person, and the offers made of it."""

from typing import ClassVar

import pgtrigger
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import RangeOperators
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from routing.models.decision import Decision
from routing.models.organisation import AgentProfile
from routing.models.policy import Queue

LOAD_VARIABLES = [("reserved_agent", "bigint"), ("agent", "record")]
LOAD_IS_RIGHT = """
    reserved_agent := CASE WHEN TG_OP = 'DELETE' THEN OLD.agent_id ELSE NEW.agent_id END;
    SELECT load, laid_aside, capacity, carried, aside, back INTO agent
      FROM routing_agentprofile profile, LATERAL (
            SELECT COALESCE(SUM(weight) FILTER (WHERE laid.id IS NULL), 0) AS carried,
                   COALESCE(SUM(weight) FILTER (WHERE laid.id IS NOT NULL), 0) AS aside,
                   COALESCE(SUM(weight) FILTER (WHERE NOT EXISTS (
                       SELECT FROM routing_interruption own WHERE own.by_id = held.id AND own.ended_at IS NULL)), 0) AS back
              FROM routing_reservation held LEFT JOIN routing_interruption laid ON laid.laid_aside_id = held.id AND laid.ended_at IS NULL
             WHERE held.agent_id = profile.id AND held.state IN ('pending', 'accepted', 'wrapping')
           ) weights
     WHERE profile.id = reserved_agent;
    IF agent.load <> agent.carried THEN
        RAISE EXCEPTION 'agent % carries load % but live reservations weigh %',
            reserved_agent, agent.load, agent.carried USING ERRCODE = 'check_violation';
    END IF;
    IF agent.laid_aside <> agent.aside THEN
        RAISE EXCEPTION 'agent % laid % aside but what is laid aside weighs %',
            reserved_agent, agent.laid_aside, agent.aside USING ERRCODE = 'check_violation';
    END IF;
    IF agent.back > agent.capacity THEN
        RAISE EXCEPTION 'agent % laid work aside that would not fit any more', reserved_agent USING ERRCODE = 'check_violation';
    END IF;
    IF EXISTS (
        SELECT FROM routing_interruption own JOIN routing_reservation its ON its.id IN (own.laid_aside_id, own.by_id)
         WHERE own.agent_id = reserved_agent AND own.ended_at IS NULL
           AND (its.agent_id <> own.agent_id OR its.ended_at IS NOT NULL OR (its.state = 'pending' AND its.id = own.laid_aside_id))
    ) THEN
        RAISE EXCEPTION 'an interruption of agent % outlives its work, or is of what they never took',
            reserved_agent USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
"""
"""What must be so of an agent at the end of each transaction that touched what they hold: `load` is the weight of live work, but for
what is laid aside, which is `laid_aside`; all of it but the work that interrupts fits their capacity.

Load and work are read by one statement. Who takes an offer does not hold the agent's row, so between two statements another
transaction may change both."""


class _Lane(models.Func):
    """Digest of all that decides who may take a piece of work."""

    template = (
        "md5(queue_id::text || ' ' || kind || ' ' || required_skills::text || ' ' || min_proficiency::text || ' ' || also_queues::text)"
    )
    output_field = models.CharField(max_length=32)


class WorkItem(models.Model):
    """One piece of work for a person. `subject` is whatever the caller wants done, by its own name for it."""

    class State(models.TextChoices):
        QUEUED = "queued", _("Waiting")
        RESERVED = "reserved", _("Offered")
        ASSIGNED = "assigned", _("With a person")
        WRAPPING = "wrapping", _("Wrapping up")
        COMPLETED = "completed", _("Completed")
        CANCELED = "canceled", _("Canceled")

    LIVE_STATES: ClassVar = (State.QUEUED, State.RESERVED, State.ASSIGNED, State.WRAPPING)

    subject = models.CharField(max_length=64)
    kind = models.CharField(max_length=40, help_text=_("The kind of work; routing profiles weigh it."))
    decision = models.ForeignKey(Decision, models.PROTECT, null=True, blank=True, related_name="work_items")
    queue = models.ForeignKey(Queue, models.PROTECT, related_name="work_items")
    priority_class = models.PositiveSmallIntegerField(default=3)
    required_skills = models.JSONField(default=list, help_text=_("Skill codes, sorted; a step of its queue may drop them."))
    min_proficiency = models.PositiveSmallIntegerField(default=1, help_text=_("How good an agent must be at each of the skills."))
    kind_stays = models.BooleanField(
        default=False, db_default=False, help_text=_("On when no step makes it another kind: the customer does not want that.")
    )
    also_queues = models.JSONField(default=list, help_text=_("Queues, by their ids and sorted, whose agents are asked as well by now."))
    preferred_agent = models.ForeignKey(AgentProfile, models.SET_NULL, null=True, blank=True, related_name="+")
    in_good_time = models.BooleanField(default=True, help_text=_("Off when it has waited too long: it goes first in its class then."))
    rises = models.PositiveSmallIntegerField(default=0, help_text=_("How often it has risen by a class because it waited."))
    raised_by_steps = models.PositiveSmallIntegerField(
        default=0, db_default=0, help_text=_("By how many classes steps have raised it, whichever queues it went through.")
    )
    steps_taken = models.PositiveSmallIntegerField(default=0, help_text=_("How many steps of its queue it has gone through."))
    given_back_at = models.DateTimeField(null=True, blank=True, help_text=_("When somebody last declined, missed or passed it on."))
    ages_at = models.DateTimeField(null=True, blank=True, help_text=_("When waiting changes it next."))
    lane = models.GeneratedField(
        expression=_Lane(),
        output_field=models.CharField(max_length=32),
        db_persist=True,
        help_text=_("The same for work that the same agents may take."),
    )
    state = models.CharField(max_length=10, choices=State.choices, default=State.QUEUED)
    created_at = models.DateTimeField(db_default=Now())
    enqueued_at = models.DateTimeField(db_default=Now(), help_text=_("The first time; a re-queue keeps it."))
    deadline = models.DateTimeField()
    answered_at = models.DateTimeField(null=True, blank=True, help_text=_("When somebody took it for the first time."))
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["priority_class", "in_good_time", "deadline", "id"]
        permissions = [("supervise", _("Can watch the board, pause queues, steer work and set people's state"))]
        constraints = [
            models.UniqueConstraint(
                fields=["subject"],
                condition=models.Q(state__in=["queued", "reserved", "assigned", "wrapping"]),
                name="subject_has_at_most_one_live_work_item",
            ),
            models.CheckConstraint(
                condition=models.Q(state__in=["completed", "canceled"], ended_at__isnull=False)
                | models.Q(state__in=["queued", "reserved", "assigned", "wrapping"], ended_at__isnull=True),
                name="work_item_has_an_end_exactly_when_ended",
            ),
            models.CheckConstraint(
                condition=models.Q(priority_class__gte=1, priority_class__lte=9),
                name="work_item_priority_class_is_one_to_nine",
            ),
        ]
        indexes = [
            # Serves routing.selectors.line: the waiting work of each lane in its order.
            models.Index(
                fields=["lane", "priority_class", "in_good_time", "deadline", "id"],
                name="work_item_waiting_lane",
                condition=models.Q(state="queued"),
            ),
            # Serves the inbox and the board: everything that waits, in its order.
            models.Index(
                fields=["priority_class", "in_good_time", "deadline", "id"],
                name="work_item_waiting_line",
                condition=models.Q(state__in=["queued", "reserved"]),
            ),
            # Serves routing.services.ageing.
            models.Index(fields=["ages_at"], name="work_item_ages", condition=models.Q(state="queued", ages_at__isnull=False)),
            models.Index(fields=["subject", "-id"], name="work_item_by_subject"),
            # Serve routing.selectors.board: what goes on in each queue, and what became of the work of today.
            models.Index(
                fields=["queue", "priority_class", "state"],
                include=["enqueued_at", "deadline"],
                name="work_item_live_by_queue",
                condition=models.Q(state__in=["queued", "reserved", "assigned", "wrapping"]),
            ),
            models.Index(
                fields=["answered_at"],
                include=["queue", "deadline"],
                name="work_item_answered",
                condition=models.Q(answered_at__isnull=False),
            ),
            models.Index(
                fields=["ended_at"],
                include=["queue", "deadline"],
                name="work_item_never_answered",
                condition=models.Q(answered_at__isnull=True, ended_at__isnull=False),
            ),
            # Serves routing.services.dispatch: what is not offered again to somebody at once.
            models.Index(
                fields=["given_back_at"], name="work_item_given_back", condition=models.Q(state="queued", given_back_at__isnull=False)
            ),
        ]
        triggers: ClassVar = [
            pgtrigger.FSM(
                name="work_item_moves_only_along_its_life_cycle",
                field="state",
                transitions=[
                    ("queued", "reserved"),
                    ("queued", "canceled"),
                    ("queued", "completed"),
                    ("reserved", "queued"),
                    ("reserved", "assigned"),
                    ("reserved", "canceled"),
                    ("assigned", "queued"),
                    ("assigned", "wrapping"),
                    ("assigned", "completed"),
                    ("assigned", "canceled"),
                    ("wrapping", "assigned"),
                    ("wrapping", "completed"),
                    ("wrapping", "queued"),
                ],
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.subject}"


class Reservation(models.Model):
    """An offer of one work item to one agent; it holds capacity from the offer until it ends."""

    class State(models.TextChoices):
        PENDING = "pending", _("Offered")
        ACCEPTED = "accepted", _("Accepted")
        REJECTED = "rejected", _("Declined")
        TIMEOUT = "timeout", _("Not answered")
        CANCELED = "canceled", _("Canceled")
        RESCINDED = "rescinded", _("Taken back")
        WRAPPING = "wrapping", _("Wrapping up")
        COMPLETED = "completed", _("Completed")

    LIVE_STATES: ClassVar = (State.PENDING, State.ACCEPTED, State.WRAPPING)

    work_item = models.ForeignKey(WorkItem, models.PROTECT, related_name="reservations")
    agent = models.ForeignKey(AgentProfile, models.PROTECT, related_name="reservations")
    state = models.CharField(max_length=10, choices=State.choices, default=State.PENDING)
    weight = models.PositiveSmallIntegerField()
    reason = models.CharField(max_length=200, help_text=_("Why this agent."))
    offered_at = models.DateTimeField(db_default=Now())
    expires_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True, blank=True)
    wraps_up_until = models.DateTimeField(null=True, blank=True, help_text=_("When the writing-up ends by itself."))
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-offered_at", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["work_item"],
                condition=models.Q(state__in=["pending", "accepted", "wrapping"]),
                name="work_item_has_at_most_one_live_reservation",
            ),
            models.CheckConstraint(
                condition=models.Q(state__in=["pending", "accepted", "wrapping"], ended_at__isnull=True)
                | models.Q(state__in=["rejected", "timeout", "canceled", "rescinded", "completed"], ended_at__isnull=False),
                name="reservation_has_an_end_exactly_when_ended",
            ),
            models.CheckConstraint(condition=models.Q(weight__gte=1), name="reservation_has_weight"),
        ]
        indexes = [
            # Serves the time-out sweep.
            models.Index(fields=["expires_at"], name="reservation_pending_expiry", condition=models.Q(state="pending")),
            # Serves the sweep that ends wrap-ups.
            models.Index(fields=["wraps_up_until"], name="reservation_wraps_up_until", condition=models.Q(state="wrapping")),
            # Serves an agent's list of work.
            models.Index(
                fields=["agent"],
                name="reservation_live_by_agent",
                condition=models.Q(state__in=["pending", "accepted", "wrapping"]),
            ),
        ]
        triggers: ClassVar = [
            pgtrigger.FSM(
                name="reservation_moves_only_along_its_life_cycle",
                field="state",
                transitions=[
                    ("pending", "accepted"),
                    ("pending", "rejected"),
                    ("pending", "timeout"),
                    ("pending", "canceled"),
                    ("pending", "rescinded"),
                    ("accepted", "wrapping"),
                    ("accepted", "completed"),
                    ("accepted", "canceled"),
                    ("accepted", "rescinded"),
                    ("wrapping", "accepted"),
                    ("wrapping", "completed"),
                    ("wrapping", "rescinded"),
                ],
            ),
            pgtrigger.Trigger(
                name="agent_load_is_the_weight_of_live_reservations",
                operation=pgtrigger.Insert | pgtrigger.Update | pgtrigger.Delete,
                when=pgtrigger.After,
                timing=pgtrigger.Deferred,
                declare=LOAD_VARIABLES,
                func=LOAD_IS_RIGHT,
            ),
            pgtrigger.ReadOnly(name="reservation_stays_with_its_agent", fields=["agent"]),
        ]

    def __str__(self) -> str:
        return f"{self.work_item} → {self.agent}: {self.get_state_display()}"


class Interruption(models.Model):
    """Work that an agent has laid aside for other work: it stays theirs, but takes no capacity until the other work ends."""

    agent = models.ForeignKey(AgentProfile, models.PROTECT, related_name="interruptions")
    laid_aside = models.ForeignKey(Reservation, models.PROTECT, related_name="interruptions")
    by = models.ForeignKey(Reservation, models.PROTECT, related_name="interrupts")
    began_at = models.DateTimeField(db_default=Now())
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-began_at", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["laid_aside"], condition=models.Q(ended_at__isnull=True), name="reservation_is_laid_aside_once_at_a_time"
            ),
            models.CheckConstraint(condition=~models.Q(laid_aside=models.F("by")), name="reservation_does_not_interrupt_itself"),
            models.CheckConstraint(
                condition=models.Q(ended_at__isnull=True) | models.Q(ended_at__gte=models.F("began_at")),
                name="interruption_does_not_end_before_it_begins",
            ),
            ExclusionConstraint(
                name="agent_is_interrupted_by_one_piece_at_a_time",
                expressions=[("agent", RangeOperators.EQUAL), ("by", RangeOperators.NOT_EQUAL)],
                condition=models.Q(ended_at__isnull=True),
            ),
        ]
        indexes = [
            # Serves what comes back when the other work ends, and the trigger that watches it.
            models.Index(fields=["by"], name="interruption_under_way", condition=models.Q(ended_at__isnull=True)),
        ]
        triggers: ClassVar = [
            pgtrigger.Trigger(
                name="agent_load_leaves_out_what_is_laid_aside",
                operation=pgtrigger.Insert | pgtrigger.Update | pgtrigger.Delete,
                when=pgtrigger.After,
                timing=pgtrigger.Deferred,
                declare=LOAD_VARIABLES,
                func=LOAD_IS_RIGHT,
            ),
            pgtrigger.Trigger(
                name="interruption_is_of_the_agent_of_both_pieces",
                operation=pgtrigger.Insert,
                when=pgtrigger.Before,
                func="""
                    IF EXISTS (
                        SELECT FROM routing_reservation its
                         WHERE its.id IN (NEW.laid_aside_id, NEW.by_id) AND its.agent_id <> NEW.agent_id
                    ) THEN
                        RAISE EXCEPTION 'an interruption of agent % is of work that somebody else has', NEW.agent_id
                            USING ERRCODE = 'check_violation';
                    END IF;
                    RETURN NEW;
                """,
            ),
            pgtrigger.ReadOnly(name="interruption_stays_of_the_same_pieces", fields=["agent", "laid_aside", "by"]),
        ]

    def __str__(self) -> str:
        return f"{self.laid_aside} / {self.by}"
