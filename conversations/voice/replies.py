"""What is said into a call next: the entries that were not said yet, or one of the few sentences that are no entries."""

from datetime import datetime, timedelta
from typing import Any, Final

from django.conf import settings
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import override

from conversations.models import Conversation, Entry, Interaction
from conversations.models.interaction import VOICES
from conversations.rendering import spoken
from conversations.services import call_state, callbacks
from conversations.services.call_state import Unspoken
from conversations.voice import ncco
from conversations.voice.ear import ear_for, ended_after
from conversations.voice.ncco import Ear, Ncco
from routing.compiled import CompiledOnce, Given
from routing.models import WorkItem

FILLER_SECONDS: Final = 0.8
"""How long a reply that just missed the webhook waits, so that it neither cuts the filler short nor overtakes it."""
HELD_FOR: Final = CompiledOnce(
    lambda: WorkItem.objects.filter(subject=Given("subject"), state__in=WorkItem.LIVE_STATES)
    .exclude(kind=callbacks.KIND_OF_WORK)
    .order_by()
    .values_list("pk")[:1]
)


def of(unspoken: Unspoken) -> Ncco:
    """The actions that say the claimed entries and listen, or end the call; the call remembers what was said and when."""
    actions, remembered = _saying(unspoken)
    if remembered:
        call_state.remember(unspoken.interaction.pk, **remembered)
    return actions


def taken(call_id: int) -> Ncco | None:
    """What was not said yet, taken by the webhook that answers, as the actions that say it; None when there is nothing, see `ready_by`.

    The claim and what the call remembers of it are one write. Locks the call's row.
    """
    found: list[Ncco] = []

    def said(unspoken: Unspoken) -> dict[str, Any]:
        # The turn may have changed the language.
        with override(unspoken.interaction.language):
            actions, remembered = _saying(unspoken)
        found.append(actions)
        return remembered

    call_state.claim_unspoken(call_id, as_webhook=True, ready_by=ready_by(), said=said)
    return found[0] if found else None


def _saying(unspoken: Unspoken) -> tuple[Ncco, dict[str, Any]]:
    """The actions that say claimed entries, and what the call's data is to hold of it."""
    call = unspoken.interaction
    if any(entry.data.get("ends_call") for entry in unspoken.entries):
        return closing(call, unspoken), {}
    text = " ".join(_words(entry) for entry in unspoken.entries)
    ear = ear_for(call, _choices(unspoken.entries[-1]))
    return _and_listen(call, text, ear), _remembered(text, ear, seq=unspoken.entries[-1].seq)


def offers_of_languages(call: Interaction) -> Ncco:
    """For each other language of the playbook, in itself and by a voice of its own, which key to press for it."""
    if call.conversation.owner_agent:
        return []
    actions: Ncco = []
    for key, language in language_keys(call).items():
        with override(language):
            text = _("To speak English here, press %(key)s.") % {"key": key}
        actions += ncco.talk(text, language=VOICES.get(language, language), barge_in=True)
    return actions


def language_keys(call: Interaction) -> dict[str, str]:
    """The keys for the languages that are not spoken on the call now, by their place in the playbook: 2 for the second.

    None where people answer: which languages they speak is not known.
    """
    if not call.entry_point.is_in_live_share(call.conversation.public_id):
        return {}
    now = call.language.partition("-")[0]
    return {str(place): each for place, each in enumerate(call.entry_point.playbook.languages, start=1) if each != now and place < 10}


def closing(call: Interaction, unspoken: Unspoken | None = None) -> Ncco:
    """What was not said yet, thanks and goodbye; then the call ends."""
    words = [_words(entry) for entry in unspoken.entries] if unspoken else []
    return ncco.goodbye(" ".join([*words, _("Thank you for calling. Goodbye.")]), language=call.language)


def again(call: Interaction) -> Ncco:
    """The last words once more, for a platform that asks twice."""
    said = call.data.get("said") or {}
    text, ear = said.get("text") or _("How can I help?"), ear_for(call)
    call_state.remember(call.pk, **_remembered(text, ear, seq=int(said.get("seq", 0))))
    return _and_listen(call, text, ear)


def aside(call: Interaction, text: str) -> Ncco:
    """Something that is no entry, such as “one moment”, and listen; with music before that when a person is waited for."""
    return _and_listen(call, text)


def filler(call: Interaction) -> Ncco:
    """What is said while the reply is being made."""
    return aside(call, _("One moment, please."))


def silence(call: Interaction) -> Ncco:
    """Nothing is said at first; the call listens on, with music when a person is waited for."""
    with override(call.language):
        return _and_listen(call, "")


def while_they_look(call: Interaction) -> Ncco:
    """Music after a sentence while the caller fetches or looks for something, as they said; they may speak at any time."""
    text, music = _("Take your time, I am still here."), ncco.music_of(call.entry_point.waiting_music)
    return ncco.waiting(text, language=call.language, music=music, ear=ear_for(call))


def ready_by() -> datetime:
    """The earliest time at which a reply may replace a filler that starts now."""
    return timezone.now() + timedelta(seconds=FILLER_SECONDS)


def waits_for_person(conversation: Conversation) -> bool:
    """Whether a person has the conversation or is being found for it."""
    if conversation.owner_kind == Conversation.Owner.HUMAN:
        return True
    return WorkItem.objects.filter(subject=conversation.public_id.hex, state__in=WorkItem.LIVE_STATES).exists()


def holds_the_line(conversation: Conversation) -> bool:
    """Whether a caller stays on the line for a person; whoever is called back need not."""
    if conversation.owner_kind == Conversation.Owner.HUMAN:
        return True
    return HELD_FOR.first(subject=conversation.public_id.hex) is not None


def owes_a_reply(conversation: Conversation) -> bool:
    """Whether the AI agent has not answered what was said last."""
    return conversation.owner_kind == Conversation.Owner.ASSISTANT and conversation.turn_wanted_seq > conversation.turn_done_seq


def keeps_waiting(call: Interaction) -> bool:
    """Whether the caller has waited for a reply for longer than anybody is let wait, counted from the first words that have none."""
    conversation = call.conversation
    if not owes_a_reply(conversation):
        return False
    longest = timedelta(seconds=settings.VOICE_LONGEST_WAIT_SECONDS)
    asked = Entry.objects.filter(interaction=call, conversation=conversation, kind="message", data__for_turn=True)
    return asked.filter(seq__gt=conversation.turn_done_seq, recorded_at__lt=Now() - longest).exists()


def heard(call: Interaction, *, next_words: str, ended_at: datetime) -> dict[str, Any] | None:
    """How much of the last reply was heard when the caller began to speak over it; None when it had been said to the end.

    An estimate: the platform tells when the caller stopped speaking, not when they began or how far the voice had got.
    Both are taken from the usual speed of speech.
    """
    said = call.data.get("said")
    if not said:
        return None
    began_at = ended_at.timestamp() - ended_after(call) - spoken.seconds_to_say(next_words)
    elapsed = began_at - float(said["at"])
    if elapsed >= spoken.seconds_to_say(said["text"]):
        return None
    words = str(said["text"]).split()
    count = min(len(words), round(elapsed * spoken.WORDS_A_SECOND))
    if count <= 0:
        # Nobody answers before the first word: what was said came faster than the usual speed of speech tells.
        return None
    return {"seq": said["seq"], "text": " ".join(words[:count]), "words": count, "of": len(words), "estimated": True}


def _remembered(text: str, ear: Ear, *, seq: int) -> dict[str, Any]:
    return {"said": {"seq": seq, "text": text, "at": timezone.now().timestamp(), "ended_after": ear.end_seconds}}


def _and_listen(call: Interaction, text: str, ear: Ear | None = None) -> Ncco:
    ear = ear or ear_for(call)
    if call_state.is_in_survey(call):
        return ncco.reply(text, language=call.language, ear=ear)
    if holds_the_line(call.conversation):
        return ncco.waiting(text, language=call.language, music=ncco.music_of(call.entry_point.waiting_music), ear=ear)
    if owes_a_reply(call.conversation):
        return ncco.working(text, language=call.language)
    return ncco.reply(text, language=call.language, ear=ear)


def _words(entry: Entry) -> str:
    if entry.kind == "handoff.accepted":
        return _("%(name)s has joined and will answer you here.") % {"name": entry.actor_name}
    words = spoken.words(entry.body, entry.data)
    if entry.actor_kind == Entry.Actor.AGENT:
        return _("%(name)s says: %(words)s") % {"name": entry.actor_name, "words": words}
    return words


def _choices(entry: Entry) -> list[str]:
    rows = entry.data.get("quick_replies")
    return [str(row.get("label", "")) for row in rows if isinstance(row, dict)][:10] if isinstance(rows, list) else []
