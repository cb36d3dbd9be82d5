"""An agent finds out who the customer on a line is: by a code that the customer reads out, or by vouching for them."""

from __future__ import annotations

from django.db import transaction
from django.utils.translation import gettext as _

from conversations.flows.outbound import live_call, require_owner
from conversations.models import Conversation, Identifier, Interaction, OneTimeCode, Proof
from conversations.models.entry_point import Channel
from conversations.services import consent_texts, messengers, proving, verifying
from conversations.services.parties import IdentifierClaim
from conversations.services.verifying import Checked
from routing.models import AgentProfile


class CannotVerify(Exception):
    """It could not be done; the message says why, in a sentence for the agent."""


class NotWritten(CannotVerify):
    """The code was not written in the chat that it was sent for."""


def send_code(conversation: Conversation, agent: AgentProfile, identifier: Identifier) -> OneTimeCode:
    """Sends a one-time code to an address or number of the customer, for the line they are on.

    Raises NotYours, CannotVerify. Takes what `verifying.send` takes.
    """
    line = _line(conversation, agent)
    claim = IdentifierClaim(identifier.kind, identifier.value, "verified")
    wording = consent_texts.OFFERED_BY_AN_AGENT % {"agent": agent.display_name}
    if not verifying.is_welcome(line, claim, made_by=agent.display_name, wording=wording):
        raise CannotVerify(_("This address or number is on the do-not-contact list. Choose another, or vouch for the customer yourself."))
    try:
        return verifying.send(line, claim, made_by=agent.display_name, wording=wording)
    except verifying.TooManyCodes as problem:
        raise CannotVerify(_("Too many codes were sent already. Try again in an hour, or vouch for the customer yourself.")) from problem
    except messengers.NotSent as problem:
        raise CannotVerify(str(problem)) from problem


def check_code(conversation: Conversation, agent: AgentProfile, code: str) -> Checked:
    """Tries the code that the customer reads out on a call, or has written in a chat. Raises NotYours, CannotVerify, NotWritten.

    Whoever has the address need not be who sits in front of the browser, so a chat is proven by nothing but a code in it.
    """
    line = _line(conversation, agent)
    if line.channel == Channel.CHAT and verifying.live_code(line) and not verifying.was_written(line, code):
        raise NotWritten(_("The customer has not written this code in the chat. Ask them to write it there, then check it here."))
    try:
        return verifying.check(line, code, made_by=agent.display_name)
    except verifying.NoLiveCode as problem:
        raise CannotVerify(_("That code cannot be used any more. Send another one.")) from problem


def attest(conversation: Conversation, agent: AgentProfile, note: str) -> Proof:
    """The agent vouches for the customer, with a note on what was checked. Raises NotYours, CannotVerify."""
    return proving.attest(_line(conversation, agent), by=agent.display_name, note=note)


def line_of_customer(conversation: Conversation) -> Interaction | None:
    """The line on which the customer is: the live call, else the chat session or call of last."""
    return live_call(conversation) or conversation.interactions.order_by("-pk").first()


def _line(conversation: Conversation, agent: AgentProfile) -> Interaction:
    with transaction.atomic():
        line = line_of_customer(require_owner(conversation, agent))
    if line is None:
        raise CannotVerify(_("The customer has not been in touch yet, so there is nobody to verify."))
    return line
