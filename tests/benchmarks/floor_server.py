"""The floor of `message_to_agent`: the least that stores a message and shows it on a second socket.

A bare asyncio websocket server: one insert by psycopg, one send. No identity, no order, no history.
Usage: python -m tests.benchmarks.floor_server PORT DATABASE_URL
"""

import asyncio
import json
import sys
from typing import Any
from urllib.parse import parse_qs, urlsplit

from psycopg import AsyncConnection
from psycopg_pool import AsyncConnectionPool
from websockets.asyncio.server import ServerConnection, serve

Watchers = dict[str, ServerConnection]


async def main(port: int, database_url: str) -> None:
    """Serves until the process is ended."""
    watchers: Watchers = {}
    pool: AsyncConnectionPool[AsyncConnection[Any]] = AsyncConnectionPool(
        database_url, min_size=4, max_size=8, kwargs={"autocommit": True}, open=False
    )
    await pool.open(wait=True)
    async with pool.connection() as connection:
        await connection.execute(
            "CREATE TABLE IF NOT EXISTS floor_message (id bigserial PRIMARY KEY, conversation text, body text,"
            " at timestamptz NOT NULL DEFAULT now())"
        )

    async def serve_one(socket: ServerConnection) -> None:
        assert socket.request is not None
        query = parse_qs(urlsplit(socket.request.path).query)
        conversation, role = query["conversation"][0], query["role"][0]
        if role == "agent":
            watchers[conversation] = socket
            await socket.send('{"type":"watching"}')
            await socket.wait_closed()
            return
        async for raw in socket:
            frame = json.loads(raw)
            async with pool.connection() as connection:
                await connection.execute("INSERT INTO floor_message (conversation, body) VALUES (%s, %s)", (conversation, frame["text"]))
            await watchers[conversation].send(json.dumps(frame))
            await socket.send(json.dumps({"type": "ack", "client_id": frame["client_id"]}))

    async with serve(serve_one, "127.0.0.1", port, compression=None):
        print("ready", flush=True)
        await asyncio.get_running_loop().create_future()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), sys.argv[2]))
