"""A card's number that comes in pieces: said or keyed group by group, each a message of its own."""

from datetime import timedelta
from typing import Final

from django.utils.translation import gettext as _

from conversations.models import Entry, Interaction
from conversations.services import timeline
from conversations.services.redaction import hide_digits, mask
from conversations.voice.protocol import CallInput

LONGEST_PAUSE: Final = timedelta(minutes=1)
MOST_PIECES: Final = 19


def without_split_secrets(call: Interaction, text: str, *, given: CallInput) -> str:
    """`text`, which is what was said or keyed, as it may be kept.

    When it ends a card's number or a security code that began in what the caller gave just before, those messages are
    redacted and its own digits hidden.
    """
    before = Entry.objects.filter(
        interaction=call,
        kind="message",
        actor_kind=Entry.Actor.CUSTOMER,
        redacted_at__isnull=True,
        occurred_at__gt=given.at - LONGEST_PAUSE,
    ).exclude(source_id=given.source_id)
    together, earlier = mask(text), []
    for entry in before.order_by("-pk")[:MOST_PIECES]:
        together = f"{entry.body} {together}"
        earlier.append(entry)
        if mask(together) != together:
            for piece in earlier:
                timeline.redact(piece, reason=_("Part of a card number or its security code"))
            return hide_digits(text)
    return text
