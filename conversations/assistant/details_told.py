"""What somebody tells of their need in sentences of their own: the answer to a form's open question, at once or bit by bit."""

from __future__ import annotations

from typing import Final

from conversations.assistant import acts
from conversations.assistant.brain import Behaviour, Form
from conversations.models import Conversation, Interaction
from conversations.services import facts
from conversations.services.facts import LearnedFact
from conversations.understanding.facts import NAMES
from conversations.understanding.read import Understanding

WORDS_THAT_TELL: Final = 6
LONGEST: Final = 500
LONGEST_TOGETHER: Final = 2_000
"""What is told beyond that is not kept, and nobody is told that it was."""


def open_question(form: Form) -> str:
    """The fact of a form that is answered in one's own words; empty when it has none."""
    return next((field.fact for field in form.fields if field.fact not in NAMES), "")


def learn_opening(text: str, conversation: Conversation, line: Interaction, seq: int, behaviour: Behaviour) -> str:
    """Somebody who opens with a whole sentence has told the details that the form for it would ask for.

    Returns the fact that was learned, empty when none was. Locks the conversation's row.
    """
    form = behaviour.form_for_reason(conversation.reason.code) if conversation.reason else None
    fact = open_question(form) if form else ""
    if not fact or fact in facts.known_to(conversation, line) or len(text.split()) < WORDS_THAT_TELL:
        return ""
    return _keep(fact, text[:LONGEST], conversation, line, seq)


def learn_more(understood: Understanding, conversation: Conversation, line: Interaction, seq: int, behaviour: Behaviour) -> str:
    """More of the need, told while its form asks for something else, is kept beside what was told before.

    Returns the fact that it was added to, empty when the words are anything else. Locks the conversation's row.
    """
    state = conversation.form_state
    form = behaviour.form(str(state["form"])) if state.get("form") and state.get("step") == "collect" else None
    fact = open_question(form) if form else ""
    if form is None or not fact or state.get("asked") == fact or not _tells_more(understood, form):
        return ""
    before = facts.known_to(conversation, line).get(fact)
    if before is None or understood.text in str(before.value):
        return ""
    together = f"{before.value}; {understood.text[:LONGEST]}"
    return _keep(fact, together, conversation, line, seq) if len(together) <= LONGEST_TOGETHER else ""


def _tells_more(understood: Understanding, form: Form) -> bool:
    """Whether words are a statement about the need itself: no answer, no question, no other need and nothing that is to be done."""
    words = understood.gloss or understood.text
    is_else = understood.facts or understood.wishes or understood.asked_for_human or understood.affirmative is not None
    is_other_need = understood.urgency != "normal" or (understood.reason is not None and understood.reason not in form.reasons)
    if is_else or is_other_need or len(words.split()) < WORDS_THAT_TELL:
        return False
    return not (
        acts.is_question(words)
        or acts.drops_it(words)
        or acts.is_small_talk(words)
        or acts.is_request(words)
        or acts.wants_to_start_over(words)
        or acts.is_brief_mention(words, acts.DECLINES)
    )


def _keep(fact: str, text: str, conversation: Conversation, line: Interaction, seq: int) -> str:
    """The fact, when it was learned: not from words that were redacted meanwhile."""
    return fact if facts.learn(conversation, [LearnedFact(fact, text, text)], interaction=line, from_seq=seq) else ""
