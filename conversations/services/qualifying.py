"""What a filled form came to: a score from the company's own table, the answers it rests on, and the outbox to whoever sells."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import timedelta

from django.db import transaction
from django.db.models import QuerySet
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext as _

from conversations.models import Conversation, Interaction, Qualification
from conversations.services import facts, timeline
from conversations.services.facts import LearnedFact
from conversations.services.staff_words import in_staffs_language
from conversations.services.timeline import NewEntry

FIRST_PAUSE = timedelta(minutes=1)
LONGEST_PAUSE = timedelta(hours=6)
MOST_TRIES = 12


def qualify(
    conversation: Conversation,
    *,
    form: str,
    form_name: str,
    score: int,
    answers: Mapping[str, str],
    interaction: Interaction,
    made_by: str,
) -> Qualification:
    """Keeps what a form came to, tells of it in the history, and has it sent to the lead system; the same again changes nothing.

    The score is also a fact of the conversation (`quote_score` of a form `quote`), so that tables may ask about it. One
    transaction; locks the customer, then the conversation.
    """
    told = timeline.clean(dict(answers))
    with in_staffs_language():
        sentence = _("Qualified by “%(form)s”: %(score)d points.") % {"form": form_name, "score": score}
    with transaction.atomic():
        same = Qualification.objects.filter(conversation=conversation, form=form).first()
        if same is not None and (same.score, same.answers) == (score, told):
            return same
        again = {"state": Qualification.State.WAITING, "tries": 0, "next_at": Now(), "last_error": ""}
        kept, _created = Qualification.objects.update_or_create(
            conversation=conversation,
            form=form,
            defaults={"form_name": form_name, "score": score, "answers": told, "qualified_at": Now(), **again},
        )
        appended = timeline.append(
            conversation.pk,
            NewEntry(
                kind="qualified",
                actor_kind="assistant",
                actor_name=made_by,
                audience="staff",
                body=sentence,
                interaction=interaction,
                data={"form": form, "score": score, "answers": told},
                source_id=f"qualified:{conversation.public_id.hex}:{form}:{_digest(score, told)}",
            ),
        )
        learned = [LearnedFact(f"{form}_score", str(score))]
        facts.learn(conversation, learned, interaction=interaction, from_seq=appended.seq)
    return kept


def due() -> QuerySet[Qualification]:
    """What should be sent now, longest due first."""
    return Qualification.objects.filter(state=Qualification.State.WAITING, next_at__lte=Now()).order_by("next_at", "pk")


def claim(number: int) -> Qualification | None:
    """Takes one that is due, so that no other worker sends it at the same time; None when another one did.

    The try is counted and the next one dated before anything is sent, so a worker that dies has only used a try.
    """
    with transaction.atomic():
        rows = due().select_related("conversation__customer").select_for_update(of=("self",), skip_locked=True)
        row = rows.filter(pk=number).first()
        if row is None:
            return None
        row.tries += 1
        row.next_at = timezone.now() + min(FIRST_PAUSE * 2 ** (row.tries - 1), LONGEST_PAUSE)
        row.save(update_fields=["tries", "next_at"])
    return row


def confirm(sent: Qualification, *, reference: str) -> None:
    """The lead system has it, by that reference; what changed meanwhile is sent again."""
    unchanged = Qualification.objects.filter(pk=sent.pk, qualified_at=sent.qualified_at)
    unchanged.update(state=Qualification.State.DONE, last_error="")
    Qualification.objects.filter(pk=sent.pk).update(reference=reference[:40])


def note_failure(sent: Qualification, *, error: str, permanent: bool) -> None:
    """It could not be sent. It is tried again later, unless that cannot help or was tried often enough. `error` is a word."""
    is_over = permanent or sent.tries >= MOST_TRIES
    state = Qualification.State.FAILED if is_over else Qualification.State.WAITING
    Qualification.objects.filter(pk=sent.pk, qualified_at=sent.qualified_at).update(state=state, last_error=error[:80])


def _digest(score: int, answers: Mapping[str, str]) -> str:
    return hashlib.sha256(json.dumps([score, answers], sort_keys=True).encode()).hexdigest()[:16]
