"""The passages that may answer a question: one statement that looks by meaning, by words and by the questions that articles answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from django.db import connection, transaction
from django.utils import timezone
from pgvector import Vector

from conversations.models.knowledge import OTHER_WORD_FORMS, WORD_FORMS
from conversations.selectors.articles import READABLE_NOW

CANDIDATES: Final = 20
SAME_QUESTION: Final = 0.5
"""Articles without a passage that is near come in by a question at least so alike."""
# PostgreSQL divides the rank by 1 + the logarithm of the passage's length.
RANK_BY_LENGTH: Final = 1
MOST_WORDS: Final = 30
LET_FILTERS_LOSE_NOTHING: Final = """
    SELECT set_config('hnsw.ef_search', CASE WHEN goes_on THEN '200' ELSE '1000' END, true),
           CASE WHEN goes_on THEN set_config('hnsw.iterative_scan', 'strict_order', true) END,
           (SELECT count(*) FROM (SELECT FROM conversations_knowledgepassage LIMIT %(few)s) AS passage) < %(few)s
    FROM (SELECT string_to_array(extversion, '.')::int[] >= '{0,8}' AS goes_on FROM pg_extension WHERE extname = 'vector') AS vector
"""
"""The index of meanings gives the nearest rows of all, and conditions are looked at afterwards: so it has to go on until enough rows
meet them (pgvector 0.8), or else to give as many as it can. Tells too whether there are so few passages that all are compared."""
FEW: Final = 1000
"""Fewer passages are compared one by one, which misses none and takes as long as the index (a millisecond or two). The index is a graph
that finds the nearest only nearly always, and less often while passages written again lie in it beside their former selves."""
FIND: Final = """
WITH allowed AS NOT MATERIALIZED ({readable}), readable AS NOT MATERIALIZED (
    SELECT id, title, url, reason_id FROM allowed WHERE language = %(language)s {only}
), near AS (
    SELECT passage.id, passage.embedding <=> %(meaning)s::vector AS distance
      FROM (SELECT passage.id, passage.embedding FROM conversations_knowledgepassage AS passage
              JOIN readable ON readable.id = passage.article_id {one_by_one}) AS passage
     ORDER BY passage.embedding <=> %(meaning)s::vector LIMIT %(candidates)s
), worded AS (
    SELECT passage.id, rank
      FROM conversations_knowledgepassage AS passage JOIN readable ON readable.id = passage.article_id,
           CAST({words} AS tsquery) AS asked,
           LATERAL (SELECT ts_rank(passage.words, asked, %(by_length)s)
                         + ts_rank(setweight(to_tsvector(%(forms)s::regconfig, readable.title), 'A'), asked) AS rank) AS ranked
     WHERE rank > 0 ORDER BY rank DESC, passage.id LIMIT %(candidates)s
), alike AS (
    SELECT question.article_id, question.embedding <=> %(meaning)s::vector AS distance
      FROM (SELECT question.article_id, question.embedding FROM conversations_knowledgequestion AS question
              JOIN readable ON readable.id = question.article_id {one_by_one}) AS question
     -- As a condition of this part, the distance would have the index gone through to its end.
     ORDER BY question.embedding <=> %(meaning)s::vector LIMIT %(candidates)s
), chosen AS (
    SELECT passage.id, passage.article_id, passage.text, passage.embedding <=> %(meaning)s::vector AS distance
      FROM conversations_knowledgepassage AS passage
     WHERE passage.id IN (SELECT id FROM near UNION SELECT id FROM worded)
        OR passage.article_id IN (SELECT article_id FROM alike WHERE distance <= %(farthest)s)
), answering AS (
    SELECT article_id, min(embedding <=> %(meaning)s::vector) AS distance FROM conversations_knowledgequestion
     WHERE article_id IN (SELECT article_id FROM chosen) GROUP BY article_id
)
SELECT chosen.id, chosen.article_id, readable.title, readable.url, chosen.text, coalesce(reason.code, '') AS reason, chosen.distance,
       placed.place, worded_at.place, coalesce(worded_at.rank, 0), answering.distance
  FROM chosen
  JOIN readable ON readable.id = chosen.article_id
  LEFT JOIN routing_reasoncode AS reason ON reason.id = readable.reason_id
  LEFT JOIN (SELECT id, row_number() OVER (ORDER BY distance, id) AS place FROM near) AS placed ON placed.id = chosen.id
  LEFT JOIN (SELECT id, rank, row_number() OVER (ORDER BY rank DESC, id) AS place FROM worded) AS worded_at ON worded_at.id = chosen.id
  LEFT JOIN answering ON answering.article_id = chosen.article_id
"""


ONLY_OF_REASON: Final = "AND reason_id = (SELECT id FROM routing_reasoncode WHERE code = %(reason)s)"
ONE_BY_ONE: Final = "OFFSET 0"
"""Keeps the index of meanings out of it: it may miss one of few passages, and to find those of one reason it would go through all
that is near."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A passage that may answer, and how it was found.

    `distance` is that of the meanings (0 to 2), `rank` PostgreSQL's full-text rank, the places are those among the nearest and among
    the best by words, `question_distance` is that of the likeliest question which the article says it answers.
    """

    passage: int
    article: int
    title: str
    url: str
    text: str
    reason: str
    distance: float
    place_by_meaning: int | None
    place_by_words: int | None
    rank: float
    question_distance: float | None


def candidates(core: str, meaning: list[float], *, language: str, audiences: frozenset[str], reason: str = "") -> list[Candidate]:
    """The passages nearest in meaning, those that share most words with the question in the forms of its language, and all of the
    articles that say they answer a question like it; only of articles that may be read by one of `audiences` today, and, with the
    code of a `reason`, of that reason alone.

    `core` is the question's words, `meaning` its embedding, `language` two letters. A transaction of two statements.
    """
    forms = WORD_FORMS.get(language, OTHER_WORD_FORMS)
    words = ["".join(character for character in word if character.isalnum()) for word in core.split()[:MOST_WORDS]]
    named = {f"word_{number}": word for number, word in enumerate(filter(None, words))}
    asked = " || ".join(f"plainto_tsquery(%(forms)s::regconfig, %({name})s)" for name in named) or "''"
    values: dict[str, Any] = {
        "audiences": sorted(audiences), "language": language, "today": timezone.localdate(), "meaning": Vector(meaning).to_text(),
        "candidates": CANDIDATES, "farthest": 1 - SAME_QUESTION, "by_length": RANK_BY_LENGTH, "forms": forms,
        "reason": reason,
    }  # fmt: skip
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(LET_FILTERS_LOSE_NOTHING, {"few": FEW})
        are_few = cursor.fetchone()[2]
        narrowed = {"only": ONLY_OF_REASON if reason else "", "one_by_one": ONE_BY_ONE if reason or are_few else ""}
        cursor.execute(FIND.format(words=asked, readable=READABLE_NOW, **narrowed), values | named)
        return [Candidate(*row) for row in cursor.fetchall()]
