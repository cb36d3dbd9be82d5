"""When and how often a customer may be rung: what the law and the company allow, as rows that managers keep.

The database reads these rows whenever a phone is about to be rung (`models.dial_attempt`), so nothing that dials can go round them.
"""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _

from routing.models.history import audited


class CallPurpose(models.TextChoices):
    """What a call of ours is for."""

    REMINDER = "reminder", _("Reminder")
    COLLECTION = "collection", _("Collection of a debt")
    CALLBACK = "callback", _("Call back")
    FOLLOW_UP = "follow_up", _("Follow-up")
    CONFIRMATION = "confirmation", _("Confirmation")
    CALL_ME = "call_me", _("Asked for in a chat, at once")


@audited()
class CallingRegion(models.Model):
    """A part of the world with hours of its own, known by how its phone numbers begin; the longest beginning counts.

    A number that no region has is not rung.
    """

    name = models.CharField(max_length=80, unique=True)
    prefixes = ArrayField(
        models.CharField(max_length=16), help_text=_("How its numbers begin, such as +44 or +1305. The longest that fits counts.")
    )
    source = models.CharField(max_length=300, blank=True, help_text=_("The law or decision that the hours follow."))

    class Meta:
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(prefixes__len__gt=0), name="calling_region_is_known_by_some_beginning_of_a_number"
            )
        ]

    def __str__(self) -> str:
        return self.name


@audited()
class CallingHours(models.Model):
    """From when until when a region's phones may be rung on one weekday, by the clock where the phone is. No row: not at all."""

    region = models.ForeignKey(CallingRegion, models.CASCADE, related_name="hours")
    weekday = models.PositiveSmallIntegerField(help_text=_("0 is Monday."))
    opens = models.TimeField(help_text=_("From then on."))
    closes = models.TimeField(help_text=_("Until then."))

    class Meta:
        ordering = ["weekday"]
        verbose_name_plural = _("calling hours")
        constraints = [
            models.UniqueConstraint(fields=["region", "weekday"], name="calling_region_has_hours_once_a_weekday"),
            models.CheckConstraint(condition=models.Q(weekday__lte=6), name="calling_weekday_is_monday_to_sunday"),
            models.CheckConstraint(condition=models.Q(closes__gt=models.F("opens")), name="calling_hours_end_after_they_begin"),
        ]

    def __str__(self) -> str:
        return f"{self.region} {self.weekday} {self.opens:%H:%M}-{self.closes:%H:%M}"


@audited()
class CallingHoliday(models.Model):
    """A day on which a region's phones are not rung."""

    region = models.ForeignKey(CallingRegion, models.CASCADE, related_name="holidays")
    day = models.DateField()
    name = models.CharField(max_length=120)

    class Meta:
        ordering = ["day"]
        constraints = [models.UniqueConstraint(fields=["region", "day"], name="calling_region_has_a_holiday_once")]

    def __str__(self) -> str:
        return f"{self.day} {self.name}"


@audited()
class CallingPolicy(models.Model):
    """What holds for the calls of one purpose. A purpose without a row rings nobody."""

    purpose = models.CharField(max_length=12, choices=CallPurpose.choices, unique=True)
    keeps_hours = models.BooleanField(
        default=True, help_text=_("Without a tick it rings at any hour: only for calls that somebody asked for this minute.")
    )
    quiet_days = models.PositiveSmallIntegerField(
        default=0, help_text=_("For how many days after a conversation about it nobody is rung again. 0: no such rest.")
    )
    tries = models.PositiveSmallIntegerField(
        default=3,
        db_default=3,
        help_text=_("Call backs: how often a customer who does not answer is called in all, before they are written to."),
    )
    pause_minutes = models.PositiveSmallIntegerField(
        default=20, db_default=20, help_text=_("Call backs: after so many minutes one that nobody answered is tried again.")
    )
    source = models.CharField(max_length=300, blank=True, help_text=_("The law or decision behind it."))

    class Meta:
        ordering = ["purpose"]
        verbose_name_plural = _("calling policies")
        constraints = [
            models.CheckConstraint(condition=models.Q(purpose__in=CallPurpose.values), name="calling_policy_is_for_a_known_purpose"),
            models.CheckConstraint(condition=models.Q(quiet_days__lte=366), name="calling_policy_rests_for_a_year_at_most"),
            models.CheckConstraint(condition=models.Q(tries__gte=1, tries__lte=10), name="calling_policy_tries_one_to_ten_times"),
            models.CheckConstraint(condition=models.Q(pause_minutes__gte=1), name="calling_policy_pauses_between_tries"),
        ]

    def __str__(self) -> str:
        return self.get_purpose_display()


@audited()
class CallingCap(models.Model):
    """At most so many calls of a purpose within so many hours: to a number, to a customer, or about one thing, such as a debt."""

    class CountedBy(models.TextChoices):
        NUMBER = "number", _("Phone number")
        CUSTOMER = "customer", _("Customer")
        SUBJECT = "subject", _("What it is about")

    policy = models.ForeignKey(CallingPolicy, models.CASCADE, related_name="caps")
    counted_by = models.CharField(max_length=8, choices=CountedBy.choices)
    most = models.PositiveSmallIntegerField(help_text=_("How many calls."))
    hours = models.PositiveSmallIntegerField(help_text=_("Within how many hours; a week is 168."))

    class Meta:
        ordering = ["hours", "counted_by"]
        constraints = [
            models.UniqueConstraint(fields=["policy", "counted_by", "hours"], name="calling_cap_stands_once_for_a_span"),
            models.CheckConstraint(
                condition=models.Q(counted_by__in=["number", "customer", "subject"]), name="calling_cap_counts_something_known"
            ),
            models.CheckConstraint(condition=models.Q(hours__gte=1), name="calling_cap_is_within_some_time"),
        ]

    def __str__(self) -> str:
        return f"{self.most} / {self.hours} h"
