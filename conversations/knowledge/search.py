"""Which passage answers a question: by meaning and by words, and nothing rather than something wrong."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from django.db.models import Q

from conversations.knowledge.candidates import Candidate, candidates
from conversations.knowledge.sentences import codes_in, likenesses, sentences
from conversations.knowledge.vocabulary import vocabulary
from conversations.models import KnowledgePassage, KnowledgeQuestion
from conversations.selectors.articles import FOR_EVERYBODY, readable_passages
from conversations.understanding import reasons, spelling
from conversations.understanding.embed import embed
from conversations.understanding.normalise import meaning

# The constant of reciprocal rank fusion; 60 is the value of Cormack, Clarke and Buettcher (SIGIR 2009).
FUSION_CONSTANT: Final = 60
THRESHOLD: Final = 0.42
WORD_WEIGHT: Final = 0.1
LONGEST_QUERY: Final = 2000
FIRST_LANGUAGE: Final = "en"
BOTH_KNOWN: Final = 0.08
"""Two similarities have a lower mean than the greater of them: this much more makes the same threshold hold for both kinds of article."""
REASON_WEIGHT: Final = 0.05
"""What an article gains when the classifier is sure that a question has its reason: chosen on one half of the questions
(docs/decisions/finding-the-article.md)."""
CODE_WEIGHT: Final = 0.2
"""What a passage gains that holds a code of the question (“E119”): to the embedding model one code is like another."""
CLEARLY_NEARER: Final = 0.15
FULL_RANK: Final = 0.3
"""From this full-text rank on, the words agree wholly."""


@dataclass(frozen=True, slots=True)
class Hit:
    """A passage that may answer: its text, its article's number, title, address and reason code, and how well it fits (0 to 1)."""

    title: str
    url: str
    text: str
    score: float
    reason: str = ""
    article: int = 0


@dataclass(frozen=True, slots=True)
class _Asked:
    """A question as it is looked for: its words, its meaning, and the passages that may answer it."""

    core: str
    vector: list[float]
    language: str
    audiences: frozenset[str]
    reasons: Mapping[str, float] = field(default_factory=dict)


def search(
    query: str,
    *,
    reason: str = "",
    limit: int = 3,
    threshold: float = THRESHOLD,
    language: str = FIRST_LANGUAGE,
    audiences: frozenset[str] = FOR_EVERYBODY,
) -> list[Hit]:
    """The passages that best answer `query`, best first, at most one of an article and `limit` in all.

    Only articles for one of `audiences` that are valid today and in `language` (any region of it); when none of those answers, the
    ones in the company's first language. With the code of a `reason` only its articles; these few are compared one by one.

    Which passage of an article answers is found by reciprocal rank fusion of cosine similarity (pgvector) and PostgreSQL's full-text rank.
    Its score is its similarity, or for an article that says which questions it answers the mean of that and of the likeliest
    question's; up to a tenth more when the words agree too, and a little more for the article of a reason that the question has. What
    is no word is read as the word of the articles that it is nearest to (`spelling`). Below `threshold` an article is left out, so
    an unknown question finds nothing, and however many passages are nearer that may not be told, those that may are found. Two
    statements in a transaction and one embedding (10 ms); up to four statements more with a slip of the keyboard, two in another
    language.
    """
    core = meaning(query[:LONGEST_QUERY])
    if not core:
        return []
    for tongue in dict.fromkeys([language.split("-", maxsplit=1)[0].lower() or FIRST_LANGUAGE, FIRST_LANGUAGE]):
        hits = _search(_asked(core, tongue, audiences), threshold, reason)
        if hits:
            return hits[:limit]
    return []


def _asked(core: str, language: str, audiences: frozenset[str]) -> _Asked:
    if language == FIRST_LANGUAGE and spelling.unknown_words(core):
        readable = readable_passages(audiences) & Q(article__language=language)
        core = spelling.corrected(core, vocabulary(KnowledgePassage.objects.filter(readable), KnowledgeQuestion.objects.filter(readable)))
    vector = embed([core])[0]
    chances = reasons.latest().classifier.chances(vector) if language == FIRST_LANGUAGE else {}
    return _Asked(core, vector.tolist(), language, audiences, chances)


def openings(hits: Sequence[Hit]) -> dict[int, str]:
    """The first passage of the article of each hit, by the article's number. One query."""
    rows = KnowledgePassage.objects.filter(article__in=[hit.article for hit in hits]).order_by("article", "-position")
    return dict(rows.values_list("article", "text"))


def _search(asked: _Asked, threshold: float, reason: str) -> list[Hit]:
    found = candidates(asked.core, asked.vector, language=asked.language, audiences=asked.audiences, reason=reason)
    best: dict[int, Candidate] = {}
    for each in sorted(found, key=lambda each: (-_fused(each), each.distance, each.passage)):
        best.setdefault(each.article, each)
    hits = sorted((hit for each in best.values() if (hit := _hit(each, asked)).score >= threshold), key=lambda hit: -hit.score)
    if hits and asked.language == FIRST_LANGUAGE:
        hits[0] = replace(hits[0], text=_part_that_answers(hits[0], [each for each in found if each.article == hits[0].article], asked))
    return hits


def _part_that_answers(hit: Hit, parts: Sequence[Candidate], asked: _Asked) -> str:
    """The text of a hit, or of that part of its article in which one sentence is clearly nearer to the question than any in it.

    The whole of a part may be about what was asked (“a care plan covers …”) while one sentence of another answers it.
    """
    nearest = {each.text: max(likenesses(asked.core, sentences(each.text)), default=0.0) for each in parts}
    best = max(nearest, key=lambda text: nearest[text], default=hit.text)
    return best if nearest.get(best, 0.0) > nearest.get(hit.text, 0.0) + CLEARLY_NEARER else hit.text


def _fused(found: Candidate) -> float:
    """Reciprocal rank fusion of the two lists; 0 for what only a question led to."""
    places = (found.place_by_meaning, found.place_by_words)
    return sum(1 / (FUSION_CONSTANT + place) for place in places if place is not None)


def _hit(found: Candidate, asked: _Asked) -> Hit:
    likeness = max(0.0, 1.0 - found.distance)
    if found.question_distance is not None:
        likeness = (likeness + 1.0 - found.question_distance) / 2 + BOTH_KNOWN
    by_words = min(1.0, found.rank / FULL_RANK)
    codes = codes_in(asked.core)
    holds_code = bool(codes) and codes <= codes_in(found.text)
    score = likeness + WORD_WEIGHT * by_words + CODE_WEIGHT * holds_code + REASON_WEIGHT * asked.reasons.get(found.reason, 0.0)
    return Hit(found.title, found.url, found.text, round(min(score, 1.0), 4), found.reason, found.article)
