"""Text to reason, urgency, sentiment and facts, without any network."""

from conversations.understanding.read import Understanding, understand

__all__ = ["Understanding", "understand"]
