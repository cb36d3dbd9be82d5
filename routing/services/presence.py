"""What agents say of themselves: available, away, offline."""

from __future__ import annotations

from datetime import timedelta

from django.db import transaction
from django.db.models import Q, QuerySet

from routing import clock
from routing.models import AgentProfile, Presence, Reservation
from routing.services import reservations
from routing.services.announce import announce_presence
from routing.services.dispatch import dispatch_for_agent_after_commit
from routing.services.locks import lock_agents
from routing.services.sweeping import each_by_itself

CONNECTION_LOST = "connection lost"
SILENT_FOR = timedelta(seconds=150)
"""Longer than two heartbeats of a browser tab in the background, which may send only one a minute."""


def set_state(agent: AgentProfile, state: str, away_reason: str = "", *, by: str = "") -> Presence:
    """Stores what the agent chose, or a supervisor, named `by`, for them; becoming available is followed by a dispatch pass.

    What is offered to somebody who goes offline is taken back once that is stored, so that others have it at once; who is only
    away may still take it.

    Takes the agent's row lock, so that no offer is made to somebody who has just gone. Raises ValueError for an unknown state.
    """
    chosen = Presence.State(state)
    with transaction.atomic():
        lock_agents([agent.pk])
        presence, _created = Presence.objects.get_or_create(agent=agent)
        now = clock.now()
        if presence.state != chosen:
            presence.since = now
            if chosen == Presence.State.AVAILABLE:
                presence.idle_since = now
        presence.state = chosen
        presence.away_reason = away_reason[:40] if chosen == Presence.State.AWAY else ""
        presence.set_by = by
        presence.missed_in_a_row = 0
        presence.last_heartbeat_at = now if presence.last_heartbeat_at else None
        presence.save()
        announce_presence(presence)
        if chosen == Presence.State.AVAILABLE:
            dispatch_for_agent_after_commit(agent)
        elif chosen == Presence.State.OFFLINE:
            transaction.on_commit(lambda: _take_offers_back(agent), robust=True)
    return presence


def _take_offers_back(agent: AgentProfile) -> None:
    offered = Reservation.objects.filter(agent=agent, state=Reservation.State.PENDING).order_by("pk")
    each_by_itself(list(offered.values_list("pk", flat=True)), reservations.take_back)


def heartbeat(agent: AgentProfile) -> None:
    """The agent's screen is there. From the first heartbeat on, `leave_the_silent` watches for their absence."""
    Presence.objects.filter(agent=agent).update(last_heartbeat_at=clock.now())


def is_there(agent: AgentProfile) -> bool:
    """Whether somebody is at an agent's screen: they are not offline, and it was heard of within `SILENT_FOR`, unless it never was."""
    heard = Q(last_heartbeat_at__isnull=True) | Q(last_heartbeat_at__gte=clock.now() - SILENT_FOR)
    gone = Q(state=Presence.State.OFFLINE) | Q(state=Presence.State.AWAY, away_reason=CONNECTION_LOST)
    return Presence.objects.filter(heard, agent=agent).exclude(gone).exists()


def leave_the_silent() -> int:
    """Makes those away who are available but whose screen has been silent for `SILENT_FOR`; returns how many.

    Their work and their capacity stay theirs; they are only not offered more. Who is heard of, or goes, at the same moment is left
    alone. Takes for each the agent's row lock, then their presence. Raises ExceptionGroup when all had their turn.
    """
    agents = AgentProfile.objects.filter(presence__in=_silent())
    return sum(each_by_itself(list(agents), _leave_when_silent))


def _silent() -> QuerySet[Presence]:
    return Presence.objects.filter(state=Presence.State.AVAILABLE, last_heartbeat_at__lt=clock.now() - SILENT_FOR)


def _leave_when_silent(agent: AgentProfile) -> bool:
    with transaction.atomic():
        lock_agents([agent.pk])
        if _silent().select_for_update().filter(agent=agent).first() is None:
            return False
        set_state(agent, Presence.State.AWAY, CONNECTION_LOST)
    return True
