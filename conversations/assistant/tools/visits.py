"""What the booking tools share: a visit and a window as plain JSON, and as a line of history."""

from __future__ import annotations

from collections.abc import Sequence

from conversations.assistant.tools.base import Event, Json, ToolContext
from conversations.assistant.tools.words import ForBoth
from conversations.assistant.tools.words import for_both as _
from conversations.assistant.wording import window
from conversations.connectors.registry import schedule
from conversations.connectors.schedule import BookedVisit, Slot, VisitsOfConversations


def slot_json(slot: Slot) -> Json:
    """A free window with ISO times in the local zone."""
    return {"start": slot.start.isoformat(), "end": slot.end.isoformat()}


def visit_json(visit: BookedVisit) -> Json:
    """A booked visit with ISO times in the local zone."""
    return {
        "reference": visit.reference,
        "service": visit.service,
        "name": visit.name,
        "phone": visit.phone,
        "postcode": visit.postcode,
        "start": visit.start.isoformat(),
        "end": visit.end.isoformat(),
    }


def visit_choices(context: ToolContext) -> list[tuple[str, str]]:
    """The coming visits that may be known of, as choices of a form."""
    found = schedule().visits_of_conversations(VisitsOfConversations(context.conversations, context.now))
    known = [visit for visit in found if visit.reference in context.visits]
    return [(visit.reference, f"{visit.reference} · {visit.service} · {window(visit.start, visit.end, context.now)}") for visit in known]


def visit_event(kind: str, visit: BookedVisit, context: ToolContext, *, corrected: Sequence[str] = ()) -> Event:
    """The history entry of a visit that was made, changed or cancelled, which the customer reads, too.

    `corrected` are the details that alone were changed, so that its time is as it was.
    """
    sentences = {
        "booking.made": _("Booked %(service)s for %(window)s, reference %(reference)s."),
        "booking.changed": _("Changed %(service)s to %(window)s, reference %(reference)s."),
        "booking.cancelled": _("Cancelled %(service)s on %(window)s, reference %(reference)s."),
    }
    put_right = _("Put the details of %(service)s on %(window)s right, reference %(reference)s.")
    sentence = (put_right if corrected else sentences[kind]) % {
        "service": ForBoth(context.names.get(visit.service, visit.service), visit.service),
        "window": window(visit.start, visit.end, context.now, plain=True),
        "reference": visit.reference,
    }
    data: Json = {
        "reference": visit.reference,
        "window_start": visit.start.isoformat(),
        "window_end": visit.end.isoformat(),
        "service": visit.service,
        "postcode": visit.postcode,
    }
    if corrected:
        data["corrected"] = list(corrected)
    return Event(kind, sentence, data)
