"""Sums of data: how many texts, how long, and how often which label."""

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from malmoi.data.inspection.inspected_text import InspectedText

QUANTILES = (0.0, 0.25, 0.5, 0.75, 0.95, 1.0)
"""Of lengths: the shortest, the quartiles, what 5 % exceed, the longest."""
MOST_EXAMPLES = 10


class SplitSummary(NamedTuple):
    """The sums of a split."""

    split: str
    texts: int
    characters: int
    """Spaces included."""
    words: int
    """Eojeols: what spaces divide."""
    labelled: int
    """Names, or texts with a class."""
    without_label: int
    """Texts without a name or a class."""
    lengths: list[int]
    """Of the texts in characters, at `QUANTILES`."""
    words_of_text: list[int]
    """Of the texts in words, at `QUANTILES`."""


class LabelSummary(NamedTuple):
    """How often a type of names, or a class, occurs."""

    label: str
    occurrences: int
    by_split: dict[str, int]
    distinct: int
    """So many different names, or texts."""
    lengths: list[int]
    """In characters, at `QUANTILES`."""
    examples: dict[str, int]
    """The most frequent names, and how often they have this type; none for a class."""


def split_summaries(texts: Sequence[InspectedText]) -> list[SplitSummary]:
    """Return the sums of each split, in the order of the data."""
    return [_of_split(split, rows) for split, rows in by_split(texts).items()]


def by_split(texts: Sequence[InspectedText]) -> dict[str, list[InspectedText]]:
    """Return the texts of each split."""
    found: dict[str, list[InspectedText]] = {}
    for row in texts:
        found.setdefault(row.split, []).append(row)
    return found


def label_summaries(texts: Sequence[InspectedText], labels: Sequence[str]) -> list[LabelSummary]:
    """Return the sums of each type or class, the most frequent first.

    Args:
        texts: The texts.
        labels: All types or classes of the data, also those that do not occur.
    """
    counts: dict[str, Counter[str]] = {label: Counter() for label in labels}
    contents: dict[str, Counter[str]] = {label: Counter() for label in labels}
    for row in texts:
        for start, end, label in row.names:
            counts[label][row.split] += 1
            contents[label][row.text[start:end]] += 1
        if row.label is not None:
            counts[row.label][row.split] += 1
            contents[row.label][row.text] += 1
    of_names = any(row.names for row in texts)
    summaries = [
        LabelSummary(
            label,
            counts[label].total(),
            dict(counts[label]),
            len(contents[label]),
            quantiles([len(content) for content in contents[label].elements()]),
            dict(contents[label].most_common(MOST_EXAMPLES)) if of_names else {},
        )
        for label in labels
    ]
    return sorted(summaries, key=lambda summary: (-summary.occurrences, summary.label))


def quantiles(lengths: Sequence[int]) -> list[int]:
    """Return what occurs at `QUANTILES`; nothing if there are no lengths."""
    return [int(value) for value in np.quantile(lengths, QUANTILES, method="nearest")] if lengths else []


def _of_split(split: str, rows: Sequence[InspectedText]) -> SplitSummary:
    words = [len(row.text.split()) for row in rows]
    lengths = [len(row.text) for row in rows]
    return SplitSummary(
        split,
        len(rows),
        sum(lengths),
        sum(words),
        sum(len(row.names) + (row.label is not None) for row in rows),
        sum(not row.names and row.label is None for row in rows),
        quantiles(lengths),
        quantiles(words),
    )
