"""Embeddings of texts that are asked for again and again: example phrases and passages.

Looked for in three places before they are computed: this process (see `embed`), the vectors that ship with the product
(data/vectors.npz, so that a fresh start is quick), and the cache that all processes share.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

import numpy as np
from django.core.cache import cache

from conversations.understanding.embed import DIMENSIONS, MODEL_SHA256, Vectors, embed

KEPT_SECONDS: Final = 30 * 24 * 3600
SHIPPED: Final = Path(__file__).parent / "data" / "vectors.npz"
PREFIX: Final = f"understanding:vector:{MODEL_SHA256[:16]}:"


def remembered(texts: Sequence[str]) -> Vectors:
    """As `embed`: unit vectors of shape (len(texts), 384), computed only where nobody has done so before."""
    if not texts:
        return np.empty((0, DIMENSIONS), dtype=np.float32)
    known = {text: shipped()[digest(text)] for text in texts if digest(text) in shipped()}
    known |= _cached([text for text in texts if text not in known])
    missing = sorted(set(texts) - set(known))
    if missing:
        fresh = dict(zip(missing, embed(missing), strict=True))
        cache.set_many({PREFIX + digest(text): vector.tobytes() for text, vector in fresh.items()}, KEPT_SECONDS)
        known |= fresh
    return np.stack([known[text] for text in texts])


@functools.cache
def shipped() -> dict[str, Vectors]:
    """The vectors that ship with the product, by the digest of their text."""
    with np.load(SHIPPED, allow_pickle=False) as archive:
        if str(archive["model"]) != MODEL_SHA256:
            return {}
        vectors = archive["vectors"].astype(np.float32)
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        return dict(zip((str(each) for each in archive["digests"]), vectors, strict=True))


def write_shipped(texts: Iterable[str], path: Path = SHIPPED) -> int:
    """Computes the vectors of `texts` anew and writes them where `shipped` reads them; returns how many there are."""
    ordered = sorted(set(texts))
    digests = np.array([digest(text) for text in ordered], dtype=np.str_)
    np.savez_compressed(path, model=np.array(MODEL_SHA256), digests=digests, vectors=embed(ordered).astype(np.float16))
    return len(ordered)


def _cached(texts: list[str]) -> dict[str, Vectors]:
    stored = cache.get_many([PREFIX + digest(text) for text in texts]) if texts else {}
    found = {text: _vector(stored.get(PREFIX + digest(text))) for text in texts}
    return {text: vector for text, vector in found.items() if vector is not None}


def digest(text: str) -> str:
    """What stands for a text where its vector is kept."""
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:32]


def _vector(stored: object) -> Vectors | None:
    if not isinstance(stored, bytes) or len(stored) != DIMENSIONS * np.dtype(np.float32).itemsize:
        return None
    return np.frombuffer(stored, dtype=np.float32)
