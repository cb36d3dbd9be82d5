"""What the customer's words since the last answer mean, and what of it the record keeps."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from django.db.models import Q

from conversations.assistant import acts, breaths, calls_asked, choosing, details_told, hours_asked, later, named_weeks, what_was_done
from conversations.assistant.brain import Behaviour, Reason
from conversations.assistant.recognising import BUSY_STEPS, PLACES, keep_reason, without_lateness, without_need
from conversations.assistant.tools import book, schedule_callback
from conversations.models import Conversation, Entry, EntryPoint, Interaction
from conversations.models.entry_point import Channel
from conversations.selectors.reach import Reach
from conversations.services import facts
from conversations.services.facts import KnownFact, LearnedFact
from conversations.services.turns import OVER
from conversations.understanding import corrections
from conversations.understanding.danger import read_at_risk
from conversations.understanding.facts import NAMES, Fact, without_days_in_name
from conversations.understanding.gloss import gloss
from conversations.understanding.names import PARTICLES, TOLD_IN_PASSING, begins_with_given_name, find_name, volunteered
from conversations.understanding.normalise import meaning, without_fillers
from conversations.understanding.read import Understanding, understand
from conversations.understanding.tone import wants_person
from routing.compiled import CompiledOnce, Given

SAID: Final = CompiledOnce(
    lambda: Entry.objects.filter(
        Q(kind="message", actor_kind__in=[Entry.Actor.CUSTOMER, Entry.Actor.ASSISTANT]) | Q(data__has_key="owed"),
        conversation=Given("conversation"),
        seq__gt=Given("after"),
        seq__lte=Given("upto"),
    )
    .select_related("interaction__entry_point__hours")
    .order_by("seq")
)
TURN_SOURCE: Final = "turn:"
LONGEST_TEXT: Final = 10_000
SURE_FACT: Final = 0.6
SURE_FACT_IN_PASSING: Final = 0.75
PUT_RIGHT: Final = 1.0
"""How sure a fact is that was told before and is put right now."""
FEW_WORDS: Final = 3
IN_WORDS: Final = re.compile(r"[^\W\d_]{3,}|\d ?[ap]m\b", re.IGNORECASE)
MOST_READINGS: Final = 4
WHEN: Final = frozenset({"date", "time_window"})
AT_RISK: Final = "at_risk"
AS_NAMES_ARE: Final = re.compile(
    r"(?P<opening>(?i:my (?:full )?name is|my name's|the name is|name:|me llamo|mi nombre es) )?"
    r"(?P<name>[^\W\d_a-zß-ÿ][^\W\d_]*(?:[-'’ ]+[^\W\d_a-zß-ÿ][^\W\d_]*){1,5})[.]?"
)
"""Two to six words, each with a capital, and nothing else but what announces a name."""


@dataclass(frozen=True, slots=True)
class Words:
    """Customer messages that wait for an answer, oldest first, and the line of the last: the answer goes there."""

    messages: tuple[Entry, ...]
    interaction: Interaction

    @property
    def spoken(self) -> bool:
        """Whether the answer will be heard rather than read."""
        return self.interaction.channel == Channel.VOICE

    @property
    def hypotheses(self) -> tuple[str, ...]:
        """The readings of the last message, likeliest first: what was typed, or what a recogniser made of what was said."""
        last = self.messages[-1]
        return tuple(str(each) for each in last.data.get("hypotheses") or [last.body])

    def text_after(self, seq: int) -> str:
        """The words after an entry, as one text."""
        return "\n".join(entry.body for entry in self.messages if entry.seq > seq)[:LONGEST_TEXT]


@dataclass(frozen=True, slots=True)
class Reading:
    """What was understood and what was new in it; `known` is what the party has told, when none of that is new."""

    understanding: Understanding
    reason_is_new: bool
    alternatives: tuple[Reason, ...]
    new_facts: frozenset[str]
    changed_facts: Mapping[str, Any]
    known: Mapping[str, KnownFact] | None = None
    about: Reason | None = None
    """What these words alone are about, also when the conversation stays with what it is about."""
    besides: tuple[Understanding, ...] = ()
    """What else was wanted in the same breath, in order; `understanding` is of what comes first."""
    text: str = ""
    gloss: str = ""
    """All that was said, in its normal form and as the recognisers read it."""
    stops: bool = False
    """Whether what was going on was dropped first, and is no more; the words are what was said after that."""


def words_to_answer(conversation_id: int, *, after: int, upto: int) -> Words | None:
    """The customer's messages between two entries that nobody has answered; None when there is none.

    What a transport has answered itself (a call's own “yes, carry on”) is not among them. What another conversation
    owed when it, or a line of it, came here stands where that was noted; what was said on a line that went on elsewhere
    is answered there.
    """
    waiting = _unanswered(conversation_id, after, upto, lines_in=frozenset({conversation_id}), answered_in=conversation_id)
    line = waiting[-1].interaction if waiting else None
    return Words(tuple(waiting), line) if line else None


def _unanswered(conversation_id: int, after: int, upto: int, *, lines_in: frozenset[int], answered_in: int) -> list[Entry]:
    """The customer's unanswered messages of one conversation whose lines are in one of `lines_in` now."""
    waiting: list[Entry] = []
    for entry in SAID.all(conversation=conversation_id, after=after, upto=upto):
        if entry.kind != "message":
            waiting.extend(_owed_from_elsewhere(entry, lines_in, answered_in))
        elif entry.actor_kind == Entry.Actor.CUSTOMER:
            if entry.interaction is None or entry.interaction.conversation_id in lines_in:
                waiting.append(entry)
        elif not (entry.source_id or "").startswith(TURN_SOURCE):
            waiting.clear()
    return waiting


def _owed_from_elsewhere(note: Entry, lines_in: frozenset[int], answered_in: int) -> list[Entry]:
    """The words that a note of joining, separating or moving says are owed here, unless they are not by now."""
    owed = note.data["owed"]
    other = Conversation.objects.get(public_id=note.data["conversation"])
    if owed["whole"] and other.joined_into_id != note.conversation_id:
        return []
    lines_in = lines_in | {other.pk} if owed["whole"] else frozenset({answered_in})
    words = _unanswered(other.pk, owed["after"], owed["upto"], lines_in=lines_in, answered_in=answered_in)
    for entry in words:
        # The turn counts in the numbers of the conversation it answers in: there, these words stand where the note does.
        entry.seq = note.seq
    return words


def read(
    text: str,
    *,
    conversation: Conversation,
    words: Words,
    behaviour: Behaviour,
    now: datetime,
    entry_point: EntryPoint,
    reach: Reach,
    language: str = "en",
) -> Reading:
    """Understands `text`, learns its facts and sets reason, urgency and sentiment on `conversation`, without saving it.

    `language` (two letters) is the one it is in. Where a recogniser gave several readings and the likeliest says nothing, the
    next that says something counts. Locks the conversation's row while facts are stored.
    """
    state = dict(conversation.form_state)
    text, language = later.taken_up(text, state, language)
    stops = state.get("step") in BUSY_STEPS and acts.after_dropping(gloss(text, language), str(state.get("action") or ""))
    if stops:
        text, state = stops, later.left_over(state)
    conversation.form_state = state
    picks = choosing.choice(gloss(text, language), len(state.get("offered", []))) is not None
    expecting = None if picks else state.get("asked") or None

    def reading_of(heard: str, expecting: str | None = expecting) -> Understanding:
        found = understand(
            heard,
            spoken=words.spoken,
            now=now,
            default_region=entry_point.default_region,
            expecting=expecting,
            threshold=behaviour.reason_threshold,
            language=language,
        )
        found = named_weeks.with_days_meant(found, state, now.date(), expected=expecting in WHEN)
        return _with_name_among(_without_mistakes(_as_name(found, expecting)), expecting)

    heard, understood = text, reading_of(text)
    if words.spoken and len(words.messages) == 1 and not _tells(understood, expecting, state, text):
        others = (reading_of(each) for each in words.hypotheses[1:MOST_READINGS])
        understood = next((each for each in others if _tells(each, expecting, state, each.text)), understood)
        heard = understood.text
    understood = _put_right(understood, heard, conversation, words, reading_of)
    understood = acts.about_a_code(understood, state)
    in_turn, understood = breaths.without_denied(without_fillers(heard) if words.spoken else heard, understood, state, reading_of)
    said = understood
    understood, besides = breaths.several(in_turn, understood, state, reading_of, behaviour, expecting)
    known = facts.known_to(conversation, words.interaction, reach=reach)
    if "name" not in known and _will_ask_for_name(state, behaviour, understood.reason, expecting):
        understood = _with_name_told(understood, said, expecting, reading_of)
    told = frozenset(fact.name for fact in understood.facts)
    at_a_time = calls_asked.asks_for_call_at_a_time(understood.text, told, spoken=words.spoken)
    is_of_a_call = what_was_done.is_of_a_call(understood.gloss or understood.text)
    if schedule_callback.TOOL.name in behaviour.tools and (at_a_time or is_of_a_call):
        # A call at a chosen time is promised, and nobody needs to be found now.
        understood = replace(understood, asked_for_human=False, reason=None)
    understood = without_lateness(without_need(understood, state), now.date())
    if calls_asked.asks_for_call_before_coming(understood.gloss or understood.text):
        understood = replace(understood, reason=None)
    if not picks and state.get("step") != "answers":
        named_weeks.remember(state, said, now.date())
    stood = conversation.facts
    changed = _learn(understood, conversation, words, expecting, picks, known)
    _learn_at_risk(said.gloss or text, conversation, words, known)
    is_new, alternatives, about = keep_reason(understood, text, conversation, words.interaction)
    line, last_seq = words.interaction, words.messages[-1].seq
    more = details_told.learn_opening(understood.text, conversation, line, last_seq, behaviour) if is_new else ""
    if not changed and not more and not besides:
        more = details_told.learn_more(understood, conversation, line, last_seq, behaviour)
    if more:
        changed[more] = None
    replaced = {name: value for name, value in changed.items() if value is not None}
    still = known if conversation.facts is stood else None
    return Reading(
        understood, is_new, alternatives, frozenset(changed), replaced, still, about, besides, said.text, said.gloss, bool(stops)
    )


def _tells(understood: Understanding, expecting: str | None, state: Mapping[str, Any], text: str) -> bool:
    """Whether a reading says something that can be gone on with: what was asked for, a need, an answer, a choice, an act."""
    known_form = expecting in NAMES
    if expecting and (not known_form or any(fact.name == expecting and fact.confidence >= SURE_FACT for fact in understood.facts)):
        return True
    if understood.asked_for_human or understood.affirmative is not None or understood.urgency == "emergency" or understood.wishes:
        return True
    said = understood.gloss or text
    if acts.is_question(said) or acts.drops_it(said) or choosing.choice(said, len(state.get("offered", []))) is not None:
        return True
    return not expecting and (understood.reason is not None or bool(understood.facts))


def _without_mistakes(understood: Understanding) -> Understanding:
    """Without what bare facts are taken for: a postcode has no hour in it, words beside it say when; a name and a number ask for nobody."""
    found, names = understood.facts, {fact.name for fact in understood.facts}
    if "postcode" in names and len(understood.gloss.split()) <= FEW_WORDS:
        found = tuple(fact for fact in found if fact.name not in WHEN or IN_WORDS.search(fact.text))
    asked = understood.asked_for_human
    if asked and names and not wants_person(meaning(understood.gloss)):
        return replace(understood, facts=found, asked_for_human=False, reason=None)
    return replace(understood, facts=found)


def _put_right(
    understood: Understanding, heard: str, conversation: Conversation, words: Words, reading_of: Callable[..., Understanding]
) -> Understanding:
    """With what the words put right of what was told before; an hour alone is one for the visit that is being made or was just made."""
    state, text = conversation.form_state, understood.gloss or heard
    known = facts.known_to(conversation, words.interaction) if conversation.facts and corrections.is_one(text) else {}
    told = {name: str(fact.value) for name, fact in sorted(known.items(), key=lambda item: -item[1].seq) if name not in WHEN}
    if found := corrections.put_right(text, told):
        said = understood.text[: details_told.LONGEST]
        new = tuple(Fact(name, _written(name, value, reading_of), said, PUT_RIGHT) for name, value in found.items())
        return replace(understood, facts=new, reason=None, asked_for_human=False)
    chosen = state.get("slot") or "time_window" in (state.get("said") or {}) or (state.get("step") == "done" and state.get("reference"))
    hour = corrections.hour(text) if chosen else ""
    if not hour:
        return understood
    return replace(reading_of(hour, "time_window"), text=understood.text, gloss=understood.gloss, affirmative=None)


def _written(name: str, value: str, reading_of: Callable[..., Understanding]) -> str:
    """A value that was put right, in its normal form when it has one."""
    if name not in NAMES:
        return value
    read = next((fact.value for fact in reading_of(value, name).facts if fact.name == name), "")
    return read or value


def _as_name(understood: Understanding, expecting: str | None) -> Understanding:
    """A name that reads like a request is a name: “Pass Me To Manager”, written as names are where one was asked for or after “my name is”.

    What somebody in danger writes is never taken for one.
    """
    announced = AS_NAMES_ARE.fullmatch(understood.text.strip())
    if announced is None or not (expecting == "name" or announced["opening"]) or understood.urgency == "emergency":
        return understood
    if not (understood.asked_for_human or understood.reason or understood.affirmative is not None):
        return understood
    others = tuple(fact for fact in understood.facts if fact.name != "name")
    name = Fact("name", announced["name"], announced["name"], SURE_FACT_IN_PASSING)
    return replace(understood, facts=(*others, name), asked_for_human=False, reason=None, affirmative=None)


def _with_name_among(understood: Understanding, expecting: str | None) -> Understanding:
    """With the name that was asked for when it came together with something else: “Kim Lee 07700 900333”."""
    if expecting != "name" or not understood.facts or any(fact.name == "name" for fact in understood.facts):
        return understood
    rest = understood.gloss
    for fact in understood.facts:
        rest = rest.replace(fact.text, " ")
    name = find_name(rest.strip(" ,.;"), expected=True)
    return replace(understood, facts=(*understood.facts, Fact("name", *name))) if name else understood


def _will_ask_for_name(state: Mapping[str, Any], behaviour: Behaviour, reason: str | None, expecting: str | None) -> bool:
    """Whether what is going on or begins now asks for a name, and none of the words are the answer to a question of another kind."""
    if expecting == "name" or (expecting and expecting not in NAMES) or (state.get("action") and state.get("step") not in OVER):
        return False
    is_going_on = state.get("form") and state.get("step") not in OVER
    form = behaviour.form(str(state["form"])) if is_going_on else behaviour.form_for_reason(reason or "")
    return form is not None and (form.tool == book.TOOL.name or any(field.fact == "name" for field in form.fields))


def _with_name_told(
    understood: Understanding, said: Understanding, expecting: str | None, read: Callable[..., Understanding]
) -> Understanding:
    """With a name that nobody asked for yet, alone or beside other facts: “HB1 2AB, Summer May, 07700 900444”.

    What has a meaning of its own is none, and where a place was asked for, only what begins with a given name is no place.
    """
    if any(fact.name == "name" for fact in said.facts) or said.urgency == "emergency":
        return understood
    rest = said.text
    for fact in sorted(said.facts, key=lambda each: -len(each.text)):
        rest = re.sub(rf"(?<!\w){re.escape(fact.text)}(?!\w)", " , ", rest, flags=re.IGNORECASE)
    is_place_asked = expecting in PLACES and not any(fact.name not in WHEN for fact in said.facts)
    for part in dict.fromkeys([*volunteered(said.text), *volunteered(rest)]):
        if is_place_asked and not begins_with_given_name(part):
            # It may be a town.
            continue
        written = " ".join(word if word in PARTICLES or not word.islower() else word.capitalize() for word in part.split())
        alone, name = read(part, None), find_name(written, expected=True)
        others = without_days_in_name((*alone.facts, Fact("name", part, part, TOLD_IN_PASSING)))
        means_more = alone.reason or alone.asked_for_human or alone.affirmative is not None or len(others) > 1
        if name and not means_more:
            told = Fact("name", name[0], part, TOLD_IN_PASSING)
            return replace(understood, facts=without_days_in_name((*understood.facts, told)))
    return understood


def _learn(
    understood: Understanding,
    conversation: Conversation,
    words: Words,
    expecting: str | None,
    picks: bool,
    known: Mapping[str, KnownFact],
) -> dict[str, Any]:
    """The names of the new facts that were said, with the values they replace (None: nothing).

    A caller's or writer's own number is learned as well, so that it need not be asked for.
    """
    before = {name: fact.value for name, fact in known.items()}
    wanted = [
        LearnedFact(fact.name, fact.value, fact.text)
        for fact in understood.facts
        if _is_kept(fact, understood.gloss, conversation.form_state, expecting, picks)
    ]
    interaction = words.interaction
    has_number = interaction.channel in (Channel.VOICE, Channel.SMS) and interaction.party.startswith("+")
    if has_number and "phone" not in before and all(fact.name != "phone" for fact in wanted):
        wanted.append(LearnedFact("phone", interaction.party, interaction.party, shown=True))
    if not wanted:
        return {}
    learned = facts.learn(conversation, wanted, interaction=interaction, from_seq=words.messages[-1].seq)
    said = {fact.name for fact in understood.facts}
    replaced = {fact.name: before[fact.name] for fact in learned if before.get(fact.name, fact.value) != fact.value}
    return {fact.name: replaced.get(fact.name) for fact in learned if fact.name in said}


def _learn_at_risk(text: str, conversation: Conversation, words: Words, known: Mapping[str, KnownFact]) -> None:
    """That somebody there is very young, old or ill is for the tables to ask about; it is no answer to anything."""
    told = read_at_risk(meaning(text)) if AT_RISK not in known else ""
    if told:
        learned = [LearnedFact(AT_RISK, "yes", told)]
        facts.learn(conversation, learned, interaction=words.interaction, from_seq=words.messages[-1].seq)


def _is_kept(fact: Fact, text: str, state: Mapping[str, Any], expecting: str | None, picks: bool) -> bool:
    if fact.name in WHEN and (picks or hours_asked.only_asks_of_a_day(text, state)):
        return False
    if fact.name == "amount" and acts.ASKS_WHETHER_IT_IS.match(acts.plain(text)):
        return False
    if fact.confidence >= PUT_RIGHT:
        return True
    if state.get("step") == "answers" and (fact.name in WHEN or fact.name not in NAMES):
        # An answer that shows who somebody is: a birthday is no day for a visit.
        return False
    if fact.name == expecting:
        says_else = acts.drops_it(text) or acts.wants_to_start_over(text) or acts.is_short(text, acts.SKIP) or acts.is_small_talk(text)
        return not says_else and not (acts.is_question(text) and fact.confidence < SURE_FACT_IN_PASSING)
    if fact.name == "name":
        return fact.confidence >= SURE_FACT_IN_PASSING
    return fact.name in NAMES and fact.confidence >= SURE_FACT
