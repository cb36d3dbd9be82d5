"""One form for a text however it arrived, so that the same need typed or said reads the same."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from conversations.understanding.identifiers import alike
from conversations.understanding.spoken import bare, is_number, to_typed

MAX_CHARACTERS: Final = 10_000
FILLERS: Final = frozenset({"um", "umm", "uh", "uhh", "uhm", "er", "err", "erm", "ehm", "hmm", "hm", "mm", "mmm", "ah", "ahh", "eh"})
BEFORE_A_QUESTION: Final = re.compile(
    r"(?:what (?:is|are|do|does|time|about)|how (?:much|many|long|do|can|soon)|when (?:is|are|do|does|can|will)|where (?:is|are|do|does)"
    r"|(?:do|does|are|is|can|could) (?:you|i|it|we|there)|cu[aá]nto|cu[aá]ndo|qu[eé] d[ií]as?|a qu[eé] hora|d[oó]nde|trabajan|tienen)\b",
    re.IGNORECASE,
)
"""A pause and then this begins something else."""
FILLER_PAIRS: Final = frozenset({("you", "know"), ("i", "mean"), ("sort", "of"), ("kind", "of"), ("you", "see")})
FEWEST_BEFORE_A_PAUSE: Final = 3
LEADS_ON: Final = frozenset(
    {"and", "but", "or", "so", "y", "e", "o", "pero", "know", "me", "ask", "wonder", "wondering", "is", "that", "to", "saber"}
)
KEPT_REPEATS: Final = frozenset({"no", "yes", "bye", "very", "really", "so", "had", "that", "double"})
OPENINGS: Final = frozenset(
    {
        "hi", "hello", "hey", "hiya", "morning", "afternoon", "evening", "good", "there", "yeah", "yes", "ok", "okay",
        "so", "well", "right", "alright", "please", "sorry", "basically", "actually", "anyway", "look", "and", "but",
        "just", "oh",
    }
)  # fmt: skip
POLITENESS: Final = frozenset({"please", "thanks", "thankyou", "ta", "cheers", "basically", "actually"})
CONTRACTIONS: Final = {
    "can't": "cannot", "cant": "cannot", "won't": "will not", "wont": "will not", "don't": "do not", "dont": "do not",
    "doesn't": "does not", "doesnt": "does not", "didn't": "did not", "didnt": "did not", "isn't": "is not",
    "isnt": "is not", "aren't": "are not", "wasn't": "was not", "wasnt": "was not", "haven't": "have not",
    "havent": "have not", "hasn't": "has not", "hasnt": "has not", "couldn't": "could not", "wouldn't": "would not",
    "shouldn't": "should not", "i'm": "i am", "im": "i am", "i've": "i have", "ive": "i have", "i'd": "i would",
    "i'll": "i will", "it's": "it is", "that's": "that is", "thats": "that is", "there's": "there is",
    "theres": "there is", "what's": "what is", "whats": "what is", "you're": "you are", "we've": "we have",
    "we're": "we are", "they're": "they are", "pls": "please", "plz": "please", "u": "you", "ur": "your",
    "appt": "appointment", "asap": "as soon as possible", "gonna": "going to", "wanna": "want to", "thx": "thanks",
    "xmas": "christmas", "chrimbo": "christmas", "crimbo": "christmas",
}  # fmt: skip
NOT_A_WORD: Final = re.compile(r"[^\w£€$%+@.'/:-]+")
LOOSE_MARKS: Final = re.compile(r"(?<!\d)[.:/-]|[.:/-](?!\d)")


def clean(text: str) -> str:
    """`text` in Unicode's normal form NFKC, without control, format and private characters, spaces collapsed.

    Zero-width characters, direction marks, null bytes and lone surrogates go; line breaks become spaces.
    Cut at 10,000 characters.
    """
    spaced = "".join(" " if character.isspace() else character for character in text[:MAX_CHARACTERS])
    normal = unicodedata.normalize("NFKC", "".join(each for each in spaced if unicodedata.category(each)[0] != "C"))
    straight = normal.replace("’", "'").replace("‘", "'").replace("–", "-").replace("—", "-")
    # NFKC can make a text longer (one ligature has 18 characters), so the cut is repeated.
    return " ".join(straight[:MAX_CHARACTERS].split())


def normalise(text: str, *, spoken: bool) -> str:
    """The canonical text that people read and facts are taken from.

    A typed text is only cleaned. A spoken one also loses fillers (“um”, “you know”) and stuttered words, but for a comma where
    one stood before a question in the middle: it was a pause, and tells two things said apart. It has its numbers, spelled
    letters and e-mail addresses written as they would be typed.
    """
    cleaned = clean(text)
    return to_typed(without_fillers(cleaned)) if spoken else cleaned


def without_fillers(text: str) -> str:
    """What was spoken, without fillers and stuttered words; otherwise as it was heard, in whatever language."""
    return " ".join(_without_stutter(_without_fillers(clean(text).split())))


def meaning(text: str) -> str:
    """What of `text` carries meaning, for embedding: the same for a need typed and said.

    Small letters, no punctuation, no fillers, greetings or politeness, contractions written out, numbers
    as digits, one reference for all references. A text of nothing else (“hello there”) is returned in small letters.
    """
    words = _plain(alike(to_typed(without_fillers(text)))).split()
    start = 0
    while start < len(words) and words[start] in OPENINGS:
        start += 1
    kept = [word for word in words[start:] if word not in POLITENESS]
    return " ".join(kept or words)


def plain(text: str) -> str:
    """`text` in small letters without punctuation and fillers, contractions written out, numbers as digits."""
    return _plain(to_typed(without_fillers(text)))


def _plain(written: str) -> str:
    words = LOOSE_MARKS.sub(" ", NOT_A_WORD.sub(" ", written.lower())).split()
    return " ".join(CONTRACTIONS.get(word.strip("'"), word.strip("'")) for word in words).strip()


def _without_fillers(words: list[str]) -> list[str]:
    kept: list[str] = []
    skip = paused = False
    for index, word in enumerate(words):
        if skip:
            skip = False
            continue
        follower = bare(words[index + 1]) if index + 1 < len(words) else ""
        if (bare(word), follower) in FILLER_PAIRS and not _is_meant(words, index):
            skip = paused = True
        elif bare(word) in FILLERS:
            paused = True
        else:
            if paused and len(kept) >= FEWEST_BEFORE_A_PAUSE and _ends_something(kept[-1]) and _begins_a_question(words, index):
                kept[-1] += ","
            kept.append(word)
            paused = False
    return kept


def _ends_something(word: str) -> bool:
    """Whether a comma may stand after a word: not after one that leads on to the next."""
    return word[-1].isalnum() and bare(word) not in LEADS_ON


def _begins_a_question(words: list[str], index: int) -> bool:
    return BEFORE_A_QUESTION.match(" ".join(words[index : index + 3])) is not None


def _is_meant(words: list[str], index: int) -> bool:
    """Whether “you know”, “kind of” and the like say something: “do you know …”, “what kind of …”, “sorry, I mean …”."""
    before = bare(words[index - 1]) if index else ""
    if bare(words[index]) == "i" and before in {"no", "sorry", "oh", "wait", "actually"}:
        return True
    return before in {"do", "did", "let", "what", "which", "any", "this", "that", "some", "a", "the", "if", "as", "all", "can", "could"}


def _without_stutter(words: list[str]) -> list[str]:
    kept: list[str] = []
    for index, word in enumerate(words):
        plain = bare(word)
        follower = bare(words[index + 1]) if index + 1 < len(words) else ""
        repeated = bool(kept) and bare(kept[-1]) == plain
        if plain == "a":
            repeated = repeated and len(follower) > 1
        elif len(plain) == 1 and plain != "i":
            repeated = False
        if not (repeated and plain not in KEPT_REPEATS and not is_number(plain)):
            kept.append(word)
    return kept
