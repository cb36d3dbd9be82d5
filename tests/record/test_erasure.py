"""Erasing a person: what it reaches, what stops it, and what happens when something fails on the way."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import timedelta
from threading import Thread
from uuid import uuid4

import pytest
from django.conf import settings
from django.contrib.admin.models import CHANGE, LogEntry
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import connection, transaction
from django.utils import timezone

from conversations.chat import visitor
from conversations.flows import erasing
from conversations.models import (
    Booking,
    ConnectorRequest,
    Conversation,
    Customer,
    Entry,
    ErasureRequest,
    Identifier,
    Interaction,
    JoinCode,
    LegalHold,
    OneTimeCode,
    Proof,
    RetiredVisitor,
    SharedIdentifier,
    Suppression,
    Technician,
    WebhookRecord,
)
from conversations.services import (
    connector_requests,
    erasers,
    erasure,
    facts,
    holds,
    identity,
    importing,
    joining,
    merging,
    stored_files,
    suppression,
    threads,
    timeline,
    transport,
    weaving,
)
from conversations.services.facts import LearnedFact
from conversations.services.import_files import open_file
from conversations.services.import_report import add_up
from conversations.services.import_rows import Options
from conversations.services.timeline import NewEntry
from tests.record import parties, rows
from tests.record.parties import VICTIM
from tests.record.test_constraints import booking
from tests.support.locks import locked, until, waits_for_lock

pytestmark = pytest.mark.usefixtures("company")
SAID = "My yellow submarine leaks, I am Sam Okafor of HB1 4QT"
EMAIL = "sam.okafor@example.org"


def sam() -> Customer:
    """A customer who has chatted, left name and address, and was helped; nothing of it goes on."""
    line = parties.chat(parties.vouched_for("email", EMAIL))
    parties.says(line, SAID)
    facts.learn(line.conversation, [LearnedFact("name", "Sam Okafor"), LearnedFact("postcode", "HB1 4QT")], interaction=line, from_seq=1)
    over(line)
    return Customer.objects.get(conversations=line.conversation_id)


def over(*lines: Interaction) -> None:
    for line in lines:
        threads.end_interaction(line, reason="left")


def erase(customer: Customer) -> ErasureRequest:
    row = erasure.request(customer, ground="asked", by="maya")
    erasing.run(row.pk)
    row.refresh_from_db()
    return row


def test_every_table_is_declared() -> None:
    """A table of which nobody has said what an erasure does to it fails this test; so does one that is gone."""
    assert erasers.undeclared(erasers.tables()) == []
    assert erasers.undeclared([*erasers.tables(), "conversations.Diary"]) == ["conversations.Diary"]
    assert set(erasers.ERASERS) | set(erasers.HOLDS_NOTHING) == set(erasers.tables())
    assert not set(erasers.ERASERS) & set(erasers.HOLDS_NOTHING)
    assert all(erasers.HOLDS_NOTHING.values())


def test_it_reaches_everything_and_leaves_what_counts() -> None:
    """The words go and leave their mark; that they were said, when and about what stays."""
    customer = sam()
    before = list(Entry.objects.order_by("seq").values_list("seq", "kind", "occurred_at", "actor_kind"))
    row = erase(customer)
    customer.refresh_from_db()
    entries = Entry.objects.filter(seq__lte=len(before)).order_by("seq")
    assert row.state == "done"
    assert list(entries.values_list("seq", "kind", "occurred_at", "actor_kind")) == before
    assert set(entries.values_list("body", flat=True)) == {""}
    assert all(mark.startswith("erased on") and mark.endswith("by maya") for mark in entries.values_list("redaction_reason", flat=True))
    assert (customer.name, str(customer)) == ("", f"Erased customer {customer.pk}")
    assert Conversation.objects.get().facts == {}
    assert not Identifier.objects.exists()
    assert row.report["erased"]["conversations.Entry"] == Entry.objects.count()


def test_staff_are_still_named_and_numbers_still_counted() -> None:
    """What a person of the company did is theirs; durations and codes are what reports count."""
    line = parties.chat(visitor.new())
    timeline.append(line.conversation_id, NewEntry("note", "agent", "Ann", body="Sam was friendly", audience="staff", interaction=line))
    timeline.append(
        line.conversation_id,
        NewEntry("tool.called", "assistant", "Harbor", data={"tool": "book", "allowed": True, "arguments": {"name": "Sam"}, "odd": "Sam"}),
    )
    over(line)
    erase(line.conversation.customer)
    note, tool, ended = (Entry.objects.get(kind=kind) for kind in ("note", "tool.called", "interaction.ended"))
    assert (note.actor_name, note.body) == ("Ann", "")
    assert tool.data == {"tool": "book", "allowed": True}
    assert set(ended.data) == {"channel", "end_reason", "duration_seconds"}


def test_rows_around_the_history_are_emptied() -> None:
    """Codes, proofs, visits, packages, decisions, the raw side and what the admin noted."""
    line = parties.chat(parties.vouched_for("email", EMAIL))
    conversation = line.conversation
    customer = conversation.customer
    transport.record_chat_session(session_id=line.provider_id, entry_point_address="/harborhome", visitor=line.party)
    joining.issue_code(line)
    OneTimeCode.objects.create(
        interaction=rows.interaction(), way="email", kind="email", value=EMAIL, code_hash="0" * 64, expires_at=timezone.now()
    )
    decision = rows.decision(
        subject=conversation.public_id.hex,
        need={"reason": "leak", "facts": {"postcode": "HB1 4QT"}},
        sentence="Because postcode is HB1 4QT.",
        trace={"row": 1, "values": {"facts": {"postcode": "HB1 4QT"}}, "escalation": {"row": 2, "values": {"a": "HB1 4QT"}}},
    )
    visit = booking(conversation, Technician.objects.create(name="Priya"), 48, 50, "A", postcode="HB1 4QT")
    LogEntry.objects.log_actions(rows.agent().user_id, [customer], CHANGE, change_message="Name: Sam Okafor", single_object=True)
    SharedIdentifier.objects.create(kind="email", value=EMAIL, customers=9, shown_as="verified")
    over(line)
    assert erase(customer).state == "done"
    decision.refresh_from_db()
    visit.refresh_from_db()
    assert (decision.need, decision.sentence) == ({"reason": "leak", "facts": {}}, "")
    assert decision.trace == {"row": 1, "escalation": {"row": 2}}
    assert (visit.name, visit.phone, visit.postcode, visit.state) == ("", "", "", "cancelled")
    assert (LogEntry.objects.get().object_repr, LogEntry.objects.get().change_message) == ("–", "")
    for model in (JoinCode, OneTimeCode, Proof, SharedIdentifier):
        assert not model.objects.exists(), model
    line.refresh_from_db()
    assert line.party == ""
    assert line.provider_id.startswith("erased.")


def test_a_shared_value_and_other_peoples_rows_stay() -> None:
    """What another customer claimed or said is theirs; the report says where to look."""
    other = parties.chat(visitor.new())
    parties.says(other, "my flatmate is at 07700 900 123")
    with transaction.atomic():
        identity.claim(other.conversation.customer, "phone", VICTIM, source="said")
    SharedIdentifier.objects.create(kind="phone", value=VICTIM, customers=9, shown_as="network_hint")
    call = parties.call(VICTIM)
    over(call)
    row = erase(Customer.objects.get(conversations=call.conversation_id))
    assert Entry.objects.get(kind="message", actor_kind="customer").body == "my flatmate is at 07700 900 123"
    assert SharedIdentifier.objects.exists()
    assert row.report["look_at"] == {
        "conversations": [other.conversation_id],
        "records": [other.conversation.customer_id],
        "alike": [],
    }


def test_calls_leave_what_reports_compare() -> None:
    """Of the platform's webhooks only states and times are left, of the answers only what was done."""
    call = parties.call(VICTIM)
    stranger = parties.call("+447700900999")
    for each in (call, stranger):
        body = {"uuid": each.provider_id, "from": each.party.removeprefix("+"), "status": "completed", "speech": {"results": [SAID]}}
        record, _new = transport.record_webhook(
            token_id=uuid4().hex, body_hash="a" * 64, kind="event", provider_id=each.provider_id, body=body
        )
        transport.answer_webhook(record, [{"action": "talk", "text": "Hello Sam"}, {"action": "input"}])
    over(call, stranger)
    erase(Customer.objects.get(conversations=call.conversation_id))
    emptied, kept = (WebhookRecord.objects.get(provider_id=each.provider_id) for each in (call, stranger))
    assert emptied.body == {"uuid": call.provider_id, "status": "completed"}
    assert emptied.answer == [{"action": "talk"}, {"action": "input"}]
    assert kept.body["from"] == "447700900999"


def test_records_that_count_as_one_go_together() -> None:
    """Whichever of them is asked for; a record that was parted again is another person's."""
    one, two, parted = sam(), rows.customer("S. Okafor"), rows.customer("Sam O")
    merging.join_customers(two, one, evidence={"sentence": "same person"}, made_by="maya")
    link = merging.join_customers(parted, one, evidence={"value": "x"}, made_by="maya")
    merging.separate_customers(link, undone_by="maya")
    row = erase(two)
    assert (row.customer, row.records) == (one, [one.pk, two.pk])
    assert list(Customer.objects.filter(erased_at__isnull=False).order_by("pk")) == [one, two]
    parted.refresh_from_db()
    assert parted.name == "Sam O"
    link.refresh_from_db()
    assert link.evidence == {}


def test_files_go() -> None:
    """Every file in the customer's folder, however deep, and the folder."""
    customer, other = sam(), rows.customer("Mary")
    folder = stored_files.folder_of(customer.public_id)
    default_storage.save(f"{folder}/recordings/2026/call.wav", ContentFile(b"Sam"))
    kept = default_storage.save(f"{stored_files.folder_of(other.public_id)}/photo.jpg", ContentFile(b"Mary"))
    assert [name for _storage, name in stored_files.files_of(customer.public_id)] == [f"{folder}/recordings/2026/call.wav"]
    row = erase(customer)
    assert row.report["erased"]["files"] == 1
    assert not default_storage.exists(folder)
    assert default_storage.exists(kept)


def test_it_waits_for_a_call_and_goes_on_by_itself() -> None:
    """Nothing is touched while somebody talks."""
    call = parties.call(VICTIM)
    parties.says(call, SAID)
    row = erase(Customer.objects.get(conversations=call.conversation_id))
    assert (row.state, row.started_at) == ("waiting", None)
    assert Entry.objects.filter(body=SAID).exists()
    over(call)
    assert erasing.sweep() == 1
    assert not Entry.objects.filter(body=SAID).exists()


def test_a_hold_stops_it_until_it_is_lifted() -> None:
    """Also one on a record that was joined; the trail of it stays."""
    customer, joined = sam(), rows.customer("S. Okafor")
    hold = holds.place(joined, reason="Dispute 12", by="maya")
    merging.join_customers(joined, customer, evidence={}, made_by="maya")
    row = erase(customer)
    assert row.state == "held"
    assert erasing.sweep() == 0
    assert Entry.objects.filter(body=SAID).exists()
    assert holds.lift(hold, by="ann")
    assert not holds.lift(hold, by="ben")
    assert erasing.sweep() == 1
    hold.refresh_from_db()
    assert (hold.lifted_by, hold.reason) == ("ann", "–")


def test_a_hold_on_somebody_whose_history_it_reaches_into_stops_it() -> None:
    """Two conversations that were joined by hand are one history: erasing the one would take the other's words."""
    held, mine = parties.chat(visitor.new()), parties.chat(visitor.new())
    for line in (held, mine):
        parties.says(line, f"Words of {line.pk}")
    weaving.join_by_hand(held.conversation, mine.conversation, reason="One leak", made_by="ann")
    over(held, mine)
    hold = holds.place(held.conversation.customer, reason="Dispute 12", by="maya")
    row = erase(mine.conversation.customer)
    assert row.state == "held"
    assert list(erasure.holds_against(row.records)) == [hold]
    assert Entry.objects.filter(body=f"Words of {held.pk}").exists()
    holds.lift(hold, by="ann")
    assert erasing.run(row.pk) == "done"


def test_a_hold_on_the_history_that_theirs_goes_on_in_stops_it() -> None:
    """No line of theirs is in it: what they said before stands in it all the same."""
    held, mine = parties.chat(visitor.new()), parties.chat(visitor.new())
    parties.says(mine, SAID)
    over(mine)
    goes_on = weaving.join_by_hand(mine.conversation, held.conversation, reason="One leak", made_by="ann")
    assert goes_on == held.conversation
    holds.place(held.conversation.customer, reason="Dispute 12", by="maya")
    assert erase(mine.conversation.customer).state == "held"


def test_a_line_that_goes_on_in_a_held_history_stops_it() -> None:
    """What was said on it stands in that history."""
    held, mine = parties.chat(visitor.new()), parties.chat(visitor.new())
    with transaction.atomic():
        weaving.move_line(mine, held.conversation, evidence={}, made_by="ann", sentence="It belongs there.")
    parties.says(Interaction.objects.get(pk=mine.pk), SAID)
    over(held, mine)
    holds.place(held.conversation.customer, reason="Dispute 12", by="maya")
    assert erase(mine.original_conversation.customer).state == "held"


def test_the_admins_log_forgets_what_stands_for_no_customer() -> None:
    """A row of the do-not-contact list is called by its address there; one that only ends alike is another's."""
    customer, others = sam(), f"x{EMAIL}"
    rows_of_list = [suppression.suppress("email", value, reason="Asked", added_by="maya")[0] for value in (EMAIL, others)]
    shared = SharedIdentifier.objects.create(kind="email", value=EMAIL, customers=9, shown_as="network_hint")
    browser = Identifier.objects.get(customer=customer, kind="visitor").value
    retired = RetiredVisitor.objects.create(visitor=browser)
    for each in (*rows_of_list, shared, retired):
        LogEntry.objects.log_actions(rows.agent().user_id, [each], CHANGE, change_message="Asked", single_object=True)
    row = erase(customer)
    assert sorted(LogEntry.objects.values_list("object_repr", "change_message")) == [(others, "Asked"), *[("–", "")] * 3]
    assert row.steps.get(name="conversations.Suppression").count == 1
    assert set(Suppression.objects.values_list("value", flat=True)) == {"", others}


def test_a_hold_ends_by_itself() -> None:
    customer = sam()
    hold = holds.place(customer, reason="Dispute 12", by="maya", ends_at=timezone.now() + timedelta(days=1))
    now = timezone.now()
    LegalHold.objects.filter(pk=hold.pk).update(placed_at=now - timedelta(days=2), ends_at=now - timedelta(days=1))
    assert erase(customer).state == "done"


def test_nobody_is_erased_twice() -> None:
    """Neither while it is under way nor afterwards, and a second run changes nothing."""
    customer = sam()
    holds.place(customer, reason="Dispute 12", by="maya")
    row = erasure.request(customer, ground="asked", by="maya")
    with pytest.raises(erasure.AlreadyRequested, match="being erased"):
        erasure.request(customer, ground="asked", by="ann")
    holds.lift(customer.legal_holds.get(), by="maya")
    assert erasing.run(row.pk) == "done"
    entries = list(Entry.objects.order_by("pk").values())
    assert erasing.run(row.pk) == "done"
    assert list(Entry.objects.order_by("pk").values()) == entries
    with pytest.raises(erasure.AlreadyRequested, match="already"):
        erasure.request(customer, ground="asked", by="ann")


def test_who_comes_back_is_somebody_new() -> None:
    """The same browser and number find no record, and an import can tell that the value was erased."""
    browser = parties.vouched_for("email", EMAIL)
    line = parties.chat(browser)
    over(line)
    erased = line.conversation.customer
    erase(erased)
    again = parties.chat(browser)
    assert again.conversation.customer != erased
    others = ("email", "somebody@example.org")
    assert erasure.erased_among([("email", EMAIL), others]) == {("email", EMAIL)}
    rows = open_file(f"email,name\n{EMAIL},Brought Back\nsomebody@example.org,Some Body\n".encode()).rows
    report = add_up(importing.run(rows, Options(system="crm")))
    assert not Customer.objects.filter(name="Brought Back").exists()
    assert Identifier.objects.filter(value=others[1]).exists()
    assert any("was erased" in problem.sentence for row in report.shown for problem in row.problems)


def test_a_step_that_fails_is_tried_again_and_then_left_to_people(transactional_db: None) -> None:
    """What was done stays done; only the kind of the error is kept, since its text may quote the person."""
    row = erasure.request(sam(), ground="asked", by="maya")
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE conversations_handoff RENAME COLUMN summary TO hidden")
    try:
        assert [erasing.run(row.pk) for _try in range(erasure.MOST_TRIES)] == ["failed"] * erasure.MOST_TRIES
        assert erasure.due() == []
    finally:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE conversations_handoff RENAME COLUMN hidden TO summary")
    step = row.steps.get(state="failed")
    assert (step.name, step.error, step.tries) == ("conversations.Handoff", "ProgrammingError", erasure.MOST_TRIES)
    assert row.steps.get(name="conversations.Entry").state == "done"
    assert Identifier.objects.exists()
    erasure.try_again(row)
    assert erasing.run(row.pk) == "done"


def test_a_killed_process_is_gone_on_with(transactional_db: None) -> None:
    """`kill -9` in the middle of a step: the steps before it are done, that one is not, and the sweep finishes it."""
    row = erasure.request(sam(), ground="asked", by="maya")
    values = connection.get_connection_params()
    environment = {**os.environ, "DATABASE_NAME_OF_TEST": values["dbname"]}
    program = (
        "import os, django\n"
        "django.setup()\n"
        "from django.db import connection\n"
        "connection.settings_dict['NAME'] = os.environ['DATABASE_NAME_OF_TEST']\n"
        "from conversations.flows import erasing\n"
        f"erasing.run({row.pk})\n"
    )
    with locked("conversations_handoff", "SHARE"):
        process = subprocess.Popen(
            [sys.executable, "-c", program],
            cwd=settings.BASE_DIR,
            env={**environment, "DJANGO_SETTINGS_MODULE": "cxhub.settings", "DATABASE_POOL_SIZE": "0"},
        )
        until(lambda: process.poll() is not None or waits_for_lock("conversations_handoff"))
        assert process.poll() is None
        process.kill()
        process.wait()
    row.refresh_from_db()
    done = set(row.steps.filter(state="done").values_list("name", flat=True))
    assert row.state == "running"
    assert "conversations.Entry" in done
    assert "conversations.Handoff" not in done
    assert erasing.sweep() == 1
    assert row.steps.exclude(state="done").count() == 0


def test_a_contact_at_the_same_instant_is_before_or_after(transactional_db: None) -> None:
    """A call that begins while the erasure begins is either waited for or a new person's; never lost in an erased record."""
    call = parties.call(VICTIM)
    over(call)
    customer = Customer.objects.get(conversations=call.conversation_id)
    row = erasure.request(customer, ground="asked", by="maya")
    with locked("conversations_erasurestep"):
        eraser = Thread(target=lambda: (erasing.run(row.pk), connection.close()))
        eraser.start()
        until(lambda: waits_for_lock("conversations_erasurestep"))
        caller = Thread(target=lambda: (parties.call(VICTIM), connection.close()))
        caller.start()
        until(lambda: waits_for_lock("advisory"))
    eraser.join()
    caller.join()
    row.refresh_from_db()
    assert row.state == "done"
    assert Interaction.objects.exclude(state="ended").get().conversation.customer != customer


class TestOutsideSystems:
    """The outbox to connectors."""

    def test_one_that_is_gone_is_asked_again_with_growing_pauses_and_then_given_up(self) -> None:
        """Until then the erasure is under way; nothing that names the person is kept of the error."""
        row = erasure.request(sam(), ground="asked", by="maya")
        assert erasure.run(row.pk, connectors=["crm"]) == "running"
        pauses = []
        for _try in range(connector_requests.MOST_TRIES):
            before = timezone.now()
            ConnectorRequest.objects.update(next_at=before)
            assert erasing.ask_connectors() == 0
            pauses.append(round((ConnectorRequest.objects.get().next_at - before).total_seconds() / 60))
        asked = ConnectorRequest.objects.get()
        assert (asked.state, asked.last_error) == ("failed", "KeyError")
        assert pauses[:4] == [1, 2, 4, 8]
        assert max(pauses) == 720
        assert erasing.run(row.pk) == "failed"
        assert erasure.due() == []

    def test_what_it_is_asked_with_is_forgotten_when_it_has_confirmed(self) -> None:
        """Another system knows the person by its own number, or by a proven address; that is kept until then and no longer.

        What somebody only claimed is not among it: it may be somebody else's.
        """
        customer = sam()
        with transaction.atomic():
            identity.claim(customer, "external", "crm:10042", source="import")
            identity.claim(customer, "email", "somebody-else@example.org", source="said")
        row = erasure.request(customer, ground="asked", by="maya")
        erasure.run(row.pk, connectors=["local_schedule"])
        asked = ConnectorRequest.objects.get()
        assert (asked.customers, asked.references) == ([str(customer.public_id)], sorted(["crm:10042", EMAIL]))
        assert erasing.ask_connectors() == 1
        asked.refresh_from_db()
        assert (asked.state, asked.references) == ("done", [])

    def test_going_on_with_one_erasure_asks_for_no_other(self) -> None:
        """Whoever goes on with several asks each system once for each of them."""
        first = erasure.request(sam(), ground="asked", by="maya")
        erasure.run(first.pk, connectors=["crm"])
        call = parties.call("+447700900999")
        over(call)
        second = erase(Customer.objects.get(conversations=call.conversation_id))
        assert second.state == "done"
        assert first.connector_requests.get().tries == 0

    def test_two_workers_ask_once(self) -> None:
        row = erasure.request(sam(), ground="asked", by="maya")
        erasure.run(row.pk, connectors=["local_schedule"])
        number = ConnectorRequest.objects.get().pk
        assert connector_requests.claim(number)
        assert connector_requests.claim(number) is None

    def test_a_past_visit_is_kept_and_a_coming_one_is_given_up(self) -> None:
        """The days of technicians are what they were."""
        line = parties.chat(visitor.new())
        over(line)
        priya = Technician.objects.create(name="Priya")
        booking(line.conversation, priya, -48, -46, "A")
        booking(line.conversation, priya, 48, 50, "B")
        erase(line.conversation.customer)
        assert list(Booking.objects.order_by("window").values_list("state", "name", "service")) == [
            ("booked", "", "Boiler service"),
            ("cancelled", "", "Boiler service"),
        ]
