"""The line on which text messages with a number go to and fro, by the transport's id of it: there is none of the platform's."""

from conversations.models import EntryPoint, Interaction
from conversations.models.entry_point import Channel
from conversations.models.keyed_hash import keyed_hash


def id_of(door: EntryPoint, number: str) -> str:
    """The id of the line that is open between a number of ours and one in E.164, else that of a new one."""
    return live_id(door, number) or new_id(door, number)


def live_id(door: EntryPoint, number: str) -> str:
    """The id of the line that is open; empty when there is none."""
    lines = Interaction.objects.filter(channel=Channel.SMS, entry_point=door, party=number).exclude(state=Interaction.State.ENDED)
    return lines.order_by("-pk").values_list("provider_id", flat=True).first() or ""


def new_id(door: EntryPoint, number: str) -> str:
    """The id of the line after those that are over: the same for everybody who asks at the same time. It does not tell the number."""
    beginning = f"sms:{door.pk}:{keyed_hash('text-line', number)[:32]}:"
    return f"{beginning}{Interaction.objects.filter(provider_id__startswith=beginning).count() + 1}"
