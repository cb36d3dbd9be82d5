"""Looks up the company's articles."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from conversations.assistant.tools.base import Tool, ToolContext, ToolOutcome, arguments_schema, text
from conversations.knowledge.search import search
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
    passages = [
        {"text": hit.text, "title": hit.title, "url": hit.url, "score": hit.score, "reason": hit.reason} for hit in found
    ]
    return ToolOutcome({"passages": passages}, _("Looked in the knowledge base."))


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
