"""Knowledge: the right article first, or none at all."""

from pathlib import Path

import pytest
import yaml

from conversations.demo.load import load
from conversations.knowledge.ingest import ingest, passages
from conversations.knowledge.search import search
from conversations.models import KnowledgeArticle

QUESTIONS = yaml.safe_load((Path(__file__).parent / "questions.yaml").read_text(encoding="utf-8"))


@pytest.mark.django_db
def test_each_question_finds_its_article_first_and_an_unknown_one_finds_nothing() -> None:
    load()
    assert len(QUESTIONS["answered"]) >= 25
    for asked in QUESTIONS["answered"]:
        hits = search(asked["question"])
        assert hits, asked
        assert hits[0].url == f"/help/{asked['slug']}", asked
        assert [hit.url for hit in hits] == list(dict.fromkeys(hit.url for hit in hits))
        assert len(hits) <= 3
    for question in QUESTIONS["unanswered"]:
        assert search(question) == [], question


@pytest.mark.django_db
def test_a_changed_article_answers_anew_and_an_unpublished_one_no_more() -> None:
    article = KnowledgeArticle.objects.create(slug="parrots", title="Feeding parrots", url="/help/parrots", body="Give seeds twice a day.")
    assert ingest(article) == 1
    assert search("how often do I feed the parrot")[0].text == "Give seeds twice a day."
    article.body = "Give fruit once a week."
    article.save()
    ingest(article)
    assert [hit.text for hit in search("how often do I feed the parrot")] == ["Give fruit once a week."]
    article.published = False
    article.save()
    assert search("how often do I feed the parrot") == []


@pytest.mark.django_db
@pytest.mark.parametrize("question", ["", "''); DROP TABLE x; --", "a & | ! : * (", "\x00\u202e", "?" * 10000, "the the the", "🚽"])
def test_odd_questions_find_nothing_and_do_no_harm(question: str) -> None:
    article = KnowledgeArticle.objects.create(slug="parrots", title="Feeding parrots", url="/help/parrots", body="Give seeds twice a day.")
    ingest(article)
    assert search(question) == []


def test_passages_break_between_paragraphs_and_keep_lists_whole() -> None:
    steps = "\n".join(f"{number}. step with a few more words in it" for number in range(1, 12))
    found = passages(f"# Title\n\nIntroduction:\n\n{steps}\n\n{'word ' * 80}\n\nEnd.")
    assert found[0] == f"# Title\n\nIntroduction:\n\n{steps}"
    assert found[1].endswith("End.")
    assert passages("") == []
