"""What managers decide about work: reasons, outcomes, queues, hours, service levels, territories.

Nothing here knows how a customer reached the company: no table has a channel.
"""

from typing import ClassVar

import pgtrigger
from django.core.validators import MinValueValidator, RegexValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from routing.models.configuration import set_up
from routing.models.history import audited

CODE_VALIDATOR = RegexValidator(r"^[a-z][a-z0-9_]*$", _("Use small letters, digits and underscores, starting with a letter."))


@audited()
class ServiceHours(models.Model):
    """When a queue or an entry point is staffed, as an opening-hours string in one time zone."""

    code = models.CharField(max_length=40, unique=True, validators=[CODE_VALIDATOR])
    name = models.CharField(max_length=80)
    time_zone = models.CharField(max_length=64, help_text=_("For example Europe/London."))
    expression = models.CharField(max_length=500, help_text=_("For example “Mo-Fr 08:00-18:00; Sa 09:00-13:00; PH off”."))
    country = models.CharField(max_length=2, blank=True, help_text=_("Two-letter country whose public holidays count as PH."))
    subdivision = models.CharField(max_length=10, blank=True)

    class Meta:
        verbose_name_plural = _("service hours")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


@audited()
class ServiceHoursException(models.Model):
    """One date on which the ordinary hours do not hold."""

    hours = models.ForeignKey(ServiceHours, models.CASCADE, related_name="exceptions")
    date = models.DateField()
    expression = models.CharField(
        max_length=100, blank=True, help_text=_("Opening times of that day, such as “10:00-14:00”; empty means closed.")
    )
    note = models.CharField(max_length=200, blank=True)

    class Meta:
        ordering = ["date"]
        constraints = [models.UniqueConstraint(fields=["hours", "date"], name="service_hours_have_one_exception_per_date")]
        triggers: ClassVar = [set_up()]

    def __str__(self) -> str:
        return f"{self.date}: {self.expression or _('closed')}"


@audited()
class ServiceLevel(models.Model):
    """How soon work should be answered, and how often that must be met."""

    code = models.CharField(max_length=40, unique=True, validators=[CODE_VALIDATOR])
    name = models.CharField(max_length=80)
    answer_within_seconds = models.PositiveIntegerField(validators=[MinValueValidator(1)])
    target_percent = models.PositiveSmallIntegerField(default=80)
    max_wait_seconds = models.PositiveIntegerField(
        default=1800,
        help_text=_("After this it goes before everything of its class. More urgent classes still go first, unless it rises."),
    )
    rise_every_seconds = models.PositiveIntegerField(
        null=True,
        blank=True,
        default=1800,
        validators=[MinValueValidator(1)],
        help_text=_(
            "Each time work has waited this long, it rises by one class, up to class 2, so that a stream of more urgent work cannot keep "
            "it waiting for ever. Class 1 is for what is urgent by itself. Empty: it keeps its class."
        ),
    )

    class Meta:
        ordering = ["answer_within_seconds"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(target_percent__gte=1, target_percent__lte=100),
                name="service_level_target_is_a_percentage",
            ),
            models.CheckConstraint(condition=~models.Q(rise_every_seconds=0), name="service_level_rises_after_some_time_or_never"),
            models.CheckConstraint(
                condition=models.Q(answer_within_seconds__gte=1) & models.Q(max_wait_seconds__gte=models.F("answer_within_seconds")),
                name="service_level_waits_at_least_as_long_as_its_target",
            ),
        ]

    def __str__(self) -> str:
        return self.name


@audited()
class Queue(models.Model):
    """A line of waiting work. Queues of one group share one dispatch lock and so one order."""

    code = models.CharField(max_length=40, unique=True, validators=[CODE_VALIDATOR])
    name = models.CharField(max_length=80)
    group = models.CharField(max_length=40, default="main", help_text=_("Queues that share agents belong in the same group."))
    service_level = models.ForeignKey(ServiceLevel, models.PROTECT, related_name="queues")
    hours = models.ForeignKey(ServiceHours, models.PROTECT, null=True, blank=True, related_name="queues")
    min_proficiency = models.PositiveSmallIntegerField(
        default=1, help_text=_("How good an agent must be, from 1 to 5, at each skill that the work asks for.")
    )
    outcome_required = models.BooleanField(
        default=True, help_text=_("Whoever closes a conversation that came through this queue has to say how it ended.")
    )
    call_back_after_seconds = models.PositiveIntegerField(
        null=True,
        blank=True,
        default=90,
        db_default=90,
        validators=[MinValueValidator(1)],
        help_text=_("After so long in the line a call back is offered that keeps the place. Empty: only whoever asks for one gets it."),
    )
    paused_at = models.DateTimeField(null=True, blank=True, editable=False)
    paused_by = models.CharField(max_length=150, blank=True, editable=False)
    paused_why = models.CharField(max_length=200, blank=True, editable=False)

    class Meta:
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(min_proficiency__gte=1, min_proficiency__lte=5), name="queue_proficiency_is_one_to_five"
            ),
            models.CheckConstraint(
                condition=models.Q(paused_at__isnull=False) | models.Q(paused_by="", paused_why=""),
                name="queue_names_who_paused_it_while_it_is_paused",
            ),
            models.CheckConstraint(
                condition=~models.Q(call_back_after_seconds=0), name="queue_offers_a_call_back_after_some_time_or_never"
            ),
        ]

    def __str__(self) -> str:
        return self.name


@audited()
class RoutingStep(models.Model):
    """What becomes of work that has waited in a queue for a while; steps add up, in the order of their times.

    Each widens who may take the work, makes it more urgent, or makes it another kind of work. What steps of several queues
    raise does not add up: the queue that raises most decides.
    """

    queue = models.ForeignKey(Queue, models.CASCADE, related_name="steps")
    after_seconds = models.PositiveIntegerField(validators=[MinValueValidator(1)])
    min_proficiency = models.PositiveSmallIntegerField(null=True, blank=True)
    without_skills = models.BooleanField(default=False)
    also_queue = models.ForeignKey(Queue, models.PROTECT, null=True, blank=True, related_name="steps_into")
    raise_class_by = models.PositiveSmallIntegerField(default=0)
    becomes_kind = models.CharField(max_length=40, blank=True, validators=[CODE_VALIDATOR])

    class Meta:
        ordering = ["queue", "after_seconds"]
        constraints = [
            models.UniqueConstraint(fields=["queue", "after_seconds"], name="queue_has_one_step_at_a_time"),
            models.CheckConstraint(condition=models.Q(after_seconds__gte=1), name="routing_step_comes_after_a_wait"),
            models.CheckConstraint(
                condition=models.Q(min_proficiency__isnull=True) | models.Q(min_proficiency__gte=1, min_proficiency__lte=5),
                name="routing_step_proficiency_is_one_to_five",
            ),
            models.CheckConstraint(
                condition=models.Q(also_queue__isnull=True) | ~models.Q(also_queue=models.F("queue")),
                name="routing_step_opens_another_queue",
            ),
            models.CheckConstraint(condition=models.Q(raise_class_by__lte=8), name="routing_step_raises_by_eight_classes_at_most"),
            models.CheckConstraint(
                condition=models.Q(min_proficiency__isnull=False)
                | models.Q(without_skills=True)
                | models.Q(also_queue__isnull=False)
                | models.Q(raise_class_by__gte=1)
                | ~models.Q(becomes_kind=""),
                name="routing_step_does_something",
            ),
        ]
        triggers: ClassVar = [
            pgtrigger.Trigger(
                name="waiting_work_is_looked_at_when_a_step_changes",
                operation=pgtrigger.Insert | pgtrigger.Update | pgtrigger.Delete,
                when=pgtrigger.After,
                declare=[("changed_queue", "bigint")],
                func="""
                    changed_queue := CASE WHEN TG_OP = 'DELETE' THEN OLD.queue_id ELSE NEW.queue_id END;
                    UPDATE routing_workitem SET ages_at = enqueued_at WHERE state = 'queued' AND queue_id = changed_queue;
                    RETURN NULL;
                """,
            )
        ]

    def __str__(self) -> str:
        return f"{self.queue} · {self.after_seconds} s"


@audited()
class ReasonCode(models.Model):
    """Why a customer came. The same list for every way of reaching the company."""

    code = models.CharField(max_length=40, unique=True, validators=[CODE_VALIDATOR])
    name = models.CharField(max_length=80)
    line_of_business = models.CharField(max_length=40, blank=True)
    urgency = models.CharField(
        max_length=10,
        choices=[("normal", _("Normal")), ("high", _("High")), ("emergency", _("Emergency"))],
        default="normal",
        help_text=_("The urgency this reason has when the customer says nothing of it."),
    )
    active = models.BooleanField(default=True)

    class Meta:
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(urgency__in=["normal", "high", "emergency"]),
                name="reason_code_urgency_is_known",
            )
        ]
        triggers: ClassVar = [set_up()]

    def __str__(self) -> str:
        return self.name


@audited()
class ReasonPhrase(models.Model):
    """One way customers put a reason; the local classifier learns from these."""

    reason = models.ForeignKey(ReasonCode, models.CASCADE, related_name="phrases")
    text = models.CharField(max_length=300)

    class Meta:
        ordering = ["text"]
        constraints = [
            models.UniqueConstraint(fields=["reason", "text"], name="reason_phrase_stands_once_per_reason"),
            models.CheckConstraint(condition=~models.Q(text=""), name="reason_phrase_is_not_empty"),
        ]
        triggers: ClassVar = [set_up()]

    def __str__(self) -> str:
        return self.text


@audited()
class DispositionCode(models.Model):
    """How a conversation ended. The same list for every way of reaching the company."""

    code = models.CharField(max_length=40, unique=True, validators=[CODE_VALIDATOR])
    name = models.CharField(max_length=80)
    resolved = models.BooleanField(default=True, help_text=_("Whether this outcome means that the need was met."))
    active = models.BooleanField(default=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


@audited()
class Territory(models.Model):
    """A part of the country the company serves, made of postcode prefixes."""

    code = models.CharField(max_length=40, unique=True, validators=[CODE_VALIDATOR])
    name = models.CharField(max_length=80)

    class Meta:
        verbose_name_plural = _("territories")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


@audited()
class TerritoryPostcode(models.Model):
    """A postcode prefix, without spaces and in capitals; it belongs to one territory."""

    territory = models.ForeignKey(Territory, models.CASCADE, related_name="postcodes")
    prefix = models.CharField(max_length=10, unique=True)

    class Meta:
        ordering = ["prefix"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(prefix__regex=r"^[A-Z0-9]+$"),
                name="territory_postcode_is_capitals_and_digits",
            )
        ]

    def __str__(self) -> str:
        return self.prefix
