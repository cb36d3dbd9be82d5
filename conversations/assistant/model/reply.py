"""From what a model wrote and what its tools found to the reply of the turn, in the same state of the dialogue as by rules."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from conversations.assistant import answers, wording
from conversations.assistant.brain import TURNS_OWN, AskedField, QuickReply, Reply, Source, ToolResult, TurnContext
from conversations.assistant.model.asking import MOST_OPTIONS
from conversations.assistant.tools import book, cancel, correct, find_slots, reschedule, search_knowledge, verify_identity
from conversations.services.facts import FACT_LABELS

BOOKS: Final = frozenset({book.TOOL.name, reschedule.TOOL.name, cancel.TOOL.name, correct.TOOL.name})
MOST_SOURCES: Final = 2
MOST_OFFERED: Final = 5
WHEN: Final = frozenset({"date", "time_window"})


@dataclass(slots=True)
class Findings:
    """What the tools of one turn came to. `references` are those of visits that were booked or changed and must be told."""

    asks: dict[str, Any] = field(default_factory=dict)
    handed_off: str = ""
    references: list[str] = field(default_factory=list)
    slots: list[Mapping[str, Any]] = field(default_factory=list)
    passages: list[Mapping[str, Any]] = field(default_factory=list)
    code_sent_to: str = ""
    is_proven: bool = False

    def note(self, result: ToolResult) -> None:
        """Takes in what one call came to."""
        if result.tool == find_slots.TOOL.name or result.error == "slot_taken":
            self.slots = list(result.result.get("slots", []))
        elif not result.worked:
            return
        elif result.tool in BOOKS:
            self.slots = []
            self.references.append(str(result.result["reference"]))
        elif result.tool == search_knowledge.TOOL.name:
            self.passages += result.result.get("passages", [])
        elif result.tool == verify_identity.TOOL.name:
            self.code_sent_to = str(result.result.get("to", ""))
            self.is_proven = bool(result.result.get("right"))

    def state(self, context: TurnContext) -> dict[str, Any]:
        """Where the dialogue stands, in the words of the rules, so that they can go on from here."""
        before = {name: value for name, value in context.form_state.items() if name not in TURNS_OWN}
        if self.references:
            return {"step": "done", "reference": self.references[-1]}
        if self.code_sent_to:
            return {"action": "identify", "purpose": "account", "step": "code", "to": self.code_sent_to}
        return {} if self.is_proven and before.get("action") == "identify" else before


def reply_of(context: TurnContext, found: Findings, text: str) -> Reply:
    """The reply, with its sources and what it asks for."""
    state = found.state(context)
    fact = str(found.asks.get("fact") or "")
    options = [str(each)[:80] for each in found.asks.get("options") or []][:MOST_OPTIONS]
    offered = _offered(context, found) if found.slots and not found.references else []
    booking = context.behaviour.form_for_tool(book.TOOL.name)
    if offered and booking:
        state = {**state, "form": booking.code, "step": "choose", "offered": offered, "asked": "time_window"}
        options = options or [slot["label"] for slot in offered]
    elif fact in FACT_LABELS:
        form = _form_asking(context, state, fact)
        state = {**state, **({"form": form} if form else {}), "step": "collect", "asked": fact}
        state.pop("offered", None)
    elif not state.get("action"):
        state.pop("asked", None)
    return Reply(
        text,
        quick_replies=tuple(QuickReply(each, each) for each in options),
        sources=_sources(found, text),
        asks=AskedField(fact, str(FACT_LABELS[fact])) if fact in FACT_LABELS else None,
        form_state=state,
        failed=bool(found.asks.get("unclear")),
        # That articles were looked for in vain is known to the tool box; here, that nothing else came of the turn either.
        unanswered=not (found.passages or found.references or found.slots or fact),
    )


def _offered(context: TurnContext, found: Findings) -> list[dict[str, Any]]:
    return [
        {
            "start": slot["start"],
            "end": slot["end"],
            "label": wording.window(datetime.fromisoformat(slot["start"]), datetime.fromisoformat(slot["end"]), context.now, plain=True),
        }
        for slot in found.slots[:MOST_OFFERED]
    ]


def _form_asking(context: TurnContext, state: Mapping[str, Any], fact: str) -> str:
    """The form that is being filled, or the one for the reason, when it asks for this fact."""
    current = context.behaviour.form(str(state.get("form", ""))) if state.get("step") != "done" else None
    form = current or (context.behaviour.form_for_reason(context.reason.code) if context.reason else None)
    return form.code if form and any(each.fact == fact for each in form.fields) else ""


def _sources(found: Findings, text: str) -> tuple[Source, ...]:
    """The articles whose words are in the reply, those that fitted the question best first."""
    used = [Source(each["title"], each["url"]) for each in found.passages if answers.shares_words(str(each["text"]), text)]
    return tuple(dict.fromkeys(used))[:MOST_SOURCES]
