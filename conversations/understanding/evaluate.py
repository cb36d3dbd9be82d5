"""How well reasons are recognised: the product's own classifier, trained from some texts and asked about others."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from conversations.understanding.classify import THRESHOLD, Classification, Embedder, ReasonClassifier, train
from conversations.understanding.normalise import meaning

UNKNOWN: Final = "oos"
"""The category of texts that belong to no reason."""

Example = tuple[str, str]
"""A text and its category."""


@dataclass(slots=True)
class Tally:
    """What became of texts. `first` counts those whose likeliest reason is right, whatever its probability.

    At the threshold each text is `right`, `wrong` (taken for another reason) or `rejected` (taken for none).
    """

    texts: int = 0
    first: int = 0
    right: int = 0
    rejected: int = 0

    @property
    def wrong(self) -> int:
        """Texts that were taken for a reason that is not theirs."""
        return self.texts - self.right - self.rejected

    @property
    def accuracy(self) -> float:
        """The share of texts whose likeliest reason is right; 0 without texts."""
        return _share(self.first, self.texts)


@dataclass(slots=True)
class Evaluation:
    """The outcome for texts of known reasons, all together and by reason, and for those that belong to none.

    `taken_for` counts the texts of no reason by the reason that they were taken for.
    """

    threshold: float
    known: Tally = field(default_factory=Tally)
    by_reason: dict[str, Tally] = field(default_factory=lambda: defaultdict(Tally))
    unknown: Tally = field(default_factory=Tally)
    taken_for: Counter[str] = field(default_factory=Counter)

    @property
    def accuracy(self) -> float:
        """Of the texts that belong to a reason, the share whose likeliest reason is right."""
        return self.known.accuracy

    @property
    def recognised(self) -> float:
        """Of the same, the share for which the right reason was taken, being sure enough."""
        return _share(self.known.right, self.known.texts)

    @property
    def mistaken(self) -> float:
        """Of the same, the share for which a wrong reason was taken."""
        return _share(self.known.wrong, self.known.texts)

    @property
    def asked_back(self) -> float:
        """Of the same, the share for which no reason was taken."""
        return _share(self.known.rejected, self.known.texts)

    @property
    def rejection(self) -> float:
        """Of the texts that belong to no reason, the share for which none was taken."""
        return _share(self.unknown.rejected, self.unknown.texts)

    @property
    def false_acceptance(self) -> float:
        """Of the texts that belong to no reason, the share for which one was taken all the same."""
        return _share(self.unknown.wrong, self.unknown.texts)


def evaluate(
    trained: Sequence[Example], asked: Iterable[Example], embedder: Embedder, *, threshold: float = THRESHOLD
) -> Evaluation:
    """Trains from `trained` and asks about `asked`. Categories become reasons whose names are the categories in words.

    Texts of `trained` in UNKNOWN are further examples of what belongs nowhere. Texts of `asked` whose category is UNKNOWN
    or was not trained belong to no reason.
    """
    examples, found = list(asked), Evaluation(threshold)
    classifier = classifier_of(trained, embedder)
    vectors = embedder([meaning(text) for text, _ in examples])
    for (_, category), vector in zip(examples, vectors, strict=True):
        _count(found, category, classifier.classify(vector, threshold), known=category in classifier.labels and category != UNKNOWN)
    return found


def classifier_of(trained: Iterable[Example], embedder: Embedder) -> ReasonClassifier:
    """The classifier that these texts make."""
    phrases: dict[str, list[str]] = defaultdict(list)
    for text, category in trained:
        phrases[category].append(text)
    unknown = phrases.pop(UNKNOWN, [])
    names: Mapping[str, str] = {category: category.replace("_", " ") for category in phrases}
    return train(phrases, embedder, names=names, unknown=unknown)


def _count(found: Evaluation, category: str, answer: Classification, *, known: bool) -> None:
    likeliest = answer.reason or next((code for code, _ in answer.alternatives), None)
    for tally in (found.known, found.by_reason[category]) if known else (found.unknown,):
        tally.texts += 1
        tally.first += likeliest == category
        tally.right += answer.reason == category
        tally.rejected += answer.reason is None
    if not known and answer.reason:
        found.taken_for[answer.reason] += 1


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0
