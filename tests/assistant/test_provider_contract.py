"""What is expected of the model's provider, tried on the stand-in, and on the real one when CONTRACT_ANTHROPIC_API_KEY holds a key."""

from __future__ import annotations

import json
import os
from typing import Any

import pytest

from conversations.assistant.claude import Claude
from conversations.assistant.model.exchange import Answered, Asked, ModelFailed
from conversations.assistant.stand_in.scenes import Call, calls, says
from conversations.assistant.stand_in.server import StandIn

REAL_KEY = os.environ.get("CONTRACT_ANTHROPIC_API_KEY", "")
CLOCK = {
    "name": "what_time_is_it",
    "description": "The time in a town.",
    "input_schema": {"type": "object", "properties": {"town": {"type": "string"}}, "required": ["town"]},
}


@pytest.fixture(params=["stand-in", pytest.param("real", marks=pytest.mark.skipif(not REAL_KEY, reason="no key of the real provider"))])
def stand_in(request: pytest.FixtureRequest, provider: StandIn, settings: Any) -> StandIn:
    """Whom `Claude` asks; with the real one, what the stand-in is told to play has no part in it."""
    is_real = request.param == "real"
    settings.ANTHROPIC_BASE_URL = "https://api.anthropic.com" if is_real else provider.url
    settings.ANTHROPIC_API_KEY = REAL_KEY if is_real else "stand-in"
    provider.play()
    return provider


def asked(messages: list[dict[str, Any]]) -> Asked:
    """A request."""
    system = [{"type": "text", "text": "Use the tool for the time. Otherwise answer with one word."}]
    return Asked("claude-haiku-5-5", "low", system, [CLOCK], messages, max_tokens=300, seconds=30.0, silence=20.0)


def said(words: str) -> dict[str, Any]:
    """What a customer says."""
    return {"role": "user", "content": [{"type": "text", "text": words}]}


async def whole(request: Asked) -> tuple[str, Answered]:
    """The words as they came, and the answer."""
    pieces = [piece async for piece in Claude().ask(request)]
    assert isinstance(pieces[-1], Answered)
    return "".join(piece for piece in pieces if isinstance(piece, str)), pieces[-1]


async def test_words_are_streamed_and_counted(stand_in: StandIn) -> None:
    """The pieces are the answer, and the tokens are told."""
    stand_in.play(says("Hello there, how are you today?"))
    words, answered = await whole(asked([said("Say hello.")]))
    assert words.strip() == answered.text != ""
    assert answered.stop == "end_turn"
    assert answered.usage.output > 0
    assert answered.usage.fresh + answered.usage.cache_read + answered.usage.cache_written > 0


async def test_a_tool_is_asked_for_and_its_result_is_taken(stand_in: StandIn) -> None:
    """The exchange goes on with one message that holds every result."""
    stand_in.play(calls(Call("what_time_is_it", {"town": "Harbor Bay"})), says("Noon."))
    first = [said("What time is it in Harbor Bay?")]
    _words, wanted = await whole(asked(first))
    assert wanted.stop == "tool_use"
    assert wanted.calls[0].name == "what_time_is_it"
    assert dict(wanted.calls[0].arguments or {}) == {"town": "Harbor Bay"}
    results = [{"type": "tool_result", "tool_use_id": call.id, "content": json.dumps("12:00")} for call in wanted.calls]
    _words, answered = await whole(asked([*first, {"role": "assistant", "content": wanted.content}, {"role": "user", "content": results}]))
    assert answered.text


@pytest.mark.parametrize(
    ("messages", "key", "kind"),
    [
        ([said("Hello."), {"role": "assistant", "content": [{"type": "text", "text": "Well"}]}], "", "bad_request"),
        ([said("Hello.")], "not-a-key", "refused_key"),
    ],
)
async def test_what_is_refused(stand_in: StandIn, settings: Any, messages: list[dict[str, Any]], key: str, kind: str) -> None:
    """The beginning of an answer and a key that is none are refused with words that the product knows."""
    settings.ANTHROPIC_API_KEY = key or settings.ANTHROPIC_API_KEY
    stand_in.accepts = "stand-in"
    try:
        with pytest.raises(ModelFailed) as refused:
            await whole(asked(messages))
    finally:
        stand_in.accepts = ""
    assert refused.value.kind == kind


async def test_an_answer_that_is_left_in_the_middle_is_closed(stand_in: StandIn) -> None:
    """Whoever stops listening leaves no request behind, and the next one works."""
    stand_in.play(says("One two three four five six seven eight nine ten " * 5, piece_seconds=0.01), says("Done."))
    pieces = Claude().ask(asked([said("Count to a hundred in words.")]))
    assert isinstance(await anext(pieces), str)
    await pieces.aclose()
    _words, answered = await whole(asked([said("Say done.")]))
    assert answered.text
