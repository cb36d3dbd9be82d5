"""Who carries an entry to its customer. Chat is served by the push itself; a call must be spoken into."""

from collections.abc import Callable

from conversations.models import Interaction

Deliverer = Callable[[int], None]

_deliverers: dict[str, Deliverer] = {}


def register(channel: str, deliverer: Deliverer) -> None:
    """Names what carries entries to live interactions of a channel; called when the app is ready.

    `deliverer` takes the interaction's id, is called after commit, decides itself what is still due,
    and must not raise.
    """
    _deliverers[channel] = deliverer


def deliver(conversation_id: int) -> None:
    """Has everything that is due carried to every live interaction of the conversation. Call after commit."""
    live = Interaction.objects.filter(conversation_id=conversation_id).exclude(state=Interaction.State.ENDED)
    for interaction_id, channel in live.values_list("id", "channel"):
        if channel in _deliverers:
            _deliverers[channel](interaction_id)
