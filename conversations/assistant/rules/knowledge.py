"""Questions that are answered from articles and from the price list, with their source."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

from conversations.assistant import acts, answers, hours_asked, prices_asked, wording
from conversations.assistant.brain import Reason, TurnContext
from conversations.assistant.rules import beside, opening
from conversations.assistant.rules.dialogue import Dialogue
from conversations.assistant.tools import find_prices, search_knowledge
from conversations.assistant.tools.search_knowledge import SURE_PASSAGE
from conversations.knowledge.sentences import codes_in
from conversations.understanding import needs
from conversations.understanding.danger import read_urgency
from conversations.understanding.normalise import meaning, plain
from conversations.understanding.spelling import unknown_words

MOST_PRICES = 3
LONGEST_SPOKEN = answers.SPOKEN[1]
MOST_WORDS = 0.6
FEWEST_WORDS = 2
SURE_ANSWER = 0.5
NEARLY_THE_SAME = 0.75
WORTH_NAMING = 0.5
"""Below it, what is beside a question about nothing that is known here is not even named."""
MOST_TO_DO = 8
WORK = re.compile(r"\b(?:how much|price|cost|costs|charge|fee)\b.*?\bto (?P<work>[a-z]{3,})\b")
ANY_WORK = frozenset(
    {"get", "have", "come", "book", "fix", "repair", "mend", "sort", "pay", "know", "ask", "see", "send", "make", "look", "find", "arrange"}
)
"""What may be done with anything, or is no work."""
FITTING = frozenset({"fit", "install", "replac", "chang", "swap", "put"})
WORD_OF_ROW = re.compile(r"[a-z]{5,}")
SAME_PRICE = re.compile(
    r"\b(?:(?:the|that) price (?:was|is|again)|how much (?:was|is|will|would) (?:it|that)|what (?:was|is|'s) (?:the|that) price"
    r"|(?:it|that) (?:was|is|would be|costs?) how much)\b"
)
"""The price that was told last."""
TOLD_OF = "told_of"
"""In the state: what the article that answered last is about, for a question that says little alone."""
PRICE_OF = "price_of"
"""Stands in the state when it was asked what a price is wanted of."""
ASKS_A_PRICE = re.compile(r"\b(?:how much|price|costs?|charge|fee)\b", re.IGNORECASE)
MOST_WORDS_OF_NOTHING = 6
MOST_WORDS_OF_A_THING = 8


async def answer(dialogue: Dialogue, *, least_score: float = 0.0) -> bool:
    """Answers the words of this turn from the hours, from prices or articles; says whether there was an answer."""
    if await opening.answer(dialogue):
        return True
    if asks_for_price(dialogue) and await answer_price(dialogue):
        return True
    if await _answer_price_of_more(dialogue):
        return True
    if not await answer_from_article(dialogue, least_score=least_score):
        return False
    if hours_asked.asks(dialogue.context.words) and not dialogue.does_not_know:
        dialogue.state[hours_asked.ASKED] = True
    return True


def asks_for_price(dialogue: Dialogue) -> bool:
    """Whether the reason or the words are about a price."""
    reason, context = dialogue.context.reason, dialogue.context
    about = context.reason_is_new and reason is not None and reason.code.startswith("price")
    return about or prices_asked.asks(context.words)


def asks_price_of_nothing(dialogue: Dialogue) -> bool:
    """Whether a price is asked and nothing said of what for: “how much?”"""
    words = dialogue.context.words
    is_short = len(words.split()) <= MOST_WORDS_OF_NOTHING and ASKS_A_PRICE.search(words) is not None
    return is_short and answers.shared_words("", ASKS_A_PRICE.sub(" ", words))[1] == 0


def names_more(dialogue: Dialogue) -> bool:
    """Whether words only name what a price is wanted of, too, or when that was asked: “and a boiler service”, “a boiler service”."""
    words, state = acts.plain(dialogue.context.words), dialogue.state
    if prices_asked.goes_on_about_when(words, state):
        return not dialogue.is_busy
    goes_on = prices_asked.GOES_ON.match(words)
    rest = words[goes_on.end() :] if goes_on else words
    is_of_a_price = state.pop(PRICE_OF, False) or (state.get("priced") and goes_on)
    is_wish = acts.is_request(rest) or acts.wants_visit(rest) or acts.BOOKS.search(rest)
    is_name = len(rest.split()) <= MOST_WORDS_OF_A_THING and not dialogue.context.new_facts
    return bool(is_of_a_price) and is_name and not is_wish and not dialogue.is_busy


async def asks_what_for(dialogue: Dialogue) -> bool:
    """Asks what the price is wanted of, where neither the words nor what was said before tell; says whether it did."""
    if dialogue.is_busy or not asks_price_of_nothing(dialogue) or await _prices_of_what_was_named(dialogue):
        return False
    dialogue.say(_("What would you like to know the price of?"))
    dialogue.state[PRICE_OF] = True
    return True


async def answer_price(dialogue: Dialogue, *, of: str = "") -> bool:
    """Says what fits on the price list, by the words of this turn or those of what the price is asked `of`; says whether anything did."""
    prices = await _prices(dialogue, of or dialogue.context.words)
    if not prices and dialogue.form and dialogue.state.get("service"):
        # “How much is it?” in the middle of a booking is about what is being booked.
        booked = str(dialogue.state["service"])
        prices = [each for each in await _prices(dialogue, booked) if each["name"] == booked]
    is_of_the_same = SAME_PRICE.search(acts.plain(dialogue.context.words)) or asks_price_of_nothing(dialogue)
    if not prices and not of and is_of_the_same:
        prices = await _prices_of_what_was_named(dialogue)
    if not prices:
        return False
    if dialogue.form is None:
        dialogue.state.update(service=prices[0]["name"], services=[each["name"] for each in prices])
    dialogue.state["priced"] = prices[0]["name"]
    if _is_other_work(prices[0], dialogue.context.words):
        dialogue.say(_("I have no price for exactly that. Nearest to it on our list:"))
    dialogue.say(" ".join(_said_prices(prices, dialogue.context)))
    return True


async def _prices_of_what_was_named(dialogue: Dialogue) -> list[dict[str, str]]:
    """The price of what was asked about before: “how much is that?”"""
    named, history = dialogue.state.get("named") or [], dialogue.context.history
    priced = str(named[-1] if isinstance(named, list) and named else dialogue.state.get("priced") or "")
    if priced:
        found = await _prices(dialogue, priced)
        # A visit for a need that is on no list, “blocked drain or toilet”, costs what is nearest to it there.
        return [each for each in found if each["name"] == priced] or found[:1]
    said = [line.text for line in history if line.kind == "message" and line.speaker == "customer"]
    # The last of them is what is being answered.
    return (await _prices(dialogue, said[-2]))[:1] if len(said) > 1 else []


def _is_other_work(row: Mapping[str, str], words: str) -> bool:
    """Whether the price of some work is asked that the row is not about: “to bleed a radiator” where there is one for fitting it."""
    work = WORK.search(acts.plain(words))
    if work is None or work["work"] in ANY_WORK:
        return False
    stem, told = work["work"].removesuffix("e"), f"{row['name']} {row['description']}".lower()
    stems = FITTING if stem in FITTING else frozenset({stem})
    is_named = any(each in told for each in stems) or any(word[:5] in stem for word in WORD_OF_ROW.findall(told))
    return not is_named


async def _answer_price_of_more(dialogue: Dialogue) -> bool:
    """“And for two boilers?” after a price per boiler is about the same; says whether it was that."""
    priced, words = str(dialogue.state.get("priced") or ""), dialogue.context.words
    if not priced or not prices_asked.GOES_ON.match(acts.plain(words)):
        return False
    same = [each for each in await _prices(dialogue, priced) if each["name"] == priced and _is_of_several(each, words)]
    if not same:
        return False
    dialogue.state.update(service=priced, services=[priced])
    dialogue.say(_price({**same[0], "description": ""}, dialogue.context))
    return True


def _is_of_several(row: Mapping[str, str], words: str) -> bool:
    """Whether words name a number of what a price is for: “two taps” where it is per tap."""
    noun = row["unit"].removeprefix("per ") if row["unit"].startswith("per ") else ""
    return bool(noun) and re.search(rf"\b\d{{1,2}} (?:\w+ )?{re.escape(noun)}s?\b", plain(words)) is not None


def _said_prices(prices: list[dict[str, str]], context: TurnContext) -> list[str]:
    """Each price in a sentence. Several of them are heard without what they are for, and no more than are remembered."""
    if not context.spoken or len(prices) == 1:
        return [_price(each, context) for each in prices]
    said: list[str] = []
    for each in prices:
        sentence = _price({**each, "description": ""}, context)
        if said and len(" ".join([*said, sentence])) > LONGEST_SPOKEN:
            break
        said.append(sentence)
    return said


async def _prices(dialogue: Dialogue, wanted: str) -> list[dict[str, str]]:
    """The prices that fit; of several things that are listed, “a boiler service and a radiator”, that of each."""
    parts = needs.parts_of(wanted)
    if len(parts) > 1 and any(needs.is_listed(each) for each in parts):
        of_each = [row for part in parts for row in (await _prices_of_one(dialogue, part))[:1]]
        return list({row["name"]: row for row in of_each}.values())[:MOST_PRICES]
    return await _prices_of_one(dialogue, wanted)


async def _prices_of_one(dialogue: Dialogue, wanted: str) -> list[dict[str, str]]:
    found = await dialogue.tools.call(find_prices.TOOL.name, {"query": wanted})
    return list(found.result.get("prices", []))[:MOST_PRICES] if found.worked else []


def _price(row: dict[str, str], context: TurnContext) -> str:
    named = context.behaviour.named
    values = {"name": named(row["name"]), "amount": row["price"], "unit": named(row["unit"])}
    if row["unit"] == "from":
        sentence = _("%(name)s: from %(amount)s.") % values
    elif row["unit"]:
        sentence = _("%(name)s: %(amount)s (%(unit)s).") % values
    else:
        sentence = _("%(name)s: %(amount)s.") % values
    # A service with a name in another language has no description in it.
    return sentence if named(row["name"]) != row["name"] else f"{sentence} {row['description']}".strip()


async def answer_from_article(dialogue: Dialogue, *, least_score: float = 0.0) -> bool:
    """Answers from the article that fits best and names it; says whether one did."""
    context = dialogue.context
    best = await _best_passage(dialogue, least_score)
    if best is None:
        return False
    if best["score"] < SURE_PASSAGE and not (acts.wants_to_know(context.words) or codes_in(context.words)):
        # Whoever tells something and asks nothing is not to be taught, unless an article is surely about it.
        return False
    text = answers.fitting(best["text"], _question(context), spoken=context.spoken)
    if not text:
        return False
    near_only = _is_near_only(best, dialogue)
    if not near_only and beside.is_beside(best, context):
        return False
    if near_only and best["score"] < WORTH_NAMING and context.understanding.reason is None:
        return False
    if near_only:
        dialogue.does_not_know = dialogue.knows_nearest = True
        dialogue.say(_("I have no answer to exactly that."))
        near = _("Nearest to it is our help page “%(title)s”: %(text)s")
        told = near if _words_in(best, dialogue) else _("Nearest to it is our help page “%(title)s”.")
        dialogue.say(told % {"title": best["title"], "text": text})
        dialogue.cite(best["title"], best["url"])
        return True
    dialogue.state[TOLD_OF] = {"code": best["reason"], "name": best["title"]} if best["reason"] else {}
    dialogue.say(text)
    if context.spoken:
        dialogue.say(_("That is from our help page “%(title)s”.") % {"title": best["title"]})
    dialogue.cite(best["title"], best["url"])
    return True


async def answer_with_opening(dialogue: Dialogue) -> bool:
    """Says the whole beginning of the article about the reason, also on the phone: what to do in a danger. Says whether there is one."""
    reason = dialogue.context.reason
    if reason is None:
        return False
    said = (*_dangers_told(dialogue), dialogue.context.text, dialogue.context.behaviour.named(reason.name))
    passages = [each for words in dict.fromkeys(said) for each in await _passages(dialogue, words)]
    found = next((each for each in passages if each["reason"] == reason.code), None)
    if found is None:
        return False
    dialogue.say(answers.opening(answers.first_block(found["text"]), MOST_TO_DO))
    dialogue.cite(found["title"], found["url"])
    return True


def _dangers_told(dialogue: Dialogue) -> list[str]:
    """What the customer said of a danger before, the latest first."""
    said = [line.text for line in reversed(dialogue.context.history) if line.kind == "message" and line.speaker == "customer"]
    return [words for words in said if read_urgency(meaning(words)) == "emergency"]


def _is_near_only(passage: Mapping[str, Any], dialogue: Dialogue) -> bool:
    """Whether a passage is about something beside what was asked: not nearly what the question is, of another reason, and without most
    of its telling words. Misspelt words tell nothing of that."""
    context = dialogue.context
    if not context.language.startswith("en") or passage["within"] or passage["score"] >= NEARLY_THE_SAME:
        return False
    if not acts.wants_to_know(context.words) or context.understanding.reason == passage["reason"]:
        return False
    slips = set(unknown_words(context.words.lower()))
    question = " ".join(word for word in context.words.split() if word.lower().strip("?.,!") not in slips)
    shared, telling = answers.shared_words(f"{passage['title']} {passage['text']}", question)
    return telling >= FEWEST_WORDS and 2 * shared <= telling


def _is_about(passage: Mapping[str, Any], dialogue: Dialogue) -> bool:
    """Whether a passage is about what was asked, as far as can be told.

    To the embedding model, which has learned English, all that is written in another language looks alike. There, the reason
    that was understood must be the passage's, or most telling words of the question must stand in it: all of them in a passage
    about something else than was understood, and never one word alone.
    """
    context = dialogue.context
    if context.language.startswith("en"):
        return True
    understood = context.understanding.reason
    if understood and passage["reason"] == understood:
        return True
    shared, telling = answers.shared_words(f"{passage['title']} {passage['text']}", context.text)
    return shared >= FEWEST_WORDS and shared >= telling * (1 if understood and passage["reason"] else MOST_WORDS)


async def _best_passage(dialogue: Dialogue, least_score: float) -> Mapping[str, Any] | None:
    """The passage for the words alone when it is sure, otherwise for the words with what it is all about before them.

    “How long does it take?” says little alone; “what if the engineer is late?” is about something else.
    """
    context = dialogue.context
    told_of = dialogue.state.get(TOLD_OF) or {}
    reason = (context.about if not context.language.startswith("en") else None) or context.reason
    reason = reason or (Reason(**told_of) if told_of else None)
    found = await _passages(dialogue, _question(context), reason)
    alone = [each for each in found if not each["within"]]
    if alone and alone[0]["score"] >= SURE_PASSAGE:
        return alone[0]
    same = [each for each in found if each["within"] and _goes_on_about(each, dialogue)]
    best = next(iter([*same, *alone]), None)
    nearest = max(alone, key=lambda each: (_words_in(each, dialogue), each["score"]), default=None)
    if same and nearest and _words_in(nearest, dialogue) > _words_in(same[0], dialogue):
        best = nearest
    return best if best and best["score"] >= least_score else None


def _question(context: TurnContext) -> str:
    """What was asked in its own words; with a code in it as it is typed, “E119” for “e one one nine”."""
    return context.words if codes_in(context.words) else context.text


def _words_in(passage: Mapping[str, Any], dialogue: Dialogue) -> int:
    """How many telling words of the question stand in a passage or its title."""
    return answers.shared_words(f"{passage['title']} {passage['text']}", dialogue.context.text)[0]


def _goes_on_about(passage: Mapping[str, Any], dialogue: Dialogue) -> bool:
    """Whether a passage about what it is all about is about these words, too: they gave that reason, or share a word with it."""
    context = dialogue.context
    gave = not context.language.startswith("en") and context.understanding.reason == passage["reason"]
    return gave or answers.shares_words(passage["text"], context.text)


async def _passages(dialogue: Dialogue, query: str, reason: Reason | None = None) -> list[Mapping[str, Any]]:
    """What is found by one search and is about what was asked, best first; with a reason also what answers `within` that."""
    asked: dict[str, Any] = {"query": acts.question_alone(query)[:2000] or "-"}
    if reason:
        asked["about"] = {"reason": reason.code, "name": dialogue.context.behaviour.named(reason.name)}
    found = await dialogue.tools.call(search_knowledge.TOOL.name, asked)
    return [each for each in found.result.get("passages", []) if _is_about(each, dialogue)] if found.worked else []


def names_of_reasons(dialogue: Dialogue) -> str:
    """The likely reasons, as a list to choose from."""
    return wording.listed([dialogue.context.behaviour.named(reason.name) for reason in dialogue.context.alternatives], _("or"))
