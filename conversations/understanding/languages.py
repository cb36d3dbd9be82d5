"""Which language somebody writes or speaks, and which one they ask for."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import Final

from conversations.understanding import foreign
from conversations.understanding.danger import read_urgency
from conversations.understanding.foreign import Foreign
from conversations.understanding.gloss import fold, gloss, vocabulary
from conversations.understanding.normalise import clean, meaning

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
    " to a an your be will when where who why yes from at or if i'm i'd it's don't thanks boiler water heating tap book help speak talk"
    " leaks leaking leak broken working works smell smells much many cost costs owe open move change cancel visit appointment engineer"
    " plumber person someone somebody morning afternoon today tomorrow could would should must going house kitchen our us they it's"
)
SPANISH: Final = frozenset(_SPANISH.split())
ENGLISH: Final = frozenset(_ENGLISH.split())
GREETINGS: Final = frozenset({"hola", "buenos", "buenas", "gracias"})
SPANISH_MARKS: Final = re.compile(r"[¿¡ñáéíóú]")
WORD: Final = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)?")
ENOUGH: Final = 2


def in_english(text: str) -> str:
    """A text in whichever language as the recognisers read it."""
    return gloss(text, read_language(text).language)


@dataclass(frozen=True, slots=True)
class LanguageRead:
    """The language that a text asks for, or is in (empty: not told); `only` says that it says nothing else."""

    language: str = ""
    only: bool = False


def read_language(text: str, *, current: str = "en") -> LanguageRead:
    """What `text` says about the language to go on in: the one that it asks for, or clearly is in.

    A danger is told in the language that it is called out in, however few words that takes. A word or two that could be of either
    language, a name or a place tell nothing, and what is in a language that nobody here speaks (`foreign`) is not taken for its neighbour.
    """
    plain = " ".join(fold(text).replace("’", "'").split()).strip(" .,!?¿¡")
    for language, pattern in ASKED.items():
        found = pattern.search(plain)
        if found:
            rest = WORD.findall(plain[: found.start()] + " " + plain[found.end() :])
            return LanguageRead(language, only=all(word in AROUND for word in rest))
    spanish, english = _weights(plain, text)
    if foreign.read(text, beside=max(spanish, english)):
        return LanguageRead()
    if current != "es":
        is_clear = spanish >= ENOUGH and spanish > english
        return LanguageRead("es" if is_clear or _calls_out(text, "es") else "")
    is_clear = english >= ENOUGH and spanish == 0
    return LanguageRead("en" if is_clear or (english >= spanish and _calls_out(text, "en")) else "")


def unspoken(text: str) -> Foreign | None:
    """The language that nobody here speaks that a text is in, if it is in one."""
    plain = " ".join(fold(text).replace("’", "'").split())
    return foreign.read(text, beside=max(_weights(plain, text)))


def _weights(plain: str, text: str) -> tuple[int, int]:
    """How much speaks for Spanish and how much for English."""
    words = WORD.findall(plain)
    known = _spanish_words()
    spanish = sum(word in known for word in words) + bool(SPANISH_MARKS.search(text.lower())) + bool(GREETINGS & set(words[:2]))
    return spanish, sum(word in ENGLISH for word in words)


def _calls_out(text: str, language: str) -> bool:
    """Whether a text is about a danger, read in that language alone."""
    is_english = read_urgency(meaning(text)) == "emergency"
    return is_english if language == "en" else not is_english and read_urgency(meaning(gloss(clean(text), language))) == "emergency"


@cache
def _spanish_words() -> frozenset[str]:
    """The words of Spanish that are known and that are not English, too."""
    spoken, meant = vocabulary("es")
    return SPANISH | (spoken - meant - ENGLISH)
