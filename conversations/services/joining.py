"""Carrying a conversation from one channel into another: a short code, or a question answered with yes."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext as _

from conversations.models import Conversation, Identifier, Interaction, JoinCode
from conversations.models.entry_point import Channel
from conversations.models.keyed_hash import keyed_hash
from conversations.selectors import own_record
from conversations.services import identity, merging, records, timeline, weaving
from conversations.services.timeline import NewEntry

CODE_DIGITS = 6
CODE_LIFETIME = timedelta(minutes=15)
CLAIM_LIFETIME = timedelta(hours=24)
MAX_ATTEMPTS = 5
MISSES_COUNT_FOR = timedelta(hours=1)
MAX_MISSES_OF_A_NUMBER = 15
MAX_MISSES = 150
SAME_PERSON_SCORE = 0.9


class TooManyAttempts(Exception):
    """This call has tried too many codes."""


def issue_code(interaction: Interaction) -> tuple[str, JoinCode]:
    """A six-digit code that carries this interaction's conversation into a call, good for 15 minutes and one use.

    Earlier unused codes of the interaction end. The code is returned once; only its keyed hash is kept.
    """
    with transaction.atomic():
        JoinCode.objects.filter(interaction=interaction, used_at__isnull=True).delete()
        JoinCode.objects.filter(used_at__isnull=True, expires_at__lt=timezone.now()).delete()
        while True:
            code = f"{secrets.randbelow(10**CODE_DIGITS):0{CODE_DIGITS}d}"
            if not JoinCode.objects.filter(code_hash=_hash(code), used_at__isnull=True).exists():
                break
        row = JoinCode.objects.create(interaction=interaction, code_hash=_hash(code), expires_at=timezone.now() + CODE_LIFETIME)
    return code, row


def redeem_code(code: str, interaction: Interaction) -> Conversation | None:
    """Has this line go on with the chat that the code was given in; None when the code is wrong, used or too old.

    The party held both lines, so the interaction's assurance becomes verified: it may see and change what belongs to
    the two lines, and nothing else (`access.lines_of_party`). A code whose conversation was closed meanwhile is too
    old. Raises TooManyAttempts after five tries in one call, the count being kept before the code is
    looked at, and after too many wrong ones within an hour from one number or from everybody together: a code has a
    million values, and calling again is cheap.
    """
    if _count(interaction, "code_attempts") > MAX_ATTEMPTS or _too_many_misses(interaction):
        raise TooManyAttempts
    joined = _carry(code, interaction)
    if joined is None:
        _count(interaction, "code_misses")
    return joined


def _carry(code: str, interaction: Interaction) -> Conversation | None:
    with transaction.atomic():
        found = (
            JoinCode.objects.select_for_update(no_key=True, of=("self",))
            .select_related("interaction__conversation")
            .filter(code_hash=_hash(code), used_at__isnull=True, expires_at__gt=timezone.now())
            .first()
        )
        goal = going_on_from(found.interaction.conversation) if found and found.interaction_id != interaction.pk else None
        if not found or not goal:
            return None
        JoinCode.objects.filter(pk=found.pk).update(used_at=Now(), used_by=interaction)
        sentence = _("The code from the web chat was entered on the call.")
        target = join(interaction, goal, method="code", sentence=sentence)
        Interaction.objects.filter(pk=interaction.pk).update(assurance="verified")
        timeline.append(
            target.pk,
            NewEntry(
                kind="identity.proven",
                actor_kind="system",
                audience="staff",
                interaction=Interaction.objects.get(pk=interaction.pk),
                body=sentence,
                data={"method": "code"},
            ),
        )
    return target


def claimed_recently(phone: str, *, besides: Conversation) -> Conversation | None:
    """The open conversation in which this number was typed within a day, if there is exactly one such customer."""
    claims = Identifier.objects.filter(kind="phone", value=phone, last_seen_at__gte=timezone.now() - CLAIM_LIFETIME).exclude(
        customer=besides.customer_id
    )
    customers = set(claims.values_list("customer_id", flat=True)[:2])
    if len(customers) != 1:
        return None
    return Conversation.objects.filter(customer_id__in=customers, status="open", joined_into__isnull=True).first()


def join(interaction: Interaction, target: Conversation, *, method: str, sentence: str) -> Conversation:
    """Has a line go on in another conversation, and returns where it goes on.

    A conversation that holds nothing but this line is joined as a whole; then the one goes on that a person has or is
    awaited for, so that nobody leaves a line by joining. Out of a conversation with more in it only the line goes, and
    it stays when a person has it. The records are joined only when the line's own holds nothing but this line, as at a
    first call: otherwise the number may be somebody else's, so people see a match candidate. Must run in a transaction;
    locks both records, then what `weaving` locks.
    """
    line = Interaction.objects.select_related("conversation__customer").get(pk=interaction.pk)
    current, goal = line.conversation, going_on_from(target)
    if goal is None or goal == current:
        return current
    evidence = {"method": method, "interaction": str(line.public_id), "sentence": sentence}
    _settle_records(line, goal, evidence)
    return go_on_in(line, goal, evidence=evidence, made_by="assistant")


def go_on_in(line: Interaction, target: Conversation, *, evidence: Mapping[str, Any], made_by: str) -> Conversation:
    """Has a line go on in another conversation as `join` says, whatever the records; returns where it goes on.

    `evidence` carries the sentence for the history. Must run in a transaction that holds the locks of both records.
    """
    current, sentence = Conversation.objects.get(interactions=line.pk), str(evidence["sentence"])
    going_on = going_on_from(target)
    if going_on is None or going_on == going_on_from(current):
        return going_on or current
    if own_record.holds_nothing_but(line):
        joined = weaving.join_with_work(current, going_on, evidence=evidence, made_by=made_by, sentence=sentence)
        return Conversation.objects.get(pk=joined.pk)
    if current.owner_kind == Conversation.Owner.HUMAN:
        return current
    weaving.move_line(line, going_on, evidence=evidence, made_by=made_by, sentence=sentence)
    return Conversation.objects.get(pk=going_on.pk)


def going_on_from(conversation: Conversation) -> Conversation | None:
    """The open conversation in which this one goes on; None when it is closed."""
    place: int | None = conversation.pk
    while place is not None:
        row = Conversation.objects.select_related("customer").get(pk=place)
        place = row.joined_into_id
    return row if row.status == Conversation.Status.OPEN else None


def _settle_records(line: Interaction, goal: Conversation, evidence: Mapping[str, Any]) -> None:
    """Locks both records. When they are two, the line's is joined if it is new, else people are shown that they may be one."""
    own, other = records.lock_roots(goal.customer, line.conversation.customer)
    if own == other:
        return
    if own_record.is_of_this_line_alone(other, line):
        merging.join_customers(other, own, evidence=evidence, made_by="assistant")
        return
    identity.note_candidate(own, other, score=SAME_PERSON_SCORE, evidence=evidence)
    if line.channel == Channel.VOICE and line.party.startswith("+"):
        # So that the next call from this number is asked whether to carry on, too.
        identity.claim(own, Identifier.Kind.PHONE, line.party, source=line.get_channel_display())


def _count(interaction: Interaction, name: str) -> int:
    with transaction.atomic():
        row = Interaction.objects.select_for_update(no_key=True).get(pk=interaction.pk)
        row.data[name] = int(row.data.get(name, 0)) + 1
        row.save(update_fields=["data"])
    return int(row.data[name])


def _too_many_misses(interaction: Interaction) -> bool:
    recent = Interaction.objects.filter(
        channel=interaction.channel, started_at__gte=timezone.now() - MISSES_COUNT_FOR, data__has_key="code_misses"
    )
    rows: list[tuple[str, int]] = list(recent.values_list("party", "data__code_misses"))
    own = sum(misses for party, misses in rows if party == interaction.party)
    return own >= MAX_MISSES_OF_A_NUMBER or sum(misses for _party, misses in rows) >= MAX_MISSES


def _hash(code: str) -> str:
    return keyed_hash("join-code", code)
