"""Card numbers are cut out of recordings that are stored already, when the words of one tell that and when one was said."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from os import SEEK_END

from django.core.files import File
from django.db import transaction
from django.utils.translation import gettext as _

from conversations.models import CallRecording, Entry
from conversations.services import recordings, sound, unwanted
from conversations.services.sound import Span


def cut_stored(rows: Iterable[CallRecording]) -> None:
    """Cuts card numbers out of those of a call's recordings that are stored, and has the platform delete its copies.

    What cannot be cut is deleted. Must run in a transaction that holds the rows; the old files go after it.
    """
    for row in rows:
        if row.state == CallRecording.State.STORED:
            _cut(row)


def _cut(row: CallRecording) -> None:
    before = _cut_before(row)
    length = row.seconds + sum(until - since for since, until in before or ()) if row.seconds else unwanted.FOREVER
    wanted = [span for span in unwanted.card_spans(row) if span[0] < length and not _is_cut(span, before or ())]
    if not wanted:
        return
    try:
        if before is None:
            raise sound.CannotCut
        _replace(row, [_as_stored(span, before) for span in wanted])
    except sound.CannotCut:
        recordings.remove(row, because=_("A card number is said in it, and it cannot be cut out."))
    else:
        recordings.tell_card_cut(row, wanted)


def _cut_before(row: CallRecording) -> list[Span] | None:
    """What was cut out of a file already, without overlaps; None where that was not noted."""
    told = Entry.objects.filter(interaction=row.interaction_id, kind="recording.cut", data__recording=row.recording_id)
    noted = [data.get("spans") for data in told.values_list("data", flat=True)]
    if None in noted:
        return None
    joined: list[Span] = []
    for since, until in sorted((float(first), float(last)) for each in noted for first, last in each):
        if joined and since <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(until, joined[-1][1]))
        else:
            joined.append((since, until))
    return joined


def _is_cut(span: Span, before: Sequence[Span]) -> bool:
    return any(since <= span[0] and span[1] <= until for since, until in before)


def _as_stored(span: Span, before: Sequence[Span]) -> Span:
    """Where a span of the platform's file lies in one that is without other spans."""
    since, until = (at - sum(max(0.0, min(at, last) - first) for first, last in before) for at in span)
    return since, until


def _replace(row: CallRecording, spans: Sequence[Span]) -> None:
    """Puts a file without the spans in the place of the stored one. Raises CannotCut, also when nothing would be left."""
    old = row.storage_name
    with recordings.storage().open(old) as file, sound.without(file, row.content_type, spans) as kept:
        left = kept.seek(0, SEEK_END)
        kept.seek(0)
        if left <= recordings.HEADER_BYTES:
            raise sound.CannotCut(row.content_type)
        digest = recordings.digest_of(kept)
        name = recordings.storage().save(old, File(kept))
    seconds = row.seconds and round(row.seconds * left / row.size_bytes)
    CallRecording.objects.filter(pk=row.pk).update(storage_name=name, size_bytes=left, sha256=digest, seconds=seconds)
    transaction.on_commit(lambda: recordings.storage().delete(old))
    recordings.have_copy_deleted(row, row.url)
