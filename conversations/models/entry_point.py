"""Where customers come in: one web path or one phone number, and the playbook that answers there."""

from typing import Any, Final
from uuid import UUID

from django.core.validators import MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from conversations.models.playbook import Playbook
from routing.compiled import CompiledOnce, Given
from routing.configuration import kept
from routing.models import ReasonCode, ServiceHours

PUBLISHED: Final = CompiledOnce(lambda: Playbook.objects.filter(code=Given("code"), status=Playbook.Status.PUBLISHED))
_published: Final = kept(lambda code: PUBLISHED.get(code=code))


class Channel(models.TextChoices):
    """The ways of reaching the company. Routing never sees this."""

    CHAT = "chat", _("Web chat")
    VOICE = "voice", _("Call")
    SMS = "sms", _("Text message")


DOORS = [(Channel.CHAT.value, Channel.CHAT.label), (Channel.VOICE.value, Channel.VOICE.label)]
"""What an entry point can be: a web path, or a number, which takes calls and where it says so text messages."""


class EntryPoint(models.Model):
    """A door. `address` is a web path such as /harborhome or an E.164 number."""

    class Mode(models.TextChoices):
        """Off: the door is closed. Drafts: people answer and see what the AI agent would have said. Live: it answers its share."""

        OFF = "off", _("Off")
        SHADOW = "shadow", _("Drafts for staff only")
        LIVE = "live", _("Live")

    class LiveHours(models.TextChoices):
        """When the AI agent answers where it is live."""

        ALWAYS = "always", _("At any hour")
        INSIDE = "inside", _("Only inside the opening hours")
        OUTSIDE = "outside", _("Only outside the opening hours")

    class LiveReasons(models.TextChoices):
        """What the AI agent answers where it is live. It always finds out what it is about."""

        ALL = "all", _("Every reason")
        ONLY = "only", _("Only the reasons chosen")
        EXCEPT = "except", _("All but the reasons chosen")

    class RecordingPolicy(models.TextChoices):
        """Whether calls may be recorded here, and what the caller must be told or asked first."""

        NOT_RECORDED = "not_recorded", _("Not recorded")
        ANNOUNCE = "announce", _("Recorded after an announcement, unless the caller objects")
        ASK_FIRST = "ask_first", _("Recorded only after the caller said yes")

    class VoiceProvider(models.TextChoices):
        """Whose voice is heard, where the phone platform offers others than its own."""

        ELEVENLABS = "ElevenLabs", "ElevenLabs"
        GOOGLE = "Google", "Google"
        POLLY = "Polly", "Amazon Polly"

    name = models.CharField(max_length=80)
    channel = models.CharField(max_length=6, choices=DOORS)
    address = models.CharField(max_length=200, help_text=_("A web path such as /harborhome, or a number such as +441632960100."))
    company_name = models.CharField(max_length=80)
    playbook_code = models.CharField(max_length=40, help_text=_("The playbook whose published version answers here."))
    hours = models.ForeignKey(ServiceHours, models.PROTECT, null=True, blank=True, related_name="+")
    mode = models.CharField(max_length=6, choices=Mode.choices, default=Mode.LIVE)
    live_share_percent = models.PositiveSmallIntegerField(
        default=100, help_text=_("The share of new conversations the AI agent answers; the rest go to people.")
    )
    live_hours = models.CharField(max_length=7, choices=LiveHours.choices, default=LiveHours.ALWAYS)
    live_reasons = models.CharField(max_length=6, choices=LiveReasons.choices, default=LiveReasons.ALL)
    reasons = models.ManyToManyField(ReasonCode, blank=True, related_name="+")
    recording_policy = models.CharField(
        max_length=12,
        choices=RecordingPolicy.choices,
        default=RecordingPolicy.NOT_RECORDED,
        help_text=_(
            "Some places allow a recording only when everybody on the call has agreed: ask first when callers may be there. Who is"
            " asked and says nothing, or no, is not recorded. Whoever objects later is not recorded from then on."
        ),
    )
    recording_keep_days = models.PositiveIntegerField(
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text=_(
            "After so many days recordings and messages left here are deleted, unless a legal hold keeps them. Empty: as the"
            " retention rule for recordings says."
        ),
    )
    transcribes_recordings = models.BooleanField(
        default=False,
        help_text=_(
            "Have the phone platform write down what is said between a caller and a person while it is recorded, and messages that"
            " are left. The platform charges for it."
        ),
    )
    takes_voicemail = models.BooleanField(
        default=True,
        help_text=_("Callers may leave a message when nobody can take the call, or instead of waiting. It becomes a call back."),
    )
    asks_survey = models.BooleanField(
        default=False,
        help_text=_(
            "When a person hangs up and the caller stays on the line, the automated voice asks one question, answered from 1 to 5 by key"
            " or by voice. The answer stands in the history and in the reports."
        ),
    )
    survey_questions = models.JSONField(default=dict, blank=True)
    default_region = models.CharField(max_length=2, default="GB")
    language = models.CharField(max_length=10, default="en-GB")
    time_zone = models.CharField(max_length=64, default="UTC")
    allowed_origins = models.JSONField(
        default=list, blank=True, help_text=_("Web sites that may show the widget; empty means this site only.")
    )

    takes_texts = models.BooleanField(
        default=False, help_text=_("Whether customers can write text messages to this number, and get answers by them.")
    )
    waiting_music = models.CharField(
        max_length=500,
        blank=True,
        help_text=_("The web address of an MP3 or WAV of 20 to 60 seconds, heard between two announcements. Empty: ours."),
    )
    voice_style = models.PositiveSmallIntegerField(default=0, help_text=_("The voice's number in the phone platform's list."))
    voice_premium = models.BooleanField(default=False, help_text=_("The better and dearer version of the voice, where there is one."))
    voice_provider = models.CharField(max_length=12, choices=VoiceProvider.choices, blank=True, help_text=_("Empty: the platform's own."))
    voice_options = models.JSONField(default=dict, blank=True, help_text=_("What the provider needs to know, such as the voice's id."))

    class Meta:
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(takes_texts=False) | models.Q(channel="voice"), name="only_a_number_takes_text_messages"
            ),
            models.CheckConstraint(condition=models.Q(voice_style__lte=99), name="entry_point_voice_style_is_in_the_platforms_list"),
            models.CheckConstraint(
                condition=models.Q(voice_provider__in=["", "ElevenLabs", "Google", "Polly"]), name="entry_point_voice_provider_is_known"
            ),
            models.CheckConstraint(
                condition=models.Q(voice_options={}) | ~models.Q(voice_provider=""), name="voice_options_are_for_a_provider"
            ),
            models.CheckConstraint(
                condition=models.Q(waiting_music="") | models.Q(waiting_music__startswith="http"),
                name="waiting_music_has_a_web_address",
            ),
            models.UniqueConstraint(fields=["channel", "address"], name="entry_point_address_is_unique_per_channel"),
            models.CheckConstraint(condition=models.Q(mode__in=["off", "shadow", "live"]), name="entry_point_mode_is_known"),
            models.CheckConstraint(condition=models.Q(channel__in=["chat", "voice"]), name="entry_point_channel_is_known"),
            models.CheckConstraint(
                condition=models.Q(live_hours__in=["always", "inside", "outside"]), name="entry_point_live_hours_are_known"
            ),
            models.CheckConstraint(
                condition=models.Q(live_hours="always") | models.Q(hours__isnull=False),
                name="entry_point_that_is_live_by_hours_has_hours",
                violation_error_message=_("Choose the opening hours that the AI agent goes by."),
            ),
            models.CheckConstraint(
                condition=models.Q(live_reasons__in=["all", "only", "except"]), name="entry_point_live_reasons_are_known"
            ),
            models.CheckConstraint(
                condition=models.Q(recording_policy__in=["not_recorded", "announce", "ask_first"]),
                name="entry_point_recording_policy_is_known",
            ),
            models.CheckConstraint(
                condition=models.Q(recording_keep_days__isnull=True) | models.Q(recording_keep_days__gte=1),
                name="entry_point_keeps_recordings_for_at_least_a_day",
                violation_error_message=_("Keep recordings for at least one day, or leave the field empty."),
            ),
            models.CheckConstraint(
                condition=models.Q(channel="voice") | models.Q(asks_survey=False),
                name="only_a_number_asks_how_the_call_was",
                violation_error_message=_("Only calls are asked how they were, and this is a web path."),
            ),
            models.CheckConstraint(condition=models.Q(live_share_percent__lte=100), name="entry_point_live_share_is_a_percentage"),
            models.CheckConstraint(
                condition=~models.Q(channel="voice") | models.Q(address__regex=r"^\+[1-9][0-9]{6,14}$"),
                name="voice_entry_point_address_is_e164",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def is_in_live_share(self, conversation: UUID) -> bool:
        """Whether the door is live and the conversation with this public id falls in the share. `selectors.roll_out` has the rest.

        The same conversation gets the same answer for as long as the share stays as it is.
        """
        return self.mode == self.Mode.LIVE and conversation.int % 100 < self.live_share_percent

    @property
    def voice(self) -> dict[str, Any]:
        """What chooses the voice, as the phone platform names it; empty for its usual one. Source: Vonage, "NCCO reference", talk."""
        chosen = {
            "style": self.voice_style,
            "premium": self.voice_premium,
            "provider": self.voice_provider,
            "providerOptions": self.voice_options,
        }
        return {name: value for name, value in chosen.items() if value}

    @property
    def playbook(self) -> Playbook:
        """The published playbook of this door. Raises Playbook.DoesNotExist when none is published."""
        return _published(self.playbook_code)
