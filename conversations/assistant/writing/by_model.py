"""The writer that asks a language model. What it answers is held against what it was told; what cannot be used raises ModelFailed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import jsonschema
from django.conf import settings

from conversations.assistant import answers
from conversations.assistant.model.exchange import ModelFailed, Provider
from conversations.assistant.model.requests import Requests, Terms
from conversations.assistant.recording import TurnRecord
from conversations.assistant.writing import requests
from conversations.assistant.writing.base import Draft, Heard, MayLeave, Mood, Passage, Point, Suggested, WrapUp
from conversations.assistant.writing.endings import contradicted
from conversations.assistant.writing.extractive import PLACEHOLDER
from conversations.assistant.writing.judging import told_by, told_by_history
from conversations.assistant.writing.requests import Request
from conversations.services.redaction import mask

MOST_TOKENS: Final = 1500


class ModelWriter:
    """See `Writer`. `provider` runs the model."""

    name = "model"
    styles = tuple(requests.STYLES)

    def __init__(self, provider: Provider) -> None:
        self._provider = provider

    async def wrap_up(self, heard: Heard, record: TurnRecord) -> WrapUp:
        """See `Writer`."""
        written = await self._written(requests.wrap_up(heard), record, settings.WRAP_UP_TIMEOUT_SECONDS)
        found = WrapUp(
            summary=_plain(written["summary"]),
            outcome=_outcome(written, heard),
            mood=_mood(written["mood"], heard),
            action_items=_points(written["action_items"], heard),
            open_questions=_points(written["open_questions"], heard),
        )
        _must_stand(told_by_history(heard), found.summary, found.outcome.because, *(each.text for each in _all_points(found)))
        return found

    async def summary(self, heard: Heard, record: TurnRecord) -> str:
        """See `Writer`."""
        written = await self._written(requests.summary(heard), record, settings.COPILOT_TIMEOUT_SECONDS)
        return _summary(written, heard)

    async def reply(
        self, heard: Heard, question: str, passages: tuple[Passage, ...], may_leave: MayLeave, record: TurnRecord
    ) -> Draft | None:
        """See `Writer`."""
        written = await self._written(requests.reply(heard, question, passages), record, settings.COPILOT_TIMEOUT_SECONDS)
        return _draft(written, passages, may_leave)

    async def summary_and_reply(
        self, heard: Heard, seen: Heard, question: str, passages: tuple[Passage, ...], may_leave: MayLeave, record: TurnRecord
    ) -> tuple[str, Draft | None]:
        """See `Writer`: the model is told what the party has seen, so that the reply is written from nothing else."""
        asked = requests.summary_and_reply(seen, question, passages)
        written = await self._written(asked, record, settings.COPILOT_TIMEOUT_SECONDS)
        return _summary(written, heard), _draft(written, passages, may_leave)

    async def rewrite(self, text: str, style: str, known: Mapping[str, str], record: TurnRecord) -> str:
        """See `Writer`: placeholders stay as they are, for whoever fills them in."""
        if mask(text) != text:
            raise ModelFailed("held_back", "card")
        written = await self._written(requests.rewrite(text, style), record, settings.COPILOT_TIMEOUT_SECONDS)
        found = str(written["text"]).strip()
        if set(PLACEHOLDER.findall(found)) != set(PLACEHOLDER.findall(text)):
            raise ModelFailed("invented", "other placeholders")
        _must_stand(told_by([text]), found)
        return found

    async def _written(self, request: Request, record: TurnRecord, seconds: int) -> dict[str, Any]:
        """What the model gave the tool, in the form that was asked for."""
        name = request.tool["name"]
        record.request = {"tools": [name], "messages": request.messages}
        terms = Terms(settings.WRITING_MODEL, settings.WRITING_MODEL_EFFORT, float(seconds), MOST_TOKENS)
        asked = Requests(self._provider, terms, record)
        answered = await asked.answer(request.system, [request.tool], request.messages, must_call=name)
        call = answered.calls[0] if len(answered.calls) == 1 else None
        if call is None or call.name != name or call.arguments is None:
            raise ModelFailed("nonsense", "no call of the tool")
        found = dict(call.arguments)
        problem = next(jsonschema.Draft202012Validator(request.tool["input_schema"]).iter_errors(found), None)
        if problem:
            raise ModelFailed("nonsense", f"{problem.json_path}: {problem.validator}")
        return found


def _summary(written: Mapping[str, Any], heard: Heard) -> str:
    found = _plain(written["summary"])
    _must_stand(told_by_history(heard), found)
    return found


def _draft(written: Mapping[str, Any], passages: tuple[Passage, ...], may_leave: MayLeave) -> Draft | None:
    found = str(written["reply"]).strip()
    if not found:
        return None
    shown = {requests.name_of(number): each for number, each in enumerate(passages, 1)}
    if not set(written["sources"]) <= set(shown):
        raise ModelFailed("invented", "a source that was not given")
    used = [shown[name] for name in dict.fromkeys(written["sources"]) if answers.shares_words(shown[name].text, found)]
    if not used:
        raise ModelFailed("invented", "a reply without a source")
    _must_stand(may_leave, found)
    return Draft(found, tuple(dict.fromkeys((each.title, each.url) for each in used)))


def _outcome(written: Mapping[str, Any], heard: Heard) -> Suggested:
    code = str(written["outcome"])
    if code == requests.NONE_FITS:
        return Suggested()
    if contradicted(code, heard):
        raise ModelFailed("invented", "an outcome of which the record knows nothing")
    return Suggested(code, _plain(written["because"]))


def _mood(written: Mapping[str, Any], heard: Heard) -> Mood | None:
    """As it was judged, for a customer who said something."""
    if not any(each.by == "customer" and each.text.strip() for each in heard.said):
        return None
    start, end, lowest = (round(float(written[name]), 3) for name in ("start", "end", "lowest"))
    return Mood(start, end, min(start, end, lowest))


def _points(written: list[Mapping[str, Any]], heard: Heard) -> tuple[Point, ...]:
    given = {each.seq for each in heard.said} | {each.seq for each in heard.happened}
    found = tuple(Point(_plain(each["text"]), int(each["seq"])) for each in written)
    if any(each.seq not in given for each in found):
        raise ModelFailed("invented", "a line that was not given")
    return found


def _all_points(found: WrapUp) -> tuple[Point, ...]:
    return found.action_items + found.open_questions


def _must_stand(judge: MayLeave, *texts: str) -> None:
    for text in texts:
        why = judge(text)
        if why:
            raise ModelFailed("held_back", why)


def _plain(written: object) -> str:
    return mask(" ".join(str(written).split()))
