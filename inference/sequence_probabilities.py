"""How probable a tagger takes the labels that it gives to a text, all of them together.

A tagger with a CRF gives every sequence of labels of a text a probability; that of the best one says how sure it is of
its whole answer. A tagger without a CRF labels every token by itself: the product over the tokens.

A text that is read in windows has a chain in each, and its answer is as probable as all of theirs together.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from malmoi.inference.chain_messages import Array
from malmoi.inference.engine import Chain
from malmoi.inference.found_names import scored_tokens
from malmoi.inference.labelled_tokens import TokenLabels
from malmoi.inference.name_probabilities import NameChain

STEPS_AT_ONCE = 2_000_000
"""How many steps from a label to another are computed at once, over all texts of a batch."""


class SequenceProbability(NamedTuple):
    """How probable the labels of a text are.

    Args:
        log_probability: The logarithm of the probability of all of them together, at most 0.
        tokens: How many tokens have one.
    """

    log_probability: float
    tokens: int


def sequence_probabilities(answers: Sequence[TokenLabels], tagger: NameChain) -> list[SequenceProbability]:
    """Return how probable the labels of each text are, of a CRF those of the best sequence.

    Args:
        answers: The labels of the tokens of each text.
        tagger: What gave the tokens their scores.
    """
    owners: list[int] = []
    rows: list[Array] = []
    scores: list[float] = []
    for owner, answer in enumerate(answers):
        for window in answer.windows:
            tokens = scored_tokens(window)
            kept = tokens.spelling if tagger.chain is None else tokens.labelled
            if kept.any():
                emissions, _ = tagger.emissions(tokens)
                owners.append(owner)
                rows.append(emissions)
                scores.append(tagger.cooled.score(window.predictions[kept], emissions))
    logs, counts = [0.0] * len(answers), [0] * len(answers)
    for owner, row, score, weight in zip(owners, rows, scores, log_weights(rows, tagger.cooled).tolist()):
        logs[owner] += min(score - weight, 0.0)
        counts[owner] += len(row)
    return [SequenceProbability(log, count) for log, count in zip(logs, counts)]


def log_weights(rows: Sequence[Array], chain: Chain) -> Array:
    """Return the logarithm of what all sequences of labels of each text weigh together, `(texts,)`.

    Args:
        rows: The scores of the labels of each text, `(length, labels)`, none of them empty.
        chain: The scores of the chain.
    """
    found = np.empty(len(rows))
    order = sorted(range(len(rows)), key=lambda row: -len(rows[row]))
    at_once = max(STEPS_AT_ONCE // chain.transitions.size, 1)
    for first in range(0, len(order), at_once):
        group = order[first : first + at_once]  # the longest first: those that go on are always the first ones
        lengths = np.array([len(rows[row]) for row in group])
        emissions = np.zeros((lengths[0], len(group), len(chain.start)))
        for place, row in enumerate(group):
            emissions[: lengths[place], place] = rows[row]
        message = chain.start + emissions[0]
        for place in range(1, int(lengths[0])):
            on = int(np.count_nonzero(lengths > place))
            steps = message[:on, :, None] + chain.transitions
            message[:on] = np.logaddexp.reduce(steps, axis=1) + emissions[place, :on]
        found[group] = np.logaddexp.reduce(message + chain.end, axis=1)
    return found
