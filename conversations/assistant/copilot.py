"""Help for a person who answers: a reply to look over, what was already asked and said, what it is about. It sends nothing.

What is offered for the customer follows the assurance of the line that it would go to: an unverified party gets nothing of
the record, and nothing of an article that is not for everybody. What only the person sees is all that they may read anyway;
articles that the party may not be answered from are shown apart, and are in no suggestion.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import override

from conversations.assistant import acts, recap, tracing, written_lately
from conversations.assistant.brain import Behaviour
from conversations.assistant.outgoing.suggesting import may_leave_on
from conversations.assistant.playbooks import behaviour_of
from conversations.assistant.recording import TurnRecord
from conversations.assistant.writing.base import Draft, FactSaid, Heard, MayLeave, Passage, Said, Writer
from conversations.assistant.writing.choice import choose_writer, written
from conversations.assistant.writing.questions import is_closing, question_in
from conversations.assistant.written_lately import Lately
from conversations.knowledge.search import search
from conversations.models import Booking, Conversation, Entry, Interaction, Playbook, TurnTrace
from conversations.models.identifier import Assurance
from conversations.selectors import access
from conversations.selectors.articles import FOR_STAFF, audiences_of
from conversations.services import facts
from conversations.understanding.normalise import meaning, plain
from conversations.understanding.tone import read_answer, wants_person

PASSAGES: Final = 3
LONGEST_QUESTION: Final = 600
LONGEST_ANSWER: Final = 120
MOST_ASKED: Final = 12
FEW_WORDS: Final = 12
"""A person of ours may ask in a few words without a mark."""
OFFERS_HELP: Final = re.compile(
    r"\b(?:how|what) (?:can|may) (?:i|we) (?:help|do for|assist)\b|(?:cómo|en qué) (?:le |te )?(?:puedo|podemos) ayudar"
)
"""Asks for nothing: whatever comes next is what they came for."""
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
class Rewritten:
    """`fell_back` says that the style needed a model, which failed, so that the text was only tidied up."""

    text: str
    fell_back: bool = False


@dataclass(frozen=True, slots=True)
class Help:
    """`draft` is None when nothing answers; `proven` says whether the line's party has proven to be the customer.

    `for_staff` are passages of articles that the party may not be answered from, for the person alone. `draft_trace` and
    `summary_trace` are the numbers of the traces of how a model wrote them, or did not; None when none was to.
    """

    draft: Draft | None
    question: str
    snippets: list[Snippet]
    proven: bool
    asked: list[Asked]
    told: list[FactSaid]
    summary: str
    for_staff: tuple[Passage, ...] = ()
    draft_trace: int | None = None
    summary_trace: int | None = None


@dataclass(frozen=True, slots=True)
class _Wanted:
    """A reply that is to be written: what its party said and heard, the words to answer, where from, and what may leave."""

    heard: Heard
    question: str
    passages: tuple[Passage, ...]
    may_leave: MayLeave


def help_with(conversation: Conversation, line: Interaction | None) -> Help:
    """What helps to answer on a line; a few statements, one embedding for each question and message not read lately.

    With a model it waits for one request, outside of transactions; what it took is kept. They are two at once where somebody else said
    something, too, since the reply must not be written from what its party may not know; nothing is asked again while nothing has
    changed (`written_lately`).
    """
    heard = recap.heard_in(conversation)
    question = _words_to_answer(line) if line else ""
    asked = _asked(heard)
    answered = {each.answer_seq for each in asked}
    level = access.proven_level(line) if line else ""
    audiences = audiences_of(level)
    proven = level == Assurance.VERIFIED
    behaviour = _behaviour(line) if line else None
    wanted = _wanted(heard, conversation, line, question, behaviour, audiences) if line and question else None
    summary, draft, traces = _written(conversation, line, heard, wanted)
    return Help(
        draft=draft or (_next_question(conversation, line, behaviour) if line else None),
        question=question,
        snippets=_snippets(conversation) if proven else [],
        proven=proven,
        asked=asked,
        told=[each for each in heard.facts if each.seq not in answered],
        summary=summary,
        for_staff=_passages(question, line, FOR_STAFF - audiences) if line else (),
        draft_trace=traces[1],
        summary_trace=traces[0],
    )


def _written(
    conversation: Conversation, line: Interaction | None, heard: Heard, wanted: _Wanted | None
) -> tuple[str, Draft | None, tuple[int | None, int | None]]:
    """The summary, the reply, and the numbers of their traces; what a model wrote lately of the same is taken again."""
    writer, about, saying = choose_writer(), TurnRecord(), TurnRecord()
    for_summary = written_lately.key(conversation, writer.name, heard)
    for_reply = written_lately.key(conversation, writer.name, wanted.heard, wanted.question, wanted.passages) if wanted else ""
    told, said = written_lately.recall(for_summary), written_lately.recall(for_reply)
    if said and wanted and said.text and wanted.may_leave(said.text):
        # What may leave has changed since.
        said = None
    if not told and not said and wanted and wanted.heard.said == heard.said:
        about = saying
        summary, draft = written(
            writer.summary_and_reply(heard, wanted.heard, wanted.question, wanted.passages, wanted.may_leave, saying)
        )
    else:
        summary, draft = written(_both(writer, None if told else heard, None if said else wanted, about, saying))
    said_trace = said.trace if said else _kept(conversation, line, saying, TurnTrace.Purpose.REPLY, heard)
    if told:
        summary, told_trace = told.text, told.trace
    else:
        told_trace = said_trace if about is saying else _kept(conversation, line, about, TurnTrace.Purpose.SUMMARY, heard)
    if said:
        draft = Draft(said.text, said.sources) if said.text else None
    if about.answered_by_model:
        written_lately.remember(for_summary, Lately(summary, told_trace))
    if saying.answered_by_model:
        written_lately.remember(for_reply, Lately(draft.text if draft else "", said_trace, draft.sources if draft else ()))
    return summary, draft, (told_trace, said_trace)


def rewrite(conversation: Conversation, line: Interaction | None, text: str, style: str, known: Mapping[str, str]) -> Rewritten:
    """A text of a person in one of the writer's styles, with its placeholders filled in by `known`. Raises KeyError for another style.

    What is added to it is in the customer's language.
    """
    record = TurnRecord()
    with override(conversation.language or conversation.customer.language or None):
        again = written(choose_writer().rewrite(text, style, known, record))
    _kept(conversation, line, record, TurnTrace.Purpose.REWRITE)
    return Rewritten(again, bool(record.fallback))


async def _both(
    writer: Writer, heard: Heard | None, wanted: _Wanted | None, about: TurnRecord, saying: TurnRecord
) -> tuple[str, Draft | None]:
    """The summary and the reply, at the same time, each when it is wanted."""

    async def summary() -> str:
        return await writer.summary(heard, about) if heard else ""

    async def reply() -> Draft | None:
        return await writer.reply(wanted.heard, wanted.question, wanted.passages, wanted.may_leave, saying) if wanted else None

    return await asyncio.gather(summary(), reply())


def _kept(
    conversation: Conversation, line: Interaction | None, record: TurnRecord, purpose: TurnTrace.Purpose, heard: Heard | None = None
) -> int | None:
    beside = line or conversation.interactions.order_by("-started_at", "-pk").first()
    if beside is None:
        return None
    trace = tracing.keep_writing(conversation, beside, record, purpose=purpose, upto=recap.upto_of(heard) if heard else 0)
    return trace.pk if trace else None


def _words_to_answer(line: Interaction) -> str:
    """What the party of the line said since it was last answered."""
    rows = Entry.objects.filter(
        interaction__in=access.lines_of_party(line), conversation=line.conversation_id, kind="message", redacted_at__isnull=True
    )
    last = rows.filter(actor_kind=Entry.Actor.AGENT).order_by("-seq").values_list("seq", flat=True).first() or 0
    own = list(rows.filter(actor_kind=Entry.Actor.CUSTOMER, seq__gt=last).order_by("-seq").values_list("body", flat=True)[:3])
    return " ".join(reversed(own))[-LONGEST_QUESTION:].strip()


def _wanted(
    heard: Heard, conversation: Conversation, line: Interaction, question: str, behaviour: Behaviour | None, audiences: frozenset[str]
) -> _Wanted | None:
    """What a reply is to be written from: what this party saw, and the articles for these audiences; None when none may answer."""
    passages = _passages(question, line, audiences)
    if not passages:
        return None
    seen = set(access.seen_by_party(line).values_list("seq", flat=True))
    said = tuple(each for each in heard.said if each.seq in seen)
    happened = tuple(each for each in heard.happened if each.seq in seen)
    theirs = replace(heard, said=said, happened=happened, facts=(), name="", reason="")
    return _Wanted(theirs, question, passages, may_leave_on(conversation, line, behaviour, passages))


def _passages(question: str, line: Interaction, audiences: frozenset[str]) -> tuple[Passage, ...]:
    """What the articles for these audiences say of it, in the language of the line before any other; the question is embedded once."""
    hits = search(question, limit=PASSAGES, language=line.language, audiences=audiences) if question else []
    return tuple(Passage(each.title, each.url, each.text) for each in hits)


def _behaviour(line: Interaction) -> Behaviour | None:
    try:
        return behaviour_of(line.entry_point, language=line.language.partition("-")[0])
    except Playbook.DoesNotExist:
        return None


def _next_question(conversation: Conversation, line: Interaction, behaviour: Behaviour | None) -> Draft | None:
    """What is still to be asked for the need, with the form that wants it."""
    form = behaviour.form_for_reason(conversation.reason.code) if behaviour and conversation.reason else None
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
        question = question_in(each.text)
        is_one = question.endswith("?") or (each.by == Entry.Actor.AGENT and len(question.split()) <= FEW_WORDS)
        if each.by in OURS and question and is_one and not (is_closing(question, heard.language) or OFFERS_HELP.search(question.lower())):
            found.append(_with_answer(question, each, heard, heard.said[index + 1 :]))
    return found[::-1][:MOST_ASKED]


def _answers(words: str) -> bool:
    """Whether a customer's words may be an answer: yes or no, or something told, and nothing asked or wished for."""
    if read_answer(plain(words)) is not None:
        return True
    without_please = re.sub(r"\bplease\b", "", words, flags=re.IGNORECASE)
    return not (acts.is_question(words) or acts.is_request(without_please) or wants_person(meaning(words)) or acts.wants_visit(words))


def _with_answer(question: str, said: Said, heard: Heard, later: tuple[Said, ...]) -> Asked:
    fact = next((each for each in heard.facts if said.asked and each.name == said.asked and each.was_said), None)
    if fact:
        return Asked(question, said.seq, f"{fact.label}: {fact.value}", fact.seq)
    # Only what came before somebody of ours spoke again is an answer to this; a question is none, nor is another wish.
    reply = next(iter(later), None)
    if reply is None or reply.by != Entry.Actor.CUSTOMER or said.asked or not _answers(reply.text):
        return Asked(question, said.seq)
    text = " ".join(reply.text.split())
    return Asked(question, said.seq, text if len(text) <= LONGEST_ANSWER else f"{text[:LONGEST_ANSWER].rstrip()}…", reply.seq)
