"""What the phone platform has reported about each leg, put together so that order, repetitions and gaps do not matter.

The state of a leg is a function of the set of its raw webhooks: every field is the smallest, the largest or the union of
what they say. Source of the fields: Vonage, "Voice webhook reference", which promises neither order nor exactly-once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from itertools import groupby
from typing import Any, Final

from django.db.models import QuerySet
from django.utils.dateparse import parse_datetime

from conversations.models import CallLeg, WebhookRecord
from routing.compiled import CompiledOnce, Given

RECORD: Final = "call_record"
"""The kind of rows that hold what the platform's own list of calls says."""
KINDS: Final = ("answer", "event", "agent_event", "fallback", RECORD)
"""The kinds of webhooks that say something of a leg's state."""
TERMINAL_STATUSES: Final = ("completed", "busy", "rejected", "failed", "unanswered", "timeout", "cancelled")
"""After which the platform sends no other; of two with the same time, the earlier one here counts."""
HEARD: Final = ("human", "machine")
DIRECTIONS: Final = ("inbound", "outbound")
LEGS_AT_ONCE: Final = 2_000
NEVER: Final = datetime.max.replace(tzinfo=UTC)
LARGEST_NUMBER: Final = 2**31 - 1
ABOUT_A_LEG: Final = CompiledOnce(
    lambda: WebhookRecord.objects.filter(provider_id=Given("leg"), kind__in=KINDS).values_list("kind", "body", "received_at")
)


@dataclass(frozen=True, slots=True)
class Report:
    """What one raw webhook says of a leg. `at` is the platform's time, or when the webhook came if it told none.

    `status` is the platform's word, `asked` for the question what to do with a call, empty for all else. `talk_began_at` and
    `ending` come with an end: the time from which is paid, and (detail, who hung up, SIP code, seconds, price).
    """

    status: str
    at: datetime
    direction: str = ""
    rooms: tuple[str, ...] = ()
    talk_began_at: datetime | None = None
    ending: tuple[str, str, int | None, int | None, Decimal | None] = ("", "", None, None, None)


@dataclass(frozen=True, slots=True)
class LegState:
    """A leg as all reports together have it: the columns of `CallLeg` that follow from the raw webhooks."""

    direction: str = ""
    state: str = CallLeg.State.STARTED
    room: str = ""
    rooms: tuple[str, ...] = ()
    started_at: datetime | None = None
    ringing_at: datetime | None = None
    asked_at: datetime | None = None
    answered_at: datetime | None = None
    answered_by: str = ""
    ended_at: datetime | None = None
    end_status: str = ""
    end_detail: str = ""
    disconnected_by: str = ""
    sip_code: int | None = None
    duration_seconds: int | None = None
    price: Decimal | None = None

    def columns(self) -> dict[str, Any]:
        """The same as values of columns."""
        return {name: list(value) if name == "rooms" else value for name, value in asdict(self).items()}


@dataclass(frozen=True, slots=True)
class Reported:
    """A leg, its state, and the call that the addresses of its webhooks named, if any did. `is_agents` says whose leg it is."""

    leg_id: str
    state: LegState
    named_call: str
    is_agents: bool


def report_of(kind: str, body: Any, received_at: datetime) -> Report | None:
    """What one raw webhook says of its leg; None when it says nothing of it."""
    if not isinstance(body, Mapping):
        return None
    at = known_time(body.get("timestamp")) or received_at
    status = _text(body.get("status"), 40).lower()
    original = body.get("original_request")
    if kind == "answer" or (kind == "fallback" and isinstance(original, Mapping) and original.get("type") == "answer"):
        status = "asked"
    elif status not in TERMINAL_STATUSES and status not in HEARD and status not in ("started", "ringing", "answered"):
        status = ""
    direction = _text(body.get("direction"), 8)
    moved_to = body.get("conversation_uuid_to")
    mentioned = (body.get("conversation_uuid_from"), body.get("conversation_uuid"), moved_to)
    is_over = status in TERMINAL_STATUSES
    return Report(
        status=status,
        at=at,
        direction=direction if direction in DIRECTIONS else "",
        rooms=tuple(dict.fromkeys(each[:80] for each in mentioned if isinstance(each, str) and each)),
        talk_began_at=known_time(body.get("start_time")) if is_over else None,
        ending=_ending(body) if is_over else ("", "", None, None, None),
    )


def fold(reports: Iterable[Report]) -> LegState:
    """The state that all the reports together make, the same for any order and any number of repetitions."""
    said = list(reports)
    times: dict[str, datetime] = {}
    for each in said:
        times[each.status] = min(each.at, times.get(each.status, NEVER))
    began = [each.talk_began_at for each in said if each.talk_began_at]
    end = min((each for each in said if each.status in TERMINAL_STATUSES), key=_which_end, default=None)
    heard = min(((times[word], word) for word in HEARD if word in times), default=None)
    answered_at = times.get("answered") or min(began, default=None) or (heard[0] if heard else None)
    room = max(((each.at, each.rooms[-1]) for each in said if each.rooms), default=None)
    detail, disconnected_by, sip_code, seconds, price = end.ending if end else ("", "", None, None, None)
    return LegState(
        direction=min((each.direction for each in said if each.direction), default=""),
        state=_reached(times, answered_at, end),
        room=room[1] if room else "",
        rooms=tuple(sorted({room for each in said for room in each.rooms})),
        started_at=min([*(each.at for each in said), *began], default=None),
        ringing_at=times.get("ringing"),
        asked_at=times.get("asked"),
        answered_at=answered_at,
        answered_by=heard[1] if heard else "",
        ended_at=end.at if end else None,
        end_status=end.status if end else "",
        end_detail=detail,
        disconnected_by=disconnected_by,
        sip_code=sip_code,
        duration_seconds=seconds,
        price=price,
    )


def leg_state(leg_id: str) -> LegState:
    """The state of one leg as the raw webhooks have it now. One query."""
    return fold(report for report in (report_of(*row) for row in ABOUT_A_LEG.all(leg=leg_id)) if report)


def reported_legs(*, since: datetime | None = None, until: datetime | None = None) -> Iterator[list[Reported]]:
    """Every leg that anything was reported about, some at a time, in the order of their ids.

    With `since`, those that were heard of after it; with `until`, none that was heard of after it.
    """
    rows = WebhookRecord.objects.filter(kind__in=KINDS).exclude(provider_id="")
    told = rows
    if since:
        rows = rows.filter(provider_id__in=told.filter(received_at__gte=since).values("provider_id"))
    if until:
        rows = rows.exclude(provider_id__in=told.filter(received_at__gte=until).values("provider_id"))
    yield from _in_batches(rows)


def reported(leg_ids: Sequence[str]) -> list[Reported]:
    """These legs, as far as anything was reported about them, in the order of their ids. One query."""
    rows = WebhookRecord.objects.filter(kind__in=KINDS, provider_id__in=leg_ids)
    return [each for batch in _in_batches(rows) for each in batch]


def _in_batches(rows: QuerySet[WebhookRecord]) -> Iterator[list[Reported]]:
    columns = ("provider_id", "kind", "named_call", "body", "received_at")
    found: list[Reported] = []
    ordered = rows.order_by("provider_id").values_list(*columns).iterator(chunk_size=LEGS_AT_ONCE)
    for leg_id, about in groupby(ordered, key=lambda row: row[0]):
        if names_a_room(leg_id):
            continue
        found.append(_reported(leg_id, list(about)))
        if len(found) == LEGS_AT_ONCE:
            yield found
            found = []
    if found:
        yield found


def reports_about_rooms(rooms: Iterable[str]) -> Iterator[WebhookRecord]:
    """The raw webhooks that name one of these rooms and no leg: errors, finished recordings, notifications."""
    return WebhookRecord.objects.filter(provider_id__in=list(rooms)).order_by("pk").iterator()


def legs_in(room: str) -> list[CallLeg]:
    """The legs on calls that were ever in a room of the platform's."""
    return list(CallLeg.objects.filter(rooms__contains=[room], interaction__isnull=False).order_by("pk"))


def differs(leg: CallLeg, state: LegState) -> list[str]:
    """The columns in which a leg's row is not what the raw webhooks make."""
    return [name for name, value in state.columns().items() if getattr(leg, name) != value]


def legs_that_differ(since: datetime, *, until: datetime | None = None) -> list[str]:
    """A sentence for each leg heard of since then, and not after `until`, whose row is not what the raw webhooks make, or is missing."""
    found = []
    for batch in reported_legs(since=since, until=until):
        rows = {leg.leg_id: leg for leg in CallLeg.objects.filter(leg_id__in=[each.leg_id for each in batch])}
        for each in batch:
            leg = rows.get(each.leg_id)
            wrong = differs(leg, each.state) if leg else ["all of it"]
            if wrong:
                found.append(f"Leg {each.leg_id} is not as it was reported: {', '.join(wrong)}.")
    return found


def calls_that_differ(since: datetime, *, until: datetime) -> list[str]:
    """A sentence for each call whose customer's leg was first heard of between these times and is over although the call is not."""
    over = CallLeg.objects.filter(role=CallLeg.Role.CUSTOMER, state=CallLeg.State.ENDED, first_heard_at__range=(since, until))
    left = over.exclude(interaction__state="ended")
    return [f"Call {leg.leg_id} is over since {leg.ended_at:%Y-%m-%d %H:%M} UTC and is still live here." for leg in left]


def names_a_room(provider_id: str) -> bool:
    """Whether what a webhook is about is a room of the platform's, and no leg."""
    return provider_id.startswith("CON-")


def known_time(value: object) -> datetime | None:
    """The platform's time in UTC, which it is when it names no zone; None when it is missing or nonsense."""
    try:
        parsed = parse_datetime(value) if isinstance(value, str) else None
        if parsed is None:
            return None
        return parsed.astimezone(UTC) if parsed.tzinfo else parsed.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None


def _reported(leg_id: str, rows: list[tuple[Any, ...]]) -> Reported:
    reports = [report for report in (report_of(kind, body, at) for _, kind, _, body, at in rows) if report]
    named = sorted(str(each) for _, _, each, _, _ in rows if each)
    return Reported(leg_id, fold(reports), named[0] if named else "", any(kind == "agent_event" for _, kind, _, _, _ in rows))


def _reached(times: Mapping[str, datetime], answered_at: datetime | None, end: Report | None) -> str:
    if end:
        return CallLeg.State.ENDED
    if answered_at or "asked" in times:
        return CallLeg.State.ANSWERED
    return CallLeg.State.RINGING if "ringing" in times else CallLeg.State.STARTED


def _which_end(report: Report) -> tuple[Any, ...]:
    """The order of ends: the earliest counts, and of two at one time the same one whatever their order."""
    return (report.at, TERMINAL_STATUSES.index(report.status), *(str(each) for each in report.ending))


def _ending(body: Mapping[str, Any]) -> tuple[str, str, int | None, int | None, Decimal | None]:
    return (
        _text(body.get("detail"), 60),
        _text(body.get("disconnected_by"), 20),
        _whole(body.get("sip_code")),
        _whole(body.get("duration")),
        _price(body.get("price")),
    )


def _text(value: object, longest: int) -> str:
    return value.strip()[:longest] if isinstance(value, str) else ""


def _whole(value: object) -> int | None:
    """A number that the platform sends as text or as a number; None when it is neither, or no such number."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 10:
        value = int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= LARGEST_NUMBER else None


def _price(value: object) -> Decimal | None:
    try:
        price = Decimal(str(value)) if isinstance(value, str | int | float) and not isinstance(value, bool) else None
    except InvalidOperation:
        return None
    return price.quantize(Decimal("0.000001")) if price is not None and price.is_finite() and 0 <= price < 1_000_000 else None
