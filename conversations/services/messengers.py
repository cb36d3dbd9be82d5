"""Text messages and email to people who are not on a line with us. Nothing of what is sent goes into a log.

Whoever sends must have committed: a message cannot be taken back by a transaction that fails, and a transaction must not
wait for another company.
"""

import logging
import smtplib
from typing import Protocol

from django.core.mail import BadHeaderError, send_mail
from django.db import transaction
from django.utils.translation import gettext as _

from conversations.models import EntryPoint
from conversations.selectors import website

logger = logging.getLogger(__name__)


class TextSender(Protocol):
    """Sends a text message from one of our numbers, both in E.164, within seconds; returns the platform's id of it. Raises NotSent.

    `reference` comes back with what becomes of it.
    """

    def __call__(self, *, to: str, sender: str, text: str, reference: str) -> str: ...


class NotSent(Exception):
    """A message did not leave, in a sentence for people."""


_text_senders: list[TextSender] = []


def register_text(function: TextSender) -> None:
    """Names what sends text messages; called when the app is ready. The last one named sends."""
    _text_senders[:] = [function]


def send_text(*, to: str, entry_point: EntryPoint, text: str, reference: str = "") -> str:
    """Sends a text message to a number in E.164, from the number of the entry point or of the one with the same playbook.

    Returns the platform's id of it; `reference` comes back with what becomes of it, see `sent_texts.send_one`. Blocks for seconds at
    most. Must not run in a transaction (RuntimeError). Raises NotSent.
    """
    _require_no_transaction()
    door = website.phone_door(entry_point)
    if door is None or not _text_senders:
        raise NotSent(_("There is no number to send text messages from."))
    return _text_senders[-1](to=to, sender=door.address, text=text, reference=reference)


def send_email(*, to: str, subject: str, text: str) -> None:
    """Sends an email in plain text. Blocks for EMAIL_TIMEOUT at most. Must not run in a transaction (RuntimeError). Raises NotSent."""
    _require_no_transaction()
    try:
        send_mail(subject, text, None, [to])
    except (smtplib.SMTPException, OSError, BadHeaderError) as error:
        logger.warning("email_not_sent", extra={"why": type(error).__name__})
        raise NotSent(_("The email could not be sent.")) from error


def _require_no_transaction() -> None:
    with transaction.atomic(durable=True):
        """Django refuses a durable block inside another one, but for the one around a test."""
