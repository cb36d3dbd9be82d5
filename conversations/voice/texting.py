"""Text messages by way of the phone platform: in through the one door, out with the state of each, and the words that law gives a meaning.

Source of the words: 47 CFR 64.1200(a)(10) (what ends messages); CTIA, "Messaging Principles and Best Practices" (START, HELP).
"""

import logging
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Final
from uuid import UUID

from asgiref.sync import sync_to_async
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import override

from conversations.flows import inbound
from conversations.flows.inbound import InboundMessage, InteractionOver
from conversations.models import Entry, EntryPoint, Interaction, SentText
from conversations.models.consent import Purpose
from conversations.models.entry_point import Channel
from conversations.rendering import texted
from conversations.selectors import text_lines
from conversations.services import consent, delivery, messengers, opting_out, sent_texts, timeline
from conversations.services.messengers import NotSent
from conversations.services.parties import IdentifierClaim, Party
from conversations.services.sent_texts import ToSend
from conversations.services.timeline import NewEntry
from conversations.understanding.consent import STOP_WORDS, read_wishes
from conversations.understanding.gloss import FILES as READ_LANGUAGES
from conversations.understanding.gloss import fold, gloss
from conversations.understanding.normalise import meaning
from conversations.voice import gateway
from conversations.voice.gateway import GatewayError, Unclear
from conversations.voice.protocol import ReceivedText, TextStatus

logger = logging.getLogger(__name__)
ENDS_MESSAGES: Final = STOP_WORDS | {
    "unsubscribe", "quit", "end", "cancel", "revoke", "opt out", "optout", "baja", "parar", "pare", "paren", "alto", "basta", "fin",
    "detener", "detenga", "detengan", "detenganse", "cancelar", "cancele", "cancelen", "darme de baja", "darse de baja", "dar de baja",
    "denme de baja",
}  # fmt: skip
"""As `fold` writes them, without accents."""
POLITE: Final = re.compile(r"^(?:por favor )|(?: por favor| gracias)$")
BEGINS_MESSAGES: Final = frozenset({"start", "unstop", "alta"})
ASKS_FOR_HELP: Final = frozenset({"help", "info", "ayuda"})
ANSWERED_ONCE_IN: Final = timedelta(minutes=30)
"""Two machines that ask each other for help end with one answer."""


class NotTaken(Exception):
    """Nothing that is written to the number is filed: it is none of ours, is off, or takes no text messages."""


def register() -> None:
    """Make this the way by which text messages leave, and entries reach those who write them."""
    messengers.register_text(send)
    delivery.register(Channel.SMS, deliver)


def send(*, to: str, sender: str, text: str, reference: str) -> str:
    """Send one text message; see `messengers.TextSender`. Raises NotSent."""
    try:
        message_id = gateway.send_text(to=to, sender=sender, text=text, reference=reference)
    except GatewayError as error:
        logger.warning("text_not_sent", extra={"error": str(error)})
        raise NotSent(_("The text message could not be sent.")) from error
    logger.info("text_sent", extra={"text_message": message_id})
    return message_id


async def receive(text: ReceivedText) -> None:
    """A text message to a number of ours: STOP, START and HELP are followed; all else is what a customer says, where texts are taken.

    A repetition changes nothing. Raises NotTaken; STOP is followed all the same.
    """
    message = await sync_to_async(_settle)(text)
    if message is None:
        return
    try:
        await inbound.receive(message, channel=Channel.SMS)
    except InteractionOver:
        # Its line fell silent, or its conversation was closed, at this very moment.
        again = await sync_to_async(_settle)(text)
        if again is not None:
            await inbound.receive(again, channel=Channel.SMS)


def deliver(interaction_id: int) -> None:
    """Write to the line's party what was not written yet. Never raises; blocks for the platform's answer."""
    while to_send := sent_texts.claim(interaction_id):
        _send(to_send)


def send_forgotten() -> int:
    """The sweep: tries again what was not sent, since a process died or the platform took no more; returns how many it took up."""
    taken = 0
    for row in sent_texts.forgotten().order_by("pk")[:100]:
        to_send = sent_texts.take_up(row)
        if to_send is not None:
            taken += 1
            _send(to_send)
    return taken


def note_status(status: TextStatus) -> None:
    """What the platform reports about a message that we sent, in any order; what is about none of ours is nothing."""
    if status.status not in SentText.State.values or status.status in ("waiting", "failed", "refused"):
        return
    known = sent_texts.by_message(status.message_id)
    reference = _public_id(status.reference)
    public_id = known or reference
    if public_id is not None:
        sent_texts.note(public_id, state=status.status, message_id=status.message_id, problem=status.problem)


def _settle(text: ReceivedText) -> InboundMessage | None:
    """What a customer says, for the door; None when it was settled and filed here. Raises NotTaken."""
    door = EntryPoint.objects.filter(channel="voice", address=text.to).first()
    if door is None:
        raise NotTaken("the number is none of ours")
    if not text.sender:
        raise NotTaken("a name or a short code sent it, which nobody can answer")
    meant = POLITE.sub("", fold(meaning(text.text)))
    source_id = f"text:{text.message_id}"
    stops = meant in (ENDS_MESSAGES if door.takes_texts else STOP_WORDS)
    noes, rest = _noes_in(text.text, door)

    def opt_out() -> None:
        if stops or noes:
            opting_out.by_text(text.sender, noes, stops_all=stops, recorded_by=door.company_name, source_id=source_id)

    opt_out()
    if not door.takes_texts or door.mode == EntryPoint.Mode.OFF or text.sender == text.to:
        raise NotTaken("no text messages are taken from there at this number")
    message = InboundMessage(
        entry_point_id=door.pk,
        provider_id=text_lines.id_of(door, text.sender),
        party=Party((IdentifierClaim("phone", text.sender, "network_hint"),), text.sender),
        text=text.text,
        source_id=source_id,
        occurred_at=text.at,
    )
    if stops:
        _file(message, text.text)
        return None
    if meant in BEGINS_MESSAGES:
        opting_out.begin_again_by_text(text.sender, recorded_by=door.company_name, wording=text.text, source_id=source_id)
        _answer_once(message, text.text, "start", _started)
        return None
    if meant in ASKS_FOR_HELP:
        _answer_once(message, text.text, "help", _help)
        return None
    if text.kind != "text" or not text.text:
        _answer_once(message, _("(a message that is no text: %(kind)s)") % {"kind": text.kind}, "kind", _only_text)
        return None
    if not noes:
        return message
    if rest:
        inbound.begin(message, channel=Channel.SMS)
    else:
        _file(message, text.text)
    # Whoever writes for the first time has a record by now.
    opt_out()
    return message if rest else None


def _noes_in(text: str, door: EntryPoint) -> tuple[list[str], str]:
    """The purposes to which a text says no, and what is left of it; in the number's language, or in another one that is read here."""
    for language in dict.fromkeys((door.language.partition("-")[0], *READ_LANGUAGES)):
        wishes, rest = read_wishes(gloss(text, language))
        noes = [wish.purpose for wish in wishes if not wish.agrees]
        if noes:
            return noes, rest
    return [], text


def _file(message: InboundMessage, words: str) -> Interaction:
    """Keeps what was written in the history, without a turn of the AI agent."""
    line = inbound.begin(message, channel=Channel.SMS)
    timeline.append(
        line.conversation_id,
        NewEntry(
            kind="message",
            actor_kind="customer",
            actor_name=line.conversation.customer.name,
            body=words,
            interaction=line,
            occurred_at=message.occurred_at,
            source_id=message.source_id,
        ),
    )
    return line


def _answer_once(message: InboundMessage, words: str, what: str, reply: Callable[[EntryPoint], str]) -> None:
    """Files a message and answers it with a sentence of ours, unless the same was answered a short while ago."""
    with transaction.atomic():
        line = _file(message, words)
        own = Entry.objects.filter(interaction=line, data__answers=what)
        if own.exclude(source_id=f"{message.source_id}:reply").filter(recorded_at__gt=timezone.now() - ANSWERED_ONCE_IN).exists():
            return
        line = Interaction.objects.select_related("conversation", "entry_point").get(pk=line.pk)
        with override(line.language):
            body = reply(line.entry_point)
        timeline.append(
            line.conversation_id,
            NewEntry(
                kind="message",
                actor_kind="assistant",
                actor_name=line.entry_point.company_name,
                body=body,
                interaction=line,
                source_id=f"{message.source_id}:reply",
                data={"answers": what},
            ),
        )
    deliver(line.pk)


def _started(door: EntryPoint) -> str:
    text = _("%(company)s: you get text messages from us again. Reply HELP for help, STOP to end them.")
    return text % {"company": door.company_name}


def _help(door: EntryPoint) -> str:
    text = _("%(company)s: write what it is about, or call us on %(number)s. Message rates may apply. Reply STOP to end messages.")
    return text % {"company": door.company_name, "number": door.address}


def _only_text(door: EntryPoint) -> str:
    return _("Thank you. We can only read text here, no pictures or recordings. Please write in a few words what it is about.")


def _send(to_send: ToSend) -> None:
    """Sends one message and keeps what became of it; nothing is sent to whoever wants no messages."""
    row = to_send.row
    line = Interaction.objects.select_related("conversation__customer", "entry_point").get(pk=row.interaction_id)
    answer = consent.may_we(line.conversation.customer, Purpose.SMS, identifier=("phone", line.party))
    if answer.is_no:
        sent_texts.note(row.public_id, state=SentText.State.REFUSED, problem=answer.sentence)
        return
    with override(line.language):
        text = texted.fitting("\n".join(filter(None, (_words(entry) for entry in to_send.entries))))
    if not text:
        return
    try:
        message_id = gateway.send_text(to=line.party, sender=line.entry_point.address, text=text, reference=row.public_id.hex)
    except Unclear as error:
        logger.warning("text_unclear", extra={"text": str(row.public_id), "error": str(error)})
        if not error.is_over:
            # It may be on its way; the platform's word about it, if there is any, tells.
            sent_texts.note(row.public_id, state=SentText.State.FAILED, problem=_("The phone platform did not answer."))
    except gateway.TooManyRequests:
        logger.info("text_later", extra={"text": str(row.public_id)})
    except GatewayError as error:
        logger.warning("text_not_sent", extra={"text": str(row.public_id), "error": str(error)})
        sent_texts.note(row.public_id, state=SentText.State.FAILED, problem=_("The phone platform refused it."))
    else:
        sent_texts.note(row.public_id, state=SentText.State.SUBMITTED, message_id=message_id, parts=texted.parts(text))


def _words(entry: Entry) -> str:
    if entry.kind == "handoff.accepted":
        return _("%(name)s has joined and will answer you here.") % {"name": entry.actor_name}
    return texted.words(entry.body, entry.data)


def _public_id(reference: str) -> UUID | None:
    try:
        return UUID(reference)
    except ValueError:
        return None
