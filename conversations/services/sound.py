"""Whether anything was said in a recording: looked for in the sound itself, without knowing what."""

from __future__ import annotations

import wave
from typing import IO, Final

import numpy

BEEP_SECONDS: Final = 1.0
"""What begins a message that is recorded: the platform's own tone."""
FRAME_SECONDS: Final = 0.02
LOUD: Final = 400.0
"""The loudness (root mean square of 16 bits) above which a frame is a voice and not the hiss of a line."""
SPOKEN_SECONDS: Final = 0.4
MOST_SECONDS: Final = 600


def is_anything_said(file: IO[bytes]) -> bool:
    """Whether a WAV file of 16 bits has a voice in it after its tone; True for what cannot be read, since nothing said may be lost.

    Source of the format: Vonage, "Recording".
    """
    try:
        with wave.open(file) as sound:
            if sound.getsampwidth() != 2:
                return True
            rate, channels = sound.getframerate(), sound.getnchannels()
            samples = numpy.frombuffer(sound.readframes(rate * MOST_SECONDS), dtype="<i2")
    except (wave.Error, EOFError, ValueError):
        return True
    length = max(1, int(rate * channels * FRAME_SECONDS))
    after_the_tone = samples[int(rate * channels * BEEP_SECONDS) :].astype("f4")
    frames = after_the_tone[: len(after_the_tone) // length * length].reshape(-1, length)
    loud = numpy.sqrt((frames**2).mean(axis=1)) > LOUD if len(frames) else numpy.zeros(0)
    return bool(loud.sum() * FRAME_SECONDS >= SPOKEN_SECONDS)
