"""Postcodes as they are typed and said, however their letters and digits are grouped."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import islice, pairwise
from typing import Final

from conversations.understanding.spoken import SHORT_WORDS

MAX_CANDIDATES: Final = 10
GB: Final = re.compile(
    r"(?<![\w-])(?P<area>[A-Z]{1,2})[ -]?(?P<district>[0-9][A-Z0-9]?)[ -]?(?P<sector>[0-9])[ -]?(?P<unit>[ABD-HJLNP-UW-Z]{2})\b",
    re.IGNORECASE,
)
US: Final = re.compile(r"(?<![\w-])[0-9]{5}(?:-[0-9]{4})?(?![\w-])")
OUTWARD: Final = re.compile(r"(?<![\w-])[A-Z]{1,2}[0-9][A-Z0-9]?\b(?![ -]?[0-9])", re.IGNORECASE)
"""The beginning of a postcode alone: what is followed by the rest of one that is wrong is none."""
AS_WRITTEN: Final = re.compile(r"[A-Z]{1,2}[0-9][A-Z0-9]? ?[0-9][A-Z]{2}", re.IGNORECASE)
WHOLE: Final = re.compile(r"(?<![\w-])[A-Z]{1,2}[0-9][A-Z0-9]? ?[0-9][ABD-HJLNP-UW-Z]{2}(?![\w-])", re.IGNORECASE)
ORDINAL: Final = re.compile(r"(?:1st|2nd|3rd|[04-9]th)$", re.IGNORECASE)
LISTED: Final = re.compile(
    r"(?:[\s,;&]|\b(?:and|also|plus|then|the|an?|other|another|one|second|third|at|in|for|y|en|el|la|otro|otra)\b)*", re.IGNORECASE
)
"""What stands between the postcodes of a list; what else is between two puts the first right, or leads on from it."""
INTRODUCED: Final = re.compile(r"\bpost ?code(?: is)?:? ?$", re.IGNORECASE)


def find_postcode(text: str, *, region: str, expected: bool) -> tuple[str, str, float] | None:
    """The postcode that `text` tells in the form “HB1 4QT”, the words that said so and how sure that is (0 to 1), or None.

    Of several it is the last, which puts the others right, and the first where they are a list of addresses.
    `expected` says that one was just asked for: then its beginning alone (“HB1”) will do, and in the United States five digits.
    """
    if region == "US":
        return _american(text, expected)
    if region != "GB":
        return None
    found = list(_british(text, expected))
    if found:
        meant = found[0] if _is_list(text, found) else found[-1]
        return _written(meant), meant[0], 0.95
    if not expected:
        return None
    whole = GB.fullmatch("".join(character for character in text[:40] if character.isalnum()))
    if whole:
        return _written(whole), text, 0.9
    outward = OUTWARD.search(text[:200])
    return (outward[0].upper(), outward[0], 0.6) if outward else None


def every_postcode(text: str, *, region: str) -> list[str]:
    """The postcodes in `text` that are written as on a letter, each once and in order, in the form “HB1 4QT”."""
    found = (match[0].replace(" ", "").upper() for match in islice(WHOLE.finditer(text), MAX_CANDIDATES)) if region == "GB" else ()
    return list(dict.fromkeys(f"{each[:-3]} {each[-3:]}" for each in found))


def without_postcodes(text: str, *, region: str) -> str:
    """`text` without the postcodes in it that are written as on a letter: the digits of “HB2 3AB” tell no hour."""
    return WHOLE.sub(" ", text) if region == "GB" else text


def _american(text: str, expected: bool) -> tuple[str, str, float] | None:
    found = list(islice(US.finditer(text), MAX_CANDIDATES)) if expected or "zip" in text.lower() else []
    return (found[-1][0], found[-1][0], 0.95) if found else None


def _british(text: str, expected: bool) -> Iterator[re.Match[str]]:
    """Those written as they are on a letter, and those grouped in another way (“HB 12AB”) that are nothing else (“on 23rd”)."""
    for match in islice(GB.finditer(text), MAX_CANDIDATES):
        likely = expected or match["unit"].isupper() or INTRODUCED.search(text[: match.start()][-20:])
        is_other = match["area"].lower() in SHORT_WORDS or ORDINAL.search(match[0])
        if AS_WRITTEN.fullmatch(match[0]) or (likely and not is_other):
            yield match


def _is_list(text: str, found: Sequence[re.Match[str]]) -> bool:
    return all(LISTED.fullmatch(text[one.end() : next_one.start()]) for one, next_one in pairwise(found))


def _written(match: re.Match[str]) -> str:
    return f"{match['area']}{match['district']} {match['sector']}{match['unit']}".upper()
