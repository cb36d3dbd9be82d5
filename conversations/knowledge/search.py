"""Which passage answers a question: by meaning and by words, and nothing rather than something wrong."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from django.contrib.postgres.search import SearchQuery, SearchRank, SearchVector
from django.db.models import F, QuerySet
from pgvector.django import CosineDistance

from conversations.models import KnowledgePassage
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


@dataclass(frozen=True, slots=True)
class Hit:
    """A passage that may answer: its text, its article's title, address and reason code, and how well it fits (0 to 1)."""

    title: str
    url: str
    text: str
    score: float
    reason: str = ""


def search(query: str, *, limit: int = 3, threshold: float = THRESHOLD, language: str = "en") -> list[Hit]:
    """The passages that best answer `query`, best first, at most one of an article and `limit` in all.

    Candidates by cosine similarity of the embedding (pgvector) and by PostgreSQL's full-text rank are joined by
    reciprocal rank fusion. The score is the similarity, up to a tenth more when the words agree too; below
    `threshold` a passage is left out, so an unknown question finds nothing. Two queries and one embedding (10 ms).
    """
    core = meaning(query[:LONGEST_QUERY])
    if not core:
        return []
    vector = embed([core])[0]
    passages = KnowledgePassage.objects.filter(article__published=True, article__language=language)
    near = _by_meaning(passages, vector.tolist())
    ranks = _by_words(passages, core)
    fused = {key: 1 / (FUSION_CONSTANT + position) for position, key in enumerate(near, start=1)}
    for position, key in enumerate(ranks, start=1):
        fused[key] = fused.get(key, 0.0) + 1 / (FUSION_CONSTANT + position)
    best_rank = max(ranks.values(), default=0.0)
    rows = passages.filter(pk__in=fused).select_related("article", "article__reason")
    hits: dict[int, tuple[float, Hit]] = {}
    for row in rows.annotate(distance=CosineDistance("embedding", vector.tolist())):
        words = ranks.get(row.pk, 0.0) / best_rank if best_rank else 0.0
        score = max(0.0, 1.0 - row.distance) + WORD_WEIGHT * words
        hit = Hit(
            row.article.title, row.article.url, row.text, round(min(score, 1.0), 4), row.article.reason.code if row.article.reason else ""
        )
        if hit.score >= threshold and fused[row.pk] > hits.get(row.article_id, (0.0, hit))[0]:
            hits[row.article_id] = (fused[row.pk], hit)
    ranked = sorted(hits.values(), key=lambda pair: (-pair[0], -pair[1].score))
    return [hit for _, hit in ranked[:limit]]


def _by_meaning(passages: QuerySet[KnowledgePassage], vector: list[float]) -> list[int]:
    """Keys of the passages nearest in meaning, nearest first."""
    return list(passages.order_by(CosineDistance("embedding", vector)).values_list("pk", flat=True)[:CANDIDATES])


def _by_words(passages: QuerySet[KnowledgePassage], core: str) -> dict[int, float]:
    """Keys and ranks of the passages that share words with the question, best first."""
    words = ["".join(character for character in word if character.isalnum()) for word in core.split()[:MOST_WORDS]]
    query: SearchQuery | None = None
    for word in filter(None, words):
        part = SearchQuery(word, config="english", search_type="plain")
        query = part if query is None else query | part
    if query is None:
        return {}
    title = SearchVector("article__title", config="english", weight="A")
    rank = SearchRank(F("words"), query, normalization=RANK_BY_LENGTH) + SearchRank(title, query)
    ranked = passages.annotate(rank=rank)
    found = ranked.filter(rank__gt=0).order_by("-rank", "pk").values_list("pk", "rank")[:CANDIDATES]
    return {key: float(rank) for key, rank in found}
