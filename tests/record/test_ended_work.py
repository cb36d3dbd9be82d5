"""Nobody's capacity is held by a conversation that goes on elsewhere or has ended, and `doctor` would say so."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone

from conversations.chat import visitor
from conversations.flows import takeover
from conversations.models import Conversation, Customer, Identifier
from conversations.selectors import invariants
from conversations.services import merging, threads
from routing.models import AgentProfile, DispositionCode, WorkItem
from routing.selectors.invariants import agents_whose_load_is_wrong
from routing.services import reservations
from tests.record import parties, rows

pytestmark = pytest.mark.usefixtures("company")


def load_of(agent: AgentProfile) -> int:
    return AgentProfile.objects.get(pk=agent.pk).load


def test_two_people_who_had_one_customer_have_room_again() -> None:
    """Ann has the chat, Ben another one; joined, one of them goes on, and the other has room at once."""
    ann, ben = rows.agent("Ann"), rows.agent("Ben")
    one, other = (parties.chat(visitor.new()).conversation for _ in range(2))
    takeover.take_over(one, ann)
    takeover.take_over(other, ben)
    merging.join_customers(one.customer, other.customer, evidence={}, made_by="tests")
    assert (load_of(ann), load_of(ben)) == (0, 2)
    done = DispositionCode.objects.create(code="done", name="Done", resolved=True)
    takeover.close(Conversation.objects.get(pk=other.pk), ben, done)
    assert (load_of(ann), load_of(ben)) == (0, 0)
    assert set(WorkItem.objects.values_list("state", flat=True)) == {"completed"}
    assert not invariants.work_of_ended_conversations()


def test_closing_ends_the_work_of_all_that_was_joined() -> None:
    """Also what was taken after the joining, by whatever way."""
    ann = rows.agent("Ann")
    one, other = (parties.chat(visitor.new()).conversation for _ in range(2))
    merging.join_customers(one.customer, other.customer, evidence={}, made_by="tests")
    takeover.take_over(one, ann)
    assert invariants.work_of_ended_conversations() == [f"Conversation {one.pk} has live work, and is joined."]
    threads.close(other, actor_kind="system", actor_name="", disposition=None)
    assert load_of(ann) == 0
    assert not invariants.work_of_ended_conversations()


def test_doctor_sees_work_of_a_closed_conversation() -> None:
    closed = parties.chat(visitor.new()).conversation
    takeover.take_over(closed, rows.agent("Ann"))
    with transaction.atomic():
        Conversation.objects.filter(pk=closed.pk).update(status="closed", closed_at="2026-11-20T00:00:00Z")
        assert invariants.work_of_ended_conversations() == [f"Conversation {closed.pk} has live work, and is closed."]


def test_doctor_sees_a_person_who_has_a_conversation_without_work_of_it() -> None:
    """Not at once, since a sweep ends it; and not one whose work has only just ended."""
    taken = parties.chat(visitor.new()).conversation
    takeover.take_over(taken, rows.agent("Ann"))
    assert not invariants.owners_without_work()
    long_ago = timezone.now() - timedelta(minutes=10)
    Conversation.objects.filter(pk=taken.pk).update(last_entry_at=long_ago)
    with transaction.atomic():
        reservations.complete(taken.public_id.hex)
        assert not invariants.owners_without_work()
        WorkItem.objects.update(ended_at=long_ago)
        assert invariants.owners_without_work() == [f"Conversation {taken.pk} is with a person without any work of it."]
        transaction.set_rollback(True)


def test_doctor_sees_a_load_that_is_not_the_work() -> None:
    """Too much, too little, or laid aside in name only."""
    ann = rows.agent("Ann")
    takeover.take_over(parties.chat(visitor.new()).conversation, ann)
    assert not agents_whose_load_is_wrong()
    for wrong in ({"load": 3}, {"load": 0}, {"load": 0, "laid_aside": 2}, {"load": 2, "capacity": 6, "laid_aside": 1}):
        with transaction.atomic():
            AgentProfile.objects.filter(pk=ann.pk).update(**wrong)
            (said,) = agents_whose_load_is_wrong()
            transaction.set_rollback(True)
        assert said.startswith("Ann has load ")


def test_doctor_sees_rows_under_another_record_and_roots_that_are_joined() -> None:
    """Whatever moves a row without its link, or a link without its rows, is found."""
    line = parties.chat(visitor.new())
    other, third = rows.customer("Other"), rows.customer("Third")
    identifier = Identifier.objects.get(customer=line.conversation.customer)
    Identifier.objects.filter(pk=identifier.pk).update(customer=other)
    assert invariants.rows_under_another_record() == [f"Identifier {identifier.pk} does not count for the root of its record."]
    Identifier.objects.filter(pk=identifier.pk).update(customer=line.conversation.customer)
    Customer.objects.filter(pk=other.pk).update(root=third)
    assert invariants.roots_that_are_joined() == [f"Customer {other.pk} does not count for the record that its links lead to."]
    Customer.objects.filter(pk=other.pk).update(root=None)
    merging.join_customers(other, third, evidence={}, made_by="tests")
    merging.join_customers(third, line.conversation.customer, evidence={}, made_by="tests")
    assert not invariants.rows_under_another_record() + invariants.roots_that_are_joined()
