"""A call in a conversation whose person is gone: what is true then, so that no caller waits for them."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from django.utils import timezone
from django.utils.translation import gettext as _

from conversations.assistant import wording
from conversations.models import CallSeat, Entry, Handoff, Interaction
from conversations.selectors import call_seats
from conversations.services import call_state, promises
from routing.models import AgentProfile, Presence
from routing.services import hours


def is_nobody_in(call: Interaction) -> bool:
    """Whether the person who has the conversation is offline, outside the hours of the call's entry point. At most three statements."""
    agent = call.conversation.owner_agent
    return agent is not None and not _is_open(call) and _is_offline(agent)


def is_left_alone(call: Interaction) -> bool:
    """Whether a caller is with the automated voice because the person whom they had or were to have hung up, or went offline in the hours.

    Not where that person is rung again, or has written since they came to the phone: then they go on in writing. Nor where they have the
    conversation from elsewhere, which whoever calls from its customer's number must not take from them. At most four statements, none
    where nobody has the conversation.
    """
    agent = call.conversation.owner_agent
    if agent is None or call_state.place_of(call).at != call_state.VOICE:
        return False
    last = call_seats.last_of_owner(call)
    if last is None and not Handoff.objects.filter(interaction=call, accepted_at__isnull=False).exists():
        return False
    if last is not None and last.state != CallSeat.State.ENDED:
        return False
    if _is_offline(agent) and _is_open(call):
        return True
    has_left = last is not None and last.purpose == CallSeat.Purpose.ANSWER and last.outcome == CallSeat.Outcome.LEFT
    return has_left and not _has_written(call, agent, since=last.connected_at if last else None)


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


def _has_written(call: Interaction, agent: AgentProfile, *, since: datetime | None) -> bool:
    """Whether an agent has written in the conversation of a call, on whichever line of it, since then."""
    own = Entry.objects.filter(conversation=call.conversation_id, kind="message", actor_kind=Entry.Actor.AGENT)
    return since is not None and own.filter(actor_name=agent.display_name, recorded_at__gt=since).exists()


def _is_open(call: Interaction) -> bool:
    return hours.is_open(call.entry_point.hours, timezone.now())


def _is_offline(agent: AgentProfile) -> bool:
    return not Presence.objects.filter(agent=agent).exclude(state=Presence.State.OFFLINE).exists()


def _back(back: datetime, now: datetime) -> str:
    when = wording.moment_of(back, now)
    return _("My colleagues are not in at the moment; they are back %(when)s.") % {"when": when}
