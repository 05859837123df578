"""What the labels of compacted sentences score, and the gradients of their likelihood."""

import torch
from torch import Tensor


def less_gold(
    log_partition: Tensor,
    unary: Tensor,
    pairs: Tensor,
    emissions: Tensor,
    labels: Tensor,
    lengths: Tensor,
    start: Tensor,
    transitions: Tensor,
    end: Tensor,
) -> tuple[Tensor, Tensor, Tensor]:
    """Return the negative log-likelihood and its gradients, given what `expectations` returns.

    The first three, in float64 where the device has it, are changed in place. `labels`, `(batch, length)`, are tags up
    to the end of each sentence; what stands past it is not read. For the others see `crf_log_space.expectations`.

    Returns:
        Loss of each sentence, `(batch,)`, and its derivatives by emissions, `(batch, length, tags)`, and by
        transitions, `(batch, previous tag, next tag)`.
    """
    batch, tags = unary.size(0), unary.size(2)
    outside = torch.arange(labels.size(1), device=lengths.device)[None] >= lengths[:, None]
    labels = labels.masked_fill(outside, 0)
    emitted = emissions.gather(2, labels[:, :, None])[:, :, 0].masked_fill(outside, 0)
    taken = labels[:, :-1] * tags + labels[:, 1:]  # (batch, length - 1)
    steps = transitions.reshape(-1).index_select(0, taken.view(-1)).view_as(taken)
    last = labels.gather(1, (lengths - 1).clamp(min=0)[:, None])[:, 0]
    ends = (start[labels[:, 0]] + end[last]).masked_fill(lengths == 0, 0)
    # in the precision of the partition function: of two large numbers a small difference is left
    emitted, steps = (
        scores.to(log_partition.dtype).sum(1) for scores in (emitted, steps.masked_fill(outside[:, 1:], 0))
    )
    log_partition -= emitted + steps + ends
    uses = (~outside).to(unary.dtype).neg()
    unary.scatter_add_(2, labels[:, :, None], uses[:, :, None])
    pairs.view(batch, -1).scatter_add_(1, taken, uses[:, 1:])
    return log_partition, unary, pairs


def weigh_gradients(
    unary: Tensor, pairs: Tensor, lengths: Tensor, gradient: Tensor
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return the gradients of a function of the losses by emissions, start, transitions and end.

    Args:
        unary: Derivatives of each loss by its emissions, `(batch, length, tags)`.
        pairs: Derivatives of each loss by the transitions, `(batch, previous tag, next tag)`.
        lengths: Number of positions of each sentence, `(batch,)`.
        gradient: Derivative of the function by each loss, `(batch,)`.
    """
    emissions = unary * gradient[:, None, None]
    transitions = (gradient @ pairs.flatten(1)).view_as(pairs[0])
    last = (lengths - 1).clamp(min=0)
    end = emissions[torch.arange(last.size(0), device=last.device), last].sum(0)
    return emissions, emissions[:, 0].sum(0), transitions, end


__all__ = ["less_gold", "weigh_gradients"]
