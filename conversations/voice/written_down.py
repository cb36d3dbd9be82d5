"""Reads the file in which the platform wrote a recording down, tolerating what it leaves out."""

import json
from typing import Final

from conversations.services.transcripts import Sentence
from conversations.voice.protocol import MAX_SPOKEN_CHARACTERS, MalformedWebhook

MOST_SENTENCES: Final = 5_000
LONGEST_CALL_MS: Final = 86_400_000.0


def read(raw: bytes) -> list[Sentence]:
    """What was said in a recording, from the file in which the platform wrote it down. Raises MalformedWebhook when that is none.

    Source: Vonage, "Recording", transcriptions: `channels`, each with `transcript`, a list of sentences with times in milliseconds.
    """
    try:
        body = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise MalformedWebhook("the text of the recording is no JSON") from error
    channels = body.get("channels") if isinstance(body, dict) else None
    if not isinstance(channels, list):
        raise MalformedWebhook("the text of the recording has no channels")
    found = []
    for number, channel in enumerate(channels):
        said = channel.get("transcript") if isinstance(channel, dict) else None
        for each in said if isinstance(said, list) else []:
            text = _text(each.get("sentence")) if isinstance(each, dict) else ""
            if text:
                found.append(Sentence(number, text, _seconds(each.get("timestamp")), _seconds(each.get("duration"))))
    return found[:MOST_SENTENCES]


def _seconds(milliseconds: object) -> float:
    """Milliseconds of a call in seconds; 0 when they are none."""
    is_number = isinstance(milliseconds, int | float) and not isinstance(milliseconds, bool)
    return min(max(float(milliseconds), 0.0), LONGEST_CALL_MS) / 1_000 if is_number else 0.0  # type: ignore[arg-type]


def _text(value: object) -> str:
    return value.strip()[:MAX_SPOKEN_CHARACTERS] if isinstance(value, str) else ""
