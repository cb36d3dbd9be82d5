"""The admin pages of routing."""

from routing.admin import channel_exception, decision, hours, organisation, policy, rule_set, work

__all__ = ["channel_exception", "decision", "hours", "organisation", "policy", "rule_set", "work"]
