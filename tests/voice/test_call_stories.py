"""Whatever the order, whatever comes twice: the same webhooks leave the same calls, legs and history."""

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import permutations
from typing import Any

import pytest
from django.utils import timezone
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from conversations.chat import visitor
from conversations.flows import calling_back
from conversations.models import CallLeg, Entry, EntryPoint, Interaction
from conversations.selectors import call_reports
from conversations.selectors.call_reports import Report, fold, report_of
from tests.record import parties
from tests.voice import stories
from tests.voice.platform import post
from tests.voice.rest_side import Platform
from tests.voice.stories import BEGAN_AT, Story, Telling, Told

ORDERS = 9
"""How many orders of each story go through the doors; all of them go through the fold."""
SPOKEN = ("disclosure.shown", "message")
"""What the voice said is part of the history only if it came to saying it."""


def orders(story: list[Told], seed: str) -> Iterator[list[Told]]:
    """All orders when they are few, otherwise some, the two extreme ones among them; in each, one webhook comes twice."""
    chance = random.Random(seed)
    few = len(story) <= 3
    chosen = list(permutations(story)) if few else [tuple(story), tuple(reversed(story))]
    while len(chosen) < ORDERS and not few:
        chosen.append(tuple(chance.sample(story, len(story))))
    for order in chosen:
        repeated = [*order]
        repeated.insert(chance.randrange(len(order) + 1), chance.choice(order))
        yield repeated


def left_by(call: Interaction, telling: Telling) -> dict[str, Any]:
    """The call, its leg and its history, without the ids of this telling."""
    call.refresh_from_db()
    leg = CallLeg.objects.get(leg_id=telling.uuid)
    names = {telling.uuid: "LEG", telling.room: "ROOM", telling.other_room: "OTHER", telling.recording: "RECORDING"}
    history = Entry.objects.filter(interaction=call).exclude(kind__in=SPOKEN)
    facts = {
        "call": (call.state, call.end_reason, call.answered_at, call.ended_at, None if telling.is_ours else call.started_at),
        "leg": {name: str(getattr(leg, name)) for name in call_reports.LegState().columns()},
        "whose": (leg.role, leg.interaction_id == call.pk),
        "history": sorted(
            (entry.kind, "" if entry.kind == "interaction.started" else str(entry.occurred_at), entry.body, entry.audience, str(entry.data))
            for entry in history
        ),
    }
    facts["leg"]["rooms"] = sorted(names[room] for room in leg.rooms)
    if telling.is_ours:
        facts["history"] += sorted(
            Entry.objects.filter(conversation=call.conversation_id, actor_kind="system", kind="message").values_list("body")
        )
        del facts["leg"]["started_at"]
    return {key: _renamed(str(value), names) for key, value in facts.items()}


def _renamed(text: str, names: dict[str, str]) -> str:
    for old, new in names.items():
        text = text.replace(old, new)
    return text


@pytest.mark.parametrize("story", stories.TO_US, ids=lambda story: story.__name__)
def test_a_call_to_us_is_the_same_in_any_order(number: EntryPoint, story: Story) -> None:
    """Sent, shuffled and repeated, through the signed doors."""
    found = []
    for order in orders(story(Telling()), story.__name__):
        telling = Telling()
        again = {str(_shape(each)): each for each in story(telling)}
        for told in order:
            door, body = again[str(_shape(told))]
            assert post(f"/voice/{door}/", body).status_code in (200, 204)
        found.append(left_by(Interaction.objects.get(provider_id=telling.uuid), telling))
    assert found[0]["call"].startswith("('ended',")
    assert all(each == found[0] for each in found), "\n".join(_differences(found))


@pytest.mark.parametrize("story", stories.BY_US, ids=lambda story: story.__name__)
def test_a_call_by_us_is_the_same_in_any_order(number: EntryPoint, platform: Platform, story: Story) -> None:
    """A phone that a chat had us ring; what the chat is told in the end is the same too."""
    found = []
    soon = (timezone.now() + timedelta(minutes=10)).replace(microsecond=0)
    for turn, order in enumerate(orders(story(Telling(is_ours=True, began_at=soon)), story.__name__)):
        telling = Telling(is_ours=True, began_at=soon, number=f"4477009{turn:05d}")
        platform.leg, platform.requests = telling.uuid, []
        chat = parties.chat(visitor.new())
        calling_back.call_me(chat.pk, chat.party, f"+{telling.number}")
        call = Interaction.objects.get(provider_id=telling.uuid)
        again = {str(_shape(each)): each for each in story(telling)}
        for told in order:
            door, body = again[str(_shape(told))]
            assert post(f"/voice/called/{call.public_id}/{door}/", body).status_code in (200, 204)
        found.append(_renamed_number(left_by(call, telling), telling))
    assert found[0]["call"].startswith("('ended',")
    assert all(each == found[0] for each in found), "\n".join(_differences(found))


def _differences(found: list[dict[str, Any]]) -> list[str]:
    return [f"{key}:\n  {found[0][key]}\n  {each[key]}" for each in found for key in each if each[key] != found[0][key]]


def _shape(told: Told) -> tuple[str, str, str]:
    """What tells the webhooks of one story apart, in every telling of it."""
    door, body = told
    return door, str(body.get("status") or body.get("reason") or ""), str(body.get("timestamp", ""))


def _renamed_number(left: dict[str, str], telling: Telling) -> dict[str, str]:
    names = {telling.number: "NUMBER", f"ending in {telling.number[-3:]}": "ending in NUM"}
    return {key: _renamed(value, names) for key, value in left.items()}


def reports(told: list[Told]) -> list[Report]:
    kinds = {"recording": "recording", "answer": "answer", "event": "event"}
    found = [report_of(kinds[door], body, BEGAN_AT) for door, body in told if "uuid" in body or "call_uuid" in body]
    return [each for each in found if each]


@pytest.mark.parametrize("story", stories.ALL, ids=lambda story: story.__name__)
def test_every_order_of_a_story_folds_to_the_same_leg(story: Story) -> None:
    """All permutations, and in each every single webhook once more."""
    told = reports(story(Telling()))
    expected = fold(told)
    for number, order in enumerate(permutations(told)):
        assert fold([*order, told[number % len(told)]]) == expected
    for each in told:
        assert fold([each, *told, each]) == expected


STATUSES = [*call_reports.TERMINAL_STATUSES, *call_reports.HEARD, "started", "ringing", "answered", "levitating", ""]
TIMES = st.none() | st.integers(0, 5).map(lambda second: (BEGAN_AT + timedelta(seconds=second)).isoformat())
BODIES = st.fixed_dictionaries(
    {"status": st.sampled_from(STATUSES), "timestamp": TIMES},
    optional={
        "direction": st.sampled_from(["inbound", "outbound", 7]), "conversation_uuid": st.sampled_from(["CON-1", "CON-2"]),
        "conversation_uuid_to": st.sampled_from(["CON-3", 3]), "start_time": TIMES, "duration": st.sampled_from(["7", "x", 8, None, True]),
        "price": st.sampled_from(["0.1", "NaN", "Infinity", 1e9, -1, "0.0000004"]), "sip_code": st.sampled_from([200, "486", -1, 2**40]),
        "detail": st.sampled_from(["declined", "invalid_number", 1]), "disconnected_by": st.sampled_from(["user", "platform"]),
    },
)  # fmt: skip
RAW = st.tuples(
    st.sampled_from(call_reports.KINDS), BODIES, st.integers(0, 5).map(lambda second: datetime(2026, 11, 23, 8, 0, second, tzinfo=UTC))
)


@examples(max_examples=300, deadline=None)
@given(st.lists(RAW, max_size=8), st.randoms(), st.data())
def test_any_set_of_webhooks_makes_one_state(raw: list[Any], chance: random.Random, data: st.DataObject) -> None:
    """Contradictions too: two ends, an end without a beginning, nonsense for numbers and times."""
    said = [report for report in (report_of(*each) for each in raw) if report]
    repeated = data.draw(st.lists(st.sampled_from(said), max_size=4)) if said else []
    shuffled = [*said, *repeated]
    chance.shuffle(shuffled)
    assert fold(shuffled) == fold(said)


@examples(max_examples=300, deadline=None)
@given(st.lists(RAW, min_size=1, max_size=8))
def test_a_leg_never_goes_back(raw: list[Any]) -> None:
    """With every webhook more it is as far as before, or further; what is over stays over."""
    order = ["started", "ringing", "answered", "ended"]
    said = [report for report in (report_of(*each) for each in raw) if report]
    reached = [order.index(fold(said[:count]).state) for count in range(1, len(said) + 1)]
    assert reached == sorted(reached)
