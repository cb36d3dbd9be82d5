"""Text messages that leave: what is to be written is taken once, and what became of it only rises.

Codes, links and notices are sent while somebody waits for them, once: their words are kept nowhere, so nobody could send them again.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from uuid import UUID

from django.db import transaction
from django.db.models import F, QuerySet, Subquery
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from conversations.models import Entry, Interaction, SentText
from conversations.rendering import texted
from conversations.services import announce, call_state, messengers, timeline
from conversations.services.timeline import Appended, NewEntry

ORDER: Final = {state: rank for rank, state in enumerate(SentText.State.values)}
MOST_TRIES: Final = 5
WORDS_OF: Final = {
    SentText.What.MESSAGE.value: _("The text message: %(state)s."),
    SentText.What.CODE.value: _("The text message with a one-time code: %(state)s."),
    SentText.What.LINK.value: _("The text message with a link: %(state)s."),
    SentText.What.NOTICE.value: _("The text message with a notice: %(state)s."),
}
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


def send_one(line: Interaction, *, what: str, to: str, text: str, told: Appended | None = None) -> SentText:
    """Sends a code, a link or a notice to a number in E.164, asked for on a line; what becomes of it is kept as for any other text.

    `told` is the entry that tells staff of it, if there is one yet. Must not run in a transaction. Blocks for seconds at most.
    Raises NotSent, once that is kept and staff were told.
    """
    row = SentText.objects.create(interaction=line, what=what, tries=1)
    if told is not None:
        tell_of(row, told)
    try:
        message_id = messengers.send_text(to=to, entry_point=line.entry_point, text=text, reference=row.public_id.hex)
    except messengers.NotSent:
        note(row.public_id, state=SentText.State.FAILED)
        raise
    note(row.public_id, state=SentText.State.SUBMITTED, message_id=message_id, parts=texted.parts(text))
    return row


def tell_of(row: SentText, told: Appended) -> None:
    """Has the entry that tells staff of a code, a link or a notice show what becomes of it."""
    entry = Entry.objects.filter(conversation=told.conversation_id, seq=told.seq).values("pk")[:1]
    SentText.objects.filter(pk=row.pk).exclude(what=SentText.What.MESSAGE).update(entry=Subquery(entry))


def forgotten() -> QuerySet[SentText]:
    """Messages that wait to be sent and that nobody sends."""
    return SentText.objects.filter(state=SentText.State.WAITING, changed_at__lt=timezone.now() - FORGOTTEN_AFTER)


def take_up(row: SentText) -> ToSend | None:
    """A forgotten message, for another try; None when somebody else took it up.

    Or when it has failed now: it was tried often enough, or is a code, a link or a notice, which nobody could word again.
    """
    mine = forgotten().filter(pk=row.pk, tries=row.tries).update(tries=F("tries") + 1, changed_at=Now())
    if not mine:
        return None
    if row.what != SentText.What.MESSAGE or row.entry_id is None or row.first_seq is None or row.tries >= MOST_TRIES:
        note(row.public_id, state=SentText.State.FAILED)
        return None
    last = Entry.objects.get(pk=row.entry_id)
    carried = Entry.objects.filter(
        conversation=last.conversation_id, interaction=row.interaction_id, seq__gte=row.first_seq, seq__lte=last.seq,
        kind__in=call_state.SPEAKABLE_KINDS, audience=Entry.Audience.EVERYONE, redacted_at__isnull=True,
        actor_kind__in=call_state.OURS,
    ).order_by("seq")  # fmt: skip
    return ToSend(row, tuple(carried))


def note(public_id: UUID, *, state: str, message_id: str = "", parts: int = 0, problem: str = "") -> bool:
    """Keeps what became of a message; says whether that was news. A state that is lower than the one known changes nothing.

    Staff are told in the history of one that did not arrive. Locks the message's row.
    """
    with transaction.atomic():
        row = SentText.objects.select_for_update(of=("self",)).select_related("interaction").filter(public_id=public_id).first()
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
    words = WORDS_OF[row.what] % {"state": SentText.State(state).label}
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
