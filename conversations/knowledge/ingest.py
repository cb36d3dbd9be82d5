"""From a Markdown article to passages that can be searched by meaning and by words."""

from __future__ import annotations

from typing import Final

from django.db import transaction

from conversations.models import KnowledgeArticle, KnowledgePassage
from conversations.understanding.vectors import remembered

PASSAGE_WORDS: Final = 90


def ingest(article: KnowledgeArticle) -> int:
    """Makes the passages of `article` anew and returns how many there are.

    A passage is one or several paragraphs, a list stays whole, about 90 words. What is embedded is the title with
    the passage, so that a passage knows what it is about. Call it whenever title or body changed. Embeds first (about
    30 ms a passage), then writes in one transaction that locks the article's row.
    """
    texts = passages(article.body)
    vectors = remembered(embedded_texts(article.title, article.body))
    with transaction.atomic():
        KnowledgeArticle.objects.select_for_update().get(pk=article.pk)
        article.passages.all().delete()
        KnowledgePassage.objects.bulk_create(
            KnowledgePassage(article=article, position=position, text=text, embedding=vector)
            for position, (text, vector) in enumerate(zip(texts, vectors, strict=True), start=1)
        )
    return len(texts)


def embedded_texts(title: str, body: str) -> list[str]:
    """What is embedded of an article, one text for each of its passages."""
    return [f"{title}. {text}" for text in passages(body)]


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


def _blocks(markdown: str) -> list[str]:
    lines = [line.rstrip() for line in markdown.replace("\x00", "").splitlines()]
    return [block.strip() for block in "\n".join(lines).split("\n\n") if block.strip()]
