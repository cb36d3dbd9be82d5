"""Listening to recordings: who may, by which link, which bytes, and what is written down of it."""

import hashlib
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.conf import settings as django_settings
from django.contrib.auth.models import User
from django.core.files.base import ContentFile
from django.core.files.storage import storages
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings

from conversations.inbox.ranges import NotSatisfiable, wanted_range
from conversations.models import CallRecording, Entry
from conversations.services import recordings, timeline
from conversations.services.timeline import NewEntry
from tests.inbox.conftest import Cast

pytestmark = pytest.mark.filterwarnings("ignore:StreamingHttpResponse must consume asynchronous iterators")
SOUND = bytes(range(256)) * 800


@pytest.fixture
def recording(cast: Cast, settings: Settings, tmp_path: Path) -> CallRecording:
    """A stored recording of Maria's call."""
    options = {"location": tmp_path, "base_url": None}
    settings.STORAGES = settings.STORAGES | {
        "recordings": {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": options}
    }
    call = cast.call(cast.chat())
    name = storages["recordings"].save("customers/one.mp3", ContentFile(SOUND))
    return CallRecording.objects.create(
        interaction=call, recording_id="r-1", state="stored", storage_name=name, sha256=hashlib.sha256(SOUND).hexdigest(),
        size_bytes=len(SOUND), content_type="audio/mpeg", stored_at=timezone.now(), began_at=timezone.now(), seconds=42,
    )  # fmt: skip


def player_for(browser: Client, row: CallRecording) -> str:
    """The address in the player that a browser gets when it asks to listen."""
    answer = browser.post(reverse("inbox:recording-listen", args=[row.recording_id]), headers={"X-Requested-With": "fetch"})
    assert answer.status_code == 200
    assert answer["Cache-Control"] == "private, no-store"
    found = re.search(r'src="([^"]+)"', answer.content.decode())
    assert found
    return found[1]


def heard(browser: Client, address: str, **headers: str) -> tuple[Any, bytes]:
    """What the server sends, and its bytes."""
    answer = browser.get(address, headers=headers)
    return answer, b"".join(answer) if answer.streaming else answer.content


class TestBytes:
    def test_all_of_it(self, cast: Cast, recording: CallRecording) -> None:
        """With its type, and kept by nobody on the way."""
        browser = cast.client(cast.ann)
        answer, body = heard(browser, player_for(browser, recording))
        assert (answer.status_code, body, answer["Content-Type"]) == (200, SOUND, "audio/mpeg")
        assert (answer["Cache-Control"], answer["Accept-Ranges"]) == ("private, no-store", "bytes")

    @pytest.mark.parametrize(
        ("asked", "first", "last"),
        [
            ("bytes=0-", 0, len(SOUND) - 1),
            ("bytes=0-1", 0, 1),
            ("bytes=70000-140000", 70_000, 140_000),
            ("bytes=204799-", 204_799, 204_799),
            ("bytes=-100", len(SOUND) - 100, len(SOUND) - 1),
            ("bytes=-9999999", 0, len(SOUND) - 1),
            ("bytes=100-9999999", 100, len(SOUND) - 1),
        ],
    )
    def test_a_part_of_it(self, cast: Cast, recording: CallRecording, asked: str, first: int, last: int) -> None:
        """Which a player asks for to seek."""
        browser = cast.client(cast.ann)
        answer, body = heard(browser, player_for(browser, recording), Range=asked)
        assert (answer.status_code, body) == (206, SOUND[first : last + 1])
        assert answer["Content-Range"] == f"bytes {first}-{last}/{len(SOUND)}"
        assert answer["Content-Length"] == str(last - first + 1)

    @pytest.mark.parametrize("asked", ["bytes=204800-", "bytes=-0", "bytes=999999-9999999"])
    def test_what_is_not_there(self, cast: Cast, recording: CallRecording, asked: str) -> None:
        browser = cast.client(cast.ann)
        answer, body = heard(browser, player_for(browser, recording), Range=asked)
        assert (answer.status_code, body, answer["Content-Range"]) == (416, b"", f"bytes */{len(SOUND)}")

    @pytest.mark.parametrize("asked", ["bytes=", "bytes=-", "bytes=9-1", "bytes=0-1,4-5", "bytes=a-b", "seconds=1-2", "bytes=" + "9" * 400])
    def test_what_cannot_be_read_is_answered_with_all_of_it(self, cast: Cast, recording: CallRecording, asked: str) -> None:
        browser = cast.client(cast.ann)
        assert heard(browser, player_for(browser, recording), Range=asked)[1] == SOUND


@given(st.integers(1, 10**12), st.integers(0, 10**13), st.integers(0, 10**13), st.sampled_from(["{0}-{1}", "{0}-", "-{1}"]))
def test_a_range_lies_in_the_file(size: int, first: int, last: int, shape: str) -> None:
    """Whatever is asked for, what is sent is there and not empty."""
    try:
        wanted = wanted_range("bytes=" + shape.format(first, last), size)
    except NotSatisfiable:
        return
    assert wanted is None or 0 <= wanted[0] <= wanted[1] < size


class TestWhoMay:
    def test_agents_and_managers_listen_and_are_written_down(self, cast: Cast, recording: CallRecording) -> None:
        """Each time, with their names, for staff."""
        for who in (cast.ann, cast.manager, cast.ann):
            player_for(cast.client(who), recording)
        noted = Entry.objects.filter(kind="recording.heard")
        assert {entry.audience for entry in noted} == {"staff"}
        assert sorted(entry.actor_name for entry in noted)[:2] == ["Ann", "Ann"]
        assert noted.count() == 3

    @pytest.mark.parametrize("who", ["stranger", None])
    def test_nobody_else(self, cast: Cast, recording: CallRecording, who: str | None) -> None:
        """Neither the page nor the player, nor the sound behind a link that they got hold of; nothing is written down."""
        browser = cast.client(getattr(cast, who) if who else None)
        link = player_for(cast.client(cast.ann), recording)
        assert browser.get(reverse("inbox:recording", args=[recording.recording_id])).status_code in (302, 404)
        assert browser.post(reverse("inbox:recording-listen", args=[recording.recording_id])).status_code in (302, 404)
        assert browser.get(link).status_code in (302, 404)
        assert Entry.objects.filter(kind="recording.heard").count() == 1

    def test_an_agent_who_left_hears_nothing_more(self, cast: Cast, recording: CallRecording) -> None:
        """A link is not enough: whoever it was made for must still be let in."""
        browser = cast.client(cast.ann)
        link = player_for(browser, recording)
        cast.ann.active = False
        cast.ann.save()
        assert browser.get(link).status_code == 404

    def test_a_link_is_one_persons(self, cast: Cast, recording: CallRecording) -> None:
        """A colleague asks for one of their own."""
        link = player_for(cast.client(cast.ann), recording)
        assert cast.client(cast.ben).get(link).status_code == 404

    def test_a_link_ends(self, cast: Cast, recording: CallRecording) -> None:
        """Soon after the recording would be over."""
        browser = cast.client(cast.ann)
        link = player_for(browser, recording)
        lasts = django_settings.RECORDING_LINK_SECONDS + 42
        with time_machine.travel(timezone.now() + timedelta(seconds=lasts - 5)):
            assert heard(browser, link)[0].status_code == 200
        with time_machine.travel(timezone.now() + timedelta(seconds=lasts + 5)):
            assert browser.get(link).status_code == 404

    @pytest.mark.parametrize(
        "change", [lambda link: link[:-2] + "x/", lambda link: link.replace(":", ".", 1), lambda link: link[:40] + "/"]
    )
    def test_a_forged_link_leads_nowhere(self, cast: Cast, recording: CallRecording, change: Any) -> None:
        browser = cast.client(cast.ann)
        assert browser.get(change(player_for(browser, recording))).status_code == 404

    def test_a_file_that_is_lost_leads_nowhere(self, cast: Cast, recording: CallRecording) -> None:
        """Somebody cleared the folder: the player is told, and nothing breaks."""
        browser = cast.client(cast.ann)
        address = player_for(browser, recording)
        recordings.storage().delete(recording.storage_name)
        assert browser.get(address).status_code == 404

    def test_what_was_deleted_is_gone_for_links_too(self, cast: Cast, recording: CallRecording) -> None:
        """And the page says why there is nothing to hear."""
        browser = cast.client(cast.ann)
        link = player_for(browser, recording)
        assert recordings.remove(recording, because="Kept long enough")
        assert browser.get(link).status_code == 404
        page = browser.get(reverse("inbox:recording", args=[recording.recording_id])).content.decode()
        assert "The recording was deleted. Kept long enough" in page
        assert not storages["recordings"].exists("customers/one.mp3")


def boss() -> User:
    """A manager to whom everything is permitted."""
    return User.objects.create_user("kim", is_staff=True, is_superuser=True)


def test_the_history_has_a_button_where_a_call_was_recorded(cast: Cast, recording: CallRecording) -> None:
    """In the inbox it plays in its place; a manager's page leads to the page of the recording."""
    call = recording.interaction
    data = {"recording": recording.recording_id}
    new = NewEntry("call.recorded", "system", audience="staff", body="A recording.", interaction=call, data=data)
    timeline.append(call.conversation_id, new)
    listen = reverse("inbox:recording-listen", args=[recording.recording_id])
    assert f'data-listen="{listen}"' in cast.client(cast.ann).get(f"/inbox/c/{call.conversation.public_id}/").content.decode()
    page = cast.client(boss()).get(reverse("admin:conversations_conversation_change", args=[call.conversation_id])).content.decode()
    assert reverse("inbox:recording", args=[recording.recording_id]) in page


@pytest.mark.parametrize(
    ("began", "seconds", "has_button"), [(0, 42, False), (20, 22, False), (20, 23, False), (20, 40, True), (-20, 30, True)]
)
def test_of_recordings_of_one_call_the_longest_is_listened_to(
    cast: Cast, recording: CallRecording, began: int, seconds: int, *, has_button: bool
) -> None:
    """Where the platform goes on with one when the next begins, that one has all of the others; what it has not is heard by itself."""
    call = recording.interaction
    times = {"began_at": recording.began_at + timedelta(seconds=began), "next_try_at": timezone.now()}
    other = CallRecording.objects.create(interaction=call, recording_id="r-2", **times)
    for each, length in ((recording, 42), (other, seconds)):
        data = {"recording": each.recording_id, "duration_seconds": length}
        said = NewEntry("call.recorded", "system", audience="staff", body="A recording.", interaction=call, data=data)
        timeline.append(call.conversation_id, said)
    # As when time was cut out of both in which the call was not to be recorded.
    CallRecording.objects.filter(pk=recording.pk).update(seconds=12)
    page = cast.client(cast.ann).get(f"/inbox/c/{call.conversation.public_id}/").content.decode()
    assert f'data-listen="{reverse("inbox:recording-listen", args=["r-1"])}"' in page
    assert (f'data-listen="{reverse("inbox:recording-listen", args=["r-2"])}"' in page) is has_button
    assert ("All of it is in a longer recording." in page) is not has_button
    recordings.remove(recording, because="Its time was over.")
    page = cast.client(cast.ann).get(f"/inbox/c/{call.conversation.public_id}/").content.decode()
    assert f'data-listen="{reverse("inbox:recording-listen", args=["r-2"])}"' in page


def test_managers_have_what_was_given_up_fetched_again(cast: Cast, recording: CallRecording) -> None:
    """From the list of recordings in the admin."""
    CallRecording.objects.filter(pk=recording.pk).update(
        state="failed", storage_name="", sha256="", stored_at=None, problem="the platform answered 503"
    )
    manager = cast.client(boss())
    address = reverse("admin:conversations_callrecording_changelist")
    assert "the platform answered 503" in manager.get(address).content.decode()
    manager.post(address, {"action": "fetch_again", "_selected_action": [recording.pk]})
    recording.refresh_from_db()
    assert recording.state == "announced"
