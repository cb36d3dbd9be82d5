"""What a party has proven of who it is, and on which line."""

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from conversations.models.customer import Customer
from conversations.models.identifier import Assurance, Identifier
from conversations.models.interaction import Interaction


class Proof(models.Model):
    """The party of one interaction is the customer on one record, and how that was shown.

    What a party may see follows from its proofs alone; see `selectors.access`. `customer` moves when records are joined and
    separated, like every row that belongs to a customer. A proof counts until `expires_at`, when there is one, or until
    it is taken back.
    """

    class Method(models.TextChoices):
        ONE_TIME_CODE = "one_time_code", _("One-time code")
        SIGNED_VISITOR = "signed_visitor", _("Signed in on the web site")
        TEXT_LINK = "text_link", _("Link sent by text message")
        AGENT = "agent", _("An agent attests")
        KNOWLEDGE = "knowledge", _("Answered questions")

    interaction = models.ForeignKey(Interaction, models.CASCADE, related_name="proofs")
    customer = models.ForeignKey(Customer, models.PROTECT, related_name="proofs")
    original_customer = models.ForeignKey(Customer, models.PROTECT, related_name="original_proofs")
    method = models.CharField(max_length=20, choices=Method.choices)
    level = models.CharField(max_length=14, choices=Assurance.choices)
    kind = models.CharField(max_length=10, choices=Identifier.Kind.choices, blank=True)
    value = models.CharField(max_length=320, blank=True, help_text=_("The identifier that was proven, when it was one."))
    made_by = models.CharField(max_length=200, help_text=_("Who or what established it, as text."))
    note = models.TextField(blank=True, help_text=_("What an agent checked."))
    made_at = models.DateTimeField(db_default=Now())
    expires_at = models.DateTimeField(null=True, blank=True)
    withdrawn_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-made_at", "-id"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(method__in=["one_time_code", "signed_visitor", "text_link", "agent", "knowledge"]),
                name="proof_method_is_known",
            ),
            models.CheckConstraint(
                condition=models.Q(kind="", value="")
                | (models.Q(kind__in=["phone", "email", "visitor", "external"]) & ~models.Q(value="")),
                name="proof_is_of_a_whole_identifier_or_of_none",
            ),
            models.CheckConstraint(
                condition=models.Q(method="knowledge", level="knowledge") | (~models.Q(method="knowledge") & models.Q(level="verified")),
                name="answers_to_questions_prove_less_than_anything_else",
            ),
            models.CheckConstraint(
                condition=~models.Q(method="agent") | ~models.Q(note=""), name="an_agent_who_attests_says_what_was_checked"
            ),
        ]
        indexes = [models.Index(fields=["interaction"], name="proof_by_interaction")]

    def __str__(self) -> str:
        return f"{self.get_method_display()}: {self.customer}"


class OneTimeCode(models.Model):
    """A code sent to an address or number that a party gave, to be said back on the same line. The code itself is never stored."""

    class Way(models.TextChoices):
        EMAIL = "email", _("Email")
        TEXT = "text", _("Text message")

    interaction = models.ForeignKey(Interaction, models.CASCADE, related_name="one_time_codes")
    way = models.CharField(max_length=5, choices=Way.choices)
    kind = models.CharField(max_length=10, choices=Identifier.Kind.choices)
    value = models.CharField(max_length=320)
    code_hash = models.CharField(max_length=64, help_text=_("Keyed hash; the code itself is never stored."))
    attempts = models.PositiveSmallIntegerField(default=0)
    sent_at = models.DateTimeField(db_default=Now())
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True, help_text=_("When it stopped counting without having been used."))

    class Meta:
        ordering = ["-sent_at", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["interaction"],
                condition=models.Q(used_at__isnull=True, ended_at__isnull=True),
                name="interaction_has_one_live_one_time_code",
            ),
            models.CheckConstraint(condition=models.Q(attempts__lte=5), name="one_time_code_is_tried_at_most_five_times"),
            models.CheckConstraint(
                condition=models.Q(kind__in=["phone", "email"]), name="one_time_code_goes_to_a_phone_or_an_email_address"
            ),
            models.CheckConstraint(condition=models.Q(way__in=["email", "text"]), name="one_time_code_way_is_known"),
            models.CheckConstraint(
                condition=models.Q(used_at__isnull=True) | models.Q(ended_at__isnull=True), name="one_time_code_is_used_or_ended_not_both"
            ),
        ]
        indexes = [models.Index(fields=["kind", "value", "sent_at"], name="one_time_code_by_address")]

    def __str__(self) -> str:
        return f"{self.get_way_display()} {self.value}"


class KnowledgeCheck(models.Model):
    """One try to show who one is by answers. Kept so that tries can be counted: on a line, by a party, and against a record.

    `matched` is the number of the record that the answers were like, right or wrong; not a foreign key, since a guess at a
    record belongs to nobody's history.
    """

    interaction = models.ForeignKey(Interaction, models.CASCADE, related_name="knowledge_checks")
    matched = models.BigIntegerField(null=True, blank=True, editable=False)
    is_right = models.BooleanField(default=False)
    made_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["-made_at", "-id"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(is_right=False) | models.Q(matched__isnull=False), name="right_answers_are_about_a_record"
            )
        ]
        indexes = [models.Index(fields=["matched", "made_at"], name="knowledge_check_by_record")]

    def __str__(self) -> str:
        return f"{self.interaction} {self.made_at:%H:%M}"
