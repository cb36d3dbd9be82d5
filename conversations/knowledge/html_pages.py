"""A web page to Markdown: what is read on it, without what stands around it and without what nobody sees."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Final

DEEPEST: Final = 60
"""Elements nested deeper than this stand beside each other instead."""
VOID: Final = frozenset(
    {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
)
LEFT_OUT: Final = frozenset(
    {
        "aside", "button", "dialog", "footer", "form", "header", "iframe", "nav", "noscript", "object", "script", "select", "style",
        "svg", "template", "textarea", "title",
    }
)  # fmt: skip
"""What is no part of an article, or is not shown."""
CLOSES: Final = {"li": {"li"}, "dt": {"dt", "dd"}, "dd": {"dt", "dd"}, "tr": {"tr", "td", "th"}, "td": {"td", "th"}, "th": {"td", "th"}}
ENDED_BY_A_BLOCK: Final = frozenset(
    {"p", "ul", "ol", "div", "table", "h1", "h2", "h3", "h4", "h5", "h6", "blockquote", "pre", "section", "hr", "dl"}
)
BLOCKS: Final = ENDED_BY_A_BLOCK | {"main", "article", "body", "html", "li", "tr", "td", "th", "dt", "dd", "figure", "details", "summary"}
MARKS: Final = {"strong": "**", "b": "**", "em": "*", "i": "*", "code": "`"}
SAFE_LINK: Final = re.compile(r"^(?:https?://|/(?!/)|mailto:|tel:)[^\s()<>\"]+$", re.IGNORECASE)
INVISIBLE: Final = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden|font-size\s*:\s*0|opacity\s*:\s*0(?![.\d])", re.IGNORECASE)
HEADING: Final = re.compile(r"^h[1-6]$")


@dataclass(frozen=True, slots=True)
class Page:
    """What a web page says: its title, its body as Markdown, its own address and language when it names them."""

    title: str
    body: str
    url: str
    language: str


@dataclass(slots=True)
class _Element:
    """An element with its attributes, and what is in it: elements and texts."""

    tag: str
    attributes: dict[str, str] = field(default_factory=dict)
    inside: list[_Element | str] = field(default_factory=list)

    def every(self, *tags: str) -> Iterator[_Element]:
        """The elements of these tags in it, in order."""
        for each in self.inside:
            if isinstance(each, _Element):
                if each.tag in tags:
                    yield each
                yield from each.every(*tags)

    def first(self, *tags: str) -> _Element | None:
        return next(self.every(*tags), None)

    @property
    def text(self) -> str:
        """What is read in it."""
        return "".join(each if isinstance(each, str) else each.text for each in self.inside if isinstance(each, str) or each.is_shown)

    @property
    def is_shown(self) -> bool:
        hidden = "hidden" in self.attributes or self.attributes.get("aria-hidden") == "true"
        return self.tag not in LEFT_OUT and not hidden and not INVISIBLE.search(self.attributes.get("style", ""))


def read_page(html: str) -> Page:
    """What is in `<main>`, else in the first `<article>`, else on the whole page. Any HTML is read, however broken it is."""
    root = _tree(html)
    main = root.first("main") or root.first("article") or root.first("body") or root
    heading, title = main.first("h1"), root.first("title")
    named = _words(heading.text if heading else title.text if title else "")
    canonical = next((each.attributes.get("href", "") for each in root.every("link") if each.attributes.get("rel") == "canonical"), "")
    page = root.first("html")
    language = page.attributes.get("lang", "") if page else ""
    blocks = [block for block in _blocks(main) if block != f"# {named}"]
    return Page(named, "\n\n".join(blocks), canonical if SAFE_LINK.match(canonical) else "", language[:2].lower())


class _Builder(HTMLParser):
    """Builds the tree."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.root = _Element("")
        self._open = [self.root]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        closed = CLOSES.get(tag, set()) | ({"p"} if tag in ENDED_BY_A_BLOCK else set())
        if self._open[-1].tag in closed:
            self._open.pop()
        element = _Element(tag, {name: value or "" for name, value in attrs})
        self._open[-1].inside.append(element)
        if tag not in VOID and len(self._open) < DEEPEST:
            self._open.append(element)

    def handle_endtag(self, tag: str) -> None:
        if any(element.tag == tag for element in self._open[1:]):
            while self._open.pop().tag != tag:
                pass

    def handle_data(self, data: str) -> None:
        self._open[-1].inside.append(data)


def _tree(html: str) -> _Element:
    builder = _Builder()
    builder.feed(html)
    builder.close()
    return builder.root


def _blocks(element: _Element) -> Iterator[str]:
    """The blocks in an element as Markdown; what stands loose between blocks is a paragraph."""
    loose: list[_Element | str] = []
    for each in element.inside:
        if isinstance(each, str) or (each.is_shown and each.tag not in BLOCKS and not _holds_blocks(each)):
            loose.append(each)
        elif each.is_shown:
            yield from _paragraph(loose)
            loose = []
            yield from _block(each)
    yield from _paragraph(loose)


def _holds_blocks(element: _Element) -> bool:
    return element.first(*BLOCKS) is not None


def _paragraph(loose: list[_Element | str]) -> Iterator[str]:
    text = _inline(loose)
    if text:
        yield text


def _block(element: _Element) -> Iterator[str]:
    tag = element.tag
    if HEADING.match(tag):
        text = _inline(element.inside)
        yield from [f"{'#' * int(tag[1])} {text}"] if text else []
    elif tag in ("ul", "ol"):
        yield from filter(None, ["\n".join(_items(element))])
    elif tag == "table":
        yield from filter(None, ["\n".join(_rows(element))])
    elif tag == "pre":
        yield f"```\n{element.text.strip()}\n```"
    elif tag == "blockquote":
        yield "\n".join(f"> {line}" for block in _blocks(element) for line in block.splitlines())
    elif tag != "hr":
        yield from _blocks(element)


def _items(listed: _Element, indent: str = "") -> Iterator[str]:
    number = 0
    for item in listed.inside:
        if not isinstance(item, _Element) or not item.is_shown or item.tag != "li":
            continue
        number += 1
        mark = f"{number}." if listed.tag == "ol" else "-"
        lists = [each for each in item.inside if isinstance(each, _Element) and each.tag in ("ul", "ol")]
        said = _inline([each for each in item.inside if not any(each is one for one in lists)])
        if said:
            yield f"{indent}{mark} {said}"
        for inner in lists:
            yield from _items(inner, indent + "   ")


def _rows(table: _Element) -> Iterator[str]:
    for number, row in enumerate(table.every("tr")):
        cells = [_inline(cell.inside).replace("|", "/") for cell in row.every("td", "th")]
        if any(cells):
            yield f"| {' | '.join(cells)} |"
            if number == 0:
                yield f"|{' --- |' * len(cells)}"


def _inline(inside: list[_Element | str]) -> str:
    return _words("".join(each if isinstance(each, str) else _marked(each) for each in inside if isinstance(each, str) or each.is_shown))


def _marked(element: _Element) -> str:
    if element.tag == "br":
        return " "
    if element.tag == "img":
        return element.attributes.get("alt", "")
    text = _inline(element.inside)
    if not text:
        return " "
    link = element.attributes.get("href", "")
    if element.tag == "a" and SAFE_LINK.match(link):
        return f"[{text}]({link})"
    mark = MARKS.get(element.tag, "")
    around = " " if element.tag in BLOCKS else ""
    return f"{around}{mark}{text}{mark}{around}"


def _words(text: str) -> str:
    return " ".join(text.split())
