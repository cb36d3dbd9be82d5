"""The tools of one turn: the guard judges each call, the history keeps it, and what changes something runs once.

A call that changes something is written down before it runs, while the turn is still current; what came of it is
written down even when the customer said more meanwhile. A process that dies in between leaves `running` in the form
state, and the next turn begins by finishing it under the same idempotency key.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import stamina
from channels.db import database_sync_to_async
from django.db import transaction
from django.db.models import Q
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from conversations.assistant import guard, wording
from conversations.assistant.brain import ToolResult
from conversations.assistant.guard import Verdict
from conversations.assistant.preparing import Prepared, standing_of
from conversations.assistant.recording import TurnRecord
from conversations.assistant.tools import TOOLS, search_knowledge
from conversations.assistant.tools.base import Tool, ToolContext, ToolOutcome
from conversations.assistant.tools.words import for_staff
from conversations.connectors.base import ConnectorError
from conversations.connectors.schedule import SlotTaken
from conversations.models import Entry, Interaction
from conversations.selectors.pace import tools_used
from conversations.selectors.reach import reach_of
from conversations.services import roll_out, timeline, turns
from conversations.services.action_items import By
from conversations.services.timeline import NewEntry

ATTEMPTS = 3
HIDDEN = "•••"
AFTER_WHICH_AGAIN = ("payment.promised", "record.changed", "link.sent", "callback.requested", "callback.changed", "callback.cancelled")
"""What makes the same call a new one: the customer wants once more what was otherwise meanwhile."""


class TurnTools:
    """The tool box that a brain gets.

    `did_something` says whether a call changed anything, so that it must be told, `is_busy` whether a call is running;
    `only_wanted` are the tools that would have changed something, had it not been for a draft; `found_nothing` says whether
    articles were looked for in vain, in these or in other words.
    """

    def __init__(self, prepared: Prepared, record: TurnRecord) -> None:
        self._prepared = prepared
        self._standing = prepared.standing
        self._record = record
        self.did_something = False
        self._is_counted = prepared.live
        self.is_busy = False
        self.only_wanted: list[str] = []
        self.found_nothing = False

    async def call(self, name: str, arguments: Mapping[str, Any]) -> ToolResult:
        """See `brain.ToolBox`. Raises turns.TurnLost, turns.TurnOvertaken and AssistantStopped before anything is changed."""
        began = time.monotonic()
        self.is_busy = True
        try:
            result = await database_sync_to_async(self._call, thread_sensitive=False)(name, dict(arguments))
        finally:
            self.is_busy = False
        self._record.note_call(
            name,
            _without_hidden(name, arguments),
            result=_without_hidden(name, result.result),
            error=result.error,
            seconds=time.monotonic() - began,
        )
        return result

    async def finish_running(self) -> ToolResult | None:
        """Runs to its end what an earlier worker began and did not finish; None when nothing of the kind is to be told here.

        What was begun for another line is finished for that one, and told to nobody on this one.
        """
        running = self._prepared.state.get("running")
        if not running or running.get("tool") not in TOOLS:
            return None
        return await database_sync_to_async(self._finish, thread_sensitive=False)(running)

    def _finish(self, running: Mapping[str, Any]) -> ToolResult | None:
        tool, arguments, key = TOOLS[running["tool"]], dict(running["arguments"]), str(running["key"])
        if running.get("line", self._prepared.interaction.pk) == self._prepared.interaction.pk:
            result = self._run_and_keep(tool, arguments, key)
            self._look_again()
            return result
        line = Interaction.objects.select_related("conversation", "entry_point").get(pk=running["line"])
        TurnTools(replace(self._prepared, interaction=line), self._record)._run_and_keep(tool, arguments, key)
        return None

    def _call(self, name: str, arguments: dict[str, Any]) -> ToolResult:
        tool = TOOLS.get(name)
        if tool is None:
            return ToolResult(name, error="no_such_tool", sentence=_("There is no such tool."))
        if not self._is_counted:
            # A live turn knows it already, by its pace; of drafts, only those that use tools pay for knowing it.
            self._standing = replace(self._standing, used=tools_used(self._prepared.conversation.pk))
            self._is_counted = True
        verdict = guard.judge(tool, arguments, self._standing)
        if not verdict.allowed:
            if tool.changes and verdict.code == "draft_only":
                self.only_wanted.append(name)
            self._keep(self._entry(tool, arguments, verdict=verdict, body=verdict.sentence))
            return ToolResult(name, error=verdict.code, sentence=verdict.sentence)
        self._standing = self._standing.with_use(name)
        if tool.changes:
            key = self._key(tool, arguments)
            self._begin(tool, arguments, key)
            result = self._run_and_keep(tool, arguments, key)
            self._look_again()
            return result
        try:
            if tool.live_only:
                with transaction.atomic():
                    turns.hold(self._prepared.claim)
            outcome = self._run(tool, arguments, "")
        except ConnectorError as problem:
            self._keep(self._entry(tool, arguments, body=problem.sentence, error=problem.code))
            return _failure(tool, problem)
        if tool.name == search_knowledge.TOOL.name:
            # In another language something alike is nearly always found: the brain says whether it is about what was asked.
            answered = any(not each["within"] for each in outcome.result["passages"])
            self.found_nothing |= not answered or not self._prepared.context.language.startswith("en")
        if tool.live_only:
            self._look_again()
        if tool.recorded:
            self._keep(self._entry(tool, arguments, body=outcome.sentence, result=outcome.result))
        return ToolResult(name, outcome.result, sentence=outcome.sentence)

    def _begin(self, tool: Tool, arguments: dict[str, Any], key: str) -> None:
        claim = self._prepared.claim
        with transaction.atomic():
            turns.hold(claim)
            roll_out.require_running()
            self._keep(self._entry(tool, arguments, body=tool.begun, key=key))
            line = self._prepared.interaction.pk
            running = {"tool": tool.name, "arguments": arguments, "key": key, "seq": claim.wanted_seq, "line": line}
            turns.note_state(claim, {"running": running})

    def _run_and_keep(self, tool: Tool, arguments: dict[str, Any], key: str) -> ToolResult:
        claim = self._prepared.claim
        try:
            outcome = self._run(tool, arguments, key)
        except ConnectorError as problem:
            with transaction.atomic():
                self._keep(self._entry(tool, arguments, body=problem.sentence, error=problem.code, key=key))
                turns.note_state(claim, {}, without="running")
            return _failure(tool, problem)
        self.did_something = True
        with transaction.atomic():
            for event in outcome.events:
                self._keep(
                    NewEntry(
                        kind=event.kind,
                        actor_kind="assistant",
                        actor_name=self._prepared.entry_point.company_name,
                        audience=event.audience,
                        body=str(event.sentence) if event.audience == "everyone" else for_staff(event.sentence),
                        data={**event.data, "idempotency_key": key},
                        interaction=self._prepared.interaction,
                        source_id=f"{event.kind}:{key}",
                    )
                )
            line = self._prepared.interaction.pk
            announce = {"tool": tool.name, "result": outcome.result, "seq": claim.wanted_seq, "line": line}
            turns.note_state(claim, {"announce": announce}, without="running")
        return ToolResult(tool.name, outcome.result, sentence=outcome.sentence)

    def _run(self, tool: Tool, arguments: dict[str, Any], key: str) -> ToolOutcome:
        context = ToolContext(
            conversation=self._prepared.conversation.public_id,
            interaction=self._prepared.interaction.pk,
            knowledge_check=self._standing.behaviour.knowledge_check,
            conversations=self._standing.story,
            company=self._prepared.entry_point.company_name,
            now=self._prepared.context.now,
            knowledge_threshold=self._prepared.context.behaviour.knowledge_threshold,
            visits=self._standing.visits,
            language=self._prepared.context.language.partition("-")[0],
            currency=wording.currency_of(self._prepared.context.language),
            names=self._standing.behaviour.names,
            level=self._standing.level,
            idempotency_key=key,
            links={link.code: link for link in self._standing.behaviour.links},
            facts=self._standing.facts,
            by=By("assistant", self._prepared.entry_point.company_name),
        )
        for attempt in stamina.retry_context(on=_passes, attempts=ATTEMPTS, wait_initial=0.05, wait_max=0.5):
            with attempt:
                return tool.run(context, arguments)
        raise AssertionError  # the last attempt returns or raises

    def _look_again(self) -> None:
        """What may have become different by what was done. Raises turns.TurnLost when the line goes on in another conversation."""
        line = Interaction.objects.select_related("conversation").get(pk=self._prepared.interaction.pk)
        if line.conversation_id != self._prepared.conversation.pk:
            # The turn is taken there, with what is known there; nothing of this conversation is the line's any more.
            raise turns.TurnLost
        self._standing = standing_of(self._standing, self._prepared.conversation, line, reach_of(line))

    def _key(self, tool: Tool, arguments: Mapping[str, Any]) -> str:
        """The same for the same call until something came of it."""
        conversation = self._prepared.conversation
        kinds = Q(kind__startswith="booking.") | Q(kind__startswith="consent.") | Q(kind__in=AFTER_WHICH_AGAIN)
        done = Entry.objects.filter(kinds, conversation=conversation).count()
        told = json.dumps(arguments, sort_keys=True)
        digest = hashlib.sha256(f"{tool.name}:{told}".encode()).hexdigest()[:24]
        return f"{conversation.public_id.hex}:{done}:{digest}"

    def _keep(self, entry: NewEntry) -> None:
        timeline.append(self._prepared.conversation.pk, entry)

    def _entry(
        self,
        tool: Tool,
        arguments: Mapping[str, Any],
        *,
        body: str | Promise,
        verdict: Verdict = guard.ALLOWED,
        result: Mapping[str, Any] | None = None,
        error: str = "",
        key: str = "",
    ) -> NewEntry:
        return NewEntry(
            kind="tool.called",
            actor_kind="assistant",
            actor_name=self._prepared.entry_point.company_name,
            audience="staff",
            body=for_staff(body),
            interaction=self._prepared.interaction,
            data={
                "tool": tool.name,
                "arguments": _without_hidden(tool.name, arguments),
                "result": _without_hidden(tool.name, result) if result else result,
                "allowed": verdict.allowed,
                "error": error or verdict.code,
                "idempotency_key": key,
            },
        )


def _without_hidden(tool: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments or a result without what the history does not keep."""
    hidden = TOOLS[tool].hidden if tool in TOOLS else frozenset()
    return {name: HIDDEN if name in hidden else value for name, value in values.items()}


def _passes(problem: Exception) -> bool:
    return isinstance(problem, ConnectorError) and not problem.permanent


def _failure(tool: Tool, problem: ConnectorError) -> ToolResult:
    slots = [{"start": slot.start.isoformat(), "end": slot.end.isoformat()} for slot in getattr(problem, "others", ())]
    result = {"slots": slots} if isinstance(problem, SlotTaken) else {}
    return ToolResult(tool.name, result, problem.code, problem.sentence)
