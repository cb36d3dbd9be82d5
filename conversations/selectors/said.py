"""What each line of a conversation has said of facts, and how sure it is who said it: for the people who work on it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import Q

from conversations.models import Conversation, Entry
from conversations.models.identifier import ASSURANCE_RANK
from conversations.selectors import access, history


@dataclass(frozen=True, slots=True)
class Learned:
    """An entry that taught a fact, and how well its line has proven by now to be the customer."""

    entry: Entry
    level: str

    @property
    def assurance(self) -> str:
        """How sure it is who said it."""
        line = self.entry.interaction
        return access.assurance_with(line, self.level) if line else str(self.entry.data["assurance"])


@dataclass(frozen=True, slots=True)
class Said:
    """A fact as one line last said it, where that stands in the history, and whether it is the one that counts for people.

    `by_staff` says that a person of the company put it down.
    """

    name: str
    value: Any
    seq: int
    assurance: str
    channel: str
    counts: bool
    by_staff: bool = False


def learned_in(conversation_id: int) -> list[Learned]:
    """Every entry that taught a conversation a fact; of each fact the one that counts comes last.

    First counts what the better proven line said, then what was said in the conversation rather than in one that was joined
    into it, then what was said later.
    """
    joined = {each.pk for each in history.going_on_in(conversation_id)}
    here = {conversation_id, *joined}
    entries = Entry.objects.filter(kind="fact.learned", data__has_key="value").filter(
        Q(interaction__conversation__in=here) | Q(interaction__isnull=True, conversation__in=here)
    )
    rows = list(entries.select_related("interaction").order_by("recorded_at", "pk"))
    levels = access.levels_of(conversation_id) if rows else {}
    rows.sort(key=lambda each: (weight(levels, each.interaction_id), each.conversation_id not in joined))
    return [Learned(each, levels.get(each.interaction_id or 0, "")) for each in rows]


def weight(levels: Mapping[int, str], line: int | None) -> int:
    """How much the word of a line counts, by what is proven on it (`access.levels_of`)."""
    return ASSURANCE_RANK[levels.get(line or 0, "claimed")]


def said_in(conversation: Conversation) -> list[Said]:
    """What the lines of a conversation last said of each fact: the one that counts, and then what others say differently."""
    last: dict[tuple[str, int | None], Learned] = {}
    for each in learned_in(conversation.pk) if conversation.facts else ():
        key = (str(each.entry.data["name"]), each.entry.interaction_id)
        last.pop(key, None)
        last[key] = each
    found: dict[str, list[Said]] = {}
    for (name, _line), each in reversed(last.items()):
        others = found.setdefault(name, [])
        if all(each.entry.data["value"] != other.value for other in others):
            others.append(_said(name, each, counts=not others))
    return [each for facts in sorted(found.values(), key=lambda facts: facts[0].seq) for each in facts]


def _said(name: str, learned: Learned, *, counts: bool) -> Said:
    entry = learned.entry
    channel = entry.interaction.channel if entry.interaction else ""
    return Said(name, entry.data["value"], entry.seq, learned.assurance, channel, counts, entry.actor_kind == Entry.Actor.AGENT)
