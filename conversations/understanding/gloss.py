"""Another language read by the recognisers that there are: its words replaced by the English ones that they know.

A language is a data file (`data/<language>.yaml`: English words, and the phrases that mean them); see
docs/decisions/a-language-is-a-gloss.md. What is in no phrase stays as it is, as names do.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

import yaml

DATA: Final = Path(__file__).parent / "data"
FILES: Final = {"es": "spanish.yaml"}
LEADING: Final = {"es": {"si": "yes"}}
"""Words that mean this only at the beginning: “sí” is written like “if” by whoever leaves the accent out."""
ENDING: Final = {"es": {"que": "what", "como": "what"}}
"""Words that mean this only as the last of a question: “perdón, ¿qué?”, “¿cómo?”."""
BEFORE_A_NAME: Final = {
    "es": (
        "el nombre es", "el nombre correcto es", "me llamo", "mi nombre es", "mi nombre completo es", "a nombre de", "es a nombre de",
        "soy",
    ),
}  # fmt: skip
AFTER_A_NAME: Final = frozenset({"y", "mi", "con", "vivo", "necesito", "quiero", "and", "gracias"})
_ALSO_NAMES: Final = (
    "domingo abril julio mayo marzo agosto mercedes segundo primero llave pila ramos plaza rosa cruz claro bueno"
    " de del la luz sale"
)
ALSO_NAMES: Final = frozenset(_ALSO_NAMES.split())
LONGEST_NAME: Final = 5
_NUMBERS: Final = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen"
)
UNITS: Final = tuple(_NUMBERS.split())
NUMBERS: Final = (*UNITS, "twenty", *(f"twenty {each}" for each in UNITS[1:10]), "thirty", "thirty one")
"""By what they count."""
_A_NUMBER: Final = rf"(\d{{1,2}}|{'|'.join(sorted(NUMBERS, key=len, reverse=True))})(?![\w:.,/]*\w)"
DAY_OF_A_MONTH: Final = {"es": re.compile(rf"(?<!\w)(?:el|the) {_A_NUMBER}", re.IGNORECASE)}
ENDINGS: Final = {1: "st", 2: "nd", 3: "rd"}
LAST_OF_A_MONTH: Final = 31
AND_IN_A_NUMBER: Final = re.compile(
    r"\b(twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety) and (one|two|three|four|five|six|seven|eight|nine)\b"
)
"""“ochenta y cuatro”: in English nothing is between the two."""
OPENING_MARKS: Final = "¿¡\"“«('"
CLOSING_MARKS: Final = ".,;:!?\"”»)'…"


@dataclass(frozen=True, slots=True)
class _Word:
    """A word as it was written, its folded core, and the marks after it."""

    written: str
    core: str
    tail: str


def gloss(text: str, language: str, *, names: bool = False) -> str:
    """`text` with the English words that the recognisers know; English comes back as it is.

    `names` says that a name was just asked for, so that words which are names, too, stay. Takes time in proportion to the
    length of the text.
    """
    if language not in FILES:
        return text
    table = _table(language)
    words = [_word(each) for each in text.split()]
    found: list[str] = []
    index = 0
    while index < len(words):
        kept = _name_at(words, index, language)
        if kept is not None:
            found += kept[0]
            index = kept[1]
            continue
        length, meaning = _longest(words, index, table)
        if index == 0 and words[0].core in LEADING[language] and not length > 1:
            length, meaning = 1, LEADING[language][words[0].core]
        if index == len(words) - 1 and words[index].core in ENDING[language]:
            length, meaning = 1, ENDING[language][words[index].core]
        if not length or (names and words[index].core in ALSO_NAMES) or (length == 1 and _is_spelled(words, index)):
            found.append(words[index].written)
            index += 1
            continue
        found.append(meaning + words[index + length - 1].tail)
        index += length
    return AND_IN_A_NUMBER.sub(r"\1 \2", _with_days_of_a_month(" ".join(_with_times(found)), language))


def _is_spelled(words: list[_Word], index: int) -> bool:
    """Whether a word of one letter stands beside another one, as in a postcode that is spelled: “tres a b”."""
    beside = [words[each].core for each in (index - 1, index + 1) if 0 <= each < len(words)]
    return len(words[index].core) == 1 and any(len(each) == 1 and each.isalpha() for each in beside)


def fold(text: str) -> str:
    """Small letters without accents."""
    return "".join(each for each in unicodedata.normalize("NFD", text.lower()) if unicodedata.category(each) != "Mn")


def _word(written: str) -> _Word:
    bare = written.lstrip(OPENING_MARKS)
    core = bare.rstrip(CLOSING_MARKS)
    return _Word(bare, fold(core), bare[len(core) :])


def _longest(words: list[_Word], index: int, table: Mapping[str, str]) -> tuple[int, str]:
    """How many words from `index` on are a phrase, and what it means; 0 when none is. A phrase goes over no mark."""
    best = (0, "")
    phrase = ""
    for length in range(1, min(_longest_phrase(table), len(words) - index) + 1):
        word = words[index + length - 1]
        phrase = f"{phrase} {word.core}".strip()
        if phrase in table:
            best = (length, table[phrase])
        if word.tail:
            break
    return best


def _longest_phrase(table: Mapping[str, str]) -> int:
    return int(table[""])


def _name_at(words: list[_Word], index: int, language: str) -> tuple[list[str], int] | None:
    """“me llamo Rosa Domingo”: the announcement in English, the name as it was said, and the index after it."""
    for opening in BEFORE_A_NAME[language]:
        size = len(opening.split())
        if " ".join(word.core for word in words[index : index + size]) != opening:
            continue
        end = index + size
        while end < min(len(words), index + size + LONGEST_NAME) and words[end].core not in AFTER_A_NAME and words[end].core:
            end += 1
            if words[end - 1].tail:
                break
        named = [word.written for word in words[index + size : end]]
        if not named or (opening == "soy" and not named[0][:1].isupper()):
            return None
        return ["I am" if opening == "soy" else "my name is", *named], end
    return None


def _with_times(found: list[str]) -> list[str]:
    """“10 half past” as English has it: “half past 10”."""
    written = " ".join(found).split()
    for place in range(1, len(written) - 1):
        if written[place] == "half" and written[place + 1].startswith("past") and written[place - 1] not in ("at", "and"):
            hour = written[place - 1]
            tail = written[place + 1].removeprefix("past")
            written[place - 1 : place + 2] = ["half", "past", hour + tail]
    return written


def _with_days_of_a_month(found: str, language: str) -> str:
    """“El 12”, “el doce” as English has it, “the 12th”: an hour has another article."""
    if language not in DAY_OF_A_MONTH:
        return found

    def ordinal(match: re.Match[str]) -> str:
        number = int(match[1]) if match[1].isdigit() else NUMBERS.index(match[1].lower())
        ending = "th" if 10 < number < 20 else ENDINGS.get(number % 10, "th")
        return f"the {number}{ending}" if 0 < number <= LAST_OF_A_MONTH else match[0]

    return DAY_OF_A_MONTH[language].sub(ordinal, found)


@cache
def vocabulary(language: str) -> tuple[frozenset[str], frozenset[str]]:
    """The words of a language that are known, without accents, and the English words in place of them."""
    table = {phrase: meaning for phrase, meaning in _table(language).items() if phrase}
    spoken, meant = (frozenset(word for each in part for word in each.split()) for part in (table, table.values()))
    return spoken, meant


@cache
def _table(language: str) -> dict[str, str]:
    """Folded phrases to what they mean; under the empty phrase, how many words the longest has."""
    rows = yaml.safe_load((DATA / FILES[language]).read_text(encoding="utf-8"))
    table = {str(phrase): str(meaning) for meaning, phrases in rows.items() for phrase in phrases}
    return table | {"": str(max(len(phrase.split()) for phrase in table))}
