"""The best tag sequences of a linear-chain CRF, and the best ones through every tag, compiled by numba.

Sentences of a group walk side by side, as in `crf_numba_kernels`; for `width` see `crf_numba_steps`.
"""

import math
from typing import Any

from .crf_numba_lanes import LANES, load, spread, store
from .crf_numba_steps import OUTDATED, compiled, extend_best, longest_of, read_scores

# arrays as numba sees them
Array = Any


@compiled
def lay_out_steps(transitions: Array, steps: Array) -> None:
    """Write scores of steps as `extend_best` takes them, forward and backward, `(2, tags, width)`."""
    tags = transitions.shape[0]
    for previous in range(tags):
        for tag in range(steps.shape[2]):
            steps[0, previous, tag] = transitions[previous, tag] if tag < tags else 0.0
            steps[1, previous, tag] = transitions[tag, previous] if tag < tags else 0.0


@compiled
def reach_tags(emissions: Array, lengths: Array, start: Array, transitions: Array, reached: Array, own: Array) -> None:
    """Compute the score of the best way to each tag at each position of a group of sentences.

    Args:
        emissions: `(sentences, length, tags)`, at most `LANES` sentences.
        lengths: `(LANES,)`.
        start: Scores, `(tags,)`.
        transitions: Scores, `(tags, width)`.
        reached: Written, `(longest, width, LANES)`.
        own: Working memory, `(width, LANES)`.
    """
    tags = start.shape[0]
    for step in range(reached.shape[0]):
        read_scores(emissions, lengths, step, own)
        if step == 0:
            for tag in range(tags):
                store(reached[0], tag, load(own, tag) + spread(start[tag]))
        else:
            extend_best(reached[step - 1], transitions, reached[step])
            for tag in range(tags):
                store(reached[step], tag, load(reached[step], tag) + load(own, tag))


@compiled
def choose_tags(step: int, lengths: Array, end: Array, arriving: Array, reached: Array, best: Array) -> None:
    """Write the best tag of a position of a group of sentences, given those of the next position.

    The way to the chosen tag alone is looked for: cheaper than keeping that to every tag.

    Args:
        step: The position.
        lengths: `(LANES,)`.
        end: Scores, `(tags,)`, float64.
        arriving: Scores of steps, `(next tag, width)`.
        reached: The score of the best way to each tag of this position, `(width, LANES)`.
        best: `(sentences, length)`.
    """
    tags = end.shape[0]
    for lane in range(best.shape[0]):
        if step >= lengths[lane]:
            continue
        leaving = end if step == lengths[lane] - 1 else arriving[best[lane, step + 1], :tags]
        chosen, highest = 0, -math.inf
        for tag in range(tags):
            score = reached[tag, lane] + leaving[tag]
            if score > highest:
                chosen, highest = tag, score
        best[lane, step] = chosen


@compiled
def walk_best_paths(
    emissions: Array,
    lengths: Array,
    start: Array,
    transitions: Array,
    end: Array,
    best: Array,
    memory: Array,
    steps: Array,
) -> None:
    """Write the best tags of each sentence up to its end.

    Args:
        emissions: `(batch, length, tags)`.
        lengths: `(batch,)`, and zeros up to a multiple of `LANES`.
        start: Scores, `(tags,)`.
        transitions: Scores, `(tags, tags)`.
        end: Scores, `(tags,)`, float64.
        best: Written, `(batch, length)`.
        memory: Working memory, `(length + 1, width, LANES)`, float64 like the next.
        steps: Working memory, `(2, tags, width)`.
    """
    if memory.shape[2] != LANES:
        raise ValueError(OUTDATED)
    lay_out_steps(transitions, steps)
    for first in range(0, emissions.shape[0], LANES):
        group = slice(first, min(first + LANES, emissions.shape[0]))
        group_lengths = lengths[first : first + LANES]
        reached = memory[: longest_of(group_lengths)]
        reach_tags(emissions[group], group_lengths, start, steps[0], reached, memory[-1])
        for step in range(reached.shape[0] - 1, -1, -1):
            choose_tags(step, group_lengths, end, steps[1], reached[step], best[group])


@compiled
def walk_max_marginals(
    emissions: Array,
    lengths: Array,
    start: Array,
    transitions: Array,
    end: Array,
    best: Array,
    scores: Array,
    memory: Array,
    steps: Array,
) -> None:
    """Write the best tags of each sentence up to its end, and for each tag there the score of the best way through it.

    Args:
        emissions: `(batch, length, tags)`.
        lengths: `(batch,)`, and zeros up to a multiple of `LANES`.
        start: Scores, `(tags,)`.
        transitions: Scores, `(tags, tags)`.
        end: Scores, `(tags,)`, float64.
        best: Written, `(batch, length)`.
        scores: Written, `(batch, length, tags)`.
        memory: Working memory, `(length + 3, width, LANES)`, float64 like the next.
        steps: Working memory, `(2, tags, width)`.
    """
    if memory.shape[2] != LANES:
        raise ValueError(OUTDATED)
    tags = start.shape[0]
    lay_out_steps(transitions, steps)
    own, onward, following = memory[-1], memory[-2], memory[-3]
    for first in range(0, emissions.shape[0], LANES):
        group = slice(first, min(first + LANES, emissions.shape[0]))
        group_lengths, rows = lengths[first : first + LANES], scores[group]
        reached = memory[: longest_of(group_lengths)]
        reach_tags(emissions[group], group_lengths, start, steps[0], reached, own)
        for tag in range(tags):
            store(onward, tag, spread(0.0))  # until a sentence begins, from its end, its lane is not read
        for step in range(reached.shape[0] - 1, -1, -1):
            choose_tags(step, group_lengths, end, steps[1], reached[step], best[group])
            for lane in range(LANES):
                if group_lengths[lane] == step + 1:
                    for tag in range(tags):
                        onward[tag, lane] = end[tag]
            for lane in range(rows.shape[0]):
                if step < group_lengths[lane]:
                    for tag in range(tags):
                        rows[lane, step, tag] = reached[step, tag, lane] + onward[tag, lane]
            if step > 0:
                read_scores(emissions[group], group_lengths, step, own)
                for tag in range(tags):
                    store(following, tag, load(own, tag) + load(onward, tag))
                extend_best(following, steps[1], onward)


__all__ = ["walk_best_paths", "walk_max_marginals"]
