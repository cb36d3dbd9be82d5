"""What works is not what somebody needs: “hot water fine but the heating won't come on” is about the heating. Words only, no model."""

from __future__ import annotations

import re
from typing import Final

# Matched against `normalise.meaning`: small letters, no punctuation, contractions written out.
_THING: Final = (
    r"(?:(?:the|my|our|all|a) )?(?:(?:hot|cold) water|water|central heating|heating|boiler|radiators?|rads?|immersion|shower|taps?|bath"
    r"|sinks?|toilets?|lights?|sockets?|electrics?|pilot|cooker|hob)"
)
_HAVE: Final = r"(?:(?:(?:i|we|there) )?(?:(?:do|still|only) )*(?:have|has|got|getting|get|is)(?: (?:still|only|got|some))* )"
_SURELY: Final = r"(?:fine|ok|okay|good|great|perfect(?:ly)?|works|working|runs|running|all right|alright)"
_FINE: Final = (
    rf"(?:(?:is|are|seems?|does|do|still|all|just|absolutely|perfectly|totally|comes?|coming|works?|working|running|runs) )*"
    rf"(?:{_SURELY}|on|hot|there|normal(?:ly)?|through)"
)
_BUT: Final = r"(?:but|though|although|yet|however|except)"
_FIRST: Final = re.compile(
    rf"^(?:{_HAVE}?{_THING} (?:{_FINE} (?:{_BUT}|and|just) |(?:(?:is|are) )?{_SURELY} |{_BUT} (?=(?:no|not)\b))|{_HAVE}{_THING} {_BUT} )"
)
_LAST: Final = re.compile(
    rf" (?:(?:{_BUT}|and|while|whereas) (?:{_HAVE}?{_THING} (?:{_FINE}|is|does)|{_HAVE}{_THING})|{_BUT} {_THING})"
    r"(?= (?:and|so|can|could|please|since)\b|$)"
)
_NAMES_ONE: Final = re.compile(rf"\b{_THING}\b")


def without_what_works(meaning: str) -> str:
    """`meaning` without what it says is in order; all of it when what is left names nothing that could be out of order."""
    for pattern in (_FIRST, _LAST):
        left = " ".join(pattern.sub(" ", meaning, count=1).split())
        if left != meaning and _NAMES_ONE.search(left):
            return left
    return meaning
