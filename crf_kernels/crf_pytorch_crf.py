"""The CRF of the pytorch-crf library behind the interface of the others, as a reference to measure against."""

from typing import Any

import torch
from torch import Tensor
from torch.func import functional_call

from .crf_backend import IGNORED_LABEL
from .crf_torch import TORCH


class PytorchCrf:
    """Loss and decoding as pytorch-crf computes them; what it lacks is ours, in PyTorch.

    For arguments and answers see `CrfRecursions`.
    """

    name = "pytorch-crf"

    def negative_log_likelihood(
        self, emissions: Tensor, labels: Tensor, lengths: Tensor, start: Tensor, transitions: Tensor, end: Tensor
    ) -> Tensor:
        """Return the negative log-likelihood of labels of each sentence, `(batch,)`."""
        filled = lengths > 0
        # a function of all scores, also of those that no sentence uses
        nothing = emissions.new_zeros(emissions.size(0)) + sum(
            scores[..., :0].sum() for scores in (emissions, start, transitions, end)
        )
        if not filled.any():
            return nothing
        mask = _mask(lengths, emissions)[filled]
        parameters = {"start_transitions": start, "transitions": transitions, "end_transitions": end}
        # the library multiplies padding by 0, whatever it holds
        inputs = (emissions[filled].masked_fill(~mask[:, :, None], 0), labels[filled].masked_fill(~mask, 0))
        likelihood = functional_call(_library(start), parameters, inputs, {"mask": mask, "reduction": "none"})
        return nothing.masked_scatter(filled, -likelihood)

    def loss_and_gradients(
        self, emissions: Tensor, labels: Tensor, lengths: Tensor, start: Tensor, transitions: Tensor, end: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Return our loss and its derivatives: the library's are summed over sentences."""
        return TORCH.loss_and_gradients(emissions, labels, lengths, start, transitions, end)

    def expectations(
        self, emissions: Tensor, lengths: Tensor, start: Tensor, transitions: Tensor, end: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Return our log-partition function, probabilities of tags and expected numbers of steps."""
        return TORCH.expectations(emissions, lengths, start, transitions, end)

    def marginals(self, emissions: Tensor, lengths: Tensor, start: Tensor, transitions: Tensor, end: Tensor) -> Tensor:
        """Return the probability of every tag at every position, `(batch, length, tags)`."""
        return TORCH.marginals(emissions, lengths, start, transitions, end)

    def viterbi(self, emissions: Tensor, lengths: Tensor, start: Tensor, transitions: Tensor, end: Tensor) -> Tensor:
        """Return the best tag sequence, `(batch, length)`."""
        best = torch.full(emissions.shape[:2], IGNORED_LABEL, dtype=torch.long)
        rows = (lengths > 0).nonzero()[:, 0].tolist()
        if rows:
            library = _library(start)
            # a library that is used with our scores; a new one each time will do
            for name, value in (("start_transitions", start), ("transitions", transitions), ("end_transitions", end)):
                setattr(library, name, torch.nn.Parameter(value, requires_grad=False))
            decoded = library.decode(emissions[rows], mask=_mask(lengths, emissions)[rows])
            for row, tags in zip(rows, decoded):
                best[row, : len(tags)] = torch.tensor(tags)
        return best.to(emissions.device)

    def viterbi_and_max_marginals(
        self, emissions: Tensor, lengths: Tensor, start: Tensor, transitions: Tensor, end: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Return these tags, and our max-marginals, `(batch, length, tags)`."""
        scores = TORCH.viterbi_and_max_marginals(emissions, lengths, start, transitions, end)[1]
        return self.viterbi(emissions, lengths, start, transitions, end), scores


def _library(start: Tensor) -> Any:
    """Return a CRF of the library for so many tags."""
    try:
        from torchcrf import CRF as LibraryCrf
    except ImportError as error:
        raise ImportError(
            '`implementation="pytorch-crf"` needs the library: `pip install pytorch-crf`, or take "torch", which has '
            "the same parameters (a saved model: `crf_implementation`)."
        ) from error
    return LibraryCrf(start.size(0), batch_first=True)


def _mask(lengths: Tensor, emissions: Tensor) -> Tensor:
    return torch.arange(emissions.size(1), device=lengths.device)[None] < lengths[:, None]


PYTORCH_CRF = PytorchCrf()

__all__ = ["PYTORCH_CRF", "PytorchCrf"]
