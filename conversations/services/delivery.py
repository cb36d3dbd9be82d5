"""Who carries an entry to its customer. Chat is served by the push itself; a call must be spoken into."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

from django.utils.translation import gettext as _

from conversations.models import Interaction
from routing.compiled import CompiledOnce, Given
from routing.models import AgentProfile

LIVE: Final = CompiledOnce(
    lambda: Interaction.objects.filter(conversation=Given("conversation"))
    .exclude(state=Interaction.State.ENDED)
    .values_list("pk", "channel", "conversation__status", "data__webhook_until", "data__caller__at")
)


@dataclass(frozen=True, slots=True)
class LiveLine:
    """A live interaction, as far as it tells whether anything has to be carried to it; what a call's data holds says `call_state`."""

    interaction_id: int
    channel: str
    conversation_status: str
    webhook_until: float | None
    caller_at: str | None


Deliverer = Callable[[int], None]
Connector = Callable[[Interaction, AgentProfile], None]
Ringer = Callable[[Interaction], None]
Releaser = Callable[[int, int], None]
Silencer = Callable[[int], None]
Recorder = Callable[[int], None]


class Pauser(Protocol):
    """What pauses a recording and goes on with it; both say whether they changed anything, and must not raise."""

    def pause(self, interaction_id: int, *, by: str, why: str) -> bool:
        """Pauses."""

    def resume(self, interaction_id: int, *, by: str) -> bool:
        """Goes on."""


_deliverers: dict[str, Deliverer] = {}
_served: dict[str, Callable[[LiveLine], bool]] = {}
_connectors: dict[str, Connector] = {}
_ringers: dict[str, Ringer] = {}
_releasers: dict[str, Releaser] = {}
_silencers: dict[str, Silencer] = {}
_recorders: dict[str, Recorder] = {}
_pausers: dict[str, Pauser] = {}


class CannotConnect(Exception):
    """The person cannot be put on the line; the message says why, in a sentence for them."""


class NotRung(Exception):
    """The phone was not rung; the message says why, in a sentence for staff."""


def register(channel: str, deliverer: Deliverer, *, is_served: Callable[[LiveLine], bool] = lambda _line: False) -> None:
    """Names what carries entries to live interactions of a channel; called when the app is ready.

    `deliverer` takes the interaction's id, is called after commit, decides itself what is still due,
    and must not raise. `is_served` says of a line that whoever has it carries what there is, so that it need not be called.
    """
    _deliverers[channel], _served[channel] = deliverer, is_served


def deliver(conversation_id: int) -> None:
    """Has everything that is due carried to every live interaction of the conversation. Call after commit."""
    for line in (LiveLine(*row) for row in LIVE.all(conversation=conversation_id)):
        if line.channel in _deliverers and not _served[line.channel](line):
            _deliverers[line.channel](line.interaction_id)


def register_connector(channel: str, connector: Connector) -> None:
    """Names what puts a person on the line of a live interaction of a channel; it may raise CannotConnect."""
    _connectors[channel] = connector


def connect(interaction: Interaction, agent: AgentProfile) -> None:
    """Puts a person on the line. Raises CannotConnect when the channel has no line or the person no phone."""
    if interaction.channel not in _connectors:
        raise CannotConnect(_("This conversation has no line to connect to."))
    _connectors[interaction.channel](interaction, agent)


def register_releaser(channel: str, releaser: Releaser) -> None:
    """Names what takes a person off the line of a live interaction of a channel.

    It takes the interaction's id and the agent's, leaves anybody else on the line, and must not raise.
    """
    _releasers[channel] = releaser


def release(conversation_id: int, agent_id: int) -> None:
    """Takes an agent off every line of the conversation; the customer stays, and so does whoever has the work by now.

    Call after commit; blocks for the platform's answer.
    """
    live = Interaction.objects.filter(conversation_id=conversation_id).exclude(state=Interaction.State.ENDED)
    for interaction_id, channel in live.values_list("id", "channel"):
        if channel in _releasers:
            _releasers[channel](interaction_id, agent_id)


def register_silencer(channel: str, silencer: Silencer) -> None:
    """Names what stops the ringing of a phone that would have accepted an offer; it takes the offer's id, and must not raise."""
    _silencers[channel] = silencer


def stop_ringing_for(offer_id: int) -> None:
    """Stops whatever rings for an offer that has ended. Call after commit; blocks for the platform's answer."""
    for silencer in _silencers.values():
        silencer(offer_id)


def register_ringer(channel: str, ringer: Ringer) -> None:
    """Names what rings the party of an outbound interaction of a channel; it may raise NotRung."""
    _ringers[channel] = ringer


def ring(interaction: Interaction) -> None:
    """Rings the party of an outbound interaction. Call after commit; blocks for the platform's answer. Raises NotRung."""
    if interaction.channel not in _ringers:
        raise NotRung(_("There is nothing that could ring a phone."))
    _ringers[interaction.channel](interaction)


def register_recorder(channel: str, recorder: Recorder) -> None:
    """Names what ends the recording of a live interaction of a channel that may not be recorded any more; it must not raise."""
    _recorders[channel] = recorder


def look_after_recording(interaction_id: int, channel: str) -> None:
    """Ends what is recorded of a line and may not be any more. Call after commit; blocks for the platform's answer."""
    if channel in _recorders:
        _recorders[channel](interaction_id)


def register_pauser(channel: str, pauser: Pauser) -> None:
    """Names what pauses the recording of a live interaction of a channel."""
    _pausers[channel] = pauser


def pause_recording(interaction: Interaction, *, by: str, why: str) -> bool:
    """Pauses what is recorded of a line, for card data to be given; says whether it was recorded. Blocks for the platform's answer."""
    return interaction.channel in _pausers and _pausers[interaction.channel].pause(interaction.pk, by=by, why=why)


def resume_recording(interaction: Interaction, *, by: str) -> bool:
    """Goes on recording a line; says whether it was paused. Blocks for the platform's answer."""
    return interaction.channel in _pausers and _pausers[interaction.channel].resume(interaction.pk, by=by)
