"""The name of the person who types or speaks."""

from __future__ import annotations

import re
from typing import Final

from conversations.understanding.corrections import tries
from conversations.understanding.dates import MONTHS, MONTHS_AS_NAMES, WEEKDAYS
from conversations.understanding.spoken import TEENS, TENS, UNITS, bare

_WRONG: Final = (("name", "wrong"), ("wrong", "name"), ("name", "is", "wrong"))
CERTAIN_OPENINGS: Final[tuple[tuple[str, ...], ...]] = (
    *(wrong + it for wrong in _WRONG for it in (("it's",), ("its",), ("it", "is"))),
    ("my", "full", "name", "is"), ("my", "first", "name", "is"),
    ("my", "name", "is"), ("my", "name's"), ("the", "name", "is"), ("the", "name's"),
    ("name", "is"), ("name's",), ("call", "me"), ("name:",), ("name",),
)  # fmt: skip
LIKELY_OPENINGS: Final[tuple[tuple[str, ...], ...]] = (
    ("this", "is"), ("i'm",), ("i", "am"), ("it's",), ("its",), ("it", "is"), ("im",), ("yes", "it's"), ("yeah", "it's"),
)  # fmt: skip
_NOT_NAMES: Final = (
    "a an the my your our their his her its this that these those i you he she it we they me him us them and or but not no "
    "yes yeah yep nope ok okay is am are was were be been being have has had do does did can could will would shall should "
    "may might must need want wants wanted like book booking booked boiler heating water leak leaking gas plumber engineer "
    "bill invoice price quote cancel change move help please thanks thank hello hi hey sorry what when where who why how "
    "which there here just looking calling trying having getting going waiting writing phoning ringing ready sure fine good "
    "great cold hot urgent about from at in on for with without of to very really so still already back home ill unhappy "
    "happy angry upset disappointed free available someone person human agent number phone email address postcode name "
    "correct right wrong it's that's don't can't won't i'm i've tomorrow today tonight monday tuesday wednesday thursday "
    "friday saturday sunday morning afternoon evening something nothing anything everything one new existing customer "
    "interested considering thinking sick tired fed done stuck also again now then too speaking spelled spelt call ask tell "
    "hoping wondering asking"
)
# The closed classes of English beyond those above: none begins a name, and “Thomas More” has a capital.
_LITTLE_WORDS: Final = (
    "all another any anybody anyone anyway as because before after both each either else enough even ever every everybody few first "
    "forget forgot if instead last least less let let's lots many maybe mind more most much myself neither never next nobody none "
    "off often once only other otherwise out over per perhaps possible possibly probably quite rather same second since some somebody "
    "soon such sure than though through till together under unless until up us usually via whatever whenever wherever whether whichever "
    "while whoever whom whose within yet don't doesn't didn't isn't aren't wasn't i'd i'll you're we're they're there's what's who's "
    "bye goodbye thx cheers ya cya cool lol wow "
    "know knew say said saying tell told give gave given put use using take stop wait hold skip pass pardon eh huh um uh er repeat"
)
NOT_NAMES: Final = frozenset(_NOT_NAMES.split())
LITTLE_WORDS: Final = frozenset(_LITTLE_WORDS.split())
PARTICLES: Final = frozenset({"van", "von", "de", "der", "den", "la", "le", "del", "di", "da", "bin", "al", "el", "st"})
TITLES: Final = frozenset({"mr", "mrs", "ms", "miss", "dr", "mx", "prof", "sir"})
ENDINGS: Final = frozenset({"here", "speaking", "calling", "please", "thanks", "again"})
ALSO_NAMES: Final = frozenset({"will", "may"})
_HOURS: Final = (
    "oclock o'clock am pm half quarter noon midday midnight hundred thousand zero weekend weekends weekday weekdays mornings afternoons"
    " evenings nights lunch lunchtime lunchtimes mondays tuesdays wednesdays thursdays fridays saturdays sundays anytime"
)
HOURS: Final = frozenset(_HOURS.split()) | UNITS.keys() | TEENS.keys() | TENS.keys()
"""Hours, days and numbers: none begins a name, and none but a day's or a month's own name stands in one."""
DAYS: Final = frozenset(WEEKDAYS) | (frozenset(MONTHS) - MONTHS_AS_NAMES)
"""Names of people as well, before another that is nothing else: “Monday Jones”."""
_GIVEN: Final = (
    "adam alan alex alice amy ana andrew angela ann anna anne antonio april august ben beth bob brian carlos carmen carol charlie chris"
    " claire daisy dan daniel dave david diana donna elena elizabeth ella emily emma eve faith fatima fred frank gary george grace hannah"
    " harry helen henry holly hope ian isabel ivy jack jacob james jan jane javier jean jenny jessica jim joan joe john jorge jose joy juan"
    " judy julia june karen kate kevin kim laura leo liam lily linda lisa louise lucas lucia luis lucy luke manuel margaret maria mark mary"
    " matt max may megan mia michael mike mohammed nancy natalie nick nina noah nora oliver olivia oscar pablo pat patricia paul pedro"
    " peter phil poppy priya rachel ray rebecca rob robert rosa rose ruby ruth ryan sam sandra sara sarah simon sofia sophie stella steve"
    " sue summer susan tara theo thomas tim tina tom tony victor violet wendy will william yusuf zara zoe"
)
GIVEN: Final = frozenset(_GIVEN.split())
"""Given names that tell a name even where nothing has a capital."""
_OF_PLACES: Final = (
    "street st road rd lane avenue ave close drive way court house terrace place square crescent gardens flat floor door gate room"
)
OF_PLACES: Final = frozenset(_OF_PLACES.split())
TOLD_IN_PASSING: Final = 0.8
PARTS: Final = re.compile(r"[,;.:!?]+(?:\s|$)|\s-\s|\n|\b(?:and|y)\b", re.IGNORECASE)
LONGEST: Final = 5
LEADS_TO_A_NAME: Final = re.compile(
    r"(?:(?:please|just|ok|okay|yes|yeah|sure|well|um|uh|you can)[,.]? )*"
    r"(?:(?:put|book|use|write|make|have|do) (?:it |that |this |me )?(?:(?:down )?(?:under|as|in|to|for|on)(?: the name(?: of)?)? )?"
    r"|(?:it's |it is |it goes |that's )?(?:under|in)(?: the)? name(?: of)? |(?:it's |it is |it goes )?under )"
    r"(?=[^\W\d_]{2})",
    re.IGNORECASE,
)
"""What people say before the name that they were asked for: “put it under Sam Okafor”."""


def find_name(text: str, *, expected: bool) -> tuple[str, str, float] | None:
    """The name said in `text`, the words that said so and how sure that is (0 to 1), or None.

    “My name is sam okafor” always counts; “I'm Sam” only with a capital, unless a name was just asked for
    (`expected`), when the words alone will do.
    """
    for said in tries(text)[:-1]:
        # “My name is Ann, no, Anna Kelly”: of two names the last, where the words before told one as well.
        name = _name_in(said, expected=True)
        if name and _name_in(text, expected=expected):
            return name
    return _name_in(text, expected=expected)


def _name_in(text: str, *, expected: bool) -> tuple[str, str, float] | None:
    if expected and (leads := LEADS_TO_A_NAME.match(text)):
        text = text[leads.end() :]
    words = text.split()
    plain = [bare(word) for word in words]
    for index in range(len(words)):
        for openings, confidence, needs_capital in ((CERTAIN_OPENINGS, 0.95, False), (LIKELY_OPENINGS, 0.8, not expected)):
            length = _opening_length(plain, words, index, openings)
            name = _name_from(words, plain, index + length, needs_capital) if length else None
            if name is not None:
                return name[0], " ".join(words[index : name[1]]), confidence
    return _whole(words, plain) if expected else None


def _opening_length(plain: list[str], words: list[str], index: int, openings: tuple[tuple[str, ...] | str, ...]) -> int:
    for opening in openings:
        phrase = (opening,) if isinstance(opening, str) else opening
        if tuple(plain[index : index + len(phrase)]) == phrase:
            return 0 if phrase == ("name",) and not words[index].endswith(":") else len(phrase)
        if phrase == ("name:",) and words[index].lower() == "name:":
            return 1
    return 0


def _name_from(words: list[str], plain: list[str], start: int, needs_capital: bool) -> tuple[str, int] | None:
    """The name that starts at `start` and the index after it."""
    parts: list[str] = []
    index = start
    while index < len(words) and len(parts) < LONGEST and not _is_hour(words, plain, index, bool(parts)):
        is_little = plain[index] in LITTLE_WORDS and not (parts and words[index][:1].isupper())
        is_day = _is_day_as_name(words, plain, index)
        if is_little or not (is_day or _may_be_name(words[index], plain[index])) or (needs_capital and not words[index][:1].isupper()):
            break
        if plain[index] in {"and", "that's"} | ENDINGS:
            break
        if plain[index] not in TITLES:
            parts.append(words[index].strip('.,;:!?"()'))
        index += 1
        if words[index - 1][-1:] in {",", ".", ";", "!", "?"} and plain[index - 1] not in TITLES and len(plain[index - 1]) > 1:
            break
    return (_written(parts, words, index), index) if parts else None


def _whole(words: list[str], plain: list[str]) -> tuple[str, str, float] | None:
    start = 0
    while start < len(words) and plain[start] in {
        "yes",
        "yeah",
        "sure",
        "ok",
        "okay",
        "hi",
        "hello",
        "of",
        "course",
        "it's",
        "is",
        "so",
        "oh",
        "well",
    }:
        start += 1
    if _is_whole_name(plain[start:]):
        words = [*words[:start], words[start].capitalize(), *words[start + 1 :]]
    name = _name_from(words, plain, start, needs_capital=False)
    if name is None:
        return None
    rest = [word for word in plain[name[1] :] if word not in ENDINGS]
    spelled_after = bool(rest) and rest[0] in {"that's", "spelled", "spelt", "thats"}
    if rest and not spelled_after and words[name[1] - 1][-1:] not in {",", ".", ";"}:
        return None
    return name[0], " ".join(words[start : name[1]]), 0.85


def _may_be_name(word: str, plain: str) -> bool:
    letters = plain.replace("'", "").replace("-", "").replace(".", "")
    return letters.isalpha() and len(letters) <= 40 and (plain not in NOT_NAMES or (plain in ALSO_NAMES and word[:1].isupper()))


def _is_hour(words: list[str], plain: list[str], index: int, begun: bool) -> bool:
    """Whether a word is an hour, a day or a number and no part of a name: “Monday” before “Jones” is none."""
    if plain[index] in DAYS:
        return not (begun and words[index][:1].isupper()) and not _is_day_as_name(words, plain, index)
    return plain[index] in HOURS


def _is_day_as_name(words: list[str], plain: list[str], index: int) -> bool:
    """“Monday Jones”: both with a capital, and the second nothing but a name."""
    if plain[index] not in DAYS or index + 1 >= len(words) or words[index][-1:] in {",", ".", ";", "!", "?"}:
        return False
    capitals = words[index][:1].isupper() and words[index + 1][:1].isupper()
    return capitals and plain[index + 1] not in NOT_NAMES | LITTLE_WORDS | HOURS | DAYS and plain[index + 1].isalpha()


def volunteered(text: str) -> list[str]:
    """What in `text` may be a name that nobody asked for: two or three words that stand alone, with capitals or a given name first.

    What it may be besides is for the caller to tell.
    """
    parts = (part.strip(" \"'()") for part in PARTS.split(text))
    return [part for part in parts if _stands_as_name(part.split())]


def _stands_as_name(words: list[str]) -> bool:
    plain = [bare(word) for word in words]
    if len(words) not in (2, 3) or not all(each.replace("-", "").replace("'", "").isalpha() and len(each) > 1 for each in plain):
        return False
    if not (all(word[:1].isupper() or word in PARTICLES for word in words) or (len(words) == 2 and plain[0] in GIVEN)):
        return False
    is_name = [each in ALSO_NAMES or each not in NOT_NAMES | LITTLE_WORDS | HOURS | OF_PLACES for each in plain]
    return all(is_name) or (_is_day_as_name(words, plain, 0) and all(is_name[1:]))


def begins_with_given_name(name: str) -> bool:
    """Whether what may be a name begins with a given name, also with a letter more or less than it mostly has: “Jon Smyth”."""
    words = name.split(maxsplit=1)
    first = bare(words[0]) if words else ""
    shorter = _with_one_left_out(first) & GIVEN
    return first in GIVEN or bool(shorter) or any(first in _with_one_left_out(each) for each in GIVEN if len(each) == len(first) + 1)


def _with_one_left_out(name: str) -> set[str]:
    return {name[:index] + name[index + 1 :] for index in range(len(name))}


def _is_whole_name(plain: list[str]) -> bool:
    """“will tanner”, heard without capitals where a name was asked for: a word that is also a name, and one that is nothing else."""
    return len(plain) == 2 and plain[0] in ALSO_NAMES and plain[1] not in NOT_NAMES and plain[1].isalpha()


def _written(parts: list[str], words: list[str], after: int) -> str:
    """The parts with capitals, corrected by a part that was spelled after them (“that's OKAFOR”)."""
    for position, word in enumerate(words[after : after + 4]):
        spelled = word.strip('.,;:!?"()')
        introduced = position > 0 and bare(words[after + position - 1]) in {"that's", "thats", "spelled", "spelt", "as", "is"}
        if introduced and len(spelled) > 2 and spelled.isupper() and spelled.isalpha():
            for index in reversed(range(len(parts))):
                if parts[index][:1].upper() == spelled[0]:
                    parts[index] = spelled
                    break
    return " ".join(_capitalised(part, first=index == 0) for index, part in enumerate(parts))[:200]


def _capitalised(part: str, *, first: bool) -> str:
    if part.lower() in PARTICLES and not first:
        return part.lower()
    if not (part.islower() or (part.isupper() and len(part) > 2)):
        return part
    return "-".join("'".join(piece[:1].upper() + piece[1:] for piece in half.lower().split("'")) for half in part.split("-"))
