"""The admin pages of routing."""

from routing.admin import decision, organisation, policy, rule_set, work

__all__ = ["decision", "organisation", "policy", "rule_set", "work"]
