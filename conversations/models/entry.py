"""The history: what people read, what screens replay, what reports count."""

from typing import ClassVar

import pgtrigger
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from conversations.models.conversation import Conversation
from conversations.models.folding import folded_words
from conversations.models.interaction import Interaction

SAID_OR_NOTED = ["message", "note", "speech"]
"""Kinds whose words are searched: typed or spoken to the AI agent, noted, said on a recorded call with a person."""


class Entry(models.Model):
    """One thing that happened. Never changed and never deleted, but for redaction, which leaves a mark.

    A redaction only takes away: the text, keys of `data`, the name, where it came from. It may go further later on, and its
    mark stays as it was.

    `(conversation, seq)` counts from 1 without a hole. `kind` is registered in
    `conversations.services.kinds`. `source_id` makes a repeated delivery write nothing.
    """

    class Actor(models.TextChoices):
        CUSTOMER = "customer", _("Customer")
        ASSISTANT = "assistant", _("AI agent")
        AGENT = "agent", _("Person")
        SYSTEM = "system", _("System")

    class Audience(models.TextChoices):
        EVERYONE = "everyone", _("Everyone")
        STAFF = "staff", _("Staff only")

    conversation = models.ForeignKey(Conversation, models.PROTECT, related_name="entries")
    seq = models.PositiveIntegerField()
    kind = models.CharField(max_length=40)
    actor_kind = models.CharField(max_length=10, choices=Actor.choices)
    actor_name = models.CharField(max_length=200, blank=True)
    body = models.TextField(blank=True)
    data = models.JSONField(default=dict)
    audience = models.CharField(max_length=8, choices=Audience.choices, default=Audience.EVERYONE)
    interaction = models.ForeignKey(Interaction, models.PROTECT, null=True, blank=True, related_name="entries")
    source_id = models.CharField(max_length=200, null=True, blank=True, unique=True)
    occurred_at = models.DateTimeField(db_default=Now())
    recorded_at = models.DateTimeField(db_default=Now())
    redacted_at = models.DateTimeField(null=True, blank=True)
    redaction_reason = models.CharField(max_length=200, blank=True)

    class Meta:
        verbose_name_plural = _("entries")
        ordering = ["conversation", "seq"]
        constraints = [
            models.UniqueConstraint(fields=["conversation", "seq"], name="entry_seq_is_unique_in_its_conversation"),
            models.UniqueConstraint(
                fields=["interaction"], condition=models.Q(kind="wrapped_up"), name="interaction_is_wrapped_up_once"
            ),
            models.CheckConstraint(condition=models.Q(seq__gte=1), name="entry_seq_starts_at_one"),
            models.CheckConstraint(condition=models.Q(kind__regex=r"^[a-z_]+(\.[a-z_]+)?$"), name="entry_kind_is_a_namespaced_word"),
            models.CheckConstraint(
                condition=models.Q(actor_kind__in=["customer", "assistant", "agent", "system"]),
                name="entry_actor_kind_is_known",
            ),
            models.CheckConstraint(condition=models.Q(audience__in=["everyone", "staff"]), name="entry_audience_is_known"),
            models.CheckConstraint(
                condition=models.Q(redacted_at__isnull=True, redaction_reason="")
                | (models.Q(redacted_at__isnull=False) & ~models.Q(redaction_reason="")),
                name="redacted_entry_says_why",
            ),
        ]
        indexes = [
            # Serves the reports: entries of one kind over a period.
            models.Index(fields=["kind", "recorded_at"], name="entry_by_kind_and_time"),
            models.Index(fields=["interaction", "seq"], name="entry_by_interaction"),
            # Serves the search in what was said and noted. Without a pending list, which one message would have to empty.
            GinIndex(folded_words("body"), name="entry_by_words_in_it", condition=models.Q(kind__in=SAID_OR_NOTED), fastupdate=False),
        ]
        triggers: ClassVar = [
            pgtrigger.Protect(name="entries_are_never_deleted", operation=pgtrigger.Delete),
            pgtrigger.Trigger(
                name="entries_are_append_only",
                operation=pgtrigger.Update,
                when=pgtrigger.Before,
                func="""
                    IF NEW.redacted_at IS NOT NULL AND NEW.body = '' AND OLD.data @> NEW.data
                       AND NEW.actor_name IN ('', OLD.actor_name)
                       AND (NEW.source_id IS NULL OR NEW.source_id IS NOT DISTINCT FROM OLD.source_id)
                       AND (OLD.redacted_at IS NULL
                            OR (NEW.redacted_at = OLD.redacted_at AND NEW.redaction_reason = OLD.redaction_reason))
                       AND (to_jsonb(NEW) - '{body,data,actor_name,source_id,redacted_at,redaction_reason}'::text[])
                         = (to_jsonb(OLD) - '{body,data,actor_name,source_id,redacted_at,redaction_reason}'::text[]) THEN
                        RETURN NEW;
                    END IF;
                    RAISE EXCEPTION 'entries are append-only; only a redaction may take something away'
                        USING ERRCODE = 'check_violation';
                """,
            ),
        ]

    def __str__(self) -> str:
        return f"{self.seq} {self.kind}"
