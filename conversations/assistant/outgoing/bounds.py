"""What the checks of a text need to know of the line that it would go to."""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from functools import lru_cache
from typing import Final
from urllib.parse import urlsplit
from uuid import UUID

from django.conf import settings

from conversations.assistant.brain import Behaviour
from conversations.assistant.outgoing.checks import WORDS_OF_A_POLICY, Bounds
from conversations.assistant.outgoing.claims import DEEDS, PROVEN
from conversations.assistant.outgoing.forms import runs_of_words
from conversations.assistant.outgoing.holding import WORDS_HELD
from conversations.assistant.outgoing.private import private_of
from conversations.models import Conversation, Entry, Interaction
from conversations.models.identifier import Assurance
from routing.compiled import CompiledOnce, Given

DONE: Final = CompiledOnce(
    lambda: Entry.objects.filter(conversation=Given("conversation"), kind__in=DEEDS).order_by().values_list("kind").distinct()
)
DONE_ON_LINES: Final = CompiledOnce(
    lambda: Entry.objects.filter(conversation=Given("conversation"), interaction__pk__any_of=Given("lines"), kind__in=DEEDS)
    .order_by()
    .values_list("kind")
    .distinct()
)


def canary_of(conversation: UUID) -> str:
    """A word that a brain may put among its instructions and that never leaves: where it turns up, they have leaked."""
    digest = hmac.new(settings.SECRET_KEY.encode(), f"canary:{conversation.hex}".encode(), "sha256").hexdigest()
    return f"cx{digest[:20]}"


def bounds_of(
    conversation: Conversation, line: Interaction, lines: Sequence[int], behaviour: Behaviour | None, level: str
) -> Bounds:
    """What may not be said on a line whose party has proven itself at `level`; `lines` are `access.lines_of_party`. See `private_of`."""
    hosts = [urlsplit(each).netloc or each for each in (settings.PUBLIC_URL, *map(str, line.entry_point.allowed_origins))]
    told = f"{behaviour.persona} . {behaviour.policies}" if behaviour else ""
    return Bounds(
        private=private_of(line, lines, level),
        secrets=frozenset({canary_of(conversation.public_id)}),
        policies=_runs_of(told, WORDS_OF_A_POLICY),
        pieces=_runs_of(told, WORDS_HELD),
        hosts=frozenset(host.lower() for host in hosts),
    )


def done_for(conversation: Conversation, lines: Sequence[int], level: str) -> set[str]:
    """What was done for the party of these lines, as kinds of entries, and what it has proven; on any line for the customer."""
    done = DONE if level == Assurance.VERIFIED else DONE_ON_LINES
    kinds = {kind for (kind,) in done.all(conversation=conversation.pk, lines=lines)}
    return {*kinds, *({PROVEN} if level else ())}


@lru_cache(maxsize=64)
def _runs_of(instructions: str, length: int) -> frozenset[tuple[str, ...]]:
    """The runs of words of an AI agent's instructions, which are the same for every turn."""
    return frozenset(runs_of_words(instructions, length))
