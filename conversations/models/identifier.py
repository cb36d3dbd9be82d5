"""What a customer can be known by, and how sure we are of it."""

from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import models
from django.db.models.functions import Now, StrIndex, Substr, Upper
from django.utils.translation import gettext_lazy as _

from conversations.models.customer import Customer


class Assurance(models.TextChoices):
    """How sure we are that a party has an identifier; see ASSURANCE_RANK for the order."""

    CLAIMED = "claimed", _("Claimed")
    NETWORK_HINT = "network_hint", _("Caller ID")
    KNOWLEDGE = "knowledge", _("Answered questions")
    VERIFIED = "verified", _("Verified")


E164 = r"^\+[1-9][0-9]{6,14}$"
"""What a phone number looks like in normal form: never shorter or longer, whatever a country's plan allows."""

EXTERNAL = r"^[a-z0-9][a-z0-9_.-]*:.+$"
"""What another system's id looks like in normal form: the system's short name, a colon, the id as that system writes it."""

PROVEN = (Assurance.VERIFIED, Assurance.NETWORK_HINT)
"""With these an identifier belongs to one customer."""

ASSURANCE_RANK: dict[str, int] = {"claimed": 0, "network_hint": 1, "knowledge": 2, "verified": 3}

SAID = "said"
"""The source of what a party said or typed of itself while it talked with us."""

PUT_RIGHT = "put right"
"""The source of what was put on a record in place of what stood there; of each kind only the last one has it."""

PUT_RIGHT_BEFORE = "put right before"
"""The source of what was put on a record once, and is not what stands there now."""

NUMBER_AS_SAID = models.Func(
    Upper("value"),
    models.Value("^[^:]*:|[^A-Z0-9]"),
    models.Value(""),
    models.Value("g"),
    function="regexp_replace",
    output_field=models.TextField(),
)
"""The id within an outside system as people say it: capitals and digits, without the system's name."""


def number_in_system() -> Substr:
    """For a query: an external identifier's id without its system."""
    return Substr("value", StrIndex("value", models.Value(":")) + 1)


class Identifier(models.Model):
    """A (kind, value) in normal form: phone as E.164, email in lower case, visitor, or `system:id` of an outside system.

    A verified or network-hint value belongs to one customer only; anybody may claim any value. `assurance` is how sure we
    are that it is this customer's; `shown_as` is the best that this record itself has shown, also when the value stayed
    with another one. Answers to questions prove nothing about a value, so `knowledge` is never an identifier's assurance.
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
    shown_as = models.CharField(max_length=14, choices=Assurance.choices, default=Assurance.CLAIMED, editable=False)
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
            models.CheckConstraint(
                condition=models.Q(shown_as__in=["claimed", "network_hint", "verified"]), name="identifier_was_shown_in_a_known_way"
            ),
            models.CheckConstraint(condition=~models.Q(value=""), name="identifier_is_not_empty"),
            models.CheckConstraint(
                condition=~models.Q(kind="external") | models.Q(value__regex=EXTERNAL), name="external_identifier_names_its_system"
            ),
        ]
        indexes = [
            models.Index(fields=["kind", "value"], name="identifier_by_value"),
            models.Index(NUMBER_AS_SAID, condition=models.Q(kind="external"), name="external_by_number_as_said"),
            # Serve the search by a part of a phone number, and by another system's id alone.
            GinIndex(
                OpClass(models.F("value"), "gin_trgm_ops"),
                name="phone_by_some_digits",
                condition=models.Q(kind="phone"),
                fastupdate=False,
            ),
            models.Index(number_in_system(), name="external_by_number_in_system", condition=models.Q(kind="external")),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.value}"


class SharedIdentifier(models.Model):
    """A value that was seen on more customers than one person can be: an office line, a household's address, a shop's tablet.

    While it stands it identifies nobody; see `services.sharing`. Staff may decide that it identifies all the same.
    """

    kind = models.CharField(max_length=10, choices=Identifier.Kind.choices)
    value = models.CharField(max_length=320)
    customers = models.PositiveIntegerField(help_text=_("On how many records it was seen when it was last counted."))
    shown_as = models.CharField(
        max_length=14,
        choices=Assurance.choices,
        help_text=_("Up to which assurance it identifies nobody: a proof may still count where a caller ID does not."),
    )
    found_at = models.DateTimeField(db_default=Now())
    allowed_by = models.CharField(max_length=200, blank=True, help_text=_("Who decided that it identifies all the same."))
    allowed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-found_at"]
        constraints = [
            models.UniqueConstraint(fields=["kind", "value"], name="shared_identifier_stands_once"),
            models.CheckConstraint(
                condition=models.Q(kind__in=["phone", "email", "visitor", "external"]), name="shared_identifier_kind_is_known"
            ),
            models.CheckConstraint(
                condition=models.Q(shown_as__in=["network_hint", "verified"]), name="shared_identifier_is_shared_up_to_a_known_assurance"
            ),
            models.CheckConstraint(
                condition=models.Q(allowed_by="", allowed_at__isnull=True)
                | (~models.Q(allowed_by="") & models.Q(allowed_at__isnull=False)),
                name="shared_identifier_is_dated_when_allowed",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.value}"
