"""Takes card numbers and security codes out of the record that came in several messages of one line."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from django.db.models.functions import Now
from django.utils.translation import gettext as _

from conversations.models import ActionItem, Conversation, Entry, Handoff, Identifier, Interaction, Qualification
from conversations.services import facts, records, timeline
from conversations.services.redaction import MASK, SHORTEST_CODE, hide_digits, without_other_numbers
from conversations.services.split_numbers import find_split_card, is_about_card, names_code, without_code
from conversations.services.written_digits import groups, runs

WINDOW: Final = timedelta(minutes=10)
MOST_MESSAGES: Final = 60
MESSAGES_AFTER_A_CARD: Final = 6
SURE_DIGITS: Final = 6
"""So many digits in a row are a quotation of a piece; fewer may be a year, and are one only where they stand alone."""
QUOTING: Final = (
    "fact.learned", "tool.called", "draft", "handoff.requested", "callback.requested", "callback.refused", "reason.recognised", "message",
    "callback.changed", "callback.cancelled",
    "note", "ticket.opened", "payment.promised", "record.changed", "action.added", "action.done", "qualified",
)  # fmt: skip


def settle(provider_id: str, text: str, *, source_id: str) -> str:
    """`text`, which a customer said on this line and which is not stored yet, as it may be stored.

    Together with what they said on it within WINDOW it may be a card's number, or the number's security code. Then its own
    digits are hidden, the earlier pieces are redacted, and so is what was made of them: facts, packages, drafts. A line
    that is not known, and a repetition, change nothing. Needs a transaction; locks the customer's record, then the
    conversations that the line's entries are in, so that of two pieces at once the second sees the first.
    """
    line = Interaction.objects.select_related("conversation__customer").filter(provider_id=provider_id).first()
    if line is None:
        return text
    records.lock_root(line.conversation.customer)
    _lock_conversations(line)
    if Entry.objects.filter(source_id=source_id).exists():
        return text
    return _settled(Interaction.objects.select_related("conversation", "entry_point").get(pk=line.pk), text)


def _settled(line: Interaction, text: str) -> str:
    recent = Entry.objects.filter(interaction=line, kind="message", recorded_at__gt=Now() - WINDOW)
    messages = list(reversed(recent.order_by("-pk")[:MOST_MESSAGES]))
    said = [message for message in messages if message.actor_kind == Entry.Actor.CUSTOMER]
    about_card = is_about_card([*(message.body for message in messages), text])
    card = find_split_card([*(message.body for message in said), text], region=line.entry_point.default_region, about_card=about_card)
    if card:
        secrets = [piece for piece in card.pieces if piece]
        pieces = [message for message, digits in zip(said[card.first :], card.pieces, strict=False) if digits]
        _take_out(line, pieces, Secret(tuple(secrets)))
        return card.last_text
    since_then = messages[messages.index(said[-1]) :] if said else messages
    if said and names_code(text) and not groups(text) and without_code(said[-1].body, was_named=False) != said[-1].body:
        _take_out(line, [said[-1]], Secret(("".join(group.digits for group in groups(said[-1].body)),)))
        return text
    was_named = any(names_code(message.body) for message in since_then)
    after_card = any(MASK in message.body or message.redacted_at for message in said[-MESSAGES_AFTER_A_CARD:])
    return without_code(text, was_named=was_named) if was_named or after_card else text


@dataclass(frozen=True, slots=True)
class Secret:
    """The digits of each piece of what is to go."""

    pieces: tuple[str, ...]

    def is_in(self, text: str) -> bool:
        """Whether the text quotes a piece, or several one after the other."""
        found = groups(text)
        rows = ["".join(group.digits for group in run.groups) for run in runs(text, found)]
        whole = "".join(self.pieces)
        if any(len(row) >= SURE_DIGITS and row in whole for row in rows):
            return True
        # A phone number is kept without the zero that it is dialled with.
        if any(len(bare := piece.lstrip("0")) >= SURE_DIGITS and bare in row for piece in self.pieces for row in rows):
            return True
        alone = {group.digits for group in without_other_numbers(text, found)}
        return any(len(piece) >= SHORTEST_CODE and piece in alone for piece in self.pieces)

    def taken_out(self, value: Any) -> Any:
        """The same JSON value with the digits hidden in every text that quotes a piece."""
        if isinstance(value, str):
            return hide_digits(value) if self.is_in(value) else value
        if isinstance(value, dict):
            return {key: self.taken_out(each) for key, each in value.items()}
        if isinstance(value, list):
            return [self.taken_out(each) for each in value]
        return value


def _take_out(line: Interaction, pieces: Sequence[Entry], secret: Secret) -> None:
    """Redacts the pieces and what was written since the first of them that quotes one."""
    conversations = _conversations_of(line)
    since = Entry.objects.filter(conversation__in=conversations, pk__gt=pieces[0].pk, kind__in=QUOTING, redacted_at__isnull=True)
    others = since.exclude(pk__in=[piece.pk for piece in pieces])
    quoting = [entry for entry in others if any(map(secret.is_in, _texts([entry.body, entry.data])))]
    for entry in [*pieces, *quoting]:
        timeline.redact(entry, reason=_("Part of a card number or its security code"))
    for conversation in Conversation.objects.filter(pk__in=conversations):
        if any(entry.kind == "fact.learned" for entry in quoting):
            facts.gather(conversation.pk)
        Conversation.objects.filter(pk=conversation.pk).update(form_state=secret.taken_out(conversation.form_state))
    began = pieces[0].recorded_at
    # One that was asked for earlier may have been renewed since, while the customer waited.
    for package in Handoff.objects.filter(conversation__in=conversations):
        kept = {name: secret.taken_out(getattr(package, name)) for name in ("why", "summary", "facts", "tried", "next_step")}
        Handoff.objects.filter(pk=package.pk).update(**kept)
    for item in ActionItem.objects.filter(conversation__in=conversations, made_at__gte=began):
        ActionItem.objects.filter(pk=item.pk).update(title=secret.taken_out(item.title))
    for qualified in Qualification.objects.filter(conversation__in=conversations, qualified_at__gte=began):
        Qualification.objects.filter(pk=qualified.pk).update(answers=secret.taken_out(qualified.answers))
    claimed = Identifier.objects.filter(
        customer=line.conversation.customer_id, kind=Identifier.Kind.PHONE, assurance="claimed", first_seen_at__gte=began
    )
    for identifier in claimed:
        if secret.is_in(identifier.value):
            identifier.delete()


def _texts(value: Any) -> Iterable[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, each in value.items():
            if key != "client_id":
                yield from _texts(each)
    elif isinstance(value, list):
        for each in value:
            yield from _texts(each)


def _lock_conversations(line: Interaction) -> None:
    rows = Conversation.objects.select_for_update(no_key=True).filter(pk__in=_conversations_of(line)).order_by("pk")
    list(rows.values_list("pk"))


def _conversations_of(line: Interaction) -> set[int]:
    """Where the line's entries are, and where those conversations go on."""
    own = Interaction.objects.filter(pk=line.pk).values_list("conversation_id", flat=True)
    written_in = Entry.objects.filter(interaction=line).values_list("conversation_id", flat=True).distinct()
    found = {*own, *written_in}
    joined = Conversation.objects.filter(pk__in=found, joined_into__isnull=False)
    return found | {pk for pk in joined.values_list("joined_into_id", flat=True) if pk}
