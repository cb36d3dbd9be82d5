"""How the AI agent came to an answer, as the inbox shows it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from conversations.models import TurnTrace

WHY: Final[Mapping[str, str | Promise]] = {
    "left_alone": gettext_lazy("The model’s provider had failed several times just before, so it was not asked."),
    "unreachable": gettext_lazy("The model’s provider could not be reached."),
    "timed_out": gettext_lazy("The model did not answer in time."),
    "rate_limited": gettext_lazy("The model’s provider took no more requests for a while."),
    "overloaded": gettext_lazy("The model’s provider was overloaded."),
    "provider_error": gettext_lazy("The model’s provider failed."),
    "refused_key": gettext_lazy("The model’s provider refused the key. A manager has to look at it."),
    "bad_request": gettext_lazy("The model’s provider refused the request."),
    "cut": gettext_lazy("The model’s answer broke off."),
    "broken_stream": gettext_lazy("The model’s answer could not be read."),
    "refusal": gettext_lazy("The model declined to answer."),
    "max_tokens": gettext_lazy("The model’s answer was too long."),
    "too_long": gettext_lazy("The model’s answer was too long."),
    "empty": gettext_lazy("The model said nothing."),
    "untold": gettext_lazy("The model did not tell what it had done."),
    "invented": gettext_lazy("The model named something that nobody had given."),
    "tool_loop": gettext_lazy("The model asked for the same again and again."),
    "too_many_requests": gettext_lazy("The model came to no end."),
    "held_back": gettext_lazy("What the model wrote named something that stands nowhere, or that may not leave, so it was not used."),
    "nonsense": gettext_lazy("The model did not answer in the form that it was asked for."),
    "over_budget": gettext_lazy("The turn had cost as much as a turn may."),
}


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that happened: a title, how long it took, and what belongs to it as (label, texts) pairs."""

    title: str
    took: str
    parts: tuple[tuple[str, list[str]], ...]


def story_of(trace: TurnTrace) -> dict[str, Any]:
    """What the dialog shows."""
    words = trace.words
    return {
        "trace": trace,
        "why": WHY.get(trace.fallback, _("The model could not be used.")) if trace.fallback else "",
        "cost": f"{trace.cost:.4f}",
        "read": trace.input_tokens + trace.cache_read_tokens + trace.cache_write_tokens,
        "decision": words.get("decision", ""),
        "steps": [*_told(words.get("request") or {}), *map(_exchange, words.get("exchanges", [])), *map(_call, words.get("calls", []))],
    }


def _told(request: Mapping[str, Any]) -> list[Step]:
    if not request:
        return []
    said = [block.get("text", "") for message in request.get("messages", []) for block in message["content"]]
    return [
        _step(
            _("What the model was told"),
            (_("Playbook"), [request.get("playbook", "")]),
            (_("Tools"), [", ".join(request.get("tools", []))]),
            (_("What was known"), [request.get("facts", "")]),
            (_("What was said"), said),
        )
    ]


def _exchange(each: Mapping[str, Any]) -> Step:
    if "failed" in each:
        return _step(_("A request failed"), (_("Why"), [each["failed"]]))
    if "results" in each:
        return _step(_("What came of it"), (_("Results"), [row.get("content", "") for row in each["results"]]))
    blocks = each.get("answer", [])
    return _step(
        _("What the model answered"),
        (_("Words"), [block["text"] for block in blocks if block.get("type") == "text"]),
        (_("Asks for"), [f"{block['name']} {_written(block['input'])}" for block in blocks if block.get("type") == "tool_use"]),
        (_("Number of the request"), [each.get("request_id", "")]),
        ms=each.get("ms"),
    )


def _call(each: Mapping[str, Any]) -> Step:
    title = _("Tool: %(name)s") % {"name": each.get("tool", "")}
    came = each.get("error") or each.get("result", "")
    return _step(title, (_("With"), [each.get("arguments", "")]), (_("Result"), [came]), ms=each.get("ms"))


def _step(title: str, *parts: tuple[str, list[Any]], ms: int | None = None) -> Step:
    kept = tuple((label, [_written(value) for value in values if value]) for label, values in parts if any(values))
    return Step(title, "" if ms is None else _("%(ms)d ms") % {"ms": ms}, kept)


def _written(value: object) -> str:
    """A value as text; what is built of others as JSON, which reads the same whatever program made it."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, indent=2, default=str)
