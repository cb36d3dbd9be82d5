"""Which passage answers a question: by meaning and by words, and nothing rather than something wrong."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from django.contrib.postgres.search import SearchQuery, SearchRank, SearchVector
from django.db import connection, transaction
from django.db.models import F, Min, QuerySet, Value
from pgvector.django import CosineDistance

from conversations.knowledge.vocabulary import vocabulary
from conversations.models import KnowledgePassage, KnowledgeQuestion
from conversations.models.knowledge import OTHER_WORD_FORMS, WORD_FORMS
from conversations.selectors.articles import FOR_EVERYBODY, readable_passages
from conversations.understanding import reasons, spelling
from conversations.understanding.embed import embed
from conversations.understanding.normalise import meaning

CANDIDATES: Final = 20
# The constant of reciprocal rank fusion; 60 is the value of Cormack, Clarke and Buettcher (SIGIR 2009).
FUSION_CONSTANT: Final = 60
THRESHOLD: Final = 0.42
WORD_WEIGHT: Final = 0.1
# PostgreSQL divides the rank by 1 + the logarithm of the passage's length.
RANK_BY_LENGTH: Final = 1
LONGEST_QUERY: Final = 2000
MOST_WORDS: Final = 30
FIRST_LANGUAGE: Final = "en"
SAME_QUESTION: Final = 0.5
"""Articles without a passage that is near come in by a question at least so alike."""
BOTH_KNOWN: Final = 0.08
"""Two similarities have a lower mean than the greater of them: this much more makes the same threshold hold for both kinds of article."""
LET_FILTERS_LOSE_NOTHING: Final = """
    SELECT set_config(CASE WHEN goes_on THEN 'hnsw.iterative_scan' ELSE 'hnsw.ef_search' END,
                      CASE WHEN goes_on THEN 'strict_order' ELSE '1000' END, true)
    FROM (SELECT string_to_array(extversion, '.')::int[] >= '{0,8}' AS goes_on FROM pg_extension WHERE extname = 'vector') AS vector
"""
"""The index of meanings gives the nearest rows of all, and conditions are looked at afterwards: so it has to go on until enough rows
meet them (pgvector 0.8), or else to give as many as it can."""
REASON_WEIGHT: Final = 0.05
"""What an article gains when the classifier is sure that a question has its reason: chosen on one half of the questions
(docs/decisions/finding-the-article.md)."""
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

    def passages(self) -> QuerySet[KnowledgePassage]:
        return KnowledgePassage.objects.filter(readable_passages(self.audiences), article__language=self.language)

    def questions(self) -> QuerySet[KnowledgeQuestion]:
        return KnowledgeQuestion.objects.filter(readable_passages(self.audiences), article__language=self.language)


def search(
    query: str,
    *,
    limit: int = 3,
    threshold: float = THRESHOLD,
    language: str = FIRST_LANGUAGE,
    audiences: frozenset[str] = FOR_EVERYBODY,
) -> list[Hit]:
    """The passages that best answer `query`, best first, at most one of an article and `limit` in all.

    Only articles for one of `audiences` that are valid today and in `language` (any region of it); when none of those answers, the
    ones in the company's first language.

    Which passage of an article answers is found by reciprocal rank fusion of cosine similarity (pgvector) and PostgreSQL's full-text rank.
    Its score is its similarity, or for an article that says which questions it answers the mean of that and of the likeliest
    question's; up to a tenth more when the words agree too, and a little more for the article of a reason that the question has. What
    is no word is read as the word of the articles that it is nearest to (`spelling`). Below `threshold` an article is left out, so
    an unknown question finds nothing, and however many passages are nearer that may not be told, those that may are found. One
    transaction of six statements, one more for the reason, and one embedding (10 ms); up to four statements more with a slip of the
    keyboard, five in another language.
    """
    core = meaning(query[:LONGEST_QUERY])
    if not core:
        return []
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(LET_FILTERS_LOSE_NOTHING)
        for tongue in dict.fromkeys([language.split("-", maxsplit=1)[0].lower() or FIRST_LANGUAGE, FIRST_LANGUAGE]):
            hits = _search(_asked(core, tongue, audiences), threshold)
            if hits:
                return hits[:limit]
    return []


def search_within(
    query: str,
    reason: str,
    *,
    limit: int = 3,
    threshold: float = THRESHOLD,
    language: str = FIRST_LANGUAGE,
    audiences: frozenset[str] = FOR_EVERYBODY,
) -> list[Hit]:
    """The same among the articles of one reason alone: these few are read one by one, so it costs a fraction of a search.

    Three statements and one embedding; as many again in another language when nothing answers in that, and up to four statements with a
    slip of the keyboard.
    """
    core = meaning(query[:LONGEST_QUERY])
    for tongue in dict.fromkeys([language.split("-", maxsplit=1)[0].lower() or FIRST_LANGUAGE, FIRST_LANGUAGE]) if core else ():
        asked = _asked(core, tongue, audiences)
        theirs = _ranked(asked).filter(article__reason__code=reason).select_related("article__reason")
        rows = list(theirs.annotate(distance=CosineDistance("embedding", asked.vector)))
        near = sorted(rows, key=lambda row: (row.distance, row.pk))
        worded = sorted((row for row in rows if row.rank > 0), key=lambda row: (-row.rank, row.pk))
        fused = _fused([row.pk for row in near], [row.pk for row in worded])
        hits = _hits(asked, _best_of_each(rows, fused), {row.pk: float(row.rank) for row in worded}, threshold)
        if hits:
            return hits[:limit]
    return []


def _asked(core: str, language: str, audiences: frozenset[str]) -> _Asked:
    asked = _Asked(core, [], language, audiences)
    if language == FIRST_LANGUAGE and spelling.unknown_words(core):
        core = spelling.corrected(core, vocabulary(asked.passages(), asked.questions()))
    vector = embed([core])[0]
    chances = reasons.current().classifier.chances(vector) if language == FIRST_LANGUAGE else {}
    return replace(asked, core=core, vector=vector.tolist(), reasons=chances)


def openings(hits: Sequence[Hit]) -> dict[int, str]:
    """The first passage of the article of each hit, by the article's number. One query."""
    rows = KnowledgePassage.objects.filter(article__in=[hit.article for hit in hits]).order_by("article", "-position")
    return dict(rows.values_list("article", "text"))


def _search(asked: _Asked, threshold: float) -> list[Hit]:
    ranks = _by_words(asked)
    return _hits(asked, _chosen_passages(asked, _fused(_by_meaning(asked), list(ranks))), ranks, threshold)


def _fused(near: Sequence[int], worded: Sequence[int]) -> dict[int, float]:
    """How high keys stand in the one list and the other, by reciprocal rank fusion."""
    fused = {key: 1 / (FUSION_CONSTANT + position) for position, key in enumerate(near, start=1)}
    for position, key in enumerate(worded, start=1):
        fused[key] = fused.get(key, 0.0) + 1 / (FUSION_CONSTANT + position)
    return fused


def _hits(asked: _Asked, chosen: Sequence[Any], ranks: Mapping[int, float], threshold: float) -> list[Hit]:
    """The chosen passages, each with its `distance`, that reach the threshold, best first."""
    by_words = {key: min(1.0, rank / FULL_RANK) for key, rank in ranks.items()}
    questions = _by_question(asked, [row.article_id for row in chosen])
    hits = []
    for row in chosen:
        likeness = max(0.0, 1.0 - row.distance)
        if row.article_id in questions:
            likeness = (likeness + questions[row.article_id]) / 2 + BOTH_KNOWN
        reason = row.article.reason.code if row.article.reason else ""
        hit = _hit(row, likeness + WORD_WEIGHT * by_words.get(row.pk, 0.0) + REASON_WEIGHT * asked.reasons.get(reason, 0.0))
        hits += [hit] if hit.score >= threshold else []
    return sorted(hits, key=lambda hit: -hit.score)


def _chosen_passages(asked: _Asked, fused: Mapping[int, float]) -> list[Any]:
    """One passage of each article that may answer, with its `distance`: the best by both lists, or the nearest when only a question is
    alike."""
    wanted = asked.passages().filter(pk__in=fused) | asked.passages().filter(article__in=_asked_alike(asked))
    return _best_of_each(wanted.select_related("article__reason").annotate(distance=CosineDistance("embedding", asked.vector)), fused)


def _best_of_each(rows: Iterable[Any], fused: Mapping[int, float]) -> list[Any]:
    """One passage of each article."""
    best: dict[int, Any] = {}
    for row in sorted(rows, key=lambda row: (-fused.get(row.pk, 0.0), row.distance, row.pk)):
        best.setdefault(row.article_id, row)
    return list(best.values())


def _hit(row: KnowledgePassage, score: float) -> Hit:
    article = row.article
    reason = article.reason.code if article.reason else ""
    return Hit(article.title, article.url, row.text, round(min(score, 1.0), 4), reason, article.pk)


def _by_meaning(asked: _Asked) -> list[int]:
    """Keys of the passages nearest in meaning, nearest first."""
    return list(asked.passages().order_by(CosineDistance("embedding", asked.vector)).values_list("pk", flat=True)[:CANDIDATES])


def _asked_alike(asked: _Asked) -> list[int]:
    """Keys of the articles that say they answer a question like this one."""
    rows = asked.questions().annotate(distance=CosineDistance("embedding", asked.vector)).order_by("distance")
    # As a condition of the statement, the distance would have the index gone through to its end.
    return [article for article, distance in rows.values_list("article", "distance")[:CANDIDATES] if distance <= 1 - SAME_QUESTION]


def _by_question(asked: _Asked, articles: Sequence[int]) -> dict[int, float]:
    """How like this one the likeliest question is that each of these articles says it answers; those that say none are left out."""
    rows = KnowledgeQuestion.objects.filter(article__in=articles).order_by().values("article")
    nearest = rows.annotate(nearest=Min(CosineDistance("embedding", asked.vector)))
    return {row["article"]: 1.0 - row["nearest"] for row in nearest}


def _by_words(asked: _Asked) -> Mapping[int, float]:
    """Keys and ranks of the passages that share words with the question, in the forms of its language, best first."""
    ranked = _ranked(asked).filter(rank__gt=0).order_by("-rank", "pk").values_list("pk", "rank")[:CANDIDATES]
    return {key: float(rank) for key, rank in ranked}


def _ranked(asked: _Asked) -> QuerySet[Any]:
    """The passages with their full-text `rank`."""
    words = ["".join(character for character in word if character.isalnum()) for word in asked.core.split()[:MOST_WORDS]]
    config = WORD_FORMS.get(asked.language, OTHER_WORD_FORMS)
    query: SearchQuery | None = None
    for word in filter(None, words):
        part = SearchQuery(word, config=config, search_type="plain")
        query = part if query is None else query | part
    if query is None:
        return asked.passages().annotate(rank=Value(0.0))
    title = SearchVector("article__title", config=config, weight="A")
    rank = SearchRank(F("words"), query, normalization=RANK_BY_LENGTH) + SearchRank(title, query)
    return asked.passages().annotate(rank=rank)
