"""Erasing a person and handing out what is kept of one: who asked, what was done. Nothing in these tables names the person."""

from datetime import datetime, timedelta

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from conversations.models.customer import Customer
from conversations.models.identifier import Identifier
from conversations.models.interaction import Interaction

CASE = r"^[A-Za-z0-9/_-]{0,40}$"
KEYED_HASH = r"^[0-9a-f]{64}$"
DUE_WITHIN = timedelta(days=30)
"""A request is answered without undue delay and within one month (GDPR Art. 12(3))."""


class ErasureRequest(models.Model):
    """One person to be erased: every record that counted for `customer` when it began, as a list of steps.

    `services.erasure` says what happens when. A legal hold stops it, a call or chat that is going on makes it wait.
    """

    class Ground(models.TextChoices):
        ASKED = "asked", _("The person asked for it")
        NOT_NEEDED = "not_needed", _("It is not needed any more")
        UNLAWFUL = "unlawful", _("It should not have been kept")
        OBLIGATION = "obligation", _("A law or an authority wants it")

    class State(models.TextChoices):
        WAITING = "waiting", _("Waiting")
        HELD = "held", _("Stopped by a legal hold")
        RUNNING = "running", _("Under way")
        FAILED = "failed", _("A step failed")
        DONE = "done", _("Done")

    customer = models.ForeignKey(Customer, models.PROTECT, related_name="erasure_requests", help_text=_("The root when it was asked for."))
    records = models.JSONField(default=list, help_text=_("The numbers of the records that are erased with it."))
    ground = models.CharField(max_length=12, choices=Ground.choices, help_text=_("Why the person is erased."))
    case = models.CharField(
        max_length=40, blank=True, help_text=_("The number of a ticket or letter, if there is one. Letters and digits only: no names.")
    )
    interaction = models.ForeignKey(
        Interaction, models.PROTECT, null=True, blank=True, related_name="erasure_requests", help_text=_("The call or chat that asked.")
    )
    requested_by = models.CharField(max_length=200, help_text=_("Who started it, as text."))
    requested_at = models.DateTimeField(db_default=Now())
    state = models.CharField(max_length=8, choices=State.choices, default=State.WAITING)
    report = models.JSONField(default=dict, help_text=_("How many rows of each table; where people should look themselves."))
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-requested_at", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["customer"], condition=~models.Q(state="done"), name="customer_has_one_unfinished_erasure"
            ),
            models.CheckConstraint(
                condition=models.Q(state__in=["waiting", "held", "running", "failed", "done"]), name="erasure_state_is_known"
            ),
            models.CheckConstraint(
                condition=models.Q(ground__in=["asked", "not_needed", "unlawful", "obligation"]), name="erasure_ground_is_known"
            ),
            models.CheckConstraint(condition=models.Q(case__regex=CASE), name="erasure_case_is_a_short_number"),
            models.CheckConstraint(
                condition=models.Q(state="done", finished_at__isnull=False)
                | (~models.Q(state="done") & models.Q(finished_at__isnull=True)),
                name="erasure_is_dated_when_done",
            ),
            models.CheckConstraint(
                condition=~models.Q(state__in=["running", "done"]) | models.Q(started_at__isnull=False),
                name="erasure_under_way_says_since_when",
            ),
        ]

    def __str__(self) -> str:
        return str(_("Erasure %(number)s of customer %(customer)s")) % {"number": self.pk, "customer": self.customer_id}

    @property
    def due_at(self) -> datetime:
        """When the person must have had an answer."""
        return self.requested_at + DUE_WITHIN


class ErasureStep(models.Model):
    """One thing to do for an erasure, in one transaction or in several that each do a part. `name` is a table or a word."""

    class State(models.TextChoices):
        WAITING = "waiting", _("To do")
        FAILED = "failed", _("Failed")
        DONE = "done", _("Done")

    request = models.ForeignKey(ErasureRequest, models.CASCADE, related_name="steps")
    position = models.PositiveSmallIntegerField()
    name = models.CharField(max_length=80)
    state = models.CharField(max_length=8, choices=State.choices, default=State.WAITING)
    count = models.PositiveIntegerField(default=0)
    detail = models.JSONField(default=dict)
    tries = models.PositiveSmallIntegerField(default=0)
    error = models.CharField(max_length=80, blank=True, help_text=_("The kind of error alone: its text may quote what is to be erased."))
    done_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(fields=["request", "name"], name="erasure_has_a_step_once"),
            models.CheckConstraint(condition=models.Q(state__in=["waiting", "failed", "done"]), name="erasure_step_state_is_known"),
            models.CheckConstraint(
                condition=models.Q(state="done", done_at__isnull=False) | (~models.Q(state="done") & models.Q(done_at__isnull=True)),
                name="erasure_step_is_dated_when_done",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class ErasedIdentifier(models.Model):
    """That a value belonged to somebody who was erased, as a keyed hash, so that no import brings them back unnoticed."""

    kind = models.CharField(max_length=10, choices=Identifier.Kind.choices)
    value_hash = models.CharField(max_length=64, help_text=_("Keyed hash of the kind and the value in normal form."))
    request = models.ForeignKey(ErasureRequest, models.PROTECT, related_name="identifiers")
    erased_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["-erased_at"]
        constraints = [
            models.UniqueConstraint(fields=["value_hash"], name="erased_identifier_stands_once"),
            models.CheckConstraint(
                condition=models.Q(kind__in=["phone", "email", "visitor", "external"]), name="erased_identifier_kind_is_known"
            ),
            models.CheckConstraint(condition=models.Q(value_hash__regex=KEYED_HASH), name="erased_identifier_is_a_hash"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.value_hash[:8]}…"


class ConnectorRequest(models.Model):
    """What an outside system is asked to erase, until it has confirmed it. Then nothing that it was asked with is kept."""

    class State(models.TextChoices):
        WAITING = "waiting", _("To be asked")
        FAILED = "failed", _("Given up")
        DONE = "done", _("Confirmed")

    erasure = models.ForeignKey(ErasureRequest, models.PROTECT, related_name="connector_requests")
    connector = models.CharField(max_length=80)
    customers = models.JSONField(help_text=_("Public ids of the records."))
    references = models.JSONField(default=list, help_text=_("By what outside systems know the person, such as crm:10042."))
    state = models.CharField(max_length=8, choices=State.choices, default=State.WAITING)
    count = models.PositiveIntegerField(default=0, help_text=_("How many of its rows the system says that it emptied."))
    tries = models.PositiveSmallIntegerField(default=0)
    next_at = models.DateTimeField(db_default=Now())
    last_error = models.CharField(max_length=80, blank=True, help_text=_("A word for the error; its text may quote the person."))
    asked_at = models.DateTimeField(db_default=Now())
    done_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["connector"]
        constraints = [
            models.UniqueConstraint(fields=["erasure", "connector"], name="connector_is_asked_once_for_an_erasure"),
            models.CheckConstraint(condition=models.Q(state__in=["waiting", "failed", "done"]), name="connector_request_state_is_known"),
            models.CheckConstraint(
                condition=models.Q(state="done", done_at__isnull=False) | (~models.Q(state="done") & models.Q(done_at__isnull=True)),
                name="connector_request_is_dated_when_done",
            ),
            models.CheckConstraint(
                condition=~models.Q(state="done") | models.Q(references=[]), name="confirmed_connector_request_keeps_no_references"
            ),
        ]
        indexes = [
            # Serves the task that asks outside systems.
            models.Index(fields=["next_at"], name="connector_request_due", condition=models.Q(state="waiting"))
        ]

    def __str__(self) -> str:
        return self.connector


class DataExport(models.Model):
    """That everything kept of a person was handed out, to whom of the staff, and how much it was."""

    customer = models.ForeignKey(Customer, models.PROTECT, related_name="data_exports", help_text=_("The root when it was made."))
    made_by = models.CharField(max_length=200, help_text=_("Who asked for the file, as text."))
    made_at = models.DateTimeField(db_default=Now())
    counts = models.JSONField(default=dict, help_text=_("How many of each thing the file holds."))

    class Meta:
        ordering = ["-made_at", "-id"]

    def __str__(self) -> str:
        return str(_("Export %(number)s of customer %(customer)s")) % {"number": self.pk, "customer": self.customer_id}
