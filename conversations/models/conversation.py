"""The one thread of a customer's need, across every way of reaching the company."""

import uuid

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from conversations.models.customer import Customer, CustomerLink
from routing.models import AgentProfile, DispositionCode, ReasonCode, WorkItem


class Conversation(models.Model):
    """One need of one customer. `fence` rises at every change of owner, `last_seq` with every entry.

    The turn columns say what the AI agent still owes: an answer is due while `turn_wanted_seq` is
    greater than `turn_done_seq` and the owner is the assistant; a worker claims it by a lease.
    """

    class Status(models.TextChoices):
        OPEN = "open", _("Open")
        CLOSED = "closed", _("Closed")

    class Owner(models.TextChoices):
        ASSISTANT = "assistant", _("AI agent")
        HUMAN = "human", _("Person")

    class Urgency(models.TextChoices):
        NORMAL = "normal", _("Normal")
        HIGH = "high", _("High")
        EMERGENCY = "emergency", _("Emergency")

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    customer = models.ForeignKey(Customer, models.PROTECT, related_name="conversations")
    original_customer = models.ForeignKey(Customer, models.PROTECT, related_name="original_conversations")
    joined_into = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="joined_conversations", editable=False)
    status = models.CharField(max_length=8, choices=Status.choices, default=Status.OPEN)
    reason = models.ForeignKey(ReasonCode, models.PROTECT, null=True, blank=True, related_name="conversations")
    urgency = models.CharField(max_length=10, choices=Urgency.choices, default=Urgency.NORMAL)
    sentiment = models.FloatField(default=0)
    language = models.CharField(
        max_length=10, blank=True, help_text=_("The language that was chosen here, such as es. Empty: that of the entry point.")
    )
    score = models.IntegerField(default=0)
    failed_turns = models.PositiveSmallIntegerField(default=0)
    facts = models.JSONField(
        default=dict, blank=True, help_text=_("What is known, by name: value, entry seq, assurance. Entries are the record.")
    )
    form_state = models.JSONField(
        default=dict, blank=True, help_text=_("Where the AI agent is in a form: form, the fact asked for, options offered.")
    )
    owner_kind = models.CharField(max_length=10, choices=Owner.choices, default=Owner.ASSISTANT)
    owner_agent = models.ForeignKey(AgentProfile, models.PROTECT, null=True, blank=True, related_name="owned_conversations")
    fence = models.PositiveIntegerField(default=1)
    last_seq = models.PositiveIntegerField(default=0)
    turn_wanted_seq = models.PositiveIntegerField(default=0)
    turn_done_seq = models.PositiveIntegerField(default=0)
    turn_worker = models.CharField(max_length=80, blank=True)
    turn_lease_until = models.DateTimeField(null=True, blank=True)
    turn_attempts = models.PositiveSmallIntegerField(default=0)
    disposition = models.ForeignKey(DispositionCode, models.PROTECT, null=True, blank=True, related_name="conversations")
    opened_at = models.DateTimeField(db_default=Now())
    last_entry_at = models.DateTimeField(db_default=Now())
    closed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-last_entry_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["customer"],
                condition=models.Q(status="open", joined_into__isnull=True),
                name="customer_has_at_most_one_open_conversation",
            ),
            models.CheckConstraint(
                condition=models.Q(owner_kind="human", owner_agent__isnull=False)
                | models.Q(owner_kind="assistant", owner_agent__isnull=True),
                name="conversation_names_its_owner_exactly_when_a_person",
            ),
            models.CheckConstraint(
                condition=models.Q(status="open", closed_at__isnull=True) | models.Q(status="closed", closed_at__isnull=False),
                name="conversation_has_a_closing_time_exactly_when_closed",
            ),
            models.CheckConstraint(
                condition=models.Q(urgency__in=["normal", "high", "emergency"]), name="conversation_urgency_is_known"
            ),
            models.CheckConstraint(condition=models.Q(fence__gte=1), name="conversation_fence_starts_at_one"),
            models.CheckConstraint(
                condition=models.Q(turn_done_seq__lte=models.F("turn_wanted_seq")) & models.Q(turn_wanted_seq__lte=models.F("last_seq")),
                name="conversation_turns_follow_its_entries",
            ),
            models.CheckConstraint(
                condition=models.Q(sentiment__gte=-1, sentiment__lte=1), name="conversation_sentiment_is_minus_one_to_one"
            ),
            models.CheckConstraint(
                condition=models.Q(joined_into__isnull=True) | ~models.Q(joined_into=models.F("id")),
                name="conversation_is_not_joined_into_itself",
            ),
        ]
        indexes = [
            # Serves the sweep that finishes turns whose worker died.
            models.Index(
                fields=["turn_lease_until"],
                name="conversation_turn_due",
                condition=models.Q(turn_wanted_seq__gt=models.F("turn_done_seq"), owner_kind="assistant"),
            ),
            # Serves the inbox list of everything open, newest activity first.
            models.Index(fields=["-last_entry_at"], name="conversation_open_recent", condition=models.Q(status="open")),
            models.Index(fields=["customer", "-opened_at"], name="conversation_by_customer"),
        ]

    def __str__(self) -> str:
        return f"{self.customer} · {self.opened_at:%Y-%m-%d}"


class ConversationLink(models.Model):
    """One joining of two conversations, with its evidence. Entries stay where they were written.

    `customer_link` is the joining of two records that made it necessary; separating those separates it. `ended_work`
    is what the joined conversation had in routing until then.
    """

    joined = models.ForeignKey(Conversation, models.PROTECT, related_name="links_out")
    into = models.ForeignKey(Conversation, models.PROTECT, related_name="links_in")
    customer_link = models.ForeignKey(CustomerLink, models.PROTECT, null=True, blank=True, related_name="conversation_links")
    ended_work = models.ForeignKey(WorkItem, models.PROTECT, null=True, blank=True, related_name="+")
    evidence = models.JSONField(default=dict)
    active = models.BooleanField(default=True)
    made_by = models.CharField(max_length=200)
    made_at = models.DateTimeField(db_default=Now())
    undone_by = models.CharField(max_length=200, blank=True)
    undone_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-made_at"]
        constraints = [
            models.UniqueConstraint(fields=["joined"], condition=models.Q(active=True), name="conversation_is_joined_into_one_other"),
            models.CheckConstraint(condition=~models.Q(joined=models.F("into")), name="conversation_link_is_about_two_conversations"),
            models.CheckConstraint(
                condition=models.Q(active=True, undone_at__isnull=True) | models.Q(active=False, undone_at__isnull=False),
                name="conversation_link_is_dated_when_undone",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.joined} → {self.into}"
