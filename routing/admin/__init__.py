"""The admin pages of routing."""

from routing.admin import channel_exception, decision, declared_fact, hours, organisation, policy, rule_set, work

__all__ = ["channel_exception", "decision", "declared_fact", "hours", "organisation", "policy", "rule_set", "work"]
