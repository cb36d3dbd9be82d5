"""Saved replies as they are put into an answer, with their placeholders filled in.

A placeholder is a name in braces, such as {first_name}, or with words for when it is not known: {first_name|there}.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _

from conversations.models import Conversation, Interaction, SavedReply
from conversations.reading.wording import fact_value
from conversations.selectors import access, saved_replies
from conversations.services import facts
from routing.models import AgentProfile

FACTS = ("name", "phone", "email", "postcode")
PLACEHOLDERS = {
    "first_name": _("the customer’s first name"),
    "name": _("the customer’s whole name"),
    "phone": _("the phone number they gave"),
    "email": _("the email address they gave"),
    "postcode": _("the postcode they gave"),
    "agent": _("the name of the agent who writes"),
    "company": _("the company that the customer wrote to or called"),
}
PLACEHOLDER = re.compile(r"\{([A-Za-z_]+)(?:\|([^{}]*))?\}")


@dataclass(frozen=True, slots=True)
class Offered:
    """A saved reply with its words as they would be put in; what is not known still stands in braces."""

    reply: SavedReply
    text: str


def offered(conversation: Conversation, agent: AgentProfile, line: Interaction | None, typed: str, limit: int = 5) -> list[Offered]:
    """The active replies that fit what was typed, filled in for the party of the line that they go to, best first."""
    known = known_of(conversation, agent, line)
    return [Offered(reply, fill(reply.body, known)) for reply in saved_replies.matching(typed, conversation.customer.language, limit)]


def known_of(conversation: Conversation, agent: AgentProfile, line: Interaction | None) -> dict[str, str]:
    """What placeholders stand for, by name; without what is not known.

    Only what the party of the line has said itself, and for one that has proven to be the customer also what the record says:
    what others said, or what is held about somebody, must not reach whoever merely writes or calls in their place.
    """
    known = facts.known_to(conversation, line) if line else {}
    said = {name: fact_value(fact.value, name) for name, fact in known.items() if name in FACTS}
    if line and access.is_the_customer(line):
        said.setdefault("name", conversation.customer.name)
    values = {name: said.get(name, "") for name in FACTS}
    values["first_name"] = values["name"].split(" ")[0]
    values["agent"] = agent.display_name
    values["company"] = line.entry_point.company_name if line else ""
    return {name: value for name, value in values.items() if value}


def fill(body: str, known: Mapping[str, str]) -> str:
    """The body with each placeholder replaced: by what is known, else by its own words, else left for the agent."""
    return PLACEHOLDER.sub(lambda found: known.get(found[1]) or (found[2] or "").strip() or f"{{{found[1]}}}", body)


def unknown_placeholders(body: str) -> list[str]:
    """Names in braces that nothing will ever fill in, in order."""
    return [name for name in dict.fromkeys(found[1] for found in PLACEHOLDER.finditer(body)) if name not in PLACEHOLDERS]
