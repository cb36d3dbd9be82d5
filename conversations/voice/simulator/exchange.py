"""The simulated exchange's memory, in Valkey, so that any web process can go on with any call.

Per leg: its state (one JSON document), what happened to it and was not looked at yet (a list), what was said on it (a
list), and a lock. Everything is forgotten an hour after it was last touched.
"""

import json
import secrets
import time
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

from django.conf import settings
from redis.asyncio import Redis

KEPT_SECONDS: Final = 3_600
FILES_KEPT_SECONDS: Final = 24 * 3_600
LOCK_SECONDS: Final = 45
CALLS_PER_SECOND: Final = 3
REQUESTS_PER_SECOND: Final = 15
PREFIX: Final = "simulator"
LIVE: Final = f"{PREFIX}:live"
ALL: Final = f"{PREFIX}:all"
DIALLED: Final = f"{PREFIX}:dialled"
ASKED: Final = f"{PREFIX}:asked"
WITHIN_A_SECOND: Final = """
if redis.call("zcard", KEYS[1]) >= tonumber(ARGV[3]) then return 0 end
redis.call("zadd", KEYS[1], ARGV[1], ARGV[2])
redis.call("expire", KEYS[1], 5)
return 1
"""
OPTIONS: Final = f"{PREFIX}:options"
APPLICATIONS: Final = f"{PREFIX}:applications"
NUMBERS: Final = f"{PREFIX}:numbers"
REQUESTS: Final = f"{PREFIX}:requests"
UNLOCK: Final = 'if redis.call("get", KEYS[1]) == ARGV[1] then return redis.call("del", KEYS[1]) end return 0'

Leg = dict[str, Any]
Happening = dict[str, Any]


@asynccontextmanager
async def opened() -> AsyncIterator["Exchange"]:
    """The exchange, for one piece of work on one event loop."""
    # With a time limit of its own the client loses cancellations on Python 3.11 (`asyncio.wait_for`).
    client: Redis = Redis.from_url(settings.VALKEY_URL, decode_responses=True, socket_timeout=None)
    try:
        yield Exchange(client)
    finally:
        await client.aclose()


class Exchange:
    """Reads and writes legs, rooms and what was said."""

    def __init__(self, client: Redis) -> None:
        self._valkey: Any = client

    async def add(self, leg: Leg) -> None:
        """Keep a new leg among the live ones, and in the list of all."""
        await self.save(leg)
        await self._valkey.zadd(LIVE, {leg["uuid"]: time.time()})
        await self._valkey.zadd(ALL, {leg["uuid"]: time.time()})

    async def save(self, leg: Leg) -> None:
        """Keep the leg's state."""
        await self._valkey.set(f"{PREFIX}:leg:{leg['uuid']}", json.dumps(leg), ex=KEPT_SECONDS)

    async def leg(self, leg_id: str) -> Leg | None:
        """The leg's state as last kept."""
        stored = await self._valkey.get(f"{PREFIX}:leg:{leg_id}")
        return json.loads(stored) if stored else None

    async def live(self) -> list[str]:
        """The ids of legs that have not ended, oldest first."""
        await self._valkey.zremrangebyscore(LIVE, 0, time.time() - KEPT_SECONDS)
        return list(await self._valkey.zrange(LIVE, 0, -1))

    async def listed(self, since: float, until: float) -> list[Leg]:
        """Legs, live or over, that began between two times (in seconds since 1970), oldest first."""
        await self._valkey.zremrangebyscore(ALL, 0, time.time() - KEPT_SECONDS)
        found = [await self.leg(leg_id) for leg_id in await self._valkey.zrangebyscore(ALL, since, until)]
        return [leg for leg in found if leg]

    async def forget(self, leg_id: str) -> None:
        """Take a leg that ended from the live ones; its state stays readable for a while."""
        await self._valkey.zrem(LIVE, leg_id)

    async def tell(self, leg_id: str, happening: Happening) -> None:
        """Note something that happened to the leg; whoever advances it next looks at it, in order."""
        key = f"{PREFIX}:happenings:{leg_id}"
        await self._valkey.rpush(key, json.dumps(happening))
        await self._valkey.expire(key, KEPT_SECONDS)

    async def next_happening(self, leg_id: str) -> Happening | None:
        """The oldest thing that happened to the leg and was not looked at, which it then is."""
        stored = await self._valkey.lpop(f"{PREFIX}:happenings:{leg_id}")
        return json.loads(stored) if stored else None

    async def has_happenings(self, leg_id: str) -> bool:
        """Whether something happened to the leg that was not looked at."""
        return bool(await self._valkey.exists(f"{PREFIX}:happenings:{leg_id}"))

    async def write_line(self, leg_id: str, who: str, text: str, **more: Any) -> None:
        """Add to what the holder of this phone hears and sees. `who`: company, me, other (with `speaker` and `leg`) or status."""
        key = f"{PREFIX}:lines:{leg_id}"
        await self._valkey.rpush(key, json.dumps({"who": who, "text": text, "at": time.time()} | more))
        await self._valkey.expire(key, KEPT_SECONDS)

    async def lines(self, leg_id: str, after: int = 0) -> list[dict[str, Any]]:
        """What was said on the leg, from the line numbered `after` on, counting from zero."""
        return [json.loads(line) for line in await self._valkey.lrange(f"{PREFIX}:lines:{leg_id}", after, -1)]

    async def keep_text(self, *, sender: str, to: str, text: str, message_id: str) -> None:
        """Keep a text message for the phone with this number; numbers as digits."""
        key = f"{PREFIX}:texts:{to}"
        await self._valkey.rpush(key, json.dumps({"id": message_id, "from": sender, "text": text, "at": time.time()}))
        await self._valkey.expire(key, KEPT_SECONDS)

    async def keep_own_text(self, *, sender: str, to: str, text: str, message_id: str) -> None:
        """Keep a message that a phone wrote, beside those that it got; numbers as digits."""
        key = f"{PREFIX}:texts:{sender}"
        await self._valkey.rpush(key, json.dumps({"id": message_id, "from": sender, "to": to, "text": text, "at": time.time()}))
        await self._valkey.expire(key, KEPT_SECONDS)

    async def texts(self, number: str, after: int = 0) -> list[dict[str, Any]]:
        """The text messages that a phone got or wrote, from the one numbered `after` on, counting from zero."""
        return [json.loads(each) for each in await self._valkey.lrange(f"{PREFIX}:texts:{number}", after, -1)]

    async def room_called(self, name: str) -> str:
        """The id of the room of this name, which is new when nobody is in one."""
        key = f"{PREFIX}:room-called:{name}"
        await self._valkey.set(key, f"CON-{uuid.uuid4()}", nx=True, ex=KEPT_SECONDS)
        return str(await self._valkey.get(key))

    async def enter_room(self, room: str, leg_id: str, member: dict[str, Any]) -> None:
        """Put a leg into a room, with what it may do there."""
        key = f"{PREFIX}:room:{room}"
        await self._valkey.hset(key, leg_id, json.dumps(member))
        await self._valkey.expire(key, KEPT_SECONDS)

    async def leave_room(self, room: str, leg_id: str, name: str) -> None:
        """Take a leg out of a room; an empty room is closed, and its name means another one from then on."""
        await self._valkey.hdel(f"{PREFIX}:room:{room}", leg_id)
        if not await self._valkey.exists(f"{PREFIX}:room:{room}"):
            await self._valkey.delete(f"{PREFIX}:room-open:{room}", f"{PREFIX}:room-called:{name}")

    async def open_room(self, room: str) -> None:
        """Start a room: those in it hear each other."""
        await self._valkey.set(f"{PREFIX}:room-open:{room}", "1", ex=KEPT_SECONDS)

    async def room_is_open(self, room: str) -> bool:
        """Whether the room is started."""
        return bool(await self._valkey.exists(f"{PREFIX}:room-open:{room}"))

    async def members(self, room: str) -> dict[str, dict[str, Any]]:
        """The legs in a room by id, with what each may do there."""
        stored = await self._valkey.hgetall(f"{PREFIX}:room:{room}")
        return {leg_id: json.loads(stored[leg_id]) for leg_id in sorted(stored)}

    async def keep_recording(self, recording: dict[str, Any]) -> None:
        """Keep what is known of a recording."""
        await self._valkey.set(f"{PREFIX}:recording:{recording['id']}", json.dumps(recording), ex=FILES_KEPT_SECONDS)

    async def recording(self, recording_id: str) -> dict[str, Any] | None:
        """What is known of a recording."""
        stored = await self._valkey.get(f"{PREFIX}:recording:{recording_id}")
        return json.loads(stored) if stored else None

    async def add_to_recording(self, recording_id: str, said: dict[str, Any]) -> None:
        """Something is said while it is recorded."""
        key = f"{PREFIX}:recorded:{recording_id}"
        await self._valkey.rpush(key, json.dumps(said))
        await self._valkey.expire(key, FILES_KEPT_SECONDS)

    async def recorded(self, recording_id: str) -> list[dict[str, Any]]:
        """All that was said while it was recorded."""
        return [json.loads(each) for each in await self._valkey.lrange(f"{PREFIX}:recorded:{recording_id}", 0, -1)]

    async def name_file(self, file_id: str, recording_id: str) -> None:
        """A file with an id of its own is made from a recording."""
        await self._valkey.set(f"{PREFIX}:file:{file_id}", recording_id, ex=FILES_KEPT_SECONDS)

    async def file(self, file_id: str) -> str | None:
        """The id of the recording from which the file is made."""
        found = await self._valkey.get(f"{PREFIX}:file:{file_id}")
        return str(found) if found else None

    async def delete_file(self, file_id: str) -> bool:
        """Forget a file, and of a recording what was said in it; says whether there was one."""
        recording = f"{PREFIX}:recording:{file_id}"
        gone = await self._valkey.delete(f"{PREFIX}:file:{file_id}", recording, f"{PREFIX}:recorded:{file_id}")
        return bool(gone)

    async def keep_room_recording(self, room: str, recording_id: str) -> None:
        """The recording that a room is under."""
        await self._valkey.set(f"{PREFIX}:room-recording:{room}", recording_id, ex=KEPT_SECONDS)

    async def room_recording(self, room: str) -> str | None:
        """The id of the recording that a room is under."""
        found = await self._valkey.get(f"{PREFIX}:room-recording:{room}")
        return str(found) if found else None

    async def forget_room_recording(self, room: str) -> None:
        """The room is not recorded any longer."""
        await self._valkey.delete(f"{PREFIX}:room-recording:{room}")

    async def chosen_options(self) -> dict[str, Any]:
        """Options that were chosen for all calls."""
        stored = await self._valkey.get(OPTIONS)
        return json.loads(stored) if stored else {}

    async def choose(self, options: dict[str, Any], requests: list[str]) -> None:
        """Choose options for all calls from now on, and what befalls the next REST requests; empty ones take it back."""
        await self._valkey.set(OPTIONS, json.dumps(options), ex=KEPT_SECONDS)
        await self._valkey.delete(REQUESTS)
        if requests:
            await self._valkey.rpush(REQUESTS, *requests)
            await self._valkey.expire(REQUESTS, KEPT_SECONDS)

    async def next_request_fault(self) -> str:
        """What befalls the REST request that is being answered; empty for nothing."""
        return str(await self._valkey.lpop(REQUESTS) or "")

    async def request_faults(self) -> list[str]:
        """What befalls the REST requests to come."""
        return list(await self._valkey.lrange(REQUESTS, 0, -1))

    async def claim_socket(self, leg_id: str) -> bool:
        """Whether the one who asks is the first to, and so connects the leg's socket."""
        return bool(await self._valkey.set(f"{PREFIX}:socket-of:{leg_id}", "1", nx=True, ex=KEPT_SECONDS))

    async def to_socket(self, leg_id: str, message: dict[str, Any]) -> None:
        """Something for the process that holds the leg's socket to send."""
        key = f"{PREFIX}:socket:{leg_id}"
        await self._valkey.rpush(key, json.dumps(message))
        await self._valkey.expire(key, KEPT_SECONDS)

    async def for_socket(self, leg_id: str) -> list[dict[str, Any]]:
        """All that is to be sent on the leg's socket, which then is taken."""
        return [json.loads(each) for each in await self._valkey.lpop(f"{PREFIX}:socket:{leg_id}", 100) or []]

    async def may_dial(self) -> bool:
        """Whether another outbound call may be begun now; the platform allows three within a second."""
        return await self._is_within_a_second(DIALLED, CALLS_PER_SECOND)

    async def may_ask(self) -> bool:
        """Whether another request about calls is answered now; the platform allows fifteen within a second."""
        return await self._is_within_a_second(ASKED, REQUESTS_PER_SECOND)

    async def _is_within_a_second(self, key: str, most: int) -> bool:
        now = time.time()
        await self._valkey.zremrangebyscore(key, 0, now - 1)
        return bool(await self._valkey.eval(WITHIN_A_SECOND, 1, key, now, secrets.token_hex(8), most))

    async def applications(self) -> dict[str, dict[str, Any]]:
        """The account's applications by id, in the order of the ids."""
        stored = await self._valkey.hgetall(APPLICATIONS)
        return {each: json.loads(stored[each]) for each in sorted(stored)}

    async def keep_application(self, application: dict[str, Any]) -> None:
        """Keep an application as it is now."""
        await self._valkey.hset(APPLICATIONS, application["id"], json.dumps(application))
        await self._valkey.expire(APPLICATIONS, KEPT_SECONDS)

    async def numbers(self) -> dict[str, dict[str, Any]]:
        """What is known of numbers of the account, by their digits: to which application they are linked, what they can do."""
        stored = await self._valkey.hgetall(NUMBERS)
        return {digits: json.loads(stored[digits]) for digits in sorted(stored)}

    async def keep_number(self, digits: str, known: dict[str, Any]) -> None:
        """Keep what is known of a number of the account."""
        await self._valkey.hset(NUMBERS, digits, json.dumps(known))
        await self._valkey.expire(NUMBERS, KEPT_SECONDS)

    async def forget_account(self) -> None:
        """The account has no applications, and its numbers are as they were bought."""
        await self._valkey.delete(APPLICATIONS, NUMBERS)

    @asynccontextmanager
    async def only_one(self, leg_id: str) -> AsyncIterator[bool]:
        """Yields whether this is the only one who advances the leg now; nobody waits for a lock."""
        key, mark = f"{PREFIX}:lock:{leg_id}", secrets.token_hex(8)
        got = bool(await self._valkey.set(key, mark, nx=True, px=LOCK_SECONDS * 1000))
        try:
            yield got
        finally:
            if got:
                await self._valkey.eval(UNLOCK, 1, key, mark)
