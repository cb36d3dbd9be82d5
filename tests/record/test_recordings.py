"""How long recordings are kept, what a legal hold keeps, and what an erasure and a copy for the customer make of them."""

from __future__ import annotations

import io
import json
import zipfile
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import IntegrityError, transaction
from django.utils import timezone
from pytest_django import Settings

from conversations import tasks
from conversations.models import CallRecording, Customer, Entry, EntryPoint, Interaction, RetentionRule
from conversations.services import erasure, export, holds, recordings, retention, threads
from conversations.services.recordings import Finished
from tests.record import parties

pytestmark = pytest.mark.usefixtures("company")
SOUND = b"OggS" + b"\x00" * 3_000


@pytest.fixture(autouse=True)
def storage(company: object, settings: Settings, tmp_path: Path) -> Path:
    """The recordings of one test, and no rule but the one for them."""
    settings.STORAGES = settings.STORAGES | {
        "recordings": {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": tmp_path, "base_url": None}}
    }
    RetentionRule.objects.exclude(kind="recordings").delete()
    rule(None)
    return tmp_path


def rule(days: int | None) -> None:
    RetentionRule.objects.update_or_create(kind="recordings", defaults={"keep_days": days})


def stored(*, days_ago: int = 0, number: str = parties.VICTIM) -> CallRecording:
    """A recording of a call that is over."""
    line = parties.call(number)
    return recording_of(line, timezone.now() - timedelta(days=days_ago))


def recording_of(line: Interaction, began_at: datetime) -> CallRecording:
    row = recordings.note(line, Finished(f"recording-{line.pk}-{began_at:%f}", "https://api.nexmo.com/v1/files/a", began_at, 42))
    recordings.claim_due()
    assert recordings.keep(row, [SOUND], most_bytes=10_000)
    row.refresh_from_db()
    return row


def files(storage: Path) -> list[bytes]:
    return [each.read_bytes() for each in storage.rglob("*") if each.is_file()]


def customer_of(row: CallRecording) -> Customer:
    return row.interaction.conversation.customer


class TestKeptForSoLong:
    def test_the_rule_deletes_what_is_older(self, storage: Path) -> None:
        """The file goes, the row says why, and the history tells of it."""
        rule(90)
        old, young = stored(days_ago=91), stored(days_ago=89, number="+447700900777")
        call_command("apply_retention")
        old.refresh_from_db()
        young.refresh_from_db()
        assert (old.state, old.deleted_because, old.storage_name, old.url) == ("deleted", "Kept long enough", "", "")
        assert young.state == "stored"
        assert len(files(storage)) == 1
        assert Entry.objects.get(kind="recording.deleted").data == {"recording": old.recording_id}
        assert retention.apply().counts["recordings"] == 0

    @pytest.mark.parametrize(("rule_days", "own_days", "goes"), [(None, None, False), (None, 30, True), (10, 90, False), (90, 30, True)])
    def test_an_entry_point_says_otherwise(self, rule_days: int | None, own_days: int | None, goes: bool) -> None:
        """What it says counts before the rule, even where the rule keeps everything for good."""
        rule(rule_days)
        row = stored(days_ago=50)
        EntryPoint.objects.filter(pk=row.interaction.entry_point_id).update(recording_keep_days=own_days)
        assert retention.would_go()["recordings"] == int(goes)
        tasks.apply_retention()
        row.refresh_from_db()
        assert (row.state == "deleted") is goes

    def test_a_legal_hold_keeps_it(self, storage: Path) -> None:
        """Until it is lifted."""
        rule(1)
        row = stored(days_ago=50)
        hold = holds.place(customer_of(row), reason="Dispute 7", by="maya")
        tasks.apply_retention()
        assert files(storage) == [SOUND]
        holds.lift(hold, by="maya")
        tasks.apply_retention()
        assert files(storage) == []

    def test_what_was_never_fetched_goes_too(self) -> None:
        """Nobody fetches what is too old to be kept."""
        rule(1)
        line = parties.call()
        row = recordings.note(line, Finished("r", "https://api.nexmo.com/v1/files/a", timezone.now() - timedelta(days=2), None))
        tasks.apply_retention()
        row.refresh_from_db()
        assert (row.state, row.next_try_at) == ("deleted", None)
        assert recordings.claim_due() is None


class TestErased:
    def erase(self, customer: Customer) -> str:
        for line in Interaction.objects.exclude(state="ended"):
            threads.end_interaction(line, reason="completed")
        row = erasure.request(customer, ground="asked", by="maya")
        return erasure.run(row.pk, connectors=())

    def test_the_file_goes_and_nothing_leads_to_it(self, storage: Path) -> None:
        """Not to the platform's copy either; that there was a recording stays."""
        row = stored()
        assert self.erase(customer_of(row)) == "done"
        row.refresh_from_db()
        assert (row.state, row.storage_name, row.url) == ("deleted", "", "")
        assert files(storage) == []

    def test_one_that_comes_later_is_not_kept(self, storage: Path) -> None:
        """The platform had not told of it, or a worker had it in hand, when the person was erased."""
        row = stored()
        late = recordings.note(row.interaction, Finished("late", "https://api.nexmo.com/v1/files/b", timezone.now(), 1))
        self.erase(customer_of(row))
        after = recordings.note(row.interaction, Finished("after", "https://api.nexmo.com/v1/files/c", timezone.now(), 1))
        for each in (late, after):
            assert not recordings.keep(each, [SOUND], most_bytes=10_000)
            each.refresh_from_db()
            assert each.state == "deleted"
        assert files(storage) == []

    def test_a_legal_hold_stands_against_it(self, storage: Path) -> None:
        row = stored()
        holds.place(customer_of(row), reason="Dispute 7", by="maya")
        assert self.erase(customer_of(row)) == "held"
        assert files(storage) == [SOUND]

    def test_others_recordings_stay(self, storage: Path) -> None:
        row = stored()
        stored(number="+447700900777")
        self.erase(customer_of(row))
        assert files(storage) == [SOUND]


def test_a_copy_for_the_customer_has_the_sound() -> None:
    """As a file, and in the list of what is kept; without where it lies."""
    row = stored()
    target = io.BytesIO()
    made = export.write(customer_of(row), target, made_by="maya")
    assert made.counts["files"] == 1
    with zipfile.ZipFile(target) as archive:
        assert archive.read(f"files/recordings/{row.public_id}.ogg") == SOUND
        told = json.loads(archive.read("customer.json"))["call recordings"]
    assert (told[0]["seconds"], told[0]["state"]) == (42, "stored")
    assert not {"url", "storage_name", "sha256"} & told[0].keys()


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"state": "lost", "storage_name": "", "sha256": ""}, "recording_state_is_known"),
        ({"kind": "film"}, "recording_kind_is_known"),
        ({"transcript": "perhaps"}, "recording_transcript_is_known"),
        ({"storage_name": ""}, "recording_has_a_file_exactly_when_stored"),
        ({"sha256": "abc"}, "recording_has_a_file_exactly_when_stored"),
        ({"state": "failed", "storage_name": "", "sha256": ""}, "failed_recording_says_why"),
        ({"state": "deleted", "storage_name": "", "sha256": ""}, "deleted_recording_says_when_and_why"),
        ({"state": "fetching", "storage_name": "", "sha256": ""}, "recording_is_tried_again_exactly_while_it_waits"),
        ({"transcript": "waiting"}, "transcript_is_tried_again_exactly_while_it_waits"),
        ({"recording_id": ""}, "recording_has_an_id"),
    ],
)
def test_the_database_refuses_what_cannot_be(change: dict[str, str], rule: str) -> None:
    """Each rule by its name."""
    row = stored()
    with pytest.raises(IntegrityError, match=rule), transaction.atomic():
        CallRecording.objects.filter(pk=row.pk).update(**change)


def test_an_entry_point_keeps_recordings_for_at_least_a_day() -> None:
    with pytest.raises(IntegrityError, match="entry_point_keeps_recordings_for_at_least_a_day"), transaction.atomic():
        EntryPoint.objects.update(recording_keep_days=0)
