"""A call in a conversation whose person is gone: what is true then, so that no caller waits for them."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from django.utils import timezone
from django.utils.translation import gettext as _

from conversations.assistant import wording
from conversations.models import CallSeat, Entry, Handoff, Interaction
from conversations.services import call_state, promises
from conversations.understanding.danger import read_urgency
from conversations.understanding.gloss import gloss
from conversations.understanding.normalise import meaning, normalise
from routing.models import AgentProfile
from routing.services import hours, presence


def is_nobody_in(call: Interaction) -> bool:
    """Whether the person who has the conversation is offline, outside the hours of the call's entry point. At most three statements."""
    agent = call.conversation.owner_agent
    return agent is not None and not _is_open(call) and not presence.is_there(agent)


def is_left_alone(call: Interaction) -> bool:
    """Whether a caller is with the automated voice because the person whom they had or were to have hung up, or is gone in the hours.

    Not where that person is rung again, or has written since they were rung last: then they go on in writing. Nor where they have the
    conversation from elsewhere, which whoever calls from its customer's number must not take from them. At most five statements, none
    where nobody has the conversation.
    """
    agent = call.conversation.owner_agent
    if agent is None or call_state.place_of(call).at != call_state.VOICE:
        return False
    seats = list(CallSeat.objects.filter(interaction=call, agent=agent).order_by("pk"))
    if any(seat.state != CallSeat.State.ENDED for seat in seats):
        return False
    if not seats and not Handoff.objects.filter(interaction=call, accepted_at__isnull=False).exists():
        return False
    if _is_open(call) and not presence.is_there(agent):
        return True
    had_caller = any(seat.purpose == CallSeat.Purpose.ANSWER and seat.outcome == CallSeat.Outcome.LEFT for seat in seats)
    return had_caller and not _has_written(call, agent, since=seats[-1].connected_at or seats[-1].rung_at)


def tells_nobody_of_danger(call: Interaction, said: str) -> bool:
    """Whether words tell of a danger to the automated voice while the person who has the conversation is gone, from wherever they have it.

    What to do at once is then said by the AI agent. At most one statement, none where nobody has the conversation.
    """
    agent = call.conversation.owner_agent
    if agent is None or call_state.place_of(call).at != call_state.VOICE:
        return False
    words = meaning(normalise(gloss(said, call.language.partition("-")[0]), spoken=True))
    return read_urgency(words) == "emergency" and not presence.is_there(agent)


def greeting(call: Interaction) -> str:
    """When people are back, by when they call back where that was promised, and that what is said now waits for them.

    Not on which number: the caller's shows whose phone it is, and not who is speaking.
    """
    now = timezone.now().astimezone(ZoneInfo(call.entry_point.time_zone))
    back = hours.next_opening(call.entry_point.hours, now)
    told = [_back(back.astimezone(now.tzinfo), now) if back else _("My colleagues are not in at the moment.")]
    for promise in promises.promised_on(Interaction.objects.filter(conversation=call.conversation)):
        if promise.by > now:
            when = wording.moment_of(promise.by.astimezone(now.tzinfo), now)
            told.append(_("A colleague will call you back by %(when)s.") % {"when": when})
    return " ".join([*told, _("Please say what it is about, and I keep it for them.")])


def kept() -> str:
    """That something said was kept for them."""
    return _("Thank you, I have added that for my colleagues. If that is all, you can hang up now.")


def _has_written(call: Interaction, agent: AgentProfile, *, since: datetime) -> bool:
    """Whether an agent has written in the conversation of a call, on whichever line of it, since then."""
    own = Entry.objects.filter(conversation=call.conversation_id, kind="message", actor_kind=Entry.Actor.AGENT)
    return own.filter(actor_name=agent.display_name, recorded_at__gt=since).exists()


def _is_open(call: Interaction) -> bool:
    return hours.is_open(call.entry_point.hours, timezone.now())


def _back(back: datetime, now: datetime) -> str:
    when = wording.moment_of(back, now)
    return _("My colleagues are not in at the moment; they are back %(when)s.") % {"when": when}
