"""Linear-chain conditional random field (Lafferty, McCallum and Pereira, 2001).

Scores of every tag at every position -> log-likelihood of a tag sequence, best tag sequence, probability of every tag.

The recursions run over positions and work in log space. Their messages are brought back to a maximum of zero at every
step, so that a text of 100,000 positions loses no precision. The gradient of the log-partition function is the
expected number of uses of each score (Sutton and McCallum, 2012, section 4.1) and is computed as such.

This file travels with every saved model, so it imports nothing but torch.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

IGNORED_LABEL = -100


class LinearChainCrf(nn.Module):
    """Score, decode and weigh tag sequences.

    Parameters have the names and the meaning of pytorch-crf's: `start_transitions` `(tags,)`, `end_transitions`
    `(tags,)` and `transitions` `(previous tag, next tag)`.

    Every method takes a mask that may have holes anywhere. Positions outside the mask are no part of the chain: their
    neighbours inside follow each other directly. Everything is computed in float32, or in float64 for float64 input,
    also under autocast.

    Args:
        num_tags: Number of tags.
        forbidden_starts: Tags that may not start a sentence, `(tags,)`.
        forbidden_transitions: Which tag may not follow which, `(previous tag, next tag)`.
    """

    def __init__(
        self,
        num_tags: int,
        *,
        forbidden_starts: Sequence[bool] | None = None,
        forbidden_transitions: Sequence[Sequence[bool]] | None = None,
    ):
        super().__init__()
        if num_tags < 1:
            raise ValueError(f"`num_tags` must be at least 1, got {num_tags}.")
        self.num_tags = num_tags
        # Plain Python, not buffers: a non-persistent buffer comes back from `from_pretrained` as uninitialised memory.
        self.forbidden_starts = list(forbidden_starts or [False] * num_tags)
        self.forbidden_transitions = [list(row) for row in forbidden_transitions or [[False] * num_tags] * num_tags]
        self.start_transitions = nn.Parameter(torch.empty(num_tags))
        self.end_transitions = nn.Parameter(torch.empty(num_tags))
        self.transitions = nn.Parameter(torch.empty(num_tags, num_tags))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw all transitions uniformly from -0.1 to 0.1, as pytorch-crf does."""
        for parameter in self.parameters():
            nn.init.uniform_(parameter, -0.1, 0.1)

    def extra_repr(self) -> str:
        """Show the number of tags and of forbidden steps."""
        forbidden = sum(self.forbidden_starts) + sum(map(sum, self.forbidden_transitions))
        return f"num_tags={self.num_tags}, forbidden={forbidden}"

    @torch.compiler.disable
    def negative_log_likelihood(self, emissions: Tensor, labels: Tensor, mask: Tensor) -> Tensor:
        """Return the negative log-likelihood of the labels of each sentence.

        Args:
            emissions: Score of every tag at every position, `(batch, length, tags)`.
            labels: Tag ids, `(batch, length)`. Read only where `mask` is `True`.
            mask: Which positions are in the chain, `(batch, length)`.

        Returns:
            One value per sentence, `(batch,)`; 0 for a sentence without any position in the chain.

        Raises:
            ValueError: If the labels take a step that is forbidden (their likelihood would be 0).
        """
        with torch.autocast(emissions.device.type, enabled=False):
            emissions, order, lengths = self._compact(emissions, mask)
            labels = labels.gather(1, order)
            start, transitions, end = self._scores(emissions.dtype)
            score = self._path_score(emissions, labels, lengths, start, transitions, end)
            return _LogPartition.apply(emissions, lengths, start, transitions, end) - score

    @torch.compiler.disable
    @torch.no_grad()
    def decode(self, emissions: Tensor, mask: Tensor) -> Tensor:
        """Return the best tag sequence of each sentence (Viterbi).

        Args:
            emissions: Score of every tag at every position, `(batch, length, tags)`.
            mask: Which positions are in the chain, `(batch, length)`.

        Returns:
            Tag ids, `(batch, length)`; -100 where `mask` is `False`.
        """
        with torch.autocast(emissions.device.type, enabled=False):
            emissions, order, lengths = self._compact(emissions, mask)
            best = self._viterbi(emissions, lengths, *self._scores(emissions.dtype))
            return torch.full_like(best, IGNORED_LABEL).scatter(1, order, best)

    @torch.compiler.disable
    @torch.no_grad()
    def marginals(self, emissions: Tensor, mask: Tensor) -> Tensor:
        """Return the probability of every tag at every position, given the whole sentence.

        Args:
            emissions: Score of every tag at every position, `(batch, length, tags)`.
            mask: Which positions are in the chain, `(batch, length)`.

        Returns:
            Probabilities, `(batch, length, tags)`; 0 where `mask` is `False`.
        """
        with torch.autocast(emissions.device.type, enabled=False):
            emissions, order, lengths = self._compact(emissions, mask)
            start, transitions, end = self._scores(emissions.dtype)
            forward, _ = _forward_messages(emissions, lengths, start, transitions)
            backward = _backward_messages(emissions, lengths, transitions, end)
            probabilities = _unary_marginals(forward, backward, lengths).transpose(0, 1)  # (batch, length, tags)
            return torch.zeros_like(probabilities).scatter(
                1, order[:, :, None].expand_as(probabilities), probabilities
            )

    def _viterbi(self, emissions: Tensor, lengths: Tensor, start: Tensor, transitions: Tensor, end: Tensor) -> Tensor:
        """Return the best tags of compacted sentences, `(batch, length)`; -100 past the end of a sentence."""
        batch, length, _ = emissions.shape
        if length == 0:
            return lengths.new_empty(batch, 0)
        score = start + emissions[:, 0]
        came_from = []
        for step in range(1, length):
            # (batch, previous, 1) + (previous, next): the best way into each next tag
            best, previous = (score.unsqueeze(2) + transitions).max(dim=1)
            best = best + emissions[:, step]
            score = torch.where((step < lengths)[:, None], best - best.amax(dim=1, keepdim=True), score)
            came_from.append(previous)
        tag = (score + end).argmax(dim=1)
        path = [tag]
        for step in range(length - 1, 0, -1):
            tag = torch.where(step < lengths, came_from[step - 1].gather(1, tag[:, None])[:, 0], tag)
            path.append(tag)
        tags = torch.stack(path[::-1], dim=1)
        return tags.masked_fill(_steps(lengths, length) >= lengths[:, None], IGNORED_LABEL)

    def _scores(self, dtype: torch.dtype) -> tuple[Tensor, Tensor, Tensor]:
        """Return start, transition and end scores; minus infinity where a step is forbidden."""
        device = self.transitions.device
        starts = torch.tensor(self.forbidden_starts, device=device)
        between = torch.tensor(self.forbidden_transitions, device=device)
        return (
            self.start_transitions.to(dtype).masked_fill(starts, -torch.inf),
            self.transitions.to(dtype).masked_fill(between, -torch.inf),
            self.end_transitions.to(dtype),
        )

    def _compact(self, emissions: Tensor, mask: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Move the positions in the chain to the front of each row.

        Returns:
            Emissions in at least float32, `(batch, length, tags)`; the old position of each new one,
            `(batch, length)`; the number of positions in the chain of each row, `(batch,)`.
        """
        if emissions.dim() != 3 or emissions.size(2) != self.num_tags:
            raise ValueError(
                f"Expected emissions of shape (batch, length, {self.num_tags}), got {tuple(emissions.shape)}."
            )
        if mask.shape != emissions.shape[:2]:
            raise ValueError(f"Expected a mask of shape {tuple(emissions.shape[:2])}, got {tuple(mask.shape)}.")
        mask = mask.bool()
        order = torch.argsort((~mask).byte(), dim=1, stable=True)
        dtype = torch.promote_types(emissions.dtype, torch.float32)
        compacted = emissions.to(dtype).gather(1, order[:, :, None].expand_as(emissions))
        return compacted, order, mask.sum(dim=1)

    def _path_score(
        self, emissions: Tensor, labels: Tensor, lengths: Tensor, start: Tensor, transitions: Tensor, end: Tensor
    ) -> Tensor:
        """Return the score of the labels of compacted sentences, `(batch,)`."""
        batch, length, _ = emissions.shape
        if length == 0:
            return emissions.new_zeros(batch)
        mask = _steps(lengths, length) < lengths[:, None]  # (batch, length)
        labels = labels.masked_fill(~mask, 0)
        if ((labels < 0) | (labels >= self.num_tags)).any():
            raise ValueError(f"Labels must be from 0 to {self.num_tags - 1}, or {IGNORED_LABEL} outside the mask.")
        steps = transitions[labels[:, :-1], labels[:, 1:]].masked_fill(~mask[:, 1:], 0)  # (batch, length - 1)
        first = start[labels[:, 0]].masked_fill(lengths == 0, 0)
        self._refuse_forbidden(first, steps, labels)
        emitted = emissions.gather(2, labels[:, :, None])[:, :, 0].masked_fill(~mask, 0)
        last = labels.gather(1, (lengths - 1).clamp(min=0)[:, None])[:, 0]
        return first + emitted.sum(1) + steps.sum(1) + end[last].masked_fill(lengths == 0, 0)

    def _refuse_forbidden(self, first: Tensor, steps: Tensor, labels: Tensor) -> None:
        """Raise if a gold path takes a forbidden step, whose score is minus infinity."""
        if torch.isneginf(first).any():
            row = int(torch.isneginf(first).nonzero()[0, 0])
            raise ValueError(f"Sentence {row} of the batch starts with tag {int(labels[row, 0])}, which is forbidden.")
        if torch.isneginf(steps).any():
            row, step = torch.isneginf(steps).nonzero()[0].tolist()
            previous, following = labels[row, step : step + 2].tolist()
            raise ValueError(
                f"Sentence {row} of the batch has tag {following} directly after tag {previous}, which is forbidden. "
                "Correct the labels, or switch the constraints off."
            )


class _LogPartition(torch.autograd.Function):
    """Log of the summed exponential score of all tag sequences, `(batch,)`; 0 for an empty sentence."""

    @staticmethod
    def forward(ctx, emissions, lengths, start, transitions, end):  # type: ignore[no-untyped-def]
        forward, scale = _forward_messages(emissions, lengths, start, transitions)
        ctx.save_for_backward(emissions, lengths, transitions, end, forward)
        if forward.size(0) == 0:
            return scale
        # a padded position keeps its message, so the last one is that of the end of the sentence
        log_partition = scale + torch.logsumexp(forward[-1] + end, dim=1)
        return log_partition.masked_fill(lengths == 0, 0)

    @staticmethod
    @once_differentiable
    def backward(ctx, gradient):  # type: ignore[no-untyped-def]
        emissions, lengths, transitions, end, forward = ctx.saved_tensors
        backward = _backward_messages(emissions, lengths, transitions, end)
        unary = _unary_marginals(forward, backward, lengths) * gradient[None, :, None]  # (length, batch, tags)
        transition_gradient = torch.zeros_like(transitions)
        for step in range(1, emissions.size(1)):
            incoming = (emissions[:, step] + backward[step])[:, None, :] + transitions  # (batch, previous, next)
            pairs = (forward[step - 1][:, :, None] + incoming).flatten(1).softmax(dim=1)
            weight = gradient.masked_fill(step >= lengths, 0)
            transition_gradient += (weight @ pairs).view_as(transitions)
        last = (lengths - 1).clamp(min=0)
        if emissions.size(1) == 0:
            return torch.zeros_like(emissions), None, torch.zeros_like(end), transition_gradient, torch.zeros_like(end)
        end_gradient = unary[last, torch.arange(last.size(0), device=last.device)].sum(0)
        return unary.transpose(0, 1), None, unary[0].sum(0), transition_gradient, end_gradient


def _steps(lengths: Tensor, length: int) -> Tensor:
    """Return `(1, length)` positions counted from 0."""
    return torch.arange(length, device=lengths.device)[None]


def _forward_messages(emissions: Tensor, lengths: Tensor, start: Tensor, transitions: Tensor) -> tuple[Tensor, Tensor]:
    """Return the log-weight of all beginnings that end in each tag.

    Returns:
        Messages, `(length, batch, tags)`, each with a maximum of 0, and the sum of what was taken off, `(batch,)`.
    """
    scale = emissions.new_zeros(emissions.size(0))
    if emissions.size(1) == 0:
        return emissions.new_empty(0, *emissions[:, 0:0].sum(1).shape), scale
    message = start + emissions[:, 0]
    highest = message.amax(dim=1)
    message, scale = message - highest[:, None], scale + highest
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
    messages = [final] if length else []
    for step in range(length - 1, 0, -1):
        # (previous, next) + (batch, 1, next)
        extended = torch.logsumexp(transitions + (emissions[:, step] + message)[:, None, :], dim=2)
        extended = extended - extended.amax(dim=1, keepdim=True)
        message = torch.where((step < lengths)[:, None], extended, final)
        messages.append(message)
    return torch.stack(messages[::-1]) if length else emissions.new_empty(0, batch, tags)


def _unary_marginals(forward: Tensor, backward: Tensor, lengths: Tensor) -> Tensor:
    """Return the probability of each tag, `(length, batch, tags)`; 0 past the end of a sentence."""
    steps = torch.arange(forward.size(0), device=lengths.device)[:, None]
    return (forward + backward).softmax(dim=2).masked_fill((steps >= lengths)[:, :, None], 0)
