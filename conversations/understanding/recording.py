"""Yes or no to “may we record this call?”. Only a plain yes is one: whoever says more may mean something else.

Both must be the whole of what was said; that somebody does not want to be recorded may stand in a longer sentence.
"""

from __future__ import annotations

import re
from typing import Final

from conversations.models.consent import Purpose
from conversations.understanding.consent import read_wishes
from conversations.understanding.gloss import fold, gloss
from conversations.understanding.normalise import meaning

_AGREES: Final = (
    r"(?:yes|yeah|yep|yup|sure|okay|ok|of course|certainly|absolutely|fine|go ahead|please do|do|i agree|i do not mind|no problem"
    r"|you (?:may|can)(?: (?:do that|record(?: it| this| me| (?:this|the) call)?))?|that is (?:fine|ok|okay|all right)"
    r"|si|claro|vale|de acuerdo|por supuesto|adelante|estoy de acuerdo|pueden(?: grabarla| grabar(?: la llamada)?| hacerlo)?"
    r"|no hay problema|no tengo inconveniente|no me importa)"
)
_REFUSES: Final = (
    r"(?:no|nope|nah|never|rather not|better not|preferably not|not really"
    r"|i (?:do not|would rather not|would prefer not)(?: want (?:that|it))?"
    r"|prefiero que no|mejor no|no quiero(?: que (?:la )?graben)?)"
)
_POLITE: Final = r"(?:please|thanks|thank you|por favor|gracias)"
YES: Final = re.compile(rf"(?:{_POLITE} )?{_AGREES}(?: (?:{_AGREES}|{_POLITE}))*")
NO: Final = re.compile(rf"{_REFUSES}(?: (?:{_REFUSES}|{_POLITE}))*")


def agrees_to_recording(text: str, language: str) -> bool | None:
    """Whether what was said is a yes, a no, or neither (None), in a language such as en-GB; both are understood in English too."""
    said = fold(meaning(text))
    wishes, _rest = read_wishes(gloss(text, language.partition("-")[0]))
    wished = next((wish.agrees for wish in wishes if wish.purpose == Purpose.RECORDING), None)
    if wished is not None:
        return wished
    if YES.fullmatch(said):
        return True
    return False if NO.fullmatch(said) else None
