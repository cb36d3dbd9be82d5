"""How customers ask for what only their own record says, for a code, and name what is new in it."""

from __future__ import annotations

import re
from typing import Final

OWN_RECORD: Final = re.compile(
    r"\b(?:what(?:'?s)?|how much|do|is|are|can you|could you|look up|check|tell me|show me|read me)\b.*"
    r"(?:\b(?:on|about|in) my (?:account|record|file)\b|\b(?:do|did) i (?:still )?owe\b|\bmy (?:open |outstanding )?balance\b"
    r"|\b(?:do you )?(?:have|hold|know|got) (?:on|about) me\b)"
)
"""What only the record says, and no article: asked in the middle of something, it is not answered from one."""
_WHO_COMES: Final = r"(?:you|they|he|she|someone|somebody|(?:the|your|my|an?) (?:engineer|plumber|technician|man|guy))"
_COMING: Final = (
    rf"\bwhat time (?:(?:are|will|is) )?{_WHO_COMES}(?:'?re|'s| are| is| will)?(?: going to)?(?: be)?"
    r" (?:com(?:e|ing)|here|due|arriv(?:e|ing)|visiting)\b"
    rf"|\bwhen (?:are|is) {_WHO_COMES} (?:coming|due|arriving)\b"
    r"|\b(?:check|know|ask|see|confirm|wonder(?:ing)?|find out|tell me|remind me)"
    rf" when {_WHO_COMES}(?:'?re|'s| are| is| will be) (?:coming|due|arriving)\b"
)
WHEN_THEY_COME: Final = re.compile(_COMING)
"""Of a day to come it asks for the visit, and says nothing of somebody who is late."""
OWN_ACCOUNT: Final = re.compile(
    r"\b(?:what(?:'?s)?|which|how much|when|do|have|is|are|can you|could you|look up|check|tell me|show me|read me)\b.*"
    r"(?:\b(?:on|about|in) my (?:account|record|file|details)\b|\b(?:do|did) i (?:still )?owe\b|\bmy (?:open |outstanding )?balance\b"
    r"|\b(?:do you )?(?:have|hold|know|got) (?:on|about) me\b|\bmy (?:next |coming |upcoming |other )?(?:visits?|appointments?|bookings?)\b"
    r"|\b(?:visits?|appointments?|bookings?) (?:do|have) i\b|\bi (?:have|got) (?:a|an|any) (?:\w+ )?(?:visit|appointment|booking)s?\b)"
    r"|^(?:\w+ ){0,2}(?:i|we)(?:'ve| have| had)? (?:already )?booked (?!(?:with|and|but)\b)[\w ]{3,40}$"
    r"|^(?:\w+ ){0,2}(?:it's|its|it is|this is|i'm calling|i am calling) about (?:my|a|our) (?:visit|appointment|booking)$"
    r"|(?:^|[,.!] )(?:so |and )?(?:do|did) i (?:still )?owe\b"
    r"|^(?:(?:hi|hello|hey|so|and|ok|please),? )*(?:my )?(?:account |outstanding |open )?balance(?:,? please)?$"
    rf"|{_COMING}"
    r"|^(?:look up|check|show me|open) my (?:account|record|file|visits?|appointments?|bookings?)\b"
)
OWED: Final = re.compile(r"\b(?:i (?:still )?owe|balance)\b")
"""Only a code opens this; answers to questions open no more than the visits."""
WHO_AM_I: Final = re.compile(r"\b(?:verify|confirm|prove|check) (?:me|my identity|who i am|that it(?:'s| is) me)\b")
WANTS_CODE: Final = re.compile(r"\b(?:send|text|e-?mail) me (?:a|the|another|that) (?:six-?digit )?code\b")
IS_NEW: Final = re.compile(r"\b(?:new|now|change[ds]?|different)\b")
WHAT_IS_HELD: Final = re.compile(
    r"\b(?:what(?:'?s)?|which)(?: is| are)?(?: the| my)? (?:(?:phone |telephone |mobile |contact )?(?P<phone>number|phone|mobile)"
    r"|(?P<email>e-?mail)|(?P<postcode>post ?code)|(?P<address>address)|(?P<name>name))(?: address| number)?\b"
    r"(?: (?:do you|have you|are you|you|is|still|currently|have|got|hold|use|using|down|stored|saved|there))*"
    r" (?:for me|of mine|about me|(?:on|in) (?:my |the |your )?(?:account|file|records?|system|books))\b"
)
"""“What number do you have for me?”"""


def held_fact_asked(words: str) -> str:
    """The name of the fact of the own record that plain words ask for; empty when they do not."""
    found = WHAT_IS_HELD.search(words)
    return str(found.lastgroup or "") if found else ""
