"""The brain that needs no network: knowledge answers, forms, bookings, by rules."""

from conversations.assistant.rules.brain import RulesBrain

__all__ = ["RulesBrain"]
