"""Which tables name a queue, a service level or a skill."""

from __future__ import annotations

from django.db.models import Q

from routing.models import Rule, RuleSet


def tables_that_name(output: str, code: str) -> list[RuleSet]:
    """The drafts and the published versions in which a row answers `code` in an output; newest first."""
    named = Q(**{f"outputs__{output}": code}) | Q(**{f"outputs__{output}__contains": [code]})
    rules = Rule.objects.filter(named).exclude(rule_set__status=RuleSet.Status.RETIRED)
    return list(RuleSet.objects.filter(rules__in=rules).distinct().order_by("-version"))
