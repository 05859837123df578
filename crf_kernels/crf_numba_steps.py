"""A step of many sentences at once, compiled by numba: products, sums and maxima over tags.

Sentences are taken in groups of `LANES`, one in each lane of the wide registers. Rows of tags are filled up to
`width`, a multiple of `TAGS_AT_A_TIME`: the sums of so many are kept in registers.
"""

import math
from collections.abc import Callable
from typing import Any

from .crf_numba_lanes import LANES, add_product, exponential, larger, load, spread, store

try:
    from numba import njit
except ImportError as error:
    raise ImportError("The compiled CRF needs numba: pip install numba") from error

TAGS_AT_A_TIME = 4
# numba looks only at the file of a compiled function, not at those that it imports
OUTDATED = "This was compiled for other sizes: remove the files crf_numba*.nb? that numba keeps."

# arrays as numba sees them, and `Lanes` of four tags
Array = Any
Lanes = Any
Four = tuple[Lanes, Lanes, Lanes, Lanes]


def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile a function, and keep the machine code for the next process where there is a place for it."""
    options: dict[str, Any] = {"nogil": True, "error_model": "numpy"}
    try:
        return njit(cache=True, **options)(function)
    except RuntimeError:  # no folder that can be written
        return njit(**options)(function)


@compiled
def try_lanes(rows: Array) -> None:
    """Compute something with lanes: what this compiles, the other functions need."""
    lanes = load(rows, 0)
    store(rows, 0, larger(exponential(lanes - lanes), add_product(lanes, lanes, spread(0.0)) / lanes))


@compiled
def longest_of(lengths: Array) -> int:
    """Return the largest length, at least 1."""
    longest = 1
    for lane in range(lengths.shape[0]):
        longest = max(longest, lengths[lane])
    return longest


@compiled
def load_four(rows: Array, index: int) -> Four:
    """Return four rows from `index` on."""
    return load(rows, index), load(rows, index + 1), load(rows, index + 2), load(rows, index + 3)


@compiled
def spread_four(numbers: Array, index: int) -> Four:
    """Return four numbers from `index` on, each in all lanes."""
    return (
        spread(numbers[index]),
        spread(numbers[index + 1]),
        spread(numbers[index + 2]),
        spread(numbers[index + 3]),
    )


@compiled
def store_four(rows: Array, index: int, four: Four) -> None:
    """Write four rows from `index` on."""
    store(rows, index, four[0])
    store(rows, index + 1, four[1])
    store(rows, index + 2, four[2])
    store(rows, index + 3, four[3])


@compiled
def all_four(lanes: Lanes) -> Four:
    """Return the same lanes for four tags."""
    return lanes, lanes, lanes, lanes


@compiled
def add_products(totals: Four, factor: Lanes, factors: Four) -> Four:
    """Return `total + factor * other factor` for four tags."""
    return (
        add_product(totals[0], factor, factors[0]),
        add_product(totals[1], factor, factors[1]),
        add_product(totals[2], factor, factors[2]),
        add_product(totals[3], factor, factors[3]),
    )


@compiled
def larger_sums(best: Four, score: Lanes, others: Four) -> Four:
    """Return the larger one of `best` and `score + other score` for four tags."""
    return (
        larger(score + others[0], best[0]),
        larger(score + others[1], best[1]),
        larger(score + others[2], best[2]),
        larger(score + others[3], best[3]),
    )


@compiled
def extend(messages: Array, transitions: Array, extended: Array) -> None:
    """Take a step with messages.

    Args:
        messages: `(previous tag, LANES)`.
        transitions: Weights of steps, `(previous tag, width)`.
        extended: Written: the sums over `previous` of `messages[previous] * transitions[previous, tag]`,
            `(width, LANES)`.
    """
    for tag in range(0, transitions.shape[1], TAGS_AT_A_TIME):
        totals = all_four(spread(0.0))
        for previous in range(transitions.shape[0]):
            totals = add_products(totals, load(messages, previous), spread_four(transitions[previous], tag))
        store_four(extended, tag, totals)


@compiled
def extend_best(scores: Array, transitions: Array, extended: Array) -> None:
    """Take a step with scores: like `extend`, with the largest of sums instead of the sum of products."""
    for tag in range(0, transitions.shape[1], TAGS_AT_A_TIME):
        best = all_four(spread(-math.inf))
        for previous in range(transitions.shape[0]):
            best = larger_sums(best, load(scores, previous), spread_four(transitions[previous], tag))
        store_four(extended, tag, best)


@compiled
def multiply_columns(left: Array, right: Array, previous: int, tag: int, products: Array) -> None:
    """Write the sums over steps of `left[step - 1]` at four previous tags by `right[step]` at four tags.

    Args:
        left: `(longest, width, LANES)`.
        right: `(longest, width, LANES)`.
        previous: The first of the previous tags.
        tag: The first of the tags.
        products: Written, `(TAGS_AT_A_TIME ** 2, LANES)`.
    """
    totals_0 = totals_1 = totals_2 = totals_3 = all_four(spread(0.0))
    for step in range(1, right.shape[0]):
        factors, others = load_four(left[step - 1], previous), load_four(right[step], tag)
        totals_0 = add_products(totals_0, factors[0], others)
        totals_1 = add_products(totals_1, factors[1], others)
        totals_2 = add_products(totals_2, factors[2], others)
        totals_3 = add_products(totals_3, factors[3], others)
    store_four(products, 0, totals_0)
    store_four(products, 4, totals_1)
    store_four(products, 8, totals_2)
    store_four(products, 12, totals_3)


@compiled
def read_scores(emissions: Array, lengths: Array, step: int, scores: Array) -> None:
    """Write the scores of a position of a group of sentences, `(tags, LANES)`; 0 past their ends.

    Args:
        emissions: `(sentences, length, tags)`, at most `LANES` sentences.
        lengths: `(LANES,)`.
        step: The position.
        scores: Written.
    """
    for lane in range(LANES):
        if step < lengths[lane]:
            for tag in range(emissions.shape[2]):
                scores[tag, lane] = emissions[lane, step, tag]
        else:
            for tag in range(emissions.shape[2]):
                scores[tag, lane] = 0.0


__all__ = [
    "OUTDATED",
    "TAGS_AT_A_TIME",
    "compiled",
    "extend",
    "extend_best",
    "longest_of",
    "multiply_columns",
    "read_scores",
    "try_lanes",
]
