"""What was promised or is to be done after a conversation: by whom, until when, and whether it is done."""

import uuid

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from conversations.models.conversation import Conversation
from conversations.models.customer import Customer
from conversations.models.identifier import E164
from conversations.models.interaction import Interaction
from routing.models import AgentProfile


class ActionItem(models.Model):
    """One thing to do. The history tells when it was noted and when it was done; a call back has the number to call.

    `put_in_line_at` is when a call back that had become due was given to people.
    """

    class Kind(models.TextChoices):
        TASK = "task", _("Task")
        CALL_BACK = "call_back", _("Call back")
        PAYMENT = "payment", _("Promised payment")

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    customer = models.ForeignKey(Customer, models.PROTECT, related_name="action_items")
    original_customer = models.ForeignKey(Customer, models.PROTECT, related_name="original_action_items")
    conversation = models.ForeignKey(Conversation, models.PROTECT, related_name="action_items")
    interaction = models.ForeignKey(Interaction, models.PROTECT, null=True, blank=True, related_name="action_items")
    kind = models.CharField(max_length=9, choices=Kind.choices, default=Kind.TASK)
    title = models.CharField(max_length=300)
    phone = models.CharField(max_length=16, blank=True)
    owner = models.ForeignKey(
        AgentProfile, models.SET_NULL, null=True, blank=True, related_name="+", help_text=_("Empty: whoever gets to it first.")
    )
    due_at = models.DateTimeField(null=True, blank=True)
    made_by = models.CharField(max_length=200)
    made_at = models.DateTimeField(db_default=Now())
    put_in_line_at = models.DateTimeField(null=True, blank=True)
    done_by = models.CharField(max_length=200, blank=True)
    done_at = models.DateTimeField(null=True, blank=True)
    idempotency_key = models.CharField(max_length=200, unique=True)

    class Meta:
        ordering = ["due_at", "pk"]
        constraints = [
            models.CheckConstraint(condition=models.Q(kind__in=["task", "call_back", "payment"]), name="action_item_kind_is_known"),
            models.CheckConstraint(
                condition=models.Q(done_at__isnull=True, done_by="") | (models.Q(done_at__isnull=False) & ~models.Q(done_by="")),
                name="action_item_says_who_did_it_exactly_when_done",
            ),
            models.CheckConstraint(
                condition=~models.Q(kind="call_back") | models.Q(due_at__isnull=False, phone__regex=E164),
                name="call_back_has_a_number_and_a_time",
            ),
            models.CheckConstraint(condition=models.Q(kind="call_back") | models.Q(phone=""), name="only_a_call_back_has_a_number"),
        ]
        indexes = [
            # Serves the sweep that gives call backs to people when their time has come.
            models.Index(
                fields=["due_at"],
                name="call_back_that_is_due",
                condition=models.Q(kind="call_back", done_at__isnull=True, put_in_line_at__isnull=True),
            )
        ]

    def __str__(self) -> str:
        return self.title
