"""How it was said: a wish for a person, yes or no. Words only, no model."""

from __future__ import annotations

import re
from typing import Final

# Matched against `normalise.meaning`: small letters, no punctuation, contractions written out.
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
    r"|(?:need|want|like|can i|could i|may i|let me|please) (?:to )?(?:please )?(?:speak|talk) (?:to|with)"
    r" (?!(?:you|it|me|this|that|my|our|a|an|the)\b)[a-z]{2,}"
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
    r"|(?:i|we) cannot(?: (?:then|make (?:it|that)|do (?:it|that)|(?:at|to) that \w+))*$"
)
UNSURE: Final = re.compile(
    r"(?:yes|no|not sure|maybe|perhaps|i am not sure|i do not know|do not know|dunno)?(?: and| or)? ?(?:not sure|maybe"
    r"|perhaps|do not know|dunno)\b"
)
LONGEST_ANSWER_WORDS: Final = 12


def wants_person(meaning: str) -> bool:
    """Whether the words of `meaning` (see `normalise.meaning`) ask for a person."""
    if PERSON_NOT_WANTED.search(meaning):
        return False
    return meaning in ONLY_PERSON or PERSON.search(ASKS_WHO_SPEAKS.sub(" ", meaning)) is not None


def asks_who_speaks(meaning: str) -> bool:
    """Whether the words of `meaning` ask whether a person or a machine speaks, and for nobody else."""
    return ASKS_WHO_SPEAKS.search(meaning) is not None and not wants_person(meaning)


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
