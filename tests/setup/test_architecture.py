"""Conventions of the house that no linter knows."""

from __future__ import annotations

import ast
from pathlib import Path

from django.conf import settings

APPS = ("routing", "conversations", "reporting", "cxhub")
WRITING = frozenset(
    f"{prefix}{name}"
    for prefix in ("", "a")
    for name in ("create", "update", "delete", "bulk_create", "bulk_update", "get_or_create", "update_or_create", "save")
)
ROOMS_THAT_WRITE = (
    "*/services/*",
    "routing/rules/publish.py",  # drafts and published tables
    "routing/simulation/*",  # only ever in a throwaway database of its own
    "conversations/knowledge/ingest.py",  # the passages that an article is cut into
    "conversations/connectors/local_*/*",  # outside systems that happen to live here
    "conversations/demo/*",
    "conversations/evaluation/stage.py",  # only ever in a throwaway database of its own
    "conversations/voice/simulator/*",  # keeps its calls in Valkey, not in the record
)


def test_only_services_write() -> None:
    """No view, consumer, webhook, flow, tool or selector changes a row by itself."""
    found = []
    for app in APPS:
        for path in sorted((settings.BASE_DIR / app).rglob("*.py")):
            place = path.relative_to(settings.BASE_DIR)
            if "migrations" not in place.parts and not any(place.match(room) for room in ROOMS_THAT_WRITE):
                found += [f"{place}:{line}" for line in _writes(path)]
    assert found == []


def _writes(path: Path) -> list[int]:
    """The lines that call a writing method of a queryset, a manager, or a row."""
    calls = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]
    return [call.lineno for call in calls if isinstance(call.func, ast.Attribute) and call.func.attr in WRITING and _is_record(call.func)]


def _is_record(method: ast.Attribute) -> bool:
    """Whether a method belongs to the record: through a manager or a queryset, or by saving what is not `super()`."""
    owner = ast.unparse(method.value)
    if method.attr.lstrip("a") == "save":
        return not owner.startswith("super(")
    return ".objects" in owner or ".all()" in owner
