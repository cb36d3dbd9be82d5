"""Calls that we make to many: whom, from which number, when, how fast and how often; and each of them with how far it is."""

import uuid
from typing import ClassVar

import pgtrigger
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _
from django_celery_beat.models import CrontabSchedule, PeriodicTask

from conversations.models.calling_rules import CallPurpose
from conversations.models.customer import Customer
from conversations.models.dial_attempt import DialAttempt, DialOutcome
from conversations.models.entry_point import Channel, EntryPoint
from conversations.models.identifier import E164
from routing.models.history import audited

PURPOSES = [choice for choice in CallPurpose.choices if choice[0] != CallPurpose.CALL_ME]
"""What a campaign may be for: everything but a call that somebody asks for at that moment."""


@audited()
class Audience(models.Model):
    """Whom to call, as a filter that finds them anew each time. What each source may be filtered by: `services.audiences`."""

    class Source(models.TextChoices):
        CUSTOMERS = "customers", _("Customers")
        BOOKINGS = "bookings", _("Visits that are booked")
        BALANCES = "balances", _("Customers who owe something")
        CALL_BACKS = "call_backs", _("Calls back that nobody made")

    name = models.CharField(max_length=80, unique=True)
    source = models.CharField(max_length=10, choices=Source.choices)
    filters = models.JSONField(default=dict, blank=True)

    class Meta:
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(source__in=["customers", "bookings", "balances", "call_backs"]), name="audience_source_is_known"
            )
        ]

    def __str__(self) -> str:
        return self.name


@audited()
class Campaign(models.Model):
    """A list of people to be called for one purpose. Whether each may be called is asked at the moment of dialling, not here."""

    class State(models.TextChoices):
        DRAFT = "draft", _("Draft")
        RUNNING = "running", _("Running")
        PAUSED = "paused", _("Paused")
        STOPPED = "stopped", _("Stopped")
        FINISHED = "finished", _("Finished")

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    name = models.CharField(max_length=80)
    purpose = models.CharField(max_length=12, choices=PURPOSES)
    audience = models.ForeignKey(Audience, models.PROTECT, related_name="campaigns")
    entry_point = models.ForeignKey(
        EntryPoint, models.PROTECT, related_name="campaigns", limit_choices_to={"channel": Channel.VOICE},
        help_text=_("The number that is called from. Its playbook says what is said."),
    )
    offers = models.BooleanField(default=False, help_text=_("Something is offered for sale, which needs a consent of its own."))
    state = models.CharField(max_length=8, choices=State.choices, default=State.DRAFT)
    starts_at = models.DateTimeField(null=True, blank=True, help_text=_("Not before then. Empty: as soon as it is started."))
    ends_at = models.DateTimeField(null=True, blank=True, help_text=_("Nobody is called after that."))
    repeats = models.ForeignKey(
        CrontabSchedule, models.PROTECT, null=True, blank=True, related_name="+",
        help_text=_("When the audience is looked for again, such as every morning. Empty: once, at the start."),
    )
    round_task = models.OneToOneField(PeriodicTask, models.SET_NULL, null=True, blank=True, related_name="+", editable=False)
    calls_per_second = models.PositiveSmallIntegerField(
        default=1, validators=[MinValueValidator(1), MaxValueValidator(30)], help_text=_("New calls in a second, at most.")
    )
    at_once = models.PositiveSmallIntegerField(
        default=5, validators=[MinValueValidator(1)], help_text=_("Calls going on at the same time, at most.")
    )
    needs_people = models.BooleanField(
        default=False, help_text=_("No more calls at the same time than there are people free to take one over.")
    )
    most_attempts = models.PositiveSmallIntegerField(
        default=3, validators=[MinValueValidator(1), MaxValueValidator(20)], help_text=_("How often somebody is called, at most.")
    )
    again_after_no_answer = models.PositiveIntegerField(
        null=True, blank=True, default=240, help_text=_("Minutes until the next try after no answer. Empty: no further try.")
    )
    again_after_busy = models.PositiveIntegerField(null=True, blank=True, default=15, help_text=_("Minutes, after busy."))
    again_after_machine = models.PositiveIntegerField(
        null=True, blank=True, default=1440, help_text=_("Minutes, after a machine picked up and no message was left.")
    )
    leaves_message = models.BooleanField(default=True, help_text=_("Leaves the playbook's message when a machine picks up."))
    made_by = models.CharField(max_length=200, blank=True)
    made_at = models.DateTimeField(db_default=Now())
    started_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-made_at", "-id"]
        permissions = [("run_campaign", "Can start, pause and stop campaigns")]
        constraints = [
            models.CheckConstraint(condition=models.Q(purpose__in=[value for value, _label in PURPOSES]), name="campaign_purpose_is_known"),
            models.CheckConstraint(
                condition=models.Q(state__in=["draft", "running", "paused", "stopped", "finished"]), name="campaign_state_is_known"
            ),
            models.CheckConstraint(
                condition=models.Q(state="draft") | models.Q(started_at__isnull=False), name="campaign_that_was_started_says_when"
            ),
            models.CheckConstraint(
                condition=models.Q(state__in=["stopped", "finished"], ended_at__isnull=False)
                | (~models.Q(state__in=["stopped", "finished"]) & models.Q(ended_at__isnull=True)),
                name="campaign_says_when_it_ended_exactly_when_over",
            ),
            models.CheckConstraint(
                condition=models.Q(starts_at__isnull=True) | models.Q(ends_at__isnull=True) | models.Q(ends_at__gt=models.F("starts_at")),
                name="campaign_ends_after_it_starts",
            ),
            models.CheckConstraint(
                condition=models.Q(calls_per_second__gte=1) & models.Q(at_once__gte=1) & models.Q(most_attempts__gte=1),
                name="campaign_calls_somebody",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def again_after(self, outcome: str) -> int | None:
        """Minutes until somebody is tried again after an outcome; None when they are not."""
        return {
            DialOutcome.NO_ANSWER: self.again_after_no_answer,
            DialOutcome.DECLINED: self.again_after_no_answer,
            DialOutcome.FAILED: self.again_after_no_answer,
            DialOutcome.LOST: self.again_after_no_answer,
            DialOutcome.BUSY: self.again_after_busy,
            DialOutcome.MACHINE: self.again_after_machine,
        }.get(DialOutcome(outcome))


class CampaignContact(models.Model):
    """Somebody a campaign calls about something. Claimed by one worker at a time; what a dead one left is taken up again."""

    class State(models.TextChoices):
        WAITING = "waiting", _("To be called")
        DIALLING = "dialling", _("Being called")
        DONE = "done", _("Done")

    class Outcome(models.TextChoices):
        """How it ended where no call says it."""

        NOT_ALLOWED = "not_allowed", _("May not be called")
        NOT_NEEDED = "not_needed", _("Settled meanwhile")
        STOPPED = "stopped", _("Campaign ended before")

    campaign = models.ForeignKey(Campaign, models.PROTECT, related_name="contacts")
    customer = models.ForeignKey(Customer, models.PROTECT, related_name="campaign_contacts")
    original_customer = models.ForeignKey(Customer, models.PROTECT, related_name="original_campaign_contacts")
    number = models.CharField(max_length=16, blank=True)
    subject = models.CharField(max_length=80, help_text=_("What it is about: a visit, a debt, a promise to call."))
    state = models.CharField(max_length=8, choices=State.choices, default=State.WAITING)
    outcome = models.CharField(max_length=12, choices=[*DialOutcome.choices, *Outcome.choices], blank=True)
    refusal = models.CharField(max_length=60, blank=True, help_text=_("Why the gate refused it last."))
    attempts = models.PositiveSmallIntegerField(default=0)
    next_at = models.DateTimeField(db_default=Now())
    lease_until = models.DateTimeField(null=True, blank=True)
    attempt = models.OneToOneField(DialAttempt, models.PROTECT, null=True, blank=True, related_name="contact")
    made_at = models.DateTimeField(db_default=Now())
    done_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["next_at", "id"]
        constraints = [
            models.UniqueConstraint(fields=["campaign", "subject"], name="campaign_calls_about_something_once"),
            models.CheckConstraint(condition=models.Q(state__in=["waiting", "dialling", "done"]), name="contact_state_is_known"),
            models.CheckConstraint(
                condition=models.Q(state="done", done_at__isnull=False) & ~models.Q(outcome="")
                | (~models.Q(state="done") & models.Q(done_at__isnull=True, outcome="")),
                name="contact_has_an_outcome_exactly_when_done",
            ),
            models.CheckConstraint(
                condition=models.Q(state="dialling", lease_until__isnull=False)
                | (~models.Q(state="dialling") & models.Q(lease_until__isnull=True)),
                name="contact_is_leased_exactly_while_dialled",
            ),
            models.CheckConstraint(
                condition=models.Q(outcome__in=["", *DialOutcome.values, "not_allowed", "not_needed", "stopped"]),
                name="contact_outcome_is_known",
            ),
            models.CheckConstraint(condition=models.Q(number="") | models.Q(number__regex=E164), name="contact_number_is_e164"),
            models.CheckConstraint(condition=~models.Q(subject=""), name="contact_is_called_about_something"),
        ]
        indexes = [
            models.Index(fields=["campaign", "next_at"], name="contacts_to_be_called", condition=models.Q(state="waiting")),
            models.Index(fields=["lease_until"], name="contacts_being_called", condition=models.Q(state="dialling")),
            models.Index(fields=["campaign", "state", "outcome"], name="contacts_by_outcome"),
        ]
        triggers: ClassVar = [
            pgtrigger.Trigger(
                name="contact_that_is_done_stays_done",
                operation=pgtrigger.Update,
                when=pgtrigger.Before,
                condition=pgtrigger.Q(old__state="done"),
                func="""
                    IF NEW.state <> 'done'
                       OR (NEW.outcome <> OLD.outcome AND NOT (OLD.outcome IN ('answered', 'no_answer') AND NEW.outcome = 'machine')) THEN
                        RAISE EXCEPTION 'whoever was called is not called again by the same campaign' USING ERRCODE = 'check_violation';
                    END IF;
                    RETURN NEW;
                """,
            )
        ]

    def __str__(self) -> str:
        return f"{self.campaign} · {self.subject}"
