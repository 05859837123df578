"""The best sequences of labels of a chain, and how probable it is that a chain spells given names and no others."""

import heapq
import itertools
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from malmoi.data.alignment import OUTSIDE
from malmoi.inference.chain_messages import WrittenChain
from malmoi.inference.name_labels import NameLabels

Allowed = NDArray[np.bool_]
AT_ONCE = 256
"""How many answers are looked at side by side."""


def join_chains(chains: Sequence[WrittenChain]) -> WrittenChain:
    """Return the chain of several chains, one after the other, that have no influence on each other."""
    steps = [chains[0].steps]
    for before, after in pairwise(chains):
        steps += [(before.end[:, None] + after.start)[None], after.steps]
    emissions = np.concatenate([chain.emissions for chain in chains])
    return WrittenChain(emissions, chains[0].start, np.concatenate(steps), chains[-1].end)


def chain_of_names(chain: WrittenChain, labels: NameLabels) -> WrittenChain:
    """Return a chain in which the label of no name stands for all labels, too, that are read as if they were it.

    Without a CRF, and with one that does not give such labels, it is as probable as before that it spells given names;
    otherwise about as probable.
    """
    silent, outside = labels.spells_nothing(), labels.outside()
    steps = chain.steps + chain.emissions[1:, None]
    steps[:, :, outside] = np.logaddexp(
        steps[:, :, outside], np.logaddexp.reduce(np.where(silent, steps, -np.inf), axis=2)
    )
    steps[:, silent] = -np.inf
    start = chain.start + chain.emissions[0]
    first = silent[outside]  # before the first token there is no name, either
    start[outside] = np.logaddexp(start[outside], np.logaddexp.reduce(np.where(first, start, -np.inf)))
    start[first] = -np.inf
    return WrittenChain(np.zeros_like(chain.emissions), start, steps, chain.end)


def best_sequences(chain: WrittenChain, count: int) -> Iterator[list[int]]:
    """Yield the most probable sequences of labels, the best first; more than are taken are not looked for.

    Of all sequences that have not been yielded, those that leave a yielded one at some place, going backwards, for
    some label are one set (Lawler, 1972, https://doi.org/10.1287/mnsc.18.7.401). The best of a set follows the best
    ways (Viterbi) from there on, so its score is known without looking for it.

    Args:
        chain: A chain of at least one token.
        count: How many, at most; there may be fewer.
    """
    best_ways, losses, ends = _best_ways(chain)
    # the score, negative, for a heap gives the least first; a number, for scores may be the same; the sequence that is
    # left, and where and for which label
    last = len(best_ways)
    none = np.full(last + 1, -1, np.int32)
    sets = [(-score, label, none, last, label) for label, score in enumerate(ends.tolist()) if not np.isneginf(score)]
    heapq.heapify(sets)
    numbers = itertools.count(len(ends))
    least = -np.inf
    for left in range(count, 0, -1):
        if not sets:
            return
        negative, _, origin, place, label = heapq.heappop(sets)
        sequence = _leave(origin, place, label, best_ways)
        yield sequence.tolist()
        # (place, label): what leaves this one further to the front, for another label
        scores = losses[np.arange(place), :, sequence[1 : place + 1]] - negative
        scores[np.arange(place), sequence[:place]] = -np.inf
        flat = scores.reshape(-1)
        useful = np.flatnonzero(flat > least)
        if len(useful) > left:
            useful = useful[np.argpartition(-flat[useful], left - 1)[:left]]
        for at in useful.tolist():
            heapq.heappush(sets, (-float(flat[at]), next(numbers), sequence, *divmod(at, len(ends))))
        if len(sets) > 4 * left:  # more than can still be yielded
            sets = heapq.nsmallest(left, sets)
            least = -sets[-1][0]


def _best_ways(chain: WrittenChain) -> tuple[NDArray[np.int32], NDArray[np.float64], NDArray[np.float64]]:
    """Return the best ways through a chain (Viterbi).

    Returns:
        The best label before each label of each token but the first, `(step, label)`; what it costs to come from
        another one, not above 0, `(step, label before, label)`; and the score of the best way to each last label.
    """
    scores = chain.start + chain.emissions[0]
    losses = np.full(chain.steps.shape, -np.inf)
    best_ways = np.zeros((len(chain.steps), len(scores)), np.int32)
    for place, step in enumerate(chain.steps):
        ways = scores[:, None] + step
        best_ways[place] = ways.argmax(axis=0)
        scores = ways.max(axis=0)
        # no way leads on to a label to which none leads
        np.subtract(ways, scores, out=losses[place], where=~np.isneginf(scores))
        scores = scores + chain.emissions[place + 1]
    return best_ways, losses, scores + chain.end


def _leave(origin: NDArray[np.int32], place: int, label: int, best_ways: NDArray[np.int32]) -> NDArray[np.int32]:
    """Return the best sequence that is like another one behind a place, where it has a certain label."""
    sequence = origin.copy()
    for at in range(place, -1, -1):
        label = label if at == place else int(best_ways[at, label])
        if sequence[at] == label:  # from the same label on, both take the same best way
            break
        sequence[at] = label
    return sequence


def probabilities_of_names(chain: WrittenChain, answers: Sequence[Sequence[str]], labels: NameLabels) -> list[float]:
    """Return, for each of some answers, the probability of all sequences of labels together that spell its names.

    Args:
        chain: The chain of the tokens that spell something, of which there must be any.
        answers: The names of each, and no others, as one BIO tag for each of these tokens.
        labels: How labels write names.
    """
    masks = _allowed({tag for tags in answers for tag in tags}, labels)
    numbers = {step: number for number, step in enumerate(masks)}
    table = np.stack(list(masks.values()))
    [every] = _log_weights(chain, np.ones((1, *table.shape[1:]), bool), np.zeros((1, len(chain.emissions)), np.int64))
    found: list[float] = []
    for first in range(0, len(answers), AT_ONCE):
        steps = [
            [numbers[before != OUTSIDE, tag] for before, tag in pairwise([OUTSIDE, *tags])]
            for tags in answers[first : first + AT_ONCE]
        ]
        found += np.exp(_log_weights(chain, table, np.array(steps)) - every).tolist()
    return found


def _log_weights(chain: WrittenChain, table: Allowed, steps: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the logarithm of what all sequences weigh together whose steps are allowed, `(answer,)`.

    Args:
        chain: The chain.
        table: Which steps some masks allow, `(mask, label before, label)`.
        steps: The mask for each token, `(answer, token)`; before the first one, any label may have been.
    """
    message = np.where(table[steps[:, 0], 0], chain.start + chain.emissions[0], -np.inf)
    for step, emissions, chosen in zip(chain.steps, chain.emissions[1:], steps.T[1:]):
        scores = np.where(table[chosen], message[:, :, None] + step, -np.inf)
        message = np.logaddexp.reduce(scores, axis=1) + emissions
    return np.logaddexp.reduce(message + chain.end, axis=1)


def _allowed(tags: Iterable[str], labels: NameLabels) -> dict[tuple[bool, str], Allowed]:
    """Return which label may follow which where some tag follows no name, and where it follows one.

    Returns:
        By whether a name is open, and the tag: `(label before, label)`.
    """
    goes_on = labels.goes_on()
    begins = {kind: _chosen(labels, of.begin + of.single) for kind, of in labels.types.items()}
    inside = {kind: _chosen(labels, of.go_on) for kind, of in labels.types.items()}
    none_begins = ~np.logical_or.reduce(list(begins.values()))
    none_inside = ~np.logical_or.reduce(list(inside.values()))
    found = {}
    for is_open, tag in itertools.product((False, True), tags):
        # a label that would go on with a name does not, where none is open
        continues = goes_on if is_open else np.zeros_like(goes_on)
        if tag == OUTSIDE:
            allowed = none_begins & ~continues & (none_inside | (not labels.inside_begins))
        elif tag.startswith("B-"):
            also = inside[tag[2:]] & ~continues if labels.inside_begins else np.zeros_like(goes_on)
            allowed = begins[tag[2:]] | also
        else:
            allowed = continues & inside[tag[2:]]
        found[is_open, tag] = allowed
    return found


def _chosen(labels: NameLabels, ids: Sequence[int]) -> Allowed:
    """Return which labels are among some."""
    chosen = np.zeros(len(labels.names), bool)
    chosen[list(ids)] = True
    return chosen
