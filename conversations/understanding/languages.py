"""Which language somebody writes or speaks, and which one they ask for."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from conversations.understanding.gloss import fold, gloss

LANGUAGES: Final = {"en": "English", "es": "Español"}
"""The languages that the AI agent can be spoken to in, each in its own name. A playbook names those that it speaks."""
_ASKED: Final = {
    "es": (
        r"\b(?:in|speak|speaks|to|into|you) (?:spanish|espanol)\b|\ben (?:espanol|castellano)\b"
        r"|\bhabla(?:n|s|is|r)? (?:en )?(?:espanol|castellano)\b|^(?:spanish|espanol|castellano)(?: please| por favor)?$"
    ),
    "en": (
        r"\b(?:in|speak|speaks|to|into|you) english\b|\ben ingles\b|\bhabla(?:n|s|is|r)? (?:en )?ingles\b"
        r"|^(?:english|ingles)(?: please| por favor)?$"
    ),
}
ASKED: Final = {language: re.compile(pattern) for language, pattern in _ASKED.items()}
_AROUND: Final = (
    "can could may we i you do does please por favor puede puedo podemos seguir hablar quiero quisiera prefiero go on continue carry"
    " switch let's lets se usted me speak talk would like want to prefer anyone someone here alguien que hola hello hi sorry no"
)
AROUND: Final = frozenset(_AROUND.split())
"""Words that ask for a language and say nothing besides."""
_SPANISH: Final = (
    "el la los las un una del que y en por para con mi se es esta hay tengo tenemos quiero necesito quisiera puede pueden"
    " puedo cuando cuanto cuesta como cual donde hola gracias buenos buenas dias tardes noches si caldera agua huele llamo soy"
    " sale funciona cita visita calefaccion fontanero grifo factura manana martes miercoles jueves viernes lunes sabado"
    " domingo hoy ayer su nombre codigo estamos sin vienen trabajan llegan actualicen datos favor cobrado dos este llevo horas"
    " al cada anulen reserva tampoco tiene tienen caliente agosto enero primera segunda primero otra otro tarde ninguna saltar"
    " espanol postal telefono adios vale perdon persona hablar ha han muy pero porque esto eso gotea cocina bano fuga tuberia"
    " ustedes usted quien eres olvidalo olvidelo cuenteme cuentame chiste"
)
_ENGLISH: Final = (
    "the i my is and you have need want for it of in can please what how do hello hi am are with on we there would like not this that was"
    " to a an your be will when where who why yes from at or if i'm i'd it's don't thanks boiler water heating tap"
)
SPANISH: Final = frozenset(_SPANISH.split())
ENGLISH: Final = frozenset(_ENGLISH.split())
GREETINGS: Final = frozenset({"hola", "buenos", "buenas", "gracias"})
SPANISH_MARKS: Final = re.compile(r"[¿¡ñáéíóú]")
WORD: Final = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)?")
ENOUGH: Final = 2
ENOUGH_TO_GO_BACK: Final = 3


def in_english(text: str) -> str:
    """A text in whichever language as the recognisers read it."""
    return gloss(text, read_language(text).language)


@dataclass(frozen=True, slots=True)
class LanguageRead:
    """The language that a text asks for, or is in (empty: not told); `only` says that it says nothing else."""

    language: str = ""
    only: bool = False


def read_language(text: str, *, current: str = "en") -> LanguageRead:
    """What `text` says about the language to go on in. A few words in another language than `current` are not enough."""
    plain = " ".join(fold(text).replace("’", "'").split()).strip(" .,!?¿¡")
    for language, pattern in ASKED.items():
        found = pattern.search(plain)
        if found:
            rest = WORD.findall(plain[: found.start()] + " " + plain[found.end() :])
            return LanguageRead(language, only=all(word in AROUND for word in rest))
    words = WORD.findall(plain)
    spanish = sum(word in SPANISH for word in words) + bool(SPANISH_MARKS.search(text.lower())) + bool(GREETINGS & set(words[:2]))
    english = sum(word in ENGLISH for word in words)
    if current != "es" and spanish >= ENOUGH and spanish > english:
        return LanguageRead("es")
    if current == "es" and english >= ENOUGH_TO_GO_BACK and spanish == 0:
        return LanguageRead("en")
    return LanguageRead()
