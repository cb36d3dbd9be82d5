"""What people say, in the form in which they would have typed it: digits, spelled letters, addresses.

Every function walks the words once, so the time grows with the length of the text and nothing else.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from conversations.understanding.gloss import fold

UNITS: Final = {
    "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9,
}  # fmt: skip
TEENS: Final = {
    "ten": 10, "eleven": 11, "twelve": 12, "thirteen": 13, "fourteen": 14, "fifteen": 15, "sixteen": 16,
    "seventeen": 17, "eighteen": 18, "nineteen": 19,
}  # fmt: skip
TENS: Final = {
    "twenty": 20, "thirty": 30, "forty": 40, "fourty": 40, "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80,
    "ninety": 90,
}  # fmt: skip
ZEROS: Final = frozenset({"zero", "nought", "naught", "nil", "oh", "o"})
# "oh" and "o" are zeros only beside another digit or letter; elsewhere they are words.
DOUBTFUL_ZEROS: Final = frozenset({"oh", "o"})
SCALES: Final = {"hundred": 100, "thousand": 1000}
REPEATS: Final = {"double": 2, "triple": 3, "treble": 3}
PHONETIC: Final = {
    "alpha": "A", "alfa": "A", "bravo": "B", "charlie": "C", "delta": "D", "echo": "E", "foxtrot": "F", "golf": "G",
    "hotel": "H", "india": "I", "juliet": "J", "juliett": "J", "kilo": "K", "lima": "L", "mike": "M", "november": "N",
    "oscar": "O", "papa": "P", "quebec": "Q", "romeo": "R", "sierra": "S", "tango": "T", "uniform": "U", "victor": "V",
    "whiskey": "W", "whisky": "W", "xray": "X", "x-ray": "X", "yankee": "Y", "zulu": "Z",
    "aitch": "H", "haitch": "H", "bee": "B", "cee": "C", "eff": "F", "gee": "G", "ell": "L", "em": "M", "pee": "P", "queue": "Q",
    "cue": "Q", "ess": "S", "tee": "T", "vee": "V", "zed": "Z", "zee": "Z",
}  # fmt: skip
BEFORE_A_TIME: Final = frozenset(
    {"at", "between", "and", "to", "till", "until", "before", "after", "by", "from", "past", "around", "about"}
)
AFTER_A_TIME: Final = frozenset({"o'clock", "oclock", "am", "pm", "thirty", "fifteen", "pounds", "pound", "percent"})
EMAIL_JOINTS: Final = {"dot": ".", "underscore": "_", "dash": "-", "hyphen": "-"}
NOT_LOCAL_PARTS: Final = frozenset({"me", "us", "you", "it", "is", "email", "mail", "look", "be", "here", "there"})
SHORTEST_JOINED_NUMBER: Final = 5
POSTCODE: Final = re.compile(r"([A-Z]{1,2}[0-9][A-Z0-9]?)([0-9][A-Z]{2})")
POSTCODE_AND_HOUSE: Final = re.compile(r"([A-Z]{1,2}[0-9][A-Z0-9]?)([0-9][A-Z]{2})([0-9]{1,3})?")
"""“H B two four Q T, fourteen Mill Lane”."""
POSTCODE_WITHOUT_AREA: Final = re.compile(r"[0-9][A-Z0-9]?[0-9][A-Z]{2}")
_SHORT_WORDS: Final = "a am an as at be by do go he hi i if in is it me mr ms my no of oh ok on or pm so to uh uk um up us we"
SHORT_WORDS: Final = frozenset(_SHORT_WORDS.split())
"""Words of one or two letters that do not begin a postcode."""
EDGES: Final = ".,;:!?()[]\"“”‘’'"


@dataclass(frozen=True, slots=True)
class _Unit:
    """Part of a spelled-out run: its text, the word after it, and what it was made of."""

    text: str
    end: int
    is_letter: bool
    from_words: bool
    doubtful: bool = False


def bare(word: str) -> str:
    """`word` in small letters without the punctuation around it."""
    return word.strip(EDGES).lower()


def is_number(word: str) -> bool:
    """Whether `word`, in small letters, is a digit, a number or a word that stands for one in a spelled number."""
    return word.isdigit() or word in UNITS or word in TEENS or word in TENS or word in ZEROS or word in REPEATS


def to_typed(text: str) -> str:
    """`text` with numbers said in words as digits, spelled letters joined, spoken e-mail addresses written.

    "oh seven seven hundred nine hundred one two three" becomes "07700900123", "h b one four q t" becomes
    "HB1 4QT", "sam dot okafor at example dot com" becomes "sam.okafor@example.com".
    """
    words = _with_hyphens_split(_with_am_pm_joined(text.split()))
    return " ".join(_with_emails(_with_runs_joined(words)))


def _with_am_pm_joined(words: list[str]) -> list[str]:
    joined: list[str] = []
    skip = False
    for index, word in enumerate(words):
        if skip:
            skip = False
            continue
        letter = bare(word)
        follower = bare(words[index + 1]) if index + 1 < len(words) else ""
        if letter in {"a.m", "p.m"}:
            joined.append(letter.replace(".", ""))
        elif letter in {"a", "p"} and follower == "m" and joined and _is_hour(bare(joined[-1])):
            joined.append(letter + "m" + words[index + 1].lower().removeprefix("m"))
            skip = True
        else:
            joined.append(word)
    return joined


def _is_hour(word: str) -> bool:
    return word.isdigit() or word in UNITS or word in TEENS or word in TENS or word in {"o'clock", "oclock"}


def _with_hyphens_split(words: list[str]) -> list[str]:
    split: list[str] = []
    for word in words:
        parts = word.split("-")
        if len(parts) == 2 and bare(parts[0]) in TENS and (bare(parts[1]) in UNITS or bare(parts[1]).endswith(("st", "nd", "rd", "th"))):
            split.extend(parts)
        else:
            split.append(word)
    return split


def _with_runs_joined(words: list[str]) -> list[str]:
    result: list[str] = []
    index = 0
    while index < len(words):
        units = _trimmed(_run(words, index), words)
        if not units:
            result.append(words[index])
            index += 1
            continue
        written = _written(units, words, index)
        if written[0].startswith("+") and result and bare(result[-1]) == "plus":
            result.pop()
        result.extend(_with_area(result, written))
        index = units[-1].end
    return result


def _with_area(result: list[str], written: list[str]) -> list[str]:
    """With the “HB” before a spelled “one two A B”, which is heard as a word, taken from the end of `result`."""
    bare_code = bare(written[0]).upper()
    area = result[-1].upper() if result and result[-1].lower() not in SHORT_WORDS else ""
    if not POSTCODE_WITHOUT_AREA.fullmatch(bare_code):
        return written
    postcode = POSTCODE.fullmatch(area + bare_code) if area.isalpha() else None
    if postcode is None:
        return written
    result.pop()
    return [f"{postcode[1]} {postcode[2]}{written[0][len(bare_code) :]}"]


def _run(words: list[str], start: int) -> list[_Unit]:
    units: list[_Unit] = []
    index = start
    while index < len(words):
        said_dash = bool(units) and bare(words[index]) in {"dash", "hyphen"} and index + 1 < len(words)
        unit = _unit(words, index + said_dash)
        if unit is None:
            break
        units.append(unit)
        index = unit.end
        if words[index - 1][-1:] in {".", ";", "?", "!", ":"}:
            break
    return units


def _trimmed(units: list[_Unit], words: list[str]) -> list[_Unit]:
    """Without the “I”, “a” or “oh” at an edge, which is a word there and not part of what is spelled."""
    if units and units[0].text in {"I", "A"} and not (units[0].text == "A" and len(units) > 1 and units[1].is_letter):
        return []
    if units and units[0].doubtful and (len(units) == 1 or len(units[1].text) > 3):
        return []
    while units and units[-1].end < len(words) and units[-1].text in {"I", "A"} and len(words[units[-1].end - 1]) == 1:
        units = units[:-1]
    while units and units[-1].doubtful and len(units) < 3:
        units = units[:-1]
    return units


def _unit(words: list[str], index: int) -> _Unit | None:
    word = bare(words[index])
    follower = bare(words[index + 1]) if index + 1 < len(words) else ""
    if word in REPEATS and follower:
        return _repeated(words, index)
    if word == "a" and follower in SCALES:
        return _cardinal(words, index)
    if word in DOUBTFUL_ZEROS:
        is_zero = word == "oh" or _is_among_digits(words, index)
        return _Unit("0" if is_zero else "O", index + 1, is_letter=not is_zero, from_words=True, doubtful=True)
    if word in ZEROS:
        return _Unit("0", index + 1, is_letter=False, from_words=True)
    if word.isdigit() and word.isascii():
        return _Unit(word, index + 1, is_letter=False, from_words=False)
    if len(word) == 1 and word.isascii() and word.isalpha():
        return _Unit(word.upper(), _after_example(words, index, word), is_letter=True, from_words=True)
    if word in PHONETIC:
        return _Unit(PHONETIC[word], index + 1, is_letter=True, from_words=True)
    return _cardinal(words, index)


def _is_among_digits(words: list[str], index: int) -> bool:
    """Whether the “o” at `index` stands beside a number said in a word and beside no letter: “o seven seven double o nine”.

    Between figures it may be the “or” of another language: “10 o 12”.
    """
    start, end = index, index + 1
    while start and bare(words[start - 1]) == "o":
        start -= 1
    while end < len(words) and bare(words[end]) == "o":
        end += 1
    beside = [bare(words[each]) for each in (start - 1, end) if 0 <= each < len(words)]
    is_letter = any((len(each) == 1 and each.isalpha() and each not in {"a", "i"}) or each in PHONETIC for each in beside)
    return not is_letter and any(is_number(each) and not each.isdigit() for each in beside)


def _repeated(words: list[str], index: int) -> _Unit | None:
    repeated = _unit(words, index + 1) if bare(words[index + 1]) not in REPEATS else None
    if repeated is None or len(repeated.text) != 1:
        return None
    if bare(words[index + 1]) in {"u", "you"}:
        return _Unit("W", repeated.end, is_letter=True, from_words=True)
    text = repeated.text * REPEATS[bare(words[index])]
    return _Unit(text, repeated.end, repeated.is_letter, from_words=True)


def _after_example(words: list[str], index: int, letter: str) -> int:
    """The index after “b for bravo” or “b as in bravo”, when the example starts with the letter."""
    following = [bare(word) for word in words[index + 1 : index + 4]]
    if following[:1] == ["for"] and len(following) > 1 and following[1].startswith(letter):
        return index + 3
    if following[:2] == ["as", "in"] and len(following) > 2 and following[2].startswith(letter):
        return index + 4
    return index + 1


def _cardinal(words: list[str], index: int) -> _Unit | None:
    """One whole number in words, such as “nine hundred” or “two thousand and twenty six”."""
    start = index
    if bare(words[index]) == "a" and index + 1 < len(words) and bare(words[index + 1]) in SCALES:
        total, index = SCALES[bare(words[index + 1])], index + 2
    else:
        below_hundred = _below_hundred(words, index)
        if below_hundred is None:
            return None
        total, index = below_hundred
        if index < len(words) and bare(words[index]) in SCALES:
            total, index = total * SCALES[bare(words[index])], index + 1
            if total >= 1000 and bare(words[index - 1]) == "thousand":
                total, index = _with_hundreds(words, index, total)
    total, index = _with_remainder(words, index, total)
    if total == 1 and _is_pronoun(words, start, index):
        return None
    return _Unit(str(total), index, is_letter=False, from_words=True)


def _with_hundreds(words: list[str], index: int, total: int) -> tuple[int, int]:
    below_ten = UNITS.get(bare(words[index])) if index < len(words) else None
    if below_ten and index + 1 < len(words) and bare(words[index + 1]) == "hundred":
        return total + below_ten * 100, index + 2
    return total, index


def _with_remainder(words: list[str], index: int, total: int) -> tuple[int, int]:
    """Adds “and twenty six” after a hundred or thousand.

    Without “and”, only a last number from ten to ninety-nine is added ("one hundred twenty"): in "nine hundred one
    two three" the digits stand for themselves.
    """
    if total < 100 or total % 100 or index >= len(words):
        return total, index
    said_and = bare(words[index]) == "and"
    below_hundred = _below_hundred(words, index + said_and)
    if below_hundred is None:
        return total, index
    is_last = below_hundred[1] >= len(words) or not is_number(bare(words[below_hundred[1]]))
    if said_and or (below_hundred[0] >= 10 and is_last):
        return total + below_hundred[0], below_hundred[1]
    return total, index


def _below_hundred(words: list[str], index: int) -> tuple[int, int] | None:
    if index >= len(words):
        return None
    word = bare(words[index])
    if word in TENS:
        follower = UNITS.get(bare(words[index + 1])) if index + 1 < len(words) else None
        return (TENS[word] + follower, index + 2) if follower else (TENS[word], index + 1)
    value = UNITS.get(word) or TEENS.get(word)
    return (value, index + 1) if value else None


def _is_pronoun(words: list[str], start: int, end: int) -> bool:
    """Whether a lone “one” means somebody or something rather than the number."""
    before = bare(words[start - 1]) if start else ""
    after = bare(words[end]) if end < len(words) else ""
    beside = before in BEFORE_A_TIME or after in AFTER_A_TIME
    spelled = any(_is_spelled(word) for word in (before, after))
    return not beside and not spelled


def _is_spelled(word: str) -> bool:
    single = len(word) == 1 and word not in {"i", "a"}
    return single or is_number(word) or word in PHONETIC


def _written(units: list[_Unit], words: list[str], start: int) -> list[str]:
    """The words of a run: joined when it is a long number or something spelled, else one by one."""
    last_word = words[units[-1].end - 1]
    tail = last_word[len(last_word.rstrip(EDGES)) :]
    letters = sum(unit.is_letter for unit in units)
    text = _joined(units)
    digits = sum(character.isdigit() for character in text)
    if letters and len(units) >= 3 and (letters >= 2 or digits >= 2) and _is_spelling(units, words, start):
        postcode = POSTCODE_AND_HOUSE.fullmatch(text)
        if postcode is None:
            return [text + tail]
        house = [postcode[3] + tail] if postcode[3] else []
        return [f"{postcode[1]} {postcode[2]}{'' if house else tail}", *house]
    if not letters and len(units) > 1 and digits >= SHORTEST_JOINED_NUMBER and any(unit.from_words for unit in units):
        plus = start > 0 and bare(words[start - 1]) == "plus"
        return [("+" if plus else "") + text + tail]
    return _unjoined(units, words, start)


def _is_spelling(units: list[_Unit], words: list[str], start: int) -> bool:
    """A run of names such as “Mike Oscar” alone is two people; two words of the alphabet and a digit are not."""
    single = sum(len(unit.text) == 1 and len(bare(words[unit.end - 1])) == 1 for unit in units)
    named = sum(unit.is_letter for unit in units) - single
    return single >= 2 or named >= 2


def _joined(units: list[_Unit]) -> str:
    """The characters of the run; “o” is a zero beside a digit and a letter beside letters."""
    characters: list[str] = []
    for position, unit in enumerate(units):
        if not unit.doubtful:
            characters.append(unit.text)
            continue
        neighbours = [units[each] for each in (position - 1, position + 1) if 0 <= each < len(units)]
        letters = sum(each.is_letter and not each.doubtful for each in neighbours)
        characters.append("O" if letters == len(neighbours) and unit.is_letter else "0")
    return "".join(characters)


def _unjoined(units: list[_Unit], words: list[str], start: int) -> list[str]:
    result: list[str] = []
    begin = start
    for unit in units:
        original = words[begin : unit.end]
        tail = original[-1][len(original[-1].rstrip(EDGES)) :]
        result.extend(original if unit.is_letter or unit.doubtful else [unit.text + tail])
        begin = unit.end
    return result


def _with_emails(words: list[str]) -> list[str]:
    result: list[str] = []
    index = 0
    while index < len(words):
        may_join = bare(words[index]) == "at" and result and bare(result[-1]) not in NOT_LOCAL_PARTS
        domain = _domain(words, index + 1) if may_join else None
        if domain is None:
            result.append(words[index])
            index += 1
            continue
        local = _take_local_part(result)
        result.append(f"{local}@{domain[0]}")
        index = domain[1]
    return result


def _domain(words: list[str], start: int) -> tuple[str, int] | None:
    """“example dot co dot uk” from `start` on, with the index after it; None without a “dot”."""
    if start >= len(words):
        return None
    labels = fold(bare(words[start]))
    index = start + 1
    while index + 1 < len(words) and bare(words[index]) in EMAIL_JOINTS:
        labels += EMAIL_JOINTS[bare(words[index])] + fold(bare(words[index + 1]))
        index += 2
    return (labels, index) if "." in labels and "@" not in labels and labels.isascii() else None


def _take_local_part(result: list[str]) -> str:
    """Removes the words before “at” that belong to the address from `result`, and returns them joined."""
    local = bare(result.pop())
    if local.isdigit() and result and bare(result[-1]).isalpha():
        local = bare(result.pop()) + local
    while len(result) >= 2 and bare(result[-1]) in EMAIL_JOINTS:
        joint = EMAIL_JOINTS[bare(result.pop())]
        local = bare(result.pop()) + joint + local
    return fold(local)
