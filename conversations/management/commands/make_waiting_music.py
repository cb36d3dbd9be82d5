"""Makes the music that callers hear while they wait: four soft chords, made by this command, so nobody else has rights in it."""

import math
import wave
from array import array
from pathlib import Path
from typing import Any, Final

from django.conf import settings
from django.core.management.base import BaseCommand

RATE: Final = 8_000
"""Samples a second: what a phone carries."""
CHORD_SECONDS: Final = 6.0
CHORDS: Final = ((220.0, 277.18, 329.63), (246.94, 293.66, 369.99), (185.0, 220.0, 277.18), (164.81, 207.65, 246.94))
"""A, B minor, F sharp minor and E, in hertz."""
NOTE_SECONDS: Final = 0.75
LOUDNESS: Final = 0.16
FADE_SECONDS: Final = 0.6


class Command(BaseCommand):
    """`manage.py make_waiting_music` writes static/voice/waiting.wav anew; the same sound each time.

    static/voice/waiting.mp3 is that file, encoded with LAME at 32 kbit/s: a room that has not started plays MP3 alone.
    """

    help = "Makes the music that callers hear while they wait (static/voice/waiting.wav)."

    def handle(self, *args: Any, **options: Any) -> None:
        target = Path(settings.BASE_DIR) / "static" / "voice" / "waiting.wav"
        target.parent.mkdir(parents=True, exist_ok=True)
        samples = array("h", (_sample(number / RATE) for number in range(int(RATE * CHORD_SECONDS * len(CHORDS)))))
        with wave.open(str(target), "wb") as sound:
            sound.setnchannels(1)
            sound.setsampwidth(2)
            sound.setframerate(RATE)
            sound.writeframes(samples.tobytes())
        self.stdout.write(f"{target}: {len(samples) / RATE:.0f} seconds")


def _sample(second: float) -> int:
    """The sound at a moment: a held chord, and over it its notes one after the other, each dying away."""
    chord = CHORDS[int(second / CHORD_SECONDS) % len(CHORDS)]
    inside = second % CHORD_SECONDS
    held = sum(math.sin(math.tau * note / 2 * second) for note in chord) / len(chord)
    step, since = divmod(inside, NOTE_SECONDS)
    plucked = math.sin(math.tau * chord[int(step) % len(chord)] * 2 * since) * math.exp(-4 * since) * min(1.0, since * 200)
    edge = min(1.0, inside / FADE_SECONDS, (CHORD_SECONDS - inside) / FADE_SECONDS)
    return round(32_767 * LOUDNESS * (held * 0.7 * edge + plucked))
