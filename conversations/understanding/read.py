"""The one door to understanding: a text, typed or said, becomes what the customer means."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from conversations.understanding import foreign, reasons, spelling
from conversations.understanding.addresses import find_address
from conversations.understanding.classify import THRESHOLD
from conversations.understanding.consent import ConsentWish, read_wishes
from conversations.understanding.danger import (
    Urgency,
    besides_harm,
    danger_in,
    higher,
    read_urgency,
    tells_of_unstopped_water,
    without_at_risk,
    without_denied,
)
from conversations.understanding.embed import embed
from conversations.understanding.facts import LONGEST_ANSWER, NAMES, Fact, extract
from conversations.understanding.gloss import FILES, gloss
from conversations.understanding.languages import unspoken
from conversations.understanding.names import GIVEN
from conversations.understanding.normalise import clean, meaning, normalise, plain
from conversations.understanding.postcodes import without_postcodes
from conversations.understanding.tone import asks_who_speaks, read_answer, wants_person
from conversations.understanding.working import without_what_works

PERSON_REASON: Final = "talk_to_person"
SURE: Final = 0.5
MORE_WORDS: Final = 2
WHEN: Final = frozenset({"date", "time_window"})
WHO: Final = frozenset({"name", "email", "phone"})
FEWEST_WORDS_OF_A_WISH: Final = 4
TOLD_ADDRESS: Final = 0.8
CANNOT_PAY: Final = re.compile(
    r"\b(?:(?:have |has |just )*lost (?:my|his|her|our) jobs?|(?:was|am|have been|been|got) (?:just )?(?:made redundant|laid off)"
    r"|(?:am|are) (?:now )?(?:out of work|unemployed|bankrupt))\b"
)
"""What people say who mean that they cannot pay."""
SURELY: Final = 0.6
UNSTOPPED_WATER: Final = "water is leaking and it cannot be turned off"
"""What whoever cannot stop the water means, however they say it."""
_INTRODUCTIONS: Final = (
    "my name phone number mobile email address postcode reference booking is it that the and a i am are this at on call me for in we our"
    " live"
)
INTRODUCING: Final = frozenset(_INTRODUCTIONS.split())


@dataclass(frozen=True, slots=True)
class Understanding:
    """What one utterance means.

    `text` is the normal form of what was typed or said; `reason` is None when it is unknown (`confidence` is then that of
    the likeliest guess, and `alternatives` the next three with their probabilities); `sentiment` runs from -1 to 1;
    `affirmative` is True for yes, False for no, None for neither; `wishes` is what it says about being contacted and recorded,
    which is no reason, and `besides` what is left of the text without that. `gloss` is the text as the recognisers read it, with
    the English words that they know in place of another language's; in English it is `text`.
    """

    text: str
    reason: str | None
    confidence: float
    alternatives: tuple[tuple[str, float], ...]
    urgency: Urgency
    sentiment: float
    asked_for_human: bool
    affirmative: bool | None
    facts: tuple[Fact, ...]
    wishes: tuple[ConsentWish, ...] = ()
    besides: str = ""
    gloss: str = ""


def understand(
    text: str,
    *,
    spoken: bool,
    now: datetime,
    default_region: str,
    expecting: str | None = None,
    threshold: float = THRESHOLD,
    language: str = "en",
) -> Understanding:
    """What `text` means; the same for a need typed and said.

    `now` is aware, in the zone in which “tomorrow” is meant; `default_region` (ISO 3166, as GB) is where a phone number
    without a country code and a postcode are from; `expecting` is the fact just asked for, if any; `threshold` is
    the confidence below which the reason is unknown; `language` (two letters) is the one it is in. One query; about 15 ms, and
    seconds at the first call of a process or after phrases changed, so an event loop calls it through `asyncio.to_thread`.

    Raises ValueError when `now` is naive.
    """
    read = _with_danger(gloss(clean(text), language, names=expecting == "name"), text, language)
    written, known_words = (clean(text) if language != "en" else normalise(text, spoken=spoken)), normalise(read, spoken=spoken)
    facts = tuple(_as_said(fact, written) for fact in extract(known_words, now=now, default_region=default_region, expecting=expecting))
    # The words of an address are never read as English ones.
    is_a_story = expecting is not None and expecting not in NAMES
    address = find_address(written, region=default_region.upper(), expected=expecting == "address", in_passing=not is_a_story)
    facts = (*facts, Fact("address", address, address, TOLD_ADDRESS)) if address else facts
    known = reasons.current()
    facts = tuple(fact for fact in facts if not (expecting == "name" and _is_of_a_need(fact, read, known.words)))
    is_typed = language == "en" and not spoken and expecting != "name"
    meant = _without_slips(read, facts, known.words) if is_typed else read
    if meant != read:
        read = _with_danger(meant, text, language)
        known_words = normalise(read, spoken=spoken)
        facts = (*facts, *_days_beside(facts, known_words, now, default_region, expecting))
    wishes, besides = read_wishes(read)
    core = meaning(besides)
    if not core:
        return Understanding(written, None, 0.0, (), "normal", 0.0, False, None, facts, wishes, besides, known_words)
    needed = without_what_works(core)
    vector = embed([CANNOT_PAY.sub("cannot afford to pay", _without_who(without_denied(needed), facts))])[0]
    found = known.classifier.classify(vector, threshold)
    placeless = without_at_risk(without_postcodes(needed, region=default_region))
    if found.reason is None and expecting is None and (rest := _without_facts(placeless, facts)) != needed:
        # “Boiler service HB1 4QT next week”: what it is about is said in few words among many that tell where and when.
        alone = known.classifier.classify(embed([rest])[0], threshold)
        found = alone if alone.reason else found
    says_no_need = _only_answers(expecting, facts, core) or (unspoken(text) and not foreign.danger(text))
    reason = None if says_no_need or (found.reason == PERSON_REASON and asks_who_speaks(core)) else found.reason
    urgency = higher(read_urgency(core), known.urgencies.get(reason or "", "normal"))
    if urgency == "emergency" and not says_no_need:
        reason = _reason_of_danger(core, reason, known, threshold)
    return Understanding(
        text=written,
        reason=reason,
        confidence=found.confidence,
        alternatives=found.alternatives,
        urgency=urgency,
        sentiment=reasons.tone_reader().read(vector),
        asked_for_human=wants_person(core) or reason == PERSON_REASON,
        affirmative=read_answer(plain(besides)),
        facts=facts,
        wishes=wishes,
        besides=besides,
        gloss=known_words,
    )


def _reason_of_danger(core: str, reason: str | None, known: reasons.Reasons, threshold: float) -> str | None:
    """The reason that a danger has, whatever else was read from the words that tell of it.

    Beside fire and harm, a reason stands that surely stands without them: what smokes is no gas, and sparks are no cold radiator.
    Water that nobody can stop is a leak in whatever words, and any other danger has the reason of its own words alone, where that presses.
    """

    def read(words: str, threshold: float = threshold) -> str | None:
        return known.classifier.classify(embed([words])[0], threshold).reason if words else None

    harm_aside = besides_harm(core)
    if harm_aside is not None:
        return reason if reason == read(harm_aside, max(threshold, SURELY)) else None
    if known.urgencies.get(reason or "") == "emergency":
        return reason
    alone = read(UNSTOPPED_WATER if tells_of_unstopped_water(core) else danger_in(core))
    return alone if known.urgencies.get(alone or "", "normal") != "normal" else reason


def _is_of_a_need(fact: Fact, read: str, words: Mapping[str, int]) -> bool:
    """Whether what was taken for the name that was asked for is a word that customers tell their needs in, and nothing else: “combi”."""
    said = read.strip(" .,!?")
    return fact.name == "name" and said.islower() and said in words and said not in GIVEN


def _without_slips(read: str, facts: tuple[Fact, ...], words: Mapping[str, int]) -> str:
    """`read` with slips of the keyboard put right by the `words` of the company's phrases; what tells a fact stays as it was typed."""
    told = {word.strip(".,;:!?'\"").lower() for fact in facts if fact.name in NAMES for word in fact.text.split()}
    return spelling.put_right(read, words, kept=told)


def _days_beside(facts: tuple[Fact, ...], meant: str, now: datetime, region: str, expecting: str | None) -> list[Fact]:
    """A day and a time that are only there once slips are put right: “on Friady”."""
    told = {fact.name for fact in facts}
    if told & WHEN:
        return []
    return [fact for fact in extract(meant, now=now, default_region=region, expecting=expecting) if fact.name in WHEN]


def _without_facts(core: str, facts: tuple[Fact, ...]) -> str:
    """`core` without the words that tell facts; all of it when fewer than two words would be left."""
    told = set(" ".join(meaning(fact.text) for fact in facts if fact.name in NAMES).split())
    left = [word for word in core.split() if word not in told]
    return " ".join(left) if len(left) > 1 else core


def _without_who(core: str, facts: tuple[Fact, ...]) -> str:
    """`core` without “my email is … and”, which says who asks and not for what; all of it when less than a wish would be left."""
    left = core
    for fact in facts:
        if fact.name in WHO:
            left = re.sub(rf"\b(?:my|the) (?:(?!new\b)\w+ ){{1,3}}is {re.escape(meaning(fact.text))}(?: and)?(?= |$)", " ", left)
    left = " ".join(left.split())
    return left if len(left.split()) >= FEWEST_WORDS_OF_A_WISH else core


def _with_danger(read: str, text: str, language: str) -> str:
    """`read`, or what `text` says in another language when only that tells of a danger: fear waits for no language to be chosen."""
    if read_urgency(meaning(read)) == "emergency":
        return read
    for other in FILES:
        if other != language and read_urgency(meaning(found := gloss(clean(text), other))) == "emergency":
            return found
    return foreign.danger(text) or read


def _as_said(fact: Fact, written: str) -> Fact:
    """A fact of no known form is the answer itself, in the words that were said."""
    return fact if fact.name in NAMES else replace(fact, value=written[:LONGEST_ANSWER], text=written[:LONGEST_ANSWER])


def _only_answers(expecting: str | None, facts: tuple[Fact, ...], core: str) -> bool:
    """Whether the text only tells facts, so that no new reason should be read from it.

    “Sam Booker” is a name and not a wish to book; “my postcode is HB1 4QT” asks for nothing. Up to two words more
    are let pass in the answer to a question, none otherwise, but for words that introduce a fact.
    """
    if not any(fact.confidence > SURE for fact in facts):
        return False
    told = set(" ".join(meaning(fact.text) for fact in facts).split()) | INTRODUCING
    left = sum(word not in told for word in core.split())
    is_answer = any(fact.name == expecting and fact.confidence > SURE for fact in facts)
    return left <= (MORE_WORDS if is_answer else 0)
