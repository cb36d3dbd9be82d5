"""What people of the company say and note."""

from __future__ import annotations

from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from conversations.models import Conversation, Interaction
from conversations.models.entry_point import Channel
from conversations.selectors import text_lines
from conversations.services import call_state, chat_links, consent_texts, delivery, ownership, threads, timeline
from conversations.services.parties import IdentifierClaim, Party
from conversations.services.timeline import Appended, NewEntry
from routing.models import AgentProfile


class NoLine(Exception):
    """There is no line on which words reach the customer now; the message says what to do."""


class NotYours(Exception):
    """The conversation is not the agent's; the message says whose it is, in a sentence for them."""


def say_as_agent(conversation: Conversation, agent: AgentProfile, text: str, *, client_id: str, line: UUID | None = None) -> Appended:
    """Says something to the customer, on the line with this public id, or on the first of `lines_to_customer`.

    A line that is over by then is not used. `client_id` makes a resend harmless. Raises NotYours, and NoLine when words
    can reach the customer nowhere but through the agent's own phone. Locks the conversation's row.
    """
    with transaction.atomic():
        row = require_owner(conversation, agent)
        lines = lines_to_customer(row)
        if not lines:
            raise NoLine(_("You are on the phone with the customer, and there is no web chat: tell them."))
        chosen = _writable(_chosen(lines, line))
        appended = timeline.append(
            row.pk,
            NewEntry(
                kind="message",
                actor_kind="agent",
                actor_name=agent.display_name,
                body=text,
                data={"client_id": client_id},
                interaction=chosen,
                source_id=f"agent:{agent.pk}:{client_id}",
            ),
        )
        transaction.on_commit(lambda: delivery.deliver(row.pk))
    return appended


def _writable(line: Interaction) -> Interaction:
    """The line, or one that goes on after text messages that fell silent. Must run in a transaction."""
    if line.channel != Channel.SMS or line.state != Interaction.State.ENDED:
        return line
    return threads.start_interaction(
        line.conversation,
        entry_point=line.entry_point,
        provider_id=text_lines.new_id(line.entry_point, line.party),
        party=Party((IdentifierClaim("phone", line.party, "network_hint"),), line.party),
        direction=Interaction.Direction.OUTBOUND,
        channel=Channel.SMS,
    )


def add_note(conversation: Conversation, agent: AgentProfile, text: str, *, client_id: str) -> Appended:
    """Adds a note that only staff see. Any agent may; `client_id` makes a resend harmless."""
    return timeline.append(
        conversation.pk,
        NewEntry(
            kind="note",
            actor_kind="agent",
            actor_name=agent.display_name,
            body=text,
            audience="staff",
            data={"client_id": client_id},
            source_id=f"agent:{agent.pk}:{client_id}",
        ),
    )


def connect_call(conversation: Conversation, agent: AgentProfile) -> None:
    """Puts the agent's phone on the conversation's live call.

    Raises NotYours, and delivery.CannotConnect when there is no live call or the agent has no phone.
    """
    with transaction.atomic():
        row = require_owner(conversation, agent)
    call = live_call(row)
    if call is None:
        raise delivery.CannotConnect(_("There is no live call in this conversation."))
    if call_state.waits_for_code(call):
        raise delivery.CannotConnect(_("Whoever picks up has not entered the code from the chat yet. Answer in the chat."))
    if not agent.phone:
        raise delivery.CannotConnect(_("Your profile has no phone yet. A manager can add one in the admin."))
    delivery.connect(call, agent)


def text_chat_link(conversation: Conversation, agent: AgentProfile) -> None:
    """Texts the party of the live call a link by which the call goes on in the web chat.

    Must not run in a transaction: the text leaves when the agent was found to be the owner. Raises NotYours, NoLine
    without a call, and chat_links.NoLink.
    """
    with transaction.atomic():
        row = require_owner(conversation, agent)
    call = live_call(row)
    if call is None or call_state.waits_for_code(call):
        raise NoLine(_("There is no live call in this conversation."))
    wording = consent_texts.OFFERED_BY_AN_AGENT % {"agent": agent.display_name}
    chat_links.send(call, made_by=agent.display_name, wording=wording)


def require_owner(conversation: Conversation, agent: AgentProfile) -> Conversation:
    """The conversation's row, locked with its work, when it is open and the agent's. Raises NotYours. Needs a transaction."""
    row = ownership.lock_with_work(conversation)
    if row.status == Conversation.Status.CLOSED:
        raise NotYours(_("This conversation is closed."))
    if row.owner_agent_id != agent.pk:
        owner = row.owner_agent.display_name if row.owner_agent else _("the AI agent")
        raise NotYours(_("This conversation is with %(owner)s. Take it over to answer.") % {"owner": owner})
    return row


def live_call(conversation: Conversation) -> Interaction | None:
    """The call that is going on in the conversation, if any."""
    return conversation.interactions.filter(channel="voice").exclude(state=Interaction.State.ENDED).order_by("-pk").first()


def lines_to_customer(conversation: Conversation) -> list[Interaction]:
    """Where a message to the customer may go, the best line first: the live call, then the latest chat session or texts.

    Nothing is spoken into a call on which a person's phone is: they hear each other; nor into one that a chat asked for and
    that its code has not let in. With neither call nor chat it is kept on the latest line.
    """
    call = live_call(conversation)
    written = (conversation.interactions.filter(channel=channel).order_by("-pk").first() for channel in ("chat", "sms"))
    # The latest of them first: that is where the customer was last.
    chats = sorted((each for each in written if each), key=lambda line: line.pk, reverse=True)
    is_closed_to_us = call and (call_state.person_is_on(call) or call_state.waits_for_code(call) or call_state.is_ringing_out(call))
    open_ones = [each for each in (None if is_closed_to_us else call, *chats) if each]
    latest = conversation.interactions.order_by("-pk").first()
    return open_ones or ([latest] if latest and not call else [])


def line_to_customer(conversation: Conversation) -> Interaction | None:
    """The line on which the customer is reached first; None before anything was said."""
    return next(iter(lines_to_customer(conversation)), None) or live_call(conversation)


def chosen_line(conversation: Conversation, line: UUID | None) -> Interaction | None:
    """The line that words would go to: the one with this public id when they may go there, else the first one."""
    lines = lines_to_customer(conversation)
    return _chosen(lines, line) if lines else live_call(conversation)


def _chosen(lines: list[Interaction], line: UUID | None) -> Interaction:
    return next((each for each in lines if each.public_id == line), lines[0])


def line_spoken_on(conversation: Conversation) -> Interaction | None:
    """The line on which a person and the customer talk: the live call that is let in, also by a person's own phone, else where words go."""
    call = live_call(conversation)
    return call if call and not call_state.waits_for_code(call) else line_to_customer(conversation)


def lines_spoken_on(conversation: Conversation) -> list[Interaction]:
    """The lines on which the customer may have told a person something, the likeliest first."""
    lines = [line_spoken_on(conversation), *lines_to_customer(conversation)]
    return list(dict.fromkeys(line for line in lines if line))
