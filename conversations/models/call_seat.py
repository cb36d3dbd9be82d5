"""Who is on a call besides its customer: one row for each time that somebody's phone is rung for it."""

import uuid
from typing import ClassVar

import pgtrigger
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from conversations.models.interaction import Interaction
from conversations.models.outside_number import OutsideNumber
from routing.models import AgentProfile, Reservation

LIVE = models.Q(state__in=["ringing", "connected"])


class CallSeat(models.Model):
    """One person's place on one call, from the ringing of their phone to the end of their leg.

    `services.call_seats` writes it, under the lock of the call's row.
    """

    class Purpose(models.TextChoices):
        """Answer: they have the caller. Consult: asked in private by whoever has. Join: a third on the call. Supervise: over it."""

        ANSWER = "answer", _("Has the caller")
        CONSULT = "consult", _("Is asked in private")
        JOIN = "join", _("Has joined")
        SUPERVISE = "supervise", _("Supervises")

    class Manner(models.TextChoices):
        """Talk and barge: everybody hears them. Whisper: only colleagues do. Listen: nobody does."""

        TALK = "talk", _("Talks")
        LISTEN = "listen", _("Listens")
        WHISPER = "whisper", _("Speaks to colleagues alone")
        BARGE = "barge", _("Speaks to everybody")

    class State(models.TextChoices):
        RINGING = "ringing", _("Ringing")
        CONNECTED = "connected", _("On the call")
        ENDED = "ended", _("Ended")

    class Outcome(models.TextChoices):
        """What came of ringing the phone. `connected` becomes `left` when they go."""

        CONNECTED = "connected", _("On the call")
        LEFT = "left", _("Left the call")
        DECLINED = "declined", _("Declined")
        NO_ANSWER = "no_answer", _("Did not answer")
        BUSY = "busy", _("Line busy")
        FAILED = "failed", _("Could not be reached")
        MACHINE = "machine", _("A machine picked up")
        CANCELLED = "cancelled", _("Rung no longer")

    LIVE_STATES: ClassVar = (State.RINGING, State.CONNECTED)

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    interaction = models.ForeignKey(Interaction, models.PROTECT, related_name="seats")
    agent = models.ForeignKey(AgentProfile, models.PROTECT, null=True, blank=True, related_name="+")
    outside = models.ForeignKey(OutsideNumber, models.PROTECT, null=True, blank=True, related_name="+")
    offer = models.ForeignKey(
        Reservation, models.SET_NULL, null=True, blank=True, related_name="+", help_text=_("The offer that picking up accepts, if any.")
    )
    name = models.CharField(max_length=80, help_text=_("As it was then."))
    purpose = models.CharField(max_length=9, choices=Purpose.choices)
    manner = models.CharField(max_length=7, choices=Manner.choices, default=Manner.TALK)
    state = models.CharField(max_length=9, choices=State.choices, default=State.RINGING)
    outcome = models.CharField(max_length=9, choices=Outcome.choices, blank=True)
    leg_id = models.CharField(max_length=100, blank=True, help_text=_("The leg's id, once the platform has named it."))
    muted = models.BooleanField(default=False)
    until = models.DateTimeField(help_text=_("When it is looked at next: a phone that rings too long, a leg whose end was never told."))
    rung_at = models.DateTimeField(db_default=Now())
    connected_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["rung_at", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["interaction"], condition=LIVE & models.Q(purpose="answer"), name="call_has_one_person_who_has_the_caller"
            ),
            models.UniqueConstraint(
                fields=["interaction"], condition=LIVE & models.Q(purpose="consult"), name="call_has_one_consult_at_a_time"
            ),
            models.UniqueConstraint(fields=["agent"], condition=LIVE, name="person_is_on_one_call_at_a_time"),
            models.UniqueConstraint(fields=["leg_id"], condition=~models.Q(leg_id=""), name="leg_belongs_to_one_seat"),
            models.CheckConstraint(
                condition=models.Q(agent__isnull=False, outside__isnull=True) | models.Q(agent__isnull=True, outside__isnull=False),
                name="call_seat_is_of_an_agent_or_of_an_outside_number",
            ),
            models.CheckConstraint(
                condition=models.Q(purpose__in=["answer", "consult", "join", "supervise"]), name="call_seat_purpose_is_known"
            ),
            models.CheckConstraint(
                condition=models.Q(purpose="supervise", manner__in=["listen", "whisper", "barge"], agent__isnull=False)
                | (~models.Q(purpose="supervise") & models.Q(manner="talk")),
                name="only_supervisors_listen_whisper_or_barge",
            ),
            models.CheckConstraint(
                condition=models.Q(state="ringing", outcome="", connected_at__isnull=True, ended_at__isnull=True)
                | models.Q(state="connected", outcome="connected", connected_at__isnull=False, ended_at__isnull=True)
                | models.Q(state="ended", outcome="left", connected_at__isnull=False, ended_at__isnull=False)
                | models.Q(
                    state="ended",
                    outcome__in=["declined", "no_answer", "busy", "failed", "machine", "cancelled"],
                    connected_at__isnull=True,
                    ended_at__isnull=False,
                ),
                name="call_seat_has_the_outcome_and_times_of_its_state",
            ),
            models.CheckConstraint(condition=models.Q(muted=False) | ~models.Q(state="ringing"), name="only_who_is_on_the_call_is_muted"),
            models.CheckConstraint(
                condition=models.Q(leg_id__gt="") | ~models.Q(state="connected"), name="who_is_on_the_call_has_a_leg"
            ),
            models.CheckConstraint(
                condition=models.Q(offer__isnull=True) | models.Q(purpose="answer", agent__isnull=False),
                name="only_an_agent_who_answers_accepts_an_offer",
            ),
        ]
        indexes = [
            # Serves the sweep over phones that rang too long and legs whose end was lost.
            models.Index(fields=["until"], name="call_seat_looked_at", condition=LIVE),
            # Serves the sweep over legs that should have ended and may not have.
            models.Index(fields=["ended_at"], name="call_seat_ended"),
        ]
        triggers: ClassVar = [
            pgtrigger.FSM(
                name="call_seat_moves_only_forward",
                field="state",
                transitions=[("ringing", "connected"), ("ringing", "ended"), ("connected", "ended")],
            ),
            pgtrigger.ReadOnly(name="call_seat_stays_with_its_call_and_person", fields=["interaction", "agent", "outside", "public_id"]),
        ]

    def __str__(self) -> str:
        return f"{self.name}: {self.get_state_display()}"

    @property
    def is_live(self) -> bool:
        """Whether their phone rings or they are on the call."""
        return self.state in self.LIVE_STATES

    @property
    def is_heard(self) -> bool:
        """Whether they are on the call and the caller can hear them."""
        return self.state == self.State.CONNECTED and self.manner in (self.Manner.TALK, self.Manner.BARGE)
