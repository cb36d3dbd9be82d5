"""How long it takes to make the state of 100,000 calls anew from their raw webhooks, and to see that nothing differs.

Each call has six webhooks, kept in an order of their own. The rows of the legs are gone, as after a mistake; the calls are there. There is
no floor but the reading: the raw webhooks fetched in the same order and thrown away.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from typing import Any

from django.db import connection

from conversations.models import CallLeg, WebhookRecord
from conversations.voice.rebuilding import rebuild
from tests.record import rows
from tests.support.database import throwaway_database

CALLS = int(os.environ.get("BENCH_CALLS", "100000"))
MADE = """
    WITH calls AS (
        SELECT number, md5(number::text)::uuid::text AS leg, 'CON-' || md5('room' || number)::uuid AS room,
               timestamptz '2026-01-01 00:00:00Z' + number * interval '10 seconds' AS at
          FROM generate_series(1, %(calls)s) AS number
    ), interactions AS (
        INSERT INTO conversations_interaction (public_id, conversation_id, original_conversation_id, entry_point_id, channel, direction,
               provider_id, party, assurance, state, started_at, answered_at, ended_at, end_reason, data)
        SELECT gen_random_uuid(), %(conversation)s, %(conversation)s, %(door)s, 'voice', 'inbound', leg, '', 'claimed', 'ended',
               at, at + interval '1 second', at + interval '61 seconds', 'completed', '{}'
          FROM calls
    )
    INSERT INTO conversations_webhookrecord (token_id, body_hash, kind, provider_id, body, received_at)
    SELECT leg || said.status, 'x', said.kind, leg, jsonb_strip_nulls(jsonb_build_object('uuid', leg, 'conversation_uuid', room,
               'from', '447700900123', 'to', '441632960100', 'status', nullif(said.status, 'answer'), 'direction', 'inbound',
               'timestamp', to_char((at + said.after) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
               'duration', CASE said.status WHEN 'completed' THEN '60' END, 'price', CASE said.status WHEN 'completed' THEN '0.0072' END)),
           at + said.after
      FROM calls, (VALUES ('event', 'started', interval '0'), ('event', 'ringing', interval '0.2 seconds'),
                          ('answer', 'answer', interval '0.5 seconds'), ('event', 'answered', interval '1 second'),
                          ('input', 'heard', interval '9 seconds'), ('event', 'completed', interval '61 seconds'))
           AS said (kind, status, after)
     ORDER BY md5(leg || said.status)
"""


def measure() -> Iterator[dict[str, Any]]:
    """Yields how long the rebuilding took, and the looking afterwards."""
    with throwaway_database("rebuild"):
        conversation, door = rows.conversation(), rows.phone_line()
        with connection.cursor() as cursor:
            cursor.execute(MADE, {"calls": CALLS, "conversation": conversation.pk, "door": door.pk})
        connection.cursor().execute("ANALYZE")
        floor, _ = _timed(_read)
        rebuilding, differing = _timed(lambda: sum(len(found) for _count, found in rebuild(repair=True)))
        looking, left = _timed(lambda: sum(len(found) for _count, found in rebuild(repair=False)))
        assert (differing, left, CallLeg.objects.count()) == (CALLS, 0, CALLS)
        for name, seconds in (("rebuild", rebuilding), ("rebuild.looking", looking)):
            yield {
                "name": name,
                "value": round(seconds, 1),
                "unit": "s",
                "floor": round(floor, 1),
                "ratio": round(seconds / floor, 2),
                "wanted": None,
                "conditions": {
                    "calls": CALLS, "webhooks": WebhookRecord.objects.count(), "calls_a_second": round(CALLS / seconds),
                    "cores": os.cpu_count(), "load": os.getloadavg()[0], "fsync": True,
                },
            }  # fmt: skip


def _read() -> int:
    columns = ("provider_id", "kind", "named_call", "body", "received_at")
    return sum(1 for _row in WebhookRecord.objects.order_by("provider_id").values_list(*columns).iterator(chunk_size=2_000))


def _timed(work: Any) -> tuple[float, Any]:
    began = time.monotonic()
    done = work()
    return time.monotonic() - began, done
