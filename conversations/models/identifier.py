"""What a customer can be known by, and how sure we are of it."""

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from conversations.models.customer import Customer


class Assurance(models.TextChoices):
    """How sure we are that a party has an identifier; see ASSURANCE_RANK for the order."""

    CLAIMED = "claimed", _("Claimed")
    NETWORK_HINT = "network_hint", _("Caller ID")
    VERIFIED = "verified", _("Verified")


E164 = r"^\+[1-9][0-9]{6,14}$"
"""What a phone number looks like in normal form: never shorter or longer, whatever a country's plan allows."""

ASSURANCE_RANK: dict[str, int] = {"claimed": 0, "network_hint": 1, "verified": 2}


class Identifier(models.Model):
    """A (kind, value) in normal form: phone as E.164, email, visitor, or an outside system's id.

    A verified or network-hint value belongs to one customer only; anybody may claim any value.
    """

    class Kind(models.TextChoices):
        PHONE = "phone", _("Phone")
        EMAIL = "email", _("Email")
        VISITOR = "visitor", _("Website visitor")
        EXTERNAL = "external", _("Other system")

    customer = models.ForeignKey(Customer, models.PROTECT, related_name="identifiers")
    original_customer = models.ForeignKey(Customer, models.PROTECT, related_name="original_identifiers")
    kind = models.CharField(max_length=10, choices=Kind.choices)
    value = models.CharField(max_length=320)
    assurance = models.CharField(max_length=14, choices=Assurance.choices)
    source = models.CharField(max_length=80, help_text=_("Where it came from, such as “web chat” or “caller ID”."))
    first_seen_at = models.DateTimeField(db_default=Now())
    last_seen_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["kind", "value"]
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "value"],
                condition=models.Q(assurance__in=["verified", "network_hint"]),
                name="proven_identifier_belongs_to_one_customer",
            ),
            models.UniqueConstraint(fields=["original_customer", "kind", "value"], name="customer_has_an_identifier_once"),
            models.CheckConstraint(
                condition=models.Q(assurance__in=["claimed", "network_hint", "verified"]),
                name="identifier_assurance_is_known",
            ),
            models.CheckConstraint(
                condition=models.Q(kind__in=["phone", "email", "visitor", "external"]),
                name="identifier_kind_is_known",
            ),
            models.CheckConstraint(
                condition=~models.Q(kind="phone") | models.Q(value__regex=E164),
                name="phone_identifier_is_e164",
            ),
            models.CheckConstraint(condition=~models.Q(value=""), name="identifier_is_not_empty"),
        ]
        indexes = [models.Index(fields=["kind", "value"], name="identifier_by_value")]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.value}"
