"""Figures of parts of the data: by length, by source, by what was seen in training."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence

from malmoi.metrics.counts import scores
from malmoi.reports.errors.answers import Confusion, Table

SOURCE = re.compile(r".*-([^\W\d_]+)")
MOST_SOURCES = 20
NAME_LENGTHS = (1, 2, 3, 4, 5, 9)
TEXT_LENGTHS = (10, 20, 40, 80)


class Breakdown:
    """Things found, predicted and right, by the part of the data that they belong to.

    Args:
        title: What the parts are, as the words of the page name it.
        counted: What is counted in the data, as the words of the page name it.
    """

    def __init__(self, title: str, counted: str):
        self.title, self.counted = title, counted
        self.gold: Counter[str] = Counter()
        self.predicted: Counter[str] = Counter()
        self.right: Counter[str] = Counter()

    def add(self, gold: Iterable[str], predicted: Iterable[str], right: Iterable[str]) -> None:
        """Add the parts to which those belong that are in the data, predicted, and both."""
        self.gold.update(gold)
        self.predicted.update(predicted)
        self.right.update(right)

    def table(self, order: Sequence[str] | None = None) -> Table:
        """Return precision, recall and F1 of each part; the most frequent first, or in an order."""
        # what the data never have may be predicted all the same
        by_number = [name for name, _ in (*self.gold.most_common(), *self.predicted.most_common())]
        names = list(dict.fromkeys(by_number)) if order is None else order
        rows: list[tuple[str, list[float]]] = [
            (name, [self.gold[name], *scores(self.right[name], self.predicted[name], self.gold[name])])
            for name in names
            if self.gold[name] or self.predicted[name]
        ]
        return Table(self.title, [self.counted, "precision", "recall", "f1"], rows)


def accuracy_table(title: str, parts: Sequence[str], right: Sequence[bool], order: Sequence[str] | None) -> Table:
    """Return the share of texts that are right in each part; the most frequent first, or in an order."""
    texts, correct = Counter(parts), Counter(part for part, is_right in zip(parts, right) if is_right)
    names = [name for name, _ in texts.most_common()] if order is None else order
    return Table(
        title,
        ["texts", "accuracy"],
        [(name, [texts[name], correct[name] / texts[name]]) for name in names if texts[name]],
    )


def confusion_of(pairs: Counter[tuple[str, str]], labels: Sequence[str], *, none: str | None) -> Confusion:
    """Return a matrix of pairs of gold and predicted labels; `none` is a further label, if given."""
    every = [*labels, *([] if none is None else [none])]
    return Confusion(every, [[pairs[gold, predicted] for predicted in every] for gold in every])


def bucket(length: int, bounds: Sequence[int]) -> str:
    """Return the name of the range that a length lies in."""
    low = 1
    for high in bounds:
        if length <= high:
            return str(high) if low == high else f"{low}–{high}"
        low = high + 1
    return f"{low}+"


def bucket_names(bounds: Sequence[int]) -> list[str]:
    """Return the names of all ranges, in their order."""
    return list(dict.fromkeys(bucket(length, bounds) for length in range(1, bounds[-1] + 2)))


def sources(ids: Sequence[str]) -> list[str] | None:
    """Return from where each text is, where ids tell: a word after their last hyphen, as in KLUE; otherwise `None`."""
    found = [match[1] for text_id in ids if (match := SOURCE.fullmatch(text_id))]
    return found if len(found) == len(ids) and 2 <= len(set(found)) <= MOST_SOURCES else None
