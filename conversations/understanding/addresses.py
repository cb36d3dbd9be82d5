"""A postal address that somebody tells, without its postcode, in English and in Spanish."""

from __future__ import annotations

import re
from typing import Final

from conversations.understanding import needs
from conversations.understanding.postcodes import without_postcodes
from conversations.understanding.spoken import to_typed
from conversations.understanding.times import AFTER_THE, NO_STREET, OTHER_MEANINGS_OF_A_NUMBER, STREETS

LONGEST: Final = 200
INTRODUCED: Final = re.compile(
    r"\b(?:(?:my|our|the) (?:(?:new|home|postal|current|other) )*add?ress (?:is|will be|has changed to)(?: now)?\b|(?:the )?new address:"
    r"|\b(?:change|correct|update|make|put) (?:my|our|the) add?ress (?:to|into|as)\b"
    r"|(?:i|we)(?:'ve| have)?(?: (?:just|recently|now))? moved (?:house )?to\b|(?:i|we) (?:now )?live (?:now )?at\b"
    r"|(?:mi|nuestra|la) (?:nueva )?direcci[oó]n(?: nueva| postal)? (?:es|ser[aá])(?: ahora)?\b|(?:me he|nos hemos) mudado a\b"
    r"|ahora viv(?:o|imos) en\b)[\s:,]*(?P<address>.{3,300})",
    re.IGNORECASE,
)
END: Final = re.compile(r"[;!?\n]|(?<!\bSt)\.\s|\.$|,? (?:please|thanks|thank you|por favor|gracias)\b", re.IGNORECASE)
AROUND: Final = re.compile(
    r"^[\s,.:-]+|[\s,.:-]+$|[\s,]*\b(?:and )?(?:(?:the|with) )*post ?code(?: is)?\b[\s:]*"
    r"|[\s,]*\b(?:y )?(?:el )?c[oó]digo postal(?: es)?\b[\s:]*",
    re.IGNORECASE,
)
NO_ADDRESS: Final = re.compile(r"^(?:an?|another|my|un|una|otra|mi)\b", re.IGNORECASE)
"""“I moved to a house with three radiators.”"""


_LITTLE: Final = frozenset({"a", "my", "your", "is", "are", "for", "the", "by", "of", "it", "o'clock", "oclock"})
_NO_STREET: Final = "|".join(sorted({word for word in NO_STREET | OTHER_MEANINGS_OF_A_NUMBER | _LITTLE if word.isalpha()}))
IN_A_STREET: Final = re.compile(
    rf"\b(?:(?:flat|apartment|unit) \d{{1,4}}[a-z]?,? )?(?:number )?\d{{1,4}}[a-z]? "
    rf"(?:the (?!(?:{'|'.join(sorted(AFTER_THE))})\b)[a-z]{{4,20}}(?= *(?:[,.;]|$|[a-z]{{1,2}}\d))"
    rf"|(?:(?!(?:{_NO_STREET})\b)[a-z][a-z'.-]{{1,20}} ){{1,3}}(?:{'|'.join(sorted(STREETS))})\b)"
    r"(?:,? (?:flat|apartment|unit) \d{1,4}[a-z]?)?",
    re.IGNORECASE,
)
"""“14 Mill Lane”, “flat 3, 16 Quay Street”, “14 The Elms”."""


def find_address(text: str, *, region: str, expected: bool, in_passing: bool = True) -> str:
    """The address in `text`, or nothing. `expected` says that one was just asked for, so that the words alone will do.

    One that nothing announces is a house in a street, where it may be told `in_passing`: not in a story. A house has a number: without
    any digit beside the postcode, “my address is wrong” would be one. `region` as for postcodes.
    """
    found = INTRODUCED.search(text.replace("’", "'"))
    in_street = None if found or expected or not in_passing else IN_A_STREET.search(to_typed(text))
    told = found["address"] if found else text if expected else in_street[0] if in_street else ""
    told = AROUND.sub("", without_postcodes(needs.parts_of(END.split(told, maxsplit=1)[0])[0], region=region).strip())
    told = " ".join(AROUND.sub("", told).split())[:LONGEST]
    has_number = any(character.isdigit() for character in told)
    is_one = has_number and any(character.isalpha() for character in told) and NO_ADDRESS.match(told) is None
    return told if is_one else ""
