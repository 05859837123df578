"""The best sequences of labels of a chain, and how probable it is that a chain spells given names and no others."""

from collections.abc import Iterable, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from malmoi.data.alignment import OUTSIDE
from malmoi.inference.chain_messages import WrittenChain
from malmoi.inference.name_labels import NameLabels

Allowed = NDArray[np.bool_]


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


def best_sequences(chain: WrittenChain, count: int) -> list[list[int]]:
    """Return the most probable sequences of labels, the best first (Viterbi, with several ways into each label).

    Args:
        chain: A chain of at least one token.
        count: How many, at most; there may be fewer.
    """
    labels = len(chain.start)
    # (way, label): the best ways to each label, of which there is one at first
    scores = np.full((count, labels), -np.inf)
    scores[0] = chain.start + chain.emissions[0]
    came_from = np.empty((len(chain.steps), count, labels), np.int64)
    for place, step in enumerate(chain.steps):
        ways = (scores[:, :, None] + step).reshape(count * labels, labels)
        came_from[place] = np.argsort(-ways, axis=0, kind="stable")[:count]
        scores = np.take_along_axis(ways, came_from[place], axis=0) + chain.emissions[place + 1]
    ends = (scores + chain.end).reshape(-1)
    found = []
    for end in np.argsort(-ends, kind="stable")[:count].tolist():
        if np.isneginf(ends[end]):
            break
        path = [end]
        for back in came_from[::-1]:
            path.append(int(back[divmod(path[-1], labels)]))
        found.append([way % labels for way in reversed(path)])
    return found


def probability_of_names(chain: WrittenChain, tags: Sequence[str], labels: NameLabels) -> float:
    """Return the probability of all sequences of labels together that spell some names and no others.

    Args:
        chain: The chain of the tokens that spell something, of which there must be any.
        tags: The names, as one BIO tag for each of these tokens.
        labels: How labels write names.
    """
    first, *steps = _allowed(tags, labels)
    return float(np.exp(_log_weight(chain, first[0], steps) - _log_weight(chain)))


def _log_weight(chain: WrittenChain, first: Allowed | None = None, allowed: Iterable[Allowed] = ()) -> float:
    """Return the logarithm of what all sequences weigh together whose first label and whose steps are allowed."""
    message = chain.start + chain.emissions[0]
    if first is not None:
        message = np.where(first, message, -np.inf)
    masks = iter(allowed)
    for step, emissions in zip(chain.steps, chain.emissions[1:]):
        scores = step if first is None else np.where(next(masks), step, -np.inf)
        message = np.logaddexp.reduce(message[:, None] + scores, axis=0) + emissions
    return float(np.logaddexp.reduce(message + chain.end))


def _allowed(tags: Sequence[str], labels: NameLabels) -> Iterable[Allowed]:
    """Yield which label may follow which at each token, `(before, label)`; before the first one, nothing is open."""
    goes_on = labels.goes_on()
    begins = {kind: _chosen(labels, of.begin + of.single) for kind, of in labels.types.items()}
    inside = {kind: _chosen(labels, of.go_on) for kind, of in labels.types.items()}
    none_begins = ~np.logical_or.reduce(list(begins.values()))
    none_inside = ~np.logical_or.reduce(list(inside.values()))
    before = OUTSIDE
    for tag in tags:
        # a label that would go on with a name does not, where none is open
        continues = goes_on if before != OUTSIDE else np.zeros_like(goes_on)
        if tag == OUTSIDE:
            yield none_begins & ~continues & (none_inside | (not labels.inside_begins))
        elif tag.startswith("B-"):
            also = inside[tag[2:]] & ~continues if labels.inside_begins else np.zeros_like(goes_on)
            yield begins[tag[2:]] | also
        else:
            yield continues & inside[tag[2:]]
        before = tag


def _chosen(labels: NameLabels, ids: Sequence[int]) -> Allowed:
    """Return which labels are among some."""
    chosen = np.zeros(len(labels.names), bool)
    chosen[list(ids)] = True
    return chosen
