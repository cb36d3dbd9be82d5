"""How it was said: urgency, a wish for a person, yes or no. Words only, no model."""

from __future__ import annotations

import re
from typing import Final, Literal

Urgency = Literal["normal", "high", "emergency"]
ORDER: Final[tuple[Urgency, ...]] = ("normal", "high", "emergency")

# Matched against `normalise.meaning`: small letters, no punctuation, contractions written out.
EMERGENCY: Final = re.compile(
    r"\b(?:smell(?:s|ing|ed)? (?:of )?(?:strongly of |strong |like |some )?gas|gas smell|smell of gas|gas (?:leak|escape"
    r"|is leaking)|leaking gas|smell(?:s|ing)? gassy|smell(?:s|ing)? (?:of |like )?rotten eggs?|there is gas (?:in|everywhere)"
    r"|there is a (?:small |big )?fire(?! ?(?:place|alarm|door))|^fire(?: fire| help)*$"
    r"|carbon monoxide|co alarm|monoxide alarm|burning smell|smell (?:of )?burning|smells? like burning|on fire|caught fire"
    r"|sparks?|sparking|smoke (?:is |was )?(?:coming|pouring|billowing|rising)|(?:smoke|smoking) (?:from|out of) (?:the|my|our)"
    r"|(?:boiler|cooker|heater|socket|stove) (?:is|has started) (?:smoking|on fire)"
    r"|electric shock|water (?:is )?(?:pouring|gushing|coming|running|streaming|dripping)(?: in| down)? (?:through|out of|from|down)"
    r" (?:the|my|our) (?:ceiling|light|lights|wall|walls)"
    r"|pouring through|flooding|flooded|burst (?:pipe|main|tank)|pipe (?:has |just )?burst|unconscious|passed out|cannot breathe"
    r"|emergency)\b"
)
TO_LEAVE: Final = re.compile(
    r"\b(?:fire|smok(?:e|ing)|burning|sparks?|sparking|electric shock|unconscious|passed out|cannot breathe)\b"
)
"""Of these, those that no article on water or heating is about: who is there has to get out."""
HIGH: Final = re.compile(
    r"\b(?:urgent|urgently|as soon as possible|right now|right away|immediately|straight away|freezing|baby|newborn|elderly"
    r"|pregnant|disabled"
    r"|vulnerable|getting worse|cannot turn (?:it|the water) off|desperate|desperately|soaking|soaked|everywhere)\b"
)
_THEY: Final = (
    r"(?:i|he|she|we|they|mother|mum|mom|father|dad|parents?|gran|granny|grandma|grandad|grandpa|grandmother|grandfather|nan|aunt|uncle"
    r"|husband|wife|partner|son|daughter|child|kid|neighbour|neighbor|tenant|lady|man|woman|person|somebody|someone|who|that)"
)
AT_RISK: Final = re.compile(
    r"\b(?:baby|babies|newborn|infant|toddler|elderly|pregnant|disabled|vulnerable|bedridden|housebound|frail"
    rf"|{_THEY} (?:is |are |am |has been )?(?:very |quite |seriously |really )?(?:ill|sick(?! (?:of|and))|unwell|poorly|in a wheelchair)"
    rf"|{_THEY} (?:is |are |am |turns? |aged )?(?:about |over |nearly |almost |already )?(?:7[5-9]|[89]\d|10\d)(?= |$)"
    r"(?! (?:pounds|euros|degrees|percent))"
    r"|(?:7[5-9]|[89]\d|10\d)(?: |-)?(?:years?(?: |-)old|year)\b)"
)
"""Whom the cold endangers most: the very young, those over 75, who is ill."""
NOT_MEANT: Final = re.compile(
    r"\b(?:not|no|never|without|is not an|not an|no longer)(?: \w+){0,2} (?:emergency|urgent|smell(?:s|ing)?(?: of)? gas"
    r"|gas smell|gas leak|flooding|sparks?|carbon monoxide)\b"
    r"|\b(?:your|the|any|have an|there an) emergency (?:phone )?(?:line|number|hours|charges?|prices?|costs?|rates?|fees?)\b"
    r"|\b(?:how much (?:is|are|do|does|for|will|would)|cost of|price of|charge for|fee for)(?:(?! (?:it|this) is\b) \w+){0,4}"
    r" emergency (?:call out|callout|visit|repair|appointment)s?\b"
)
"""What is not there, and what only has the name: an emergency line that somebody asks about is no emergency. “It is an emergency!
Phone me” has lost its mark here and stays one: where it may be either, it is one."""
PERSON: Final = re.compile(
    r"\b(?:(?:speak|talk|chat|put me|get me|pass me|transfer me|connect me|through)(?: \w+){0,3} (?:to|with|through|onto"
    r"|on to)?(?: \w+){0,3} ?"
    r"(?:person|human|human being|someone|somebody|anyone|anybody|agent|adviser|advisor|representative|rep|operator|manager"
    r"|supervisor|staff|colleague|people)"
    r"|(?:real|actual|live|proper) (?:person|human|agent|people|someone)|human (?:being|agent|please)|(?:customer"
    r"|human) (?:service|services|support) (?:agent|person|rep)"
    r"|(?:want|need|like|prefer|get|is there|give me) (?:a|an|the|any)? ?(?:human|person|agent|operator|representative"
    r"|adviser|advisor|supervisor|manager)\b"
    r"|(?:want|need|like) (?:someone|somebody) (?:to|who can) (?:explain|tell me|answer)"
    r"|(?:anyone|someone|somebody) (?:there )?(?:i can|to) (?:talk|speak)|someone (?:real|human)|not (?:a|talking to a"
    r"|speaking to a) (?:robot|bot|machine|computer)|(?:hate|stop|no more) (?:this |these |the )?(?:bots?|robots?|machines?))\b"
)
# “Are you a real person?” asks what is speaking and not for somebody else.
ASKS_WHO_SPEAKS: Final = re.compile(
    r"\b(?:are you|is this|is that|is it|am i (?:talking|speaking|chatting) (?:to|with))(?: (?:a|an|the|just|really|actually|some))*"
    r"(?: (?:real|actual|live|proper))? (?:person|human being|human|agent|people|someone|somebody|robot|bot|machine|computer)\b"
)
ONLY_PERSON: Final = frozenset(
    {"human", "person", "agent", "operator", "representative", "advisor", "adviser", "a human", "a person", "a real person", "someone"}
)
PERSON_NOT_WANTED: Final = re.compile(
    r"\b(?:do not|not|no need|rather not|without)(?: \w+){0,3} (?:speak|talk|speaking|talking|need"
    r"|want)(?:ing)?(?: \w+){0,3} (?:person|human|someone|anyone|agent)\b"
)

YES: Final = re.compile(
    r"(?:(?:yes|yeah|yep|yup|yea|ye|aye|sure|of course|ok|okay|k|go ahead|go on|please do|do it|book it|confirm(?:ed)?"
    r"|no problem|why not|carry on"
    r"|that is (?:right|correct|fine|it|me|good|great|perfect)|that works|works for me|sounds (?:good|great|fine))\b"
    r"|(?:certainly|absolutely|definitely|correct|right|exactly|indeed|perfect|great|fine|lovely|brilliant)"
    r"(?=$| (?:please|thanks|thank|yes|that|it|i|we|let|book|go|do|works|sounds)\b)"
    r"|(?:i do|i would|i am|it is)(?: please| thanks)?$)"
)
NO: Final = re.compile(
    r"(?:nope|nah|never mind|not (?:really|now|yet|today|that|quite|right|correct)|wrong|incorrect|i do not (?:want|think so"
    r"|need)|i would rather not"
    r"|that is (?:not|wrong)|that does not|it is not|cancel that|leave it|neither|none"
    r"|no (?:thanks|thank|way|no|it|that|not|i|we|please|sorry|actually|wrong|the|leave|do|different|another|later|earlier"
    r"|can|could|make|change"
    r"|tomorrow|today|monday|tuesday|wednesday|thursday|friday|saturday|sunday))\b|(?:no|do not)$"
)
UNSURE: Final = re.compile(
    r"(?:yes|no|not sure|maybe|perhaps|i am not sure|i do not know|do not know|dunno)?(?: and| or)? ?(?:not sure|maybe"
    r"|perhaps|do not know|dunno)\b"
)
LONGEST_ANSWER_WORDS: Final = 12


def read_urgency(meaning: str) -> Urgency:
    """The urgency that the words of `meaning` (see `normalise.meaning`) claim."""
    calm = NOT_MEANT.sub(" ", meaning)
    if EMERGENCY.search(calm):
        return "emergency"
    return "high" if HIGH.search(calm) else "normal"


def read_at_risk(meaning: str) -> str:
    """The words of `meaning` that tell of somebody very young, old or ill; empty when none do. Somebody who is “sick of it” is not."""
    found = AT_RISK.search(meaning)
    return found[0] if found else ""


def says_to_leave(meaning: str) -> bool:
    """Whether the words of `meaning` tell of fire, of smoke or of somebody who is hurt."""
    return TO_LEAVE.search(NOT_MEANT.sub(" ", meaning)) is not None


def without_denied(meaning: str) -> str:
    """`meaning` without the dangers that it says are not there (“but no smell of gas”); all of it when nothing else is said."""
    left = " ".join(NOT_MEANT.sub(" ", meaning).split())
    return left if len(left.split()) > 1 else meaning


def higher(one: Urgency, other: Urgency) -> Urgency:
    """The more pressing of two urgencies."""
    return max(one, other, key=ORDER.index)


def wants_person(meaning: str) -> bool:
    """Whether the words of `meaning` (see `normalise.meaning`) ask for a person."""
    if PERSON_NOT_WANTED.search(meaning):
        return False
    return meaning in ONLY_PERSON or PERSON.search(ASKS_WHO_SPEAKS.sub(" ", meaning)) is not None


def read_answer(plain: str) -> bool | None:
    """Yes (True), no (False) or neither (None), from a text as `normalise.plain` gives it.

    Only the beginning of a short text counts: “yes please”, “no, Thursday”, but not “no heating”.
    """
    words = plain.split()
    if not words or len(words) > LONGEST_ANSWER_WORDS or UNSURE.match(plain):
        return None
    if NO.match(plain):
        return False
    return True if YES.match(plain) else None
