"""What a customer has agreed to, how they like to be reached, and numbers and addresses that must never be contacted."""

from typing import ClassVar

import pgtrigger
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from conversations.models.customer import Customer
from conversations.models.entry_point import EntryPoint
from conversations.models.identifier import E164, Assurance, Identifier
from conversations.models.interaction import Interaction


class Purpose(models.TextChoices):
    """What somebody may agree to. What holds when nothing was said is in `selectors.consent.DEFAULTS`."""

    CONTACT = "contact", _("Being contacted at all")
    OUTBOUND_CALL = "outbound_call", _("Calls from us")
    SMS = "sms", _("Text messages")
    MARKETING = "marketing", _("Offers and news")
    RECORDING = "recording", _("Recording of calls")


class Way(models.TextChoices):
    """How a customer is reached."""

    CALL = "call", _("Phone call")
    TEXT = "text", _("Text message")
    EMAIL = "email", _("Email")
    CHAT = "chat", _("Web chat")


class Consent(models.Model):
    """One thing a customer said about one purpose: a yes, a no, or a yes taken back. Rows are only ever added.

    The scope is narrower the more is filled in: `way` (offers by text message), `kind` and `value` (this number). What holds
    now is worked out from the rows; see `selectors.consent`. `asked_for` marks a yes that is the customer's own request, such
    as a call back: it is for one identifier and ends by itself.
    """

    class Decision(models.TextChoices):
        GIVEN = "given", _("Agreed")
        REFUSED = "refused", _("Refused")
        REVOKED = "revoked", _("Taken back")

    class GivenBy(models.TextChoices):
        CUSTOMER = "customer", _("The customer")
        AGENT = "agent", _("An agent, for the customer")

    class How(models.TextChoices):
        SAID = "said", _("Said on the phone")
        TYPED = "typed", _("Typed in a message")
        KEYED = "keyed", _("Pressed a key")
        TICKED = "ticked", _("Ticked a box")
        WRITTEN = "written", _("On paper or by email")

    customer = models.ForeignKey(Customer, models.PROTECT, related_name="consents")
    original_customer = models.ForeignKey(Customer, models.PROTECT, related_name="original_consents")
    purpose = models.CharField(max_length=13, choices=Purpose.choices)
    way = models.CharField(max_length=5, choices=Way.choices, blank=True, help_text=_("Only by this way; empty means by any."))
    kind = models.CharField(max_length=10, choices=Identifier.Kind.choices, blank=True)
    value = models.CharField(max_length=320, blank=True, help_text=_("Only for this number or address; empty means for any."))
    decision = models.CharField(max_length=7, choices=Decision.choices)
    asked_for = models.BooleanField(default=False, help_text=_("A request of the customer's own, such as a call back."))
    wording = models.TextField(blank=True, help_text=_("The words that were shown or read out."))
    language = models.CharField(max_length=10, blank=True)
    interaction = models.ForeignKey(Interaction, models.PROTECT, null=True, blank=True, related_name="consents")
    entry_point = models.ForeignKey(EntryPoint, models.PROTECT, null=True, blank=True, related_name="+")
    given_by = models.CharField(max_length=8, choices=GivenBy.choices)
    assurance = models.CharField(max_length=14, choices=Assurance.choices, help_text=_("How sure it was that the customer said it."))
    how = models.CharField(max_length=7, choices=How.choices)
    recorded_by = models.CharField(max_length=200, help_text=_("Who or what wrote it down, as text."))
    note = models.TextField(blank=True)
    source_id = models.CharField(max_length=200, null=True, blank=True, unique=True, help_text=_("Makes a repetition write nothing."))
    at = models.DateTimeField(db_default=Now())
    expires_at = models.DateTimeField(null=True, blank=True)
    erased_at = models.DateTimeField(null=True, blank=True, help_text=_("When the number or address was replaced by its keyed hash."))

    class Meta:
        ordering = ["-at", "-id"]
        constraints = [
            models.CheckConstraint(condition=models.Q(purpose__in=Purpose.values), name="consent_purpose_is_known"),
            models.CheckConstraint(condition=models.Q(way__in=["", *Way.values]), name="consent_way_is_known"),
            models.CheckConstraint(
                condition=models.Q(decision__in=["given", "refused", "revoked"]), name="consent_decision_is_known"
            ),
            models.CheckConstraint(
                condition=models.Q(given_by__in=["customer", "agent"]), name="consent_is_given_by_somebody_known"
            ),
            models.CheckConstraint(
                condition=models.Q(how__in=["said", "typed", "keyed", "ticked", "written"]), name="consent_is_given_in_a_known_way"
            ),
            models.CheckConstraint(
                condition=models.Q(assurance__in=["claimed", "network_hint", "knowledge", "verified"]),
                name="consent_assurance_is_known",
            ),
            models.CheckConstraint(condition=models.Q(way="") | models.Q(purpose="marketing"), name="only_offers_come_in_several_ways"),
            models.CheckConstraint(
                condition=models.Q(kind="", value="")
                | (models.Q(kind__in=["phone", "email", "visitor", "external"]) & ~models.Q(value="")),
                name="consent_is_for_a_whole_identifier_or_for_any",
            ),
            models.CheckConstraint(
                condition=~models.Q(kind="phone") | models.Q(value__regex=E164) | models.Q(erased_at__isnull=False),
                name="consent_number_is_e164",
            ),
            models.CheckConstraint(
                condition=~models.Q(decision="given", asked_for=False) | ~models.Q(wording=""), name="agreeing_keeps_the_words_agreed_to"
            ),
            models.CheckConstraint(
                condition=models.Q(asked_for=False)
                | (
                    models.Q(decision="given", purpose__in=["outbound_call", "sms"], expires_at__isnull=False)
                    & models.Q(kind="phone")
                ),
                name="a_request_is_for_one_number_and_ends",
            ),
            models.CheckConstraint(
                condition=models.Q(expires_at__isnull=True)
                | (models.Q(decision="given") & models.Q(expires_at__gt=models.F("at"))),
                name="only_a_yes_ends_and_after_it_began",
            ),
            models.CheckConstraint(
                condition=~models.Q(decision="given", given_by="customer", asked_for=False, assurance="claimed")
                | models.Q(purpose="recording"),
                name="a_customer_who_agrees_has_shown_who_they_are",
            ),
            models.CheckConstraint(condition=~models.Q(recorded_by=""), name="consent_says_who_wrote_it_down"),
        ]
        indexes = [
            models.Index(fields=["customer", "purpose"], name="consent_by_customer"),
            # Serves the gate before every call: what was said of a number on any record.
            models.Index(fields=["kind", "value"], name="consent_by_number", condition=~models.Q(value="")),
        ]
        triggers: ClassVar = [
            pgtrigger.Protect(name="consents_are_never_deleted", operation=pgtrigger.Delete),
            # No constraint: requests of before were kept without, nobody knows their words any more, and joining records moves them.
            pgtrigger.Trigger(
                name="a_request_keeps_the_words_that_were_told",
                operation=pgtrigger.Insert,
                when=pgtrigger.Before,
                condition=pgtrigger.Q(new__asked_for=True),
                func="""
                    IF btrim(NEW.wording) = '' THEN
                        RAISE EXCEPTION 'a request for a call or text keeps the words that were told or shown'
                            USING ERRCODE = 'check_violation', CONSTRAINT = 'a_request_keeps_the_words_that_were_told';
                    END IF;
                    RETURN NEW;
                """,
            ),
            pgtrigger.Trigger(
                name="consents_are_append_only",
                operation=pgtrigger.Update,
                when=pgtrigger.Before,
                func="""
                    IF to_jsonb(NEW) - 'customer_id' = to_jsonb(OLD) - 'customer_id' THEN
                        RETURN NEW;
                    END IF;
                    IF OLD.erased_at IS NULL AND NEW.erased_at IS NOT NULL
                       AND (to_jsonb(NEW) - '{value,note,source_id,erased_at}'::text[])
                         = (to_jsonb(OLD) - '{value,note,source_id,erased_at}'::text[]) THEN
                        RETURN NEW;
                    END IF;
                    RAISE EXCEPTION 'consents are append-only; only joining records moves one, and erasure empties one, once'
                        USING ERRCODE = 'check_violation';
                """,
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_purpose_display()}: {self.get_decision_display()}"


class ContactPreference(models.Model):
    """How a customer likes to be reached. A wish, not a permission: that is `Consent`."""

    customer = models.ForeignKey(Customer, models.PROTECT, related_name="contact_preferences")
    original_customer = models.OneToOneField(Customer, models.PROTECT, related_name="original_contact_preference")
    way = models.CharField(max_length=5, choices=Way.choices, blank=True)
    times = models.CharField(max_length=200, blank=True, help_text=_("When it suits them, in their own words."))
    language = models.CharField(max_length=10, blank=True)
    updated_by = models.CharField(max_length=200)
    updated_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["-updated_at", "-id"]
        constraints = [
            models.CheckConstraint(condition=models.Q(way__in=["", *Way.values]), name="preferred_way_is_known"),
            models.CheckConstraint(condition=~models.Q(updated_by=""), name="contact_preference_says_who_wrote_it_down"),
        ]

    def __str__(self) -> str:
        return str(self.customer)


class Suppression(models.Model):
    """A number or address that is never contacted, whoever it belongs to. It outlives an erasure as a keyed hash.

    Taking it off the list dates the row; it is never deleted.
    """

    class Kind(models.TextChoices):
        PHONE = "phone", _("Phone")
        EMAIL = "email", _("Email")

    kind = models.CharField(max_length=5, choices=Kind.choices)
    value = models.CharField(max_length=320, blank=True, help_text=_("Empty after an erasure; the hash still works."))
    value_hash = models.CharField(max_length=64, help_text=_("Keyed hash of the value in normal form."))
    reason = models.CharField(max_length=300)
    added_by = models.CharField(max_length=200)
    added_at = models.DateTimeField(db_default=Now())
    ends_by_start = models.BooleanField(
        default=False, db_default=False,
        help_text=_("Whoever has the number wrote STOP, and nobody else put it here: their START takes it off again."),
    )  # fmt: skip
    lifted_by = models.CharField(max_length=200, blank=True)
    lifted_reason = models.CharField(max_length=300, blank=True)
    lifted_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("number or address never to contact")
        verbose_name_plural = _("do-not-contact list")
        ordering = ["-added_at", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "value_hash"], condition=models.Q(lifted_at__isnull=True), name="suppressed_value_stands_once"
            ),
            models.CheckConstraint(condition=models.Q(kind__in=["phone", "email"]), name="suppressed_kind_is_known"),
            models.CheckConstraint(
                condition=~models.Q(kind="phone") | models.Q(value="") | models.Q(value__regex=E164), name="suppressed_number_is_e164"
            ),
            models.CheckConstraint(condition=models.Q(value_hash__regex=r"^[0-9a-f]{64}$"), name="suppressed_value_has_its_hash"),
            models.CheckConstraint(condition=~models.Q(reason="") & ~models.Q(added_by=""), name="suppression_says_why_and_by_whom"),
            models.CheckConstraint(
                condition=models.Q(lifted_at__isnull=True, lifted_by="", lifted_reason="")
                | (models.Q(lifted_at__isnull=False) & ~models.Q(lifted_by="") & ~models.Q(lifted_reason="")),
                name="lifted_suppression_says_why_and_by_whom",
            ),
        ]
        triggers: ClassVar = [pgtrigger.Protect(name="suppressions_are_never_deleted", operation=pgtrigger.Delete)]

    def __str__(self) -> str:
        return self.value or f"{self.get_kind_display()} {self.value_hash[:8]}…"
