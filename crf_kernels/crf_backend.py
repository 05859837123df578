"""What computes a linear-chain CRF: a set of functions, of which there is one for each way to compute it."""

from collections.abc import Callable
from typing import NamedTuple, Protocol

import torch
from torch import Tensor

IGNORED_LABEL = -100


class CrfRecursions(Protocol):
    """What a CRF asks for, of compacted sentences: row `b` holds `lengths[b]` positions, then padding.

    There is at least one sentence and one position; a sentence may be empty. `emissions` are `(batch, length, tags)`,
    `lengths` `(batch,)`, `start` and `end` `(tags,)`, `transitions` `(previous tag, next tag)`; `start` and
    `transitions` hold minus infinity where a step is forbidden.
    """

    def negative_log_likelihood(
        self, emissions: Tensor, labels: Tensor, lengths: Tensor, start: Tensor, transitions: Tensor, end: Tensor
    ) -> Tensor:
        """Return the negative log-likelihood of labels, `(batch, length)`, of each sentence, `(batch,)`."""

    def loss_and_gradients(
        self, emissions: Tensor, labels: Tensor, lengths: Tensor, start: Tensor, transitions: Tensor, end: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Return the negative log-likelihoods and their derivatives.

        The derivatives are those by emissions, `(batch, length, tags)`, 0 past the end, and by transitions,
        `(batch, previous tag, next tag)`. Those by start and end equal those by the first and the last emissions.
        """

    def expectations(
        self, emissions: Tensor, lengths: Tensor, start: Tensor, transitions: Tensor, end: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Return log-partition function, `(batch,)`, marginals, and expected numbers of steps.

        The last are `(batch, previous tag, next tag)`.
        """

    def marginals(self, emissions: Tensor, lengths: Tensor, start: Tensor, transitions: Tensor, end: Tensor) -> Tensor:
        """Return the probability of every tag at every position, `(batch, length, tags)`; 0 past the end."""

    def viterbi(self, emissions: Tensor, lengths: Tensor, start: Tensor, transitions: Tensor, end: Tensor) -> Tensor:
        """Return the best tag sequence, `(batch, length)`; -100 past the end."""

    def viterbi_and_max_marginals(
        self, emissions: Tensor, lengths: Tensor, start: Tensor, transitions: Tensor, end: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Return the best tags, and the score of the best sequence through every tag, `(batch, length, tags)`.

        The latter are of the type of the emissions but summed in float64; minus infinity past the end, and where all
        such sequences are forbidden.
        """


class CrfBackend(NamedTuple):
    """One way to compute a CRF; gradients are computed directly, without a graph of operations.

    The gradient of the log-likelihood is the number of uses of each score by the labels, less the number that is
    expected (Sutton and McCallum, 2012, section 4.1).

    Args:
        name: As in `IMPLEMENTATIONS`.
        supports: Whether it can be used on a device, for a number of tags.
        expectations: As in `CrfRecursions`.
        loss_and_gradients: Likewise.
        weigh_gradients: Of `(unary, pairs, lengths, gradient)`, as `crf_gold.weigh_gradients`.
        viterbi: As in `CrfRecursions`.
        viterbi_and_max_marginals: Likewise.
    """

    name: str
    supports: Callable[[torch.device, int], bool]
    expectations: Callable[[Tensor, Tensor, Tensor, Tensor, Tensor], tuple[Tensor, Tensor, Tensor]]
    loss_and_gradients: Callable[[Tensor, Tensor, Tensor, Tensor, Tensor, Tensor], tuple[Tensor, Tensor, Tensor]]
    weigh_gradients: Callable[[Tensor, Tensor, Tensor, Tensor], tuple[Tensor, Tensor, Tensor, Tensor]]
    viterbi: Callable[[Tensor, Tensor, Tensor, Tensor, Tensor], Tensor]
    viterbi_and_max_marginals: Callable[[Tensor, Tensor, Tensor, Tensor, Tensor], tuple[Tensor, Tensor]]

    def negative_log_likelihood(
        self, emissions: Tensor, labels: Tensor, lengths: Tensor, start: Tensor, transitions: Tensor, end: Tensor
    ) -> Tensor:
        """Return the negative log-likelihood of labels; see `CrfRecursions`."""
        loss, _ = _NegativeLogLikelihood.apply(emissions, labels, lengths, start, transitions, end, self)
        return loss

    def marginals(self, emissions: Tensor, lengths: Tensor, start: Tensor, transitions: Tensor, end: Tensor) -> Tensor:
        """Return the probability of every tag; see `CrfRecursions`."""
        return self.expectations(emissions, lengths, start, transitions, end)[1]


class _NegativeLogLikelihood(torch.autograd.Function):
    """Negative log-likelihood of the labels of compacted sentences, `(batch,)`.

    Beside it comes a tensor without numbers, through which gradients hang together with what they are computed from.
    """

    @staticmethod
    def forward(  # type: ignore[no-untyped-def]
        ctx,
        emissions: Tensor,
        labels: Tensor,
        lengths: Tensor,
        start: Tensor,
        transitions: Tensor,
        end: Tensor,
        backend: CrfBackend,
    ) -> tuple[Tensor, Tensor]:
        loss, unary, pairs = backend.loss_and_gradients(emissions, labels, lengths, start, transitions, end)
        origin = loss.new_empty(0)  # the loss would do, but not if somebody changes it in place
        ctx.save_for_backward(unary, pairs, lengths, origin)
        ctx.backend = backend
        return loss, origin

    @staticmethod
    def backward(ctx, gradient: Tensor, _: Tensor):  # type: ignore[no-untyped-def]
        unary, pairs, lengths, origin = ctx.saved_tensors
        with torch.no_grad():
            gradients = ctx.backend.weigh_gradients(unary, pairs, lengths, gradient)
        if torch.is_grad_enabled():  # by `create_graph`
            gradients = _FirstDerivatives.apply(gradient, origin, *gradients)
        emissions, start, transitions, end = gradients
        return emissions, None, None, start, transitions, end, None


class _FirstDerivatives(torch.autograd.Function):
    """Gradients that refuse to be differentiated: otherwise they would be taken for constants.

    `once_differentiable` of torch refuses only where the gradient that comes in depends on something.
    """

    @staticmethod
    def forward(ctx, gradient: Tensor, origin: Tensor, *gradients: Tensor) -> tuple[Tensor, ...]:  # type: ignore[no-untyped-def]
        return tuple(each.view_as(each) for each in gradients)

    @staticmethod
    def backward(ctx, *gradients: Tensor):  # type: ignore[no-untyped-def]
        raise RuntimeError(
            "This CRF computes first derivatives alone. For those of its gradient, as in a gradient penalty, take "
            "the recursions of pytorch-crf: `crf_implementation` of a configuration, `implementation` of the layer."
        )


__all__ = ["IGNORED_LABEL", "CrfBackend", "CrfRecursions"]
