"""The raw truth: what the transports delivered, written before anything is made of it.

Reports compare interactions with these rows; nothing in reporting writes them.
"""

from typing import ClassVar

import pgtrigger
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _


class WebhookRecord(models.Model):
    """One signed webhook as it came, and the answer given; a repeated token gets the stored answer.

    Append-only: the answer is written once, and emptying a row, for an erasure, only takes away. Rows of the kind
    `call_record` hold what the platform's own list of calls says, as a webhook would have said it.
    """

    token_id = models.CharField(max_length=100, unique=True, help_text="The `jti` of the signature token.")
    body_hash = models.CharField(max_length=64)
    kind = models.CharField(max_length=20)
    provider_id = models.CharField(max_length=100, blank=True)
    named_call = models.UUIDField(null=True, blank=True, help_text=_("The call that the webhook's address names, by its public id."))
    body = models.JSONField()
    answer = models.JSONField(null=True, blank=True)  # without answered_at: {"refused": why} or {"failed": why}
    received_at = models.DateTimeField(db_default=Now())
    answered_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-received_at"]
        indexes = [
            # Serves the state of a leg, made of everything that was reported about it, one leg or all of them in order.
            models.Index(fields=["provider_id", "kind"], name="webhook_by_call_and_kind"),
        ]
        triggers: ClassVar = [
            pgtrigger.Protect(name="webhooks_are_never_deleted", operation=pgtrigger.Delete),
            pgtrigger.Trigger(
                name="webhooks_are_append_only",
                operation=pgtrigger.Update,
                when=pgtrigger.Before,
                func="""
                    IF (to_jsonb(NEW) - '{body,body_hash,answer,answered_at}'::text[])
                         = (to_jsonb(OLD) - '{body,body_hash,answer,answered_at}'::text[])
                       AND (OLD.answered_at IS NULL OR NEW.answered_at = OLD.answered_at)
                       AND ((NEW.body_hash = '' AND OLD.body @> NEW.body)
                            OR (NEW.body_hash = OLD.body_hash AND NEW.body = OLD.body
                                AND (OLD.answered_at IS NULL OR NEW.answer IS NOT DISTINCT FROM OLD.answer))) THEN
                        RETURN NEW;
                    END IF;
                    RAISE EXCEPTION 'webhooks are append-only; they are answered once and may only be emptied'
                        USING ERRCODE = 'check_violation';
                """,
            ),
        ]

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
