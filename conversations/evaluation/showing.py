"""How the results of scripted customers read: a line for each, totals for each channel."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from conversations.evaluation.running import Graded

NAME_WIDTH = 34
CHANNEL_WIDTH = 15


def line_of(graded: Graded) -> str:
    """One scenario on one channel."""
    verdict = "right" if graded.right else "WRONG"
    outside = "" if graded.scenario.within_playbook else " (outside the playbook)"
    why = f"  {'; '.join(graded.faults)}" if graded.faults else ""
    return f"{graded.scenario.name:<{NAME_WIDTH}} {graded.channel:<{CHANNEL_WIDTH}} {verdict:<6} {graded.seconds:5.1f} s{outside}{why}"


def totals(results: Sequence[Graded]) -> Iterator[str]:
    """The shares that ended right, by channel and in all, with a do-nothing agent's beside them, and what differs between channels."""
    counted = [each for each in results if each.scenario.within_playbook]
    channels = dict.fromkeys(each.channel for each in counted)
    yield f"{'':<{CHANNEL_WIDTH}} {'ended right':>16} {'do nothing':>16} {'asked again':>12} {'seconds':>8}"
    for channel in (*channels, ""):
        rows = [each for each in counted if channel in (each.channel, "")]
        nothing = sum(not each.faults_of_nothing for each in rows)
        right = sum(each.right for each in rows)
        seconds = sum(each.seconds for each in rows)
        yield (
            f"{channel or 'all':<{CHANNEL_WIDTH}} {_share(right, len(rows)):>16} {_share(nothing, len(rows)):>16}"
            f" {sum(each.reasked for each in rows):>12} {seconds:>8.1f}"
        )
    unequal = differing(counted)
    if len(channels) > 1:
        otherwise = f"Ended otherwise on the other channel: {', '.join(unequal)}."
        yield otherwise if unequal else "Every scenario ended the same on both channels."


def differing(results: Sequence[Graded]) -> list[str]:
    """The names of scenarios that ended right on one channel and not on the other."""
    verdicts: dict[str, set[bool]] = {}
    for each in results:
        verdicts.setdefault(each.scenario.name, set()).add(each.right)
    return [name for name, found in verdicts.items() if len(found) > 1]


def share_right(results: Sequence[Graded]) -> float:
    """The share of scenarios within the playbook that ended right, on any channel; 1 when there is none."""
    counted = [each for each in results if each.scenario.within_playbook]
    return sum(each.right for each in counted) / len(counted) if counted else 1.0


def as_json(results: Sequence[Graded]) -> list[dict[str, Any]]:
    """The results for a program."""
    return [
        {
            "scenario": each.scenario.name,
            "channel": each.channel,
            "within_playbook": each.scenario.within_playbook,
            "right": each.right,
            "faults": list(each.faults),
            "do_nothing_right": not each.faults_of_nothing,
            "asked_again": each.reasked,
            "seconds": each.seconds,
        }
        for each in results
    ]


def _share(part: int, whole: int) -> str:
    return f"{part} of {whole} {100 * part / whole:3.0f} %" if whole else "-"
