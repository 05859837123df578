"""Sums over tag sequences in log space: exact for scores of any size.

The messages are brought back to a maximum of zero at every step, so that a text of 100,000 positions loses no
precision.
"""

import torch
from torch import Tensor


def expectations(
    emissions: Tensor, lengths: Tensor, start: Tensor, transitions: Tensor, end: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Return the log-partition function of compacted sentences, and how often every score is expected to be used.

    Args:
        emissions: Score of every tag at every position, `(batch, length, tags)`, with at least one position.
        lengths: Number of positions of each sentence, `(batch,)`.
        start: Score of starting with a tag, `(tags,)`.
        transitions: Score of a step, `(previous tag, next tag)`; minus infinity where it is forbidden.
        end: Score of ending with a tag, `(tags,)`.

    Returns:
        In float64, or float32 on MPS: logarithm of the summed exponential scores of all tag sequences, `(batch,)`, 0
        for an empty sentence; probability of every tag at every position, `(batch, length, tags)`, 0 past the end of a
        sentence; expected number of times that a tag directly follows another, `(batch, previous tag, next tag)`.
    """
    if emissions.device.type != "mps":  # has no float64
        emissions, start, transitions, end = (scores.double() for scores in (emissions, start, transitions, end))
    forward, scale = _forward_messages(emissions, lengths, start, transitions)
    backward = _backward_messages(emissions, lengths, transitions, end)
    # a padded position keeps its message, so the last one is that of the end of the sentence
    log_partition = (scale + torch.logsumexp(forward[-1] + end, dim=1)).masked_fill(lengths == 0, 0)
    inside = torch.arange(emissions.size(1), device=lengths.device)[None] < lengths[:, None]
    unary = (forward + backward).softmax(dim=2).transpose(0, 1).masked_fill(~inside[:, :, None], 0)
    pairs = emissions.new_zeros(emissions.size(0), *transitions.shape)
    for step in range(1, emissions.size(1)):
        incoming = (emissions[:, step] + backward[step])[:, None, :] + transitions  # (batch, previous, next)
        probabilities = (forward[step - 1][:, :, None] + incoming).flatten(1).softmax(dim=1).view_as(pairs)
        pairs += probabilities.masked_fill(~inside[:, step, None, None], 0)
    return log_partition, unary, pairs


def _forward_messages(emissions: Tensor, lengths: Tensor, start: Tensor, transitions: Tensor) -> tuple[Tensor, Tensor]:
    """Return the log-weight of all beginnings that end in each tag.

    Returns:
        Messages, `(length, batch, tags)`, each with a maximum of 0, and the sum of what was taken off, `(batch,)`.
    """
    message = start + emissions[:, 0]
    scale = message.amax(dim=1)
    message = message - scale[:, None]
    messages = [message]
    for step in range(1, emissions.size(1)):
        # (batch, previous, 1) + (previous, next)
        extended = torch.logsumexp(message[:, :, None] + transitions, dim=1) + emissions[:, step]
        highest = extended.amax(dim=1)
        inside = step < lengths
        # `where` is safe with infinities, multiplication is not
        message = torch.where(inside[:, None], extended - highest[:, None], message)
        scale = scale + highest.masked_fill(~inside, 0)
        messages.append(message)
    return torch.stack(messages), scale


def _backward_messages(emissions: Tensor, lengths: Tensor, transitions: Tensor, end: Tensor) -> Tensor:
    """Return the log-weight of all continuations of each tag, `(length, batch, tags)`, each with a maximum of 0."""
    batch, length, tags = emissions.shape
    final = (end - end.amax()).expand(batch, tags)
    message = final
    messages = [final]
    for step in range(length - 1, 0, -1):
        # (previous, next) + (batch, 1, next)
        extended = torch.logsumexp(transitions + (emissions[:, step] + message)[:, None, :], dim=2)
        extended = extended - extended.amax(dim=1, keepdim=True)
        message = torch.where((step < lengths)[:, None], extended, final)
        messages.append(message)
    return torch.stack(messages[::-1])


__all__ = ["expectations"]
