"""Fetches from the platform what it has recorded, and keeps it with us."""

import logging
from typing import Final

from django.conf import settings
from django.utils.translation import gettext as _

from conversations.models import CallRecording
from conversations.services import recordings
from conversations.services.recordings import WrongContent
from conversations.voice import gateway, leaving_message
from conversations.voice.gateway import GatewayError, NotOurs

logger = logging.getLogger(__name__)
MOST_AT_ONCE: Final = 20


def fetch_due() -> int:
    """Fetches the files that wait, some at a time, and files messages of callers; returns how many files are stored now.

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
    for row in recordings.unfiled_messages():
        leaving_message.settle(row)
    return stored


def _fetch(row: CallRecording) -> bool:
    """What cannot get better is given up at once; all else is tried again."""
    try:
        return recordings.keep(row, gateway.download(row.url), most_bytes=settings.RECORDING_MOST_MEGABYTES * 1_000_000)
    except WrongContent as error:
        recordings.give_up(row, str(error))
    except NotOurs:
        logger.error("recording_elsewhere", extra={"recording": str(row.public_id)})
        recordings.give_up(row, _("Its address is not one of the phone platform’s."))
    except (GatewayError, OSError) as error:
        logger.warning("recording_not_fetched", extra={"recording": str(row.public_id), "error": type(error).__name__})
        recordings.try_later(row, str(error) if isinstance(error, GatewayError) else type(error).__name__)
    return False
