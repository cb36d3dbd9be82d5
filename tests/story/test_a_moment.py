"""Callers who fetch a paper: the line is kept for them as long as that takes, and prompts begin only afterwards."""

from __future__ import annotations

from typing import Any

import pytest

from tests.voice.platform import Caller, post_async, words_of

STILL_HERE = "Take your time, I am still here."


async def heard(caller: Caller, given: dict[str, Any]) -> list[dict[str, Any]]:
    return list((await post_async("/voice/input/", given)).json())


@pytest.mark.parametrize("words", ["hold on a moment please", "one moment", "let me just find the order number"])
async def test_who_asks_for_a_moment_is_given_some(transactional_db: None, words: str) -> None:
    caller = Caller(number="447700900123")
    await post_async("/voice/answer/", caller.answer())
    assert "take your time" in words_of(await heard(caller, caller.said(words)))
    waited = [await heard(caller, caller.silent()) for _each in range(6)]
    assert {words_of(ncco) for ncco in waited} == {STILL_HERE}
    assert {ncco[1]["action"] for ncco in waited} == {"stream"}, "music, of about half a minute each time"
    assert "I did not hear anything" in words_of(await heard(caller, caller.silent()))


async def test_words_end_the_moment(transactional_db: None) -> None:
    caller = Caller(number="447700900123")
    await post_async("/voice/answer/", caller.answer())
    await heard(caller, caller.said("hold on a moment please"))
    assert words_of(await heard(caller, caller.silent())) == STILL_HERE
    await heard(caller, caller.said("I need a boiler service"))
    assert STILL_HERE not in words_of(await heard(caller, caller.silent()))
