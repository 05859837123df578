"""The recursions of a linear-chain CRF as loops over numbers, compiled by numba.

Rows of tags come filled up to `width`, a multiple of what the wide instructions of a processor take, with entries that
change nothing: weights of 0, or scores of minus infinity. A message holds the weights of all ways to each tag and is
divided by its sum at every step.

This file travels with every saved model and is imported only where numba is installed.
"""

import math
from collections.abc import Callable
from typing import Any

try:
    from numba import njit
except ImportError as error:
    raise ImportError("The compiled CRF needs numba: pip install numba") from error

# arrays as numba sees them
Array = Any


def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile a function, and keep the machine code for the next process where there is a place for it."""
    # A product and a sum may be one instruction and a sum may be taken in any order; infinities keep their meaning.
    options: dict[str, Any] = {"nogil": True, "error_model": "numpy", "fastmath": {"contract", "reassoc"}}
    try:
        return njit(cache=True, **options)(function)
    except RuntimeError:  # no folder that can be written
        return njit(**options)(function)


@compiled
def extend(message: Array, transitions: Array, tags: int, extended: Array) -> None:
    """Take a step with a message: `extended[j]` becomes the sum over `i` of `message[i] * transitions[i, j]`."""
    for tag in range(extended.shape[0]):
        extended[tag] = 0.0
    # four at a time: a quarter of the reads and writes of `extended`
    for first in range(0, tags, 4):
        weight_0, weight_1 = message[first], message[first + 1]
        weight_2, weight_3 = message[first + 2], message[first + 3]
        row_0, row_1 = transitions[first], transitions[first + 1]
        row_2, row_3 = transitions[first + 2], transitions[first + 3]
        for tag in range(extended.shape[0]):
            extended[tag] += (
                weight_0 * row_0[tag] + weight_1 * row_1[tag] + weight_2 * row_2[tag] + weight_3 * row_3[tag]
            )


@compiled
def add_products(left: Array, right: Array, steps: int, tags: int, products: Array) -> None:
    """Add to `products[i, j]` the sum over `steps` of `left[step, i] * right[step, j]`; three more rows are zeros."""
    for first in range(0, steps, 4):
        row_0, row_1, row_2, row_3 = right[first], right[first + 1], right[first + 2], right[first + 3]
        for previous in range(tags):
            weight_0, weight_1 = left[first, previous], left[first + 1, previous]
            weight_2, weight_3 = left[first + 2, previous], left[first + 3, previous]
            product = products[previous]
            for tag in range(product.shape[0]):
                product[tag] += (
                    weight_0 * row_0[tag] + weight_1 * row_1[tag] + weight_2 * row_2[tag] + weight_3 * row_3[tag]
                )


@compiled
def weigh(scores: Array, weights: Array) -> float:
    """Write exp(score - highest score) of each tag, and return the highest score."""
    highest = -math.inf
    for tag in range(scores.shape[0]):
        highest = max(highest, scores[tag])
    for tag in range(scores.shape[0]):
        weights[tag] = math.exp(scores[tag] - highest)
    return highest


@compiled
def lower_scores(
    rows: tuple[int, int],
    emissions: Array,
    lengths: Array,
    largest_spread: float,
    highest: Array,
    too_far_apart: Array,
    lowered: Array,
) -> None:
    """Take the highest score of each position off its scores, in sentences `rows[0]` to `rows[1]`.

    Args:
        rows: The first sentence and the one after the last.
        emissions: `(batch, length, tags)`.
        lengths: `(batch,)`.
        largest_spread: How far the scores of a position may lie apart.
        highest: Written: the sum of what was taken off each sentence, `(batch,)`, float64.
        too_far_apart: Written: in which sentences scores lie further apart, `(batch,)`.
        lowered: Written up to the end of each sentence, `(rows, length, width)`, float64.
    """
    tags = emissions.shape[2]
    for row in range(rows[0], rows[1]):
        block_row = row - rows[0]
        total = 0.0
        spread = 0.0
        for step in range(lengths[row]):
            top, bottom = -math.inf, math.inf
            for tag in range(tags):
                score = float(emissions[row, step, tag])
                top = score if score > top else top
                bottom = score if score < bottom else bottom
                lowered[block_row, step, tag] = score
            for tag in range(tags):
                lowered[block_row, step, tag] -= top
            for tag in range(tags, lowered.shape[2]):
                lowered[block_row, step, tag] = -math.inf
            total += top
            if not top - bottom <= spread:
                spread = top - bottom
        highest[row] = total
        too_far_apart[row] = not spread <= largest_spread


@compiled
def walk_both_ways(
    rows: tuple[int, int],
    emissions: Array,
    labels: Array,
    lengths: Array,
    start: Array,
    transitions: Array,
    end: Array,
    highest: Array,
    left_out: Array,
    loss: Array,
    unary: Array,
    pairs: Array,
    weights: Array,
    forward: Array,
    outgoing: Array,
    matrices: Array,
) -> None:
    """Compute what `crf_numba.loss_and_gradients` returns for sentences `rows[0]` to `rows[1]`.

    Args:
        rows: The first sentence and the one after the last.
        emissions: `(batch, length, tags)`.
        labels: `(batch, length)`; a negative one is not counted.
        lengths: `(batch,)`.
        start: Scores, `(tags,)`, float64 like the next two.
        transitions: Scores, `(tags, tags)`.
        end: Scores, `(tags,)`.
        highest: What was taken off the emissions, `(batch,)`.
        left_out: Sentences that are not looked at, `(batch,)`.
        loss: Written, `(batch,)`.
        unary: Written, `(batch, length, tags)`.
        pairs: Written, `(batch, tags, tags)`.
        weights: Exponential function of lowered emissions, `(rows, length, width)`, float64.
        forward: Working memory of zeros, `(length + 4, width)`, float64 like the next two.
        outgoing: Likewise, `(length + 4, width)`.
        matrices: Likewise, `(3, width, width)`.
    """
    tags = emissions.shape[2]
    step_weights, step_weights_back, expected = matrices[0], matrices[1], matrices[2]
    highest_step = -math.inf
    for previous in range(tags):
        for tag in range(tags):
            highest_step = max(highest_step, transitions[previous, tag])
    for previous in range(tags):
        for tag in range(tags):
            step_weights[previous, tag] = math.exp(transitions[previous, tag] - highest_step)
            step_weights_back[tag, previous] = step_weights[previous, tag]
    for row in range(rows[0], rows[1]):
        length, block_row = lengths[row], row - rows[0]
        for step in range(length if not left_out[row] else 0, unary.shape[1]):
            for tag in range(tags):
                unary[row, step, tag] = 0.0
        if length == 0 or left_out[row]:
            loss[row] = 0.0
            for previous in range(tags):
                for tag in range(tags):
                    pairs[row, previous, tag] = 0.0
            continue

        # forward: what a message is divided by makes up the partition function
        message = forward[length]  # free until the next sentence
        log_partition = highest[row] + (length - 1) * highest_step + weigh(start, message[:tags])
        norm = 0.0
        for tag in range(tags):
            message[tag] *= weights[block_row, 0, tag]
            norm += message[tag]
        for tag in range(tags):
            forward[0, tag] = message[tag] / norm
        log_partition += math.log(norm)
        norms = outgoing[:, 0]
        for step in range(1, length):
            extend(forward[step - 1], step_weights, tags, message)
            norm = 0.0
            for tag in range(message.shape[0]):
                message[tag] *= weights[block_row, step, tag]
                norm += message[tag]
            scale = 1.0 / norm
            for tag in range(message.shape[0]):
                forward[step, tag] = message[tag] * scale
            norms[step] = scale
            log_partition += math.log(norm)

        # backward, divided by the same numbers: then forward times backward are probabilities
        backward = message
        log_partition += weigh(end, backward[:tags])
        norm = 0.0
        for tag in range(tags):
            norm += forward[length - 1, tag] * backward[tag]
        for tag in range(tags):
            backward[tag] /= norm
        log_partition += math.log(norm)
        for step in range(length - 1, -1, -1):
            for tag in range(tags):
                unary[row, step, tag] = forward[step, tag] * backward[tag]
            if step == 0:
                break
            scale = norms[step]
            for tag in range(backward.shape[0]):
                outgoing[step, tag] = weights[block_row, step, tag] * backward[tag] * scale
            extend(outgoing[step], step_weights_back, tags, backward)

        for tag in range(forward.shape[1]):
            for step in range(length - 1, length + 3):
                forward[step, tag] = 0.0
            for step in range(length, length + 4):
                outgoing[step, tag] = 0.0
            for previous in range(tags):
                expected[previous, tag] = 0.0
        add_products(forward, outgoing[1:], length - 1, tags, expected)
        for previous in range(tags):
            for tag in range(tags):
                pairs[row, previous, tag] = expected[previous, tag] * step_weights[previous, tag]

        # less what the labels use
        score = 0.0
        for step in range(length):
            label = labels[row, step]
            if label < 0:
                continue
            score += emissions[row, step, label]
            unary[row, step, label] -= 1
            if step > 0:
                score += transitions[labels[row, step - 1], label]
                pairs[row, labels[row, step - 1], label] -= 1
        if labels[row, 0] >= 0:
            score += start[labels[row, 0]] + end[labels[row, length - 1]]
        loss[row] = log_partition - score


@compiled
def walk_best_paths(
    emissions: Array,
    lengths: Array,
    start: Array,
    transitions: Array,
    end: Array,
    best: Array,
    scores: Array,
    table: Array,
) -> None:
    """Write the best tags of each sentence up to its end.

    Args:
        emissions: `(batch, length, tags)`.
        lengths: `(batch,)`.
        start: Scores, `(tags,)`, float64 like the next two.
        transitions: Scores, `(tags, tags)`.
        end: Scores, `(tags,)`.
        best: Written, `(batch, length)`.
        scores: Working memory of minus infinities, `(length, width)`, float64 like the next.
        table: Likewise, `(width, width)`.
    """
    tags = emissions.shape[2]
    for previous in range(tags):
        for tag in range(tags):
            table[previous, tag] = transitions[previous, tag]
    for row in range(emissions.shape[0]):
        length = lengths[row]
        if length == 0:
            continue
        for tag in range(tags):
            scores[0, tag] = start[tag] + emissions[row, 0, tag]
        for step in range(1, length):
            reached, left = scores[step], scores[step - 1]
            for tag in range(reached.shape[0]):
                reached[tag] = -math.inf
            for first in range(0, tags, 4):
                score_0, score_1, score_2, score_3 = left[first], left[first + 1], left[first + 2], left[first + 3]
                row_0, row_1, row_2, row_3 = table[first], table[first + 1], table[first + 2], table[first + 3]
                for tag in range(reached.shape[0]):
                    way_0, way_1 = score_0 + row_0[tag], score_1 + row_1[tag]
                    way_2, way_3 = score_2 + row_2[tag], score_3 + row_3[tag]
                    way_0 = way_0 if way_0 > way_1 else way_1
                    way_2 = way_2 if way_2 > way_3 else way_3
                    way_0 = way_0 if way_0 > way_2 else way_2
                    reached[tag] = way_0 if way_0 > reached[tag] else reached[tag]
            for tag in range(tags):
                reached[tag] += emissions[row, step, tag]
        chosen, highest = 0, -math.inf
        for tag in range(tags):
            if scores[length - 1, tag] + end[tag] > highest:
                chosen, highest = tag, scores[length - 1, tag] + end[tag]
        best[row, length - 1] = chosen
        # the way to the chosen tag alone is looked for: cheaper than keeping that to every tag
        for step in range(length - 2, -1, -1):
            following, chosen, highest = chosen, 0, -math.inf
            for tag in range(tags):
                if scores[step, tag] + table[tag, following] > highest:
                    chosen, highest = tag, scores[step, tag] + table[tag, following]
            best[row, step] = chosen


__all__ = ["lower_scores", "walk_best_paths", "walk_both_ways"]
