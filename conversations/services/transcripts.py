"""What was said in a recording, written down by the platform: fetched once, and kept in the history by speaker, with times."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import transaction
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext as _

from conversations.models import CallRecording, CallSeat, Interaction
from conversations.services import announce, cutting, recordings, timeline, unwanted
from conversations.services.redaction import hide_digits, mask
from conversations.services.timeline import NewEntry
from conversations.services.told_elsewhere import ToldElsewhere

Transcript = CallRecording.Transcript
CUSTOMERS_CHANNEL: Final = 0
"""Of a recording in two channels: the first caller's voice. The other has what the caller heard. Source: Vonage, "Recording"."""
MARGIN: Final = timedelta(seconds=1)
"""Two clocks, and the platform's tells whole seconds."""


@dataclass(frozen=True, slots=True)
class Presence:
    """From when until when somebody was on a call; `until` is None while they are."""

    name: str
    since: datetime
    until: datetime | None


@dataclass(frozen=True, slots=True)
class Sentence:
    """One thing that was said: in which channel, from which second of the recording, for how long."""

    channel: int
    text: str
    second: float
    seconds: float


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

    Left out is what lies in time in which the call was not to be recorded, what was said while no person was on the line, since what
    the company's voice says and hears is in the history already, and words that another recording of the call had, too. Card numbers are
    masked, also those that were said in pieces, and cut out of the sound of the call's recordings. One transaction; locks the rows of the
    call's recordings, then the conversation.
    """
    with transaction.atomic():
        rows = CallRecording.objects.select_for_update(no_key=True).filter(interaction=row.interaction_id).order_by("pk")
        locked = next(each for each in rows if each.pk == row.pk)
        if locked.transcript != Transcript.WAITING:
            return 0
        call = Interaction.objects.select_related("conversation__owner_agent").get(pk=row.interaction_id)
        not_to_be_kept = unwanted.spans(locked)
        people, elsewhere = _people_on(call), ToldElsewhere(locked)
        written, in_order = 0, sorted(sentences, key=lambda each: (each.second, each.channel))
        for number, (said, heard) in enumerate(zip(_masked(in_order), in_order, strict=True)):
            at = locked.began_at + timedelta(seconds=said.second)
            speaker = _speaker(locked, said, at, people)
            if speaker is None or unwanted.is_in(said.second, not_to_be_kept) or elsewhere.has(speaker[0], said.text, at, said.seconds):
                continue
            hidden = {unwanted.HIDDEN: unwanted.time_of(locked, at, said.seconds)} if said.text != heard.text else {}
            timeline.append(call.conversation_id, _entry(call, locked, said, at, speaker, number, hidden))
            written += 1
        CallRecording.objects.filter(pk=row.pk).update(transcript=Transcript.WRITTEN, transcript_next_try_at=None)
        is_hidden = bool(unwanted.card_spans(locked))
        if is_hidden:
            cutting.cut_stored(rows)
        if not_to_be_kept or is_hidden:
            recordings.have_copy_deleted(row, row.transcript_url)
        announce.work_changed(call.conversation)
    return written


def _entry(
    call: Interaction, row: CallRecording, said: Sentence, at: datetime, speaker: tuple[str, str], number: int, hidden: Mapping[str, Any]
) -> NewEntry:
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
        data={"spoken": True, "recording": row.recording_id, "duration_seconds": round(said.seconds, 1), **hidden},
    )


def _speaker(row: CallRecording, said: Sentence, at: datetime, people: list[Presence]) -> tuple[str, str] | None:
    """Who said it, as (kind, names); None while no person is on the line. A message that was left is all the caller's.

    Whoever leaves has ended the sentence: one that goes on is the company's voice, which speaks next.
    """
    if row.kind == CallRecording.Kind.VOICEMAIL:
        return "customer", ""
    is_customers = said.channel == CUSTOMERS_CHANNEL
    ends_at = at if is_customers else at + timedelta(seconds=said.seconds)
    there = [each.name for each in people if each.since <= at + MARGIN and (each.until is None or ends_at <= each.until + MARGIN)]
    if not there:
        return None
    return ("customer", "") if is_customers else ("agent", ", ".join(dict.fromkeys(there)))


def _people_on(call: Interaction) -> list[Presence]:
    """Who was on the call and heard by the caller, in the order in which they came."""
    heard = CallSeat.objects.filter(interaction=call, manner__in=[CallSeat.Manner.TALK, CallSeat.Manner.BARGE])
    came = heard.filter(connected_at__isnull=False).order_by("connected_at", "pk")
    return [Presence(seat.name, seat.connected_at, seat.ended_at) for seat in came if seat.connected_at]


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
