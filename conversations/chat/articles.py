"""Knowledge articles as web pages: Markdown in, clean HTML out."""

import nh3
from django.utils.safestring import SafeString, mark_safe
from markdown_it import MarkdownIt
from markdown_it.token import Token

TAGS = {
    "a", "blockquote", "br", "code", "em", "h2", "h3", "h4", "hr", "li", "ol", "p", "pre", "strong",
    "table", "tbody", "td", "th", "thead", "tr", "ul",
}  # fmt: skip
LOWEST_HEADING = 4

_markdown = MarkdownIt("commonmark", {"html": False}).enable("table")


def article_html(markdown: str) -> SafeString:
    """The body of an article as HTML. Its headings start one level below the page's title; markup in it stays text."""
    tokens = _markdown.parse(markdown)
    for token in tokens:
        _lower_heading(token)
    html = _markdown.renderer.render(tokens, _markdown.options, {})
    return mark_safe(nh3.clean(html, tags=TAGS, attributes={"a": {"href"}}, link_rel="noopener"))  # noqa: S308


def _lower_heading(token: Token) -> None:
    if token.type in ("heading_open", "heading_close"):
        token.tag = f"h{min(int(token.tag[1]) + 1, LOWEST_HEADING)}"
