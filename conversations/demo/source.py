"""The demo company as it is written down in content/: YAML for policy, Markdown for articles."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

import yaml

FOLDER: Final = Path(__file__).parent / "content"
TRANSLATED: Final = ("es",)
"""The languages besides English; each has a folder."""
Content = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Article:
    """One knowledge article: a file whose name is its slug."""

    slug: str
    title: str
    url: str
    reason: str
    body: str
    language: str = "en"
    asked_as: tuple[str, ...] = ()


@cache
def company() -> Content:
    """Skills, hours, queues, people, territories, prices, doors."""
    found: Content = _read("company.yaml")
    return found


@cache
def playbook() -> Content:
    """Persona, disclosure, policies, thresholds and forms of the AI agent, and what it says in other languages."""
    found: Content = _read("playbook.yaml")
    return {**found, "translations": {language: _read(f"{language}/playbook.yaml") for language in TRANSLATED}}


@cache
def reasons() -> list[Content]:
    """The reason codes with their example phrases, in every language."""
    found: list[Content] = _read("reasons.yaml")
    others = [_read(f"{language}/phrases.yaml") for language in TRANSLATED]
    return [{**row, "phrases": [*row["phrases"], *(phrase for each in others for phrase in each.get(row["code"], ()))]} for row in found]


@cache
def rule_sets() -> list[Content]:
    """The decision tables with their rows and test cases."""
    found: list[Content] = _read("rules.yaml")
    return found


@cache
def saved_replies() -> list[Content]:
    """The answers that agents keep ready."""
    found: list[Content] = _read("saved_replies.yaml")
    return found


def articles() -> Iterator[Article]:
    """The knowledge articles, by language and slug; those of another language have it in their slug."""
    yield from _articles(FOLDER / "articles", "en")
    for language in TRANSLATED:
        yield from _articles(FOLDER / language / "articles", language)


def _articles(folder: Path, language: str) -> Iterator[Article]:
    for path in sorted(folder.glob("*.md")):
        _, head, body = path.read_text(encoding="utf-8").split("---\n", 2)
        fields = yaml.safe_load(head)
        slug = path.stem if language == "en" else f"{path.stem}-{language}"
        yield Article(slug, fields["title"], fields["url"], fields["reason"], body.strip(), language, tuple(fields.get("asked_as", ())))


def _read(name: str) -> Any:
    return yaml.safe_load((FOLDER / name).read_text(encoding="utf-8"))
