"""The database itself refuses every bad row about who is on a call and about text messages that were sent."""

from typing import Any

import pytest
from django.utils import timezone

from conversations.models import CallSeat, Entry, OutsideNumber, SentText
from conversations.services import timeline
from conversations.services.timeline import NewEntry
from tests.record import rows
from tests.record.test_constraints import refused

pytestmark = pytest.mark.django_db
NOW = timezone.now()


def seat(**changes: Any) -> CallSeat:
    """Somebody whose phone rings for a call of its own."""
    call = rows.interaction(door=rows.phone_line())
    values = {"agent": rows.agent("Dora"), "name": "Dora", "purpose": "join", "until": NOW, "interaction": call}
    return CallSeat.objects.create(**{**values, **changes})


def test_a_leg_belongs_to_one_seat() -> None:
    """Also after it has ended; seats whose leg has no name yet are as many as there are phones that ring."""
    seat(leg_id="leg-1", state="ended", outcome="no_answer", ended_at=NOW)
    refused("leg_belongs_to_one_seat", lambda: seat(leg_id="leg-1"))
    seat()
    seat(agent=rows.agent("Evan"))


@pytest.mark.parametrize(
    ("constraint", "changes"),
    [
        ("who_is_on_the_call_has_a_leg", {"state": "connected", "outcome": "connected", "connected_at": NOW}),
        ("only_an_agent_who_answers_accepts_an_offer", {"offer_id": 1}),
    ],
)
def test_seat_rules(constraint: str, changes: dict[str, Any]) -> None:
    """Who talks has a leg, and only who rings to take the caller accepts the offer of the caller."""
    refused(constraint, lambda: seat(**changes))


def test_an_outside_number_has_a_name() -> None:
    """Or an agent would not know whom a caller is put through to."""
    refused("outside_number_has_a_name", lambda: OutsideNumber.objects.create(name="", number="+441632960199"))


def test_text_rules() -> None:
    """The platform's id stands for one message; texts that it has not taken have none, and the state is of the list."""
    line = rows.interaction(door=rows.phone_line())

    def text(**changes: Any) -> SentText:
        seq = timeline.append(line.conversation_id, NewEntry(kind="message", actor_kind="assistant", body="-", interaction=line)).seq
        entry = Entry.objects.get(conversation=line.conversation, seq=seq)
        return SentText.objects.create(interaction=line, entry=entry, first_seq=seq, **changes)

    text(message_id="m-1")
    refused("text_message_is_sent_once", lambda: text(message_id="m-1"))
    text()
    text()
    refused("sent_text_state_is_known", lambda: text(state="lost"))
    carries = "sent_text_carries_entries_or_is_of_another_kind"
    refused(carries, lambda: SentText.objects.create(interaction=line))
    refused(carries, lambda: text(what="code"))
    refused(carries, lambda: text(what="card"))
    SentText.objects.create(interaction=line, what="code")
