"""Who hears whom in a room, by what each leg there may hear and to whom it may speak."""

from typing import Any

from conversations.voice.simulator.exchange import Leg

Member = dict[str, Any]


def may_hear(listener: Leg, speaker: Leg, members: dict[str, Member]) -> bool:
    """Whether one leg hears another in a room that is started."""
    hearing, speaking = members.get(listener["uuid"]), members.get(speaker["uuid"])
    if hearing is None or speaking is None or listener["uuid"] == speaker["uuid"]:
        return False
    if listener["earmuffed"] or speaker["muted"] or speaking["mute"]:
        return False
    may_speak = speaking["canSpeak"] is None or listener["uuid"] in speaking["canSpeak"]
    return may_speak and (hearing["canHear"] is None or speaker["uuid"] in hearing["canHear"])


def speaks_to_all(speaker: Leg, members: dict[str, Member]) -> bool:
    """Whether a leg is heard by the room as such: it is neither muted nor kept to some of those in it."""
    speaking = members.get(speaker["uuid"])
    return speaking is not None and not speaker["muted"] and not speaking["mute"] and speaking["canSpeak"] is None
