"""A link of the company that was sent to somebody by text message or email."""

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from conversations.models.identifier import Identifier
from conversations.models.interaction import Interaction


class SentLink(models.Model):
    """One sending. `sent_at` is empty until it left, so that whoever repeats it knows."""

    interaction = models.ForeignKey(Interaction, models.CASCADE, related_name="sent_links")
    link = models.CharField(max_length=40, help_text=_("Which of the playbook's links."))
    kind = models.CharField(max_length=5, choices=[("phone", _("Text message")), ("email", _("Email"))])
    value = models.CharField(max_length=320, help_text=_("The number or address that it was sent to."))
    asked_at = models.DateTimeField(db_default=Now())
    sent_at = models.DateTimeField(null=True, blank=True)
    idempotency_key = models.CharField(max_length=200, unique=True)

    class Meta:
        ordering = ["-asked_at", "-id"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(kind__in=[Identifier.Kind.PHONE, Identifier.Kind.EMAIL]), name="link_is_sent_by_text_or_email"
            )
        ]
        # Serves the limit of links to one number or address.
        indexes = [models.Index(fields=["value", "asked_at"], name="sent_link_by_value")]

    def __str__(self) -> str:
        return f"{self.link} {self.asked_at:%H:%M}"
