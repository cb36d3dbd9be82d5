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
_KIN: Final = (
    r"(?:(?:mother|mum|mom|father|dad|parents?|gran|granny|grandma|grandad|grandpa|grandmother|grandfather|grandparents|nan|aunt|uncle"
    r"|husband|wife|partner|son|daughter|child|children|kid|kids|boys?|girls?|little ones?|twins?|triplets|neighbou?r|tenant|lady|man|woman"
    r"|person|somebody|someone)(?: in law)?)"
)
_PEOPLE: Final = rf"(?:i|he|she|we|they|{_KIN})"
_THEY: Final = rf"(?:{_PEOPLE}|who|that)"
_OLD: Final = r"(?:7[5-9]|[89]\d|10\d)"
_THING: Final = (
    r"(?:house|home|flat|building|property|place|boiler|combi|heater|heating|system|radiators?|pump|thermostat|cylinder|tank|pipes?"
    r"|pipework|plumbing|wiring|electrics|kitchen|bathroom|shower|toilet|taps?)"
)
_CHILD: Final = r"(?:(?:grand)?(?:sons?|daughters?|child|children)|kids?|boys?|girls?|little ones?|twins?|triplets)"
_FEW_YEARS: Final = r"[1-4](?: (?:years?|yrs?)(?: old)?(?! ago)(?= |$)|(?= (?:and|with|so|but)\b|$))"
_BABY_IS: Final = r"(?:\d+|a few|some) (?:days?|weeks?|months?)"
_FLOWS: Final = (
    r"(?:pour|gush|com|runn|stream|dripp|fall|seep|leak)ing|(?:pour|come|run|stream|drip|fall|seep|gushe)s"
)
_ABOVE: Final = r"(?:(?:the|my|our|your|a) )?(?:\w+ )?(?:ceilings?|roof|lights?|lamps?|walls?|upstairs)\b|(?:the )?\w+ above\b"
_SOURCE: Final = (
    r"(?: (?:of|from) (?:(?:the|my|our) )?(?:neighbours?|neighbors?|next door|flat|pipes?|tank|bath|shower)(?: (?:above|upstairs))?)?"
)
_WET: Final = r"(?:leak\w*|drip\w*|water|wet)"
_GROWS: Final = (
    r"(?:(?:getting|growing|becoming|got) (?:much |a lot |even )?(?:bigger|larger|worse|heavier|faster|wider)|spreading|growing|worsening)"
)
_INDOORS: Final = (
    rf"water(?:'s)? (?:is )?(?:{_FLOWS})(?: in| down| out)?{_SOURCE}"
    rf"(?: (?:through|out of|from|down|of|for|since))+ (?:{_ABOVE})"
    rf"|(?:{_FLOWS})(?: in| out| down)? (?:(?:so )?much |a lot of |the )?water{_SOURCE}"
    rf" (?:(?:through|out of|from|of|for|since) )+(?:{_ABOVE})"
    rf"|(?:ceiling|roof) (?:is )?(?:{_FLOWS})(?: with)? water|ceiling (?:is |has )?(?:bulging|coming down|falling|fallen|collapsing|caving)"
    r"|(?:house|home|flat|kitchen|bathroom|room|basement|cellar|hall|hallway|garage|floor) (?:is |are )?"
    r"(?:(?:full of|filling (?:up )?with) (?:\w+ )?water|under water(?! (?:tank|heater|meter|cylinder)))"
)
"""Water that comes down into a home; in the order of Spanish words, too, of which only each word is put into English."""
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
    r"|(?:huge|massive|enormous|major|serious|severe) (?:water )?leak"
    r"|leak (?:is )?(?:(?:very|really|so) (?:big|large)|huge|massive|enormous)"
    rf"|{_INDOORS}|water (?:without stopping|gushing)"
    r"|water (?:is )?(?:\w+ )?everywhere|pouring through|flooding|flooded|burst (?:(?:a|the|my) )?(?:pipe|main|tank|radiator|hose)"
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
    (
        re.compile(rf"\b{_WET}\b.*\b(?:ceilings?|roof)\b|\b(?:ceilings?|roof)\b.*\b{_WET}\b"),
        re.compile(rf"\b{_GROWS}\b"),
    ),
)
"""Each first is a danger where the second is said with it: what carbon monoxide does to people, how a flame looks that makes it (see the
signs that gas safety bodies list), water that nobody can stop, and water from above that grows."""
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
    r"|nan|nana|gran|granny|grand(?:ma|pa|ad|mother|father|parents)"
    r"|chemotherapy|cancer|oxygen"
    rf"|{_THEY} (?:is |are |am |has been |have |has )?(?:very |quite |seriously |really )?"
    r"(?:ill|sick(?! (?:of|and))|unwell|poorly)"
    rf"|(?:i|he|she|we|they|{_KIN}) (?:is |are |am )(?:very |quite |really |so |rather |getting )*old(?= |$)(?! enough)"
    r"|(?<!year )(?<!years )(?:old|aged) (?:mother|mum|mom|father|dad|parents?|aunt|uncle|lady|woman|person|people|couple)"
    rf"|{_THEY} (?:is |are |am |turns? |aged )?(?:about |over |nearly |almost |already )?{_OLD}(?= |$)"
    r"(?! (?:pounds|euros|degrees|percent))"
    rf"|{_KIN} (?:have|has) {_OLD}(?= |$)(?! (?:pounds|euros|degrees|percent))"
    rf"|(?:{_PEOPLE} (?:have|has)|of) (?:about |over |nearly |almost |already )?{_OLD} years"
    rf"|{_OLD}(?: |-)?(?:years?(?: |-)old|year)\b"
    r"|in (?:my|our|his|her|their) (?:early |mid |late )?(?:(?:seven|eigh|nine)ties|[789]0s)|pensioners?|oaps?|wheelchair"
    r"|(?:very |really )?(?:small|young|little|tiny) (?:children|child|kids?|ones)"
    rf"|{_CHILD} (?:(?:is|are|has|have) )?(?:only |just |nearly |almost )?{_FEW_YEARS}"
    rf"|{_PEOPLE} (?:is |are |has |have )?(?:only |just )?{_BABY_IS}(?= |$)(?! (?:ago|late|later|behind))|{_PEOPLE} of {_BABY_IS}"
    rf"|(?:a|an|my|our) \d+ (?:day|week|month) old(?! {_THING}))"
    r"(?= |$)"
)
"""Whom the cold endangers most: the very young, those over 75, who is ill."""
AGE_OF_A_THING: Final = re.compile(
    rf"\b(?:{_THING}|it)(?: (?:is|are|was|must be|has|have|which|that))* (?:about |over |nearly |almost |already |at least |only )?\d+"
    rf" (?:years?|yrs?)(?: old)?(?= |$)|\b\d+(?: |-)?years?(?: |-)old (?:\w+ )?{_THING}(?= |$)"
)
"""An old house or boiler is nobody whom the cold endangers."""
COLD: Final = re.compile(
    r"\b(?:hot water|heating|heat|heater|radiators?|cold|freezing|warm|boiler(?! (?:service|cover|check|plan|insurance|certificate)))\b"
)
"""What leaves a home cold."""
DESPAIR: Final = re.compile(rf"\b(?:{_DESPAIR})\b")
HURT: Final = re.compile(rf"\b(?:{_HURT})\b")
_PRICE: Final = r"how much|what (?:do|will|would) you charge|prices?|costs?|charges?|charged|fees?|rates?|tariff|quote"
_WORK: Final = (
    r"(?:call ?outs?|plumbers?|plumbing|engineers?|visits?|repairs?|appointments?|services?|jobs?|work|night|weekend|sunday|saturday"
    r"|heating|boiler|out of hours)"
)
_WORKS: Final = (
    r"(?:services?|call ?outs|cover|work|jobs|plumbing|repairs|visits|plumbers|engineers|electricians|appointments"
    r"|(?:heating|boiler|drain) (?:work|repairs|engineers))"
)
_OFFERS: Final = r"(?:do|can) (?:you|we) (?:do|have|offer|provide|run|cover)(?: \w+){0,3} emergency"
_CLAIMED: Final = (
    r"(?:(?:it|this|that|there|here) is|its|(?:i|we) (?:have (?!to pay)|need|got|am|are|want)|(?:have|need) (?:a|an)\b|now)"
)
"""What makes an emergency of the word: somebody has it, and does not only ask what it costs."""
NOT_THERE: Final = re.compile(
    r"\b(?:not|no|never|without|is not an|not an|no longer)(?:(?! (?:and|but)\b) \w+){0,2} (?:emergency|urgent|smell(?:s|ing)?(?: of)? gas"
    r"|gas smell|gas leak|flooding|sparks?|carbon monoxide)\b"
    r"|\b(?:no|without|not any|not see) (?:any )?(?:smoke|flames)\b"
)
"""What is not there."""
ASKED_ABOUT: Final = re.compile(
    r"\b(?:your|the|any|have an|there an) emergency (?:phone )?(?:line|number|hours|charges?|prices?|costs?|rates?|fees?)\b"
    rf"|\b(?:{_PRICE})(?:(?! {_CLAIMED}) \w+){{0,5}} (?:emergency(?: {_WORK})+|(?:(?:for|of|is|are|in) (?:an? )?|an )emergency)\b"
    rf"(?! {_CLAIMED})"
    rf"|\bemergency(?: {_WORK})* (?:price|cost|charge|fee|rate|tariff)s?\b"
    rf"|^(?:an |24 hours? )?emergency(?: {_WORK})+ how much\b"
    rf"|\b{_OFFERS} {_WORKS}\b(?! {_CLAIMED})"
    r"|\bwhat (?:counts as|do you (?:call|count as)|is considered|qualifies as) an emergency\b|\bin case of (?:an )?emergency\b"
)
"""What only has the name: an emergency line, or a visit in an emergency, that somebody asks about is no emergency. “It is an emergency!
Phone me” has lost its mark here and stays one: where it may be either, it is one."""
OFFERED_IN_ONE: Final = re.compile(rf"\b({_OFFERS}) {_WORKS}\b", re.IGNORECASE)
GONE: Final = re.compile(
    r"\b(?:(?:i|we) )?(?:(?:do|can|could) not|no longer) (?:\w+ )?smell (?:of |the |any )?gas(?: (?:any ?more|any longer|now))?(?= |$)"
)
WHEN_IT_WAS: Final = re.compile(
    r"\b(?:it|that|this) was (?:only )?(?:yesterday|(?:last|the other) \w+|(?:a|an|one|two|three|some|a few|\d+) \w+ ago)\b"
)


def _calm(meaning: str) -> str:
    """`meaning` without what is not there and what only has the name."""
    return ASKED_ABOUT.sub(" ", NOT_THERE.sub(" ", meaning))


def read_urgency(meaning: str) -> Urgency:
    """The urgency that the words of `meaning` (see `normalise.meaning`) claim."""
    calm = _calm(meaning)
    # Whoever smells gas no more and is ill has smelt it.
    if EMERGENCY.search(calm) or any(first.search(meaning) and second.search(calm) for first, second in WITH):
        return "emergency"
    return "high" if HIGH.search(calm) else "normal"


def with_call_outs(question: str) -> str:
    """A question for whatever work in an emergency as one for call-outs, whatever the trade: “do you do emergency plumbing”."""
    return OFFERED_IN_ONE.sub(r"\1 call outs", question)


def danger_in(meaning: str) -> str:
    """The words of `meaning` that tell of a danger by themselves; empty when none do."""
    found = EMERGENCY.search(_calm(meaning))
    return found[0] if found else ""


def tells_of_unstopped_water(meaning: str) -> bool:
    """Whether the words of `meaning` tell of water that nobody can stop."""
    calm = _calm(meaning)
    return all(each.search(calm) for each in UNSTOPPED)


def besides_harm(meaning: str) -> str | None:
    """What is left of `meaning` without its words of fire, smoke, sparks or somebody hurt; None when it tells of none."""
    calm = _calm(meaning)
    if not any(BY_ITSELF.search(found[0]) for found in EMERGENCY.finditer(calm)):
        return None
    return " ".join(EMERGENCY.sub(lambda found: " " if BY_ITSELF.search(found[0]) else found[0], calm).split())


def read_at_risk(meaning: str) -> str:
    """The words of `meaning` that tell of somebody very young, old or ill; empty when none do. Somebody who is “sick of it” is not."""
    found = AT_RISK.search(AGE_OF_A_THING.sub(" ", meaning))
    return found[0] if found else ""


def without_at_risk(meaning: str) -> str:
    """`meaning` without the words that tell of somebody very young, old or ill, which are no need; all of it when nothing cold is left."""
    left = " ".join(AT_RISK.sub(" ", meaning).split())
    return left if tells_of_cold(left) else meaning


def tells_of_cold(meaning: str) -> bool:
    """Whether the words of `meaning` tell that it is cold somewhere, which is what endangers who is very young, old or ill."""
    return COLD.search(meaning) is not None


def tells_of_despair(meaning: str) -> bool:
    """Whether the words of `meaning` tell that somebody wants to end their life or hurt themselves."""
    return DESPAIR.search(meaning) is not None


def tells_of_hurt(meaning: str) -> bool:
    """Whether the words of `meaning` tell of somebody who needs a doctor at once."""
    return HURT.search(_calm(meaning)) is not None


def says_to_leave(meaning: str) -> bool:
    """Whether the words of `meaning` tell of fire, of smoke or of somebody who is hurt."""
    return TO_LEAVE.search(_calm(meaning)) is not None


def without_denied(meaning: str) -> str:
    """`meaning` without the dangers that it says are not there (“but no smell of gas”); all of it when nothing else is said.

    Of gas that was smelt and is gone it keeps that it is about gas, and not when it was.
    """
    present = WHEN_IT_WAS.sub(" ", GONE.sub(" gas ", meaning)) if GONE.search(meaning) else meaning
    left = " ".join(NOT_THERE.sub(" ", present).split())
    return left if len(left.split()) > 1 else meaning


def higher(one: Urgency, other: Urgency) -> Urgency:
    """The more pressing of two urgencies."""
    return max(one, other, key=ORDER.index)
