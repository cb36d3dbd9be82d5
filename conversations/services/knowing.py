"""Showing who one is by answers: less than a code, and only where a playbook allows it.

Nothing of what a record holds is told, not even that there is one; wrong answers and no record are the same to the party. Tries
are counted before they are weighed: on a line, by a party, and against the record that they were aimed at.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta

from django.db import transaction
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from conversations.models import Customer, Interaction, KnowledgeCheck, Proof
from conversations.services import finding, identity, joining, proving, records, threads
from conversations.services.finding import Found

MAX_CHECKS_ON_A_LINE = 3
MAX_CHECKS_OF_A_PARTY_IN_A_DAY = 6
MAX_WRONG_ABOUT_A_RECORD_IN_A_DAY = 5
DAY = timedelta(days=1)
QUESTIONS = ("name", "postcode", "date_of_birth", "order_number", "account_number")
"""What may be asked for."""
CLEARLY_BEFORE_THE_NEXT = 3.0
"""By how much the record that the answers are like must be ahead of the next one, in nats: about twenty times as likely."""
AGREES = ("same", "like")
MOST_THAT_ARE_LIKE = 1
"""How many answers may only be like what the record has: one word may be misheard, two are somebody else's."""
SAME_PERSON_SCORE = 0.7


class TooManyChecks(Exception):
    """No further answers are weighed on this line, or from this party."""


def next_question(interaction: Interaction, answers: Mapping[str, Sequence[str]], needed: Sequence[str]) -> str:
    """Which of the needed facts to ask for next, the most telling one; empty when all are answered. Raises TooManyChecks.

    The most telling in general, whatever was answered: which fact tells apart the records that were found would tell the
    party that some were found.
    """
    if _tries_are_used_up(interaction):
        raise TooManyChecks
    left = [fact for fact in needed if not answers.get(fact)]
    telling = finding.next_fact({fact: readings for fact, readings in answers.items() if readings}, [])
    return telling if telling in left else next(iter(left), "")


def check(interaction: Interaction, answers: Mapping[str, Sequence[str]], needed: Sequence[str], *, made_by: str) -> bool:
    """Weighs the answers; when they are one record's, the line goes there and counts as proven by knowledge.

    Must not run in a transaction: the try is counted in one of its own, which locks the interaction. Then takes both records'
    locks and what `weaving` locks. Joins no records. Raises TooManyChecks.
    """
    with transaction.atomic():
        line = Interaction.objects.select_for_update(no_key=True).get(pk=interaction.pk)
        if _tries_are_used_up(line):
            raise TooManyChecks
        tried = KnowledgeCheck.objects.create(interaction=line)
    found = _found(interaction, {fact: list(answers.get(fact, ())) for fact in needed})
    if not found:
        return False
    record = found[0].customer
    KnowledgeCheck.objects.filter(pk=tried.pk).update(matched=record.pk)
    if not _is_known(found, needed) or _is_being_guessed_at(record):
        return False
    with transaction.atomic():
        _file(interaction, record, made_by)
        KnowledgeCheck.objects.filter(pk=tried.pk).update(is_right=True)
    return True


def _found(interaction: Interaction, facts: Mapping[str, Sequence[str]]) -> list[Found]:
    door = interaction.entry_point
    return finding.find(facts, language=door.language.partition("-")[0], region=door.default_region)


def _is_known(found: Sequence[Found], needed: Sequence[str]) -> bool:
    """Whether every answer agrees with the first record, and no other one comes near it."""
    best, others = found[0], found[1:]
    agreement = [str(best.agreement.get(fact, "")) for fact in needed]
    is_clear = all(best.log_odds - each.log_odds >= CLEARLY_BEFORE_THE_NEXT for each in others)
    return is_clear and all(each in AGREES for each in agreement) and agreement.count("like") <= MOST_THAT_ARE_LIKE


def _file(interaction: Interaction, found: Customer, made_by: str) -> None:
    line = Interaction.objects.select_related("conversation__customer").get(pk=interaction.pk)
    record, goal = records.lock_roots(line.conversation.customer, found)
    sentence = _("The caller answered questions rightly.") if line.channel == "voice" else _("The visitor answered questions rightly.")
    if record != goal:
        evidence = {"method": "knowledge", "interaction": str(line.public_id), "sentence": sentence}
        identity.note_candidate(goal, record, score=SAME_PERSON_SCORE, evidence=evidence)
        joining.go_on_in(line, threads.open_or_resume(goal), evidence=evidence, made_by=made_by)
    proving.prove(line, goal, method=Proof.Method.KNOWLEDGE, made_by=made_by, sentence=sentence)


def _tries_are_used_up(line: Interaction) -> bool:
    tries = KnowledgeCheck.objects.filter(is_right=False)
    by_party = tries.filter(interaction__party=line.party, interaction__channel=line.channel, made_at__gt=Now() - DAY)
    on_line = tries.filter(interaction=line).count()
    return on_line >= MAX_CHECKS_ON_A_LINE or (line.party != "" and by_party.count() >= MAX_CHECKS_OF_A_PARTY_IN_A_DAY)


def _is_being_guessed_at(record: Customer) -> bool:
    """Whether so many answers about a record were wrong today that right ones count no more; this try is among them."""
    wrong = KnowledgeCheck.objects.filter(matched=record.pk, is_right=False, made_at__gt=Now() - DAY)
    return wrong.count() > MAX_WRONG_ABOUT_A_RECORD_IN_A_DAY
