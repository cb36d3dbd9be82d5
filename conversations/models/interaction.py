"""One chat session or one call inside a conversation, and what carries one into another conversation."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from conversations.models.conversation import Conversation
from conversations.models.entry_point import Channel, EntryPoint
from conversations.models.identifier import Assurance

VOICES = {"en": "en-GB", "es": "es-ES"}
"""How a language is spoken and listened to where the entry point's own is another one."""


class SpokenIn(str):
    """A language tag, such as en-GB, with what chooses its voice on the phone platform (`EntryPoint.voice`)."""

    voice: Mapping[str, Any]

    def __new__(cls, tag: str, voice: Mapping[str, Any]) -> SpokenIn:
        made = super().__new__(cls, tag)
        made.voice = voice
        return made


class Interaction(models.Model):
    """What happened over one line. What its party may see depends on what was proven on it; see `selectors.access`."""

    class Direction(models.TextChoices):
        INBOUND = "inbound", _("Inbound")
        OUTBOUND = "outbound", _("Outbound")

    class State(models.TextChoices):
        STARTED = "started", _("Started")
        RINGING = "ringing", _("Ringing")
        ACTIVE = "active", _("Active")
        ENDED = "ended", _("Ended")

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    conversation = models.ForeignKey(Conversation, models.PROTECT, related_name="interactions")
    original_conversation = models.ForeignKey(Conversation, models.PROTECT, related_name="original_interactions", editable=False)
    entry_point = models.ForeignKey(EntryPoint, models.PROTECT, related_name="interactions")
    channel = models.CharField(max_length=6, choices=Channel.choices)
    direction = models.CharField(max_length=8, choices=Direction.choices, default=Direction.INBOUND)
    provider_id = models.CharField(max_length=100, unique=True, help_text=_("The call's or chat session's id as the transport names it."))
    party = models.CharField(max_length=320, blank=True, help_text=_("The other end: a number or a visitor id."))
    assurance = models.CharField(max_length=14, choices=Assurance.choices, default=Assurance.CLAIMED)
    state = models.CharField(max_length=8, choices=State.choices, default=State.STARTED)
    started_at = models.DateTimeField(db_default=Now())
    answered_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    end_reason = models.CharField(max_length=40, blank=True)
    wrap_up_due_at = models.DateTimeField(
        null=True, blank=True, editable=False, help_text=_("From when on its wrap-up is to be written; empty when none is owed.")
    )
    data = models.JSONField(default=dict, blank=True, help_text=_("What the transport needs to go on, such as the call's region address."))

    class Meta:
        ordering = ["started_at", "id"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(state="ended", ended_at__isnull=False) | (~models.Q(state="ended") & models.Q(ended_at__isnull=True)),
                name="interaction_has_an_end_exactly_when_ended",
            ),
            models.CheckConstraint(condition=models.Q(channel__in=["chat", "voice", "sms"]), name="interaction_channel_is_known"),
            models.CheckConstraint(
                condition=models.Q(state__in=["started", "ringing", "active", "ended"]),
                name="interaction_state_is_known",
            ),
            models.CheckConstraint(
                condition=models.Q(assurance__in=["claimed", "network_hint", "knowledge", "verified"]),
                name="interaction_assurance_is_known",
            ),
            models.CheckConstraint(
                condition=models.Q(direction__in=["inbound", "outbound"]), name="interaction_direction_is_known"
            ),
            models.CheckConstraint(condition=~models.Q(provider_id=""), name="interaction_has_a_provider_id"),
            models.CheckConstraint(
                condition=models.Q(wrap_up_due_at__isnull=True) | models.Q(state="ended"), name="wrap_up_is_due_only_after_the_end"
            ),
        ]
        indexes = [
            # Serves the sweep that ends what the transport forgot to end.
            models.Index(fields=["started_at"], name="interaction_live", condition=~models.Q(state="ended")),
            # Serves the sweep that writes wrap-ups.
            models.Index(fields=["wrap_up_due_at"], name="interaction_wrap_up_due", condition=models.Q(wrap_up_due_at__isnull=False)),
            # Serves the limit of calls that we make to one number.
            models.Index(fields=["party", "started_at"], name="interaction_outbound", condition=models.Q(direction="outbound")),
            # Serves finding the chats of a browser, at every hello.
            models.Index(fields=["party"], name="chat_by_party", condition=models.Q(channel="chat")),
        ]

    def __str__(self) -> str:
        return f"{self.get_channel_display()} {self.provider_id}"

    @property
    def language(self) -> str:
        """The language tag of this line, such as en-GB: of the language chosen in its conversation, else that of the entry point.

        The entry point's own language is spoken in the voice that was chosen there.
        """
        chosen, usual = self.conversation.language, self.entry_point.language
        if chosen and usual.partition("-")[0] != chosen:
            return VOICES.get(chosen, chosen)
        voice = self.entry_point.voice if self.channel == Channel.VOICE else {}
        return SpokenIn(usual, voice) if voice else usual


class JoinCode(models.Model):
    """A short code given in one interaction that carries its conversation into another. Single use."""

    interaction = models.ForeignKey(Interaction, models.CASCADE, related_name="join_codes")
    code_hash = models.CharField(max_length=64, help_text=_("Keyed hash; the code itself is never stored."))
    created_at = models.DateTimeField(db_default=Now())
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)
    used_by = models.ForeignKey(Interaction, models.SET_NULL, null=True, blank=True, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["code_hash"], condition=models.Q(used_at__isnull=True), name="unused_join_code_is_unique")
        ]

    def __str__(self) -> str:
        return f"{self.interaction} until {self.expires_at:%H:%M}"


class InteractionLink(models.Model):
    """One line that went on in another conversation, without the one it was in, with the evidence."""

    interaction = models.ForeignKey(Interaction, models.PROTECT, related_name="links")
    origin = models.ForeignKey(Conversation, models.PROTECT, related_name="lines_out")
    into = models.ForeignKey(Conversation, models.PROTECT, related_name="lines_in")
    evidence = models.JSONField(default=dict)
    made_by = models.CharField(max_length=200)
    made_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["-made_at", "-id"]
        constraints = [
            models.CheckConstraint(condition=~models.Q(origin=models.F("into")), name="interaction_link_is_about_two_conversations"),
        ]

    def __str__(self) -> str:
        return f"{self.interaction} → {self.into}"
