"""While who somebody is, is being found out: no code can reach them, they know nothing of what is asked, or have had enough."""

from __future__ import annotations

import re
from typing import Final

from conversations.assistant import acts

_CANNOT_GET: Final = r"can(?:'t|not| not) (?:get|receive|access|open|use|read|see|find|check|give|have|log ?in(?:to)?|remember)"
NO_CODE: Final = re.compile(
    r"^(?:no|not a|without an?|(?:i )?do(?:n't| not) want (?:a|any|the)) codes?(?: please| thanks| thank you)?$"
    rf"|\b(?:do(?:n't| not) have|have(?:n't| not)(?: got)?|got no|have no|without|no access to|{_CANNOT_GET})\b.{{0,30}}"
    r"\b(?:e?-?mails?|address|phone|mobile|code|codes|texts?|messages?|number)\b"
    rf"|\b(?:do(?:n't| not) have|have(?:n't| not)(?: got)?|{_CANNOT_GET}|can(?:'t|not| not) do)(?: (?:one|that|it)|$)"
    r"|\b(?:lost|broke|broken) my (?:phone|mobile)\b|\bmy (?:phone|mobile)(?:'s| is| was| got)? (?:lost|broken|stolen|dead|gone)\b"
    r"|^(?:i have |i've |sorry,? )*no (?:idea|clue)$|\bask me\b|\b(?:an)?other way\b|\b(?:neither|landline)\b"
)
NOTHING: Final = re.compile(
    r"\b(?:do(?:n't| not)|can(?:'t|not| not)) (?:remember|know|recall|have) (?:anything|any of (?:it|that|this|these|those|them))\b"
    r"|\b(?:remember|know|have) nothing\b|\bforgot(?:ten)? (?:everything|it all|all of it)\b|\bno idea about any of\b"
    r"|\b(?:nothing|none of (?:it|that|this|them|these)) (?:works?|is working|worked|helps)\b"
    r"|\bthis (?:does not|doesn't|isn't|is not) work(?:ing)?\b|\bi give up\b"
    r"|\bfor (?:\w+ )?(?:gods?|god's|heaven'?s|christ'?s|goodness'?|pete'?s) sake\b"
    r"|\b(?:this|you|that)(?:'s| is| are|'re) (?:\w+ )?(?:ridiculous|useless|hopeless|stupid|a joke|pathetic)\b"
    r"|\bround in circles\b|\bsick of (?:this|it|you)\b|\bwaste of (?:my )?time\b"
)
DID_NOT_COME: Final = re.compile(r"\b(?:no code|nothing|did(?:n't| not)|has(?:n't| not)|still|never)\b")
WITHOUT_MARK: Final = re.compile(r"\b(do|have|ca|did|could|has|does|is)nt\b")


def _plain(text: str) -> str:
    return WITHOUT_MARK.sub(r"\1n't", acts.plain(text))


def no_code(text: str) -> bool:
    """Whether a text says that no code can or shall reach them: “i cant get a code”, “I have no phone”, “ask me something”."""
    return NO_CODE.search(_plain(text)) is not None


def goes_no_further(text: str) -> bool:
    """Whether a text says that they know nothing of what is asked, or have had enough: “i dont remember anything”, “nothing works”."""
    return NOTHING.search(_plain(text)) is not None


def is_stuck(text: str) -> bool:
    """Whether a text says either of these."""
    return no_code(text) or goes_no_further(text)


def did_not_come(text: str) -> bool:
    """Whether words that ask for a code again say that it did not come, rather than that another one is wanted."""
    return acts.wants_code_again(_plain(text)) and DID_NOT_COME.search(_plain(text)) is not None
