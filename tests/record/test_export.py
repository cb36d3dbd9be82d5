"""The file of everything that is kept of a person."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.management import CommandError, call_command
from django.db import transaction
from django.utils import timezone

from conversations.chat import visitor
from conversations.models import (
    ChatLink,
    Conversation,
    Customer,
    DataExport,
    Interaction,
    KnowledgeCheck,
    MatchCandidate,
    Technician,
)
from conversations.services import consent, export, facts, identity, merging, stored_files, suppression, timeline, weaving
from conversations.services.consent import Said
from conversations.services.facts import LearnedFact
from conversations.services.timeline import NewEntry
from tests.record import parties, rows
from tests.record.test_constraints import booking

pytestmark = pytest.mark.usefixtures("company")
EMAIL = "sam.okafor@example.org"
SCRIPT = "<script>alert('Sam')</script>"


def sam() -> Customer:
    """A customer with a chat, a note, a visit, and a second record that counts as them."""
    line = parties.chat(parties.vouched_for("email", EMAIL))
    parties.says(line, f"My boiler is cold {SCRIPT}")
    parties.is_told(line, "Have you looked at the pressure?")
    facts.learn(line.conversation, [LearnedFact("name", "Sam Okafor")], interaction=line, from_seq=1)
    note = NewEntry("note", "agent", "Ann", body="Polite and patient", audience="staff", data={"client_id": "x"})
    timeline.append(line.conversation_id, note)
    booking(line.conversation, Technician.objects.create(name="Priya"), 8, 10, "A")
    second = rows.customer("S. Okafor")
    with transaction.atomic():
        identity.claim(second, "phone", "+447700900123", source="import")
    merging.join_customers(second, line.conversation.customer, evidence={"sentence": "Same person"}, made_by="maya")
    return Customer.objects.get(pk=line.conversation.customer_id)


def exported(customer: Customer) -> zipfile.ZipFile:
    file = io.BytesIO()
    export.write(customer, file, made_by="maya")
    return zipfile.ZipFile(file)


def told(archive: zipfile.ZipFile) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(archive.read("customer.json"))
    return content


def test_joined_records_come_as_one_with_everything_that_is_kept() -> None:
    """From whichever record it is asked: identifiers with assurance, facts, words, visits, proofs, what was joined."""
    customer = sam()
    content = told(exported(customer.joined_records.get()))
    assert [(each["record"], each["name"]) for each in content["records"]] == [
        (customer.pk, "Sam Okafor"),
        (customer.joined_records.get().pk, "S. Okafor"),
    ]
    assert {(each["value"], each["assurance"]) for each in content["identifiers"]} >= {(EMAIL, "verified"), ("+447700900123", "claimed")}
    conversation = content["conversations"][0]
    said = [(each["what"], each["by"], each["text"]) for each in conversation["entries"]]
    assert ("Message", "Customer", f"My boiler is cold {SCRIPT}") in said
    assert ("Message", "AI agent", "Have you looked at the pressure?") in said
    assert ("Staff note", "Our staff", "Polite and patient") in said
    assert conversation["known"] == {"name": "Sam Okafor"}
    assert content["bookings"][0]["postcode"] == "HB1 4QT"
    assert len(content["bookings"][0]["window"]) == 2
    assert content["proofs"][0]["method"] == "signed_visitor"
    assert content["customer links"][0]["evidence"] == {"sentence": "Same person"}


def test_nothing_of_other_people_or_of_the_house_is_in_it() -> None:
    """No staff by name where the person never met them, no other customer, no keys of ours."""
    customer = sam()
    MatchCandidate.objects.create(customer=customer, other=rows.customer("Mary Price"), evidence={"name": "Mary Price"})
    stranger = parties.chat(visitor.new())
    parties.says(stranger, "I am somebody else")
    text = exported(customer).read("customer.json").decode()
    for absent in ("Mary Price", "Ann", "maya", "somebody else", "client_id", "idempotency_key"):
        assert absent not in text, absent


def test_what_another_record_brought_along_is_not_in_it() -> None:
    """A conversation of somebody else that was joined into theirs by hand, and what was learned and arranged in it."""
    customer = sam()
    own = Conversation.objects.get(customer=customer)
    line = parties.chat(visitor.new())
    other = line.conversation
    facts.learn(other, [LearnedFact("account_number", "ACC-7700")], interaction=line, from_seq=1)
    booking(other, Technician.objects.create(name="Tom"), 20, 22, "B", name="Mary Price")
    note = NewEntry("note", "agent", "Ann", body="Sounds like Mary", audience="staff")
    timeline.append(other.pk, note)
    weaving.join_by_hand(other, own, reason="Mary asked about the same leak", made_by="maya")
    own.refresh_from_db()
    assert "account_number" in own.facts
    archive = exported(customer)
    content = told(archive)
    assert [each["conversation"] for each in content["conversations"]] == [str(own.public_id)]
    assert content["conversations"][0]["known"] == {"name": "Sam Okafor"}
    assert len(content["conversations"][0]["lines"]) == 1
    assert [each["reference"] for each in content["bookings"]] == ["HH-A"]
    for absent in ("Mary Price", "ACC-7700", "Sounds like Mary"):
        assert absent not in archive.read("customer.json").decode(), absent
        assert absent not in archive.read("customer.html").decode(), absent


def test_a_line_that_went_on_in_somebody_elses_conversation_brings_its_own_words_alone() -> None:
    """Of the conversation it was taken into, only what was said on it."""
    mine, theirs = parties.chat(visitor.new()), parties.chat(visitor.new())
    parties.says(theirs, "I am Mary")
    facts.learn(theirs.conversation, [LearnedFact("name", "Mary Price")], interaction=theirs, from_seq=1)
    with transaction.atomic():
        weaving.move_line(mine, theirs.conversation, evidence={}, made_by="ann", sentence="It belongs there.")
    conversation = told(exported(theirs.conversation.customer))["conversations"][0]
    assert conversation["known"] == {"name": "Mary Price"}
    assert len(conversation["lines"]) == 1
    parties.says(Interaction.objects.get(pk=mine.pk), "I am Sam")
    archive = exported(mine.conversation.customer)
    own, taken_into = told(archive)["conversations"]
    assert (len(own["lines"]), taken_into["lines"], taken_into["known"], taken_into["record"]) == (1, [], {}, None)
    assert [each["text"] for each in taken_into["entries"]] == ["I am Sam"]
    assert "Mary" not in archive.read("customer.json").decode()


def test_consents_say_who_gave_them_and_the_list_what_stands_on_it() -> None:
    """Who of the staff wrote it down is not in it; neither are hashes, nor tries of others to answer questions about the record."""
    customer = sam()
    shown = Customer.objects.get(pk=customer.pk)
    said = Said(given_by="customer", how="typed", recorded_by="Ann", assurance="verified")
    consent.record(shown, purpose="sms", decision="refused", said=said)
    suppression.suppress("email", EMAIL, reason="Asked in a letter.", added_by="Ann")
    suppression.suppress("phone", "+447700900123", reason="Asked by its owner.", added_by="Ann")
    line = Interaction.objects.get(conversation__customer=customer)
    ChatLink.objects.create(interaction=line, value="+447700900123", token_hash="a" * 64, expires_at=timezone.now())
    KnowledgeCheck.objects.create(interaction=line, matched=customer.pk)
    archive = exported(customer)
    content = told(archive)
    assert content["consents"][0]["given_by"] == "customer"
    assert [(each["value"], each["reason"]) for each in content["do-not-contact list"]] == [(EMAIL, "Asked in a letter.")]
    for absent in ("Ann", "aaaaaaaa", "value_hash", "knowledge check"):
        assert absent not in archive.read("customer.json").decode(), absent


def test_the_page_is_read_without_danger() -> None:
    """What the person wrote is text in it, and it needs nothing from the network."""
    page = exported(sam()).read("customer.html").decode()
    assert SCRIPT not in page
    assert "&lt;script&gt;" in page
    for words in ("Sam Okafor", EMAIL, "Have you looked at the pressure?", "Polite and patient", "</html>"):
        assert words in page
    assert "http" not in page.replace("https://", "http://").split("</style>")[1].split("Conversation of")[0]


def test_files_are_in_it() -> None:
    customer = sam()
    default_storage.save(f"{stored_files.folder_of(customer.public_id)}/recordings/call.wav", ContentFile(b"Hello"))
    archive = exported(customer)
    assert archive.read("files/recordings/call.wav") == b"Hello"
    stored_files.remove_all(customer.public_id)


def test_that_it_was_made_is_kept() -> None:
    """By whom, and how much was handed out; not what."""
    customer = sam()
    exported(customer)
    made = DataExport.objects.get()
    assert (made.customer, made.made_by) == (customer, "maya")
    assert (made.counts["conversations"], made.counts["booking"], made.counts["identifier"]) == (1, 1, 3)


def test_the_command_writes_a_file_for_its_owner_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It does not overwrite, and says what is wrong."""
    customer, target = sam(), tmp_path / "sam.zip"
    call_command("export_customer", str(customer.pk), "--to", str(target), "--by", "maya")
    assert "1 conversations" in capsys.readouterr().out
    assert target.stat().st_mode & 0o777 == 0o600
    with zipfile.ZipFile(target) as archive:
        assert told(archive)["records"][0]["record"] == customer.pk
    with pytest.raises(CommandError, match="File exists"):
        call_command("export_customer", str(customer.pk), "--to", str(target), "--by", "maya")
    with pytest.raises(CommandError, match="no customer 999999"):
        call_command("export_customer", "999999", "--to", str(tmp_path / "other.zip"), "--by", "maya")
    assert DataExport.objects.count() == 1
