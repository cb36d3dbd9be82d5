"""What is wrong with where a scripted customer was left: an empty list when nothing is."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any, Final

import phonenumbers

from conversations.evaluation.outcome import EndState, HandedOver, Visit
from conversations.evaluation.scenario import Scenario, UnreadableScenario

WEEKDAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
PARTS: Final = {"morning": range(8, 12), "afternoon": range(12, 18)}


def faults(scenario: Scenario, end: EndState) -> list[str]:
    """A sentence for each thing that did not end as the scenario expects. Raises UnreadableScenario."""
    expect = scenario.expect
    found = [
        *_visit_faults(expect, end),
        *_handoff_faults(expect, end.handed_over),
        *_reasked_faults(expect, end),
    ]
    if not end.disclosed:
        found.append("not told that an AI answers")
    for name, look in _LOOKS.items():
        if name in expect:
            found += look(expect[name], end)
    return found


def _visit_faults(expect: Mapping[str, Any], end: EndState) -> list[str]:
    standing = [visit for visit in end.visits if not visit.cancelled]
    cancelled = sum(visit.cancelled for visit in end.visits)
    wanted = expect.get("booking")
    found = [] if cancelled == int(expect.get("cancelled", 0)) else [f"{cancelled} visits cancelled"]
    if end.moved != int(expect.get("moved", 0)):
        found.append(f"a visit moved {end.moved} times")
    if wanted is None:
        return [*found, *(["a visit was booked that nobody wanted"] if standing else [])]
    if len(standing) != 1:
        return [*found, f"{len(standing)} visits booked instead of one"]
    return [*found, *_differences(wanted, standing[0])]


def _differences(wanted: Mapping[str, Any], visit: Visit) -> list[str]:
    is_so: dict[str, Callable[[str], bool]] = {
        "service": lambda value: visit.service == value,
        "name": lambda value: visit.name == value,
        "phone": lambda value: visit.phone == _international(value),
        "postcode": lambda value: visit.postcode == value,
        "weekday": lambda value: WEEKDAYS[visit.start.weekday()] in value.split(),
        "part": lambda value: visit.start.hour in PARTS[value],
        "hour": lambda value: visit.start.hour == int(value),
    }
    if unknown := wanted.keys() - is_so.keys():
        raise UnreadableScenario(f"a booking has no {', '.join(sorted(unknown))}")
    return [f"the visit’s {name} is not {value} ({visit})" for name, value in wanted.items() if not is_so[name](str(value))]


def _reasked_faults(expect: Mapping[str, Any], end: EndState) -> list[str]:
    """Nothing is asked again but what a party that has proven nothing must tell itself: a stranger would be told it otherwise."""
    due = set(expect.get("asked_again", ()))
    again = [f"asked again for the {fact}" for fact in unexpected_again(expect, end)]
    return again + [f"built on the {fact} that another line told" for fact in sorted(due - set(end.reasked))]


def unexpected_again(expect: Mapping[str, Any], end: EndState) -> list[str]:
    """The facts that were asked again without need, one for each time."""
    left = Counter(end.reasked) - Counter(expect.get("asked_again", ()))
    return list(left.elements())


def _handoff_faults(expect: Mapping[str, Any], happened: tuple[HandedOver, ...]) -> list[str]:
    """A hand-over is due exactly when the scenario names one."""
    wanted = expect.get("handoff")
    if wanted is None:
        return [f"handed over without need ({each.queue}, {each.why})" for each in happened]
    if not happened:
        return ["not handed over"]
    last = happened[-1]
    there = {"queue": last.queue, "why": last.why, "handler": last.handler}
    return [f"handed over with {name} {there[name]} instead of {value}" for name, value in wanted.items() if there[name] != value]


def _reason(value: Any, end: EndState) -> list[str]:
    return [] if end.reason == value else [f"the reason is {end.reason or 'unknown'} instead of {value}"]


def _facts(value: Mapping[str, Any], end: EndState) -> list[str]:
    there = {name: _international(text) if name == "phone" else text for name, text in end.facts.items()}
    wanted = {name: _international(str(text)) if name == "phone" else str(text) for name, text in value.items()}
    return [f"{name} is {there.get(name, 'unknown')} instead of {text}" for name, text in wanted.items() if there.get(name) != text]


def _callback(value: Any, end: EndState) -> list[str]:
    return [] if end.callback_to == _international(str(value)) else [f"call back on {end.callback_to or 'no number'}"]


def _answers(value: list[str], end: EndState) -> list[str]:
    return [f"nothing said of “{each}”" for each in value if not any(re.search(each, said, re.IGNORECASE) for said in end.said)]


def _never(value: list[str], end: EndState) -> list[str]:
    return [f"said “{each}”" for each in value if any(re.search(each, said, re.IGNORECASE) for said in end.said)]


def _sources(value: list[str], end: EndState) -> list[str]:
    return [f"not from “{each}”" for each in value if each not in end.sources]


def _language(value: Any, end: EndState) -> list[str]:
    return [] if end.language == value else [f"answered in {end.language or 'no language'} instead of {value}"]


_LOOKS: Final[Mapping[str, Callable[[Any, EndState], list[str]]]] = {
    "reason": _reason,
    "facts": _facts,
    "callback": _callback,
    "answers": _answers,
    "never": _never,
    "sources": _sources,
    "language": _language,
}


def _international(number: str) -> str:
    try:
        return phonenumbers.format_number(phonenumbers.parse(number, "GB"), phonenumbers.PhoneNumberFormat.E164)
    except phonenumbers.NumberParseException:
        return number
