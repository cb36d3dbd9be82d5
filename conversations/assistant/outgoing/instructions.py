"""Telling texts that speak to a machine from texts for people, so that what comes from outside reaches no brain as an order.

It is a sieve and no proof: what passes it is data all the same, and the guard decides over every call and every reply.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from conversations.assistant.tools import TOOLS

MACHINE: Final = r"(?:ai|llm|chatbot|bot|language model|ai agent|ai assistant|ai model|assistant model|automated agent)"
BEGINNING: Final = r"(?:^|[\n\[(<{*#.\"'“—-])\s*"
RULES: Final = r"(?:instructions|rules|prompts?|polic(?:y|ies)|guidelines|guardrails)"
NAMES: Final = rf"(?:{'|'.join(sorted(name for name in TOOLS if '_' in name))})"
"""Tools whose names are no words of people's."""
WORDS: Final = rf"(?:{'|'.join(sorted(name for name in TOOLS if '_' not in name))})"
ORDERED: Final = r"(?:add|append|book|call|cancel|include|note|open|output|print|promise|repeat|reveal|say|schedule|send|update)"
PATTERNS: Final = (
    # What holds for people is to be forgotten.
    rf"(?<!not )(?<!never )(?<!n't )\b(?:ignore|disregard|forget|override|bypass)\s+(?:[\w’']+\s+){{0,4}}{RULES}\b",
    r"\b(?:ignora|olvida|omite)\s+(?:[\wáéíóú]+\s+){0,4}(?:instrucciones|reglas|pol[ií]ticas)\b",
    r"\b(?:ignoriere?|vergiss)\s+(?:[\wäöü]+\s+){0,4}(?:anweisungen|regeln)\b",
    r"\bignore[zr]?\s+(?:[\wéèà]+\s+){0,4}(?:instructions|consignes|r[èe]gles)\b",
    rf"\bnew {RULES}\s*[:=]|\b(?:end|begin) of (?:system|prompt|instructions|policy)\b",
    r"\b(?:system|hidden|secret|initial|original|your) (?:prompt|instructions)\b",
    # Somebody else seems to speak.
    rf"{BEGINNING}(?-i:SYSTEM|ASSISTANT|DEVELOPER|ADMIN|ROOT)\s*[:>\]]",
    rf"{BEGINNING}(?:system|assistant|developer|admin(?:istrator)?) (?:prompt|message|note|override|instruction|update)\s*[:>\]]",
    rf"{BEGINNING}(?:system|assistant|developer|admin)\s*:(?=.*\b(?:you|user|customer|caller|verified|call|ignore|say|tell)\b)",
    r"</?\s*(?:system|assistant|user|human|customer|tool|message|instructions?|function_calls?|invoke|admin|policy|prompt)\b[^>]*>",
    r"\[/?(?:INST|SYS|SYSTEM)\]|<\|[\w ]*\|>|<<SYS>>|###\s*(?:instruction|system|response)",
    # A machine is spoken to.
    r"\b(?:you are|you're) now\b(?=.*\b(?:mode|admin|assistant|verified|unrestricted|developer|bot|ai)\b)",
    r"\b(?:developer|debug|admin|maintenance|god|jailbreak|dan) mode\b",
    rf"\b(?:note|message|instructions?|attention|important|dear|hey|hello)[\s,:]+(?:(?:to|for)\s+)?(?:(?:the|any|all|our)\s+)?{MACHINE}s?\b",
    rf"\b(?:{MACHINE}|assistant)s?(?: (?:reading|processing|seeing) this)? (?:must|should|shall|has to|have to|is to|needs to)\b",
    rf"(?:^|[.!?\n])\s*(?:{MACHINE}|assistant)\s*[,:]\s",
    rf"(?:^|[.!?:\n])\s*(?:{MACHINE}|assistant)s,?\s+(?:please\s+)?{ORDERED}\b",
    # Tools are named.
    r"\b(?:call|run|invoke|execute|trigger|use) (?:the )?(?:tool|function|command|api)\b(?! keys?)",
    rf"\b{WORDS}\(|\b{NAMES}\b",
    r"[\"']?\b(?:tool|tool_name|function|tool_use|arguments)[\"']?\s*[:=]\s*[\"'{]",
    # The inside is to be shown, or the customer deceived.
    r"\b(?:repeat|reveal|print|output|recite|disclose|leak|append|include|say|(?:reply|answer|respond|begin|end) with)\b[^.\n]{0,80}"
    r"\b(?:verbatim|word for word|canary|secret|password|prompt|policies|persona|token|exactly)\b",
    r"\b(?:do not|don't|without) (?:tell|telling|inform|informing|ask|asking|mention)\w*\b[^.\n]{0,30}\b(?:customer|user|caller|visitor)\b",
)
SPEAKS: Final = re.compile("|".join(f"(?:{pattern})" for pattern in PATTERNS), re.IGNORECASE)
SMALL: Final = [pattern for pattern in PATTERNS if pattern == pattern.lower()]
FOLDED: Final = re.compile("|".join(f"(?:{pattern})" for pattern in SMALL))
CASED: Final = re.compile("|".join(f"(?:{pattern})" for pattern in PATTERNS if pattern not in SMALL), re.IGNORECASE)
"""The same in two, since most are found three times as fast in a casefolded text, without ignoring case."""
UNSEEN: Final = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff\U000e0000-\U000e007f]")
NO_NAME: Final = re.compile(r"[;<>{}\[\]|/\\:@#\d]")
BESIDES_A_NAME: Final = re.compile(r"[^\w\s.'’,-]|\d")
LONGEST_ORDER: Final = 300
SENTENCE_START: Final = re.compile(r"(?:[.?!:;]\s+|\n+)")


def speaks_to_machines(text: str) -> bool:
    """Whether a text gives an order to an AI or shows the inside of one."""
    plain = UNSEEN.sub("", text)
    return FOLDED.search(plain.casefold()) is not None or CASED.search(plain) is not None


def without_orders(value: Any) -> Any:
    """JSON from outside without what speaks to machines: of a text, the paragraph is cut from the sentence with it on.

    No mark is left, since customers read what is told from it.
    """
    if isinstance(value, str):
        return "\n\n".join(filter(None, map(_cut, value.split("\n\n")))) if speaks_to_machines(value) else value
    if isinstance(value, Mapping):
        return {key: without_orders(each) for key, each in value.items()}
    if isinstance(value, Sequence):
        return [without_orders(each) for each in value]
    return value


def orders_in(*texts: str) -> list[str]:
    """What of some texts speaks to a machine, as it is written, from the beginning of each such sentence; for whoever may mend it."""
    found = (UNSEEN.sub("", paragraph) for text in texts for paragraph in text.split("\n\n") if speaks_to_machines(paragraph))
    return [paragraph[_order_begins(paragraph) :].strip()[:LONGEST_ORDER] for paragraph in found]


def plain_fact(name: str, value: Any) -> Any:
    """What is known of a customer without orders; a name that holds code is cut where it stops being one."""
    if name == "name" and isinstance(value, str) and NO_NAME.search(value):
        value = BESIDES_A_NAME.split(value)[0].strip(" '’-,")
    return without_orders(value)


def _cut(paragraph: str) -> str:
    plain = UNSEEN.sub("", paragraph)
    if not SPEAKS.search(plain):
        return paragraph
    return plain[: _order_begins(plain)].strip()


def _order_begins(paragraph: str) -> int:
    """Where the sentence begins in which a paragraph speaks to a machine; 0 when none does."""
    found = SPEAKS.search(paragraph)
    if found is None:
        return 0
    starts = [match.end() for match in SENTENCE_START.finditer(paragraph, 0, found.end()) if match.start() <= found.start()]
    return starts[-1] if starts else 0
