"""The admin pages of customers, conversations and AI agents."""

from conversations.admin import conversation, customer, entry_point, knowledge, playbook, privacy, saved_reply, schedule, transport

__all__ = ["conversation", "customer", "entry_point", "knowledge", "playbook", "privacy", "saved_reply", "schedule", "transport"]
