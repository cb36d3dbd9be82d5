"""A caller whom the person who had them has left: what they say then is the AI agent's to answer, as after that person's own button."""

from __future__ import annotations

from contextlib import suppress

from conversations.flows import takeover
from conversations.flows.outbound import NotYours
from conversations.models import Interaction
from conversations.selectors import call_seats
from conversations.voice import dialogue, waiting
from conversations.voice.dialogue import Words
from conversations.voice.ncco import Ncco
from conversations.voice.protocol import CallInput


def settle(call: Interaction, given: CallInput) -> Words | Ncco | None:
    """What follows from something said or keyed to the automated voice, or from silence; see `dialogue.settle`.

    Silence takes nothing from the person who left, who may have lost the line and ring again.
    """
    if not given.digits and not given.hypotheses:
        return dialogue.settle(call, given)
    return waiting.settle(taken_back(call), given)


def taken_back(call: Interaction) -> Interaction:
    """The call, which whoever had it and has left it has no longer: their work with it is done. Unchanged where they are on it.

    Locks as `takeover.give_back`.
    """
    agent = call.conversation.owner_agent
    if agent is None or any(seat.agent_id == agent.pk for seat in call_seats.live(call)):
        return call
    with suppress(NotYours):
        takeover.give_back(call, agent)
    return Interaction.objects.select_related("conversation__owner_agent", "entry_point").get(pk=call.pk)
