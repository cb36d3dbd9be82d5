"""What the stand-in writes without a script when it is asked to write for staff: it reads the request as `writing.requests` makes it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from conversations.assistant.stand_in.scenes import Call, Scene, calls

TAGGED: Final = re.compile(r"<(history|passages|question|style|text|about)>(.*?)</\1>", re.DOTALL)
SENTENCE_END: Final = re.compile(r"(?<=[.!?])\s+")
NONE_FITS: Final = "none_fits"
Told = Mapping[str, Any]


def write(body: Mapping[str, Any], tool: str) -> Scene:
    """The call of the tool by which something is written for staff."""
    texts = "".join(block["text"] for message in body["messages"] for block in message["content"])
    told = {tag: json.loads(found) for tag, found in TAGGED.findall(texts)}
    return calls(Call(tool, WRITERS[tool](told)))


def _wrap_up(told: Told) -> dict[str, Any]:
    events = [each["event"] for each in told["history"] if "event" in each]
    asked = [each for each in told["history"] if each.get("by") == "customer" and each["text"].rstrip().endswith("?")]
    last = next((each for each in reversed(told["history"]) if "by" in each), None)
    is_open = bool(asked) and last is asked[-1]
    return {
        "summary": _summary(told)["summary"],
        "outcome": NONE_FITS,
        "because": f"{len(events)} events.",
        "mood": {"start": 0, "end": 0, "lowest": 0},
        "action_items": [],
        "open_questions": [{"text": asked[-1]["text"][:200], "seq": asked[-1]["seq"]}] if is_open else [],
    }


def _summary(told: Told) -> dict[str, Any]:
    words = [each["text"] for each in told["history"] if each.get("by") == "customer"]
    return {"summary": f"The customer said: “{words[0][:200]}”" if words else "The customer said nothing."}


def _reply(told: Told) -> dict[str, Any]:
    first = told["passages"][0]
    plain = " ".join(re.sub(r"(?m)^#+.*$|[*_`>#]", "", first["text"]).split())
    return {"reply": " ".join(SENTENCE_END.split(plain)[:2]), "sources": [first["id"]]}


def _again(told: Told) -> dict[str, Any]:
    text = str(told["text"])
    return {"text": SENTENCE_END.split(text.strip())[0] if told["style"].startswith("shorter") else text}


WRITERS: Final[Mapping[str, Callable[[Told], dict[str, Any]]]] = {
    "write_wrap_up": _wrap_up,
    "write_summary": _summary,
    "suggest_reply": _reply,
    "help_a_colleague": lambda told: {**_summary(told), **_reply(told)},
    "write_again": _again,
}
"""By the tool that it has to call."""
