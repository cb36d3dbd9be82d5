"""Asynchronous connections for the one statement that every message of a customer needs.

The ORM is synchronous: through it each message would cost two thread switches and several round
trips. This pool runs the same database functions on the event loop; everything else uses the ORM.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from weakref import WeakKeyDictionary, WeakSet

from django.conf import settings
from django.db import connections
from psycopg import AsyncConnection
from psycopg_pool import AsyncConnectionPool

Connection = AsyncConnection[tuple[Any, ...]]
_pools: WeakKeyDictionary[asyncio.AbstractEventLoop, AsyncConnectionPool[Connection]] = WeakKeyDictionary()
_open: WeakKeyDictionary[asyncio.AbstractEventLoop, WeakSet[Connection]] = WeakKeyDictionary()


@asynccontextmanager
async def connection() -> AsyncIterator[Connection]:
    """A connection in autocommit from the running loop's pool; waits for a free one, raises PoolTimeout."""
    pool = await _pool()
    async with pool.connection() as each:
        yield each


async def close() -> None:
    """Closes the running loop's pool; a later use opens a new one."""
    pool = _pools.pop(asyncio.get_running_loop(), None)
    if pool is not None:
        await pool.close()


async def _pool() -> AsyncConnectionPool[Connection]:
    loop = asyncio.get_running_loop()
    pool = _pools.get(loop)
    if pool is None:
        _leave_ended_loops()
        pool = AsyncConnectionPool(
            kwargs={**_parameters(), "autocommit": True},
            configure=_remember,
            min_size=1,
            max_size=settings.ASYNC_DATABASE_POOL_SIZE,
            timeout=10,
            open=False,
        )
        _pools[loop] = pool
        await pool.open()
    return pool


async def _remember(each: Connection) -> None:
    _open.setdefault(asyncio.get_running_loop(), WeakSet()).add(each)


def _leave_ended_loops() -> None:
    """Ends the connections of loops that were closed without `close`; nothing runs there that could."""
    for loop in [each for each in list(_pools) if each.is_closed()]:
        _pools.pop(loop, None)
        for each in _open.pop(loop, ()):
            each.pgconn.finish()


def _parameters() -> dict[str, Any]:
    given = connections["default"].get_connection_params()
    return {key: value for key, value in given.items() if key not in ("cursor_factory", "context")}
