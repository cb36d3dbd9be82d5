"""The words around consent: what is read out when somebody is asked, and how a row reads."""

from __future__ import annotations

from collections.abc import Mapping

from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from conversations.models import Consent
from conversations.models.consent import Purpose, Way
from conversations.services import facts

Text = str | Promise

WORDINGS: Mapping[str, Text] = {
    Purpose.CONTACT: gettext_lazy("May we get in touch with you again? You can tell us at any time that you do not want that any more."),
    Purpose.OUTBOUND_CALL: gettext_lazy(
        "May we call you on this number about your visits and questions, also with an automated voice? "
        "You can tell us at any time that you do not want that any more."
    ),
    Purpose.SMS: gettext_lazy(
        "May we send you text messages about your visits and questions? You can answer STOP at any time to end them."
    ),
    Purpose.MARKETING: gettext_lazy(
        "May we send you offers and news? You need not agree to become or stay our customer, and you can end it at any time."
    ),
    Purpose.RECORDING: gettext_lazy("May we record this call, to keep what we agree on? We help you just the same if you say no."),
}
"""What an agent reads out, or the AI agent says, before somebody agrees."""

CODE_TO_NUMBER: Text = gettext_lazy("I can text a six-digit code to the number %(number)s. Shall I?")
CODE_SOMEWHERE: Text = gettext_lazy(
    "I can send a six-digit code to your email address or by text message. Which address or number shall I use?"
)
CHAT_LINK: Text = gettext_lazy("If you would rather type, say: text me a link.")
CALL_ME: Text = gettext_lazy("We ring you at once, on this number, about this chat.")
LINK_ASKED_FOR: Text = gettext_lazy("I can send you the link by text message or email.")
OFFERED_BY_AN_AGENT: Text = gettext_lazy("Offered by %(agent)s in their own words.")
"""What somebody who asks for a text message or a call was told or shown before."""

NUMBER_LEFT_OUT = "…"
"""Stands in kept words for the number, which the row itself holds."""


def scope(way: str, kind: str, value: str) -> str:
    """What a yes or no is for: “by text message, on 07700 900123”; empty when it is for everything."""
    if kind in ("visitor", "external"):
        return _("on that line only")
    parts = [_("by %(way)s") % {"way": Way(way).label.lower()}] if way else []
    if value:
        place = _("on %(value)s") % {"value": facts.phone(value)} if kind == "phone" else _("at %(value)s") % {"value": value}
        parts.append(place)
    return ", ".join(parts)


def scope_of(row: Consent) -> str:
    """What a row is for; see `scope`. A number that was erased is not told."""
    if row.erased_at and row.value:
        return _("on a number or address that was erased")
    return scope(row.way, row.kind, row.value)


def line_of_history(row: Consent) -> str:
    """A row as one line: “Calls from us, on 07700 900123: taken back. Said on the phone.”"""
    what = ", ".join(filter(None, [str(row.get_purpose_display()), scope_of(row)]))
    line = _("%(what)s: %(decision)s. %(how)s.") % {
        "what": what,
        "decision": str(row.get_decision_display()).lower(),
        "how": row.get_how_display(),
    }
    return f"{line} {row.note}".strip()


def day(row: Consent) -> str:
    """The day of a row in the active time zone."""
    return date_format(localtime(row.at), "j F Y")
