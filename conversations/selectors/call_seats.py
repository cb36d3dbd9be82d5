"""Who is on a call, and who was."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from django.db.models import QuerySet

from conversations.models import CallSeat, Interaction
from routing.compiled import CompiledOnce, Given
from routing.models import AgentProfile

LIVE: Final = CompiledOnce(
    lambda: CallSeat.objects.filter(interaction=Given("call"), state__in=CallSeat.LIVE_STATES)
    .select_related("agent", "outside")
    .order_by("pk")
)


def live(call: Interaction) -> list[CallSeat]:
    """Whose phones ring for the call or are on it, in the order in which they were rung."""
    return LIVE.all(call=call.pk)


def heard(call: Interaction) -> list[CallSeat]:
    """Who is on the call and heard by everybody on it."""
    return [seat for seat in live(call) if seat.is_heard]


def of_agent(agent: AgentProfile) -> QuerySet[CallSeat]:
    """The call that an agent's phone is on or rings for."""
    return CallSeat.objects.filter(agent=agent, state__in=CallSeat.LIVE_STATES).select_related("interaction")


def is_colleague_talking(conversation: UUID) -> bool:
    """Whether one of the company's people is on a live call of the conversation with this public id, so that it can be listened to."""
    there = CallSeat.objects.filter(state=CallSeat.State.CONNECTED, manner=CallSeat.Manner.TALK, agent__isnull=False)
    return there.filter(interaction__conversation__public_id=conversation).exists()


def colleagues_legs(seats: list[CallSeat]) -> list[str]:
    """The legs of the company's people who talk on a call: whom a supervisor's whisper reaches."""
    own = [seat for seat in seats if seat.state == CallSeat.State.CONNECTED and seat.agent_id and seat.manner == CallSeat.Manner.TALK]
    return [seat.leg_id for seat in own]
