"""The admin pages of routing."""

from routing.admin import decision, hours, organisation, policy, rule_set, work

__all__ = ["decision", "hours", "organisation", "policy", "rule_set", "work"]
