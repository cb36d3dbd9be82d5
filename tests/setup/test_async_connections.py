"""Connections on the event loop: a loop that ended leaves none behind."""

from __future__ import annotations

import asyncio

from django.db import connection

from conversations.services import async_connections
from tests.support.locks import until


async def backend() -> int:
    async with async_connections.connection() as each, await each.execute("SELECT pg_backend_pid()") as cursor:
        row = await cursor.fetchone()
        assert row is not None
        return int(row[0])


def in_a_loop_of_its_own() -> int:
    loop = asyncio.new_event_loop()
    try:
        return loop.run_until_complete(backend())
    finally:
        loop.close()


def test_loops_that_ended_leave_no_connections(transactional_db: None) -> None:
    """A loop for each request, as under a synchronous server, would otherwise use up what the database admits."""
    of_ended_loops = [in_a_loop_of_its_own() for _loop in range(5)]
    assert len(set(of_ended_loops)) == 5

    def are_gone() -> bool:
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE pid = ANY(%s)", [of_ended_loops[:-1]])
            return bool(cursor.fetchone()[0] == 0)

    until(are_gone)
