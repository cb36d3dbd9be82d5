"""The local scheduler: technicians, their shifts, and bookings that cannot overlap.

It stands where a field-service system would; `conversations.connectors.local_schedule` is its only user.
"""

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateTimeRangeField, RangeOperators
from django.db import models
from django.db.models.functions import Now, Replace
from django.utils.translation import gettext_lazy as _

from conversations.models.conversation import Conversation
from conversations.models.customer import Customer
from routing.models import ServiceHours, Territory


class PriceListItem(models.Model):
    """One service with its price and length."""

    code = models.CharField(max_length=40, unique=True)
    name = models.CharField(max_length=120)
    description = models.TextField(blank=True)
    price = models.DecimalField(max_digits=8, decimal_places=2)
    unit = models.CharField(max_length=40, blank=True, help_text=_("For example “per visit”."))

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Technician(models.Model):
    """Somebody who visits customers in some territories."""

    name = models.CharField(max_length=80, unique=True)
    territories = models.ManyToManyField(Territory, related_name="technicians")
    time_zone = models.CharField(max_length=64, default="Europe/London")
    hours = models.ForeignKey(
        ServiceHours,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        help_text=_("Days on which these hours are closed, such as public holidays, are days off. Empty: no such days."),
    )
    active = models.BooleanField(default=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class TechnicianShift(models.Model):
    """Working time on one weekday, in the technician's own time zone."""

    technician = models.ForeignKey(Technician, models.CASCADE, related_name="shifts")
    weekday = models.PositiveSmallIntegerField(help_text=_("0 is Monday."))
    starts = models.TimeField()
    ends = models.TimeField()

    class Meta:
        ordering = ["weekday", "starts"]
        constraints = [
            models.CheckConstraint(condition=models.Q(weekday__lte=6), name="shift_weekday_is_monday_to_sunday"),
            models.CheckConstraint(condition=models.Q(ends__gt=models.F("starts")), name="shift_ends_after_it_starts"),
            models.UniqueConstraint(fields=["technician", "weekday", "starts"], name="technician_starts_a_shift_once"),
        ]

    def __str__(self) -> str:
        return f"{self.technician} {self.weekday} {self.starts}-{self.ends}"


REFERENCE_AS_SAID = Replace("reference", models.Value("-"), models.Value(""))
"""A booking's reference without its hyphen, which nobody says."""


class Booking(models.Model):
    """A visit. The database refuses a second one for the same technician at the same time."""

    class State(models.TextChoices):
        BOOKED = "booked", _("Booked")
        CANCELLED = "cancelled", _("Cancelled")

    reference = models.CharField(max_length=12, unique=True, help_text=_("What the customer is told, such as HH-4F7K2Q."))
    customer = models.ForeignKey(Customer, models.PROTECT, related_name="bookings")
    original_customer = models.ForeignKey(Customer, models.PROTECT, related_name="original_bookings")
    conversation = models.ForeignKey(Conversation, models.PROTECT, related_name="bookings")
    technician = models.ForeignKey(Technician, models.PROTECT, related_name="bookings")
    service = models.CharField(max_length=120)
    name = models.CharField(max_length=200)
    phone = models.CharField(max_length=16)
    postcode = models.CharField(max_length=10)
    window = DateTimeRangeField(help_text=_("Start included, end excluded."))
    state = models.CharField(max_length=10, choices=State.choices, default=State.BOOKED)
    idempotency_key = models.CharField(max_length=200, unique=True)
    created_at = models.DateTimeField(db_default=Now())
    cancelled_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["window"]
        indexes = [models.Index(REFERENCE_AS_SAID, name="booking_by_reference_as_said")]
        constraints = [
            ExclusionConstraint(
                name="technician_is_booked_once_at_a_time",
                expressions=[("technician", RangeOperators.EQUAL), ("window", RangeOperators.OVERLAPS)],
                condition=models.Q(state="booked"),
            ),
            models.CheckConstraint(
                condition=models.Q(state="booked", cancelled_at__isnull=True) | models.Q(state="cancelled", cancelled_at__isnull=False),
                name="booking_is_dated_when_cancelled",
            ),
            models.CheckConstraint(
                condition=models.Q(window__isempty=False)
                & models.Q(window__startswith__isnull=False)
                & models.Q(window__endswith__isnull=False),
                name="booking_has_a_real_window",
            ),
        ]

    def __str__(self) -> str:
        return self.reference
