"""A message that a caller leaves instead of waiting: asked for, recorded after a tone, kept when something was said.

It needs no consent to recording beyond its prompt: who speaks after “leave your message after the tone” does so to be recorded, and
nobody else is on the line. A refusal to have the call recorded stands, and is about the call.
"""

from __future__ import annotations

from django.utils.translation import gettext as _
from django.utils.translation import override

from conversations.flows import voicemail as filing
from conversations.models import CallRecording, Interaction
from conversations.services import numbers, recordings, sound, timeline, voicemail
from conversations.services.recordings import Finished
from conversations.services.timeline import NewEntry
from conversations.voice import ncco
from conversations.voice.ncco import Ncco
from conversations.voice.protocol import RecordingNews


def register() -> None:
    """Make this what takes messages."""
    voicemail.register(is_offered, take)


def is_offered(call: Interaction) -> bool:
    """Whether the caller may leave a message now: where the number takes some, and nobody is called back already."""
    return call.entry_point.takes_voicemail and call.state != Interaction.State.ENDED


def take(call: Interaction) -> Ncco:
    """Asks for the message, records it after a tone until the caller is silent or presses the hash key, and says what comes next."""
    with override(call.language):
        text = _prompt(call)
        timeline.append(
            call.conversation_id,
            NewEntry(kind="voicemail.asked", actor_kind="system", audience="staff", body=text, interaction=call, data={"wording": text}),
        )
        thanks = _("Thank you. If you have left a message, a colleague listens to it and calls you back. Goodbye.")
        if not _has_number(call):
            thanks = _("Thank you. If you have left a message, a colleague listens to it. Goodbye.")
        return [
            *ncco.talk(text, language=call.language),
            ncco.record_message(call),
            *ncco.goodbye(thanks, language=call.language),
        ]


def note(call: Interaction, news: RecordingNews) -> None:
    """The platform has a message of a caller. One without any length is none: they hung up at the tone."""
    if news.status == "transcribed":
        recordings.note_text(call, news.recording_id, news.url, at=news.at)
    if news.status != "recorded":
        return
    row = recordings.note(
        call, Finished(news.recording_id, news.url, news.began_at, news.seconds), kind=CallRecording.Kind.VOICEMAIL
    )
    if news.seconds == 0:
        recordings.remove(row, because=_("Nothing was said."), is_told=False)


def settle(row: CallRecording) -> None:
    """What follows from a message that was fetched, or may not come: it is filed, unless nothing was said. Idempotent."""
    if row.state == CallRecording.State.STORED:
        with recordings.storage().open(row.storage_name) as file:
            is_message = sound.is_anything_said(file)
        if not is_message:
            recordings.remove(row, because=_("Nothing was said."), is_told=False)
            return
    call = Interaction.objects.select_related("conversation", "entry_point").get(pk=row.interaction_id)
    with override(call.language):
        prompt = _prompt(call)
    filing.file(row, prompt=prompt)


def _has_number(call: Interaction) -> bool:
    """Whether there is a number to call back on; who has withheld theirs is promised no call."""
    return call.party.startswith("+")


def _prompt(call: Interaction) -> str:
    """What is said before the tone, and kept as what they agreed to by leaving a message: all that follows from it is named."""
    if not _has_number(call):
        return _(
            "Please leave your message after the tone, and say on which number we can reach you, since yours is not shown to us. When you"
            " have finished, press the hash key or say nothing more. A colleague listens to it."
        )
    asked = _(
        "Please leave your message after the tone. When you have finished, press the hash key or say nothing more. A colleague"
        " listens to it and calls you back."
    )
    text = _("If we cannot reach you then, we send you a text message.") if numbers.takes_texts(call.party) else ""
    return f"{asked} {text}".strip()
