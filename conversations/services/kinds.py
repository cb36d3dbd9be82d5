"""Every kind of history entry: its label, icon, sentence, and what a redaction must erase.

A kind that is not registered here cannot be appended.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

Text = str | Promise
COUNTED = frozenset(
    {
        "channel", "entry_point", "duration_seconds", "end_reason", "status", "reason", "confidence", "urgency", "sentiment", "assurance",
        "decision", "handler", "queue", "priority_class", "rule", "version", "escalation_reason", "tool", "allowed", "handoff",
        "owner_kind", "agent", "fence", "disposition", "conversation", "direction", "method", "level", "spoken",
        "suggested", "mood", "writer", "fallback", "with_person", "purpose", "outcome", "mark", "highest",
    }
)  # fmt: skip
"""The keys of `data` that are left of an entry when the person is erased: codes, numbers and ids of rows, no words."""


@dataclass(frozen=True, slots=True)
class EntryKind:
    """What screens need to show an entry.

    `sentence` makes one line from body and data; `personal` names the keys of `data` that a redaction
    empties (the body always goes). Erasing a person leaves less, see COUNTED. Which kinds a customer may ever see is said
    in `selectors/access.py`.
    """

    name: str
    label: Text
    icon: str
    sentence: Callable[[str, Mapping[str, Any]], str]
    personal: tuple[str, ...] = ()

    def erase(self, data: Mapping[str, Any]) -> dict[str, Any]:
        """The data of an entry of this kind without what names a person."""
        return {key: value for key, value in data.items() if key not in self.personal}


def _body(body: str, data: Mapping[str, Any]) -> str:
    return body


def _duration(body: str, data: Mapping[str, Any]) -> str:
    seconds = int(data.get("duration_seconds") or 0)
    minutes, rest = divmod(seconds, 60)
    return body or str(_("Ended after %(minutes)d min %(seconds)d s") % {"minutes": minutes, "seconds": rest})


def _digits(body: str, data: Mapping[str, Any]) -> str:
    digits = str(data.get("digits", ""))
    if len(digits) == 1:
        return str(_("They pressed %(key)s.")) % {"key": digits}
    return str(_("They pressed %(count)d keys.")) % {"count": len(digits)}


_KINDS = (
    EntryKind(
        "message",
        _("Message"),
        "message",
        _body,
        personal=("quick_replies", "cards", "field", "hypotheses", "heard"),
    ),
    EntryKind("note", _("Staff note"), "note", _body),
    EntryKind("interaction.started", _("Started"), "play", _body, personal=("party",)),
    EntryKind("interaction.ended", _("Ended"), "stop", _duration),
    EntryKind("disclosure.shown", _("Said that it is an AI"), "info", _body),
    EntryKind("call.ringing", _("Ringing"), "phone", _body),
    EntryKind("call.answered", _("Answered"), "phone", _body),
    EntryKind("call.dtmf", _("Keys pressed"), "keypad", _digits, personal=("digits",)),
    EntryKind("call.connected_to_agent", _("Connected to a person"), "phone-forwarded", _body),
    EntryKind("call.not_connected", _("Phone not picked up"), "phone-off", _body),
    EntryKind("call.consulted", _("Asked in private"), "users", _body),
    EntryKind("call.left", _("Left the call"), "phone-off", _body),
    EntryKind("call.held", _("On hold"), "pause", _body),
    EntryKind("call.resumed", _("Back from hold"), "play", _body),
    EntryKind("call.parked", _("Parked"), "pause", _body),
    EntryKind("call.handed_over", _("Handed over on the call"), "transfer", _body),
    EntryKind("call.supervised", _("Supervised"), "users", _body),
    EntryKind("call.machine", _("Answering machine"), "phone-off", _body),
    EntryKind("call.recorded", _("Recorded"), "phone", _body, personal=("recording",)),
    EntryKind("recording.announced", _("Said that the call is recorded"), "info", _body, personal=("wording",)),
    EntryKind("recording.asked", _("Asked whether the call may be recorded"), "info", _body, personal=("wording",)),
    EntryKind("recording.not_agreed", _("Not recorded"), "hand", _body),
    EntryKind("recording.began", _("Recording began"), "phone", _body),
    EntryKind("recording.ended", _("Recording ended"), "phone-off", _body),
    EntryKind("recording.paused", _("Recording paused"), "phone-off", _body),
    EntryKind("recording.resumed", _("Recording goes on"), "phone", _body),
    EntryKind("voicemail.asked", _("Asked for a message"), "info", _body, personal=("wording",)),
    EntryKind("voicemail", _("Message left"), "volume-2", _body, personal=("recording",)),
    EntryKind("recording.cut", _("Recording shortened"), "check", _body, personal=("recording",)),
    EntryKind("speech", _("Said on the call"), "message", _body, personal=("recording",)),
    EntryKind("recording.heard", _("Recording listened to"), "volume-2", _body, personal=("recording",)),
    EntryKind("recording.deleted", _("Recording deleted"), "check", _body, personal=("recording",)),
    EntryKind("call.transcribed", _("Recording written down"), "list", _body, personal=("recording",)),
    EntryKind("call.problem", _("Problem on the call"), "alert", _body),
    EntryKind("reason.recognised", _("Reason recognised"), "target", _body),
    EntryKind("fact.learned", _("Learned"), "tag", _body, personal=("value", "replaces")),
    EntryKind("language.chosen", _("Language"), "message", _body),
    EntryKind("routing.decided", _("Routing decided"), "route", _body),
    EntryKind("tool.called", _("Looked up"), "tool", _body, personal=("arguments", "result", "error")),
    EntryKind("booking.made", _("Booked"), "calendar", _body, personal=("postcode",)),
    EntryKind("booking.changed", _("Booking changed"), "calendar", _body, personal=("postcode",)),
    EntryKind("booking.cancelled", _("Booking cancelled"), "calendar-off", _body),
    EntryKind("handoff.requested", _("Handed over"), "handoff", _body, personal=("summary", "facts", "tried", "next_step")),
    EntryKind("handoff.accepted", _("Joined"), "person", _body),
    EntryKind("owner.changed", _("Owner changed"), "person", _body),
    EntryKind("conversation.transferred", _("Transferred"), "transfer", _body),
    EntryKind("work.moved", _("Moved by a supervisor"), "transfer", _body),
    EntryKind("work.overflowed", _("Waited too long"), "phone", _body),
    EntryKind("work.class_changed", _("Priority changed"), "arrow-up", _body),
    EntryKind("wrap_up.ended", _("Writing-up ended"), "clock", _body),
    EntryKind("conversation.joined", _("Joined with another conversation"), "link", _body),
    EntryKind("conversation.separated", _("Kept apart from another conversation again"), "link", _body),
    EntryKind("interaction.moved", _("Line moved between conversations"), "link", _body),
    EntryKind("survey.asked", _("Asked how it was"), "info", _body),
    EntryKind("survey.answered", _("Said how it was"), "gauge", _body),
    EntryKind("outcome.set", _("Outcome"), "check", _body),
    EntryKind("conversation.closed", _("Closed"), "check", _body),
    EntryKind("callback.requested", _("Call back requested"), "phone", _body, personal=("phone",)),
    EntryKind("callback.changed", _("Call back moved"), "phone", _body, personal=("phone",)),
    EntryKind("callback.cancelled", _("Call back called off"), "phone-off", _body, personal=("phone",)),
    EntryKind("link.sent", _("Link sent"), "link", _body),
    EntryKind("text.sent", _("Text message sent"), "message-square", _body),
    EntryKind("text.failed", _("Text message not delivered"), "x", _body),
    EntryKind("callback.refused", _("Call back refused"), "phone-off", _body, personal=("phone",)),
    EntryKind("call.outcome", _("Outcome of our call"), "phone", _body),
    EntryKind("call.refused", _("Not called"), "phone-off", _body, personal=("phone",)),
    EntryKind("identity.proven", _("Identity proven"), "shield", _body),
    EntryKind("identity.code_sent", _("Code sent"), "shield", _body, personal=("to",)),
    EntryKind("identity.code_refused", _("Wrong code"), "shield", _body),
    EntryKind("consent.given", _("Consent given"), "check", _body, personal=("value",)),
    EntryKind("consent.refused", _("Consent refused"), "hand", _body, personal=("value",)),
    EntryKind("consent.revoked", _("Consent taken back"), "hand", _body, personal=("value",)),
    EntryKind("contact.suppressed", _("Never to be contacted"), "phone-off", _body, personal=("value",)),
    EntryKind("ticket.opened", _("Ticket opened"), "sticky-note", _body, personal=("subject",)),
    EntryKind("payment.promised", _("Payment promised"), "scale", _body, personal=("amount",)),
    EntryKind("record.changed", _("Record changed"), "tag", _body, personal=("value", "replaces")),
    EntryKind("action.added", _("To do"), "list", _body, personal=("owner",)),
    EntryKind("action.done", _("Done"), "check", _body, personal=("owner",)),
    EntryKind("qualified", _("Qualified"), "gauge", _body, personal=("answers",)),
    EntryKind("draft", _("Draft of the AI agent"), "draft", _body),
    EntryKind("reply.refused", _("Reply held back"), "shield", _body, personal=("withheld", "about")),
    EntryKind("assistant.stopped", _("AI agent stopped"), "hand", _body),
    EntryKind("wrapped_up", _("Wrap-up"), "list", _body, personal=("summary", "action_items", "open_questions")),
)

KINDS: Mapping[str, EntryKind] = {kind.name: kind for kind in _KINDS}


def kind_of(name: str) -> EntryKind:
    """The registered kind. Raises KeyError for a kind nobody registered."""
    return KINDS[name]
