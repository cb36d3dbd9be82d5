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
LONGEST_SUMMARY: Final = 900
MOST_TO_DO: Final = 6
ENDINGS: Final = {
    "booking.made": "booked", "booking.changed": "rescheduled", "booking.cancelled": "cancelled", "callback.requested": "callback_arranged",
}  # fmt: skip
"""The demo company's outcome that an event speaks for."""
TO_DO: Final = ("callback.requested", "action.added", "ticket.opened")
PUT_RIGHT: Final = re.compile(r"Put the details|Datos corregidos")
UPSET: Final = re.compile(
    r"\b(?:terrible|disgust\w+|angry|furious|awful|unacceptable|ridiculous|fed up|worst|useless|appalling|nobody (?:came|turned up)"
    r"|enfadad[oa]|fatal|inaceptable|vergüenza|horrible)\b",
    re.IGNORECASE,
)
GLAD: Final = re.compile(r"\b(?:thank(?:s| you)|great|perfect|lovely|gracias|perfecto|genial)\b", re.IGNORECASE)
Told = Mapping[str, Any]


def write(body: Mapping[str, Any], tool: str) -> Scene:
    """The call of the tool by which something is written for staff."""
    texts = "".join(block["text"] for message in body["messages"] for block in message["content"])
    told = {tag: json.loads(found) for tag, found in TAGGED.findall(texts)}
    schema: dict[str, Any] = next((each["input_schema"] for each in body.get("tools", []) if each["name"] == tool), {})
    told["outcomes"] = schema.get("properties", {}).get("outcome", {}).get("enum", [])
    return calls(Call(tool, WRITERS[tool](told)))


def _wrap_up(told: Told) -> dict[str, Any]:
    asked = [each for each in told["history"] if each.get("by") == "customer" and each["text"].rstrip().endswith("?")]
    last = next((each for each in reversed(told["history"]) if "by" in each), None)
    is_open = bool(asked) and last is asked[-1]
    ending = next((each for each in reversed(_events(told)) if each["event"] in ENDINGS and not PUT_RIGHT.match(each["text"])), None)
    outcome = ENDINGS[ending["event"]] if ending and ENDINGS[ending["event"]] in told["outcomes"] else NONE_FITS
    to_do = [each for each in _events(told) if each["event"] in TO_DO]
    moods = [_mood(each["text"]) for each in told["history"] if each.get("by") == "customer"] or [0.0]
    return {
        "summary": _summary(told)["summary"],
        "outcome": outcome,
        "because": ending["text"][:200] if ending and outcome != NONE_FITS else "Nothing was done that settles it.",
        "mood": {"start": moods[0], "end": moods[-1], "lowest": min(moods)},
        "action_items": [{"text": each["text"][:200], "seq": each["seq"]} for each in to_do[-MOST_TO_DO:]],
        "open_questions": [{"text": asked[-1]["text"][:200], "seq": asked[-1]["seq"]}] if is_open else [],
    }


def _summary(told: Told) -> dict[str, Any]:
    words = [each["text"] for each in told["history"] if each.get("by") == "customer"]
    if not words:
        return {"summary": "The customer said nothing."}
    done = [each["text"] for each in _events(told) if each["event"] in (*ENDINGS, *TO_DO, "handoff.requested")]
    first = next((text for text in words if len(text.split()) > 2), words[0])
    parts = [f"The customer came with: “{first[:200]}”.", *dict.fromkeys(done)]
    if not done:
        parts.append("Nothing was arranged.")
    return {"summary": " ".join(parts)[:LONGEST_SUMMARY]}


def _events(told: Told) -> list[dict[str, Any]]:
    return [each for each in told["history"] if "event" in each]


def _mood(text: str) -> float:
    """How somebody sounds, by a few words: enough to tell anger from thanks."""
    if UPSET.search(text):
        return -0.8
    return 0.6 if GLAD.search(text) else 0.0


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
