"""Scenes as the provider's stream of events."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from conversations.assistant.stand_in.scenes import Call, Scene, Text

CHARACTERS_A_TOKEN = 4
PIECE = 12
"""Characters of text in one event."""


@dataclass(frozen=True, slots=True)
class Counted:
    """The tokens of a request, by where they came from."""

    fresh: int
    read: int
    written: int

    def as_json(self, output: int) -> dict[str, int]:
        """The provider's words for them."""
        return {
            "input_tokens": self.fresh,
            "cache_read_input_tokens": self.read,
            "cache_creation_input_tokens": self.written,
            "output_tokens": output,
        }


def event(kind: str, **content: Any) -> bytes:
    """One event of the stream."""
    return f"event: {kind}\ndata: {json.dumps({'type': kind, **content})}\n\n".encode()


def error_body(word: str, request: str) -> dict[str, Any]:
    """What an error looks like, in a body and in a stream."""
    return {"type": "error", "error": {"type": word, "message": f"The stand-in was told to answer so: {word}."}, "request_id": request}


def events_of(scene: Scene, *, model: str, number: int, counted: Counted, pause: Callable[[], object]) -> Iterator[bytes]:
    """The events of an answer, each made when it is due; `pause` is called before each piece of its words."""
    message: dict[str, Any] = {
        "id": f"msg_standin{number:06d}",
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": counted.as_json(1),
    }
    yield event("message_start", message=message)
    yield event("ping")
    for index, block in enumerate(scene.blocks):
        yield from _block(index, block, number, pause)
    output = sum(len(each.words if isinstance(each, Text) else each.as_written) for each in scene.blocks) // CHARACTERS_A_TOKEN + 1
    yield event("message_delta", delta={"stop_reason": scene.stop, "stop_sequence": None}, usage={"output_tokens": output})
    yield event("message_stop")


def _block(index: int, block: Text | Call, number: int, pause: Callable[[], object]) -> Iterator[bytes]:
    if isinstance(block, Text):
        yield event("content_block_start", index=index, content_block={"type": "text", "text": ""})
        for at in range(0, len(block.words), PIECE):
            pause()
            delta = {"type": "text_delta", "text": block.words[at : at + PIECE]}
            yield event("content_block_delta", index=index, delta=delta)
    else:
        start = {"type": "tool_use", "id": f"toolu_{number:06d}_{index}", "name": block.tool, "input": {}}
        yield event("content_block_start", index=index, content_block=start)
        written = block.as_written
        for at in range(0, len(written), PIECE):
            delta = {"type": "input_json_delta", "partial_json": written[at : at + PIECE]}
            yield event("content_block_delta", index=index, delta=delta)
    yield event("content_block_stop", index=index)
