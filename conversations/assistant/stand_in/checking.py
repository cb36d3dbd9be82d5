"""What the provider would refuse in a request, so that a mistake is found here and not with the first real key."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

MOST_BREAKPOINTS = 4
NOT_AT_THE_TOP = ("oneOf", "anyOf", "allOf")
NOT_TAKEN = ("temperature", "top_p", "top_k")


def wrong_with(body: Any) -> str:
    """The first thing that is wrong with a request; empty when nothing is."""
    return next(_wrong(body), "") if isinstance(body, dict) else "the body is not an object"


def _wrong(body: dict[str, Any]) -> Iterator[str]:
    for name in ("model", "max_tokens", "messages"):
        if not body.get(name):
            yield f"{name}: field required"
    for name in NOT_TAKEN:
        if name in body:
            yield f"{name}: not supported by this model"
    for tool in body.get("tools", []):
        schema = tool.get("input_schema", {})
        if schema.get("type") != "object" or any(word in schema for word in NOT_AT_THE_TOP):
            yield f"tools.{tool.get('name')}.input_schema: must be an object without oneOf, anyOf and allOf at the top level"
    choice = body.get("tool_choice", {})
    if choice.get("type") == "tool" and choice.get("name") not in [tool.get("name") for tool in body.get("tools", [])]:
        yield f"tool_choice: there is no tool {choice.get('name')!r}"
    if len(list(_breakpoints(body))) > MOST_BREAKPOINTS:
        yield f"at most {MOST_BREAKPOINTS} blocks may have cache_control"
    yield from _wrong_with_messages(body.get("messages", []))


def _wrong_with_messages(messages: list[dict[str, Any]]) -> Iterator[str]:
    if messages and messages[0].get("role") != "user":
        yield "messages: the first message must be the user's"
    if messages and messages[-1].get("role") != "user":
        yield "messages: this model takes no beginning of an answer"
    asked: set[str] = set()
    for number, message in enumerate(messages):
        blocks = message["content"] if isinstance(message["content"], list) else [{"type": "text", "text": message["content"]}]
        if not blocks or any(block["type"] == "text" and not block["text"].strip() for block in blocks):
            yield f"messages.{number}: text must not be empty"
        answered = {block["tool_use_id"] for block in blocks if block["type"] == "tool_result"}
        if answered != asked:
            yield f"messages.{number}: each tool_use needs its tool_result in the next message, and nothing else does"
        asked = {block["id"] for block in blocks if block["type"] == "tool_use"}


def _breakpoints(body: dict[str, Any]) -> Iterator[Any]:
    blocks = [*body.get("tools", []), *(body["system"] if isinstance(body.get("system"), list) else [])]
    for message in body.get("messages", []):
        blocks += message["content"] if isinstance(message["content"], list) else []
    yield from (block for block in blocks if isinstance(block, dict) and "cache_control" in block)
