"""Replies that are suggested to a person pass the same checks as the AI agent's own, for the party that they would go to."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from zoneinfo import ZoneInfo

from django.utils import timezone

from conversations.assistant.brain import Behaviour, ToolResult
from conversations.assistant.outgoing.bounds import bounds_of, done_for
from conversations.assistant.outgoing.checks import refusal_of
from conversations.assistant.outgoing.sources import DAYS_AHEAD, Sources
from conversations.assistant.writing.base import MayLeave, Passage
from conversations.models import Conversation, Interaction
from conversations.selectors import access


def may_leave_on(conversation: Conversation, line: Interaction, behaviour: Behaviour | None, passages: Iterable[Passage]) -> MayLeave:
    """Judges replies that were written from these passages for the party of a line. Reads the record, so it is made in a thread."""
    level = access.proven_level(line)
    lines = list(access.lines_of_party(line).values_list("pk", flat=True))
    bounds, happened = bounds_of(conversation, line, lines, behaviour, level), done_for(conversation, lines, level)
    sources = Sources()
    sources.add([line.entry_point.company_name, *access.seen_by_party(line).values_list("body", flat=True)])
    for each in passages:
        sources.add_result(ToolResult("search_knowledge", {"title": each.title, "url": each.url, "text": each.text}))
    today = timezone.now().astimezone(ZoneInfo(line.entry_point.time_zone)).date()
    sources.add_days(today + timedelta(days=ahead) for ahead in range(DAYS_AHEAD))

    def judge(written: str) -> str:
        refusal = refusal_of(written, bounds, sources, happened)
        return f"{refusal.reason} {refusal.about}".strip() if refusal else ""

    return judge
