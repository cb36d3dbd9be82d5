"""What happens to the record at the same instant: each test holds one side up until the other one waits for it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone

from conversations.assistant.reading import words_to_answer
from conversations.chat import visitor
from conversations.flows import signing_in, tidying
from conversations.flows.signing_in import Vouched
from conversations.models import (
    Conversation,
    CustomerLink,
    EntryPoint,
    ErasureStep,
    HostSiteToken,
    Interaction,
    MatchCandidate,
)
from conversations.selectors import access
from conversations.services import (
    candidates,
    erasure,
    facts,
    host_sites,
    identity,
    joining,
    merging,
    records,
    threads,
    turns,
    visitors,
    weaving,
)
from conversations.services.facts import LearnedFact
from conversations.services.parties import IdentifierClaim
from conversations.services.timeline import NewEntry, append
from tests.record import parties, rows
from tests.record.parties import VICTIM
from tests.support.locks import Other, meanwhile

pytestmark = pytest.mark.django_db(transaction=True)
LEASE = timedelta(seconds=5)
INBOUND = "SELECT outcome, conversation_public_id FROM interaction_append(%s, 'help me', '{}', %s, NULL)"


@pytest.fixture(autouse=True)
def harbor(transactional_db: None) -> EntryPoint:
    """A web page and a number. Returns the page."""
    rows.phone_line()
    return rows.entry_point()


def message_of(line: Interaction) -> Callable[[], Any]:
    """What a socket does with one message of a line, as one statement."""

    def send() -> Any:
        with connection.cursor() as cursor:
            cursor.execute(INBOUND, [line.provider_id, f"source:{line.pk}"])
            return cursor.fetchone()

    return send


def test_a_message_that_waits_while_its_conversation_is_joined_goes_on_with_it() -> None:
    """It stands in the joined conversation, is shown to its party, and is answered there."""
    one, other = parties.chat(visitor.new()), parties.chat(visitor.new())
    with meanwhile(message_of(one), "interaction_append") as other_one:
        merging.join_customers(one.conversation.customer, other.conversation.customer, evidence={}, made_by="tests")
    assert other_one.came == [("appended", other.conversation.public_id)]
    one.refresh_from_db()
    assert one.conversation == other.conversation
    assert [entry.body for entry in access.seen_by_party(one).filter(kind="message")] == ["help me"]
    claim = turns.claim(other.conversation.pk, worker="w", lease=LEASE)
    assert claim
    words = words_to_answer(claim.conversation_id, after=claim.done_seq, upto=claim.wanted_seq)
    assert words
    assert words.interaction == one


def test_a_message_that_waits_while_its_line_is_moved_goes_along() -> None:
    """The rest of its conversation stays, so only the line says where it belongs."""
    earlier, line, chat = parties.call(), parties.call(), parties.chat(visitor.new())
    with meanwhile(message_of(line), "interaction_append") as other_one:
        joining.join(line, chat.conversation, method="code", sentence="The code was entered.")
    assert other_one.came == [("appended", chat.conversation.public_id)]
    assert parties.place_of(earlier) == earlier.conversation
    assert turns.claim(earlier.conversation.pk, worker="w", lease=LEASE) is None


def test_a_message_that_waits_while_records_are_separated_goes_home() -> None:
    """After a separation, too, the line decides."""
    one, other = parties.chat(visitor.new()), parties.chat(visitor.new())
    link = merging.join_customers(one.conversation.customer, other.conversation.customer, evidence={}, made_by="tests")
    with meanwhile(message_of(one), "interaction_append") as other_one:
        merging.separate_customers(link, undone_by="tests")
    assert other_one.came == [("appended", one.conversation.public_id)]


def test_a_message_that_waits_while_its_session_ends_begins_a_new_one() -> None:
    """The transport is told, so that nothing is written behind the end."""
    line = parties.chat(visitor.new())
    with meanwhile(message_of(line), "interaction_append") as other_one:
        threads.end_interaction(line, reason="silence")
    assert other_one.came[0][0] == "ended"


def test_what_is_written_for_staff_stays_where_its_writer_says() -> None:
    """Only a customer's words follow their line; a note on a joined conversation stays on it."""
    one, other = rows.conversation(rows.customer("Ada")), rows.conversation(rows.customer("Ben"))
    with transaction.atomic():
        weaving.join_conversations(one, other, evidence={}, made_by="tests", sentence="Joined.")
    noted = append(one.pk, NewEntry(kind="note", actor_kind="agent", body="Called them.", audience="staff"))
    assert noted.conversation_id == one.pk


def test_a_first_contact_and_a_fact_about_the_same_number_do_not_block_each_other() -> None:
    """Both lock the customer before the identifier."""
    line = parties.call(VICTIM)

    def learn() -> list[LearnedFact]:
        return facts.learn(line.conversation, [LearnedFact("phone", VICTIM)], interaction=line, from_seq=1)

    with meanwhile(learn, "conversations_") as other_one:
        customer = identity.resolve([IdentifierClaim("phone", VICTIM, "network_hint")], source="test")
        other_one.begins()
        threads.open_or_resume(customer)
    assert other_one.came == [[LearnedFact("phone", VICTIM)]]


def test_settling_a_pair_and_more_evidence_for_it_do_not_block_each_other() -> None:
    """Both lock the records before the candidate."""
    ada, ben = rows.customer("Ada"), rows.customer("Ben")
    candidate = MatchCandidate.objects.create(customer=ada, other=ben, evidence={"same": "phone"})

    def settle() -> CustomerLink:
        return candidates.join(candidate, None)

    with meanwhile(settle, "conversations_") as other_one:
        records.lock_roots(ada, ben)
        other_one.begins()
        identity.note_candidate(ada, ben, score=0.9, evidence={"method": "code"})
    assert other_one.came[0].into == ada
    assert other_one.came[0].evidence["method"] == "code"


def test_a_first_contact_that_waits_while_its_record_is_joined_is_filed_under_the_root() -> None:
    """One conversation for both, and none for the record that counts for another by then."""
    line, other = parties.call(VICTIM), parties.chat(visitor.new())

    with meanwhile(lambda: parties.call(VICTIM), "conversations_customer") as other_one:
        merging.join_customers(line.conversation.customer, other.conversation.customer, evidence={}, made_by="tests")
    assert parties.place_of(other_one.came[0]) == other.conversation
    assert parties.place_of(other_one.came[0]).customer == other.conversation.customer


@pytest.fixture
def quiet() -> Interaction:
    """A chat in which nothing has happened for two days."""
    line = parties.chat(visitor.new())
    threads.end_interaction(line, reason="left")
    Conversation.objects.update(last_entry_at="2026-01-01T00:00:00Z")
    return line


def test_a_quiet_conversation_is_closed(quiet: Interaction) -> None:
    assert tidying.close_quiet_conversations() == 1


def test_a_conversation_in_which_something_is_said_at_that_instant_stays_open(quiet: Interaction) -> None:
    """The sweep looks again when it has the lock."""
    with meanwhile(tidying.close_quiet_conversations, "conversations_conversation") as other_one:
        append(quiet.conversation_id, NewEntry(kind="message", actor_kind="customer", body="I am back", interaction=quiet))
    assert other_one.came == [0]
    assert parties.place_of(quiet).status == "open"


def test_a_conversation_that_goes_on_in_another_is_closed_with_that_one(quiet: Interaction) -> None:
    """Not for being quiet itself."""
    other = parties.chat(visitor.new())
    with transaction.atomic():
        weaving.join_conversations(quiet.conversation, other.conversation, evidence={}, made_by="tests", sentence="Joined.")
    Conversation.objects.filter(pk=quiet.conversation_id).update(last_entry_at="2026-01-01T00:00:00Z")
    assert tidying.close_quiet_conversations() == 0


def test_an_erasure_that_another_worker_is_at_is_left_to_it() -> None:
    """Whoever else goes on with it waits for nothing, so that a long step keeps no second worker from its work."""
    line = parties.chat(visitor.new())
    threads.end_interaction(line, reason="left")
    row = erasure.request(line.conversation.customer, ground="asked", by="maya")
    assert erasure.run(row.pk, connectors=["crm"]) == "running"
    steps = ErasureStep.objects.filter(request=row, name=erasure.FILES)
    steps.update(state="waiting", done_at=None)
    other = Other(lambda: erasure.run(row.pk, connectors=["crm"]), waits_for="conversations_erasurestep")
    with transaction.atomic():
        steps.select_for_update().get()
        other.begins()
        other.thread.join(timeout=5)
        assert other.came == ["running"]
        assert steps.get().state == "waiting"
    erasure.run(row.pk, connectors=["crm"])
    assert steps.get().state == "done"


def test_a_browser_signs_in_while_it_is_signed_out_on_another_socket() -> None:
    """Neither waits for a token that has run out: the one that holds the record is through, then the other one."""
    guest = visitor.new()
    line = parties.chat(guest)
    now = timezone.now()
    HostSiteToken.objects.create(digest="old", browser=guest.browser.series, expires_at=now - timedelta(hours=1))
    vouched = Vouched((IdentifierClaim("external", "shop:1", "verified"),), "", "", now + timedelta(hours=1), "new")
    sign_in = partial(signing_in.sign_in, guest.browser, line.provider_id, vouched, entry_point=line.entry_point)
    with meanwhile(sign_in, "conversations_customer") as other:
        records.lock_root(line.conversation.customer)
        other.begins()
        host_sites.forget_tokens(guest.browser.series)
    (browser,) = other.came
    assert browser.person == visitors.mark_of(vouched.person)
    assert list(HostSiteToken.objects.values_list("digest", flat=True)) == ["new"]


def test_a_sign_in_does_not_wait_until_another_one_has_forgotten_old_tokens() -> None:
    """What is being forgotten is left to whoever forgets it."""
    soon = timezone.now() + timedelta(hours=1)
    HostSiteToken.objects.create(digest="old", browser="long ago", expires_at=timezone.now() - timedelta(hours=1))
    with meanwhile(lambda: host_sites.take_token("second", "other", expires_at=soon), "hostsitetoken") as other:
        host_sites.take_token("first", "one", expires_at=soon)
        other.begins()
        came = list(other.came)
    assert came == [True]
    assert set(HostSiteToken.objects.values_list("digest", flat=True)) == {"first", "second"}
