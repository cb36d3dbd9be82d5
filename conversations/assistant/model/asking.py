"""The tools as a model is shown them, and the one tool that is no tool: saying what a reply asks for."""

from __future__ import annotations

from typing import Any, Final

from conversations.assistant.brain import Behaviour
from conversations.assistant.tools import ALWAYS_THERE, COMES_WITH, TOOLS, hand_off
from conversations.assistant.tools.base import arguments_schema
from conversations.services.facts import FACT_LABELS

ASK: Final = "ask_customer"
HAND_OFF: Final = hand_off.TOOL.name
MOST_OPTIONS: Final = 5
NOT_AT_THE_TOP: Final = frozenset({"oneOf", "anyOf", "allOf"})
"""What a provider does not take at the top of a schema; the guard checks it all the same."""


def tools_of(behaviour: Behaviour) -> list[dict[str, Any]]:
    """Every tool that the playbook allows, in an order that never changes, so that what stands before the words is the same each time."""
    named = behaviour.tools | ALWAYS_THERE
    allowed = sorted(name for name in TOOLS if name in named or COMES_WITH.get(name) in named)
    shown = [
        {"name": name, "description": TOOLS[name].description, "input_schema": _schema(TOOLS[name].schema)} for name in allowed
    ]
    return [*shown, _ask()]


def _schema(schema: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in schema.items() if key not in NOT_AT_THE_TOP}


def _ask() -> dict[str, Any]:
    return {
        "name": ASK,
        "description": (
            "Says what your reply asks for. Call it in the same message as the words of the reply, whenever they end in a question or offer"
            " choices; nothing comes back from it that you need. Name one fact at most."
        ),
        "input_schema": arguments_schema(
            [],
            fact={"type": "string", "enum": sorted(FACT_LABELS), "description": "The fact that the reply asks for, if it asks for one."},
            options={
                "type": "array",
                "items": {"type": "string", "minLength": 1, "maxLength": 80},
                "maxItems": MOST_OPTIONS,
                "description": "Short answers to choose from, in the customer's language.",
            },
            unclear={"type": "boolean", "description": "True when you did not understand what the customer wants."},
        ),
    }
