"""What functions over padded tensors return where it is more than one tensor."""

from typing import NamedTuple

from torch import Tensor


class Expectations(NamedTuple):
    """What is expected of the tag sequences of each sentence.

    Attributes:
        log_partition: Logarithm of the summed exponential scores of all sequences, `(batch,)`; 0 if it is empty.
        tags: Probability of every tag at every position, `(batch, length, tags)`; 0 past the end.
        steps: Expected number of times that a tag follows another, `(batch, previous tag, next tag)`.
    """

    log_partition: Tensor
    tags: Tensor
    steps: Tensor


class LossAndGradients(NamedTuple):
    """Negative log-likelihood of each sentence and its derivatives, not summed over sentences.

    Attributes:
        loss: `(batch,)`; 0 for an empty sentence.
        emissions: `(batch, length, tags)`; 0 past the end.
        start: `(batch, tags)`.
        transitions: `(batch, previous tag, next tag)`.
        end: `(batch, tags)`.
    """

    loss: Tensor
    emissions: Tensor
    start: Tensor
    transitions: Tensor
    end: Tensor


class BestTags(NamedTuple):
    """The best tag sequence of each sentence, and the best one through every tag.

    Attributes:
        tags: As `viterbi` returns them, `(batch, length)`.
        scores: As `max_marginals` returns them, `(batch, length, tags)`.
    """

    tags: Tensor
    scores: Tensor


__all__ = ["BestTags", "Expectations", "LossAndGradients"]
