"""How far what a party may know of reaches, read once where several questions are asked about it one after the other."""

from __future__ import annotations

from dataclasses import dataclass

from conversations.models import Conversation, Interaction
from conversations.selectors import access, history


@dataclass(frozen=True, slots=True)
class Reach:
    """The numbers of a party's lines (`access.lines_of_party`), and the conversations that go on in its own, by their ids alone."""

    lines: tuple[int, ...]
    joined: tuple[Conversation, ...]


def reach_of(interaction: Interaction) -> Reach:
    """How far it reaches now, in two statements for a chat that nothing was joined with."""
    return Reach(access.numbers_of_lines(interaction), tuple(history.going_on_in(interaction.conversation_id)))
