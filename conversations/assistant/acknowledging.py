"""What somebody hears who writes on while only people answer."""

from __future__ import annotations

from datetime import datetime

from django.utils.translation import gettext as _

from conversations.assistant import handing_over, wording
from conversations.assistant.brain import HandOff, Reply
from conversations.assistant.preparing import Prepared
from routing.services.hours import next_opening


def noted(prepared: Prepared, handing: HandOff) -> Reply:
    """What somebody hears who writes more while only people answer and none has come: once, that it is seen and what comes next.

    On the phone the line itself says so.
    """
    if prepared.live or prepared.context.spoken or prepared.handoff is None or prepared.state.get("acknowledged"):
        return Reply("", form_state=handing.form_state)
    work = prepared.handoff.work_item
    promise = prepared.state.get("callback") or {}
    opening = next_opening(work.queue.hours or prepared.entry_point.hours, prepared.context.now)
    if promise.get("noted") and promise.get("by"):
        coming = _("A colleague will call you back by %(when)s.")
        when = wording.moment_of(datetime.fromisoformat(promise["by"]), prepared.context.now)
    elif opening is not None and opening > prepared.context.now:
        coming = _("My colleagues are not in at the moment; they are back %(when)s.")
        when = wording.moment_of(opening.astimezone(prepared.context.now.tzinfo), prepared.context.now)
    else:
        coming, when = _("A colleague will join you here as soon as one is free."), ""
    sentences = (_("Thank you, I have added that for my colleagues."), coming % {"when": when}, handing_over.place_sentence(work))
    body = " ".join(sentence for sentence in sentences if sentence)
    return Reply(body, form_state={**handing.form_state, "acknowledged": True})
