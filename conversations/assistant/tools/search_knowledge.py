"""Looks up the company's articles."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final, TypedDict

from django.utils.translation import gettext_lazy

from conversations.assistant import answers
from conversations.assistant.tools.base import Tool, ToolContext, ToolOutcome, arguments_schema, text
from conversations.assistant.tools.words import for_both as _
from conversations.knowledge.search import FIRST_LANGUAGE, Hit, openings, search
from conversations.selectors.articles import audiences_of

MOST = 3
MOST_TRANSLATED = 9
"""In another language: the embedding model has learned English, and to it all that is written in another one looks alike."""
SURE_PASSAGE: Final = 0.55
"""From this score on, the question alone was enough."""


class Settings(TypedDict):
    """How articles are searched."""

    limit: int
    threshold: float
    language: str
    audiences: frozenset[str]


def run(context: ToolContext, arguments: Mapping[str, Any]) -> ToolOutcome:
    """The result: `passages` above the playbook's threshold, best first, with `text`, `title`, `url`, `score`, `reason`, `within`.

    Only of articles that the party may be answered from, by what it has proven on the line. When the question alone has no sure answer,
    those that answer it `within` what it is about come after the others.
    """
    query, about = arguments["query"], arguments.get("about")
    settings: Settings = {
        "limit": MOST if context.language.startswith(FIRST_LANGUAGE) else MOST_TRANSLATED,
        "threshold": context.knowledge_threshold,
        "language": context.language,
        "audiences": audiences_of(context.level),
    }
    alone = _in_their_language(search(query, **settings), query, context)
    passages = [_passage(hit) for hit in alone]
    if about and not (alone and alone[0].score >= SURE_PASSAGE):
        whole = f"{about['name']}: {query}"
        within = _in_their_language(search(whole, reason=about["reason"], **settings), whole, context)
        passages += [_passage(hit, within=True) for hit in within]
    sentence = _("Looked in the knowledge base.") if passages else _("Looked in the knowledge base: nothing was found.")
    return ToolOutcome({"passages": passages}, sentence)


def _passage(hit: Hit, *, within: bool = False) -> dict[str, Any]:
    return {"text": hit.text, "title": hit.title, "url": hit.url, "score": hit.score, "reason": hit.reason, "within": within}


def _in_their_language(found: list[Hit], query: str, context: ToolContext) -> list[Hit]:
    return _from_the_beginning(found, query) if found and not context.language.startswith(FIRST_LANGUAGE) else found


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
    arguments_schema(
        ["query"],
        query=text("The question in the customer's words.", 4000),
        about={
            "description": "What it is about, when the question says little alone: the code of a reason, and its name.",
            **arguments_schema(["reason", "name"], reason=text("The code.", 40), name=text("The name.")),
        },
    ),
    run,
    recorded=False,
    title=gettext_lazy("Look up articles"),
    labels={
        "query": gettext_lazy("Question"),
        "about": gettext_lazy("About"),
    },
    unshown=frozenset({"score", "reason", "within"}),
)
