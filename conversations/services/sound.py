"""What can be done with the sound of a recording without knowing what is said: hear whether anything is, and cut time out of it."""

from __future__ import annotations

import wave
from collections.abc import Sequence
from tempfile import SpooledTemporaryFile
from typing import IO, Final

import numpy

BEEP_SECONDS: Final = 1.0
"""What begins a message that is recorded: the platform's own tone."""
FRAME_SECONDS: Final = 0.02
LOUD: Final = 400.0
"""The loudness (root mean square of 16 bits) above which a frame is a voice and not the hiss of a line."""
SPOKEN_SECONDS: Final = 0.4
MOST_SECONDS: Final = 600
IN_MEMORY_BYTES: Final = 1_000_000
PIECE_FRAMES: Final = 65_536
MPEG1_RATES: Final = (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)
MPEG2_RATES: Final = (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)
"""Kilobits a second of layer III, by the index in a frame's header."""
SAMPLE_RATES: Final = {3: (44_100, 48_000, 32_000), 2: (22_050, 24_000, 16_000), 0: (11_025, 12_000, 8_000)}
"""Samples a second by the version in a frame's header."""
Span = tuple[float, float]
"""From which second of a recording to which."""


class CannotCut(Exception):
    """The file is of a kind, or so broken, that nothing can be cut out of it."""


def is_anything_said(file: IO[bytes]) -> bool:
    """Whether a WAV file of 16 bits has a voice in it after its tone; True for what cannot be read, since nothing said may be lost.

    Source of the format: Vonage, "Recording".
    """
    try:
        with wave.open(file, "rb") as sound:
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


def without(file: IO[bytes], content_type: str, spans: Sequence[Span]) -> IO[bytes]:
    """The recording without what lies in any of the spans, as a new file at its beginning. Raises CannotCut."""
    cut: IO[bytes] = SpooledTemporaryFile(max_size=IN_MEMORY_BYTES)  # noqa: SIM115  # whoever asked for it closes it
    try:
        if content_type == "audio/wav":
            _cut_wav(file, cut, spans)
        elif content_type == "audio/mpeg":
            _cut_mp3(file, cut, spans)
        else:
            raise CannotCut(content_type)
    except (wave.Error, EOFError, ValueError) as error:
        raise CannotCut(content_type) from error
    cut.seek(0)
    return cut


def _cut_wav(file: IO[bytes], cut: IO[bytes], spans: Sequence[Span]) -> None:
    with wave.open(file, "rb") as sound, wave.open(cut, "wb") as rest:
        rest.setparams(sound.getparams())
        rate, at, end = sound.getframerate(), 0, sound.getnframes()
        for first, last in [*((round(since * rate), round(until * rate)) for since, until in sorted(spans)), (end, end)]:
            while at < min(first, end):
                piece = sound.readframes(min(PIECE_FRAMES, min(first, end) - at))
                if not piece:
                    return
                rest.writeframes(piece)
                at += len(piece) // (sound.getsampwidth() * sound.getnchannels())
            if last > at:
                at = min(last, end)
                sound.setpos(at)


def _cut_mp3(file: IO[bytes], cut: IO[bytes], spans: Sequence[Span]) -> None:
    """Frame by frame, each of which lasts for as long as its header says. Source: ISO/IEC 11172-3, 2.4.1; ISO/IEC 13818-3."""
    at = 0.0
    _skip_tag(file)
    while header := file.read(4):
        length, seconds = _frame(header)
        body = file.read(length - 4)
        if not any(since < at + seconds and at < until for since, until in spans):
            cut.write(header + body)
        at += seconds


def _skip_tag(file: IO[bytes]) -> None:
    """Over the tag with which a file may begin. Source: ID3v2.4, 3.1."""
    tag = file.read(10)
    if tag[:3] == b"ID3" and len(tag) == 10:
        length = (tag[6] << 21) | (tag[7] << 14) | (tag[8] << 7) | tag[9]
        file.seek(10 + length)
    else:
        file.seek(0)


def _frame(header: bytes) -> tuple[int, float]:
    """How many bytes a frame of layer III has, and how many seconds. Raises CannotCut for what is none."""
    version, layer = header[1] >> 3 & 3, header[1] >> 1 & 3
    rate, sampling, padding = header[2] >> 4, header[2] >> 2 & 3, header[2] >> 1 & 1
    is_frame = len(header) == 4 and header[0] == 0xFF and header[1] >> 5 == 7
    if not is_frame or version == 1 or layer != 1 or not 0 < rate < 15 or sampling == 3:
        raise CannotCut("audio/mpeg")
    samples = 1_152 if version == 3 else 576
    bits = (MPEG1_RATES if version == 3 else MPEG2_RATES)[rate] * 1_000
    per_second = SAMPLE_RATES[version][sampling]
    return samples // 8 * bits // per_second + padding, samples / per_second
