"""The demo company as it is written down in content/: YAML for policy, Markdown for articles."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

import yaml

FOLDER: Final = Path(__file__).parent / "content"
Content = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Article:
    """One knowledge article: a file whose name is its slug."""

    slug: str
    title: str
    url: str
    reason: str
    body: str
    asked_as: tuple[str, ...] = ()


@cache
def company() -> Content:
    """Skills, hours, queues, people, territories, prices, doors."""
    found: Content = _read("company.yaml")
    return found


@cache
def playbook() -> Content:
    """Persona, disclosure, policies, thresholds and forms of the AI agent."""
    found: Content = _read("playbook.yaml")
    return found


@cache
def reasons() -> list[Content]:
    """The reason codes with their example phrases."""
    found: list[Content] = _read("reasons.yaml")
    return found


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
    """The knowledge articles, by slug."""
    for path in sorted((FOLDER / "articles").glob("*.md")):
        _, head, body = path.read_text(encoding="utf-8").split("---\n", 2)
        fields = yaml.safe_load(head)
        yield Article(path.stem, fields["title"], fields["url"], fields["reason"], body.strip(), tuple(fields["asked_as"]))


def _read(name: str) -> Any:
    return yaml.safe_load((FOLDER / name).read_text(encoding="utf-8"))
