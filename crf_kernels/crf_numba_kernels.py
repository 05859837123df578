"""The recursions of a linear-chain CRF over positions, compiled by numba.

Sentences of a group walk side by side. Where one has ended or is missing, its lane goes on with scores of 0 until the
longest has ended, and is not read. A message holds the weights of all ways to each tag and is divided by the sum of
the one before. For `width` see `crf_numba_steps`.
"""

import math
from typing import Any

from .crf_numba_lanes import LANES, load, spread, store
from .crf_numba_steps import OUTDATED, TAGS_AT_A_TIME, compiled, extend, longest_of, multiply_columns
from .crf_numba_weights import weigh, weigh_positions, weigh_steps

# arrays as numba sees them
Array = Any


@compiled
def walk_forward(weights: Array, start: Array, transitions: Array, forward: Array, scales: Array) -> None:
    """Compute the forward messages of a group of sentences.

    Args:
        weights: Of tags at positions, `(longest, width, LANES)`.
        start: Weights, `(tags,)`.
        transitions: Weights, `(tags, width)`.
        forward: Written, `(longest, width, LANES)`.
        scales: Written: one by the sum of each message, by which the next one is multiplied, `(longest, LANES)`.
    """
    tags, scale = start.shape[0], spread(1.0)
    for step in range(weights.shape[0]):
        message, own = forward[step], weights[step]
        if step == 0:
            for tag in range(tags):
                store(message, tag, spread(start[tag]))
            for tag in range(tags, message.shape[0]):
                store(message, tag, spread(0.0))
        else:
            extend(forward[step - 1], transitions, message)
        total = spread(0.0)
        for tag in range(tags):
            weight = load(message, tag) * load(own, tag) * scale
            store(message, tag, weight)
            total += weight
        scale = spread(1.0) / total
        store(scales, step, scale)


@compiled
def walk_backward(
    lengths: Array, weights: Array, end: Array, transitions: Array, forward: Array, scales: Array, following: Array
) -> None:
    """Turn the weights of a group of sentences into probabilities, in place; they are 0 past the end of a sentence.

    Backward messages are divided by what the forward messages were, so that the two multiplied are probabilities.

    Args:
        lengths: `(LANES,)`.
        weights: Of tags at positions, `(longest, width, LANES)`.
        end: Weights, `(tags,)`.
        transitions: Weights, `(next tag, width)`: how `walk_forward` takes them, transposed.
        forward: Forward messages, `(longest, width, LANES)`.
        scales: `(longest, LANES)`. Changed at the end of each sentence, so that one by their product is the weight of
            all ways through it.
        following: Written: what a step to a tag and all that follows weigh, `(longest, width, LANES)`.
    """
    tags = end.shape[0]
    backward = following[0]  # nothing leads to the first position
    for tag in range(backward.shape[0]):
        store(backward, tag, spread(0.0))
    for step in range(weights.shape[0] - 1, -1, -1):
        message, own = forward[step], weights[step]
        for lane in range(LANES):
            if lengths[lane] == step + 1:
                norm = 0.0
                for tag in range(tags):
                    norm += message[tag, lane] * end[tag]
                for tag in range(tags):
                    backward[tag, lane] = end[tag] / norm
                scales[step, lane] = 1 / norm
        if step > 0:
            ways, scale = following[step], load(scales, step - 1)
            for tag in range(tags):
                store(ways, tag, load(own, tag) * load(backward, tag) * scale)
            for tag in range(tags, ways.shape[0]):  # looked at, and not used
                store(ways, tag, spread(0.0))
        for tag in range(tags):
            store(own, tag, load(message, tag) * load(backward, tag))
        if step > 0:
            extend(following[step], transitions, backward)


@compiled
def expect_steps(forward: Array, following: Array, transitions: Array, pairs: Array, products: Array) -> None:
    """Write how often each tag is expected after each other one in a group of sentences.

    Args:
        forward: Forward messages, `(longest, width, LANES)`.
        following: As `walk_backward` wrote it, `(longest, width, LANES)`.
        transitions: Weights, `(tags, width)`.
        pairs: Written, `(sentences, tags, tags)`.
        products: Working memory, `(TAGS_AT_A_TIME ** 2, LANES)`, float64.
    """
    tags = transitions.shape[0]
    for tag in range(0, tags, TAGS_AT_A_TIME):  # these columns of `following` stay near the processor
        for previous in range(0, tags, TAGS_AT_A_TIME):
            multiply_columns(forward, following, previous, tag, products)
            for lane in range(pairs.shape[0]):
                for row in range(previous, min(previous + TAGS_AT_A_TIME, tags)):
                    for column in range(tag, min(tag + TAGS_AT_A_TIME, tags)):
                        product = products[(row - previous) * TAGS_AT_A_TIME + column - tag, lane]
                        pairs[lane, row, column] = product * transitions[row, column]


@compiled
def write_rows(probabilities: Array, rows: Array) -> None:
    """Write `(longest, width, LANES)` to `(sentences, length, tags)`; 0 after the longest."""
    for step in range(probabilities.shape[0]):
        for lane in range(rows.shape[0]):
            for tag in range(rows.shape[2]):
                rows[lane, step, tag] = probabilities[step, tag, lane]
    for step in range(probabilities.shape[0], rows.shape[1]):
        for lane in range(rows.shape[0]):
            for tag in range(rows.shape[2]):
                rows[lane, step, tag] = 0.0


@compiled
def log_of_product(factors: Array, lane: int) -> float:
    """Return the logarithm of the product of `factors[:, lane]`, which may be out of any range."""
    total, product = 0.0, 1.0
    for step in range(factors.shape[0]):
        product *= factors[step, lane]
        if not 1e-100 < product < 1e100:  # a factor goes down to exp(-345)
            total += math.log(product)
            product = 1.0
    return total + math.log(product)


@compiled
def take_labels_off(
    emissions: Array, labels: Array, start: Array, transitions: Array, end: Array, unary: Array, pairs: Array
) -> float:
    """Return what the labels of a sentence score; each is taken off what is expected. A negative one is not counted.

    Args:
        emissions: `(length, tags)`.
        labels: Up to the end of the sentence, at least one.
        start: Scores, `(tags,)`.
        transitions: Scores, `(tags, tags)`.
        end: Scores, `(tags,)`.
        unary: Probabilities, `(length, tags)`.
        pairs: Expected steps, `(tags, tags)`.
    """
    score = 0.0
    for step in range(labels.shape[0]):
        label = labels[step]
        if label < 0:
            continue
        score += emissions[step, label]
        unary[step, label] -= 1
        if step > 0 and labels[step - 1] >= 0:
            score += transitions[labels[step - 1], label]
            pairs[labels[step - 1], label] -= 1
    if labels[0] >= 0:
        score += start[labels[0]] + end[labels[-1]]
    return score


@compiled
def walk_both_ways(
    emissions: Array,
    labels: Array,
    lengths: Array,
    start: Array,
    transitions: Array,
    end: Array,
    loss: Array,
    unary: Array,
    pairs: Array,
    largest_spread: float,
    too_far_apart: Array,
    memory: Array,
    steps: Array,
    lanes: Array,
) -> int:
    """Compute what `crf_numba.loss_and_gradients` returns; return of how many sentences weights cannot be used.

    Args:
        emissions: `(batch, length, tags)`.
        labels: `(batch, length)`; a negative one is not counted.
        lengths: `(batch,)`, and zeros up to a multiple of `LANES`.
        start: Scores, `(tags,)`.
        transitions: Scores, `(tags, tags)`.
        end: Scores, `(tags,)`.
        loss: Written, `(batch,)`.
        unary: Written, `(batch, length, tags)`.
        pairs: Written, `(batch, tags, tags)`.
        largest_spread: How far the scores of a position may lie apart.
        too_far_apart: Written: of which sentences weights cannot be used, `(batch,)`. What else is written of those
            has no meaning.
        memory: Working memory, `(3, length, width, LANES)`, float64 like the next two.
        steps: Working memory, `(4, tags, width)`.
        lanes: Working memory, `(length + 2 + TAGS_AT_A_TIME ** 2, LANES)`.
    """
    if memory.shape[3] != LANES:
        raise ValueError(OUTDATED)
    length, tags = emissions.shape[1:]
    start_weights, end_weights = steps[2, 0, :tags], steps[3, 0, :tags]
    taken_off = weigh(start, start_weights) + weigh(end, end_weights)
    highest_step = weigh_steps(transitions, steps[:2])
    scales, of_sentences, products = lanes[:length], lanes[length : length + 2], lanes[length + 2 :]
    how_many = 0
    for first in range(0, emissions.shape[0], LANES):
        group = slice(first, min(first + LANES, emissions.shape[0]))
        group_lengths = lengths[first : first + LANES]
        longest = longest_of(group_lengths)
        weights, forward, following = memory[0, :longest], memory[1, :longest], memory[2, :longest]
        weigh_positions(emissions[group], group_lengths, weights, of_sentences)
        walk_forward(weights, start_weights, steps[0], forward, scales)
        walk_backward(group_lengths, weights, end_weights, steps[1], forward, scales, following)
        expect_steps(forward, following, steps[0], pairs[group], products)
        write_rows(weights, unary[group])
        for row in range(group.start, group.stop):
            lane, end_of_row = row - first, lengths[row]
            too_far_apart[row] = not of_sentences[1, lane] <= largest_spread
            how_many += too_far_apart[row]
            loss[row] = 0.0
            if end_of_row > 0:
                ways = of_sentences[0, lane] + taken_off + (end_of_row - 1) * highest_step
                ways -= log_of_product(scales[:end_of_row], lane)
                loss[row] = ways - take_labels_off(
                    emissions[row, :end_of_row],
                    labels[row, :end_of_row],
                    start,
                    transitions,
                    end,
                    unary[row],
                    pairs[row],
                )
    return how_many


__all__ = ["walk_both_ways"]
