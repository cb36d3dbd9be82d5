"""The classifier of this company: trained from the reason codes in the database, shared between processes.

A fingerprint of the active reasons and their phrases is asked from the database whenever anything that is set up has changed; when it
has, too, the trained weights come from the cache, and only where they are missing there from training.
"""

from __future__ import annotations

import functools
import hashlib
import re
import threading
from collections import Counter, OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, TypeVar

from django.core.cache import cache
from django.db import connection

from conversations.understanding.classify import ReasonClassifier, ToneReader, small_talk, tone_examples, train, train_tone
from conversations.understanding.danger import Urgency
from conversations.understanding.embed import MODEL_SHA256
from conversations.understanding.languages import in_english
from conversations.understanding.vectors import remembered
from routing.configuration import kept
from routing.models import ReasonCode, ReasonPhrase

# Raised when training itself changes, so that what older processes left in the cache is not used.
FORM: Final = "2"
REMEMBERED: Final = 4
KEPT_SECONDS: Final = 7 * 24 * 3600
STAMP: Final = r"""
SELECT md5(string_agg(concat_ws(E'\x1f', reason.code, reason.name, reason.urgency, phrase.text), E'\x1e' ORDER BY reason.code, phrase.text))
  FROM routing_reasonphrase phrase JOIN routing_reasoncode reason ON reason.id = phrase.reason_id
 WHERE reason.active
"""
WORD: Final = re.compile(r"[a-z]+")
SAID_EVERYWHERE: Final = (
    "appointment booking visit engineer plumber technician person agent human invoice bill price question address number postcode",
    "cancel change move reschedule book confirm repeat complaint complain refund payment account email phone today tomorrow morning",
    "afternoon evening monday tuesday wednesday thursday friday saturday sunday please thanks emergency urgent heating water",
)
"""What customers of any company ask for, beside what is in its phrases."""
TrainedT = TypeVar("TrainedT")


@dataclass(frozen=True, slots=True)
class Reasons:
    """The trained classifier, the urgency each reason has by itself, and how often each word stands in the phrases."""

    classifier: ReasonClassifier
    urgencies: dict[str, Urgency]
    words: Mapping[str, int]


_lock = threading.Lock()
_trained: OrderedDict[str, Reasons] = OrderedDict()


def current() -> Reasons:
    """The classifier for the phrases as they are now.

    Costs one query when nothing changed. After a change the first caller trains, holding a lock of this process:
    about a second, more when many phrases were never embedded before (9 ms each); an event loop calls this
    through `asyncio.to_thread`.
    """
    fingerprint = _fingerprint()
    with _lock:
        if fingerprint not in _trained:
            _trained[fingerprint] = Reasons(_classifier(fingerprint), _urgencies(), _words())
        _trained.move_to_end(fingerprint)
        while len(_trained) > REMEMBERED:
            _trained.popitem(last=False)
        return _trained[fingerprint]


def latest() -> Reasons:
    """The classifier that this process asked for last, whether or not phrases were changed since: for what a change may reach later.

    Costs nothing but the first time, when it is `current`.
    """
    with _lock:
        if _trained:
            return next(reversed(_trained.values()))
    return current()


def tone_reader() -> ToneReader:
    """The reader of tone; its weights come from the cache, and only where they are missing there from training."""
    with _lock:
        return _tone_reader()


@functools.cache
def _tone_reader() -> ToneReader:
    key = f"understanding:tone:{hashlib.sha256(f'{FORM}:{MODEL_SHA256}'.encode() + tone_examples()).hexdigest()}"
    reader = _stored(key, ToneReader.from_bytes)
    if reader is None:
        reader = train_tone(remembered)
        cache.set(key, reader.to_bytes(), KEPT_SECONDS)
    return reader


@kept
def _fingerprint() -> str:
    with connection.cursor() as cursor:
        cursor.execute(STAMP)
        (found,) = cursor.fetchone()
    return hashlib.sha256(f"{_what_all_share()}:{found}".encode()).hexdigest()


@functools.cache
def _what_all_share() -> str:
    """The digest of what a classifier is trained from beside the phrases: the same as long as the process runs."""
    return hashlib.sha256(f"{FORM}:{MODEL_SHA256}:{small_talk()}".encode()).hexdigest()


def _classifier(fingerprint: str) -> ReasonClassifier:
    key = f"understanding:reasons:{fingerprint}"
    classifier = _stored(key, ReasonClassifier.from_bytes)
    if classifier is None:
        phrases, names = _examples()
        classifier = train(phrases, remembered, names=names)
        cache.set(key, classifier.to_bytes(), KEPT_SECONDS)
    return classifier


def _stored(key: str, read: Callable[[bytes], TrainedT]) -> TrainedT | None:
    """What the cache has under `key`; None, too, when it cannot be read."""
    stored = cache.get(key)
    try:
        return read(stored) if isinstance(stored, bytes) else None
    except ValueError:
        return None


def _examples() -> tuple[dict[str, list[str]], dict[str, str]]:
    """The phrases of each active reason that has any, and its name, both by its code."""
    phrases: dict[str, list[str]] = {}
    names: dict[str, str] = {}
    rows = ReasonPhrase.objects.filter(reason__active=True).order_by("reason__code", "text")
    for code, name, text in rows.values_list("reason__code", "reason__name", "text"):
        phrases.setdefault(code, []).append(in_english(text))
        names[code] = name
    return phrases, names


def _words() -> Mapping[str, int]:
    texts = ReasonPhrase.objects.filter(reason__active=True).values_list("text", flat=True)
    return Counter(word for text in (*texts, *SAID_EVERYWHERE) for word in WORD.findall(text.lower()))


def _urgencies() -> dict[str, Urgency]:
    return {reason.code: reason.urgency for reason in ReasonCode.objects.filter(active=True)}  # type: ignore[misc]
