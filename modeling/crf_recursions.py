"""The recursions of a linear-chain CRF in PyTorch (Rabiner, 1989, https://doi.org/10.1109/5.18626).

All is computed in log space and in float64 (float32 on MPS, which lacks it), so scores may have any size and texts
any length. Written by malmoi 0.1.0 into every saved model with a CRF.

All functions take compacted sentences: row `b` holds `lengths[b]` positions and then padding, which is not read.
`emissions` are `(batch, length, tags)` with at least one position, `start` and `end` `(tags,)`, `transitions`
`(previous tag, next tag)`; minus infinity where a step is forbidden. Answers have the type of the emissions.
"""

from collections.abc import Callable
from functools import partial
from types import SimpleNamespace

import torch
from torch import Tensor

IGNORED_LABEL = -100


def negative_log_likelihood(
    emissions: Tensor, labels: Tensor, lengths: Tensor, start: Tensor, transitions: Tensor, end: Tensor
) -> Tensor:
    """Return the negative log-likelihood of labels, `(batch, length)`, of each sentence, `(batch,)`; 0 if empty."""
    dtype = emissions.dtype
    inside, emissions, start, transitions, end = _precise(lengths, emissions, start, transitions, end)
    rows, last = torch.arange(lengths.size(0), device=lengths.device), (lengths - 1).clamp(min=0)
    log_partition = (_run(emissions, start, transitions, _log_sum)[rows, last] + end).logsumexp(1)
    labels = labels.masked_fill(~inside, 0)
    steps = transitions[labels[:, :-1], labels[:, 1:]].masked_fill(~inside[:, 1:], 0)
    score = start[labels[:, 0]] + emissions.gather(2, labels[:, :, None]).sum((1, 2)) + steps.sum(1)
    return (log_partition - score - end[labels[rows, last]]).masked_fill(lengths == 0, 0).to(dtype)


def marginals(emissions: Tensor, lengths: Tensor, start: Tensor, transitions: Tensor, end: Tensor) -> Tensor:
    """Return the probability of every tag at every position, `(batch, length, tags)`; 0 past the end."""
    together, inside = _through_every_tag(emissions, lengths, start, transitions, end, _log_shares)
    return together.softmax(2).masked_fill(~inside[:, :, None], 0).to(emissions.dtype)


def viterbi(emissions: Tensor, lengths: Tensor, start: Tensor, transitions: Tensor, end: Tensor) -> Tensor:
    """Return the best tag sequence, `(batch, length)`; -100 past the end."""
    inside, emissions, start, transitions, end = _precise(lengths, emissions, start, transitions, end)
    messages = _run(emissions, start, transitions, _highest).unbind(1)
    tag, path = torch.zeros_like(lengths), []
    for step in reversed(range(len(messages))):
        # at the end of a sentence the last step is to `end`, before it to the tag that was chosen
        onward = torch.where((lengths - 1 == step)[:, None], end, transitions.t()[tag])
        tag = torch.where(step < lengths, (messages[step] + onward).argmax(1), tag)
        path.append(tag)
    return torch.stack(path[::-1], 1).masked_fill(~inside, IGNORED_LABEL)


def viterbi_and_max_marginals(
    emissions: Tensor, lengths: Tensor, start: Tensor, transitions: Tensor, end: Tensor
) -> tuple[Tensor, Tensor]:
    """Return these tags, and the score of the best sequence through every tag; minus infinity where there is none."""
    together, inside = _through_every_tag(emissions, lengths, start, transitions, end, _highest)
    scores = together.masked_fill(~inside[:, :, None], -torch.inf).to(emissions.dtype)
    return viterbi(emissions, lengths, start, transitions, end), scores


def positions_inside(lengths: Tensor, length: int) -> Tensor:
    """Return which positions are in a sentence, `(batch, length)`."""
    return torch.arange(length, device=lengths.device)[None] < lengths[:, None]


def _precise(lengths: Tensor, emissions: Tensor, *scores: Tensor) -> list[Tensor]:
    """Return which positions are in a sentence, and all scores in the widest type of the device, 0 for padding."""
    inside = positions_inside(lengths, emissions.size(1))
    dtype = torch.float32 if emissions.device.type == "mps" else torch.float64
    return [inside, *(each.to(dtype) for each in (emissions.masked_fill(~inside[:, :, None], 0), *scores))]


def _run(emissions: Tensor, first: Tensor, transitions: Tensor, combine: Callable[[Tensor], Tensor]) -> Tensor:
    """Return what all beginnings weigh together by their last position and tag, `(..., length, tags)`.

    `first` are the scores of the first tag; `combine` makes one number of those of all previous tags.
    """
    scores = emissions.unbind(-2)
    messages = [first + scores[0]]
    for score in scores[1:]:
        messages.append(combine(messages[-1][..., None] + transitions) + score)
    return torch.stack(messages, -2)


def _through_every_tag(
    emissions: Tensor, lengths: Tensor, start: Tensor, transitions: Tensor, end: Tensor, combine: Callable
) -> tuple[Tensor, Tensor]:
    """Return what all sequences through a tag weigh, `(batch, length, tags)`, and what is inside of sentences."""
    inside, emissions, start, transitions, end = _precise(lengths, emissions, start, transitions, end)
    positions = torch.arange(emissions.size(1), device=lengths.device)[None]
    reverse = torch.where(inside, lengths[:, None] - 1 - positions, positions)[:, :, None].expand_as(emissions)
    # both directions at once, the second over sentences reversed within their own length
    both = torch.stack([emissions, emissions.gather(1, reverse)])
    ends, steps = torch.stack([start, end])[:, None], torch.stack([transitions, transitions.t()])[:, None]
    forward, backward = _run(both, ends, steps, combine)
    # both hold the position's own score; one that is minus infinity stays so, whatever infinities cancel out
    together = forward + backward.gather(1, reverse) - emissions
    return together.masked_fill(emissions.isneginf(), -torch.inf), inside


def _log_sum(ways: Tensor) -> Tensor:
    # minus infinity would become not-a-number in the gradient
    return ways.clamp(min=torch.finfo(ways.dtype).min).logsumexp(-2)


def _log_shares(ways: Tensor) -> Tensor:
    # what all tags have in common is left out: in float32 sums over a long text would be too large to tell tags apart
    return ways.logsumexp(-2).log_softmax(-1)


_highest = partial(torch.amax, dim=-2)
PYTORCH = SimpleNamespace(  # `malmoi.kernels` has others of this form
    **{each.__name__: each for each in (negative_log_likelihood, marginals, viterbi, viterbi_and_max_marginals)}
)
