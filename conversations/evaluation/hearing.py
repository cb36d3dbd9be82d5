"""What a telephone makes of a sentence: small letters, no marks, numbers and codes said one by one."""

from __future__ import annotations

import re
from typing import Final

DIGITS: Final = {
    "en": ("oh", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"),
    "es": ("cero", "uno", "dos", "tres", "cuatro", "cinco", "seis", "siete", "ocho", "nueve"),
}
CODE: Final = re.compile(r"\b(?:[A-Z]{1,2}[0-9][A-Z0-9]? ?[0-9][A-Z]{2}|HH-?[A-Z0-9]{6}|[A-Z]{1,2}[0-9]{1,2})\b")
NUMBER: Final = re.compile(r"\+?\d(?:[ -]?\d){4,14}\b")
EMAIL: Final = re.compile(r"\b([\w.+-]+)@([\w.-]+\w)")
AT: Final = {"en": "at", "es": "arroba"}
DOT: Final = {"en": " dot ", "es": " punto "}
MARKS: Final = re.compile(r"[.,;:!?¿¡“”\"()](?!\d)")


def as_heard(text: str, language: str) -> str:
    """`text` as the recogniser of that language would write it when it understood everything."""
    digits = DIGITS[language]
    text = EMAIL.sub(lambda found: f"{found[1]} {AT[language]} {found[2].replace('.', DOT[language])}", text)
    heard = CODE.sub(lambda found: _spelled(found[0], digits), text)
    heard = NUMBER.sub(lambda found: _spelled(found[0].lstrip("+"), digits), heard)
    return " ".join(MARKS.sub(" ", heard).lower().split())


def _spelled(characters: str, digits: tuple[str, ...]) -> str:
    return " ".join(digits[int(each)] if each.isdigit() else each.lower() for each in characters if each.isalnum())
