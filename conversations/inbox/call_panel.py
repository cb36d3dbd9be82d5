"""What the panel of a live call shows: where the caller is, who else is on the line, and what the reader can do about it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from conversations.models import CallSeat, Conversation, Interaction
from conversations.selectors import call_seats
from conversations.services import call_state
from routing.models import AgentProfile


@dataclass(frozen=True, slots=True)
class CallPanel:
    """A live call as one reader sees it.

    `at` is where the caller is (`call_state.Place`), `since` from when. `own` is the reader's place on it, if any; `has_caller` says
    that the caller and the conversation are theirs, `is_owner` the conversation. `asked` is whoever is asked in private.
    """

    call: Interaction
    at: str
    since: datetime | None
    seats: list[CallSeat]
    own: CallSeat | None
    has_caller: bool
    is_owner: bool
    asked: CallSeat | None
    may_supervise: bool

    @property
    def is_with_people(self) -> bool:
        """Whether the caller is with people, or waits for some with music."""
        return self.at != call_state.VOICE

    @property
    def is_not_rung(self) -> bool:
        """Whether a customer whom a person calls is not being called yet."""
        return call_state.is_unplaced(self.call)

    @property
    def is_ringing_out(self) -> bool:
        """Whether they are, and have not picked up."""
        return call_state.is_ringing_out(self.call)

    @property
    def others(self) -> list[CallSeat]:
        """Everybody else who is on it or rung for it."""
        return [seat for seat in self.seats if self.own is None or seat.pk != self.own.pk]


def panel_of(
    conversation: Conversation, call: Interaction | None, agent: AgentProfile | None, *, may_supervise: bool = False
) -> CallPanel | None:
    """The panel of a conversation's live call for a reader; None without one."""
    if call is None:
        return None
    place, seats = call_state.place_of(call), call_seats.live(call)
    own = next((seat for seat in seats if agent is not None and seat.agent_id == agent.pk), None)
    is_owner = agent is not None and conversation.owner_agent_id == agent.pk
    talks = own is not None and own.state == CallSeat.State.CONNECTED and own.purpose == CallSeat.Purpose.ANSWER
    colleagues = [seat for seat in seats if seat.agent_id and seat.is_heard and seat.purpose != CallSeat.Purpose.SUPERVISE]
    is_over_it = own is None or own.purpose == CallSeat.Purpose.SUPERVISE
    return CallPanel(
        call=call,
        at=place.at,
        since=datetime.fromtimestamp(place.since, UTC) if place.since else call.answered_at,
        seats=seats,
        own=own,
        has_caller=is_owner and talks,
        is_owner=is_owner,
        asked=next((seat for seat in seats if seat.purpose == CallSeat.Purpose.CONSULT), None),
        may_supervise=may_supervise and bool(colleagues) and is_over_it,
    )
