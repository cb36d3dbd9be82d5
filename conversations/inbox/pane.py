"""What the panes of one conversation are made of: the history's pages and what stands around it."""

from typing import Any

from django.utils.translation import gettext as _

from conversations.flows import calling_customers
from conversations.flows.outbound import lines_spoken_on, lines_to_customer, live_call
from conversations.inbox.call_panel import panel_of
from conversations.inbox.forms import SpokenLine
from conversations.inbox.placeholders import PLACEHOLDERS
from conversations.models import Conversation, Entry, Identifier, Interaction
from conversations.models.consent import Purpose, Way
from conversations.models.identifier import Assurance
from conversations.reading import entries as reading
from conversations.selectors import access, history, inbox, naming
from conversations.services import call_state, chat_links, consent_texts, facts
from routing.models import AgentProfile

PAGE = 60
MOST_AT_ONCE = 200
PLACES = (Identifier.Kind.PHONE, Identifier.Kind.EMAIL)


def whole(conversation: Conversation, agent: AgentProfile | None, *, may_supervise: bool = False) -> dict[str, Any]:
    """Everything of the middle pane as it is opened: the newest page and its surroundings."""
    own = history.latest(conversation.pk, limit=PAGE)
    return {
        **surroundings(conversation, agent, may_supervise=may_supervise),
        "placeholders": list(PLACEHOLDERS),
        "items": _read(inbox.woven(conversation, own), conversation),
        "first_seq": own[0].seq if own else 1,
        "upto": own[-1].seq if own else 0,
    }


def older(conversation: Conversation, before: int) -> dict[str, Any]:
    """The page before a seq."""
    own = history.entries(conversation.pk, before=before, limit=PAGE)
    return {
        "conversation": conversation,
        "items": _read(inbox.woven(conversation, own, before=before), conversation),
        "first_seq": own[0].seq if own else 1,
    }


def newer(conversation: Conversation, after: int) -> dict[str, Any]:
    """What came after a seq, with the entry before it as the one to follow on from."""
    fetched = history.entries(conversation.pk, after=max(0, after - 1), limit=MOST_AT_ONCE)
    previous = fetched[0] if fetched and fetched[0].seq <= after else None
    fresh = [entry for entry in fetched if entry.seq > after]
    return {
        "items": _read(fresh, conversation, previous),
        "upto": fresh[-1].seq if fresh else after,
    }


def surroundings(conversation: Conversation, agent: AgentProfile | None, *, may_supervise: bool = False) -> dict[str, Any]:
    """Who has the conversation, what the reader may do with it, where a reply goes, the package not yet answered."""
    work = inbox.live_work(conversation)
    mine = agent is not None and conversation.owner_agent_id == agent.pk
    is_open = conversation.status == Conversation.Status.OPEN and conversation.joined_into_id is None
    lines = lines_to_customer(conversation)
    call = live_call(conversation)
    return {
        "conversation": conversation,
        "calls_by": naming.name_of(conversation.customer),
        "agent": agent,
        "work": work,
        "offer": inbox.pending_offer(work, agent),
        "wrap_up": inbox.wrap_up(work) if mine else None,
        "mine": mine,
        "is_open": is_open,
        "can_say": mine and is_open and bool(lines),
        "can_take_over": agent is not None and is_open and conversation.owner_agent_id is None,
        "live_call": call,
        "panel": panel_of(conversation, call, agent, may_supervise=may_supervise),
        "recording": call_state.recording_of(call) if call else "",
        "number_to_call": _number_to_call(conversation) if mine and is_open and call is None else "",
        "is_call_back": mine and is_open and call is None and calling_customers.is_call_back(conversation),
        "is_ringing": call is not None and call_state.is_ringing_out(call),
        "can_text_link": mine and is_open and call is not None and not call_state.waits_for_code(call) and chat_links.may_send(call),
        "parties": spoken_lines(conversation),
        "lines": [(line.public_id, say_label(line)) for line in lines],
        "say_label": say_label(lines[0] if lines else None),
        "say_hint": _say_hint(conversation, lines, mine=mine, is_open=is_open),
        "package": inbox.unanswered_package(conversation),
    }


def _number_to_call(conversation: Conversation) -> str:
    number = calling_customers.number_to_call(conversation)
    return facts.phone(number) if number else ""


def say_label(line: Interaction | None) -> str:
    """What pressing the button will do, written on it."""
    if line is None or line.channel == "chat":
        return _("Send to web chat")
    if line.channel == "sms":
        return _("Send text message")
    return _("Say on the call") if line.state != Interaction.State.ENDED else _("Keep for the next contact")


def spoken_lines(conversation: Conversation) -> list[SpokenLine]:
    """The lines to the customer, each with how sure its own party is known, the one that is spoken on first."""
    found = []
    for line in lines_spoken_on(conversation):
        assurance = access.assurance_of(line)
        label = f"{line.get_channel_display()} · {Assurance(assurance).label}"
        found.append(SpokenLine(str(line.public_id), label, assurance, line))
    return found


def scopes_of(conversation: Conversation, purpose: str) -> list[tuple[str, str]]:
    """What a yes or no about a purpose can be for, as choices of a form: everything, one way, one number or address.

    A value is `way kind value`, each part possibly empty.
    """
    ways = [(f"{way}  ", consent_texts.scope(way, "", "")) for way in Way if way != Way.CHAT] if purpose == Purpose.MARKETING else []
    kinds = (Identifier.Kind.PHONE,) if purpose in (Purpose.OUTBOUND_CALL, Purpose.SMS, Purpose.RECORDING) else PLACES
    known = conversation.customer.identifiers.filter(kind__in=kinds).order_by("-kind", "value").values_list("kind", "value")
    places = [(f" {kind} {value}", consent_texts.scope("", kind, value)) for kind, value in dict.fromkeys(known)]
    return [("  ", _("anything")), *ways, *places]


def _read(entries: list[Entry], conversation: Conversation, previous: Entry | None = None) -> list[reading.Item]:
    name = conversation.customer.name
    return reading.items(entries, conversation_id=conversation.pk, customer_name=name, previous=previous)


def _say_hint(conversation: Conversation, lines: list[Interaction], *, mine: bool, is_open: bool) -> str:
    """Why one cannot answer, or what is special about where the answer goes; empty when there is nothing to say."""
    if not is_open:
        return _("This conversation is closed. You can still add a note.")
    if not mine:
        if conversation.owner_agent:
            return _("%(name)s is answering. You can add a note.") % {"name": conversation.owner_agent.display_name}
        return _("The AI agent is answering. Take over to answer yourself, or add a note.")
    if not lines:
        return _("You are on the phone with the customer. You can add a note.")
    if lines[0].state == Interaction.State.ENDED and lines[0].channel != "sms":
        return _("The customer is not there now. They see it when they come back.")
    return ""
