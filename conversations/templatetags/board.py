"""Template filters for the supervisors' board, whose rows are many: they cost less than an included template."""

from datetime import datetime

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from conversations.reading import wording
from routing.selectors.board import Answered, Held

register = template.Library()


@register.filter
def ticking(since: datetime | None, now: datetime) -> str | SafeString:
    """How long something has lasted, which the page keeps up to date; a dash for no time."""
    if since is None:
        return "–"
    return format_html('<time datetime="{}" data-lasting>{}</time>', since.isoformat(), wording.lasting(since, now))


@register.filter
def percent(answered: Answered) -> str:
    """A service level; a dash when nothing was due."""
    return "–" if answered.percent is None else f"{answered.percent} %"


@register.filter
def doing(held: Held, now: datetime) -> str | SafeString:
    """What somebody does with a piece of work: offered, on hold, writing up and for how long still, or since when they have it."""
    if held.state == "pending":
        return _("offered")
    if held.laid_aside:
        return _("on hold")
    if held.state != "wrapping":
        return ticking(held.since, now)
    if held.ends_at is None:
        return _("writing up")
    return format_html('{} <span data-until="{}">{}</span>', _("writing up"), held.ends_at.isoformat(), wording.lasting(now, held.ends_at))

