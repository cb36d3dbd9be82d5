"""Whether the AI agent is stopped, for pages that say so."""

from typing import Any

from django import template

from conversations.selectors.roll_out import stop_in_force

register = template.Library()


@register.inclusion_tag("roll_out/stopped.html", takes_context=True)
def assistant_stopped(context: Any) -> dict[str, Any]:
    """A banner when the AI agent was stopped everywhere; nothing while it runs."""
    user = getattr(context.get("request"), "user", None)
    return {"stop": stop_in_force(), "may_steer": bool(user and user.is_staff and user.has_perm("conversations.view_assistantswitch"))}
