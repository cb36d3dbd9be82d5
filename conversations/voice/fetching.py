"""Fetches from the platform what it has recorded, keeps it with us, and has it deleted there when it is deleted here."""

import logging
from typing import Final

from django.conf import settings
from django.utils.translation import gettext as _

from conversations.models import CallRecording
from conversations.services import recordings, transcripts
from conversations.services.recordings import NothingLeft, WrongContent
from conversations.voice import gateway, leaving_message, written_down
from conversations.voice.gateway import CallGone, GatewayError, NotOurs
from conversations.voice.protocol import MalformedWebhook

logger = logging.getLogger(__name__)
MOST_AT_ONCE: Final = 20
MOST_TEXT_BYTES: Final = 5_000_000


def fetch_due() -> int:
    """Fetches the files and the texts that wait, some at a time, and files messages of callers; returns how many files are stored now.

    The next sweep goes on with the rest.
    """
    if settings.VONAGE_GATEWAY == "off":
        return 0
    stored = 0
    for _turn in range(MOST_AT_ONCE):
        row = recordings.claim_due()
        if row is None:
            break
        stored += _fetch(row)
    for message in recordings.unfiled_messages():
        leaving_message.settle(message)
    for _turn in range(MOST_AT_ONCE):
        written = transcripts.claim_due()
        if written is None:
            break
        _write_down(written)
    return stored


def delete_copies() -> int:
    """Has the platform delete its copies of what is deleted here, some at a time; returns how many it no longer has.

    What it cannot do is asked again, ever later, until it deletes them by itself.
    """
    if settings.VONAGE_GATEWAY == "off":
        return 0
    gone = 0
    for _turn in range(MOST_AT_ONCE):
        row = recordings.claim_copy()
        if row is None:
            break
        for url in list(row.platform_files):
            gone += _delete_copy(row, url)
    return gone


def _delete_copy(row: CallRecording, url: str) -> bool:
    try:
        if not recordings.is_gone_by_itself(row):
            gateway.delete_file(url)
    except (NotOurs, CallGone) as error:
        logger.info("recording_copy_not_there", extra={"recording": str(row.public_id), "error": type(error).__name__})
    except GatewayError as error:
        logger.warning("recording_copy_not_deleted", extra={"recording": str(row.public_id), "error": str(error)})
        return False
    recordings.note_copy_deleted(row, url)
    return True


def _fetch(row: CallRecording) -> bool:
    """What cannot get better is given up at once; all else is tried again."""
    try:
        return recordings.keep(row, gateway.download(row.url), most_bytes=settings.RECORDING_MOST_MEGABYTES * 1_000_000)
    except WrongContent as error:
        recordings.give_up(row, str(error))
        if isinstance(error, NothingLeft):
            recordings.have_copy_deleted(row, row.url)
    except NotOurs:
        logger.error("recording_elsewhere", extra={"recording": str(row.public_id)})
        recordings.give_up(row, _("Its address is not one of the phone platform’s."))
    except (GatewayError, OSError) as error:
        logger.warning("recording_not_fetched", extra={"recording": str(row.public_id), "error": type(error).__name__})
        recordings.try_later(row, str(error) if isinstance(error, GatewayError) else type(error).__name__)
    return False


def _write_down(row: CallRecording) -> None:
    """The same for the text of a recording."""
    try:
        text = bytearray()
        for piece in gateway.download(row.transcript_url):
            text += piece
            if len(text) > MOST_TEXT_BYTES:
                raise MalformedWebhook(_("The file is larger than is allowed."))
        transcripts.write(row, written_down.read(bytes(text)))
    except MalformedWebhook as error:
        transcripts.give_up(row, str(error))
    except NotOurs:
        logger.error("transcript_elsewhere", extra={"recording": str(row.public_id)})
        transcripts.give_up(row, _("Its address is not one of the phone platform’s."))
    except GatewayError as error:
        logger.warning("transcript_not_fetched", extra={"recording": str(row.public_id), "error": type(error).__name__})
        transcripts.try_later(row, str(error))
