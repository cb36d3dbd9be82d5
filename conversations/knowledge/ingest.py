"""From a Markdown article to passages that can be searched by meaning and by words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from django.db import transaction
from django.db.models import F

from conversations.knowledge.sentences import meanings, sentences
from conversations.models import KnowledgeArticle, KnowledgePassage, KnowledgeQuestion
from conversations.models.knowledge import ArticleContent
from conversations.understanding.normalise import meaning
from conversations.understanding.vectors import digest, remembered

PASSAGE_WORDS: Final = 90
LONGEST_QUESTION: Final = 500
MOST_PASSAGES: Final = 10_000
"""More than an article has; passages are put aside above it while they change places."""


@dataclass(frozen=True, slots=True)
class Ingested:
    """How many passages an article has, and how many of them were made now; the others are the same as before."""

    passages: int
    made: int


def ingest(article: KnowledgeArticle) -> Ingested:
    """Makes what is missing of the passages and questions of `article` and takes away what is gone; the rest stays.

    A passage is one or several paragraphs, a list stays whole, about 90 words. What is embedded is the title with
    the passage, so that a passage knows what it is about. Call it whenever title, body, questions or language changed. Embeds
    first (about 90 ms a passage), then writes in one transaction that locks the article's row.
    """
    texts = passages(article.body)
    embedded = embedded_texts(article.title, article.body)
    wanted = {(position, digest(text)): (texts[position - 1], text) for position, text in enumerate(embedded, start=1)}
    prepare(article)
    with transaction.atomic():
        KnowledgeArticle.objects.select_for_update(no_key=True).get(pk=article.pk)
        made = _bring_up_to_date(article, wanted)
        _bring_questions_up_to_date(article)
    return Ingested(len(texts), made)


def prepare(content: ArticleContent) -> None:
    """Embeds an article or a version, so that `ingest` finds every vector; for before a transaction."""
    texts = [*embedded_texts(content.title, content.body), *embedded_sentences(content.body)]
    remembered([*texts, *(meaning(question) for question in _questions(content))])


def embedded_texts(title: str, body: str) -> list[str]:
    """What is embedded of an article, one text for each of its passages."""
    return [f"{title}. {text}" for text in passages(body)]


def embedded_sentences(body: str) -> list[str]:
    """What is embedded of the sentences of an article, so that the one that answers is found without waiting."""
    return [text for passage in passages(body) for text in meanings(sentences(passage))]


def passages(markdown: str) -> list[str]:
    """`markdown` in pieces of about 90 words, broken only between paragraphs; headings go with what follows them."""
    pieces: list[str] = []
    for block in _blocks(markdown):
        fits = bool(pieces) and len(pieces[-1].split()) + len(block.split()) <= PASSAGE_WORDS
        if pieces and (fits or (pieces[-1].startswith("#") and "\n" not in pieces[-1]) or pieces[-1].endswith(":")):
            pieces[-1] += "\n\n" + block
        else:
            pieces.append(block)
    return pieces


def changed_passages(article: KnowledgeArticle, content: ArticleContent) -> int:
    """How many passages would be made anew for `content`; writes and embeds nothing."""
    known = set(article.passages.values_list("made_from", flat=True)) if article.pk else set()
    return sum(digest(text) not in known for text in embedded_texts(content.title, content.body))


def _bring_up_to_date(article: KnowledgeArticle, wanted: dict[tuple[int, str], tuple[str, str]]) -> int:
    """Passages by position and digest: what is there stays, moved where it belongs now. Returns how many were made."""
    kept: dict[str, list[int]] = {}
    gone: list[int] = []
    open_digests = [made_from for _, made_from in wanted]
    for pk, made_from, language in article.passages.order_by("position").values_list("pk", "made_from", "language"):
        if made_from in open_digests and language == article.language:
            open_digests.remove(made_from)
            kept.setdefault(made_from, []).append(pk)
        else:
            gone.append(pk)
    KnowledgePassage.objects.filter(pk__in=gone).delete()
    places = {pk: position for (position, made_from) in wanted if kept.get(made_from) for pk in [kept[made_from].pop(0)]}
    standing = dict(article.passages.values_list("pk", "position"))
    if any(standing[pk] != position for pk, position in places.items()):
        article.passages.update(position=F("position") + MOST_PASSAGES)
        for pk, position in places.items():
            KnowledgePassage.objects.filter(pk=pk).update(position=position)
    missing = [(position, made_from) for position, made_from in wanted if position not in places.values()]
    vectors = remembered([wanted[place][1] for place in missing])
    KnowledgePassage.objects.bulk_create(
        KnowledgePassage(
            article=article, position=place[0], text=wanted[place][0], language=article.language, made_from=place[1], embedding=vector
        )
        for place, vector in zip(missing, vectors, strict=True)
    )
    return len(missing)


def _bring_questions_up_to_date(article: KnowledgeArticle) -> None:
    asked = _questions(article)
    known = set(article.asked_questions.exclude(text__in=asked).values_list("pk", flat=True))
    KnowledgeQuestion.objects.filter(pk__in=known).delete()
    there = set(article.asked_questions.values_list("text", flat=True))
    missing = [text for text in asked if text not in there]
    vectors = remembered([meaning(text) for text in missing])
    KnowledgeQuestion.objects.bulk_create(
        KnowledgeQuestion(article=article, text=text, embedding=vector) for text, vector in zip(missing, vectors, strict=True)
    )


def _questions(content: ArticleContent) -> list[str]:
    return list(dict.fromkeys(text[:LONGEST_QUESTION] for text in content.questions if meaning(text)))


def _blocks(markdown: str) -> list[str]:
    lines = [line.rstrip() for line in markdown.replace("\x00", "").splitlines()]
    return [block.strip() for block in "\n".join(lines).split("\n\n") if block.strip()]
