"""How long what is kept, and whose data must be kept whatever the rules say."""

from django.core.validators import MinValueValidator
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from conversations.models.customer import Customer
from routing.models.history import audited


@audited()
class RetentionRule(models.Model):
    """For how many days one kind of data is kept. Every change of it is kept by the database."""

    class Kind(models.TextChoices):
        CHAT_MESSAGES = "chat_messages", _("Words of chats and text messages, and notes of staff")
        CALL_TRANSCRIPTS = "call_transcripts", _("Words of calls")
        RECORDINGS = "recordings", _("Recordings of calls, and messages that callers left")
        TOOL_TRACES = "tool_traces", _("What the AI agent looked up and was told")
        DECISIONS = "decisions", _("Facts that routing decided by")
        WEBHOOKS = "webhooks", _("What the phone platform delivered")
        CHAT_SESSIONS = "chat_sessions", _("Browsers of chat sessions")
        CODES = "codes", _("One-time codes, and codes and links between channels")
        NUMBERS_CALLED = "numbers_called", _("Numbers that were called or sent a link")
        SIGN_INS = "sign_ins", _("Records of sign-ins of staff")

    kind = models.CharField(max_length=20, choices=Kind.choices, help_text=_("What is emptied or removed."))
    keep_days = models.PositiveIntegerField(
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text=_("After so many days it goes, each night. Empty: it is kept for good."),
    )
    note = models.CharField(max_length=200, blank=True, help_text=_("Why this long: a law, a contract, a decision."))

    class Meta:
        ordering = ["kind"]
        constraints = [
            models.UniqueConstraint(
                fields=["kind"],
                name="retention_rule_stands_once_for_a_kind",
                violation_error_message=_("There is a rule for this kind already. Change that one."),
            ),
            models.CheckConstraint(
                condition=models.Q(
                    kind__in=[
                        "chat_messages", "call_transcripts", "recordings", "tool_traces", "decisions", "webhooks", "chat_sessions",
                        "codes", "numbers_called", "sign_ins",
                    ]
                ),
                name="retention_kind_is_known",
            ),
            models.CheckConstraint(
                condition=models.Q(keep_days__isnull=True) | models.Q(keep_days__gte=1),
                name="retention_keeps_at_least_a_day",
                violation_error_message=_("Keep it for at least one day, or leave the field empty to keep it for good."),
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return str(self.get_kind_display())


class RetentionRun(models.Model):
    """One night's work of the rules: how many rows of each kind were emptied or removed."""

    started_at = models.DateTimeField(db_default=Now())
    finished_at = models.DateTimeField(null=True, blank=True)
    counts = models.JSONField(default=dict)

    class Meta:
        ordering = ["-started_at", "-id"]

    def __str__(self) -> str:
        return f"{self.started_at:%Y-%m-%d %H:%M}"


class LegalHold(models.Model):
    """Nothing of this customer is erased or expires, nor of what is joined with it, until the hold ends or is lifted.

    It moves with the record when records are joined and goes back when they are separated.
    """

    customer = models.ForeignKey(Customer, models.PROTECT, related_name="legal_holds")
    original_customer = models.ForeignKey(Customer, models.PROTECT, related_name="original_legal_holds")
    reason = models.CharField(max_length=300, help_text=_("Why it must be kept, such as the number of a dispute."))
    placed_by = models.CharField(max_length=200)
    placed_at = models.DateTimeField(db_default=Now())
    ends_at = models.DateTimeField(null=True, blank=True, help_text=_("When it ends by itself. Empty: when somebody lifts it."))
    lifted_by = models.CharField(max_length=200, blank=True)
    lifted_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-placed_at", "-id"]
        constraints = [
            models.CheckConstraint(condition=models.Q(reason__regex=r"\S"), name="legal_hold_says_why"),
            models.CheckConstraint(
                condition=models.Q(lifted_by="", lifted_at__isnull=True) | (~models.Q(lifted_by="") & models.Q(lifted_at__isnull=False)),
                name="legal_hold_is_dated_when_lifted",
            ),
            models.CheckConstraint(
                condition=models.Q(ends_at__isnull=True) | models.Q(ends_at__gt=models.F("placed_at")),
                name="legal_hold_ends_after_it_began",
            ),
        ]

    def __str__(self) -> str:
        return str(_("Legal hold %(number)s")) % {"number": self.pk}
