"""What computes a linear-chain CRF: a set of functions, of which there is one for each way to compute it.

This file travels with every saved model, so it imports nothing but torch.
"""

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

IGNORED_LABEL = -100


class CrfBackend(NamedTuple):
    """One way to compute a CRF, for compacted sentences: row `b` holds `lengths[b]` positions, then padding.

    There is at least one sentence and one position; a sentence may be empty. `start` and `transitions` hold minus
    infinity where a step is forbidden.

    Args:
        name: As in `crf_implementation`.
        supports: Whether it can be used on a device, for a number of tags.
        expectations: Of `(emissions, lengths, start, transitions, end)`, as in `crf_log_space`.
        loss_and_gradients: Of `(emissions, labels, lengths, start, transitions, end)`, as `crf_gold.less_gold`.
        weigh_gradients: Of `(unary, pairs, lengths, gradient)`, as `crf_gold.weigh_gradients`.
        viterbi: Best tags, `(batch, length)`, -100 past the end, of `(emissions, lengths, start, transitions, end)`.
        viterbi_and_max_marginals: Of the same, these tags and for each position and tag the score of the best tag
            sequence of the sentence with this tag there, `(batch, length, tags)`, of the type of the emissions but
            summed in float64; minus infinity past the end, and where all such sequences are forbidden.
    """

    name: str
    supports: Callable[[torch.device, int], bool]
    expectations: Callable[[Tensor, Tensor, Tensor, Tensor, Tensor], tuple[Tensor, Tensor, Tensor]]
    loss_and_gradients: Callable[[Tensor, Tensor, Tensor, Tensor, Tensor, Tensor], tuple[Tensor, Tensor, Tensor]]
    weigh_gradients: Callable[[Tensor, Tensor, Tensor, Tensor], tuple[Tensor, Tensor, Tensor, Tensor]]
    viterbi: Callable[[Tensor, Tensor, Tensor, Tensor, Tensor], Tensor]
    viterbi_and_max_marginals: Callable[[Tensor, Tensor, Tensor, Tensor, Tensor], tuple[Tensor, Tensor]]


__all__ = ["IGNORED_LABEL", "CrfBackend"]
