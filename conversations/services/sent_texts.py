"""Text messages that leave: what is to be written is taken once, and what became of it only rises."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from uuid import UUID

from django.db import transaction
from django.db.models import F, QuerySet
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext as _

from conversations.models import Entry, Interaction, SentText
from conversations.services import announce, call_state, timeline
from conversations.services.timeline import NewEntry

ORDER: Final = {state: rank for rank, state in enumerate(SentText.State.values)}
MOST_TRIES: Final = 5
FORGOTTEN_AFTER: Final = timedelta(seconds=20)
"""A message that waits this long belongs to a process that died, or was refused because there were too many."""


@dataclass(frozen=True, slots=True)
class ToSend:
    """A text message that is to leave: its row, and the entries that it carries."""

    row: SentText
    entries: tuple[Entry, ...]


def claim(interaction_id: int) -> ToSend | None:
    """What is to be written to a line's party and was not yet, taken once, whoever asks. Locks the interaction's row."""
    with transaction.atomic():
        unsaid = call_state.claim_unspoken(interaction_id, as_webhook=False)
        if unsaid is None:
            return None
        last = unsaid.entries[-1]
        row = SentText.objects.create(interaction_id=interaction_id, entry=last, first_seq=unsaid.entries[0].seq, tries=1)
    return ToSend(row, unsaid.entries)


def forgotten() -> QuerySet[SentText]:
    """Messages that wait to be sent and that nobody sends."""
    return SentText.objects.filter(state=SentText.State.WAITING, changed_at__lt=timezone.now() - FORGOTTEN_AFTER)


def take_up(row: SentText) -> ToSend | None:
    """A forgotten message, for another try; None when somebody else took it up, or it was tried often enough and has failed now."""
    mine = forgotten().filter(pk=row.pk, tries=row.tries).update(tries=F("tries") + 1, changed_at=Now())
    if not mine:
        return None
    if row.tries >= MOST_TRIES:
        note(row.public_id, state=SentText.State.FAILED)
        return None
    last = Entry.objects.get(pk=row.entry_id)
    carried = Entry.objects.filter(
        conversation=last.conversation_id, interaction=row.interaction_id, seq__gte=row.first_seq, seq__lte=last.seq,
        kind__in=call_state.SPEAKABLE_KINDS, audience=Entry.Audience.EVERYONE, redacted_at__isnull=True,
        actor_kind__in=[Entry.Actor.ASSISTANT, Entry.Actor.AGENT],
    ).order_by("seq")  # fmt: skip
    return ToSend(row, tuple(carried))


def note(public_id: UUID, *, state: str, message_id: str = "", parts: int = 0, problem: str = "") -> bool:
    """Keeps what became of a message; says whether that was news. A state that is lower than the one known changes nothing.

    Staff are told in the history of one that did not arrive. Locks the message's row.
    """
    with transaction.atomic():
        row = SentText.objects.select_for_update(of=("self",)).select_related("entry", "interaction").filter(public_id=public_id).first()
        if row is None:
            return False
        is_news = ORDER[state] > ORDER[row.state]
        changes = {"message_id": message_id or row.message_id, "parts": parts or row.parts}
        if is_news:
            changes |= {"state": state, "problem": problem[:120]}
        SentText.objects.filter(pk=row.pk).update(changed_at=Now(), **changes)
        row.state = state
        if is_news and row.did_not_arrive:
            _tell(row, state, problem)
        if is_news:
            announce.work_changed(row.interaction.conversation)
    return is_news


def by_message(message_id: str) -> UUID | None:
    """The public id of the message that the platform names so."""
    return SentText.objects.filter(message_id=message_id).values_list("public_id", flat=True).first()


def _tell(row: SentText, state: str, problem: str) -> None:
    words = _("The text message: %(state)s.") % {"state": SentText.State(state).label}
    place = Interaction.objects.values_list("conversation", flat=True).get(pk=row.interaction_id)
    timeline.append(
        place,
        NewEntry(
            kind="text.failed",
            actor_kind="system",
            audience="staff",
            body=f"{words} {problem}".strip(),
            interaction=row.interaction,
            source_id=f"text:{row.public_id.hex}:{state}",
            data={"status": state},
        ),
    )
