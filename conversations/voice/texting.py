"""Text messages by way of the phone platform."""

import logging

from django.utils.translation import gettext as _

from conversations.models import EntryPoint
from conversations.services import messengers, opting_out
from conversations.services.messengers import NotSent
from conversations.understanding.consent import STOP_WORDS, read_wishes
from conversations.understanding.gloss import gloss
from conversations.understanding.normalise import meaning
from conversations.voice import gateway
from conversations.voice.gateway import GatewayError
from conversations.voice.protocol import ReceivedText

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


def receive(text: ReceivedText) -> None:
    """A text message to a number of ours: STOP, or that no calls or texts are wanted, is kept; a repetition changes nothing."""
    door = EntryPoint.objects.filter(channel="voice", address=text.to).first()
    if door is None:
        return
    words = gloss(text.text, door.language.partition("-")[0])
    stops = meaning(text.text) in STOP_WORDS
    noes = [wish.purpose for wish in read_wishes(words)[0] if not wish.agrees]
    if stops or noes:
        opting_out.by_text(text.sender, noes, stops_all=stops, recorded_by=door.company_name, source_id=f"text:{text.message_id}")
