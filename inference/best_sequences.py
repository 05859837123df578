"""The best sequences of labels of a chain, and how probable it is that a chain spells given names and no others."""

import heapq
import itertools
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from malmoi.data.alignment import OUTSIDE
from malmoi.inference.chain_messages import WrittenChain
from malmoi.inference.name_labels import NameLabels

Allowed = NDArray[np.bool_]
AT_ONCE = 256
"""How many answers are looked at side by side."""
FREE = "?"
"""The tag of a token that cannot be a name, such as an emoji or a space: what labels make of it alone is none."""


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
        answers: The names of each, and no others, as one BIO tag for each of these tokens; `FREE` for one that no name
            of the answer has, and that names of such tokens alone may have.
        labels: How labels write names.
    """
    states = _states(labels)
    chain = chain.of_labels(states.label)
    steps_of_answers = [
        [(before in (OUTSIDE, FREE), tag) for before, tag in pairwise([OUTSIDE, *tags])] for tags in answers
    ]
    masks = _allowed({step for steps in steps_of_answers for step in steps}, states, labels)
    numbers = {step: number for number, step in enumerate(masks)}
    table = np.stack(list(masks.values()))
    all_steps = _follows(states, labels)[1][None]
    [every] = _log_weights(chain, all_steps, np.zeros((1, len(chain.emissions)), np.int64))
    found: list[float] = []
    for first in range(0, len(answers), AT_ONCE):
        steps = [[numbers[step] for step in steps] for steps in steps_of_answers[first : first + AT_ONCE]]
        found += np.exp(_log_weights(chain, table, np.array(steps)) - every).tolist()
    return found


def _log_weights(chain: WrittenChain, table: Allowed, steps: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the logarithm of what all sequences weigh together whose steps are allowed, `(answer,)`.

    Args:
        chain: The chain.
        table: Which steps some masks allow, `(mask, state before, state)`; the last row is that of the beginning.
        steps: The mask for each token, `(answer, token)`.
    """
    message = np.where(table[steps[:, 0], -1], chain.start + chain.emissions[0], -np.inf)
    for step, emissions, chosen in zip(chain.steps, chain.emissions[1:], steps.T[1:]):
        scores = np.where(table[chosen, :-1], message[:, :, None] + step, -np.inf)
        message = np.logaddexp.reduce(scores, axis=1) + emissions
    return np.logaddexp.reduce(message + chain.end, axis=1)


class _States(NamedTuple):
    """The labels, those that go on with a name twice where they may also go on with none.

    Args:
        label: The label of each state, `(state,)`.
        is_open: Whether a name may go on after it, `(state,)`.
    """

    label: NDArray[np.int64]
    is_open: NDArray[np.bool_]


def _states(labels: NameLabels) -> _States:
    count = len(labels.names)
    inside = [label for of in labels.types.values() for label in of.inside]
    twice = [] if labels.inside_begins else inside
    opened = _chosen(labels, [label for of in labels.types.values() for label in of.leave_open])
    return _States(np.array([*range(count), *twice]), np.concatenate([opened, np.zeros(len(twice), bool)]))


def _follows(states: _States, labels: NameLabels) -> tuple[Allowed, Allowed]:
    """Return whether a state goes on with the name before it, and whether it can follow, `(state before, state)`.

    The last row is that of the beginning of a text.
    """
    goes_on = labels.goes_on()[np.ix_(states.label, states.label)] & states.is_open[:, None]
    goes_on = np.concatenate([goes_on, np.zeros((1, len(states.label)), bool)])
    is_second = np.arange(len(states.label)) >= len(labels.names)
    has_second = np.isin(states.label, states.label[is_second]) & ~is_second
    return goes_on, np.where(goes_on, ~is_second, ~has_second)


def _allowed(
    steps: Iterable[tuple[bool, str]], states: _States, labels: NameLabels
) -> dict[tuple[bool, str], Allowed]:
    """Return which state may follow which.

    Args:
        steps: Whether no name of the answer is before a token, and its tag.
        states: The states.
        labels: How labels write names.
    """
    goes_on, follows = _follows(states, labels)
    begins = {kind: np.isin(states.label, of.begin + of.single) for kind, of in labels.types.items()}
    inside = {kind: np.isin(states.label, of.go_on) for kind, of in labels.types.items()}
    beginning = {kind: begins[kind] | (inside[kind] & ~goes_on & labels.inside_begins) for kind in labels.types}
    found = {}
    for no_name_before, tag in steps:
        if tag == FREE:
            allowed = np.ones_like(goes_on) if no_name_before else ~goes_on
        elif tag == OUTSIDE:
            allowed = ~np.logical_or.reduce([goes_on, *beginning.values()])
        else:
            allowed = beginning[tag[2:]] if tag.startswith("B-") else goes_on & inside[tag[2:]]
        found[no_name_before, tag] = allowed & follows
    return found


def _chosen(labels: NameLabels, ids: Sequence[int]) -> Allowed:
    """Return which labels are among some."""
    chosen = np.zeros(len(labels.names), bool)
    chosen[list(ids)] = True
    return chosen
