"""The AI agent's tools in the hands of people: in a conversation of theirs, with themselves as the actor, each effect once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final
from zoneinfo import ZoneInfo

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from conversations.assistant import guard, wording
from conversations.assistant.playbooks import links_of
from conversations.assistant.tools import TOOLS, hand_off, send_chat_link, send_link, set_consent, verify_identity
from conversations.assistant.tools.base import Link, Tool, ToolContext, ToolOutcome
from conversations.connectors.base import ConnectorError
from conversations.connectors.registry import schedule
from conversations.connectors.schedule import VisitsOfConversations
from conversations.flows import outbound
from conversations.flows.outbound import NoLine
from conversations.models import ActionItem, Conversation, Entry, EntryPoint, Interaction, Playbook
from conversations.services import action_items, call_state, chat_links, facts, timeline
from conversations.services.action_items import By
from conversations.services.timeline import NewEntry
from routing.models import AgentProfile

HAVE_THEIR_OWN_DIALOG: Final = frozenset({verify_identity.TOOL.name, hand_off.TOOL.name, set_consent.TOOL.name})
"""What people do in dialogs that ask for more than a brain does."""
MOST_CONVERSATIONS: Final = 20


class NotDone(Exception):
    """The tool did nothing; the message says why, and what is free or left where that helps."""


@dataclass(frozen=True, slots=True)
class Used:
    """What a tool answered: a sentence and plain JSON. `repeated` when this very call had been made before."""

    tool: Tool
    sentence: str
    result: Mapping[str, Any]
    repeated: bool = False


def offered(conversation: Conversation, agent: AgentProfile) -> list[Tool]:
    """The tools that an agent may use in a conversation now. Raises outbound.NotYours and NoLine."""
    context = context_of(conversation, agent)
    return [tool for tool in TOOLS.values() if _is_there(tool, conversation, context)]


def tool_for(conversation: Conversation, agent: AgentProfile, name: str) -> tuple[Tool, ToolContext]:
    """One of the tools that are offered, and for whom it runs. Raises KeyError, outbound.NotYours and NoLine."""
    context = context_of(conversation, agent)
    tool = TOOLS[name]
    if not _is_there(tool, conversation, context):
        raise KeyError(name)
    return tool, context


def use(
    conversation: Conversation, agent: AgentProfile, name: str, arguments: Mapping[str, Any], *, client_id: str
) -> Used:
    """Runs a tool for the conversation's customer; the same `client_id` again changes nothing more.

    Must not run in a transaction: tools speak to other systems. The call stands in the history, with who made it. Raises
    outbound.NotYours and NoLine, KeyError for a tool that is not offered, NotDone.
    """
    tool, context = tool_for(conversation, agent, name)
    key = f"agent:{conversation.public_id.hex}:{agent.pk}:{client_id}:{name}" if tool.changes else ""
    earlier = Entry.objects.filter(source_id=f"tool.called:{key}").first() if key else None
    if earlier is not None:
        return Used(tool, earlier.body, earlier.data["result"], repeated=True)
    verdict = guard.judge_for_agent(tool, arguments, context)
    if not verdict.allowed:
        raise NotDone(verdict.sentence)
    try:
        outcome = tool.run(replace(context, idempotency_key=key), arguments)
    except ConnectorError as problem:
        raise NotDone(_with_others(problem, context)) from problem
    line = Interaction.objects.get(pk=context.interaction)
    place = line.conversation_id
    with transaction.atomic():
        for event in outcome.events:
            timeline.append(
                place,
                NewEntry(
                    kind=event.kind,
                    actor_kind="agent",
                    actor_name=agent.display_name,
                    audience=event.audience,
                    body=event.sentence,
                    data={**event.data, "idempotency_key": key},
                    interaction=line,
                    source_id=f"{event.kind}:{key}",
                ),
            )
        timeline.append(
            place,
            NewEntry(
                kind="tool.called",
                actor_kind="agent",
                actor_name=agent.display_name,
                audience="staff",
                body=outcome.sentence,
                interaction=line,
                data={
                    "tool": tool.name,
                    "arguments": _kept(tool, arguments),
                    "result": _kept(tool, outcome.result),
                    "allowed": True,
                    "error": "",
                    "idempotency_key": key,
                    **({"told": True} if _is_told(place, outcome, key) else {}),
                },
                source_id=f"tool.called:{key}" if key else None,
            ),
        )
    return Used(tool, outcome.sentence, outcome.result)


def _is_told(conversation_id: int, outcome: ToolOutcome, key: str) -> bool:
    """Whether the history tells of a call by what it did, so that the call need not be read beside it."""
    if outcome.events or not key:
        return bool(outcome.events)
    return Entry.objects.filter(conversation=conversation_id, source_id__endswith=key).exists()


def finish_item(item: ActionItem, agent: AgentProfile) -> bool:
    """An agent has done something that was to be done; says whether this call marked it."""
    return action_items.finish(item, by=By("agent", agent.display_name))


def context_of(conversation: Conversation, agent: AgentProfile) -> ToolContext:
    """For whom tools run when an agent uses them: the customer's whole record, on the line that is spoken on.

    Raises outbound.NotYours, and NoLine before there was any line.
    """
    with transaction.atomic():
        row = outbound.require_owner(conversation, agent)
    line = outbound.line_spoken_on(row) or row.interactions.order_by("-pk").first()
    if line is None:
        raise NoLine(_("There has been no contact in this conversation yet."))
    door = line.entry_point
    now = timezone.now().astimezone(ZoneInfo(door.time_zone))
    latest = Conversation.objects.filter(customer=row.customer_id).exclude(pk=row.pk).order_by("-pk")
    story = (row.public_id, *latest.values_list("public_id", flat=True)[:MOST_CONVERSATIONS])
    visits = schedule().visits_of_conversations(VisitsOfConversations(story, now))
    return ToolContext(
        conversation=row.public_id,
        interaction=line.pk,
        conversations=story,
        knowledge_check=(),
        company=door.company_name,
        now=now,
        knowledge_threshold=_threshold(door),
        visits=frozenset(visit.reference for visit in visits),
        links=_links(door),
        facts={name: str(fact.value) for name, fact in facts.known(row).items()},
        by=By("agent", agent.display_name),
        currency=wording.currency_of(door.language if "-" in door.language else f"{door.language}-{door.default_region}"),
    )


def _is_there(tool: Tool, conversation: Conversation, context: ToolContext) -> bool:
    if tool.name in HAVE_THEIR_OWN_DIALOG:
        return False
    if tool.name in guard.CHANGES_A_VISIT:
        return bool(context.visits)
    if tool.name == send_link.TOOL.name:
        return bool(context.links)
    if tool.name == send_chat_link.TOOL.name:
        call = outbound.live_call(conversation)
        return call is not None and not call_state.waits_for_code(call) and chat_links.may_send(call)
    return True


def _links(door: EntryPoint) -> dict[str, Link]:
    try:
        return {link.code: link for link in links_of(door.playbook)}
    except Playbook.DoesNotExist:
        return {}


def _threshold(door: EntryPoint) -> float:
    try:
        return door.playbook.knowledge_threshold
    except Playbook.DoesNotExist:
        return 0.0


def _kept(tool: Tool, values: Mapping[str, Any]) -> dict[str, Any]:
    """Without what the history does not keep."""
    return {name: "•••" if name in tool.hidden else value for name, value in values.items()}


def _with_others(problem: ConnectorError, context: ToolContext) -> str:
    """Why it was not done, with the windows that are free instead where the scheduler names some."""
    others = [f"{slot.start.astimezone(context.now.tzinfo):%a %d %b, %H:%M}" for slot in getattr(problem, "others", ())]
    return f"{problem.sentence} {_('Free: %(times)s.') % {'times': '; '.join(others)}}" if others else problem.sentence
