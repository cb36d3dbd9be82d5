"""Looks up the company's articles."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from django.utils.translation import gettext_lazy

from conversations.assistant import answers
from conversations.assistant.tools.base import Tool, ToolContext, ToolOutcome, arguments_schema, text
from conversations.assistant.tools.words import for_both as _
from conversations.knowledge.search import FIRST_LANGUAGE, Hit, openings, search
from conversations.selectors.articles import audiences_of

MOST = 3


def run(context: ToolContext, arguments: Mapping[str, Any]) -> ToolOutcome:
    """The result: `passages` above the playbook's threshold, best first, with `text`, `title`, `url`, `score`, `reason`.

    Only of articles that the party may be answered from, by what it has proven on the line.
    """
    found = search(
        arguments["query"],
        limit=MOST,
        threshold=context.knowledge_threshold,
        language=context.language,
        audiences=audiences_of(context.level),
    )
    if found and not context.language.startswith(FIRST_LANGUAGE):
        found = _from_the_beginning(found, arguments["query"])
    passages = [
        {"text": hit.text, "title": hit.title, "url": hit.url, "score": hit.score, "reason": hit.reason} for hit in found
    ]
    return ToolOutcome({"passages": passages}, _("Looked in the knowledge base."))


def _from_the_beginning(hits: list[Hit], query: str) -> list[Hit]:
    """With the first passage of an article where the one that was found shares no more words with the question.

    The embedding model has learned English: in another language it finds the article, but hardly which part of it answers.
    """
    first = openings(hits)

    def shared(text: str) -> int:
        return answers.shared_words(text, query)[0]

    return [
        replace(hit, text=first[hit.article]) if hit.article in first and shared(first[hit.article]) >= shared(hit.text) else hit
        for hit in hits
    ]


TOOL = Tool(
    "search_knowledge",
    "Searches the company's articles. Answer questions only from what it returns and name the source.",
    arguments_schema(["query"], query=text("The question in the customer's words.", 4000)),
    run,
    recorded=False,
    title=gettext_lazy("Look up articles"),
    labels={
        "query": gettext_lazy("Question"),
    },
)
