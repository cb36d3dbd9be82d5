"""Several things said in one breath: where one ends and the next begins. Words only, no model."""

from __future__ import annotations

import re
from typing import Final

from conversations.understanding.gloss import fold

MOST: Final = 6
LONGEST: Final = 2000
_ASKS: Final = (
    r"what(?:'s)?|when|where|which|who|why|how (?:much|many|long|do|can|is|are)"
    r"|(?:can|could|would|will|do|does|did|are|is) (?:you|i|we|it|there|my|your)"
    r"|(?:a que hora|que|cuanto|cuanta|cuando|donde|cual|como|quien|puede[ns]?|podria[ns]?|tienen|trabajan|vienen)"
)
_WANTS: Final = (
    r"i (?:(?:also|just|really) )?(?:want|need|have|would like|must|wanted|owe)|i'd (?:also )?like|i've (?:also )?got"
    r"|we (?:also )?(?:want|need|have)|(?:still )?no (?:hot water|heating|water)\b"
    r"|(?:please )?(?:book|cancel|move|change|reschedule|send|tell|check|call) (?:me|my|the|us|a|an)\b"
    r"|there(?:'s| is) (?:an?|no|water) |i(?:'m| am) moving"
    r"|my (?:boiler|heating|radiator|tap|toilet|sink|drain|pipe|bill|invoice|order|parcel|appointment|visit)s?"
    r"|(?:i|we) (?:was|were|(?:have|had) been|got) (?!(?:also )?wondering)"
    r"|(?:me|nos) (?:han|habeis|cobraron|cobro)|digame|dime|(?:quiero|necesito|quisiera|tengo que|me gustaria|hay que)"
)
_ALSO: Final = (
    r"(?:also|and also|another thing|besides|in addition|on top of that|while you are at it|secondly|second,|ademas|tambien|otra cosa)"
)
_LOOSE: Final = (
    r"(?:(?:well|like|so|just|actually|basically|anyway|then|okay|ok|right|i was (?:also )?wondering|i wanted to (?:ask|know)|i wonder"
    r"|bueno|pues|este|o sea|a ver|oiga|mire|entonces|queria saber|por cierto|by the way)\s*,?\s+)"
)
"""What people say before they come to it."""
WISH: Final = re.compile(
    r"\b(?:what (?:i|we) (?:\w+ )?(?:want|need) is|(?:i|we) (?:(?:also|just|really|only) )?(?:want|need) (?:to|an?|some|you|your)\b"
    r"|(?:i'd|i would|we'd|we would) (?:(?:also|just|really) )?like (?:to|an?|some|you)\b"
    r"|(?:can|could|would|will) you (?:please )?(?:book|send|come|arrange|tell|give|call|ring|fix|repair|quote)\b"
    r"|please (?:book|send|come|arrange|call|ring|fix|repair)\b|(?:lo que )?(?:quiero|necesito|quisiera|me gustaria|querria)\b)"
)
"""What somebody says they want; in a long story that counts."""
TAKEN_BACK: Final = re.compile(r"^(?:(?:no|oh|sorry|wait|actually)[,.]? )*i (?:mean|meant)\b[,:]? ?", re.IGNORECASE)
_FIRST: Final = r"(?:but|pero) (?:first|before that|primero|antes)(?: of all)?"
BOUNDARY: Final = re.compile(
    rf"(?<=[.?!;])\s+|\n+"
    rf"|(?:\s*,\s*|\s+)(?=[¿¡]?(?:and|y|e|plus|then|{_FIRST})\s+{_LOOSE}{{0,3}}[¿¡]?(?:{_ALSO}\b|{_ASKS}\b|{_WANTS}\b))"
    rf"|\s*,\s*(?={_LOOSE}{{0,3}}[¿¡]?(?:{_ALSO}|{_ASKS}|{_WANTS})\b)"
    rf"|\s+(?=and an? (?:\w+ ){{0,3}}\w+[.!]?$)"
    rf"|\s+(?={_ALSO}\s+[¿¡]?(?:{_ASKS}|{_WANTS})\b)|\s+(?=i also\b)"
    r"|\s+(?=(?:no|sorry|oh|wait)[,.]? (?:(?:no|sorry)[,.]? )?i (?:mean|meant)\b)"
    r"|\s+(?=(?:i )?just (?:tell me|want to know|wanted to (?:know|ask))\b)"
)
ANNOUNCES: Final = re.compile(
    r"(?:(?:hi|hello|hey|so|well|um)[, ]+)*(?:(?:i|we)(?:'ve| have)(?: got)?|there are|tengo|tenemos|hay)"
    r" (?:two|three|four|2|3|4|a few|a couple of|several|some|dos|tres|varios|varias|un par de)"
    r" (?:problems?|questions?|things?|issues?|problemas|preguntas|cosas|dudas)(?: (?:for you|please|para ustedes))?\s*[:,.;-]?\s+(?=\w)"
)
"""What only says that several things follow."""
JOINT: Final = re.compile(rf"^[¿¡]?(?:and|y|e|plus|then|so|{_FIRST})(?:\s+{_LOOSE}{{0,3}}|$)", re.IGNORECASE)
BESIDES: Final = re.compile(rf"^[¿¡]?(?:(?:and|y|e|plus|then)\s+)?[¿¡]?(?:{_ALSO}\b|i also\b|we also\b|i'd also\b)")
LISTED: Final = re.compile(r"^and an? ")
"""“… and a tap repair”: one thing more of what is wished."""
POINTS_BACK: Final = re.compile(r"\b(?:it|one|that|them|this|those|lo|la|una|uno|eso)\b")

WHAT_TO_DO: Final = re.compile(
    r"what (?:do|should|shall|can|must) (?:i|we) do(?: now| about it| then)?"
    r"|que (?:hago|hacemos|debo hacer|puedo hacer|tengo que hacer|podemos hacer)(?: ahora)?"
)
"""Said after what has happened: a question about that, and not another one."""
FILLER: Final = re.compile(r"(?:(?:ok|okay|fine|right|well|alright|so|and|but|hmm+|oh|vale|bueno|pues)[ ,.]*(?:then|entonces)?[ ,.]*)+")
"""What leads to a question says nothing by itself: “fine then, what is the address?”"""
DENIED: Final = re.compile(
    r"(?!.*\b(?:any ?more|no longer|after all)\b)"
    r"(?:(?:no|sorry|hi|hello),? )?(?:i|we) (?:do not|don'?t|did not|didn'?t) (?:want|need|ask for|mean) "
    r"(?:a|an|any|another|to (?:speak|talk|book|cancel|move|change|arrange))\b[^.;!?]*"
)
"""Whoever says so of what there is, “the plumber”, or “a visit any more”, wants it cancelled."""
MOOD: Final = re.compile(
    r"(?:i am|i'm|we are|we're) (?:(?:very|really|so|just|quite|extremely|absolutely) )?"
    r"(?:(?:unhappy|angry|upset|disappointed|dissatisfied|annoyed|furious|fed up)|not (?:at all )?(?:happy|satisfied))"
    r"(?: (?:with|at|about) (?:you|this|that|it|all this|all of you|your company))?"
    r"|(?:this|that|it)(?: is|'s) (?:(?:very|really|so|just|quite|a bit|getting|extremely) )?"
    r"(?:annoying|frustrating|irritating|inconvenient|a (?:bit of a )?(?:pain|nuisance))"
    r"|(?:estoy|estamos) (?:(?:muy|tan) )?(?:descontent|enfadad|molest|decepcionad|disgustad)[oa]s?(?: con (?:usted|ustedes|esto|eso))?"
)


def parts_of(text: str) -> list[str]:
    """The parts of a text that may each be something of its own, in order; at most six, and the whole text when it has one.

    Of more than six, those that say what is wished, if any does: the rest is the story around it. Reads at most 2,000 characters;
    what is longer stays whole.
    """
    said = _pieces(text)
    if len(said) > MOST:
        said = [piece for piece in said if WISH.search(_folded(piece))] or said
    return said[:MOST] or [text]


def is_story(text: str) -> bool:
    """Whether a text has more parts than may each be something of its own."""
    return len(_pieces(text)) > MOST


def meant(text: str) -> list[str]:
    """The parts of a text without those that say what is not wanted, or that the next takes back: “no heating. Sorry, I mean no water”."""
    kept: list[str] = []
    for piece in _pieces(text):
        instead = TAKEN_BACK.sub("", piece)
        if kept and instead and instead != piece:
            kept[-1] = instead
        else:
            kept.append(piece)
    return [piece for piece in kept if not is_denied(piece)]


def is_meant_whole(text: str) -> bool:
    """Whether a text says nothing that is not wanted or taken back."""
    return meant(text) == _pieces(text)


def _pieces(text: str) -> list[str]:
    if len(text) > LONGEST:
        return [text]
    folded = _folded(text)
    if len(folded) != len(text):
        # A letter that has no small or plain form of one character: places would not be the same.
        folded = text.lower()
    announced = ANNOUNCES.match(folded)
    begin = announced.end() if announced else 0
    cuts = [match.end() for match in BOUNDARY.finditer(folded)] if len(folded) == len(text) else []
    cuts = [cut for cut in cuts if cut > begin]
    cuts = [cut for cut in cuts if not FILLER.fullmatch(folded[:cut].strip())]
    cuts = [cut for cut in cuts if not WHAT_TO_DO.fullmatch(bare(folded[cut:]).strip(" ¿?.!"))]
    pieces = [text[start:end].strip(" ,;\n") for start, end in zip([begin, *cuts], [*cuts, len(text)], strict=True)]
    return [piece for piece in pieces if bare(piece)]


def _folded(text: str) -> str:
    return fold(text).replace("’", "'")


def is_besides(part: str) -> bool:
    """Whether a part says itself that it is something else: “I also want …”."""
    return BESIDES.search(fold(part)) is not None


def is_listed(part: str) -> bool:
    """Whether a part, with the word that joins it, is one thing more of what is wished: “and a tap repair”."""
    return LISTED.match(fold(part)) is not None


def points_back(part: str) -> bool:
    """Whether a part speaks of something that was named before it: “can you book me one”."""
    return POINTS_BACK.search(fold(part)) is not None


def is_mood(part: str) -> bool:
    """Whether a part says no more than that somebody is unhappy: of what else is said, not a need of its own."""
    return MOOD.fullmatch(_folded(bare(part)).strip(" ,.;!¡")) is not None


def is_denied(part: str) -> bool:
    """Whether a part says what is not wanted, and nothing else: “I don't want a person”."""
    return DENIED.fullmatch(_folded(bare(part)).strip(" ,.;!")) is not None


def bare(part: str) -> str:
    """A part without the word that joins it to the one before."""
    return JOINT.sub("", part).strip()
