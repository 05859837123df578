"""Count names found, missed and invented; precision, recall and F1 follow from the counts.

Counts take the same memory whatever the size of the evaluated set.
"""

from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

from malmoi.data.alignment import Span


class Scores(NamedTuple):
    """Precision, recall and F1, each from 0 to 1; 0 where there is nothing to divide by."""

    precision: float
    recall: float
    f1: float


def scores(correct: int, predicted: int, gold: int) -> Scores:
    """Return precision, recall and F1 of so many correct, predicted and gold names."""
    return Scores(
        correct / predicted if predicted else 0.0,
        correct / gold if gold else 0.0,
        2 * correct / (predicted + gold) if predicted + gold else 0.0,
    )


class EntityCounts:
    """Names by type: in the gold standard, predicted, and both. A name is right if start, end and type are."""

    def __init__(self) -> None:
        self.gold: Counter[str] = Counter()
        self.predicted: Counter[str] = Counter()
        self.correct: Counter[str] = Counter()

    def update(self, gold: Iterable[Span], predicted: Iterable[Span]) -> None:
        """Count the names of one sentence."""
        gold, predicted = set(gold), set(predicted)
        self.gold.update(span.label for span in gold)
        self.predicted.update(span.label for span in predicted)
        self.correct.update(span.label for span in gold & predicted)

    def by_type(self) -> dict[str, Scores]:
        """Return the scores of each type that occurs, in alphabetical order."""
        types = sorted(set(self.gold) | set(self.predicted))
        return {name: scores(self.correct[name], self.predicted[name], self.gold[name]) for name in types}

    def micro(self) -> Scores:
        """Return the scores over all names together."""
        return scores(self.correct.total(), self.predicted.total(), self.gold.total())

    def macro_f1(self) -> float:
        """Return the unweighted mean of the F1 of the types that occur; 0 if there is none."""
        values = [score.f1 for score in self.by_type().values()]
        return sum(values) / len(values) if values else 0.0


class TagCounts:
    """Single tags: in the gold standard, predicted, and both."""

    def __init__(self) -> None:
        self.gold: Counter[str] = Counter()
        self.predicted: Counter[str] = Counter()
        self.correct: Counter[str] = Counter()

    def update(self, gold: Iterable[str], predicted: Iterable[str]) -> None:
        """Count the tags of one sentence, position by position."""
        for expected, found in zip(gold, predicted, strict=True):
            self.gold[expected] += 1
            self.predicted[found] += 1
            self.correct[expected] += expected == found

    def by_tag(self, tags: Iterable[str]) -> dict[str, float]:
        """Return `precision/TAG`, `recall/TAG` and `f1/TAG` of each tag."""
        return {
            f"{name}/{tag}": value
            for tag in tags
            for name, value in scores(self.correct[tag], self.predicted[tag], self.gold[tag])._asdict().items()
        }

    def macro_f1(self, tags: Iterable[str]) -> float:
        """Return the unweighted mean of `f1/TAG` of the tags; that of a tag that neither side has is 0."""
        values = [scores(self.correct[tag], self.predicted[tag], self.gold[tag]).f1 for tag in tags]
        return sum(values) / len(values)

    def klue_macro_f1(self, tags: Iterable[str]) -> float:
        """Return the same mean as KLUE-baseline computes it: a tag that neither side has counts as 1; of none, 1."""
        values = [
            scores(self.correct[tag], self.predicted[tag], self.gold[tag]).f1
            if self.gold[tag] or self.predicted[tag]
            else 1.0
            for tag in tags
        ]
        return sum(values) / len(values) if values else 1.0
