"""One definition of what is over its time: the sweep ends it, and when the sweep does not, everybody is told of the same."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from conversations.flows import tidying
from conversations.models import Conversation, Interaction
from conversations.selectors.invariants import interactions_in_limbo, turns_in_limbo
from conversations.services import timeline, turns
from conversations.services.timeline import NewEntry
from reporting.attention import endless_interactions, overdue_turns
from tests.record import rows

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(("channel", "over_after"), [("chat", timedelta(minutes=30)), ("voice", timedelta(hours=3))])
def test_the_sweep_ends_what_doctor_and_the_home_page_tell_of_later(channel: str, over_after: timedelta) -> None:
    """A silent chat after half an hour, a call after three hours; told of when the sweep had five minutes."""
    door = rows.phone_line() if channel == "voice" else rows.entry_point()
    one = rows.interaction(door=door)
    timeline.append(one.conversation_id, NewEntry(kind="message", actor_kind="customer", body="Hello?", interaction=one))
    started = timezone.now()

    def told() -> tuple[int, int]:
        return len(interactions_in_limbo()), endless_interactions(timezone.now()).count()

    with time_machine.travel(started + over_after - timedelta(minutes=1)):
        assert (tidying.end_silent_interactions(), told()) == (0, (0, 0))
    with time_machine.travel(started + over_after + timedelta(minutes=1)):
        assert told() == (0, 0)
    with time_machine.travel(started + over_after + timedelta(minutes=6)):
        assert told() == (1, 1)
        assert tidying.end_silent_interactions() == 1
        assert told() == (0, 0)
    assert Interaction.objects.get().state == Interaction.State.ENDED


@pytest.mark.parametrize(
    ("minutes", "lease", "joined", "is_due", "is_told"),
    [
        (1, None, False, 1, 0),
        (6, None, False, 1, 1),
        (6, -1, False, 1, 0),
        (6, -6, False, 1, 1),
        (6, 1, False, 0, 0),
        (6, None, True, 0, 0),
    ],
)
def test_a_turn_nobody_works_on_is_the_same_for_the_sweep_and_for_those_who_are_told(
    minutes: int, lease: int | None, joined: bool, is_due: int, is_told: int
) -> None:
    """No lease or one that ran out (minutes from now); a conversation that goes on elsewhere owes nothing."""
    talk = rows.conversation()
    timeline.append(talk.pk, NewEntry(kind="message", actor_kind="customer", body="Hello?"))
    now = timezone.now()
    Conversation.objects.filter(pk=talk.pk).update(
        turn_wanted_seq=1,
        last_entry_at=now - timedelta(minutes=minutes),
        turn_lease_until=None if lease is None else now + timedelta(minutes=lease),
        joined_into=rows.conversation(rows.customer("Ada")) if joined else None,
    )
    assert len(turns.due(unclaimed_for=timedelta(seconds=5))) == is_due
    assert (len(turns_in_limbo()), overdue_turns(now).count()) == (is_told, is_told)
