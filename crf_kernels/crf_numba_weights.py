"""From scores to weights, exp(score - highest score), and from gradients to weighted gradients, compiled by numba.

For `LANES` and `width` see `crf_numba_steps`.
"""

import math
from typing import Any

from .crf_numba_lanes import exponential, larger, load, smaller, spread, store
from .crf_numba_steps import compiled, read_scores

LOWEST = -1.7e308  # next to minus infinity

# arrays as numba sees them
Array = Any


@compiled
def weigh(scores: Array, weights: Array) -> float:
    """Write exp(score - highest score) of each tag, and return the highest score."""
    highest = -math.inf
    for tag in range(scores.shape[0]):
        highest = max(highest, float(scores[tag]))
    for tag in range(scores.shape[0]):
        weights[tag] = math.exp(scores[tag] - highest)
    return highest


@compiled
def weigh_steps(transitions: Array, weights: Array) -> float:
    """Write exp(score - highest score) of each step and of each step back; return the highest score.

    Args:
        transitions: Scores, `(tags, tags)`.
        weights: Written: from each tag to each, and transposed, `(2, tags, width)`.
    """
    highest = -math.inf
    for previous in range(transitions.shape[0]):
        for tag in range(transitions.shape[0]):
            highest = max(highest, float(transitions[previous, tag]))
    for previous in range(transitions.shape[0]):
        for tag in range(transitions.shape[0]):
            weights[0, previous, tag] = math.exp(transitions[previous, tag] - highest)
            weights[1, tag, previous] = weights[0, previous, tag]
        for tag in range(transitions.shape[0], weights.shape[2]):
            weights[0, previous, tag] = weights[1, previous, tag] = 0.0
    return highest


@compiled
def weigh_positions(emissions: Array, lengths: Array, weights: Array, of_sentences: Array) -> None:
    """Write exp(score - highest score of the position) of each tag at each position of a group of sentences.

    Args:
        emissions: `(sentences, length, tags)`, at most `LANES` sentences.
        lengths: `(LANES,)`.
        weights: Written, `(longest, width, LANES)`.
        of_sentences: Written: the sum of the highest scores of a sentence, and how far the scores of a position lie
            apart at most, `(2, LANES)`.
    """
    total, widest = spread(0.0), spread(0.0)
    for step in range(weights.shape[0]):
        own = weights[step]
        read_scores(emissions, lengths, step, own)
        top = bottom = load(own, 0)
        for tag in range(1, emissions.shape[2]):
            top, bottom = larger(load(own, tag), top), smaller(load(own, tag), bottom)
        for tag in range(emissions.shape[2]):
            store(own, tag, exponential(load(own, tag) - top))
        total += top
        # minus infinity less minus infinity would be no number
        widest = larger(larger(top, spread(LOWEST)) - bottom, widest)
    store(of_sentences, 0, total)
    store(of_sentences, 1, widest)


@compiled
def weigh_gradients(
    unary: Array,
    pairs: Array,
    lengths: Array,
    gradient: Array,
    emissions: Array,
    start: Array,
    transitions: Array,
    end: Array,
) -> None:
    """Write what `crf_gold.weigh_gradients` returns of its arguments, the first four, to the others."""
    tags = start.shape[0]
    for tag in range(tags):
        start[tag] = end[tag] = 0.0
        for previous in range(tags):
            transitions[previous, tag] = 0.0
    for row in range(unary.shape[0]):
        factor = gradient[row]
        derivatives, weighted = unary[row].reshape(-1), emissions[row].reshape(-1)
        for index in range(derivatives.shape[0]):
            weighted[index] = derivatives[index] * factor
        for previous in range(tags):
            for tag in range(tags):
                transitions[previous, tag] += pairs[row, previous, tag] * factor
        for tag in range(tags):
            start[tag] += emissions[row, 0, tag]
            end[tag] += emissions[row, max(0, lengths[row] - 1), tag]


__all__ = ["weigh", "weigh_gradients", "weigh_positions", "weigh_steps"]
