"""Who is in which room, and who hears whom: rooms of a name, legs that a `connect` brought together, muting.

Source: Vonage, "NCCO reference", the actions `conversation` and `connect`; "Legs and conversations"; "Voice API reference",
`mute` and `earmuff`. Every leg is in a conversation of its own until it enters one of a name or is connected; each move is told
by an event. A room keeps, for each leg in it:

- `canSpeak`, `canHear`: ids of legs, None for everybody; `mute`: nobody hears it in this room;
- `endOnExit`: when it leaves, everybody's call ends; `music`: what it hears until the room is started.
"""

from typing import Any, Final

from conversations.voice.simulator import legs, recording
from conversations.voice.simulator.exchange import Exchange, Happening, Leg
from conversations.voice.simulator.hearing import Member, may_hear
from conversations.voice.simulator.line import Line

MOST_LEGS: Final = 50


async def in_the_room(exchange: Exchange, leg: Leg) -> tuple[dict[str, Member], list[Leg]]:
    """The members of the leg's room by id, and the other legs in it; nobody while the room is not started."""
    members = await exchange.members(leg["room"])
    if leg["uuid"] not in members or not await exchange.room_is_open(leg["room"]):
        return members, []
    found = [await exchange.leg(leg_id) for leg_id in members if leg_id != leg["uuid"]]
    return members, [other for other in found if other and other["phase"] != "ended"]


async def facts(exchange: Exchange, leg: Leg) -> dict[str, Any]:
    """What can be said of the leg's room: whom it hears, who hears it, and whether it hears music instead."""
    members, others = await in_the_room(exchange, leg)
    mine = members.get(leg["uuid"])
    return {
        "conversation": leg["room"],
        "room": leg["room_name"] if mine else "",
        "is_started": bool(mine) and await exchange.room_is_open(leg["room"]),
        "hears": sorted(other["uuid"] for other in others if may_hear(leg, other, members)),
        "heard_by": sorted(other["uuid"] for other in others if may_hear(other, leg, members)),
        "others": [{"leg": other["uuid"], "address": legs.address_of(other)} for other in others],
        "music": mine["music"] if mine and not leg["earmuffed"] and not await exchange.room_is_open(leg["room"]) else "",
        "is_recorded": bool(leg["recordings"] or (mine and await exchange.room_recording(leg["room"]))),
        "muted": leg["muted"],
        "earmuffed": leg["earmuffed"],
    }


async def speak(line: Line, text: str) -> None:
    """The holder of the phone says something to those who hear it."""
    await line.write("me", text)
    await recording.note_said(line, text)
    members, others = await in_the_room(line.exchange, line.leg)
    for other in others:
        if may_hear(other, line.leg, members):
            speaker = {"speaker": legs.address_of(line.leg), "leg": line.leg["uuid"]}
            await line.tell(other["uuid"], {"do": "hear", "who": "other", "text": text, **speaker})


async def sockets_of(line: Line) -> list[str]:
    """The legs of sockets that are in the room with this one."""
    _members, others = await in_the_room(line.exchange, line.leg)
    return [other["uuid"] for other in others if other["endpoint"]["type"] == "websocket"]


async def enter(line: Line, room: str, *, opens: bool, **member: Any) -> bool:
    """Put the leg into a room, and start it when it `opens` it; False when fifty are in it already."""
    if len(await line.exchange.members(room)) >= MOST_LEGS:
        return False
    move(line, room)
    usual = {"canSpeak": None, "canHear": None, "mute": False, "endOnExit": False, "music": ""}
    await line.exchange.enter_room(room, line.leg["uuid"], usual | member)
    if opens and not await line.exchange.room_is_open(room):
        await line.exchange.open_room(room)
    return True


def move(line: Line, room: str) -> None:
    """The leg belongs to another conversation from now on, which an event tells."""
    moved_from = line.leg["room"]
    if moved_from == room:
        return
    line.leg["room"] = room
    event = legs.about(line.leg)
    event |= {"conversation_uuid_from": moved_from, "conversation_uuid_to": event.pop("conversation_uuid")}
    legs.queue(line.leg, event)


async def begin_room(line: Line, asked: dict[str, Any]) -> None:
    """`conversation`: the room of this name, which waits until somebody enters who may start it."""
    name = asked["name"]
    room = await line.exchange.room_called(name)
    opens = asked.get("startOnEnter", True)
    member = {option: asked[option] for option in ("canSpeak", "canHear", "mute", "endOnExit") if option in asked}
    entered = await enter(line, room, opens=opens, music=(asked.get("musicOnHoldUrl") or [""])[0], **member)
    if not entered:
        line.note_error("The conversation has fifty legs.")
        return
    line.leg["room_name"] = name
    line.leg["action"] = {"name": "room", "room": name}
    if asked.get("record"):
        await recording.begin_room_recording(line, asked)
    is_open = await line.exchange.room_is_open(room)
    await line.write("status", "Connected." if is_open else "Waiting for somebody to join.")
    if opens:
        for other in await line.exchange.members(room):
            if other != line.leg["uuid"]:
                await line.tell(other, {"do": "hear", "who": "status", "text": "Connected."})


async def begin_transfer(line: Line, asked: dict[str, Any]) -> None:
    """`transfer`: into a conversation that others are in, whose course goes on; everybody in this one comes along."""
    room, old_room = asked["conversationId"], line.leg["room"]
    if not await line.exchange.members(room):
        line.note_error("The conversation does not exist.")
        return
    member = {option: asked[option] for option in ("canSpeak", "canHear", "mute") if option in asked}
    others = [other for other in await line.exchange.members(old_room) if other != line.leg["uuid"]]
    await leave(line)
    if not await enter(line, room, opens=False, **member):
        line.note_error("The conversation has fifty legs.")
        return
    line.leg["action"] = {"name": "room", "room": room}
    await line.write("status", "Connected." if await line.exchange.room_is_open(room) else "Waiting for somebody to join.")
    for other in others:
        await line.tell(other, {"do": "come_along", "asked": asked})


async def on_come_along(line: Line, happening: Happening) -> None:
    """Another leg of this conversation moves all of it into another one."""
    await begin_transfer(line, happening["asked"])


async def leave(line: Line) -> None:
    """The leg leaves the room that it is in, and the other leg that it was connected to."""
    leg_id, room = line.leg["uuid"], line.leg["room"]
    members = await line.exchange.members(room)
    mine = members.get(leg_id)
    if mine:
        await line.exchange.leave_room(room, leg_id, line.leg["room_name"])
        for other in members:
            if other in (leg_id, line.leg["peer"]):
                continue
            await line.tell(other, {"do": "hear", "who": "status", "text": "The other person left."})
            if mine["endOnExit"]:
                await line.tell(other, {"do": "hang_up", "by": "platform"})
        if len(members) == 1:
            await recording.stop_of_room(line, room)
    line.leg["room_name"] = ""
    peer, line.leg["peer"] = line.leg["peer"], None
    if peer and line.leg["is_callee"]:
        await line.tell(peer, {"do": "peer_ended"} | line.leg["end_for_peer"])
    elif peer:
        await line.tell(peer, {"do": "hang_up", "by": "platform"})
