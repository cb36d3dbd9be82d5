"""Help for a person who answers: a reply to look over, what was already asked and said, what it is about. It sends nothing.

What is offered for the customer follows the assurance of the line that it would go to: an unverified party gets nothing of
the record, and nothing of an article that is not for everybody. What only the person sees is all that they may read anyway;
articles that the party may not be answered from are shown apart, and are in no suggestion.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from conversations.assistant import acts, recap
from conversations.assistant.playbooks import behaviour_of
from conversations.assistant.writing.base import Draft, FactSaid, Heard, Passage, Said
from conversations.assistant.writing.choice import choose_writer
from conversations.assistant.writing.extractive import SENTENCE_END
from conversations.knowledge.search import search
from conversations.models import Booking, Conversation, Entry, Interaction, Playbook
from conversations.models.identifier import Assurance
from conversations.selectors import access
from conversations.selectors.articles import FOR_STAFF, audiences_of
from conversations.services import facts

PASSAGES: Final = 3
LONGEST_QUESTION: Final = 600
LONGEST_ANSWER: Final = 120
MOST_ASKED: Final = 12
OURS: Final = (Entry.Actor.ASSISTANT, Entry.Actor.AGENT, Entry.Actor.SYSTEM)


@dataclass(frozen=True, slots=True)
class Asked:
    """A question of ours, and what came back: both with their entries; no answer yet when `answer` is empty."""

    question: str
    seq: int
    answer: str = ""
    answer_seq: int = 0


@dataclass(frozen=True, slots=True)
class Snippet:
    """Something of the record that may be told on the line: what it is called, and words to tell it with."""

    name: str
    text: str


@dataclass(frozen=True, slots=True)
class Help:
    """`draft` is None when nothing answers; `proven` says whether the line's party has proven to be the customer.

    `for_staff` are passages of articles that the party may not be answered from, for the person alone.
    """

    draft: Draft | None
    question: str
    snippets: list[Snippet]
    proven: bool
    asked: list[Asked]
    told: list[FactSaid]
    summary: str
    for_staff: tuple[Passage, ...] = ()


def help_with(conversation: Conversation, line: Interaction | None) -> Help:
    """What helps to answer on a line; a few statements, one embedding for each question and message not read lately."""
    heard = recap.heard_in(conversation)
    question = _words_to_answer(line) if line else ""
    asked = _asked(heard)
    answered = {each.answer_seq for each in asked}
    level = access.proven_level(line) if line else ""
    audiences = audiences_of(level)
    proven = level == Assurance.VERIFIED
    return Help(
        draft=_draft(heard, conversation, line, question, audiences) if line else None,
        question=question,
        snippets=_snippets(conversation) if proven else [],
        proven=proven,
        asked=asked,
        told=[each for each in heard.facts if each.seq not in answered],
        summary=choose_writer().summary(heard),
        for_staff=_passages(question, line, FOR_STAFF - audiences) if line else (),
    )


def _words_to_answer(line: Interaction) -> str:
    """What the party of the line said since it was last answered."""
    rows = Entry.objects.filter(
        interaction__in=access.lines_of_party(line), conversation=line.conversation_id, kind="message", redacted_at__isnull=True
    )
    last = rows.filter(actor_kind=Entry.Actor.AGENT).order_by("-seq").values_list("seq", flat=True).first() or 0
    own = list(rows.filter(actor_kind=Entry.Actor.CUSTOMER, seq__gt=last).order_by("-seq").values_list("body", flat=True)[:3])
    return " ".join(reversed(own))[-LONGEST_QUESTION:].strip()


def _draft(
    heard: Heard, conversation: Conversation, line: Interaction, question: str, audiences: frozenset[str]
) -> Draft | None:
    """A reply from what the knowledge base has for these audiences, or what is still to be asked for the need; each with its source."""
    passages = _passages(question, line, audiences)
    found = choose_writer().reply(heard, question, passages) if passages else None
    return found or _next_question(conversation, line)


def _passages(question: str, line: Interaction, audiences: frozenset[str]) -> tuple[Passage, ...]:
    """What the articles for these audiences say of it, in the language of the line before any other; the question is embedded once."""
    hits = search(question, limit=PASSAGES, language=line.language, audiences=audiences) if question else []
    return tuple(Passage(each.title, each.url, each.text) for each in hits)


def _next_question(conversation: Conversation, line: Interaction) -> Draft | None:
    try:
        behaviour = behaviour_of(line.entry_point, language=line.language.partition("-")[0])
    except Playbook.DoesNotExist:
        return None
    form = behaviour.form_for_reason(conversation.reason.code) if conversation.reason else None
    known = facts.known_to(conversation, line)
    missing = next((field for field in form.fields if field.required and field.fact not in known), None) if form else None
    return Draft(missing.prompt, ((_("The form “%(name)s”") % {"name": form.name}, ""),)) if form and missing else None


def _snippets(conversation: Conversation) -> list[Snippet]:
    """The coming visits, as one tells them."""
    coming = Booking.objects.filter(
        customer=conversation.customer_id, state=Booking.State.BOOKED, window__endswith__gt=timezone.now()
    ).order_by("window")[:3]
    words = _("Your visit %(reference)s, %(service)s, is on %(day)s between %(from)s and %(to)s.")
    return [
        Snippet(
            each.reference,
            words
            % {
                "reference": each.reference, "service": each.service, "day": date_format(timezone.localtime(each.window.lower), "l j F"),
                "from": f"{timezone.localtime(each.window.lower):%H:%M}", "to": f"{timezone.localtime(each.window.upper):%H:%M}",
            },
        )
        for each in coming
    ]  # fmt: skip


def _asked(heard: Heard) -> list[Asked]:
    """The questions of ours, the latest first, each with the fact that answers it, or else with the customer's next words."""
    found = []
    for index, each in enumerate(heard.said):
        question = _question_of(each)
        if each.by in OURS and question:
            found.append(_with_answer(question, each, heard, heard.said[index + 1 :]))
    return found[::-1][:MOST_ASKED]


def _question_of(said: Said) -> str:
    """The last sentence that asks something; empty when none does."""
    return next((each for each in reversed(SENTENCE_END.split(said.text.strip())) if acts.is_question(each)), "")


def _with_answer(question: str, said: Said, heard: Heard, later: tuple[Said, ...]) -> Asked:
    fact = next((each for each in heard.facts if said.asked and each.name == said.asked), None)
    if fact:
        return Asked(question, said.seq, f"{fact.label}: {fact.value}", fact.seq)
    # Only what came before somebody of ours spoke again is an answer to this.
    reply = next(iter(later), None)
    if reply is None or reply.by != Entry.Actor.CUSTOMER:
        return Asked(question, said.seq)
    text = " ".join(reply.text.split())
    return Asked(question, said.seq, text if len(text) <= LONGEST_ANSWER else f"{text[:LONGEST_ANSWER].rstrip()}…", reply.seq)
