"""How often the article that answers is among the first three found, beside full-text search alone; and how often what nothing answers
finds nothing.

Data: the demo company's articles, and questions that were written about them in other words (tests/knowledge/demo_questions.yaml), some
with slips of the keyboard and some as they are said. Found as a turn finds it: at the playbook's threshold, as somebody who has proven
nothing. The floor is PostgreSQL's full-text rank over the same passages and titles, without a threshold.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import yaml
from django.contrib.postgres.search import SearchQuery, SearchRank, SearchVector
from django.db.models import F

from conversations.demo import source
from conversations.demo.load import load
from conversations.knowledge.search import search
from conversations.models import KnowledgePassage
from conversations.understanding.normalise import meaning
from tests.support.database import throwaway_database

QUESTIONS = Path(__file__).parent.parent / "knowledge" / "demo_questions.yaml"
AMONG = 3
WANTED = 0.95


def measure() -> Iterator[dict[str, Any]]:
    """Yields recall among the first three and among the first, and the share of unrelated questions that find nothing."""
    questions = yaml.safe_load(QUESTIONS.read_text(encoding="utf-8"))
    unrelated = questions.pop("unrelated")
    asked = [(question, slug) for slug, each in questions.items() for question in each]
    threshold = float(source.playbook()["knowledge_threshold"])

    def found(question: str) -> list[str]:
        return [hit.url.rsplit("/", 1)[-1] for hit in search(question, limit=AMONG, threshold=threshold)]

    with throwaway_database("knowledge_recall"):
        load()
        ours, floor = [_place(found, *each) for each in asked], [_place(_by_words, *each) for each in asked]
        silent = [question for question in unrelated if not found(question)]
        silent_floor = [question for question in unrelated if not _by_words(question)]
    for (question, slug), place in zip(asked, ours, strict=True):
        if not place:
            print(f"Not found: {question} ({slug})", file=sys.stderr)
    for question in unrelated:
        if question not in silent:
            print(f"Found something: {question}", file=sys.stderr)
    conditions = {"articles": len(questions), "questions": len(asked), "threshold": threshold, "floor": "full-text rank alone"}
    for name, most, wanted in (("knowledge_recall@3", AMONG, WANTED), ("knowledge_recall@1", 1, None)):
        value, lowest = (sum(0 < place <= most for place in places) / len(asked) for places in (ours, floor))
        yield _figure(name, "share of questions", value, lowest, wanted, conditions)
    value, lowest = len(silent) / len(unrelated), len(silent_floor) / len(unrelated)
    conditions = {"questions": len(unrelated), "threshold": threshold, "floor": "full-text rank alone, any shared word"}
    yield _figure("knowledge_recall.unrelated_find_nothing", "share of unrelated questions", value, lowest, None, conditions)


def _figure(name: str, unit: str, value: float, floor: float, wanted: float | None, conditions: dict[str, Any]) -> dict[str, Any]:
    return {
        "name": name,
        "value": round(value, 4),
        "unit": unit,
        "floor": round(floor, 4),
        "ratio": round(value / floor, 3) if floor else None,
        "wanted": f">= {wanted}" if wanted else None,
        "conditions": conditions,
    }


def _place(find: Callable[[str], list[str]], question: str, slug: str) -> int:
    """The place of the article among those found, from 1; 0 when it is not there."""
    found = find(question)
    return found.index(slug) + 1 if slug in found else 0


def _by_words(question: str) -> list[str]:
    query: Any = None
    for word in meaning(question).split():
        part = SearchQuery(word, config="english")
        query = part if query is None else query | part
    rank = SearchRank(F("words"), query) + SearchRank(SearchVector("article__title", config="english", weight="A"), query)
    rows = KnowledgePassage.objects.annotate(rank=rank).filter(rank__gt=0).order_by("-rank").values_list("article__slug", flat=True)
    return list(dict.fromkeys(rows))[:AMONG]
