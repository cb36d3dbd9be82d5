"""The sound of simulated recordings: tones in `wav` where somebody speaks, one pitch for each; silence of the right length otherwise.

Sizes are known before the sound is made, since the platform tells them with the recording. Nothing is longer than ten minutes.
"""

import math
import struct
from array import array
from collections.abc import Sequence
from typing import Any, Final

RATE: Final = 8_000
LONGEST_SECONDS: Final = 600
PITCHES: Final = (220, 330, 440, 550, 660)
LOUDNESS: Final = 6_000
WAV_HEADER_BYTES: Final = 44
MP3_FRAME: Final = bytes([0xFF, 0xE3, 0x18, 0xC0]) + bytes(68)
"""MPEG 2.5, layer 3, 8 kbit/s, 8 kHz, mono: 72 milliseconds of nothing."""
MP3_FRAME_SECONDS: Final = 0.072
OPUS_SILENCE: Final = bytes([0xF8, 0xFF, 0xFE])
"""Twenty milliseconds of nothing. Source: RFC 6716."""
OPUS_PACKETS_PER_PAGE: Final = 50
OPUS_SAMPLES: Final = 960
TYPES: Final = {"mp3": "audio/mpeg", "wav": "audio/wav", "ogg": "audio/ogg"}
Tone = tuple[int, float, float, int]
"""A channel, from which second, for how many seconds, and whose pitch."""


def made(kind: str, seconds: float, channels: int, tones: Sequence[Tone]) -> bytes:
    """The bytes of a file of this kind (`wav`, `mp3`, `ogg`)."""
    seconds = min(seconds, LONGEST_SECONDS)
    if kind == "wav":
        return _wav(seconds, channels, tones)
    return MP3_FRAME * _mp3_frames(seconds) if kind == "mp3" else _ogg(seconds)


def size(kind: str, seconds: float, channels: int) -> int:
    """How many bytes `made` returns."""
    seconds = min(seconds, LONGEST_SECONDS)
    if kind == "wav":
        return WAV_HEADER_BYTES + 2 * channels * int(seconds * RATE)
    return len(MP3_FRAME) * _mp3_frames(seconds) if kind == "mp3" else len(_ogg(seconds))


def _mp3_frames(seconds: float) -> int:
    return max(1, math.ceil(seconds / MP3_FRAME_SECONDS))


def _wav(seconds: float, channels: int, tones: Sequence[Tone]) -> bytes:
    length = int(seconds * RATE)
    samples = array("h", bytes(2 * channels * length))
    for channel, since, lasts, voice in tones:
        pitch = PITCHES[voice % len(PITCHES)]
        one_second = [round(LOUDNESS * math.sin(2 * math.pi * pitch * step / RATE)) for step in range(RATE)]
        first, last = int(since * RATE), min(length, int((since + lasts) * RATE))
        for step in range(first, last):
            samples[step * channels + channel] = one_second[step % RATE]
    data = samples.tobytes()
    block = 2 * channels
    head = struct.pack(
        "<4sI4s4sIHHIIHH4sI", b"RIFF", 36 + len(data), b"WAVE", b"fmt ", 16, 1, channels, RATE, RATE * block, block, 16, b"data", len(data)
    )
    return head + data


def _ogg(seconds: float) -> bytes:
    """Opus in Ogg. Sources: RFC 3533, RFC 7845."""
    count = max(1, math.ceil(seconds / 0.02))
    head = b"OpusHead" + struct.pack("<BBHIhB", 1, 1, 0, 48_000, 0, 0)
    tags = b"OpusTags" + struct.pack("<I", 9) + b"simulator" + struct.pack("<I", 0)
    pages = [_page([head], 0, 0, 2), _page([tags], 0, 1, 0)]
    for number, first in enumerate(range(0, count, OPUS_PACKETS_PER_PAGE)):
        last = min(count, first + OPUS_PACKETS_PER_PAGE)
        pages.append(_page([OPUS_SILENCE] * (last - first), last * OPUS_SAMPLES, number + 2, 4 if last == count else 0))
    return b"".join(pages)


def _page(packets: list[bytes], position: int, number: int, flags: int) -> bytes:
    lacing = bytes(len(packet) for packet in packets)
    page = struct.pack("<4sBBqIIIB", b"OggS", 0, flags, position, 1, number, 0, len(lacing)) + lacing + b"".join(packets)
    return page[:22] + struct.pack("<I", _checksum(page)) + page[26:]


def _checksum(page: bytes) -> int:
    total = 0
    for byte in page:
        total = ((total << 8) ^ CHECKSUMS[(total >> 24) ^ byte]) & 0xFFFFFFFF
    return total


def _checksums() -> list[int]:
    found = []
    for byte in range(256):
        value = byte << 24
        for _bit in range(8):
            value = ((value << 1) ^ 0x04C11DB7) & 0xFFFFFFFF if value & 0x80000000 else value << 1
        found.append(value)
    return found


CHECKSUMS: Final[list[Any]] = _checksums()
