"""The local sales system and help desk: accounts with orders and invoices, promises to pay, tickets.

They stand where a shop, a ledger and a help desk would, so they know nothing of our records: an account is found by what its
customer is known as (`system:number`, an address, a phone number), a ticket by the public ids of record and conversation.
`conversations.connectors.local_accounts` and `local_desk` are their only users.
"""

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

REFERENCE_HELP = _("What the customer is told, such as HH-4F7K2Q.")


class SalesAccount(models.Model):
    """A customer as the sales system has them."""

    number = models.CharField(max_length=80, unique=True, help_text=_("System and number, such as harborhome:1001."))
    name = models.CharField(max_length=200, blank=True)
    email = models.CharField(max_length=320, blank=True)
    phone = models.CharField(max_length=16, blank=True, help_text=_("As +44…"))

    class Meta:
        ordering = ["number"]
        indexes = [
            # Serve finding an account by what its customer has proven to be theirs.
            models.Index(fields=["email"], name="sales_account_by_email", condition=~models.Q(email="")),
            models.Index(fields=["phone"], name="sales_account_by_phone", condition=~models.Q(phone="")),
        ]

    def __str__(self) -> str:
        return self.number


class SalesOrder(models.Model):
    """Something a customer has ordered, and how far it is."""

    class State(models.TextChoices):
        PLACED = "placed", _("Placed")
        IN_PROGRESS = "in_progress", _("Being prepared")
        DISPATCHED = "dispatched", _("On its way")
        DELIVERED = "delivered", _("Delivered")
        CANCELLED = "cancelled", _("Cancelled")

    account = models.ForeignKey(SalesAccount, models.CASCADE, related_name="orders")
    reference = models.CharField(max_length=12, unique=True, help_text=REFERENCE_HELP)
    what = models.CharField(max_length=200, help_text=_("What was ordered, in words for the customer."))
    ordered_on = models.DateField()
    expected_on = models.DateField(null=True, blank=True)
    state = models.CharField(max_length=11, choices=State.choices, default=State.PLACED)
    total = models.DecimalField(max_digits=10, decimal_places=2)

    class Meta:
        ordering = ["-ordered_on", "-id"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(state__in=["placed", "in_progress", "dispatched", "delivered", "cancelled"]),
                name="order_state_is_known",
            ),
            models.CheckConstraint(
                condition=models.Q(expected_on__isnull=True) | models.Q(expected_on__gte=models.F("ordered_on")),
                name="order_is_expected_after_it_was_placed",
            ),
        ]

    def __str__(self) -> str:
        return self.reference


class Invoice(models.Model):
    """A bill, and how much of it is still to be paid."""

    account = models.ForeignKey(SalesAccount, models.CASCADE, related_name="invoices")
    reference = models.CharField(max_length=12, unique=True, help_text=REFERENCE_HELP)
    what = models.CharField(max_length=200, help_text=_("What it is for, in words for the customer."))
    issued_on = models.DateField()
    due_on = models.DateField()
    total = models.DecimalField(max_digits=10, decimal_places=2)
    left_to_pay = models.DecimalField(max_digits=10, decimal_places=2)

    class Meta:
        ordering = ["-issued_on", "-id"]
        constraints = [
            models.CheckConstraint(condition=models.Q(due_on__gte=models.F("issued_on")), name="invoice_is_due_after_it_was_issued"),
            models.CheckConstraint(
                condition=models.Q(left_to_pay__gte=0) & models.Q(left_to_pay__lte=models.F("total")),
                name="invoice_leaves_no_more_to_pay_than_its_total",
            ),
        ]

    def __str__(self) -> str:
        return self.reference


class PaymentPromise(models.Model):
    """That a customer said they would pay by a day. The latest one stands; those before stay as they were."""

    invoice = models.ForeignKey(Invoice, models.CASCADE, related_name="promises")
    amount = models.DecimalField(max_digits=10, decimal_places=2)
    pay_by = models.DateField()
    conversation = models.UUIDField(help_text=_("The public id of the conversation in which it was made."))
    made_by = models.CharField(max_length=200, help_text=_("Who took it down."))
    made_at = models.DateTimeField(db_default=Now())
    replaced_at = models.DateTimeField(null=True, blank=True)
    idempotency_key = models.CharField(max_length=200, unique=True)

    class Meta:
        ordering = ["-made_at", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["invoice"], condition=models.Q(replaced_at__isnull=True), name="invoice_has_one_standing_promise"
            ),
            models.CheckConstraint(condition=models.Q(amount__gt=0), name="promise_is_about_some_money"),
        ]

    def __str__(self) -> str:
        return f"{self.invoice} {self.amount} {self.pay_by}"


class Ticket(models.Model):
    """Something the company has to look into, or somebody who wants to buy."""

    class Kind(models.TextChoices):
        TICKET = "ticket", _("Ticket")
        LEAD = "lead", _("Lead")

    class State(models.TextChoices):
        OPEN = "open", _("Open")
        SOLVED = "solved", _("Solved")

    reference = models.CharField(max_length=12, unique=True, help_text=REFERENCE_HELP)
    kind = models.CharField(max_length=6, choices=Kind.choices, default=Kind.TICKET)
    state = models.CharField(max_length=6, choices=State.choices, default=State.OPEN)
    subject = models.CharField(max_length=200)
    details = models.TextField(blank=True)
    contact = models.JSONField(default=dict, help_text=_("Name, phone and email as far as they were given."))
    score = models.IntegerField(null=True, blank=True, help_text=_("Of a lead: how much it is worth to look after quickly."))
    customer = models.UUIDField(help_text=_("The public id of the record it was opened for."))
    conversation = models.UUIDField(help_text=_("The public id of the conversation in which it was opened."))
    opened_at = models.DateTimeField(db_default=Now())
    idempotency_key = models.CharField(max_length=200, unique=True)

    class Meta:
        ordering = ["-opened_at", "-id"]
        constraints = [
            models.CheckConstraint(condition=models.Q(kind__in=["ticket", "lead"]), name="ticket_kind_is_known"),
            models.CheckConstraint(condition=models.Q(state__in=["open", "solved"]), name="ticket_state_is_known"),
            models.CheckConstraint(condition=models.Q(kind="ticket") | models.Q(score__isnull=False), name="lead_has_a_score"),
        ]
        indexes = [models.Index(fields=["customer"], name="ticket_by_customer")]

    def __str__(self) -> str:
        return self.reference
