"""Whether one model is better than another on the same sentences, or by luck (paired bootstrap).

Sentences are drawn with replacement, as many as there are, the same ones for both models (Efron and Tibshirani, 1993;
Koehn, 2004, https://aclanthology.org/W04-3250/). The figures of both models are computed on each sample; where the
middle 95 % of their differences lie is the interval. A sentence that is hard for both models makes no difference, so
it is narrower than the two intervals of the models suggest.
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Counts = NDArray[np.float64]
Figure = Callable[[Counts], NDArray[np.float64]]
"""From sums of counts, `(samples, counts)`, to a figure for each sample, `(samples,)`."""

SAMPLES = 2000
SEED = 1
LEVEL = 0.95
NUMBERS_AT_ONCE = 4_000_000
"""Of how many sentences in samples the weights are in memory at the same time."""
DEFINITION = (
    f"where the middle 95 % of {SAMPLES:,} differences lie, each on sentences drawn with replacement, the same ones "
    "for both models (paired bootstrap)"
)


class Difference(NamedTuple):
    """By how much a figure of one model is greater than that of another, and the 95 % interval of this."""

    value: float
    low: float
    high: float


def paired_bootstrap(
    counts: Counts, others: Counts, figures: Mapping[str, Figure], *, samples: int = SAMPLES, seed: int = SEED
) -> dict[str, Difference]:
    """Return by how much each figure of one model is greater than that of another.

    Args:
        counts: What the figures follow from, for each sentence, `(sentences, counts)`.
        others: The same of the other model, for the same sentences in the same order.
        figures: How each figure follows from sums of counts.
        samples: How many samples are drawn.
        seed: By which they are drawn.

    Raises:
        ValueError: If the models were not measured on the same number of sentences, or on none.
    """
    if counts.shape[0] != others.shape[0] or not counts.shape[0]:
        raise ValueError(f"Both models need the same sentences, got {counts.shape[0]} and {others.shape[0]}.")
    generator = np.random.default_rng(seed)
    sentences = counts.shape[0]
    both = np.concatenate([counts, others], axis=1).astype(np.float64)
    drawn = []
    at_once = max(1, NUMBERS_AT_ONCE // sentences)
    for first in range(0, samples, at_once):
        size = min(at_once, samples - first)
        picked = generator.integers(sentences, size=(size, sentences))
        times = np.stack([np.bincount(row, minlength=sentences) for row in picked])
        drawn.append(times @ both)
    sums = np.concatenate([both.sum(axis=0, keepdims=True), *drawn])
    edges = (1 - LEVEL) / 2, (1 + LEVEL) / 2
    result = {}
    for name, figure in figures.items():
        differences = figure(sums[:, : counts.shape[1]]) - figure(sums[:, counts.shape[1] :])
        low, high = np.quantile(differences[1:], edges)
        result[name] = Difference(float(differences[0]), float(low), float(high))
    return result


def ratio(numerator: Counts, denominator: Counts) -> NDArray[np.float64]:
    """Return quotients; 0 where there is nothing to divide by."""
    return np.divide(numerator, denominator, out=np.zeros_like(numerator, dtype=np.float64), where=denominator > 0)
