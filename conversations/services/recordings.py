"""Recordings of calls: noted when the platform has one, kept in our storage, deleted in time. The only writer of both.

A recording belongs to the line it was made on. Its file lies with the other files of the record that the line began under
(`stored_files.folder_of`), in the storage `recordings`, so that an erasure and a copy for the customer reach it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from os import SEEK_END
from tempfile import SpooledTemporaryFile
from typing import IO, Any, Final, NamedTuple

from django.core.files import File
from django.core.files.storage import Storage, storages
from django.db import transaction
from django.db.models import Case, Exists, F, Func, OuterRef, Q, Value, When
from django.db.models.functions import Concat, Now
from django.utils import timezone
from django.utils.translation import gettext as _

from conversations.models import CallRecording, Customer, Entry, Interaction
from conversations.services import sound, stored_files, timeline, unwanted
from conversations.services.timeline import NewEntry

State = CallRecording.State
PROVIDER_KEEPS: Final = timedelta(days=30)
"""How long the platform keeps what it has recorded. Source: Vonage, "Recording"."""
LEASE: Final = timedelta(minutes=10)
"""For how long whoever fetches a file has it to themselves; longer than the longest fetch."""
FILED_AFTER_TRIES: Final = 3
"""After so many failed fetches of a message, somebody is to call back although it cannot be heard yet."""
STILL_FILED: Final = timedelta(days=2)
MOST_FILED: Final = 20
GIVEN_UP_AFTER: Final = timedelta(hours=6)
LONGEST_WAIT: Final = timedelta(minutes=30)
LONGEST_WAIT_FOR_COPIES: Final = timedelta(hours=12)
IN_MEMORY_BYTES: Final = 1_000_000
HEADER_BYTES: Final = 44
"""A WAV file without a sound has so many bytes, and an MP3 none."""
SUFFIXES: Final = {"audio/mpeg": "mp3", "audio/wav": "wav", "audio/ogg": "ogg"}


class WrongContent(Exception):
    """What was fetched is no recording; trying again changes nothing."""


class NothingLeft(WrongContent):
    """All of what was fetched lies in time in which the call was not to be recorded."""


class Finished(NamedTuple):
    """What the platform tells of a recording that is finished."""

    recording_id: str
    url: str
    began_at: datetime
    seconds: int | None


def storage() -> Storage:
    """Where the files are."""
    return storages["recordings"]


def note(call: Interaction, finished: Finished, *, kind: str = CallRecording.Kind.CALL) -> CallRecording:
    """Keeps that the platform has a recording, to be fetched; a repetition changes nothing, on whatever call it comes."""
    told = {
        "url": finished.url,
        "began_at": finished.began_at,
        "seconds": finished.seconds,
        "provider_keeps_until": finished.began_at + PROVIDER_KEEPS,
        "next_try_at": Now(),
    }
    row, is_new = CallRecording.objects.get_or_create(
        recording_id=finished.recording_id, defaults={"interaction": call, "kind": kind, **told}
    )
    if not is_new and not row.url:
        # Its text was told of first.
        CallRecording.objects.filter(pk=row.pk, url="", state=State.ANNOUNCED).update(kind=kind, **told)
        _delete_there(row, finished.url)
        row.refresh_from_db()
    return row


def note_text(call: Interaction, recording_id: str, url: str, *, at: datetime) -> None:
    """Keeps that a recording was written down, to be fetched; before the recording itself is known, too. A repetition changes nothing.

    The text of what is deleted here, or was said by somebody who was erased, is not fetched, but deleted at the platform.
    """
    row, is_new = CallRecording.objects.get_or_create(
        recording_id=recording_id, defaults={"interaction": call, "began_at": at, "next_try_at": Now() + GIVEN_UP_AFTER}
    )
    own = CallRecording.objects.filter(pk=row.pk)
    if is_new and _record_of(row).erased_at:
        _deleted(own, _("The customer was erased."))
    waits = own.filter(transcript=CallRecording.Transcript.NONE).exclude(state=State.DELETED)
    waits.update(transcript=CallRecording.Transcript.WAITING, transcript_url=url, transcript_next_try_at=Now())
    _delete_there(row, url)


def _delete_there(row: CallRecording, url: str) -> None:
    """Has the platform delete a copy that it tells of after the recording was deleted here; nothing while it is not."""
    if CallRecording.objects.filter(pk=row.pk, state=State.DELETED).exists():
        have_copy_deleted(row, url)


def have_copy_deleted(row: CallRecording, url: str) -> None:
    """Has the platform delete one copy of a recording that need not be fetched any more. Locks the row."""
    with transaction.atomic():
        locked = CallRecording.objects.select_for_update(no_key=True).get(pk=row.pk)
        if url and url not in locked.platform_files and locked.state in (State.STORED, State.FAILED, State.DELETED):
            keeps = locked.provider_keeps_until or locked.began_at + PROVIDER_KEEPS
            files = [*locked.platform_files, url]
            CallRecording.objects.filter(pk=row.pk).update(
                platform_files=files, platform_tries=0, platform_next_try_at=Now(), provider_keeps_until=keeps
            )


def unfiled_messages() -> list[CallRecording]:
    """Messages of callers that were fetched, or may not come, and are not in the history yet, the oldest first."""
    filed = Entry.objects.filter(source_id=Concat(Value("voicemail:"), OuterRef("recording_id")))
    is_due = Q(state__in=[State.STORED, State.FAILED]) | Q(state=State.ANNOUNCED, tries__gte=FILED_AFTER_TRIES)
    messages = CallRecording.objects.filter(is_due, ~Exists(filed), kind=CallRecording.Kind.VOICEMAIL, announced_at__gt=Now() - STILL_FILED)
    return list(messages.order_by("announced_at", "pk")[:MOST_FILED])


def claim_due() -> CallRecording | None:
    """Takes one recording whose file is due to be fetched, for one worker; a claim that was left lying is taken again."""
    with transaction.atomic():
        due = CallRecording.objects.select_for_update(skip_locked=True, no_key=True).filter(next_try_at__lte=Now())
        row = due.order_by("next_try_at", "pk").first()
        if row is None:
            return None
        CallRecording.objects.filter(pk=row.pk).update(
            state=State.FETCHING, tries=F("tries") + 1, next_try_at=Now() + LEASE
        )
    row.refresh_from_db()
    return row


def keep(row: CallRecording, chunks: Iterable[bytes], *, most_bytes: int) -> bool:
    """Keeps the file of a recording that was claimed; says whether it is stored now. `chunks` are read once.

    What lies in time in which the call was not to be recorded is cut out of it, whatever the platform took for the end, and so is
    a card number that the history knows of; the platform's copy, which has it, is deleted. Raises WrongContent for what is larger
    than allowed, empty, no audio, or cannot be cut, NothingLeft when nothing of it may be kept. What was deleted meanwhile is not
    stored again.
    """
    with SpooledTemporaryFile(max_size=IN_MEMORY_BYTES) as file:
        size = 0
        for chunk in chunks:
            size += len(chunk)
            if size > most_bytes:
                raise WrongContent(_("The file is larger than is allowed."))
            file.write(chunk)
        file.seek(0)
        content_type = _audio_type(file.read(12))
        if not content_type:
            raise WrongContent(_("What the platform delivered is no recording."))
        file.seek(0)
        with _without_unwanted(row, file, content_type) as kept:
            left = kept.seek(0, SEEK_END)
            kept.seek(0)
            if row.seconds and left < size:
                # Of sound at a constant rate, which both kinds are that can be cut.
                CallRecording.objects.filter(pk=row.pk).update(seconds=round(row.seconds * left / size))
            is_stored = _store(row, File(kept), content_type, left, digest_of(kept))
            if is_stored and kept is not file:
                row.refresh_from_db()
                have_copy_deleted(row, row.url)
                have_copy_deleted(row, row.transcript_url if row.transcript == CallRecording.Transcript.WRITTEN else "")
            return is_stored


def _without_unwanted(row: CallRecording, file: IO[bytes], content_type: str) -> IO[bytes]:
    """The file without what is not to be kept of it, which is told in the history. Raises WrongContent."""
    not_recorded, cards = unwanted.spans(row), unwanted.card_spans(row)
    if not not_recorded and not cards:
        return file
    try:
        kept = sound.without(file, content_type, [*not_recorded, *cards])
    except sound.CannotCut as error:
        why = _("It goes on while the call was not to be recorded, and cannot be cut.")
        raise WrongContent(why if not_recorded else _("A card number is said in it, and it cannot be cut out.")) from error
    told = _("Time in which the call was not to be recorded was cut out, and the phone platform is asked to delete its copy.")
    if not_recorded:
        tell(row, "recording.cut", told, key="cut", spans=[list(span) for span in not_recorded])
    if cards:
        tell_card_cut(row, cards)
    if not kept.read(HEADER_BYTES + 1)[HEADER_BYTES:]:
        raise NothingLeft(_("Nothing that may be kept is left of it."))
    return kept


def tell_card_cut(row: CallRecording, spans: Sequence[sound.Span]) -> None:
    """Says in the history that a card number was cut out of the sound, and out of which seconds."""
    told = _("A card number that is said was cut out of the sound, and the phone platform is asked to delete its copy.")
    tell(row, "recording.cut", told, key=f"card:{spans[0][0]:.0f}", spans=[list(span) for span in spans])


def try_later(row: CallRecording, problem: str) -> None:
    """Has a file that could not be fetched tried again, ever later; given up after some hours, which staff see in the history."""
    if timezone.now() - row.announced_at >= GIVEN_UP_AFTER:
        give_up(row, problem)
        return
    wait = min(LONGEST_WAIT, timedelta(seconds=30) * 2 ** min(row.tries, 10))
    _of(row).update(state=State.ANNOUNCED, next_try_at=Now() + wait, problem=problem[:200])


def give_up(row: CallRecording, problem: str) -> None:
    """Ends the fetching of a file, for staff to see why."""
    if _of(row).update(state=State.FAILED, next_try_at=None, problem=problem[:200]):
        tell(row, "call.problem", _("The recording could not be fetched: %(why)s") % {"why": problem}, key="failed")


def try_again(row: CallRecording) -> bool:
    """Has a file that was given up fetched anew, unless the platform is deleting it; says whether this call did it."""
    failed = CallRecording.objects.filter(pk=row.pk, state=State.FAILED, platform_files=[])
    return failed.update(state=State.ANNOUNCED, next_try_at=Now(), tries=0, announced_at=Now(), problem="") > 0


def remove(row: CallRecording, *, because: str, is_told: bool = True) -> bool:
    """Deletes a recording's file and says so in the history; says whether this call did it. Locks the row.

    The file goes before the row says so: should the process die in between, it is done again.
    """
    with transaction.atomic():
        locked = CallRecording.objects.select_for_update(no_key=True).get(pk=row.pk)
        if locked.state == State.DELETED:
            return False
        if locked.storage_name:
            storage().delete(locked.storage_name)
        _deleted(CallRecording.objects.filter(pk=row.pk), because)
        if is_told:
            tell(locked, "recording.deleted", _("The recording was deleted. %(why)s") % {"why": because}, key="deleted")
    return True


def erase(numbers: Iterable[int], *, because: str) -> int:
    """Deletes the files of many recordings without telling it in the history, which goes as well; says how many there were."""
    rows = CallRecording.objects.filter(pk__in=list(numbers)).exclude(state=State.DELETED)
    return sum(remove(row, because=because, is_told=False) for row in rows)


def claim_copy() -> CallRecording | None:
    """Takes one recording that is deleted here and whose copies at the platform are due to be, for one worker."""
    with transaction.atomic():
        due = CallRecording.objects.select_for_update(skip_locked=True, no_key=True).filter(platform_next_try_at__lte=Now())
        row = due.order_by("platform_next_try_at", "pk").first()
        if row is None:
            return None
        wait = min(LONGEST_WAIT_FOR_COPIES, timedelta(minutes=1) * 2 ** min(row.platform_tries, 12))
        CallRecording.objects.filter(pk=row.pk).update(platform_tries=F("platform_tries") + 1, platform_next_try_at=Now() + wait)
    row.refresh_from_db()
    return row


def note_copy_deleted(row: CallRecording, url: str) -> None:
    """The platform has one copy less; the row forgets where it was."""
    with transaction.atomic():
        locked = CallRecording.objects.select_for_update(no_key=True).get(pk=row.pk)
        left = [each for each in locked.platform_files if each != url]
        next_try = locked.platform_next_try_at if left else None
        CallRecording.objects.filter(pk=row.pk).update(platform_files=left, platform_next_try_at=next_try)


def is_gone_by_itself(row: CallRecording) -> bool:
    """Whether the platform's own time for its copies is over."""
    return row.provider_keeps_until is not None and row.provider_keeps_until < timezone.now()


def note_listening(row: CallRecording, listener: str) -> None:
    """Writes down for staff who listened to a recording, each time."""
    when = f"{timezone.now():%Y%m%d%H%M%S%f}"
    body = _("%(name)s listened to the recording.") % {"name": listener}
    tell(row, "recording.heard", body, key=f"heard:{when}", actor=listener)


def _store(row: CallRecording, file: File[bytes], content_type: str, size: int, digest: str) -> bool:
    with transaction.atomic():
        locked = CallRecording.objects.select_for_update(no_key=True, of=("self",)).get(pk=row.pk)
        if locked.state not in (State.FETCHING, State.ANNOUNCED):
            return locked.state == State.STORED
        name = _name_of(locked, SUFFIXES[content_type])
        if _record_of(locked).erased_at:
            _deleted(CallRecording.objects.filter(pk=row.pk), _("The customer was erased."))
            return False
        # A try before may have died between file and row.
        storage().delete(name)
        saved = storage().save(name, file)
        CallRecording.objects.filter(pk=row.pk).update(
            state=State.STORED,
            storage_name=saved,
            content_type=content_type,
            size_bytes=size,
            sha256=digest,
            stored_at=Now(),
            next_try_at=None,
            problem="",
        )
    return True


def digest_of(file: IO[bytes]) -> str:
    """The file's SHA-256; leaves it at its beginning."""
    digest = hashlib.file_digest(file, "sha256").hexdigest()  # type: ignore[arg-type]  # a temporary file is one
    file.seek(0)
    return digest


def _name_of(row: CallRecording, suffix: str) -> str:
    return f"{stored_files.folder_of(_record_of(row).public_id)}/recordings/{row.public_id}.{suffix}"


def _record_of(row: CallRecording) -> Customer:
    """The record that the line began under, whatever it counts for now."""
    return Customer.objects.get(original_conversations__original_interactions=row.interaction_id)


def _of(row: CallRecording) -> Any:
    """The row, as long as it waits for its file."""
    return CallRecording.objects.filter(pk=row.pk, state__in=[State.ANNOUNCED, State.FETCHING])


def _deleted(rows: Any, because: str) -> int:
    """Marks rows as deleted, with nothing left that leads to a file but what the platform is to delete, too, until it has."""
    return int(
        rows.update(
            state=State.DELETED,
            storage_name="",
            sha256="",
            url="",
            transcript_url="",
            platform_files=_copies(),
            platform_next_try_at=Case(When(url="", transcript_url="", then=None), default=Now()),
            transcript=_transcript_once_deleted(),
            next_try_at=None,
            transcript_next_try_at=None,
            deleted_at=Now(),
            deleted_because=because[:200],
        )
    )


def _copies() -> Func:
    """For a query: the addresses at which the platform has something of a recording."""
    return Func(
        F("url"),
        F("transcript_url"),
        template="array_remove(ARRAY[%(expressions)s], '')",
        output_field=CallRecording._meta.get_field("platform_files"),
    )


def _transcript_once_deleted() -> Case:
    """For a query: a text that waited will not be fetched any more."""
    waits = When(transcript=CallRecording.Transcript.WAITING, then=Value(str(CallRecording.Transcript.NONE)))
    return Case(waits, default=F("transcript"))


def _audio_type(first: bytes) -> str:
    """The kind of audio that a file begins like; empty when it is none that the platform makes."""
    if first.startswith(b"RIFF") and first[8:12] == b"WAVE":
        return "audio/wav"
    if first.startswith(b"OggS"):
        return "audio/ogg"
    is_mp3 = first.startswith(b"ID3") or (len(first) > 1 and first[0] == 0xFF and first[1] & 0xE0 == 0xE0)
    return "audio/mpeg" if is_mp3 else ""


def tell(row: CallRecording, kind: str, body: str, *, key: str, actor: str = "", **data: Any) -> None:
    """Writes something about a recording into the history for staff, once for each `key`; by whom, when it was a person."""
    call = Interaction.objects.get(pk=row.interaction_id)
    timeline.append(
        call.conversation_id,
        NewEntry(
            kind=kind,
            actor_kind="agent" if actor else "system",
            actor_name=actor,
            audience="staff",
            body=body,
            interaction=call,
            source_id=f"recording:{row.recording_id}:{key}",
            data={"recording": row.recording_id, **data},
        ),
    )
