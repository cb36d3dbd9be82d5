"""A link sent by text message that carries a call into a web chat."""

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from conversations.models.identifier import E164
from conversations.models.interaction import Interaction


class ChatLink(models.Model):
    """A link from one call to a chat, sent to the number of that call. Opened once; the link itself is never stored."""

    interaction = models.ForeignKey(Interaction, models.CASCADE, related_name="chat_links")
    value = models.CharField(max_length=16, help_text=_("The number that it was sent to."))
    token_hash = models.CharField(max_length=64, unique=True, help_text=_("Keyed hash; the link itself is never stored."))
    sent_at = models.DateTimeField(db_default=Now())
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)
    used_by = models.ForeignKey(Interaction, models.SET_NULL, null=True, blank=True, related_name="+")

    class Meta:
        ordering = ["-sent_at", "-id"]
        constraints = [
            models.CheckConstraint(condition=models.Q(value__regex=E164), name="chat_link_goes_to_a_number"),
            models.CheckConstraint(
                condition=models.Q(used_by__isnull=True) | models.Q(used_at__isnull=False), name="chat_link_that_opened_a_chat_is_used"
            ),
        ]
        # Serves the limit of links to one number.
        indexes = [models.Index(fields=["value", "sent_at"], name="chat_link_by_number")]

    def __str__(self) -> str:
        return f"{self.value} until {self.expires_at:%H:%M}"
