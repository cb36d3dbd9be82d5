"""Where the AI agent is with each party of a conversation, in the conversation's form state.

The form state is the place of the party that was answered last, whose line is `line`. The places of others wait `aside`, by the
line that they were answered on last, so that nobody goes on with what another party began, and nobody's own place is lost by it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from conversations.models import Interaction
from conversations.selectors.access import as_proven_as
from conversations.services.turns import OVER

OF_THE_TURN: Final = frozenset({"running", "announce"})
"""What is being done or was done and not told yet, for whichever line."""


def place_of(state: Mapping[str, Any], interaction: Interaction, lines: Sequence[int]) -> dict[str, Any]:
    """The place of a line's party, whose `lines` are these (`access.numbers_of_lines`), with what the turn itself has to finish."""
    own = _own_lines(state, interaction, lines)
    done = state.get("announce")
    is_told_here = not done or done.get("line") in (None, interaction.pk) or done["line"] in lines
    turns = {name: state[name] for name in OF_THE_TURN & state.keys() if name != "announce" or is_told_here}
    found = [_current(state)] if state.get("line") in (None, *own) else []
    found += [dict(state["aside"][line]) for line in state.get("aside", {}) if int(line) in own]
    asked = [each for each in found if each.get("step") not in OVER]
    return {**next(iter([*asked, *found]), {}), **turns}


def kept_aside(state: Mapping[str, Any], interaction: Interaction, lines: Sequence[int]) -> dict[str, Any]:
    """What is to be kept aside when a line's party, whose `lines` are these, has been answered: the places of all others."""
    own = _own_lines(state, interaction, lines)
    aside = {line: place for line, place in state.get("aside", {}).items() if int(line) not in own}
    if state.get("line") not in (None, *own) and (current := _current(state)):
        aside[str(state["line"])] = current
    return aside


def _own_lines(state: Mapping[str, Any], interaction: Interaction, lines: Sequence[int]) -> set[int]:
    """Those of the lines with a place that the party may go on with: its own, and as the proven customer those that have proven as much.

    What a line that has proven less says stays with that line: whoever shows a customer's number may be anybody.
    """
    others = {int(line) for line in [state.get("line") or interaction.pk, *state.get("aside", {})]} - {interaction.pk, *lines}
    return {interaction.pk, *lines, *(others & as_proven_as(interaction) if others else ())}


def _current(state: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in state.items() if name not in OF_THE_TURN and name not in ("aside", "line")}
