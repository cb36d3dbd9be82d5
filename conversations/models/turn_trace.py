"""How the AI agent came to what it said or wrote: one row for each turn that a brain worked on, and each text that a model was to write."""

from typing import ClassVar

import pgtrigger
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from conversations.models.conversation import Conversation
from conversations.models.interaction import Interaction


class TurnTrace(models.Model):
    """What was sent to a model and came back, which tools were called, what it took. Never changes, except that what was said is
    taken out of it (`words` emptied), which leaves a mark.

    `purpose` says what for. `wanted_seq` is the number of the last words that it knew of, `reply_seq` that of the entry with what came
    of it, empty when there is none.
    `fallback` is a word for why the rules answered although a model was to. Times are milliseconds; what the turn took besides
    model and tools is `total_ms` less the two. `cost` is an estimate in US dollars.
    """

    class Purpose(models.TextChoices):
        TURN = "turn", _("An answer to the customer")
        WRAP_UP = "wrap_up", _("The wrap-up")
        SUMMARY = "summary", _("What it is about so far, for staff")
        REPLY = "reply", _("A suggested reply, for staff")
        REWRITE = "rewrite", _("A text of staff, written again")

    class Outcome(models.TextChoices):
        ANSWERED = "answered", _("Answered")
        HANDED_OVER = "handed_over", _("Handed over to people")
        DRAFTED = "drafted", _("Drafted for staff")
        DROPPED = "dropped", _("Dropped, since a person took over or the customer said more")
        FAILED = "failed", _("Failed")
        WRITTEN = "written", _("Written for staff")

    class AnsweredBy(models.TextChoices):
        MODEL = "model", _("Language model")
        RULES = "rules", _("Rules")

    conversation = models.ForeignKey(Conversation, models.PROTECT, related_name="turn_traces")
    interaction = models.ForeignKey(Interaction, models.PROTECT, related_name="turn_traces")
    purpose = models.CharField(max_length=8, choices=Purpose.choices, default=Purpose.TURN)
    wanted_seq = models.PositiveIntegerField()
    reply_seq = models.PositiveIntegerField(null=True, blank=True)
    outcome = models.CharField(max_length=12, choices=Outcome.choices)
    answered_by = models.CharField(max_length=5, choices=AnsweredBy.choices)
    model = models.CharField(max_length=80, blank=True)
    fallback = models.CharField(max_length=40, blank=True)
    input_tokens = models.PositiveIntegerField(default=0)
    output_tokens = models.PositiveIntegerField(default=0)
    cache_read_tokens = models.PositiveIntegerField(default=0)
    cache_write_tokens = models.PositiveIntegerField(default=0)
    cost = models.DecimalField(max_digits=10, decimal_places=6, default=0)
    first_token_ms = models.PositiveIntegerField(null=True, blank=True)
    model_ms = models.PositiveIntegerField(default=0)
    tools_ms = models.PositiveIntegerField(default=0)
    total_ms = models.PositiveIntegerField(default=0)
    words = models.JSONField(default=dict)
    emptied_at = models.DateTimeField(null=True, blank=True)
    recorded_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["-recorded_at", "-id"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(outcome__in=["answered", "handed_over", "drafted", "dropped", "failed", "written"]),
                name="turn_trace_outcome_is_known",
            ),
            models.CheckConstraint(
                condition=models.Q(purpose="turn") ^ models.Q(outcome="written"), name="turn_trace_of_what_was_written_is_of_no_turn"
            ),
            models.CheckConstraint(condition=models.Q(answered_by__in=["model", "rules"]), name="turn_trace_says_who_answered"),
            models.CheckConstraint(
                condition=~models.Q(answered_by="model") | (models.Q(fallback="") & ~models.Q(model="")),
                name="turn_trace_of_a_model_names_it_and_no_fallback",
            ),
            models.CheckConstraint(
                condition=models.Q(emptied_at__isnull=True) | models.Q(words={}), name="emptied_turn_trace_holds_no_words"
            ),
        ]
        # Serves the page beside an entry.
        indexes = [models.Index(fields=["conversation", "reply_seq"], name="turn_trace_by_reply")]
        triggers: ClassVar = [
            pgtrigger.Protect(name="turn_traces_are_never_deleted", operation=pgtrigger.Delete),
            pgtrigger.Trigger(
                name="turn_traces_are_append_only",
                operation=pgtrigger.Update,
                when=pgtrigger.Before,
                func="""
                    IF NEW.emptied_at IS NOT NULL AND NEW.words = '{}'::jsonb
                       AND (to_jsonb(NEW) - '{words,emptied_at}'::text[]) = (to_jsonb(OLD) - '{words,emptied_at}'::text[]) THEN
                        RETURN NEW;
                    END IF;
                    RAISE EXCEPTION 'turn traces are append-only; only their words may be taken out' USING ERRCODE = 'check_violation';
                """,
            ),
        ]

    def __str__(self) -> str:
        return f"{self.conversation_id} {self.reply_seq} {self.outcome}"
