"""How often a reason is recognised, with 5, 10 and 30 phrases each, beside word frequencies with the same classifier.

Data: Banking77 (Casanueva et al., 2020; CC BY 4.0), 77 reasons, in a folder of its own: BANKING77_DATA, by default
../shared/data/banking77 beside the project. Phrases are drawn from train.csv, all 3,080 texts of test.csv are asked. The figure is
the median of the seeds. Accuracy: the likeliest reason is right, as published figures have it. Beside it, with ten reasons left out
of training: which share of the others is recognised at the threshold, and which share of the texts of those ten is rejected.

The classifier is the product's own, through `understanding.evaluate`; the names of the reasons are its examples too, as in the
product. What the phrases alone would give stands in the conditions.
"""

from __future__ import annotations

import csv
import os
import random
import statistics
import sys
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
from django.conf import settings
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression

from conversations.understanding.classify import THRESHOLD, train
from conversations.understanding.embed import Vectors, embed
from conversations.understanding.evaluate import Evaluation, Example, evaluate
from conversations.understanding.normalise import meaning

FOLDER = Path(os.environ.get("BANKING77_DATA") or settings.BASE_DIR.parent / "shared" / "data" / "banking77")
SEEDS = int(os.environ.get("BENCH_SEEDS", "5"))
WANTED = {5: 0.80, 10: 0.85, 30: 0.895}
LEFT_OUT = 10


def measure() -> Iterator[dict[str, Any]]:
    """Yields accuracy, recognition and rejection for each number of phrases."""
    if not all((FOLDER / name).exists() for name in ("train.csv", "test.csv")):
        print(f"Banking77 is not in {FOLDER}: set BANKING77_DATA to the folder with train.csv and test.csv.", file=sys.stderr)
        return
    pool, asked = _read("train.csv"), _read("test.csv")
    remembered: dict[str, Vectors] = {}
    for phrases, wanted in WANTED.items():
        yield from _figures(phrases, wanted, pool, asked, remembered)


def _figures(
    phrases: int, wanted: float, pool: Sequence[Example], asked: Sequence[Example], remembered: dict[str, Vectors]
) -> Iterator[dict[str, Any]]:
    ours, floor, alone, seconds, unknown = [], [], [], [], []
    for seed in range(SEEDS):
        trained = _drawn(pool, phrases, seed)
        _remember(remembered, [*trained, *asked])
        began = perf_counter()
        ours.append(evaluate(trained, asked, lambda texts: _looked_up(remembered, texts)).accuracy)
        seconds.append(perf_counter() - began)
        floor.append(_by_words(trained, asked))
        alone.append(_phrases_alone(trained, asked, remembered))
        left_out = set(random.Random(seed).sample(sorted({category for _, category in pool}), LEFT_OUT))
        kept = [each for each in trained if each[1] not in left_out]
        unknown.append(evaluate(kept, asked, lambda texts: _looked_up(remembered, texts)))
    median = statistics.median(ours)
    yield {
        "name": f"reason_accuracy.{phrases}_phrases",
        "value": round(median, 4),
        "unit": "share of texts",
        "floor": round(statistics.median(floor), 4),
        "ratio": round(median / statistics.median(floor), 3),
        "wanted": f">= {wanted}",
        "conditions": {
            "reasons": 77, "texts": len(asked), "seeds": SEEDS, "every_seed": [round(each, 4) for each in ours],
            "without_the_reasons_names": round(statistics.median(alone), 4), "seconds_to_train_and_ask": round(max(seconds), 2),
            "floor": "word frequencies (one and two words), logistic regression",
        },
    }  # fmt: skip
    yield _rejection(phrases, unknown)


def _rejection(phrases: int, found: Sequence[Evaluation]) -> dict[str, Any]:
    def middle(name: str) -> float:
        return round(statistics.median(getattr(each, name) for each in found), 4)

    return {
        "name": f"reason_accuracy.{phrases}_phrases.rejection",
        "value": middle("rejection"),
        "unit": "share of texts of reasons that were left out",
        "floor": None,
        "ratio": None,
        "wanted": None,
        "conditions": {
            "threshold": THRESHOLD, "reasons_left_out": LEFT_OUT, "seeds": SEEDS, "false_acceptance": middle("false_acceptance"),
            "recognised": middle("recognised"), "mistaken": middle("mistaken"), "asked_back": middle("asked_back"),
        },
    }  # fmt: skip


def _drawn(pool: Sequence[Example], phrases: int, seed: int) -> list[Example]:
    by_category: dict[str, list[str]] = defaultdict(list)
    for text, category in pool:
        by_category[category].append(text)
    chance = random.Random(seed)
    return [(text, category) for category in sorted(by_category) for text in chance.sample(by_category[category], phrases)]


def _by_words(trained: Sequence[Example], asked: Sequence[Example]) -> float:
    words = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True)
    model = LogisticRegression(C=20, max_iter=300)
    model.fit(words.fit_transform([text for text, _ in trained]), [category for _, category in trained])
    said = model.predict(words.transform([text for text, _ in asked]))
    return float(np.mean(said == np.array([category for _, category in asked])))


def _phrases_alone(trained: Sequence[Example], asked: Sequence[Example], remembered: dict[str, Vectors]) -> float:
    phrases: dict[str, list[str]] = defaultdict(list)
    for text, category in trained:
        phrases[category].append(text)
    classifier = train(phrases, lambda texts: _looked_up(remembered, texts), names={code: texts[0] for code, texts in phrases.items()})
    found = [classifier.classify(remembered[meaning(text)], 0.0) for text, _ in asked]
    likeliest = [each.reason or each.alternatives[0][0] for each in found]
    return float(np.mean([one == category for one, (_, category) in zip(likeliest, asked, strict=True)]))


def _remember(remembered: dict[str, Vectors], examples: Sequence[Example]) -> None:
    _looked_up(remembered, [meaning(text) for text, _ in examples])


def _looked_up(remembered: dict[str, Vectors], texts: Sequence[str]) -> Vectors:
    missing = sorted(set(texts) - remembered.keys())
    remembered.update(zip(missing, embed(missing), strict=True))
    return np.stack([remembered[text] for text in texts])


def _read(name: str) -> list[Example]:
    with (FOLDER / name).open(encoding="utf-8", newline="") as file:
        return [(row["text"], row["category"]) for row in csv.DictReader(file)]
