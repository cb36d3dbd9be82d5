"""From a text to a reason: multinomial logistic regression over sentence embeddings.

Trained from the example phrases of the reasons, with small talk (data/small_talk.yaml) as a class of its own, so that
what belongs nowhere is not pressed into a reason. Pure: reads no database. What was measured, and why the
threshold is what it is, stands in docs/decisions/local-classifier.md.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final
from zipfile import BadZipFile

import numpy as np
import yaml
from numpy.typing import NDArray

from conversations.understanding.embed import DIMENSIONS, Vectors
from conversations.understanding.normalise import meaning

DATA: Final = Path(__file__).parent / "data"
THRESHOLD: Final = 0.4
INVERSE_REGULARISATION: Final = 20.0
TONE_REGULARISATION: Final = 0.5
SMALL_TALK: Final = ""
MAX_ALTERNATIVES: Final = 3

Embedder = Callable[[Sequence[str]], Vectors]


@dataclass(frozen=True, slots=True)
class Classification:
    """The reason (None: unknown), the probability of the likeliest reason, and the likeliest others with theirs.

    Of an unknown reason the likeliest guess is the first of the others.
    """

    reason: str | None
    confidence: float
    alternatives: tuple[tuple[str, float], ...]


@dataclass(frozen=True, slots=True)
class ReasonClassifier:
    """A trained classifier: `weights` of shape (reasons + 1, 384) and `bias`, one row per label; the empty label is small talk."""

    labels: tuple[str, ...]
    weights: NDArray[np.float32]
    bias: NDArray[np.float32]

    def classify(self, vector: Vectors, threshold: float = THRESHOLD) -> Classification:
        """The reason of one unit vector of shape (384,); below `threshold`, or for small talk, unknown."""
        if not any(self.labels):
            return Classification(None, 0.0, ())
        scores = self.weights @ vector + self.bias
        odds = np.exp(scores - scores.max())
        chances = odds / odds.sum()
        ranked = [(self.labels[index], float(chances[index])) for index in np.argsort(-chances)]
        reasons = [(label, round(chance, 4)) for label, chance in ranked if label != SMALL_TALK]
        best, confidence = reasons[0]
        known = ranked[0][0] != SMALL_TALK and confidence >= threshold
        # Of an unknown reason the likeliest guess is an alternative too: it is the first to ask about.
        others = reasons[1:] if known else reasons
        return Classification(best if known else None, confidence, tuple(others[:MAX_ALTERNATIVES]))

    def chances(self, vector: Vectors) -> dict[str, float]:
        """The probability of every reason for one unit vector of shape (384,)."""
        scores = self.weights @ vector + self.bias
        odds = np.exp(scores - scores.max())
        return {label: float(chance) for label, chance in zip(self.labels, odds / odds.sum(), strict=True) if label != SMALL_TALK}

    def to_bytes(self) -> bytes:
        """The classifier as a NumPy archive (no pickle), for a cache that other processes read."""
        return _packed(labels=np.array(self.labels, dtype=np.str_), weights=self.weights, bias=self.bias)

    @classmethod
    def from_bytes(cls, data: bytes) -> ReasonClassifier:
        """The classifier from `to_bytes`. Raises ValueError when it is something else."""
        labels, weights, bias = _unpacked(data, "labels", "weights", "bias")
        if weights.shape != (len(labels), DIMENSIONS) or bias.shape != (len(labels),):
            raise ValueError("Not a stored classifier.")
        return cls(tuple(str(label) for label in labels), weights, bias)


def _packed(**arrays: NDArray[Any]) -> bytes:
    file = io.BytesIO()
    np.savez(file, allow_pickle=False, **arrays)
    return file.getvalue()


def _unpacked(data: bytes, *names: str) -> tuple[NDArray[Any], ...]:
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as archive:
            return tuple(archive[name] for name in names)
    except (OSError, KeyError, EOFError, ValueError, BadZipFile) as error:
        raise ValueError("Not stored weights.") from error


def train(
    phrases: Mapping[str, Sequence[str]], embedder: Embedder, *, names: Mapping[str, str], unknown: Sequence[str] = ()
) -> ReasonClassifier:
    """A classifier from phrases by reason code, the name that each code has, and further texts that belong to no reason.

    A reason's name is one more example of it, which counts where there are few phrases. A reason without phrases is left
    out; without any phrase every text is unknown. Embedding is nearly all of the time (about 9 ms a phrase on one
    core): give an `embedder` that remembers the phrases it has seen.
    """
    examples = [
        (meaning(text), reason)
        for reason, texts in sorted(phrases.items())
        for text in dict.fromkeys([*texts, names[reason]] if texts else [])
    ]
    if not examples:
        return ReasonClassifier((SMALL_TALK,), np.zeros((1, DIMENSIONS), np.float32), np.zeros(1, np.float32))
    examples += [(meaning(text), SMALL_TALK) for text in (*small_talk(), *unknown)]
    vectors = embedder([text for text, _ in examples])
    # Loaded here, since it takes a second and most processes find trained weights in the cache.
    from sklearn.linear_model import LogisticRegression
    from threadpoolctl import threadpool_limits

    model = LogisticRegression(C=INVERSE_REGULARISATION, max_iter=500)
    # On a busy machine several threads wait for each other at every step: minutes instead of a second.
    with threadpool_limits(1):
        model.fit(vectors, [reason for _, reason in examples])
    labels = tuple(str(label) for label in model.classes_)
    weights, bias = np.asarray(model.coef_), np.asarray(model.intercept_)
    if len(labels) == 2:
        # With two classes scikit-learn keeps one row, the log odds of the second: half of them for it, half against.
        weights, bias = np.concatenate([-weights, weights]) / 2, np.concatenate([-bias, bias]) / 2
    return ReasonClassifier(labels, weights.astype(np.float32), bias.astype(np.float32))


@cache
def small_talk() -> tuple[str, ...]:
    """Examples of what belongs to no reason."""
    return tuple(str(text) for text in yaml.safe_load((DATA / "small_talk.yaml").read_text(encoding="utf-8")))


@dataclass(frozen=True, slots=True)
class ToneReader:
    """Ridge regression from an embedding to how the speaker feels."""

    weights: NDArray[np.float32]
    bias: float

    def read(self, vector: Vectors) -> float:
        """-1 (furious) to 1 (delighted) for one unit vector of shape (384,)."""
        return round(float(np.clip(self.weights @ vector + self.bias, -1.0, 1.0)), 3)

    def to_bytes(self) -> bytes:
        """The reader as a NumPy archive (no pickle)."""
        return _packed(weights=self.weights, bias=np.array(self.bias))

    @classmethod
    def from_bytes(cls, data: bytes) -> ToneReader:
        """The reader from `to_bytes`. Raises ValueError when it is something else."""
        weights, bias = _unpacked(data, "weights", "bias")
        if weights.shape != (DIMENSIONS,) or bias.shape != ():
            raise ValueError("Not a stored reader of tone.")
        return cls(weights, float(bias))


def tone_examples() -> bytes:
    """The scored sentences as they are stored."""
    return (DATA / "tone.yaml").read_bytes()


def train_tone(embedder: Embedder) -> ToneReader:
    """The reader of tone, from the scored sentences of data/tone.yaml."""
    groups = yaml.safe_load(tone_examples())
    examples = [(meaning(text), float(group["score"])) for group in groups for text in group["texts"]]
    # Loaded here for the same reason as in `train`.
    from sklearn.linear_model import Ridge

    model = Ridge(alpha=TONE_REGULARISATION)
    model.fit(embedder([text for text, _ in examples]), [score for _, score in examples])
    return ToneReader(np.asarray(model.coef_, np.float32), float(model.intercept_))
