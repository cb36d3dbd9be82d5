"""What is said of something that was done in a conversation, without naming it: when it is, whether it is done, that it be undone."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from conversations.assistant import acts

_DONE_THING: Final = (
    r"(?:it|that|everything|(?:the|my|our) (?:visit|appointment|booking|slot|reservation|engineer|plumber|cancellation|call(?: ?back)?))"
)
_WHO_COMES: Final = r"(?:you|they|he|she|someone|somebody|(?:the|my|your) (?:engineer|plumber|technician|guy|man))"
OF_WHAT_WAS_DONE: Final = re.compile(
    rf"\b(?:when|what (?:time|day|date)|which (?:day|date))(?: again| exactly)? (?:is|was|'s) {_DONE_THING}"
    r"(?: (?:again|booked|for|on|now|then|at|called|exactly))*$"
    rf"|\b(?:when|what (?:time|day|date)|which day) (?:are|is|will|do|does|did) {_WHO_COMES} (?:be )?(?:com(?:e|ing)|turn(?:ing)? up"
    r"|arriv(?:e|ing))(?: (?:again|then|round|out))*$"
    r"|\b(?:when|what (?:time|day|date)|which day|what|which number) (?:did|have) (?:we|you|i)(?: just)? "
    r"(?:say|said|agree|agreed|book|booked|choose|chosen|pick|picked|arrange|arranged|put me down)\b"
    r"|\b(?:what'?s|what is|what was|tell me|give me|read me|need|want|lost|forgot|forgotten|missed|catch|repeat|say)(?: again)?"
    r" (?:my|the|that|our|a) (?:booking |visit |order |confirmation )?(?:ref|reference|booking number|number of the (?:visit|booking))"
    r"(?: number| no)?\b"
    r"|\bremind me\b.{0,40}\b(?:it|visit|appointment|booking|reference|when|what|time|day)\b"
    rf"|\b(?:is|was|has|have) {_DONE_THING}(?: (?:been|definitely|really|all|now|actually|still|properly|for sure|confirmed and))*"
    r" (?:booked|cancell?ed|confirmed|done|sorted|moved|gone through|called off|on|in)(?: (?:in|now|then|for sure|yet))*$"
    rf"|\b(?:did|does) {_DONE_THING} (?:go|get|went) through\b"
    r"|\b(?:have|did) you (?:definitely |really |actually )*(?:book|cancel|move)(?:l?ed)? (?:it|that|my \w+|the \w+)\b"
    rf"|\b(?:confirm|repeat|read back|check|read me) {_DONE_THING}\b|\bso (?:when|what) (?:is|was) it$"
)
"""What was done last in a conversation, asked about without being named: “what day is it booked for?”, “whats the ref”."""
OF_A_PRICE: Final = re.compile(r"\b(?:price|cost|costs|how much|charge|fee)\b")
NEXT: Final = re.compile(r"\bwhat(?:'s| is| will|) (?:happens?|happening|next)\b|\b(?:and )?(?:what )?now what\b|\bwhat now$")
"""What comes next."""
SENT_TO_THEM: Final = re.compile(
    r"\b(?:send|text|e-?mail|message)\b(?: \w+){0,2}? (?:it|that|this|everything|them|me|(?:the|a|my) (?:\w+ )?(?:details|confirmation"
    r"|reference|booking|visit|appointment))\b.*\b(?:text|sms|message|e-?mail|phone|mobile|me|confirmation|details|reference)\b"
    r"|\b(?:get|have|receive) (?:it|that|this|(?:a|the|my) (?:\w+ )?confirmation) (?:in writing|by|via|as an? )"
)
GIVES_THAT_UP: Final = re.compile(
    r"\b(?:cancel|scrap|undo|call off)\b.{0,12}\b(?:it|that|this|everything|(?:the|my) (?:booking|visit|appointment))\b"
    r"|\bcall (?:it|that) off\b|\bdo(?:n'?t| not) (?:want|need) (?:it|that|this)(?: (?:any ?more|now|after all))?$|^cancel$"
)
OF_THE_RECORD: Final = re.compile(r"\b(?:new|old|account|records?|file|details|moved)\b")
"""What says that something is to be changed on the record, and not for a visit."""
BESIDE: Final = re.compile(
    r"\b(?P<when>later|earlier) (?:on )?(?:that|the same|on that|on the same) day\b"
    r"|\b(?:the )?(?P<other>(?:day|week) (?:after|before|later|earlier)|next day|following (?:day|week))\b(?! tomorrow| yesterday| next)"
)
"""A time beside that of the visit which is spoken of."""
MOVES_THAT: Final = re.compile(
    r"\b(?:move|change|reschedule|postpone|push)\b.{0,8}\b(?:it|that|this|the (?:time|day|date))\b"
    r"|\b(?:another|a different|an? (?:earlier|later)) (?:day|time|date)\b"
    r"|\b(?:come|be here|make it|do it|have it)(?: any| a bit| a little)? (?:earlier|sooner|later)\b"
)

_COMER: Final = r"(?:he|she|they|you|(?:the|your) (?:engineer|plumber|technician|guy|man))"
_ENGINEER: Final = r"(?:he|she|(?:the|your|an?) (?:engineer|plumber|technician|guy|man))"
ADDS: Final = re.compile(
    rf"\b(?:can|could|will|would) {_COMER} (?:please )?(?:also|as well)\b"
    rf"|\b(?:can|could|will|would) {_COMER}\b.*\b(?:as well|too|at the same time)$"
    r"|\b(?:tell|ask|let) (?:him|her|them|(?:the|your) (?:engineer|plumber|technician|guy|man))\b"
    r"|\bwhile (?:he|she|they|you)(?:'s|'re| is| are) (?:here|there|at it)\b"
    rf"|\b(?:have|get) {_COMER} (?:to )?(?:call|ring|phone|text|message|bring|wait|knock|park|look|check|use)\b"
    rf"|\b{_ENGINEER} (?:please |to )?(?:call|ring|phone|text|message) (?:me|us)\b"
    rf"|\b(?:call|ring|phone|text|message) (?:me|us) (?:\w+ ){{0,4}}?before"
    rf"(?:hand$|$| (?:{_COMER} )?(?:com(?:e|es|ing)|arriv(?:e|es|ing)|sets? off)\b)"
    r"|\badd (?:that )?to (?:the|my|that) (?:visit|booking|appointment)\b"
)
"""More is wanted of the visit that was booked."""
ASKS_WHICH: Final = re.compile(r"(?:(?:and|so|but|sorry|ok|oh),? )*(?:when|which|what|who|whose|how|why|where)\b")
_CALL: Final = r"(?:the|my|that|this|your|our|a|any) (?:phone |promised )?(?:call(?:[ -]?back)?|ring ?back|call-?back)\b"
_NOT_LATER: Final = r"(?! (?:again|any ?more|ever|before|until|till|after|later|at|on|about|instead))"
CALLS_OFF: Final = re.compile(
    rf"\b(?:cancel|call off|scrap|forget(?: about)?|stop|drop|do(?:n'?t| not) (?:want|need)|no longer (?:want|need)) {_CALL}"
    r"|\b(?:no need (?:to|for you to)|(?:you )?do(?:n'?t| not) (?:need|have) to|needn'?t|(?:please )?do(?:n'?t| not)(?: bother(?: to)?)?)"
    rf" (?:call|ring|phon)(?:e|ing)? me(?: back)?\b{_NOT_LATER}"
)
MOVES_A_CALL: Final = re.compile(
    rf"\b(?:move|change|reschedul\w*|postpone|push back|bring forward|make|put) (?:the time of |the number of )?{_CALL}"
    r"|\b(?:call|ring|phone) me(?: back)?\b.*\b(?:instead|rather)\b"
)
RECALLS: Final = re.compile(
    r"\b(?:when|what (?:time|day|date)|which (?:day|number)|(?:on )?what number)\b.{0,15}\b(?:is|are|will|do|does|going)\b.{0,15}"
    rf"\b(?:{_CALL}|(?:call|ring|phon)(?:e|ing)? (?:me|back)|(?:you|they|someone|somebody) (?:be )?(?:calling|ringing|phoning)"
    r"|(?:you|they|someone|somebody) (?:call|ring|phone)(?: then)?$)"
    rf"|\b(?:is|are) (?:{_CALL}|you|they|someone|somebody) (?:still |definitely )*(?:on|booked|arranged|calling|ringing|phoning)\b"
)



def asks_of_what_was_done(text: str) -> bool:
    """Whether a short text asks about what was done last: when it is, its reference, whether it is done; and not what it costs."""
    words = acts.plain(text)
    return len(words) <= acts.LONGEST_ACT and OF_WHAT_WAS_DONE.search(words) is not None and OF_A_PRICE.search(words) is None


def is_asked_of_a_visit(text: str, state: Mapping[str, Any]) -> bool:
    """Whether a text asks about the visit that was booked last: “when is the engineer coming?” is no search for a late one then."""
    done = state.get("done_here") or {}
    return done.get("kind") == "visit" and asks_of_what_was_done(text)


def gives_it_up(text: str) -> bool:
    """Whether a short text gives up what was done last: “cancel it”, “I don't want it any more”."""
    words = acts.plain(text)
    wished = GIVES_THAT_UP.search(words) is not None and acts.NOT_GIVE_UP.search(words) is None
    return len(words) <= acts.LONGEST_ACT and wished and (not acts.is_question(words) or acts.is_request(words))


def moves_it(text: str) -> bool:
    """Whether a short text moves what was done last: “can you move it?”, “I need another day”, “can it be later that day”."""
    words = acts.plain(text)
    return len(words) <= acts.LONGEST_ACT and (MOVES_THAT.search(words) or BESIDE.search(words)) is not None


def wants_it_sent(text: str) -> bool:
    """Whether a short text asks that what was done be sent to them: “send it to me by text”, “can I get that in writing?”."""
    words = acts.plain(text)
    return len(words) <= acts.LONGEST_ACT and SENT_TO_THEM.search(words) is not None


def adds_to_it(text: str) -> bool:
    """Whether a text wants more of a visit that was booked, “can he also look at the radiator”, and does not ask when or what."""
    words = acts.plain(text)
    return ADDS.search(words) is not None and ASKS_WHICH.match(words) is None


def is_of_a_call(text: str) -> bool:
    """Whether a text calls off, moves or asks about a promised call by its name: nobody is looked for, and no visit is meant."""
    words = acts.plain(text)
    return any(pattern.search(words) for pattern in (CALLS_OFF, MOVES_A_CALL, RECALLS))
