"""How much of an agent's capacity is taken. Nothing else writes `AgentProfile.load`.

The database refuses a commit after which a load differs from the weight of the agent's live reservations.
"""

from __future__ import annotations

from django.db.models import F

from routing.models import AgentProfile


def take(agent_id: int, weight: int) -> None:
    """An offer takes capacity. The caller holds the agent's row."""
    AgentProfile.objects.filter(pk=agent_id).update(load=F("load") + weight)


def give_back(agent_id: int, weight: int) -> None:
    """An ended reservation gives capacity back. The caller holds the agent's row."""
    AgentProfile.objects.filter(pk=agent_id).update(load=F("load") - weight)
