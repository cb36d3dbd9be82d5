"""“Stop calling me”, “no marketing please”, “you may call me again”: what somebody says about being contacted and recorded.

Words only, no model: a wish that is not there would silence us or, worse, let us call. Matched against
`normalise.meaning` of each clause (small letters, contractions written out, no punctuation). A no is looked for anywhere in a
clause; a yes has to be the whole clause, so that “you can call me on Tuesday” and “you can call me Sam” are none.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from conversations.models.consent import Purpose, Way
from conversations.understanding import needs
from conversations.understanding.normalise import meaning

_NEXT: Final = r"(?:do|don['’]?t|no|never|stop|unsubscribe|take|remove|you)"
CLAUSE: Final = re.compile(rf"[.!?;,\n]+|\b(?:and|but)\b(?= (?:please |also |then )?{_NEXT}\b)", re.IGNORECASE)
ASKS: Final = re.compile(r"(?:how|why|when|what|where|who|did|do you|does|have you|has|had|is|are|was|were|if|will)\b")

# What may follow “me” or the like: nothing that makes it a name, a time, or a reason to call.
_END: Final = (
    r"(?= (?:again|ever|any ?more|anymore|any longer|at all|ever again|on this|on my|on that|at this|about|for|with|from|so|all|every|i|it"
    r"|this is|thank|you|to sell|day|at home|at work|please|or|and|now)\b|$)"
)
_ME: Final = r"(?:me|us|this (?:number|phone)|my (?:number|phone|mobile|house|home|landline|wife|husband|mother|father|mum|dad))"
_STOP: Final = r"(?<!not )(?<!never )(?<!cannot )(?<!did you )(?:stop|quit|no more|cease)(?: with)?(?: the| all| your| these| this)?"
# “you do not call me back when you say so” tells what happened; “do not call me” asks for something.
_DO_NOT: Final = (
    r"(?<!you )(?<!they )(?<!we )(?<!i )(?<!why )(?:do not (?:you )?(?:ever )?|never (?:ever )?"
    r"|i (?:do not|no longer) want (?:you |anyone |anybody |people )?(?:to )?|i (?:would|will) not have you )"
)


@dataclass(frozen=True, slots=True)
class ConsentWish:
    """A yes or a no to one purpose; `way` narrows offers to text messages or email."""

    purpose: str
    agrees: bool
    way: str = ""

    def as_arguments(self) -> dict[str, object]:
        """The wish as the AI agent's tool `set_consent` takes it."""
        return {"purpose": self.purpose, "agrees": self.agrees} | ({"way": self.way} if self.way else {})


def _no(*patterns: str) -> re.Pattern[str]:
    return re.compile("|".join(rf"(?:{pattern})" for pattern in patterns))


_SENT: Final = r"(?:sending|e ?mailing|posting)(?: me| us)?(?: any| more| any more| your| these| all| out)*"
_OFFERS: Final = r"(?:marketing|advertising|adverts?|ads|advertisements?|spam|promotions?|promotional \w+|newsletters?|special offers|junk)"
_GETTING: Final = r"(?:sending|receiving|getting|having)"
_CALLS: Final = r"(?:phone |sales |telephone |unwanted )?calls"
_TEXTS: Final = r"(?:texts?|text messages?|sms|smses)"
_CALL: Final = r"(?:call|phone|ring|telephone)"
_CALLING: Final = r"(?:calling|phoning|ringing|telephoning)"
_THE_CALL: Final = r"(?:me|us|this|it|(?:this|the|my|our) (?:call|conversation)|my voice|(?:my )?calls|anything)"

# In this order: what is said of calls alone must not be taken for all contact.
NO: Final[tuple[tuple[re.Pattern[str], ConsentWish], ...]] = (
    (
        _no(
            rf"{_DO_NOT}record {_THE_CALL}(?= (?:please|i|at all|any more|anymore|or|and)\b|$)",
            rf"{_STOP} recording(?: {_THE_CALL})?(?= (?:please|now|i|at all|and)\b|$)",
            rf"i do not want {_THE_CALL}(?: to be)? recorded",
            r"i do not (?:want|wish|like|agree|consent) to be(?:ing)? recorded",
            r"i (?:do not (?:agree|consent)|object) to (?:the |this |being |you )?record(?:ing|ed)\b",
            r"^no recordings?$",
            r"\b(?:turn|switch) (?:off the recording|the recording off)$",
        ),
        ConsentWish(Purpose.RECORDING, False),
    ),
    (
        _no(
            rf"{_DO_NOT}contact {_ME}{_END}",
            rf"{_STOP} contacting {_ME}{_END}",
            rf"{_STOP} contact(?: with me| from you)?$",
            rf"i do not want to be contacted{_END}",
            r"i do not want (?:any )?(?:more |further )?contact (?:from|with) you",
            r"\b(?:delete|remove|take) my (?:phone |mobile )?number (?:from|off) (?:your|the|all) ",
            rf"{_DO_NOT}{_CALL} this number{_END}",
        ),
        ConsentWish(Purpose.CONTACT, False),
    ),
    (
        _no(
            rf"{_DO_NOT}(?:text|message|sms) {_ME}{_END}",
            rf"{_STOP} (?:texting|messaging) {_ME}{_END}",
            rf"{_STOP} {_TEXTS}(?: messages)?(?: from you)?$",
            rf"{_STOP} {_GETTING}(?: me| us)?(?: any| more| your| these| all)* {_TEXTS}\b",
            rf"{_DO_NOT}send (?:me |us )?(?:any |any more |more )?{_TEXTS}\b",
            rf"^no(?: more)? {_TEXTS}$",
        ),
        ConsentWish(Purpose.SMS, False),
    ),
    (
        _no(
            rf"{_STOP} e ?mailing {_ME}{_END}",
            rf"{_STOP} {_GETTING} (?:me |us )?(?:any |more |your |these |all |the )*e ?mails\b",
            rf"{_DO_NOT}e ?mail {_ME}{_END}",
            r"^no(?: more)? e ?mails$",
        ),
        ConsentWish(Purpose.MARKETING, False, Way.EMAIL),
    ),
    (
        _no(
            rf"^no(?: more| further)? (?:{_OFFERS}|marketing \w+|offers and news)(?: from you| for me)?$",
            rf"{_STOP} (?:{_SENT} )?(?:\w+ )?{_OFFERS}\b",
            rf"{_DO_NOT}(?:send (?:me |us )?|get |receive |want )?(?:any |any more |more |your |the )*(?:\w+ )?{_OFFERS}\b",
            rf"i do not want (?:any |any more |more |your |the )*(?:\w+ )?{_OFFERS}\b",
            r"^(?:i (?:want|would like|wish) to |please )?unsubscribe(?: me| us)?(?: from (?:everything|all|this|your|the)\b.*)?$",
            r"^(?:i (?:want|would like|wish) to )?opt (?:me )?out(?: of (?:everything|all|your|the)\b.*)?$",
            r"\b(?:take|remove) (?:me|us) (?:off|from) (?:your|the|all) (?:mailing |marketing |e ?mail |newsletter )?lists?\b",
        ),
        ConsentWish(Purpose.MARKETING, False),
    ),
    (
        _no(
            rf"{_DO_NOT}{_CALL} {_ME}(?: up)?{_END}",
            rf"{_STOP} {_CALLING}(?: {_ME}(?: up)?{_END}|$)",
            rf"{_STOP} (?:{_GETTING} )?(?:any |more |your |these |all |the )*{_CALLS}(?: from you| to me)?{_END}",
            r"^no(?: more)? (?:phone |sales )?calls$",
            rf"i do not want to be (?:called|phoned|rung){_END}",
            rf"i (?:do not|no longer) want (?:to (?:get|receive|have) )?(?:any )?(?:more )?{_CALLS}(?: from you)?{_END}",
            r"\b(?:take|remove) (?:me|us) (?:off|from) (?:your|the) (?:call|calling|phone|telephone) list\b",
        ),
        ConsentWish(Purpose.OUTBOUND_CALL, False),
    ),
)

_MAY: Final = r"^(?:yes |ok |sure )?(?:you (?:may|can|are allowed to|have my (?:permission|consent) to)|feel free to) "
_GET: Final = r"(?:(?:be|being|get|getting|receive|receiving) )?"
_AGREE: Final = rf"^(?:yes )?i (?:agree|consent|am (?:happy|fine|ok)|would like|want) (?:to|with) {_GET}"
_NEWS: Final = rf"(?:your )?(?:offers|news|offers and news|{_OFFERS})"
_ABOUT: Final = r"(?: about (?:my |our |the )?(?:visits?|appointments?|bookings?|questions?))?"
# “You can call me about my leak” asks for a call; with the number, or as leave that is given, it is a yes.
_CALL_LEAVE: Final = r"^(?:yes |ok |sure )?(?:you (?:may|are allowed to|have my (?:permission|consent) to)|feel free to) "
_ABOUT_IT: Final = r" (?:about|for|regarding|concerning) (?:(?:my|our|the|this|that|your|its?) )?\w+(?: \w+){0,3}$"
_THIS_NUMBER: Final = r"(?:on|at|to|in) this (?:number|phone|line|mobile)"
_AGAIN: Final = rf"{_ABOUT}(?: again| any ?time| whenever you (?:like|want)| in (?:the )?future| from now on)?$"
YES: Final[tuple[tuple[re.Pattern[str], ConsentWish], ...]] = (
    (
        _no(rf"{_MAY}record (?:us|{_THE_CALL}){_AGAIN}", rf"{_AGREE}(?:recorded|(?:the|this) recording)$"),
        ConsentWish(Purpose.RECORDING, True),
    ),
    (_no(rf"{_MAY}contact (?:me|us){_AGAIN}"), ConsentWish(Purpose.CONTACT, True)),
    (
        _no(
            rf"{_MAY}{_CALL} (?:me|us)(?: {_THIS_NUMBER})?{_AGAIN}",
            rf"{_MAY}{_CALL} (?:me|us) {_THIS_NUMBER}{_ABOUT_IT}",
            rf"{_CALL_LEAVE}{_CALL} (?:me|us){_ABOUT_IT}",
            rf"{_AGREE}(?:called|phoned|calls from you)$",
        ),
        ConsentWish(Purpose.OUTBOUND_CALL, True),
    ),
    (
        _no(rf"{_MAY}(?:text (?:me|us)|send (?:me |us )?{_TEXTS}){_AGAIN}", rf"{_AGREE}{_TEXTS}(?: from you)?$"),
        ConsentWish(Purpose.SMS, True),
    ),
    (
        _no(rf"{_MAY}send (?:me |us )?{_NEWS}{_AGAIN}", rf"{_AGREE}{_NEWS}$"),
        ConsentWish(Purpose.MARKETING, True),
    ),
)

STOP_WORDS: Final = frozenset({"stop", "stopall", "stop all", "end messages", "arret"})
"""The word that carriers have everybody answer text messages with: no more texts, and no more offers."""


HOW_ELSE: Final = re.compile(
    r"(?:(?:just|please|you can|better|rather) )*(?:write|text|e ?mail|message)(?: to)? (?:me|us)"
    r"(?: (?:instead|only|please|rather|here|an? \w+))*"
)
"""“Write to me instead”: beside a no, it only says how."""
CALL_ASKED_FOR: Final = "please call me back"
"""What “you can call me on this number?” means: no yes to calls, but the wish for one."""


def read_wishes(text: str) -> tuple[tuple[ConsentWish, ...], str]:
    """What a text, typed or said, asks for about consent, and what is left of it without the clauses that do.

    A single “stop” ends texts and offers; whoever is in the middle of something means that instead, which the caller knows.
    """
    if meaning(text) in STOP_WORDS:
        return (ConsentWish(Purpose.SMS, False), ConsentWish(Purpose.MARKETING, False)), ""
    found: list[ConsentWish] = []
    left: list[str] = []
    asked_for_call = False
    for clause, asked in _clauses(text):
        words = meaning(clause)
        if not words:
            continue
        wish = _wish(words, asks=bool(ASKS.match(words)))
        if wish and wish.agrees and asked:
            asked_for_call = asked_for_call or wish.purpose == Purpose.OUTBOUND_CALL
            left.append(CALL_ASKED_FOR if wish.purpose == Purpose.OUTBOUND_CALL else clause.strip())
        elif wish is None and not (found and HOW_ELSE.fullmatch(words)):
            left.append(clause.strip())
        elif wish and wish not in found:
            found.append(wish)
    return tuple(found), (", ".join(left) if found or asked_for_call else text)


def _clauses(text: str) -> Iterator[tuple[str, bool]]:
    """The clauses of a text, each with whether a question mark ends it; “and book me a visit” is one of its own."""
    begin = 0
    for mark in [*CLAUSE.finditer(text), None]:
        clause, asked = text[begin : mark.start() if mark else len(text)], bool(mark and "?" in mark[0])
        *parts, last = needs.parts_of(clause)
        if parts and len(parts) < needs.MOST:
            yield from ((needs.bare(part), False) for part in parts)
            clause = needs.bare(last)
        yield clause, asked
        begin = mark.end() if mark else len(text)


def _wish(words: str, *, asks: bool) -> ConsentWish | None:
    if asks:
        return None
    for pattern, wish in NO:
        if pattern.search(words):
            return wish
    return next((wish for pattern, wish in YES if pattern.search(words)), None)
