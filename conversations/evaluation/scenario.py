"""A scripted customer as it is written down: what they say, what they know when they are asked, and how it should end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

import yaml

FOLDER: Final = Path(__file__).parent.parent / "demo" / "content" / "scenarios"
CHANNELS: Final = ("chat", "phone")
STEPS: Final = frozenset({"say", "heard", "gives", "answers", "silence", "keys", "code", "line"})
EXPECTATIONS: Final = frozenset(
    {"booking", "moved", "cancelled", "reason", "facts", "handoff", "callback", "answers", "sources", "never", "language", "asked_again"}
)
KEYS: Final = frozenset(
    {"name", "tells", "says", "knows", "expect", "channels", "office", "calls_from", "within_playbook", "presses_for_language"}
)


class UnreadableScenario(ValueError):
    """A file that cannot be played; the message names the scenario and what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Heard:
    """One reading of what was said, and how sure the recogniser is of it."""

    text: str
    confidence: float


@dataclass(frozen=True, slots=True)
class Step:
    """One thing the customer does: says something, answers so many questions, is silent, presses keys, changes the line.

    `say` is typed as it is and said as a telephone would hear it, unless `heard` has the readings. `gives` are the facts
    that are told by it beside those that stand in it as the customer knows them. `answers` counts the questions to answer;
    None answers until nothing more is asked.
    """

    say: str = ""
    heard: tuple[Heard, ...] = ()
    gives: frozenset[str] = frozenset()
    answers: int | None = 0
    silence: bool = False
    keys: str = ""
    code: bool = False
    line: str = ""


@dataclass(frozen=True, slots=True)
class Scenario:
    """A customer. `knows` maps what may be asked to the answers, one for each time; `office` is open or closed.

    A caller who speaks another language presses the key that the greeting names for it, unless `presses_for_language` is off.
    `within_playbook` is off for what the AI agent has no means for: it is played and shown, and counts in no share.
    """

    name: str
    tells: str
    steps: tuple[Step, ...]
    knows: Mapping[str, tuple[str, ...]]
    expect: Mapping[str, Any]
    channels: tuple[str, ...] = CHANNELS
    office_open: bool = True
    calls_from: str = ""
    within_playbook: bool = True
    presses_for_language: bool = True
    crosses: bool = False


@cache
def scenarios() -> tuple[Scenario, ...]:
    """Every scenario of the folder, in the order of the files and in them. Raises UnreadableScenario."""
    found: list[Scenario] = []
    for path in sorted(FOLDER.glob("*.yaml")):
        found += [read(row) for row in yaml.safe_load(path.read_text(encoding="utf-8"))]
    names = [each.name for each in found]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice:
        raise UnreadableScenario(f"{twice}: there are two of this name")
    return tuple(found)


def read(row: Mapping[str, Any]) -> Scenario:
    """A scenario from its row. Raises UnreadableScenario."""
    name = str(row.get("name", "a scenario without a name"))
    expect = dict(row.get("expect") or {})
    unknown = (row.keys() - KEYS) | (expect.keys() - EXPECTATIONS)
    if unknown or not row.get("tells") or not row.get("says"):
        raise UnreadableScenario(f"{name}: {', '.join(sorted(unknown)) or 'it needs “tells” and “says”'}")
    steps = [_step(name, each) for each in row["says"]]
    if steps[-1].answers == 0:
        steps.append(Step(answers=None))
    knows = {str(fact): _answers(value) for fact, value in (row.get("knows") or {}).items()}
    crosses = any(each.line for each in steps)
    return Scenario(
        name=name,
        tells=str(row["tells"]),
        steps=tuple(steps),
        knows=knows,
        expect=expect,
        channels=("chat",) if crosses else tuple(row.get("channels", CHANNELS)),
        office_open=row.get("office", "open") == "open",
        calls_from=str(row.get("calls_from", "")),
        within_playbook=bool(row.get("within_playbook", True)),
        presses_for_language=bool(row.get("presses_for_language", True)),
        crosses=crosses,
    )


def _answers(value: Any) -> tuple[str, ...]:
    return tuple(map(str, value)) if isinstance(value, list) else (str(value),)


def _step(name: str, each: Any) -> Step:
    if isinstance(each, str):
        return Step(say=each)
    if not isinstance(each, dict) or each.keys() - STEPS:
        raise UnreadableScenario(f"{name}: {each!r} is nothing that a customer does")
    heard = tuple(Heard(str(text), float(confidence)) for text, confidence in each.get("heard", []))
    answers = each.get("answers", 0)
    return Step(
        say=str(each.get("say", heard[0].text if heard else "")),
        heard=heard,
        gives=frozenset(each.get("gives", ())),
        answers=None if answers == "all" else int(answers),
        silence=bool(each.get("silence")),
        keys=str(each.get("keys", "")),
        code=bool(each.get("code")),
        line=str(each.get("line", "")),
    )
