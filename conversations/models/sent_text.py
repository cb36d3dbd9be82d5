"""What became of a text message that we sent: whether the phone platform took it, and whether it arrived."""

import uuid

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from conversations.models.entry import Entry
from conversations.models.interaction import Interaction


class SentText(models.Model):
    """One text message, with the last of the entries that it carries, or for one that carries none of them with the one that tells of it.

    Entries never change, so its state stands here. What a code or a link reads is kept nowhere.

    States only rise, in the order in which they are listed, so that the platform may report them in any order and as often as it likes.
    """

    class What(models.TextChoices):
        MESSAGE = "message", _("A message of the conversation")
        CODE = "code", _("A one-time code")
        LINK = "link", _("A link")
        NOTICE = "notice", _("A notice")

    class State(models.TextChoices):
        WAITING = "waiting", _("Being sent")
        REFUSED = "refused", _("Not sent: they want no text messages")
        FAILED = "failed", _("Not sent")
        SUBMITTED = "submitted", _("Sent")
        REJECTED = "rejected", _("Not delivered: the network refused it")
        UNDELIVERABLE = "undeliverable", _("Not delivered")
        DELIVERED = "delivered", _("Delivered")

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    interaction = models.ForeignKey(Interaction, models.CASCADE, related_name="sent_texts")
    what = models.CharField(max_length=7, choices=What.choices, default=What.MESSAGE)
    entry = models.OneToOneField(
        Entry, models.CASCADE, null=True, blank=True, related_name="sent_text",
        help_text=_("The last entry that it carries, or the one that tells of it."),
    )  # fmt: skip
    first_seq = models.PositiveIntegerField(null=True, blank=True, help_text=_("The first entry that it carries."))
    message_id = models.CharField(max_length=64, blank=True, help_text=_("The platform's id of it; empty until it has taken it."))
    parts = models.PositiveSmallIntegerField(default=0, help_text=_("How many parts it was sent in."))
    state = models.CharField(max_length=13, choices=State.choices, default=State.WAITING)
    problem = models.CharField(max_length=120, blank=True, help_text=_("The network's word on why it did not arrive."))
    tries = models.PositiveSmallIntegerField(default=0)
    made_at = models.DateTimeField(db_default=Now())
    changed_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["-made_at", "-id"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(
                    state__in=["waiting", "refused", "failed", "submitted", "rejected", "undeliverable", "delivered"]
                ),
                name="sent_text_state_is_known",
            ),
            models.CheckConstraint(
                condition=models.Q(what="message", entry__isnull=False, first_seq__isnull=False)
                | models.Q(what__in=["code", "link", "notice"], first_seq__isnull=True),
                name="sent_text_carries_entries_or_is_of_another_kind",
            ),
            models.UniqueConstraint(fields=["message_id"], condition=~models.Q(message_id=""), name="text_message_is_sent_once"),
        ]
        indexes = [
            # Serves the sweep that sends what a process did not.
            models.Index(fields=["changed_at"], name="texts_that_wait", condition=models.Q(state="waiting")),
        ]

    def __str__(self) -> str:
        return f"{self.interaction} {self.get_state_display()}"

    @property
    def did_not_arrive(self) -> bool:
        """Whether it is known that nobody got it."""
        return self.state in (self.State.REFUSED, self.State.FAILED, self.State.REJECTED, self.State.UNDELIVERABLE)
