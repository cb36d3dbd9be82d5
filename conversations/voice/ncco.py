"""Call control objects: the only place that builds them. Plain dicts, since the SDK's models drop what they do not know.

Source: Vonage, "NCCO reference". A list of actions runs in order and the call ends after the last; once a `talk` has
`bargeIn`, the next action that is neither `talk` nor `stream` must be `input`.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final
from urllib.parse import urljoin, urlsplit
from xml.sax.saxutils import escape

from django.conf import settings
from django.templatetags.static import static
from django.urls import reverse
from django.utils.translation import gettext as _

from conversations.models import Interaction
from conversations.models.interaction import SpokenIn
from conversations.rendering import spoken

Action = dict[str, Any]
Ncco = list[Action]

MAX_TALK_CHARACTERS: Final = 1_400
"""The platform takes 1,500 characters; the rest is left for the tags around them."""
MAX_REPLY_TALKS: Final = 6
END_OF_SPEECH_SECONDS: Final = 1.2
"""After how long a silence somebody has usually ended; see `ear` for when it is another."""
SILENCE_SECONDS: Final = 3
"""How long the caller may hear nothing: the platform and our answer add to it, and nobody is to hear nothing for more than four."""
SILENCE_AFTER_MUSIC_SECONDS: Final = 2
"""How long the caller hears nothing between the music and the next announcement, while a person is being found, reads or writes."""
OWN_MUSIC: Final = "voice/waiting.wav"
OWN_MUSIC_AS_MP3: Final = "voice/waiting.mp3"
KEY_PAUSE_SECONDS: Final = 3
MOST_KEYS: Final = 20
"""The platform's limit. Keys that came in pieces could not be told apart: a code, a phone number, or a card's number."""
LONGEST_SPEECH_SECONDS: Final = 45
DECISION_SECONDS: Final = 4
"""How long an agent may think about a key, twice."""
RING_SECONDS: Final = 30
MESSAGE_SILENCE_SECONDS: Final = 4
TRIES_WITHOUT_ANSWER: Final = 4
"""How often somebody is listened to anew while our webhooks are not answered: for half a minute or more, which a restart takes."""
LONGEST_MESSAGE_SECONDS: Final = 180


@dataclass(frozen=True, slots=True)
class Ear:
    """How to listen: after how many seconds of silence somebody has ended, and which words they may say."""

    end_seconds: float = END_OF_SPEECH_SECONDS
    hints: tuple[str, ...] = ()


USUAL: Final = Ear()


def talk(text: str, *, language: str, barge_in: bool = False) -> Ncco:
    """Say `text`, which is plain words, cut at sentences into as many actions as the platform's limit asks for.

    A `language` that comes with a voice (`SpokenIn`) is spoken by it.
    """
    voice = dict(language.voice) if isinstance(language, SpokenIn) else {}
    spoken_by = {"language": str(language), "bargeIn": barge_in, **voice}
    return [{"action": "talk", "text": f"<speak>{piece}</speak>", **spoken_by} for piece in _pieces(text)]


def listen(
    *, language: str, silence_seconds: int = SILENCE_SECONDS, ear: Ear = USUAL, to: str = "voice:input"
) -> Action:
    """Wait for the caller to speak or to press keys; the answer goes to the input webhook, or to the one that `to` names."""
    recognition: dict[str, Any] = {
        "language": str(language),
        "endOnSilence": ear.end_seconds,
        "startTimeout": silence_seconds,
        "maxDuration": LONGEST_SPEECH_SECONDS,
    }
    if ear.hints:
        recognition["context"] = list(ear.hints)
    return {
        "action": "input",
        "type": ["dtmf", "speech"],
        "speech": recognition,
        "dtmf": {"timeOut": KEY_PAUSE_SECONDS, "maxDigits": MOST_KEYS, "submitOnHash": True},
        "eventUrl": [webhook_url(to)],
        "eventMethod": "POST",
    }


def reply(text: str, *, language: str, ear: Ear = USUAL) -> Ncco:
    """Say `text`, which the caller may interrupt, and listen; who says nothing hears that there is time, and is listened to again.

    Call within the language's translations. The first silence is answered with nothing, so that the platform goes on by itself.
    Source: Vonage, "NCCO reference", input.
    """
    return [
        *talk(text, language=language, barge_in=True),
        listen(language=language, ear=ear, to="voice:listening"),
        *talk(_("I am listening. Take your time."), language=language, barge_in=True),
        listen(language=language, ear=ear),
        *_staying(language, ear),
    ]


def working(text: str, *, language: str) -> Ncco:
    """Say `text` while something is being found out, and listen; silence after it asks what comes next, so that the wait is heard."""
    return [*talk(text, language=language, barge_in=True), listen(language=language), *_staying(language, USUAL)]


def _staying(language: str, ear: Ear) -> Ncco:
    """What runs only where the webhook before was not answered, since its answer takes the place of all that follows.

    The platform then goes on with the list, and ends the call after its last action; so a caller is not cut off while we start anew.
    Source: Vonage, "Webhook reference", failures of webhooks that are to answer with actions.
    """
    once_more = _("Sorry, something went wrong on our side. Please stay on the line, or say that once more.")
    at_last = _("We are sorry, our system does not answer at the moment. Please stay on the line, or call again in a few minutes.")
    told, listening = [once_more] * (TRIES_WITHOUT_ANSWER - 1) + [at_last], listen(language=language, ear=Ear(ear.end_seconds))
    return [action for words in told for action in [*talk(words, language=language, barge_in=True), listening]]


def before_listening(actions: Ncco, more: Ncco) -> Ncco:
    """The actions with `more` put in before the first time that the caller is listened to."""
    at = next((place for place, action in enumerate(actions) if action["action"] == "input"), len(actions))
    return [*actions[:at], *more, *actions[at:]]


def waiting(text: str, *, language: str, music: str, ear: Ear = USUAL) -> Ncco:
    """Say `text` and play music once, both of which the caller may interrupt, and listen. Silence after it asks what comes next."""
    return [
        *talk(text, language=language, barge_in=True),
        {"action": "stream", "streamUrl": [music], "bargeIn": True},
        listen(language=language, silence_seconds=SILENCE_AFTER_MUSIC_SECONDS, ear=ear),
        *_staying(language, ear),
    ]


def music_of(own: str) -> str:
    """The address of the music for those who wait: a number's own (`EntryPoint.waiting_music`), else ours."""
    return own or urljoin(settings.PUBLIC_URL, static(OWN_MUSIC))


def music_of_room(own: str) -> str:
    """The same for those who wait in a room until somebody starts it: an MP3, and ours where a number's own is none.

    Source: Vonage, "NCCO reference": `musicOnHoldUrl` takes MP3 alone, a `stream` WAV too.
    """
    return own if urlsplit(own).path.lower().endswith(".mp3") else urljoin(settings.PUBLIC_URL, static(OWN_MUSIC_AS_MP3))


def goodbye(text: str, *, language: str) -> Ncco:
    """Say `text` to the end and hang up."""
    return talk(text, language=language)


def silence(seconds: int) -> Ncco:
    """Say nothing for so long, then hang up."""
    return [{"action": "wait", "timeout": seconds}]


def on_hold(text: str, *, language: str, music: str) -> Ncco:
    """Say `text`, then play music over and over until the leg is moved on; nobody listens."""
    return [*talk(text, language=language), {"action": "stream", "streamUrl": [music], "loop": 0}]


def room(text: str, *, name: str, language: str, **options: Any) -> Ncco:
    """Say `text`, then join the named room. Leaving it ends nobody else's call, which a plain `connect` would.

    `options` are those of the action `conversation`, such as `canSpeak` and `record`. Source: Vonage, "NCCO reference".
    """
    return [*talk(text, language=language), {"action": "conversation", "name": name, "startOnEnter": True, "endOnExit": False, **options}]


def consult(text: str, again: str, *, listening_url: str, answer_url: str, language: str) -> Ncco:
    """Tell an agent privately what the call is about and wait for a key, so that no answering machine takes a caller.

    Who presses none is told `again` which key does what; the silence before that is answered with nothing, see `reply`.
    """
    said = [(text, listening_url), (again, answer_url)]
    return [action for words, url in said for action in [*talk(words, language=language, barge_in=True), _one_key(url)]]


def _one_key(url: str) -> Action:
    return {
        "action": "input",
        "type": ["dtmf"],
        "dtmf": {"timeOut": DECISION_SECONDS, "maxDigits": 1, "submitOnHash": False},
        "eventUrl": [url],
        "eventMethod": "POST",
    }


def record(call: Interaction, *, people: bool) -> Action:
    """Record the room that the leg is in from now on, while the next actions run; the `call-recording` webhook tells when it is over.

    Where `people` talk, the caller's voice and what the caller hears become two channels, and are written down where the entry point
    says so. Source: Vonage, "Recording".
    """
    address = webhook_url("voice:call-recording", public_id=call.public_id)
    action: Action = {"action": "record", "format": "mp3", "eventUrl": [address], "eventMethod": "POST"}
    if not people:
        return action
    action |= {"split": "conversation", "channels": 2}
    if call.entry_point.transcribes_recordings:
        action["transcription"] = {"language": call.language, "eventUrl": [address], "eventMethod": "POST"}
    return action


def record_message(call: Interaction) -> Action:
    """Record what the caller says after a tone, until they are silent, press the hash key, or three minutes are over; then go on.

    WAV, so that silence can be told from words. Source: Vonage, "Recording".
    """
    address = webhook_url("voice:voicemail", public_id=call.public_id)
    action: Action = {
        "action": "record",
        "format": "wav",
        "beepStart": True,
        "endOnSilence": MESSAGE_SILENCE_SECONDS,
        "endOnKey": "#",
        "timeOut": LONGEST_MESSAGE_SECONDS,
        "eventUrl": [address],
        "eventMethod": "POST",
    }
    if call.entry_point.transcribes_recordings:
        action["transcription"] = {"language": call.language, "eventUrl": [address], "eventMethod": "POST"}
    return action


def webhook_url(name: str, **arguments: Any) -> str:
    """The public address of one of our webhooks, by its URL name."""
    return urljoin(settings.PUBLIC_URL, reverse(name, kwargs=arguments or None))


@lru_cache(maxsize=500)
def _pieces(text: str) -> tuple[str, ...]:
    """`text` escaped for SSML, in pieces within the limit; what would take minutes to say is left out. Most calls say the same ones."""
    pieces: list[str] = []
    for sentence in spoken.sentences(text):
        for part in _short(escape(sentence)):
            if pieces and len(pieces[-1]) + 1 + len(part) <= MAX_TALK_CHARACTERS:
                pieces[-1] += f" {part}"
            else:
                pieces.append(part)
    return tuple(pieces[:MAX_REPLY_TALKS])


def _short(sentence: str) -> list[str]:
    """A sentence longer than the limit, cut between words, or through a word that is itself too long."""
    parts: list[str] = []
    while len(sentence) > MAX_TALK_CHARACTERS:
        cut = sentence.rfind(" ", 1, MAX_TALK_CHARACTERS)
        if cut < 1:
            ampersand = sentence.rfind("&", MAX_TALK_CHARACTERS - 6, MAX_TALK_CHARACTERS)
            cut = ampersand if ampersand > 0 else MAX_TALK_CHARACTERS
        parts.append(sentence[:cut])
        sentence = sentence[cut:].lstrip()
    return [*parts, sentence] if sentence else parts
