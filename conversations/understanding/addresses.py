"""A postal address that somebody tells, without its postcode, in English and in Spanish."""

from __future__ import annotations

import re
from typing import Final

from conversations.understanding.postcodes import without_postcodes

LONGEST: Final = 200
INTRODUCED: Final = re.compile(
    r"\b(?:(?:my|our|the) (?:(?:new|home|postal|current|other) )*address (?:is|will be|has changed to)(?: now)?\b|(?:the )?new address:"
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


def find_address(text: str, *, region: str, expected: bool) -> str:
    """The address in `text`, or nothing. `expected` says that one was just asked for, so that the words alone will do.

    A house has a number: without any digit beside the postcode, “my address is wrong” would be one. `region` as for postcodes.
    """
    found = INTRODUCED.search(text.replace("’", "'"))
    told = found["address"] if found else text if expected else ""
    told = AROUND.sub("", without_postcodes(END.split(told, maxsplit=1)[0], region=region).strip())
    told = " ".join(AROUND.sub("", told).split())[:LONGEST]
    has_number = any(character.isdigit() for character in told)
    is_one = has_number and any(character.isalpha() for character in told) and NO_ADDRESS.match(told) is None
    return told if is_one else ""
