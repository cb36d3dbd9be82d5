"""Text messages by way of the phone platform."""

import logging

from django.utils.translation import gettext as _

from conversations.services import messengers
from conversations.services.messengers import NotSent
from conversations.voice import gateway
from conversations.voice.gateway import GatewayError

logger = logging.getLogger(__name__)


def register() -> None:
    """Make this the way by which text messages leave."""
    messengers.register_text(send)


def send(*, to: str, sender: str, text: str) -> None:
    """Send one text message; see `messengers.TextSender`. Raises NotSent."""
    try:
        message_id = gateway.send_text(to=to, sender=sender, text=text)
    except GatewayError as error:
        logger.warning("text_not_sent", extra={"error": str(error)})
        raise NotSent(_("The text message could not be sent.")) from error
    logger.info("text_sent", extra={"text_message": message_id})
