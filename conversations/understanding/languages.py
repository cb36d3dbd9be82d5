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
_NAMED: Final = {"es": r"(?:spanish|espanol|castellano)", "en": r"(?:english|ingles)"}
_AT_THE_END: Final = r"(?=(?: (?:please|por favor|now|instead|then|better|mejor|thanks|thank you|gracias))*(?:[.,;!?]|$))"
_ASKS_FOR: Final = (
    r"\b(?:in|speak|speaks|to|into|you) {named}\b|\ben {named}\b|\bhabl[ae](?:n|s|is|r)? (?:en )?{named}\b"
    r"|\b(?:prefer|rather|want|use|prefiero|preferiria|mejor)(?: (?:it|it in|have|use|el|que sea|que sea en))* {named}\b" + _AT_THE_END +
    r"|(?:^|[.,;!?] ?|\b(?:no|sorry|perdon) ){named}" + _AT_THE_END
)
ASKED: Final = {language: re.compile(_ASKS_FOR.format(named=named)) for language, named in _NAMED.items()}
_NOT_SPOKEN: Final = (
    r"\b(?:i|we|my \w+|he|she) (?:do not|don't|dont|does not|doesn't|cannot|can't|cant)(?: (?:really|even))?"
    r" (?:speak|understand|know|read)(?: (?:any|much|good|very much))* {named}\b(?: (?:very|so|too|that)? ?(?:well|good|much))?"
    r"|\bno (?:hablo|hablamos|entiendo|entendemos|se|domino)(?: (?:nada de|mucho|bien|muy bien|el))* {named}\b(?: (?:muy )?(?:bien|mucho))?"
)
NOT_SPOKEN: Final = {language: re.compile(_NOT_SPOKEN.format(named=named)) for language, named in _NAMED.items()}
"""“I don't speak Spanish” asks for the other one."""
_AROUND: Final = (
    "can could may we i you do does please por favor puede puedo podemos seguir hablar quiero quisiera prefiero go on continue carry"
    " switch let's lets se usted me speak talk would like want to prefer anyone someone here alguien que hola hello hi sorry no"
    " actually well but ok okay so then now instead better rather i'd i'm excuse thanks thank perdon perdone disculpe oiga bueno pues mejor"
    " preferiria gustaria gracias y and vale ahora esto is it this if possible si es posible have use"
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
    plain = " ".join(fold(text).replace("’", "'").replace("¿", "").replace("¡", "").split()).strip(" .,!?")
    if asked := _asked_for(plain):
        return asked
    spanish, english = _weights(plain, text)
    if foreign.read(text, beside=max(spanish, english)):
        return LanguageRead()
    if current != "es":
        is_clear = spanish >= ENOUGH and spanish > english
        return LanguageRead("es" if is_clear or _calls_out(text, "es") else "")
    is_clear = english >= ENOUGH and spanish == 0
    return LanguageRead("en" if is_clear or (english >= spanish and _calls_out(text, "en")) else "")


def _asked_for(plain: str) -> LanguageRead | None:
    """The language that words ask for, or that they leave by saying that the others are not spoken; None when they do neither."""
    unspoken = [language for language, pattern in NOT_SPOKEN.items() if pattern.search(plain)]
    for language in unspoken:
        plain = NOT_SPOKEN[language].sub(" ", plain).strip()
    for language, pattern in ASKED.items():
        if found := pattern.search(plain):
            return LanguageRead(language, only=_says_nothing(plain[: found.start()] + " " + plain[found.end() :]))
    left = [language for language in LANGUAGES if language not in unspoken]
    return LanguageRead(left[0], only=_says_nothing(plain)) if unspoken and left else None


def _says_nothing(plain: str) -> bool:
    return all(word in AROUND for word in WORD.findall(plain))


def unspoken(text: str) -> Foreign | None:
    """The language that nobody here speaks that a text is in, if it is in one."""
    plain = " ".join(fold(text).replace("’", "'").split())
    return foreign.read(text, beside=max(_weights(plain, text)))


def _weights(plain: str, text: str) -> tuple[int, int]:
    """How much speaks for Spanish and how much for English. Words of one letter tell nothing alone: “o” is a spoken zero as well."""
    words = WORD.findall(plain)
    known = _spanish_words()
    told = [word for word in words if word in known]
    marks = bool(SPANISH_MARKS.search(text.lower())) + bool(GREETINGS & set(words[:2]))
    spanish = marks + (len(told) if any(len(word) > 1 for word in told) else 0)
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
