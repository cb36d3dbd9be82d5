"""Whether an agent can be offered work now."""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from routing.models.history import audited
from routing.models.organisation import AgentProfile


@audited()
class AwayReason(models.Model):
    """Why an agent is away, as agents choose and reports count it."""

    name = models.CharField(max_length=40, unique=True)
    active = models.BooleanField(default=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Presence(models.Model):
    """One row per agent. It says what the agent chose, not what they are doing: load says that."""

    class State(models.TextChoices):
        AVAILABLE = "available", _("Available")
        AWAY = "away", _("Away")
        OFFLINE = "offline", _("Offline")

    agent = models.OneToOneField(AgentProfile, models.CASCADE, related_name="presence", primary_key=True)
    state = models.CharField(max_length=10, choices=State.choices, default=State.OFFLINE)
    away_reason = models.CharField(max_length=40, blank=True)
    set_by = models.CharField(max_length=150, blank=True, help_text=_("Who set it, when it was not the agent."))
    missed_in_a_row = models.PositiveSmallIntegerField(default=0)
    since = models.DateTimeField(default=timezone.now)
    idle_since = models.DateTimeField(default=timezone.now)
    last_heartbeat_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name_plural = _("presence")
        constraints = [
            models.CheckConstraint(condition=models.Q(state__in=["available", "away", "offline"]), name="presence_state_is_known"),
        ]
        indexes = [
            # Serves routing.services.dispatch: the available agents, longest idle first.
            models.Index(fields=["idle_since"], name="presence_longest_idle", condition=models.Q(state="available"))
        ]

    def __str__(self) -> str:
        return f"{self.agent}: {self.get_state_display()}"
