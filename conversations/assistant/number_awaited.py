"""Whether words may be meant as the number for a call back, which was asked for."""

from __future__ import annotations

import re
from typing import Final

from conversations.assistant import acts
from conversations.assistant.preparing import Prepared

MOST_WORDS_OF_NUMBER: Final = 8
LIKE_A_NUMBER: Final = re.compile(
    r"\d|@|\b(?:number|phone|mobile|zero|oh|one|two|three|four|five|six|seven|eight|nine|double|triple)\b", re.IGNORECASE
)
"""What is in words that are meant to be a number, however they came out; “your plumber broke my vase” tells something."""
MOST_WORDS_OF_A_SCRAP: Final = 2
POLITE: Final = re.compile(f"{acts.THANKS.pattern}|{acts.BYE.pattern}")


def may_be_meant_as_number(prepared: Prepared) -> bool:
    """Whether a few words that tell no number and nothing else may be the answer to the question for one."""
    context, understood = prepared.context, prepared.context.understanding
    text = context.words
    says_else = context.new_facts - {"name"} or understood.reason or understood.affirmative is False or understood.wishes
    is_act = acts.is_question(text) or acts.drops_it(text) or acts.wants_to_start_over(text) or context.asks_only_for_language
    patterns = (acts.SKIP, acts.REPEAT, acts.GREETING)
    is_act = is_act or any(acts.is_short(text, each) for each in patterns) or acts.is_brief_mention(text, POLITE)
    few = len(text.split()) <= (MOST_WORDS_OF_NUMBER if LIKE_A_NUMBER.search(text) else MOST_WORDS_OF_A_SCRAP)
    return bool(text) and few and not says_else and not is_act
