"""Who may see what. What a party may see depends on its own interaction, never on what it was linked to."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet

from conversations.models import Conversation, Entry, Interaction, JoinCode
from routing.models import AgentProfile

PARTY_KINDS = (
    "message",
    "interaction.started",
    "interaction.ended",
    "disclosure.shown",
    "call.answered",
    "call.connected_to_agent",
    "booking.made",
    "booking.changed",
    "booking.cancelled",
    "handoff.accepted",
    "conversation.closed",
)
PARTY_DATA = frozenset(
    {
        "quick_replies", "sources", "field", "client_id", "spoken", "reference", "window_start", "window_end",
        "service",
        "channel", "duration_seconds",
    }
)  # fmt: skip


def agent_of(user: Any) -> AgentProfile | None:
    """The active agent profile of a signed-in user, or None."""
    if not getattr(user, "is_authenticated", False) or not user.is_active:
        return None
    return AgentProfile.objects.filter(user=user, active=True).select_related("user", "team").first()


def may_read_conversations(user: Any) -> bool:
    """Whether a user may read customers' histories: active agents and managers."""
    return bool(getattr(user, "is_active", False) and getattr(user, "is_staff", False)) or agent_of(user) is not None


def conversations_for(user: Any) -> QuerySet[Conversation]:
    """The conversations a user may read; none for anybody who is not staff."""
    if not may_read_conversations(user):
        return Conversation.objects.none()
    return Conversation.objects.select_related("customer", "reason", "owner_agent", "disposition")


def conversation_for_agent(user: Any, public_id: str | UUID) -> Conversation:
    """One conversation a user may read. Raises Conversation.DoesNotExist when there is none or they may not."""
    try:
        key = public_id if isinstance(public_id, UUID) else UUID(public_id)
    except ValueError:
        raise Conversation.DoesNotExist(public_id) from None
    return conversations_for(user).get(public_id=key)


def seen_by_party(interaction: Interaction) -> QuerySet[Entry]:
    """The entries the party of an interaction may see, in order.

    Its own words and what was told to it: the entries of interactions with the same party in the same
    conversation, and of calls that redeemed a code which this party was given (that proves one party on both
    lines). A verified interaction sees the whole conversation. Staff entries never. A chat's party is its signed visitor
    token; a caller's number is no proof, so an earlier call from it may have been somebody else's.
    """
    same_party = Q(interaction=interaction)
    if interaction.channel == "chat":
        same_party = Q(interaction__channel="chat", interaction__party=interaction.party)
    carried_on = JoinCode.objects.filter(
        interaction__channel=interaction.channel, interaction__party=interaction.party, used_by__isnull=False
    )
    scope = same_party | Q(interaction__in=carried_on.values("used_by"))
    if interaction.assurance == "verified":
        scope = Q(interaction__isnull=False)
    return (
        Entry.objects.filter(conversation_id=interaction.conversation_id, audience="everyone", kind__in=PARTY_KINDS)
        .filter(scope | Q(interaction__isnull=True, kind__in=["handoff.accepted", "conversation.closed"]))
        .select_related("interaction")
        .order_by("seq")
    )


def party_frame(entry: dict[str, Any]) -> dict[str, Any]:
    """A wire entry as a customer gets it: only the data made for them.

    Without the name on the record and the postcode of a visit: another party of a joined conversation may have given them.
    """
    shown = {**entry, "data": {key: value for key, value in entry["data"].items() if key in PARTY_DATA}}
    return {**shown, "actor_name": ""} if entry["actor_kind"] == "customer" else shown
