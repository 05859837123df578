"""Linear-chain CRF in plain PyTorch, the path that works everywhere.

Each step of a recursion costs a few calls of the library, hardly more for two directions than for one. So the forward
and the backward recursion run at once, the second over sentences reversed within their own length, and the best
sequence is searched from both ends towards the middle.
"""

import torch
from torch import Tensor

from .crf_backend import IGNORED_LABEL, CrfBackend
from .crf_gold import less_gold, weigh_gradients
from .crf_log_space import expectations as log_space_expectations
from .crf_scaled_scores import steps_between_rescaling


def expectations(
    emissions: Tensor, lengths: Tensor, start: Tensor, transitions: Tensor, end: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Return log-partition function, probabilities of tags and expected numbers of steps.

    See `crf_log_space.expectations`; these have the type of the emissions.
    """
    return _as_type(emissions, _expectations(emissions, lengths, start, transitions, end))


def loss_and_gradients(
    emissions: Tensor, labels: Tensor, lengths: Tensor, start: Tensor, transitions: Tensor, end: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Return the negative log-likelihood of labels and its gradients; see `crf_gold.less_gold`."""
    expected = _expectations(emissions, lengths, start, transitions, end)
    return _as_type(emissions, less_gold(*expected, emissions, labels, lengths, start, transitions, end))


def _as_type(emissions: Tensor, results: tuple[Tensor, Tensor, Tensor]) -> tuple[Tensor, Tensor, Tensor]:
    return results[0].to(emissions.dtype), results[1].to(emissions.dtype), results[2].to(emissions.dtype)


def _expectations(
    emissions: Tensor, lengths: Tensor, start: Tensor, transitions: Tensor, end: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Compute with weights, or in log space where scores lie too far apart; in float64 where the device has it."""
    if emissions.device.type == "mps":
        return log_space_expectations(emissions, lengths, start, transitions, end)
    by_step = emissions.permute(1, 2, 0)
    weights = torch.empty(by_step.shape, dtype=torch.float64, device=emissions.device).copy_(by_step)
    inside, reverse = _inside_and_reverse(lengths, emissions.size(1))
    weights.masked_fill_(~inside.t()[:, None], 0)  # padding may hold anything
    highest = weights.amax(1)
    weights.sub_(highest[:, None])
    rescale_every = steps_between_rescaling(-float(weights.amin()), start, transitions, end)
    if not rescale_every:
        return log_space_expectations(emissions, lengths, start, transitions, end)
    log_scale = highest.sum(0) + (lengths - 1) * transitions.amax().double()
    log_scale += start.amax().double() + end.amax().double()
    start, transitions, end = ((scores.double() - scores.amax()).exp() for scores in (start, transitions, end))
    log_partition, unary, pairs = _weighted_expectations(
        weights.exp_(), inside.t(), reverse.t(), start, transitions, end, rescale_every
    )
    return (log_partition + log_scale).masked_fill(lengths == 0, 0), unary, pairs


def _weighted_expectations(
    weights: Tensor, inside: Tensor, reverse: Tensor, start: Tensor, transitions: Tensor, end: Tensor, every: int
) -> tuple[Tensor, Tensor, Tensor]:
    """Return expectations, less what was taken off the scores, from weights of positions, `(length, tags, batch)`.

    Past the end of a sentence the messages run on and are not read.
    """
    messages = torch.stack([weights, weights.gather(0, reverse[:, None].expand_as(weights))], dim=1)
    messages[0] *= torch.stack([start, end])[:, :, None]
    norms = _run_both_directions(messages, torch.stack([transitions.t(), transitions]), every)
    # A forward message holds its own position's weight, and so does a backward message.
    forward = messages[:, 0]
    backward = messages[:, 1].gather(0, reverse[:, None].expand_as(weights))
    unary = (forward * backward).div_(weights)
    shares = inside / unary.sum(1)  # (length, batch)
    unary.mul_(shares[:, None])
    leaving = forward[:-1] * (shares[1:] / norms[1:])[:, None]
    pairs = torch.bmm(leaving.permute(2, 1, 0), backward[1:].permute(2, 0, 1)).mul_(transitions)
    last, rows = (inside.sum(0) - 1).clamp(min=0), torch.arange(weights.size(2), device=weights.device)
    log_partition = (forward[last, :, rows] @ end).log() + norms.log().cumsum(0)[last, rows]
    return log_partition, unary.permute(2, 0, 1), pairs


def _run_both_directions(messages: Tensor, transitions: Tensor, every: int) -> Tensor:
    """Turn weights of positions into messages, in place.

    Args:
        messages: `(length, 2, tags, batch)`; what stands at the first position is the first message.
        transitions: Weights of steps in each direction, `(2, next tag, previous tag)`.
        every: After how many steps messages are divided by their sum.

    Returns:
        What the forward messages were divided by, `(length, batch)`; 1 at most positions.
    """
    norms = messages.new_ones(messages.size(0), messages.size(3))
    steps = messages.unbind(0)
    extended = torch.empty_like(steps[0])
    for step in range(1, len(steps)):
        torch.bmm(transitions, steps[step - 1], out=extended)
        steps[step].mul_(extended)
        if step % every == 0:
            norm = steps[step].sum(1, keepdim=True)
            steps[step].div_(norm)
            norms[step] = norm[0, 0]
    return norms


def viterbi(emissions: Tensor, lengths: Tensor, start: Tensor, transitions: Tensor, end: Tensor) -> Tensor:
    """Return the best tags of compacted sentences, `(batch, length)`; -100 past the end of a sentence.

    Scores are summed in float64, which needs no rescaling: 10,000 positions of ±10,000 leave eight decimals. For the
    arguments see `crf_log_space.expectations`.
    """
    half = _middle_step(emissions)
    scores = _search_from_both_ends(emissions, lengths, start, transitions, end, steps=half)
    return _best_tags(scores, emissions, lengths, transitions)


def viterbi_and_max_marginals(
    emissions: Tensor, lengths: Tensor, start: Tensor, transitions: Tensor, end: Tensor
) -> tuple[Tensor, Tensor]:
    """Return the best tags, as `viterbi` does, and max-marginals; see `CrfBackend`.

    Both searches go on to the other end. Where they meet, a position's own score is in both sums.
    """
    batch, length, tags = emissions.shape
    scores = _search_from_both_ends(emissions, lengths, start, transitions, end, steps=length)
    best = _best_tags(scores[: _middle_step(emissions)], emissions, lengths, transitions)
    inside, reverse = _inside_and_reverse(lengths, length)
    forward, backward = scores.view(length, tags, 2, batch).permute(2, 3, 0, 1)
    together = forward + backward.gather(1, reverse[:, :, None].expand_as(emissions)) - emissions
    impossible = emissions.isneginf() | ~inside[:, :, None]
    return best, together.to(emissions.dtype).masked_fill_(impossible, -torch.inf)


def _middle_step(emissions: Tensor) -> int:
    """Return after how many steps two searches from both ends have met; in a sentence they do at `lengths // 2`."""
    return emissions.size(1) // 2 + 1


def _search_from_both_ends(
    emissions: Tensor, lengths: Tensor, start: Tensor, transitions: Tensor, end: Tensor, *, steps: int
) -> Tensor:
    """Return the score of the best way to each tag, `(steps, tags, 2 * batch)`: from the first position, then back."""
    batch, length, tags = emissions.shape
    double = torch.float32 if emissions.device.type == "mps" else torch.float64
    start, transitions, end = (scores.to(double) for scores in (start, transitions, end))
    _, reverse = _inside_and_reverse(lengths, length)
    backwards = emissions.gather(1, reverse[:, :steps, None].expand(batch, steps, tags))
    both = torch.stack([emissions[:, :steps], backwards])  # (2, batch, steps, tags)
    scores = torch.empty(steps, tags, 2 * batch, dtype=double, device=emissions.device)
    scores.view(steps, tags, 2, batch).copy_(both.permute(2, 3, 0, 1))
    scores[0] += torch.stack([start, end], dim=1).repeat_interleave(batch, dim=1)
    _best_scores(scores, torch.stack([transitions, transitions.t()]).permute(1, 2, 0).repeat_interleave(batch, dim=2))
    return scores


def _best_tags(scores: Tensor, emissions: Tensor, lengths: Tensor, transitions: Tensor) -> Tensor:
    """Return the best tags, `(batch, length)`, from what two searches found until they met.

    Args:
        scores: The first half of the steps of `_search_from_both_ends`, `(half, tags, 2 * batch)`.
        emissions: `(batch, length, tags)`.
        lengths: `(batch,)`.
        transitions: `(previous tag, next tag)`.
    """
    batch, length, _ = emissions.shape
    half = scores.size(0)
    scores = scores.transpose(1, 2).contiguous()  # (half, 2 * batch, tags)
    rows = torch.arange(batch, device=lengths.device)
    middle = lengths // 2
    met = torch.cat([middle, (lengths - 1).clamp(min=0) // 2])  # as each search counts, (2 * batch,)
    reached = scores[met, torch.arange(2 * batch, device=lengths.device)]
    counted_twice = emissions[rows, middle.clamp(max=length - 1)]
    together = reached[:batch] + reached[batch:] - counted_twice
    best = together.masked_fill(counted_twice.isneginf(), -torch.inf).argmax(1)
    steps_of_both = torch.stack([transitions, transitions.t()]).to(scores.dtype)
    paths = _trace_back(scores, steps_of_both, met, best.repeat(2)).view(half, 2, batch)
    inside, reverse = _inside_and_reverse(lengths, length)
    positions = torch.arange(length, device=lengths.device)[None]
    before = paths[:, 0].t().gather(1, positions.expand(batch, length).clamp(max=half - 1))
    after = paths[:, 1].t().gather(1, reverse.clamp(max=half - 1))
    return torch.where(positions <= middle[:, None], before, after).masked_fill(~inside, IGNORED_LABEL)


def _best_scores(scores: Tensor, transitions: Tensor) -> None:
    """Turn scores of positions into scores of the best way to each tag, in place.

    Args:
        scores: `(length, tags, rows)`. Rows come last, so that the largest of many is found by the wide
            instructions of a processor.
        transitions: `(previous tag, next tag, rows)`.
    """
    ways = torch.empty_like(transitions, memory_format=torch.contiguous_format)
    transitions = transitions.contiguous()
    best = torch.empty_like(scores[0])
    steps = scores.unbind(0)
    for step in range(1, len(steps)):
        torch.add(steps[step - 1][:, None], transitions, out=ways)
        torch.amax(ways, 0, out=best)
        steps[step].add_(best)


def _trace_back(scores: Tensor, transitions: Tensor, met: Tensor, best: Tensor) -> Tensor:
    """Follow the best ways back from where two searches met, `(length, rows)`.

    Args:
        scores: Score of the best way to each tag, `(length, rows, tags)`.
        transitions: Scores of steps of each of the two searches, `(2, previous tag, next tag)`.
        met: The step at which each row starts, `(rows,)`.
        best: The tag there, `(rows,)`.
    """
    length, rows, tags = scores.shape
    arriving = transitions.transpose(1, 2).reshape(2 * tags, tags)  # by direction and next tag
    table = torch.arange(2, device=met.device).repeat_interleave(rows // 2) * tags
    starts_here = torch.arange(length, device=met.device)[:, None] >= met  # until there the best tag is kept
    tag = best
    path = [tag]
    for step in range(length - 1, 0, -1):
        previous = (scores[step - 1] + arriving.index_select(0, tag + table)).argmax(1)
        tag = torch.where(starts_here[step - 1], best, previous)
        path.append(tag)
    return torch.stack(path[::-1])


def _inside_and_reverse(lengths: Tensor, length: int) -> tuple[Tensor, Tensor]:
    """Return which positions are in a sentence and where each goes when it is reversed, both `(batch, length)`."""
    positions = torch.arange(length, device=lengths.device)[None]
    inside = positions < lengths[:, None]
    return inside, torch.where(inside, lengths[:, None] - 1 - positions, positions)


def supports(device: torch.device, num_tags: int) -> bool:
    """Tell that plain PyTorch does for every device and any number of tags."""
    return True


TORCH = CrfBackend(
    "torch", supports, expectations, loss_and_gradients, weigh_gradients, viterbi, viterbi_and_max_marginals
)

__all__ = ["TORCH"]
