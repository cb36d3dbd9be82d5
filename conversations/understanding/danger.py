"""What is dangerous in what is said, and for whom. Words only, no model: an article or a form would be no answer to it."""

from __future__ import annotations

import re
from typing import Final, Literal

Urgency = Literal["normal", "high", "emergency"]
ORDER: Final[tuple[Urgency, ...]] = ("normal", "high", "emergency")

# Matched against `normalise.meaning`: small letters, no punctuation, contractions written out.
_TAP: Final = r"(?:stop ?(?:tap|cock|valve)|mains? (?:tap|valve)|shut ?off valve)"
_THE_WATER: Final = (
    rf"(?:it|this|that|water|(?:the|my|our|any) (?:\w+ )?(?:water|leak\w*|tap|taps|valve|mains?|supply|{_TAP})"
    r"(?: (?:coming|from) .{0,30})?)"
)
_DESPAIR: Final = (
    r"(?:kill|hang|hurt|harm) myself|suicid\w+|end (?:my life|it all)|(?:want|going|wish) to die|do not want to (?:live|be alive)"
    r"|better off dead"
)
_THEY: Final = (
    r"(?:i|he|she|we|they|mother|mum|mom|father|dad|parents?|gran|granny|grandma|grandad|grandpa|grandmother|grandfather|nan|aunt|uncle"
    r"|husband|wife|partner|son|daughter|child|kid|neighbour|neighbor|tenant|lady|man|woman|person|somebody|someone|who|that)"
)
_SHUT_IN: Final = rf"{_THEY} (?:is |are |am |has been |have been |got )?(?:stuck|trapped|locked) in"
_SCALDED: Final = (
    r"scalded|(?:badly|severely|seriously) burn(?:t|ed)|burn(?:t|ed) (?:myself|himself|herself|themselves)(?: badly)?"
    r"|accident with (?:the |some |very )*(?:boiling|scalding|hot) (?:water|steam)"
)
_HURT: Final = rf"unconscious|passed out|cannot breathe|not breathing|collapsed|fainted|electric shock|electrocuted|{_SCALDED}"
_SMOKE: Final = (
    r"smoke (?:is |was )?(?:coming|pouring|billowing|rising|everywhere|in (?:the|my|our|all))"
    r"|(?:smoke|smoking) (?:from|out of) (?:the|my|our)|smell(?:s|ing)? (?:of |like )?smoke"
    r"|(?:(?:there|^) ?is|full of|we (?:see|have)|i (?:can )?see) (?:so much |a lot of |some |black |white |thick )*"
    r"smoke(?! ?(?:alarms?|detectors?))"
)
EMERGENCY: Final = re.compile(
    r"\b(?:smell(?:s|ing|ed)? (?:of )?(?:strongly of |strong |like |some )?gas|gas smell|smell of gas|gas (?:leak|escape"
    r"|is leaking)|leaking gas|smell(?:s|ing)? (?:of )?(?:gassy|gaz|gass)"
    r"|smell(?:s|ing)? (?:of |like )?rotten eggs?|there is gas (?:in|everywhere)"
    r"|(?:there |^)is a (?:small |big )?fire(?! ?(?:place|alarm|door))|^fire(?: fire| help)*$"
    r"|carbon monoxide|co alarm|monoxide alarm|burning smell|smell (?:of )?burning|smells? like burning|on fire|caught fire"
    rf"|sparks?|sparking|{_SMOKE}|in flames|flames (?:are |is )?(?:coming|shooting|leaping)"
    r"|(?:boiler|cooker|heater|socket|stove|plug) (?:is|has started) (?:smoking|burning|on fire)"
    r"|water (?:is )?(?:pouring|gushing|coming|running|streaming|dripping)(?: in| down)? (?:through|out of|from|down)"
    r" (?:the|my|our) (?:ceiling|light|lights|wall|walls)"
    r"|water (?:is )?(?:\w+ )?everywhere|pouring through|flooding|flooded|burst (?:pipe|main|tank|radiator|hose)"
    r"|(?:pipe|tank|hose|radiator|main) (?:has |is |just |was |s )*burst|water (?:is |was )?(?:still |slowly |quickly )?rising"
    r"|(?:water|leak|leaking|drips?|dripping|wet)(?: \w+){0,4} (?:on|onto|into|in|near|over|inside|through)(?: \w+){0,2}"
    r" (?:fuse ?(?:box|board)?|sockets?|plugs?|consumer unit|electrics?|electricity|light fitting|wiring)"
    rf"|{_HURT}|{_SHUT_IN}|{_DESPAIR}|emergency)\b"
)
UNSTOPPED: Final = (
    re.compile(r"\b(?:water|leak\w*|pipes?|burst|flood\w*|tank)\b"),
    re.compile(
        rf"\b(?:cannot|unable to|not able to|(?:do not know|cannot find(?: out)?|no idea) how to|will not) (?:seem to |even )?"
        rf"(?:(?:turn|shut|switch|get|close) {_THE_WATER}(?: off)?|(?:turn|shut|switch|close) off {_THE_WATER}|stop {_THE_WATER}|stop$)"
        rf"(?= |$)|\b(?:{_TAP}) (?:is |has |will not |does not |cannot be )*(?:stuck|seized|jammed|broken|turn(?:ed)?|shut|close)\b"
    ),
)
"""Water, and that nobody can stop it."""
WITH: Final = (
    (
        re.compile(r"\b(?:boiler|heating|heater|cooker|hob|stove|oven|fireplace|flue|chimney|gas|pilot)\b"),
        re.compile(
            r"\b(?:dizzy|dizziness|faint|fainting|drowsy|light ?headed|nauseous|nausea|vomiting|throwing up|fumes|short of breath"
            r"|breathless|smells? (?:so |very |really |a bit )?(?:funny|strange|odd|weird)|(?:funny|strange|odd|weird) smell"
            r"|(?:feel|feels|feeling|felt|(?:making|made|makes) (?:me|us)) (?:all |both |very |really |so |a bit )?"
            r"(?:ill|sick(?! (?:of|and tired))|unwell)"
            r"|(?:have|has|had|got|with|getting|get|bad|terrible) (?:a |an |the |bad |terrible |awful )*head ?aches?"
            r"|(?:my|our|his|her|their|the) heads? (?:is |are |has |have |still )*"
            r"(?:aches?|aching|ached|hurts?|hurting|pounding|spinning|splitting))\b"
        ),
    ),
    (
        re.compile(r"\b(?:boiler|cooker|hob|pilot|heater|gas)\b"),
        re.compile(
            r"\b(?:(?:yellow|orange) (?:lazy )?flames?|flames? (?:is |are |looks? |burns? |has gone |turned )*(?:yellow|orange)"
            r"|soot|sooty)\b"
        ),
    ),
    UNSTOPPED,
)
"""Each first is a danger where the second is said with it: what carbon monoxide does to people, how a flame looks that makes it (see the
signs that gas safety bodies list), and water that nobody can stop."""
TO_LEAVE: Final = re.compile(
    rf"\b(?:fire|flames|smok(?:e|ing)|burning|sparks?|sparking|electric shock|electrocuted|{_SHUT_IN})\b"
)
"""Of these, those that no article on water or heating is about: who is there has to get out."""
BY_ITSELF: Final = re.compile(rf"\b(?:fire|flames|smok(?:e|ing)|sparks?|sparking|{_HURT})\b")
"""Of these, those that need no cause: the reason of such a danger is only what else is said."""
HIGH: Final = re.compile(
    r"\b(?:urgent|urgently|as soon as possible|right now|right away|immediately|straight away|freezing|baby|newborn|elderly"
    r"|pregnant|disabled"
    r"|vulnerable|getting worse|cannot turn (?:it|the water) off|desperate|desperately|soaking|soaked|everywhere)\b"
)
AT_RISK: Final = re.compile(
    r"\b(?:baby|babies|newborns?|infants?|toddlers?|elderly|pregnant|disabled|vulnerable|bedridden|housebound|frail|asthma|dementia"
    r"|chemotherapy|cancer|oxygen"
    rf"|{_THEY} (?:is |are |am |has been )?(?:very |quite |seriously |really )?(?:ill|sick(?! (?:of|and))|unwell|poorly|in a wheelchair)"
    rf"|{_THEY} (?:is |are |am |turns? |aged )?(?:about |over |nearly |almost |already )?(?:7[5-9]|[89]\d|10\d)(?= |$)"
    r"(?! (?:pounds|euros|degrees|percent))"
    r"|(?:7[5-9]|[89]\d|10\d)(?: |-)?(?:years?(?: |-)old|year)\b)"
)
"""Whom the cold endangers most: the very young, those over 75, who is ill."""
COLD: Final = re.compile(
    r"\b(?:hot water|heating|heat|heater|radiators?|cold|freezing|warm|boiler(?! (?:service|cover|check|plan|insurance|certificate)))\b"
)
"""What leaves a home cold."""
DESPAIR: Final = re.compile(rf"\b(?:{_DESPAIR})\b")
HURT: Final = re.compile(rf"\b(?:{_HURT})\b")
NOT_MEANT: Final = re.compile(
    r"\b(?:not|no|never|without|is not an|not an|no longer)(?:(?! (?:and|but)\b) \w+){0,2} (?:emergency|urgent|smell(?:s|ing)?(?: of)? gas"
    r"|gas smell|gas leak|flooding|sparks?|carbon monoxide)\b"
    r"|\b(?:no|without|not any|not see) (?:any )?(?:smoke|flames)\b"
    r"|\b(?:your|the|any|have an|there an) emergency (?:phone )?(?:line|number|hours|charges?|prices?|costs?|rates?|fees?)\b"
    r"|\b(?:how much (?:is|are|do|does|for|will|would)|cost of|price of|charge for|fee for)(?:(?! (?:it|this) is\b) \w+){0,4}"
    r" emergency (?:call out|callout|visit|repair|appointment)s?\b"
)
"""What is not there, and what only has the name: an emergency line that somebody asks about is no emergency. “It is an emergency!
Phone me” has lost its mark here and stays one: where it may be either, it is one."""


GONE: Final = re.compile(
    r"\b(?:(?:i|we) )?(?:(?:do|can|could) not|no longer) (?:\w+ )?smell (?:of |the |any )?gas(?: (?:any ?more|any longer|now))?(?= |$)"
)
WHEN_IT_WAS: Final = re.compile(
    r"\b(?:it|that|this) was (?:only )?(?:yesterday|(?:last|the other) \w+|(?:a|an|one|two|three|some|a few|\d+) \w+ ago)\b"
)


def read_urgency(meaning: str) -> Urgency:
    """The urgency that the words of `meaning` (see `normalise.meaning`) claim."""
    calm = NOT_MEANT.sub(" ", meaning)
    # Whoever smells gas no more and is ill has smelt it.
    if EMERGENCY.search(calm) or any(first.search(meaning) and second.search(calm) for first, second in WITH):
        return "emergency"
    return "high" if HIGH.search(calm) else "normal"


def danger_in(meaning: str) -> str:
    """The words of `meaning` that tell of a danger by themselves; empty when none do."""
    found = EMERGENCY.search(NOT_MEANT.sub(" ", meaning))
    return found[0] if found else ""


def tells_of_unstopped_water(meaning: str) -> bool:
    """Whether the words of `meaning` tell of water that nobody can stop."""
    calm = NOT_MEANT.sub(" ", meaning)
    return all(each.search(calm) for each in UNSTOPPED)


def besides_harm(meaning: str) -> str | None:
    """What is left of `meaning` without its words of fire, smoke, sparks or somebody hurt; None when it tells of none."""
    calm = NOT_MEANT.sub(" ", meaning)
    if not any(BY_ITSELF.search(found[0]) for found in EMERGENCY.finditer(calm)):
        return None
    return " ".join(EMERGENCY.sub(lambda found: " " if BY_ITSELF.search(found[0]) else found[0], calm).split())


def read_at_risk(meaning: str) -> str:
    """The words of `meaning` that tell of somebody very young, old or ill; empty when none do. Somebody who is “sick of it” is not."""
    found = AT_RISK.search(meaning)
    return found[0] if found else ""


def tells_of_cold(meaning: str) -> bool:
    """Whether the words of `meaning` tell that it is cold somewhere, which is what endangers who is very young, old or ill."""
    return COLD.search(meaning) is not None


def tells_of_despair(meaning: str) -> bool:
    """Whether the words of `meaning` tell that somebody wants to end their life or hurt themselves."""
    return DESPAIR.search(meaning) is not None


def tells_of_hurt(meaning: str) -> bool:
    """Whether the words of `meaning` tell of somebody who needs a doctor at once."""
    return HURT.search(NOT_MEANT.sub(" ", meaning)) is not None


def says_to_leave(meaning: str) -> bool:
    """Whether the words of `meaning` tell of fire, of smoke or of somebody who is hurt."""
    return TO_LEAVE.search(NOT_MEANT.sub(" ", meaning)) is not None


def without_denied(meaning: str) -> str:
    """`meaning` without the dangers that it says are not there (“but no smell of gas”); all of it when nothing else is said.

    Of gas that was smelt and is gone it keeps that it is about gas, and not when it was.
    """
    present = WHEN_IT_WAS.sub(" ", GONE.sub(" gas ", meaning)) if GONE.search(meaning) else meaning
    left = " ".join(NOT_MEANT.sub(" ", present).split())
    return left if len(left.split()) > 1 else meaning


def higher(one: Urgency, other: Urgency) -> Urgency:
    """The more pressing of two urgencies."""
    return max(one, other, key=ORDER.index)
