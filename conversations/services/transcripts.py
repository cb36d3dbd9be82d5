"""What was said in a recording, written down by the platform: fetched once, and kept in the history by speaker, with times."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import transaction
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext as _

from conversations.models import CallRecording, Entry, Interaction
from conversations.services import announce, recordings, timeline, unwanted
from conversations.services.redaction import hide_digits, mask
from conversations.services.timeline import NewEntry

Transcript = CallRecording.Transcript
CUSTOMERS_CHANNEL: Final = 0
"""Of a recording in two channels: the first caller's voice. The other has what the caller heard. Source: Vonage, "Recording"."""


@dataclass(frozen=True, slots=True)
class Sentence:
    """One thing that was said: in which channel, from which second of the recording, for how long."""

    channel: int
    text: str
    second: float
    seconds: float


def note(recording_id: str, url: str, *, call: Interaction, at: datetime) -> None:
    """Keeps that a recording was written down, to be fetched; before the recording itself is known, too. A repetition changes nothing."""
    row = recordings.known(call, recording_id, at=at)
    waits = CallRecording.objects.filter(pk=row.pk, transcript=Transcript.NONE).exclude(state=CallRecording.State.DELETED)
    waits.update(transcript=Transcript.WAITING, transcript_url=url, transcript_next_try_at=Now())


def note_failure(recording_id: str) -> None:
    """The platform could not write a recording down."""
    waits = CallRecording.objects.filter(recording_id=recording_id, transcript__in=[Transcript.NONE, Transcript.WAITING])
    waits.update(transcript=Transcript.FAILED, transcript_next_try_at=None)


def claim_due() -> CallRecording | None:
    """Takes one text that is due to be fetched, for one worker. One whose recording is not known yet waits for it, for a while."""
    with transaction.atomic():
        due = CallRecording.objects.select_for_update(skip_locked=True, no_key=True).filter(transcript_next_try_at__lte=Now())
        is_known = ~Q(url="") | Q(announced_at__lt=Now() - recordings.GIVEN_UP_AFTER)
        row = due.filter(is_known).order_by("transcript_next_try_at", "pk").first()
        if row is None:
            return None
        lease = Now() + recordings.LEASE
        CallRecording.objects.filter(pk=row.pk).update(transcript_tries=F("transcript_tries") + 1, transcript_next_try_at=lease)
    row.refresh_from_db()
    return row


def try_later(row: CallRecording, problem: str) -> None:
    """Has a text that could not be fetched tried again, ever later; given up after some hours."""
    if timezone.now() - row.announced_at >= recordings.GIVEN_UP_AFTER:
        give_up(row, problem)
        return
    wait = min(recordings.LONGEST_WAIT, timedelta(seconds=30) * 2 ** min(row.transcript_tries, 10))
    _waiting(row).update(transcript_next_try_at=Now() + wait)


def give_up(row: CallRecording, problem: str) -> None:
    """Ends the fetching of a text, for staff to see why."""
    if _waiting(row).update(transcript=Transcript.FAILED, transcript_next_try_at=None):
        recordings.tell(row, "call.problem", _("What was said could not be fetched: %(why)s") % {"why": problem}, key="text-failed")


def write(row: CallRecording, sentences: Sequence[Sentence]) -> int:
    """Writes what was said into the history, once, in the order of time; returns how many sentences.

    Left out is what lies in time in which the call was not to be recorded, and what the caller heard before a person was there: the
    company's own voice and music. Card numbers are masked, also those that were said in pieces. One transaction; locks the
    recording's row, then the conversation.
    """
    with transaction.atomic():
        locked = CallRecording.objects.select_for_update(no_key=True).get(pk=row.pk)
        if locked.transcript != Transcript.WAITING:
            return 0
        call = Interaction.objects.select_related("conversation__owner_agent").get(pk=row.interaction_id)
        not_to_be_kept = unwanted.spans(locked)
        is_split = len({each.channel for each in sentences}) > 1
        people = _people_on(call)
        written = 0
        for number, said in enumerate(_masked(sorted(sentences, key=lambda each: (each.second, each.channel)))):
            at = locked.began_at + timedelta(seconds=said.second)
            speaker = _speaker(said, at, people, is_split=is_split)
            if speaker is None or unwanted.is_in(said.second, not_to_be_kept):
                continue
            timeline.append(call.conversation_id, _entry(call, locked, said, at, speaker, number))
            written += 1
        CallRecording.objects.filter(pk=row.pk).update(transcript=Transcript.WRITTEN, transcript_next_try_at=None)
        announce.work_changed(call.conversation)
    return written


def _entry(call: Interaction, row: CallRecording, said: Sentence, at: datetime, speaker: tuple[str, str], number: int) -> NewEntry:
    kind, name = speaker
    return NewEntry(
        kind="speech",
        actor_kind=kind,
        actor_name=name,
        audience="staff",
        body=said.text,
        interaction=call,
        occurred_at=at,
        source_id=f"transcript:{row.recording_id}:{number}",
        data={"spoken": True, "recording": row.recording_id, "duration_seconds": round(said.seconds, 1)},
    )


def _speaker(said: Sentence, at: datetime, people: list[tuple[datetime, str]], *, is_split: bool) -> tuple[str, str] | None:
    """Who said it, as (kind, name); None for the company's own voice, which is in the history already."""
    if said.channel == CUSTOMERS_CHANNEL or not is_split:
        return "customer", ""
    there = [name for since, name in people if since <= at + timedelta(seconds=1)]
    return ("agent", there[-1]) if there else None


def _people_on(call: Interaction) -> list[tuple[datetime, str]]:
    """From when on which person was on the call; the name of whoever joined the conversation last before that."""
    joined = list(
        Entry.objects.filter(conversation=call.conversation_id, kind__in=["handoff.accepted", "owner.changed"])
        .exclude(actor_name="")
        .order_by("occurred_at", "pk")
        .values_list("occurred_at", "actor_name")
    )
    owner = call.conversation.owner_agent.display_name if call.conversation.owner_agent else ""
    connected = Entry.objects.filter(interaction=call, kind="call.connected_to_agent").order_by("occurred_at")
    times = connected.values_list("occurred_at", flat=True)
    return [(at, next((name for since, name in reversed(joined) if since <= at), owner)) for at in times]


def _masked(sentences: list[Sentence]) -> list[Sentence]:
    """The sentences without card numbers. Where one speaker's sentences hold one together, none of that speaker's digits is kept."""
    split = set()
    for channel in {each.channel for each in sentences}:
        own = [each.text for each in sentences if each.channel == channel]
        if mask("\n".join(own)) != "\n".join(map(mask, own)):
            split.add(channel)
    return [
        Sentence(each.channel, hide_digits(each.text) if each.channel in split else mask(each.text), each.second, each.seconds)
        for each in sentences
    ]


def _waiting(row: CallRecording) -> Any:
    return CallRecording.objects.filter(pk=row.pk, transcript=Transcript.WAITING)
