"""What a linear chain says of each label and of each step, given the text: forward-backward (Rabiner, 1989) in NumPy.

Given the text, a chain of labels is a Markov chain: a label depends on the one before alone. Its steps follow from
what all ways to go on weigh together, so that the probability of a stretch of labels is a product of a few of them.

Many texts are computed at once, as sums of products. Where numbers would leave the range of float64, as scores of
several hundred make them, a text is computed in logarithms, alone, which is slower and always right.
"""

import itertools
from collections.abc import Sequence
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from malmoi.inference.engine import Chain

Array = NDArray[np.float64]
Places = NDArray[np.int64]

WIDEST = 110.0
"""How far apart the scores of the labels of one token may be for products, and those of a chain."""
LEAST = 1e-120
"""Below it, the weight of a label could become 0 on the way to a probability, which stands for what is forbidden."""
STEPS_BETWEEN = 8
"""After how many tokens weights are brought back to about 1."""


class Messages(Protocol):
    """The chains of some texts; a place is the number of a token, counted through all of them."""

    def marginals(self, places: Places) -> Array:
        """Return the probability of every label at each place, `(labels, places)`."""

    def step(self, places: Places, label: int, following: int) -> Array:
        """Return the probability of a label of the token after each place, if that at the place is given."""


class Weights(NamedTuple):
    """The scores of a chain as factors, of which the largest is 1; 0 where a step is forbidden.

    Args:
        ends: Those of the first label, and those of the last, `(2, labels)`.
        steps: Those of steps, by the label after and the one before, and the other way round, `(2, labels, labels)`.
    """

    ends: Array
    steps: Array


def weights_of(chain: Chain) -> Weights | None:
    """Return the weights of a chain; `None` if its scores are too far apart for products."""
    if not all(map(_fits_products, chain)):
        return None
    start, steps, end = (np.exp(_lowered(scores)) for scores in chain)
    return Weights(np.stack([start, end]), np.stack([steps.T, steps]))


class ProductMessages:
    """The chains of several texts, computed together.

    Args:
        emissions: The scores of the labels of each text, `(length, labels)`, none of them empty.
        weights: The weights of the chain.
    """

    def __init__(self, emissions: Sequence[Array], weights: Weights):
        lengths = np.array([len(row) for row in emissions])
        self._steps = weights.steps[1]
        # longest first, so that those that go on after a number of tokens are the first ones
        order = np.argsort(-lengths, kind="stable")
        row_of = np.empty_like(order)
        row_of[order] = np.arange(len(order))
        going_on = len(lengths) - np.searchsorted(np.sort(lengths), np.arange(lengths.max()), side="right")
        offsets = np.concatenate([[0], np.cumsum(going_on)])
        firsts = np.cumsum(lengths) - lengths
        position = np.arange(lengths.sum()) - np.repeat(firsts, lengths)
        row = np.repeat(row_of, lengths)
        # where each token stands if all texts are read from their beginnings at once, and from their ends
        self._forward = offsets[position] + row
        self._backward = offsets[np.repeat(lengths, lengths) - 1 - position] + row
        scores = np.concatenate(emissions).T.copy()  # labels first: most of what follows is along the tokens
        of_tokens = np.exp(scores - scores.max(axis=0))
        passed = np.empty((2, *of_tokens.shape))  # (direction, labels, tokens): what a token hands on
        passed[0][:, self._forward] = of_tokens
        passed[1][:, self._backward] = of_tokens
        received = np.empty_like(passed)
        received[:, :, : going_on[0]] = weights.ends[:, :, None]
        before = passed[:, :, :0]
        for time, (first, last) in enumerate(itertools.pairwise(offsets.tolist())):
            now, message = passed[:, :, first:last], received[:, :, first:last]
            if time:
                np.matmul(weights.steps, before[:, :, : last - first], out=message)
            np.multiply(now, message, out=now)
            if time % STEPS_BETWEEN == STEPS_BETWEEN - 1:
                now /= np.maximum(now.max(axis=1, keepdims=True), LEAST)
            before = now
        self._from_start, self._to_end, self._after = passed[0], passed[1], received[1]
        lost: NDArray[np.bool_] = np.logical_or.reduce((passed < LEAST) & (passed > 0), axis=1)
        lost_tokens = of_tokens.min(axis=0) < np.exp(-WIDEST)
        lost_tokens |= lost[0, self._forward] | lost[1, self._backward]
        self.exact = ~np.logical_or.reduceat(lost_tokens, firsts)
        """Whether each text could be computed in products, `(texts,)`."""

    def marginals(self, places: Places) -> Array:
        """Return the probability of every label at each place, `(labels, places)`."""
        together = self._from_start[:, self._forward[places]] * self._after[:, self._backward[places]]
        return _ratio(together, together.sum(axis=0))

    def step(self, places: Places, label: int, following: int) -> Array:
        """Return the probability of a label of the token after each place, if that at the place is given."""
        ahead = self._to_end[following, self._backward[places + 1]]
        return _ratio(self._steps[label, following] * ahead, self._after[label, self._backward[places]])


class LogMessages:
    """The chain of one text, computed in logarithms: for scores of any size, and steps that differ by place.

    Args:
        emissions: The scores of the labels, `(length, labels)`, of at least one token.
        start: Those of the first label, `(labels,)`.
        steps: Those of each step, `(length - 1, previous label, next label)`.
        end: Those of the last label, `(labels,)`.
    """

    def __init__(self, emissions: Array, start: Array, steps: Array, end: Array):
        self._steps = steps
        self.from_start, self._to_end, self.after = (np.empty_like(emissions) for _ in range(3))
        message = start
        for place, scores in enumerate(emissions):
            self.from_start[place] = _lowered(message + scores)
            if place < len(steps):
                message = np.logaddexp.reduce(self.from_start[place][:, None] + steps[place], axis=0)
        message = end
        for place in reversed(range(len(emissions))):
            self.after[place] = message
            self._to_end[place] = _lowered(message + emissions[place])
            if place:
                message = np.logaddexp.reduce(steps[place - 1] + self._to_end[place], axis=1)

    def marginals(self, places: Places) -> Array:
        """Return the probability of every label at each place, `(labels, places)`."""
        together = np.exp(_lowered(self.from_start[places] + self.after[places], axis=1)).T
        return _ratio(together, together.sum(axis=0))

    def step(self, places: Places, label: int, following: int) -> Array:
        """Return the probability of a label of the token after each place, if that at the place is given."""
        after = self.after[places, label]
        ahead = self._steps[places, label, following] + self._to_end[places + 1, following]
        possible = np.isfinite(after)
        return np.exp(np.where(possible, ahead, -np.inf) - np.where(possible, after, 0))


class WrittenChain(NamedTuple):
    """The chain of one text with its steps one by one, all of them logarithms.

    Args:
        emissions: The scores of the labels, `(length, labels)`.
        start: Those of the first label, `(labels,)`.
        steps: Those of each step, `(length - 1, previous label, next label)`.
        end: Those of the last label, `(labels,)`.
    """

    emissions: Array
    start: Array
    steps: Array
    end: Array

    def of_labels(self, labels: NDArray[np.int64]) -> "WrittenChain":
        """Return the chain of some of the labels, each as often as it is named."""
        steps = self.steps[:, labels[:, None], labels]
        return WrittenChain(self.emissions[:, labels], self.start[labels], steps, self.end[labels])

    def only(self, kept: NDArray[np.bool_]) -> "WrittenChain":
        """Return the chain of some of the tokens, in which the others may have any label; of one token at least."""
        start, end = self.start, self.end
        places = np.flatnonzero(kept)
        for place in range(places[0]):
            start = np.logaddexp.reduce((start + self.emissions[place])[:, None] + self.steps[place], axis=0)
        for place in reversed(range(places[-1] + 1, len(kept))):
            end = np.logaddexp.reduce(self.steps[place - 1] + self.emissions[place] + end, axis=1)
        joined = np.empty((len(places) - 1, *self.steps.shape[1:]))
        for number, (first, last) in enumerate(itertools.pairwise(places.tolist())):
            step = self.steps[first]
            for between in range(first + 1, last):
                onward = self.emissions[between][:, None] + self.steps[between]
                step = np.logaddexp.reduce(step[:, :, None] + onward[None], axis=1)
            joined[number] = step
        return WrittenChain(self.emissions[places], start, joined, end)


def write_out(emissions: Array, chain: Chain) -> WrittenChain:
    """Return the chain of one text with its steps one by one."""
    steps = np.broadcast_to(chain.transitions, (max(len(emissions) - 1, 0), *chain.transitions.shape))
    return WrittenChain(np.asarray(emissions, np.float64), chain.start, steps, chain.end)


def _fits_products(scores: Array) -> bool:
    """Tell whether the finite ones of some scores are near enough to each other to be weights."""
    finite = scores[np.isfinite(scores)]
    return not finite.size or float(np.ptp(finite)) <= WIDEST


def _lowered(scores: Array, axis: int | None = None) -> Array:
    """Return scores, of which the largest becomes 0, along an axis or of all; those that are all forbidden stay."""
    highest = scores.max(axis=axis, keepdims=True)
    lowered: Array = scores - np.where(np.isfinite(highest), highest, 0)
    return lowered


def _ratio(part: Array, whole: Array) -> Array:
    """Return part of whole; 0 where there is nothing at all."""
    return np.divide(part, whole, out=np.zeros_like(part), where=whole > 0)
