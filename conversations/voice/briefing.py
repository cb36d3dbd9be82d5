"""What somebody hears whose phone was rung for a call, before they press a key: in private, and short enough to listen to."""

from typing import Final

from django.utils.text import Truncator
from django.utils.translation import gettext as _

from conversations.models import CallSeat, Handoff, Interaction
from conversations.rendering import spoken
from conversations.services import call_state

LONGEST_SUMMARY: Final = 300
LONGEST_TRIED: Final = 200


def words(call: Interaction, seat: CallSeat, *, asked_by: str = "") -> str:
    """What it is about, who calls as they are filed, what was asked already, and which key does what."""
    return " ".join([*_why(call, seat, asked_by), *_about(call), key(call, seat)])


def _why(call: Interaction, seat: CallSeat, asked_by: str) -> list[str]:
    reason = call.conversation.reason
    about = reason.name if reason else _("a customer’s call")
    named = {"company": call.entry_point.company_name, "about": about, "name": asked_by}
    if call_state.is_unplaced(call):
        return [_("%(company)s: a call to a customer, %(about)s.") % named]
    if seat.purpose == CallSeat.Purpose.CONSULT:
        return [_("%(company)s: %(name)s asks you about a call, %(about)s.") % named]
    if seat.purpose == CallSeat.Purpose.JOIN:
        return [_("%(company)s: %(name)s asks you to join a call, %(about)s.") % named]
    if seat.purpose == CallSeat.Purpose.SUPERVISE:
        return [_wanted(seat.manner) % named]
    return [_("%(company)s: %(about)s. The caller is waiting.") % named]


def _wanted(manner: str) -> str:
    """What a supervisor asked for."""
    if manner == CallSeat.Manner.WHISPER:
        return _("%(company)s: you wanted to speak to %(name)s, who is on a call. The caller will not hear you.")
    if manner == CallSeat.Manner.BARGE:
        return _("%(company)s: you wanted to speak on the call of %(name)s. Everybody will hear you.")
    return _("%(company)s: you wanted to listen to the call of %(name)s.")


def _about(call: Interaction) -> list[str]:
    """The customer's name on file, the summary, and what was tried, as far as there is any."""
    name = call.conversation.customer.name
    found = [_("On file as %(name)s.") % {"name": name}] if name else []
    handoff = Handoff.objects.filter(conversation=call.conversation_id).order_by("-pk").first()
    if handoff is None:
        return found
    summary = handoff.summary or handoff.why
    if summary:
        found.append(_sentence(Truncator(summary).chars(LONGEST_SUMMARY)))
    tried = "; ".join(str(each) for each in handoff.tried)
    if tried:
        found.append(_sentence(_("Already asked or tried: %(tried)s") % {"tried": Truncator(tried).chars(LONGEST_TRIED)}))
    return [spoken.words(each, {}) for each in found]


def key(call: Interaction, seat: CallSeat) -> str:
    """Which key does what."""
    if call_state.is_unplaced(call):
        return _("Press 1, and the customer is called, or 2 to decline.")
    if seat.purpose == CallSeat.Purpose.SUPERVISE:
        return _("Press 1 to begin.")
    return _("Press 1 to be connected, or 2 to decline.")


def _sentence(text: str) -> str:
    return text if text.rstrip().endswith((".", "!", "?", "…")) else f"{text.rstrip()}."
