"""The raw truth: what the transports delivered, written before anything is made of it.

Reports compare interactions with these rows; nothing in reporting writes them.
"""

from django.db import models
from django.db.models.functions import Now


class WebhookRecord(models.Model):
    """One signed webhook as it came, and the answer given; a repeated token gets the stored answer."""

    token_id = models.CharField(max_length=100, unique=True, help_text="The `jti` of the signature token.")
    body_hash = models.CharField(max_length=64)
    kind = models.CharField(max_length=20)
    provider_id = models.CharField(max_length=100, blank=True)
    body = models.JSONField()
    answer = models.JSONField(null=True, blank=True)  # without answered_at: {"refused": why} or {"failed": why}
    received_at = models.DateTimeField(db_default=Now())
    answered_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-received_at"]
        indexes = [models.Index(fields=["kind", "provider_id"], name="webhook_by_kind_and_call")]

    def __str__(self) -> str:
        return f"{self.kind} {self.provider_id}"


class ChatSessionRecord(models.Model):
    """One chat session in which the customer wrote something, as the web server saw it."""

    session_id = models.CharField(max_length=100, unique=True)
    entry_point_address = models.CharField(max_length=200)
    visitor = models.CharField(max_length=100)
    started_at = models.DateTimeField(db_default=Now())
    last_seen_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["-started_at"]

    def __str__(self) -> str:
        return self.session_id
