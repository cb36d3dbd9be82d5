"""What the record keeps about a live call: its state, what was said into it, and whose turn it is to speak.

`Interaction.data` of a call holds, each key from when it is first needed:

- `region_url`, `room`: where the platform controls the call, and its room there;
- `spoken_seq`, `spoken_conversation`: everything up to there has been handed to the voice;
- `said`: the last words handed over (`seq`, `text`, `at` in seconds since 1970), and after how
  many seconds of silence the answer to them has `ended_after`;
- `webhook_until`: until then (seconds since 1970) a webhook waits for the reply, and nobody else may speak;
- `speak_after`: not before then (seconds since 1970) may a late reply be put into the call;
- `put_in_at`: when (seconds since 1970) words were last put into the call while no webhook waited for them;
- `silences`: how often in a row nothing was heard; `stage`: what the last question was about;
- `chat`: the conversation that the caller was asked about; `code_given`: the source id of the last code that was tried;
- `code_attempts`, `code_misses`: how many codes were tried, and how many of them were wrong (see `joining`);
- `campaign`: the campaign that makes the call; `campaign_stage`: what is being found out about whoever picked up, `answers`, `question`
  and `prompts` how far that is; `outcome`: what became known of how the call went (`DialOutcome`); `is_a_person`: that somebody
  spoke whom the platform had taken for a machine;
- `call_back_step`: what a waiting caller who wants to be called back was asked about the number, `call_back_number` the number that
  was read back, `call_back_tries` how often it was asked for;
- `call_back`: that a person calls the customer: `agent`, `name`, `purpose`, `asked_gate` once the permission was asked for, `settled`
  once what follows from its end is under way, `asks` while the customer is asked whether the call may be recorded before they are put
  through, `answered_by` the source id of the answer;
- `recording`: whether the call is recorded, and what was said and asked about it, see `voice.recording`;
- `survey`: the question that is asked after a person has left, see `voice.survey`;
- `caller`: where the caller is while people have to do with the call, see `Place`; without it they are with the voice;
- `room_part`: which of the call's rooms is used, counted from 0.

Who else is on the call is in `CallSeat`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db import connection, transaction
from django.utils import timezone

from conversations.models import CallSeat, Entry, Interaction
from routing.compiled import CompiledOnce, Given

STATE_ORDER: Final = {state: rank for rank, state in enumerate(("started", "ringing", "active", "ended"))}
VOICE: Final = "voice"
WAITING: Final = "waiting"
ROOM: Final = "room"
HOLD: Final = "hold"
PARKED: Final = "parked"
"""Where a caller may be: with the automated voice; with music until a phone is picked up; with people; with music while those
who have the call do something else; with music while nobody has it."""
IN_ROOMS: Final = frozenset({WAITING, ROOM, HOLD})
"""Where nothing is spoken to the caller: somebody has them."""
NOT_PLACED: Final = "not_placed"
"""How a call of ours ends that never rang anybody."""
UNPLACED: Final = "unplaced-"
"""How the id begins that a call has while the platform has not named its leg."""
WHO_IS_IT: Final = "who"
PROVING: Final = "proving"
MACHINE: Final = "machine"
TOLD: Final = "told"
"""The stages of a campaign's call: asking who is on the line, having them show it, silence for a machine's beep; and then what
they say to what they were told. Empty afterwards."""
OUT_KEY: Final = "9"
"""The key by which whoever we called gets no more calls."""
JUST_SECONDS: Final = 2.0
"""Nobody has heard words to their end, and then been silent for long enough, within so long."""
REMEMBER: Final = "UPDATE conversations_interaction SET data = data || %s::jsonb WHERE id = %s"
KEEP: Final = "UPDATE conversations_interaction SET data = %s::jsonb WHERE id = %s"
OURS: Final = (Entry.Actor.ASSISTANT, Entry.Actor.AGENT, Entry.Actor.SYSTEM)
"""Whose words are carried to the party. The system speaks where no AI agent does: who waits for a person is told so."""
SPEAKABLE_KINDS: Final = ("disclosure.shown", "message", "handoff.accepted")
ADOPTED: Final = CompiledOnce(
    lambda: Interaction.objects.filter(
        public_id=Given("public_id"), direction=Interaction.Direction.OUTBOUND, channel="voice", provider_id=Given("leg")
    ).select_related("conversation__owner_agent", "entry_point")
)
LOCKED: Final = CompiledOnce(
    lambda: Interaction.objects.filter(pk=Given("call"))
    .select_related("conversation", "entry_point")
    .select_for_update(no_key=True, of=("self",))
)
UNSPOKEN: Final = CompiledOnce(
    lambda: Entry.objects.filter(
        interaction=Given("call"),
        conversation=Given("conversation"),
        kind__in=SPEAKABLE_KINDS,
        audience=Entry.Audience.EVERYONE,
        actor_kind__in=OURS,
        redacted_at__isnull=True,
        seq__gt=Given("after"),
    ).order_by("seq")
)


@dataclass(frozen=True, slots=True)
class Unspoken:
    """Entries that this call's voice must say now, and where the call stood before, to give them back."""

    entries: tuple[Entry, ...]
    interaction: Interaction
    before: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Place:
    """Where the caller is to be: `at`, since when (seconds since 1970), and the `words` they hear first.

    `number` rises at every move; `is_reached` says that the platform has taken it. `for_consult`: on hold only while somebody is asked.
    """

    at: str = VOICE
    since: float = 0.0
    number: int = 0
    words: str = ""
    is_reached: bool = True
    for_consult: bool = False


def place_of(call: Interaction) -> Place:
    """Where the caller is to be, by the row as it was read."""
    kept = call.data.get("caller")
    return Place(**kept) if kept else Place()


def move(
    call_id: int, at: str, *, words: str = "", for_consult: bool = False, is_reached: bool = False, seen: int | None = None
) -> Place | None:
    """Notes where the caller is to be from now on, under the lock of the call's row; whoever asks has the platform do it.

    With `seen`, only when the last move was of that number; None when it was not, or when the call is over.
    """
    with transaction.atomic():
        row = lock(call_id)
        before = place_of(row)
        if row.state == Interaction.State.ENDED or (seen is not None and before.number != seen):
            return None
        since = before.since if before.at == at else timezone.now().timestamp()
        place = Place(at, since, before.number + 1, words, is_reached, for_consult)
        row.data["caller"] = asdict(place)
        row.data.pop("put_in_at", None)
        _keep_data(row)
    return place


def reach(call_id: int, number: int) -> bool:
    """The platform has taken the move of that number; False when there was another one meanwhile."""
    with transaction.atomic():
        row = lock(call_id)
        place = place_of(row)
        if place.number != number:
            return False
        row.data["caller"] = asdict(replace(place, is_reached=True, words=""))
        _keep_data(row)
    return True


def person_is_on(call: Interaction) -> bool:
    """Whether a person is on the call whom the caller hears, or will as soon as they are off hold: words need not be spoken into it."""
    return CallSeat.objects.filter(interaction=call, state=CallSeat.State.CONNECTED, manner__in=["talk", "barge"]).exists()


def waits_for_code(call: Interaction) -> bool:
    """Whether we rang this number because a chat asked for it and the code on the chat's screen was not keyed in yet.

    Anybody may have picked up, so nothing of the chat may be said, and nobody may be put on the line.
    """
    return bool(call.data.get("waits_for_code"))


def is_unplaced(call: Interaction) -> bool:
    """Whether the party of a call of ours has not been rung yet, or nobody knows whether."""
    return call.provider_id.startswith(UNPLACED)


def is_ringing_out(call: Interaction) -> bool:
    """Whether a person is calling the customer, who has not picked up: there is nobody to speak to yet."""
    return bool(call.data.get("call_back")) and call.answered_at is None


def webhook_waits(call: Interaction) -> bool:
    """Whether a webhook waits for the reply, so that nobody else may speak; it says what there is to say."""
    return float(call.data.get("webhook_until", 0)) > timezone.now().timestamp()


def was_just_spoken_into(call: Interaction) -> bool:
    """Whether words were put into the call so lately that a silence which is told of now came before them."""
    return timezone.now().timestamp() - float(call.data.get("put_in_at", 0)) < JUST_SECONDS


def note_that_it_was_heard(call: Interaction) -> None:
    """Whoever speaks after words were put into the call has heard them; most calls have nothing to note."""
    if "put_in_at" in call.data:
        call.data = change_data(call.pk, lambda data: data.pop("put_in_at", None)).data


def recording_of(call: Interaction) -> str:
    """What a screen shows of a call's recording: `on`, `paused`, or nothing."""
    state = call.data.get("recording") or {}
    return "paused" if state.get("paused") else "on" if state.get("on") else ""


def survey_of(call: Interaction) -> dict[str, Any]:
    """What is known of the question after a person has left; empty while it was not asked on this call."""
    return dict(call.data.get("survey") or {})


def is_in_survey(call: Interaction) -> bool:
    """Whether the caller was asked how it was and is still where they were asked, so that what they say answers that."""
    survey = survey_of(call)
    return bool(survey.get("step")) and survey.get("move") == place_of(call).number


def is_of_campaign(call: Interaction) -> bool:
    """Whether a campaign made the call."""
    return bool(call.data.get("campaign"))


def is_in_campaign_stage(call: Interaction) -> bool:
    """Whether what is said on the call is still the campaign's to settle."""
    return bool(call.data.get("campaign_stage"))


def is_being_recognised(call: Interaction) -> bool:
    """Whether a campaign's call does not know yet who has picked up, so that nothing but asking that may be said."""
    return call.data.get("campaign_stage") in (WHO_IS_IT, PROVING, MACHINE)


def change_data(interaction_id: int, change: Callable[[dict[str, Any]], None]) -> Interaction:
    """Lets `change` alter the call's data under the lock of its row; returns the row as it is then."""
    with transaction.atomic():
        row = lock(interaction_id)
        change(row.data)
        _keep_data(row)
    return row


def remember(interaction_id: int, **values: Any) -> None:
    """Sets keys of the call's data, whatever they were, in one statement."""
    with connection.cursor() as cursor:
        cursor.execute(REMEMBER, [json.dumps(values), interaction_id])


def adopt(public_id: UUID, provider_id: str) -> Interaction | None:
    """The call that we placed under this public id, once the platform has named its leg; None when that is another leg.

    Whoever hears of the leg first has it named: the answer to our request, or a webhook that overtook it.
    """
    placed = Interaction.objects.filter(public_id=public_id, direction=Interaction.Direction.OUTBOUND, channel="voice")
    placed.filter(provider_id=unplaced_id(public_id)).update(provider_id=provider_id)
    return ADOPTED.first(public_id=public_id, leg=provider_id)


def unplaced_id(public_id: UUID) -> str:
    """What stands for the platform's id of a call that it has not named yet."""
    return f"{UNPLACED}{public_id.hex}"


def claim_unspoken(
    interaction_id: int, *, as_webhook: bool, ready_by: datetime | None = None, said: Callable[[Unspoken], Mapping[str, Any]] | None = None
) -> Unspoken | None:
    """Takes what is to be said into a call and was not said yet, once, whoever asks. Locks the call's row.

    While a webhook is waiting to answer, only that webhook (`as_webhook`) may take it; its claim ends the waiting.
    When there is nothing to take, `ready_by` lets others speak no earlier than then: the filler is being said. `said` gives what the
    call's data is to hold of saying what was taken, and is written with the claim.
    None when there is nothing to say, somebody else may say it, or the call is over.
    """
    with transaction.atomic(savepoint=False):
        row = lock(interaction_id)
        if row.state == Interaction.State.ENDED:
            return None
        if not as_webhook and webhook_waits(row):
            return None
        before = dict(row.data)
        entries = tuple(_unspoken(row))
        if entries:
            row.data |= {"spoken_seq": entries[-1].seq, "spoken_conversation": row.conversation_id}
        elif as_webhook and ready_by:
            row.data["speak_after"] = ready_by.timestamp()
        if as_webhook:
            row.data.pop("webhook_until", None)
        elif entries:
            row.data["put_in_at"] = timezone.now().timestamp()
        unspoken = Unspoken(entries, row, before) if entries else None
        if unspoken and said:
            row.data |= said(unspoken)
        _keep_data(row)
    return unspoken


def give_back(unspoken: Unspoken) -> None:
    """Makes a claim undone because the words could not be put into the call, unless more was said since."""

    def undo(data: dict[str, Any]) -> None:
        if data.get("spoken_seq") == unspoken.entries[-1].seq:
            for key in ("spoken_seq", "spoken_conversation"):
                data.pop(key, None)
                if key in unspoken.before:
                    data[key] = unspoken.before[key]

    change_data(unspoken.interaction.pk, undo)


def _unspoken(row: Interaction) -> list[Entry]:
    after = row.data.get("spoken_seq", 0) if row.data.get("spoken_conversation") == row.conversation_id else 0
    return UNSPOKEN.all(call=row.pk, conversation=row.conversation_id, after=after)


def _keep_data(row: Interaction) -> None:
    """Writes the data of a row that is locked."""
    with connection.cursor() as cursor:
        cursor.execute(KEEP, [json.dumps(row.data), row.pk])


def lock(interaction_id: int) -> Interaction:
    """The call's row with its conversation and entry point, locked. Needs a transaction."""
    return LOCKED.get(call=interaction_id)
