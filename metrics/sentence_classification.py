"""Every figure by which a classifier of texts is judged, each with its definition."""

from collections.abc import Sequence

from malmoi.metrics.counts import TagCounts
from malmoi.metrics.intervals import Interval, as_report, f1_of_joint, wilson_interval

DEFINITIONS = {
    "accuracy": "share of texts with the right class",
    "macro_f1": "unweighted mean of the F1 of all classes; that of a class that neither occurs nor is predicted is 0",
}
"""What each figure means; every figure is from 0 to 1."""


class SentenceClassificationMetrics:
    """Collect predictions text by text and return all figures. Memory does not grow with the set."""

    def __init__(self, classes: Sequence[str]):
        self.classes = list(classes)
        self.counts = TagCounts()
        self.confusion = [[0] * len(classes) for _ in classes]

    def update(self, predicted: int, gold: int) -> None:
        """Add a text with the ids of its predicted and its gold class."""
        self.counts.update([self.classes[gold]], [self.classes[predicted]])
        self.confusion[gold][predicted] += 1

    def compute(self) -> dict[str, float]:
        """Return all figures by name, including `precision/CLASS`, `recall/CLASS` and `f1/CLASS`."""
        return {
            "accuracy": self.counts.correct.total() / max(self.counts.gold.total(), 1),
            "macro_f1": self.counts.macro_f1(self.classes),
            **self.counts.by_tag(self.classes),
        }

    def details(self) -> dict[str, object]:
        """Return what a report shows beside figures: numbers of texts, 95 % intervals, and the confusion matrix.

        The matrix says how often each class (row) was taken for each (column).
        """
        right, texts = self.counts.correct.total(), self.counts.gold.total()
        return {
            "support": {name: self.counts.gold[name] for name in self.classes},
            "intervals": as_report(
                {
                    "accuracy": wilson_interval(right / texts, texts) if texts else None,
                    **{f"f1/{name}": self._f1_interval(name) for name in self.classes},
                }
            ),
            "confusion": {"classes": self.classes, "counts": self.confusion},
        }

    def _f1_interval(self, name: str) -> Interval | None:
        correct = self.counts.correct[name]
        either = self.counts.gold[name] + self.counts.predicted[name] - correct
        return f1_of_joint(wilson_interval(correct / either, either)) if either else None
