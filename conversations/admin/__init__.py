"""The admin pages of customers, conversations and AI agents."""

from conversations.admin import (
    consent,
    conversation,
    customer,
    entry_point,
    host_site,
    knowledge,
    merging,
    playbook,
    privacy,
    promises,
    roll_out,
    saved_reply,
    schedule,
    steering,
    transport,
    unanswered,
)

__all__ = [
    "consent",
    "conversation",
    "customer",
    "entry_point",
    "host_site",
    "knowledge",
    "merging",
    "playbook",
    "privacy",
    "promises",
    "roll_out",
    "saved_reply",
    "schedule",
    "steering",
    "transport",
    "unanswered",
]
