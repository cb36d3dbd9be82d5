"""How much of an agent's capacity is taken. Nothing else writes `AgentProfile.load` and `laid_aside`.

The database refuses a commit after which a load differs from the weight of the agent's live reservations, but for what is
laid aside (`services.interrupting`), which `laid_aside` weighs.
"""

from __future__ import annotations

from collections.abc import Mapping

from django.db import connection
from django.db.models import F

from routing.models import AgentProfile


def take(agent_id: int, weight: int) -> None:
    """An offer takes capacity. The caller holds the agent's row."""
    AgentProfile.objects.filter(pk=agent_id).update(load=F("load") + weight)


def take_all(weights: Mapping[int, int]) -> None:
    """Offers to many agents take capacity, by the agent's id, in one statement. The caller holds the agents' rows."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE routing_agentprofile SET load = load + taken.weight"
            " FROM unnest(%s::bigint[], %s::int[]) AS taken(agent_id, weight) WHERE id = taken.agent_id",
            [list(weights), list(weights.values())],
        )


def give_back(agent_id: int, weight: int) -> None:
    """An ended reservation gives capacity back. The caller holds the agent's row."""
    AgentProfile.objects.filter(pk=agent_id).update(load=F("load") - weight)


def lay_aside_all(weights: Mapping[int, int]) -> None:
    """What agents lay aside takes no capacity, by the agent's id, in one statement. The caller holds the agents' rows."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE routing_agentprofile SET load = load - aside.weight, laid_aside = laid_aside + aside.weight"
            " FROM unnest(%s::bigint[], %s::int[]) AS aside(agent_id, weight) WHERE id = aside.agent_id",
            [list(weights), list(weights.values())],
        )


def take_up_again(agent_id: int, weight: int) -> None:
    """What was laid aside takes capacity again. The caller holds the agent's row."""
    AgentProfile.objects.filter(pk=agent_id).update(load=F("load") + weight, laid_aside=F("laid_aside") - weight)


def forget_laid_aside(agent_id: int, weight: int) -> None:
    """What was laid aside has ended and takes capacity no more. The caller holds the agent's row."""
    AgentProfile.objects.filter(pk=agent_id).update(laid_aside=F("laid_aside") - weight)
