"""A recording that is paused while card data is given: by whoever is on the call, by a payment step, or by what the caller says.

The platform cannot pause, so the legs are moved to where nothing is recorded and back. From the moment of the pause on nothing is kept
in any case (`services.unwanted`), also of what was said just before it was noticed. Source: PCI DSS 3.3.1; Vonage, "Recording".
"""

import re
from datetime import datetime, timedelta
from typing import Any, Final

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import override

from conversations.models import Interaction
from conversations.rendering import spoken
from conversations.services import call_state, timeline
from conversations.services.redaction import hide_digits, mask, mask_keys
from conversations.services.timeline import NewEntry
from conversations.voice import recording, replies, rooms
from conversations.voice.ear import ended_after
from conversations.voice.ncco import Ncco
from conversations.voice.protocol import CallInput

CARD: Final = "card"
PAYMENT: Final = "payment"
BY_HAND: Final = "by hand"
NAMES_A_CARD: Final = re.compile(
    r"\b(?:card number|number of (?:my|the) card|(?:my|the) card (?:is|number)|security code|cvv|cvc"
    r"|n[uú]mero de (?:mi|la) tarjeta|mi tarjeta es|c[oó]digo de seguridad)\b",
    re.IGNORECASE,
)
NOTICED_LATE: Final = timedelta(seconds=2)
"""How much longer than usual a caller may take to say a number."""


def pause(interaction_id: int, *, by: str = "", why: str = BY_HAND, since: datetime | None = None, is_moved: bool = True) -> bool:
    """Pauses the recording of a live call; says whether it was recorded and not paused. Never raises; blocks for the platform.

    `by` is the colleague who did it, empty when it paused by itself; `since` is from when on nothing is kept, by default now. Without
    `is_moved`, moving the leg is left to the webhook that is worked on.
    """
    call = _live(interaction_id)
    if call is None or not recording.is_on(call) or not _set(call, why):
        return False
    told = _("%(name)s paused the recording.") if by else _("The recording paused by itself: card data may be given.")
    text = told % {"name": by}
    _note(call, "recording.paused", text, by=by, at=since or timezone.now())
    if is_moved:
        _move(call)
    return True


def resume(interaction_id: int, *, by: str = "", is_moved: bool = True) -> bool:
    """Goes on recording, where that is still allowed; says whether it was paused. See `pause`."""
    call = _live(interaction_id)
    if call is None or not _set(call, ""):
        return False
    text = _("%(name)s went on recording.") % {"name": by} if by else _("The recording goes on.")
    if recording.is_wanted(call):
        _note(call, "recording.resumed", text, by=by, at=timezone.now())
        if is_moved:
            _move(call)
    return True


def look_at(call: Interaction, given: CallInput) -> None:
    """Pauses when the caller names or gives a card, from when they began to, and goes on when they speak of something else.

    The webhook that is worked on moves the leg with its answer.
    """
    words = [each.text for each in given.hypotheses]
    is_card = any(mask(each) != each or NAMES_A_CARD.search(each) for each in words) or mask_keys(given.digits) != given.digits
    if is_card and recording.is_on(call):
        lasted = timedelta(seconds=max([spoken.seconds_to_say(each) for each in words], default=float(len(given.digits))))
        began = given.at - lasted - timedelta(seconds=ended_after(call))
        pause(call.pk, why=CARD, since=began - NOTICED_LATE, is_moved=False)
    elif recording.paused(call) == CARD and not is_card and words and all(hide_digits(each) == each for each in words):
        resume(call.pk, is_moved=False)


def leave_when_unwanted(interaction_id: int) -> None:
    """Ends the recording of a live call that may not be recorded any more, because of something said elsewhere than on the line.

    Never raises; blocks for the platform's answer.
    """
    call = _live(interaction_id)
    if call is None or not recording.is_on(call) or recording.is_wanted(call):
        return
    recording.note_end(call, timezone.now())
    with override(call.language):
        _move(call, replies.aside(call, _("This call is not recorded any more.")))


def _move(call: Interaction, actions: Ncco | None = None) -> None:
    """Puts everybody where it is recorded, or not, as it is to be now: with the voice, the caller does `actions` there.

    A webhook that is worked on moves the leg itself. What fails is done by the next move, and by the sweep.
    """
    place = call_state.place_of(call)
    if place.at == call_state.ROOM:
        rooms.attempt(lambda: rooms.move_everybody(call))
    elif place.at in call_state.IN_ROOMS:
        rooms.attempt(lambda: rooms.move_caller(call, place.at))
    elif not call_state.webhook_waits(call):
        recording.leave(call, actions or replies.silence(call))


def _live(interaction_id: int) -> Interaction | None:
    live = Interaction.objects.select_related("conversation__customer", "entry_point").exclude(state=Interaction.State.ENDED)
    return live.filter(pk=interaction_id, channel="voice").first()


def _set(call: Interaction, why: str) -> bool:
    """Keeps that the recording is paused, and why, or that it is not; False when that was so already."""
    is_new = False

    def change(data: dict[str, Any]) -> None:
        nonlocal is_new
        state = data.get("recording") or {}
        is_new = bool(state.get("paused")) != bool(why)
        data["recording"] = {**state, "paused": why if is_new else state.get("paused", ""), "is_resumed": is_new and not why}

    call.data = call_state.change_data(call.pk, change).data
    return is_new


def _note(call: Interaction, kind: str, text: str, *, by: str, at: datetime) -> None:
    timeline.append(
        call.conversation_id,
        NewEntry(
            kind=kind,
            actor_kind="agent" if by else "system",
            actor_name=by,
            audience="staff",
            body=text,
            interaction=call,
            occurred_at=at,
        ),
    )
