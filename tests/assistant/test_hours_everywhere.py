"""Chat, phone, web page and service levels read one answer to whether somebody is there, each through its own door."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import time_machine
from asgiref.sync import sync_to_async
from channels.db import database_sync_to_async
from django.test import AsyncClient
from pytest_django import Settings

from conversations.models import Conversation, Entry, Handoff
from reporting.metrics.answered_in_time import due
from reporting.period import Period
from routing import clock as routing_clock
from routing.models import ServiceHours, WorkItem
from routing.services.service_levels import service_level_of
from tests.support.sockets import open_widget
from tests.support.turns import nothing_owed
from tests.voice.platform import Caller, post_async, words_of

LONDON = ZoneInfo("Europe/London")
ASK = "I want to speak to a person"
MOMENTS = [
    # When it is in London, until when the office is open then, from when on it is open after that.
    ("an ordinary Monday", "2026-11-23 09:00", "2026-11-23 18:00", "2026-11-24 08:00"),
    ("a minute before an exceptional day ends", "2026-12-24 12:59", "2026-12-24 13:00", "2026-12-29 10:00"),
    ("an exceptional day is over where an ordinary one would not be", "2026-12-24 13:00", "", "2026-12-29 10:00"),
    ("a public holiday has no night", "2026-12-26 23:00", "", "2026-12-29 10:00"),
    ("a Saturday night in which the clocks go forward", "2027-03-28 04:00", "2027-03-28 06:00", "2027-03-30 08:00"),
    ("a Saturday night that the clocks going back made longer", "2027-10-31 05:59", "2027-10-31 06:00", "2027-11-01 08:00"),
]


def london(clock: str) -> datetime:
    return datetime.fromisoformat(clock).replace(tzinfo=LONDON).astimezone(UTC)


@pytest.fixture
def nights(record: None) -> Iterator[ServiceHours]:
    """The office works on Saturday nights, too."""
    office = ServiceHours.objects.get(code="office")
    as_it_was = office.expression
    office.expression = "Mo-Fr 08:00-18:00; Sa 22:00-06:00; PH off"
    office.save()
    yield office
    office.expression = as_it_was
    office.save()


async def by_chat() -> bool:
    """What the widget is told when it opens, before it asks for a person."""
    async with open_widget() as widget:
        welcome = await widget.hello()
        assert (await widget.say(ASK, client_id="one"))["type"] == "ack"
        await nothing_owed()
    assert (welcome["opens_at"] is None) is welcome["open"]
    return bool(welcome["open"])


async def by_phone() -> bool:
    """Whether a caller who asks for a person is told that one is coming."""
    caller = Caller()
    await post_async("/voice/answer/", caller.answer())
    said = words_of((await post_async("/voice/input/", caller.said(ASK))).json())
    await nothing_owed()
    assert ("stay on the line" in said) is not ("they are back" in said), said
    return "stay on the line" in said


@database_sync_to_async
def work_of(channel: str) -> tuple[bool, WorkItem, timedelta]:
    """What the need of a channel's only conversation said of the hours, its work, and how soon that should be answered."""
    conversation = Conversation.objects.get(interactions__channel=channel)
    work = WorkItem.objects.select_related("decision__service_level", "queue__service_level").get(subject=conversation.public_id.hex)
    return work.decision.need["in_hours"], work, timedelta(seconds=service_level_of(work.decision, work.queue).answer_within_seconds)


@database_sync_to_async
def overdue_at(moment: datetime, *, asked: datetime) -> int:
    """The hand-overs that a report made at that moment counts against the service level; the database's clock cannot travel."""
    Handoff.objects.update(requested_at=asked)
    day = moment.astimezone(LONDON).date()
    return due(Period(day - timedelta(days=10), day, LONDON, moment)).count()


@pytest.mark.parametrize(("clock", "until", "opens"), [each[1:] for each in MOMENTS], ids=[each[0] for each in MOMENTS])
async def test_everybody_reads_the_same_answer(settings: Settings, nights: ServiceHours, clock: str, until: str, opens: str) -> None:
    """The widget's greeting, the web site, the needs of a chat and of a call, and the time at which the report counts them as late."""
    settings.VOICE_REPLY_BUDGET_MS = 20_000
    # Tests that ran here before may have used up the hour's new chats of this address.
    settings.CHAT_SESSIONS_PER_HOUR = 10_000
    with time_machine.travel(london(clock), tick=False), routing_clock.at(london(clock)):
        answers = [await by_chat(), await by_phone(), (await AsyncClient().get("/harborhome")).context["is_open"]]
        works = [await work_of(channel) for channel in ("chat", "voice")]
    assert [*answers, *(in_hours for in_hours, _work, _allowed in works)] == [bool(until)] * 5
    for _in_hours, work, allowed in works:
        left_today = min(allowed, london(until) - london(clock)) if until else timedelta(0)
        expected = london(clock) + allowed if left_today == allowed else london(opens) + allowed - left_today
        assert work.deadline == expected
    promised = await sync_to_async(list)(Entry.objects.filter(kind="callback.requested").values_list("data__by", flat=True))
    assert [datetime.fromisoformat(by) for by in promised] == ([] if until else [works[1][1].deadline])
    deadlines = sorted(work.deadline for _in_hours, work, _allowed in works)
    assert await overdue_at(deadlines[0], asked=london(clock)) == 0
    assert await overdue_at(deadlines[-1] + timedelta(seconds=1), asked=london(clock)) == 2
