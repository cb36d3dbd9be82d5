"""What the record keeps about a live call: its state, what was said into it, and whose turn it is to speak.

`Interaction.data` of a call holds, each key from when it is first needed:

- `region_url`, `room`: where the platform controls the call, and its room there;
- `spoken_seq`, `spoken_conversation`: everything up to there has been handed to the voice;
- `said`: the last words handed over (`seq`, `text`, `at` in seconds since 1970);
- `webhook_until`: until then (seconds since 1970) a webhook waits for the reply, and nobody else may speak;
- `speak_after`: not before then (seconds since 1970) may a late reply be put into the call;
- `silences`: how often in a row nothing was heard; `stage`: what the last question was about;
- `chat`: the conversation that the caller was asked about; `code_given`: the source id of the last code that was tried;
- `code_attempts`, `code_misses`: how many codes were tried, and how many of them were wrong (see `joining`);
- `campaign`: the campaign that makes the call; `campaign_stage`: what is being found out about whoever picked up, `answers`, `question`
  and `prompts` how far that is; `outcome`: what became known of how the call went (`DialOutcome`);
- `call_back_step`: what a waiting caller who wants to be called back was asked about the number, `call_back_number` the number that
  was read back, `call_back_tries` how often it was asked for;
- `call_back`: that a person calls the customer: `agent`, `name`, `purpose`, `asked_gate` once the permission was asked for, `settled`
  once what follows from its end is under way;
- `recording`: whether the call is recorded, and what was said and asked about it, see `voice.recording`;
- `agent_leg`: the phone of a person (`attempt` that rings it, `id` once the platform named it, `state`, `agent`, `name`,
  `until` when it is looked after, `over`: legs whose end was told before their id), None when it is over.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from conversations.models import Entry, Interaction

STATE_ORDER: Final = {state: rank for rank, state in enumerate(("started", "ringing", "active", "ended"))}
PERSON_TALKING: Final = "talking"
"""The state of an `agent_leg` that has picked up and said yes."""
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
SPEAKABLE_KINDS: Final = ("disclosure.shown", "message", "handoff.accepted")


@dataclass(frozen=True, slots=True)
class Unspoken:
    """Entries that this call's voice must say now, and where the call stood before, to give them back."""

    entries: tuple[Entry, ...]
    interaction: Interaction
    before: dict[str, Any]


def person_is_on(call: Interaction) -> bool:
    """Whether a person and the caller hear each other, so that nothing need or may be spoken into the call."""
    leg = call.data.get("agent_leg") or {}
    return leg.get("state") == PERSON_TALKING and float(leg["until"]) > timezone.now().timestamp()


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


def recording_of(call: Interaction) -> str:
    """What a screen shows of a call's recording: `on`, `paused`, or nothing."""
    state = call.data.get("recording") or {}
    return "paused" if state.get("paused") else "on" if state.get("on") else ""


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
        row = _locked(interaction_id)
        change(row.data)
        row.save(update_fields=["data"])
    return row


def adopt(public_id: UUID, provider_id: str) -> Interaction | None:
    """The call that we placed under this public id, once the platform has named its leg; None when that is another leg.

    Whoever hears of the leg first has it named: the answer to our request, or a webhook that overtook it.
    """
    placed = Interaction.objects.filter(public_id=public_id, direction=Interaction.Direction.OUTBOUND, channel="voice")
    placed.filter(provider_id=unplaced_id(public_id)).update(provider_id=provider_id)
    return placed.filter(provider_id=provider_id).select_related("conversation__owner_agent", "entry_point").first()


def unplaced_id(public_id: UUID) -> str:
    """What stands for the platform's id of a call that it has not named yet."""
    return f"{UNPLACED}{public_id.hex}"


def claim_unspoken(interaction_id: int, *, as_webhook: bool, ready_by: datetime | None = None) -> Unspoken | None:
    """Takes what is to be said into a call and was not said yet, once, whoever asks. Locks the call's row.

    While a webhook is waiting to answer, only that webhook (`as_webhook`) may take it; its claim ends the waiting.
    When there is nothing to take, `ready_by` lets others speak no earlier than then: the filler is being said.
    None when there is nothing to say, somebody else may say it, or the call is over.
    """
    with transaction.atomic():
        row = _locked(interaction_id)
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
        row.save(update_fields=["data"])
    return Unspoken(entries, row, before) if entries else None


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
    return list(
        Entry.objects.filter(
            interaction=row,
            conversation=row.conversation_id,
            kind__in=SPEAKABLE_KINDS,
            audience=Entry.Audience.EVERYONE,
            actor_kind__in=[Entry.Actor.ASSISTANT, Entry.Actor.AGENT],
            redacted_at__isnull=True,
            seq__gt=after,
        ).order_by("seq")
    )


def _locked(interaction_id: int) -> Interaction:
    return (
        Interaction.objects.select_for_update(no_key=True, of=("self",))
        .select_related("conversation", "entry_point")
        .get(pk=interaction_id)
    )
