"""One connection of the phone platform to a phone, as far as the platform has told of it."""

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from conversations.models.interaction import Interaction


class CallLeg(models.Model):
    """A leg of a call: the customer's, or that of a person who was put on it.

    Everything but `interaction` and `role` follows from the raw webhooks about the leg and from nothing else, whatever
    their order and however often they came (`conversations.selectors.call_reports`), so a row can be made anew at any time.
    """

    class Role(models.TextChoices):
        UNKNOWN = "unknown", _("Not known yet")
        CUSTOMER = "customer", _("Customer")
        AGENT = "agent", _("Person")

    class State(models.TextChoices):
        STARTED = "started", _("Started")
        RINGING = "ringing", _("Ringing")
        ANSWERED = "answered", _("Answered")
        ENDED = "ended", _("Ended")

    leg_id = models.CharField(max_length=100, unique=True, help_text=_("The leg's id as the platform names it."))
    interaction = models.ForeignKey(Interaction, models.PROTECT, null=True, blank=True, related_name="legs")
    role = models.CharField(max_length=8, choices=Role.choices, default=Role.UNKNOWN)
    direction = models.CharField(max_length=8, blank=True)
    state = models.CharField(max_length=8, choices=State.choices, default=State.STARTED)
    room = models.CharField(max_length=80, blank=True, help_text=_("The platform's conversation that the leg is in."))
    rooms = ArrayField(models.CharField(max_length=80), default=list, blank=True, help_text=_("Every one that it was ever in."))
    started_at = models.DateTimeField(null=True, blank=True, help_text=_("The earliest time that the platform told."))
    ringing_at = models.DateTimeField(null=True, blank=True)
    asked_at = models.DateTimeField(null=True, blank=True, help_text=_("When the platform asked what to do with the call."))
    answered_at = models.DateTimeField(null=True, blank=True)
    answered_by = models.CharField(max_length=7, blank=True, help_text=_("What the machine detection heard: human or machine."))
    ended_at = models.DateTimeField(null=True, blank=True)
    end_status = models.CharField(max_length=20, blank=True)
    end_detail = models.CharField(max_length=60, blank=True)
    disconnected_by = models.CharField(max_length=20, blank=True)
    sip_code = models.PositiveIntegerField(null=True, blank=True)
    duration_seconds = models.PositiveIntegerField(null=True, blank=True)
    price = models.DecimalField(max_digits=12, decimal_places=6, null=True, blank=True, help_text=_("In the currency of the account."))
    first_heard_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["-first_heard_at"]
        constraints = [
            models.CheckConstraint(condition=~models.Q(leg_id=""), name="call_leg_has_an_id"),
            models.CheckConstraint(condition=models.Q(role__in=["unknown", "customer", "agent"]), name="call_leg_role_is_known"),
            models.CheckConstraint(
                condition=models.Q(state__in=["started", "ringing", "answered", "ended"]), name="call_leg_state_is_known"
            ),
            models.CheckConstraint(condition=models.Q(direction__in=["", "inbound", "outbound"]), name="call_leg_direction_is_known"),
            models.CheckConstraint(condition=models.Q(answered_by__in=["", "human", "machine"]), name="call_leg_is_answered_by_either"),
            models.CheckConstraint(
                condition=models.Q(models.Q(state="ended", ended_at__isnull=False) & ~models.Q(end_status=""))
                | (~models.Q(state="ended") & models.Q(ended_at__isnull=True, end_status="")),
                name="call_leg_has_an_end_exactly_when_ended",
            ),
            models.CheckConstraint(
                condition=models.Q(role="unknown", interaction__isnull=True)
                | (~models.Q(role="unknown") & models.Q(interaction__isnull=False)),
                name="call_leg_has_a_role_exactly_on_a_call",
            ),
            models.UniqueConstraint(
                fields=["interaction"], condition=models.Q(role="customer"), name="call_has_one_leg_of_its_customer"
            ),
        ]
        indexes = [
            # Serves finding the call of an event that names a room alone, such as a finished recording.
            GinIndex(fields=["rooms"], name="call_leg_by_room"),
            # Serves the comparison with the platform's records.
            models.Index(fields=["started_at"], name="call_leg_live", condition=~models.Q(state="ended")),
        ]

    def __str__(self) -> str:
        return self.leg_id
