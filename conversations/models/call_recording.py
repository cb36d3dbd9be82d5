"""One recorded stretch of a call, or a message that a caller left, and its way from the phone platform into our storage."""

import uuid

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from conversations.models.interaction import Interaction


class CallRecording(models.Model):
    """A recording that the platform has finished. The file lies in the storage `recordings`, never in the database.

    A call has several when it moved between rooms, or when recording was paused: each stretch is one, in the order of `began_at`.
    Whoever listens goes through `selectors.recordings`, which says who may.
    """

    class Kind(models.TextChoices):
        CALL = "call", _("Part of a call")
        VOICEMAIL = "voicemail", _("Message left by a caller")

    class State(models.TextChoices):
        """Announced: the platform has it. Fetching: somebody is at it. Failed: given up, the problem says why."""

        ANNOUNCED = "announced", _("Waiting to be fetched")
        FETCHING = "fetching", _("Being fetched")
        STORED = "stored", _("Stored")
        FAILED = "failed", _("Could not be fetched")
        DELETED = "deleted", _("Deleted")

    class Transcript(models.TextChoices):
        """What became of writing it down. Waiting: the platform has the text."""

        NONE = "none", _("Not written down")
        WAITING = "waiting", _("Text waiting to be fetched")
        WRITTEN = "written", _("Written into the history")
        FAILED = "failed", _("Could not be written down")

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    interaction = models.ForeignKey(Interaction, models.PROTECT, related_name="recordings")
    recording_id = models.CharField(max_length=100, unique=True, help_text=_("The recording's id as the platform names it."))
    kind = models.CharField(max_length=9, choices=Kind.choices, default=Kind.CALL)
    state = models.CharField(max_length=9, choices=State.choices, default=State.ANNOUNCED)
    url = models.CharField(max_length=500, blank=True, help_text=_("Where the platform keeps it."))
    began_at = models.DateTimeField(help_text=_("When the stretch began, by the platform's clock."))
    seconds = models.PositiveIntegerField(null=True, blank=True)
    size_bytes = models.PositiveBigIntegerField(default=0)
    sha256 = models.CharField(max_length=64, blank=True)
    content_type = models.CharField(max_length=40, blank=True)
    storage_name = models.CharField(max_length=300, blank=True, help_text=_("Its name in the storage for recordings."))
    provider_keeps_until = models.DateTimeField(null=True, blank=True, help_text=_("When the platform's own copy goes."))
    tries = models.PositiveSmallIntegerField(default=0)
    next_try_at = models.DateTimeField(null=True, blank=True, help_text=_("From when on it may be fetched, or fetched again."))
    problem = models.CharField(max_length=200, blank=True)
    transcript = models.CharField(max_length=7, choices=Transcript.choices, default=Transcript.NONE)
    transcript_url = models.CharField(max_length=500, blank=True)
    transcript_tries = models.PositiveSmallIntegerField(default=0)
    transcript_next_try_at = models.DateTimeField(null=True, blank=True)
    platform_files = ArrayField(
        models.CharField(max_length=500), default=list, blank=True, help_text=_("Addresses of copies that the platform is to delete.")
    )
    platform_tries = models.PositiveSmallIntegerField(default=0)
    platform_next_try_at = models.DateTimeField(null=True, blank=True)
    announced_at = models.DateTimeField(db_default=Now())
    stored_at = models.DateTimeField(null=True, blank=True)
    deleted_at = models.DateTimeField(null=True, blank=True)
    deleted_because = models.CharField(max_length=200, blank=True)

    class Meta:
        ordering = ["began_at", "id"]
        constraints = [
            models.CheckConstraint(condition=~models.Q(recording_id=""), name="recording_has_an_id"),
            models.CheckConstraint(condition=models.Q(kind__in=["call", "voicemail"]), name="recording_kind_is_known"),
            models.CheckConstraint(
                condition=models.Q(state__in=["announced", "fetching", "stored", "failed", "deleted"]), name="recording_state_is_known"
            ),
            models.CheckConstraint(
                condition=models.Q(transcript__in=["none", "waiting", "written", "failed"]), name="recording_transcript_is_known"
            ),
            models.CheckConstraint(
                condition=(
                    models.Q(state="stored", stored_at__isnull=False, sha256__regex=r"^[0-9a-f]{64}$", size_bytes__gt=0)
                    & ~models.Q(storage_name="")
                )
                | (~models.Q(state="stored") & models.Q(storage_name="", sha256="")),
                name="recording_has_a_file_exactly_when_stored",
            ),
            models.CheckConstraint(
                condition=models.Q(state__in=["announced", "fetching"], next_try_at__isnull=False)
                | (~models.Q(state__in=["announced", "fetching"]) & models.Q(next_try_at__isnull=True)),
                name="recording_is_tried_again_exactly_while_it_waits",
            ),
            models.CheckConstraint(
                condition=models.Q(transcript="waiting", transcript_next_try_at__isnull=False)
                | (~models.Q(transcript="waiting") & models.Q(transcript_next_try_at__isnull=True)),
                name="transcript_is_tried_again_exactly_while_it_waits",
            ),
            models.CheckConstraint(
                condition=models.Q(platform_files__len__gt=0, platform_next_try_at__isnull=False)
                & ~models.Q(state__in=["announced", "fetching"])
                | models.Q(platform_files__len=0, platform_next_try_at__isnull=True),
                name="platform_deletes_nothing_that_is_still_to_be_fetched",
            ),
            models.CheckConstraint(condition=~models.Q(state="failed") | ~models.Q(problem=""), name="failed_recording_says_why"),
            models.CheckConstraint(
                condition=(models.Q(state="deleted", deleted_at__isnull=False) & ~models.Q(deleted_because=""))
                | (~models.Q(state="deleted") & models.Q(deleted_at__isnull=True, deleted_because="")),
                name="deleted_recording_says_when_and_why",
            ),
        ]
        indexes = [
            # Serves the sweep that fetches what waits.
            models.Index(fields=["next_try_at"], name="recording_to_fetch", condition=models.Q(next_try_at__isnull=False)),
            models.Index(
                fields=["transcript_next_try_at"], name="transcript_to_fetch",
                condition=models.Q(transcript_next_try_at__isnull=False),
            ),
            # Serves the sweep that has the platform delete its copies.
            models.Index(
                fields=["platform_next_try_at"], name="recording_to_delete_there",
                condition=models.Q(platform_next_try_at__isnull=False),
            ),
            # Serves what is deleted after its time.
            models.Index(fields=["began_at"], name="recording_stored", condition=models.Q(state="stored")),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.began_at:%Y-%m-%d %H:%M}"
