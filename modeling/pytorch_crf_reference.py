"""The CRF of the pytorch-crf library behind the interface of `LinearChainCrf`, as a reference to measure against.

This file travels with every saved model, so the library is optional here: a model loads without it and says what is
missing only when it is asked to use it.
"""

from typing import Any

import torch
from torch import Tensor
from torch.func import functional_call

from .linear_chain_crf import IGNORED_LABEL, LinearChainCrf

try:
    from torchcrf import CRF as LibraryCrf
except ImportError:
    LibraryCrf = None


class PytorchCrfReference(LinearChainCrf):
    """`LinearChainCrf` whose loss and decoding are computed by pytorch-crf.

    Marginals and max-marginals, which it lacks, are ours.
    """

    def _library(self) -> Any:
        """Return a CRF of the library; it is used with our parameters, so a new one each time will do."""
        if LibraryCrf is None:
            raise ImportError(
                '`crf_implementation="pytorch-crf"` needs the library: `pip install pytorch-crf`, '
                'or load the model with `crf_implementation="torch"`, which has the same parameters.'
            )
        return LibraryCrf(self.num_tags, batch_first=True)

    @torch.compiler.disable
    def negative_log_likelihood(self, emissions: Tensor, labels: Tensor, mask: Tensor) -> Tensor:
        """Return the negative log-likelihood of each sentence, `(batch,)`; see `LinearChainCrf`."""
        with torch.autocast(emissions.device.type, enabled=False):
            emissions, order, lengths = self._compact(emissions, mask)
            labels = labels if order is None else labels.gather(1, order)
            filled = lengths > 0
            if not filled.any():
                return emissions.sum() * 0 + emissions.new_zeros(emissions.size(0))
            labels, mask = labels[filled], self._prefix_mask(lengths, emissions)[filled]
            labels = labels.masked_fill(~mask, 0)
            likelihood = self._call(emissions[filled], labels, mask=mask, reduction="none")
            if torch.isneginf(likelihood).any():
                raise ValueError("The labels take a step that is forbidden. Correct them, or lift the constraints.")
            return emissions.new_zeros(emissions.size(0)).masked_scatter(filled, -likelihood)

    @torch.no_grad()
    def _viterbi(self, emissions: Tensor, lengths: Tensor, start: Tensor, transitions: Tensor, end: Tensor) -> Tensor:
        best = torch.full(emissions.shape[:2], IGNORED_LABEL, dtype=torch.long)
        rows = (lengths > 0).nonzero()[:, 0].tolist()
        if rows:
            mask = self._prefix_mask(lengths, emissions)[rows]
            parameters = {"start_transitions": start, "transitions": transitions, "end_transitions": end}
            decoded = self._decode_with(parameters, emissions[rows], mask)
            for row, tags in zip(rows, decoded):
                best[row, : len(tags)] = torch.tensor(tags)
        return best.to(emissions.device)

    def _viterbi_and_max_marginals(
        self, emissions: Tensor, lengths: Tensor, start: Tensor, transitions: Tensor, end: Tensor
    ) -> tuple[Tensor, Tensor]:
        _, scores = super()._viterbi_and_max_marginals(emissions, lengths, start, transitions, end)
        return self._viterbi(emissions, lengths, start, transitions, end), scores

    def _call(self, emissions: Tensor, labels: Tensor, **options: Any) -> Tensor:
        start, transitions, end = self._scores(emissions.dtype)
        parameters = {"start_transitions": start, "transitions": transitions, "end_transitions": end}
        return functional_call(self._library(), parameters, (emissions, labels), options)

    def _decode_with(self, parameters: dict[str, Tensor], emissions: Tensor, mask: Tensor) -> list[list[int]]:
        """Decode with these parameters in the place of the library's own."""
        library = self._library()
        for name, value in parameters.items():
            setattr(library, name, torch.nn.Parameter(value, requires_grad=False))
        return library.decode(emissions, mask=mask)

    @staticmethod
    def _prefix_mask(lengths: Tensor, emissions: Tensor) -> Tensor:
        return torch.arange(emissions.size(1), device=lengths.device)[None] < lengths[:, None]


__all__ = ["PytorchCrfReference"]
