"""Every time a customer's phone is rung: the row comes first, and the database refuses it where the phone may not be rung.

There is no other permission to dial than such a row, so the count of calls is a fact and not a promise of the code.
"""

import uuid
from typing import ClassVar

import pgtrigger
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from conversations.models.calling_rules import CallPurpose
from conversations.models.consent import Consent
from conversations.models.customer import Customer
from conversations.models.entry_point import EntryPoint
from conversations.models.identifier import E164
from conversations.models.interaction import Interaction

LIVE = models.Q(ended_at__isnull=True)
REFUSE_WHAT_IS_NOT_ALLOWED = """
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE EXCEPTION 'a call is counted in a read committed transaction' USING ERRCODE = 'check_violation', CONSTRAINT = 'isolation';
    END IF;
    PERFORM pg_advisory_xact_lock(hashtextextended('dial-number:' || NEW.number_hash, 0));
    IF NEW.subject <> '' THEN
        PERFORM pg_advisory_xact_lock(hashtextextended('dial-subject:' || NEW.purpose || ':' || NEW.subject, 0));
    END IF;
    PERFORM pg_advisory_xact_lock(hashtextextended('dial-customer:' || NEW.customer_id, 0));
    NEW.at := clock_timestamp();
    refusal := conversations_dial_refusal(
        NEW.customer_id, NEW.number, NEW.number_hash, NEW.purpose, NEW.subject, NEW.consent_id,
        CASE WHEN NEW.offers THEN NEW.offers_consent_id END, NEW.zones, NEW.at);
    IF refusal IS NOT NULL THEN
        RAISE EXCEPTION 'the phone may not be rung: %', refusal USING ERRCODE = 'check_violation', CONSTRAINT = refusal;
    END IF;
    RETURN NEW;
"""
ONLY_ITS_END_IS_WRITTEN = """
    IF to_jsonb(NEW) - '{customer_id,interaction_id,dialled_at,ended_at,outcome,number}'::text[]
       <> to_jsonb(OLD) - '{customer_id,interaction_id,dialled_at,ended_at,outcome,number}'::text[]
       OR (OLD.dialled_at IS NOT NULL AND NEW.dialled_at IS DISTINCT FROM OLD.dialled_at)
       OR (OLD.interaction_id IS NOT NULL AND NEW.interaction_id IS DISTINCT FROM OLD.interaction_id)
       OR (OLD.ended_at IS NOT NULL AND NEW.ended_at IS DISTINCT FROM OLD.ended_at)
       OR (NEW.number <> OLD.number AND NEW.number <> '') THEN
        RAISE EXCEPTION 'of a call that was counted only how it went is written' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
"""


class DialOutcome(models.TextChoices):
    """How a call of ours ended."""

    REACHED = "reached", _("Spoke with the customer")
    ANSWERED = "answered", _("Somebody answered")
    WRONG_PERSON = "wrong_person", _("Somebody else has the number")
    OPTED_OUT = "opted_out", _("Wants no more calls")
    MESSAGE_LEFT = "message_left", _("Message left on a machine")
    MACHINE = "machine", _("A machine answered")
    NO_ANSWER = "no_answer", _("No answer")
    BUSY = "busy", _("Busy")
    DECLINED = "declined", _("Declined")
    FAILED = "failed", _("Could not be rung")
    LOST = "lost", _("Nobody knows")


class DialAttempt(models.Model):
    """One permission to ring one number once, and how it ended. It counts from the moment it is there, rung or not."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    customer = models.ForeignKey(Customer, models.PROTECT, related_name="dial_attempts")
    original_customer = models.ForeignKey(Customer, models.PROTECT, related_name="original_dial_attempts")
    number = models.CharField(max_length=16, blank=True, help_text=_("Empty after an erasure; the hash still counts."))
    number_hash = models.CharField(max_length=64, help_text=_("Keyed hash of the number, as on the do-not-contact list."))
    purpose = models.CharField(max_length=12, choices=CallPurpose.choices)
    subject = models.CharField(max_length=80, blank=True, help_text=_("What it is about, such as a debt or a visit."))
    offers = models.BooleanField(default=False, help_text=_("Whether something is offered for sale on it."))
    consent = models.ForeignKey(Consent, models.PROTECT, related_name="+", help_text=_("The yes that lets the call through."))
    offers_consent = models.ForeignKey(Consent, models.PROTECT, null=True, blank=True, related_name="+")
    zones = ArrayField(
        models.CharField(max_length=64), blank=True, default=list, help_text=_("The time zones in any of which the phone may be.")
    )
    entry_point = models.ForeignKey(EntryPoint, models.PROTECT, related_name="+", help_text=_("The number that is called from."))
    interaction = models.OneToOneField(Interaction, models.PROTECT, null=True, blank=True, related_name="dial_attempt")
    at = models.DateTimeField(db_default=Now())
    dialled_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    outcome = models.CharField(max_length=12, choices=DialOutcome.choices, blank=True)

    class Meta:
        ordering = ["-at", "-id"]
        constraints = [
            models.UniqueConstraint(fields=["number_hash"], condition=LIVE, name="number_is_dialled_once_at_a_time"),
            models.UniqueConstraint(
                fields=["purpose", "subject"], condition=LIVE & ~models.Q(subject=""), name="nobody_is_dialled_twice_about_the_same_at_once"
            ),
            models.CheckConstraint(condition=models.Q(purpose__in=CallPurpose.values), name="dial_purpose_is_known"),
            models.CheckConstraint(
                condition=models.Q(number="") | models.Q(number__regex=E164), name="dialled_number_is_e164"
            ),
            models.CheckConstraint(condition=models.Q(number_hash__regex=r"^[0-9a-f]{64}$"), name="dialled_number_has_its_hash"),
            models.CheckConstraint(
                condition=models.Q(offers=False) | models.Q(offers_consent__isnull=False), name="offers_by_phone_need_a_yes_of_their_own"
            ),
            models.CheckConstraint(
                condition=models.Q(ended_at__isnull=True, outcome="") | (models.Q(ended_at__isnull=False) & ~models.Q(outcome="")),
                name="dial_attempt_has_an_outcome_exactly_when_ended",
            ),
            models.CheckConstraint(condition=models.Q(outcome__in=["", *DialOutcome.values]), name="dial_outcome_is_known"),
        ]
        indexes = [
            # Serve the counting, under the locks of number, subject and customer.
            models.Index(fields=["number_hash", "purpose", "at"], name="dials_of_a_number"),
            models.Index(fields=["customer", "purpose", "at"], name="dials_of_a_customer"),
            models.Index(fields=["purpose", "subject", "at"], name="dials_about_a_subject", condition=~models.Q(subject="")),
            models.Index(fields=["at"], name="dials_that_are_live", condition=LIVE),
        ]
        triggers: ClassVar = [
            pgtrigger.Trigger(
                name="nobody_is_rung_against_the_rules",
                operation=pgtrigger.Insert,
                when=pgtrigger.Before,
                declare=[("refusal", "text")],
                func=REFUSE_WHAT_IS_NOT_ALLOWED,
            ),
            pgtrigger.Trigger(
                name="counted_calls_never_change", operation=pgtrigger.Update, when=pgtrigger.Before, func=ONLY_ITS_END_IS_WRITTEN
            ),
            pgtrigger.Protect(name="counted_calls_are_never_deleted", operation=pgtrigger.Delete),
        ]

    def __str__(self) -> str:
        return f"{self.get_purpose_display()} {self.at:%Y-%m-%d %H:%M}"


class SubjectTalk(models.Model):
    """That somebody talked with a customer about something, such as a debt: for some days nobody is rung about it then."""

    customer = models.ForeignKey(Customer, models.PROTECT, related_name="subject_talks")
    original_customer = models.ForeignKey(Customer, models.PROTECT, related_name="original_subject_talks")
    purpose = models.CharField(max_length=12, choices=CallPurpose.choices)
    subject = models.CharField(max_length=80, blank=True)
    interaction = models.ForeignKey(Interaction, models.PROTECT, related_name="subject_talks")
    at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["-at", "-id"]
        constraints = [
            models.UniqueConstraint(fields=["interaction", "purpose", "subject"], name="talk_about_something_is_noted_once_a_line"),
            models.CheckConstraint(condition=models.Q(purpose__in=CallPurpose.values), name="talk_is_about_a_known_purpose"),
        ]
        indexes = [models.Index(fields=["customer", "purpose", "at"], name="talks_with_a_customer")]

    def __str__(self) -> str:
        return f"{self.get_purpose_display()} {self.at:%Y-%m-%d}"
