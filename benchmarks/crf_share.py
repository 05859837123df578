"""How much of a training step is spent in the CRF: its loss and gradient alone, on the very scores of the step."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple
from unittest.mock import patch

from torch import Tensor
from transformers import PreTrainedModel

from malmoi.benchmarks.measurement import Sample, Timing
from malmoi.benchmarks.peers.s1_loop import S1Loop


class CrfCall(NamedTuple):
    """A call of the loss of a CRF in a training step.

    Args:
        loss: Returns the loss of scores.
        emissions: The scores, cut off from the layers that made them.
    """

    loss: Callable[[Tensor], Tensor]
    emissions: Tensor

    def run(self) -> None:
        """Compute loss and gradient."""
        self.emissions.grad = None
        self.loss(self.emissions).backward()


def our_calls(model: PreTrainedModel, batches: Sequence[Mapping[str, Any]]) -> list[CrfCall]:
    """Return what our model asks of its CRF when it is trained on these batches."""
    model.train()
    crf: Any = model.crf
    calls = []
    for batch in batches:
        with patch.object(crf, "negative_log_likelihood", wraps=crf.negative_log_likelihood) as watched:
            model(**batch)
        emissions, labels, mask = watched.call_args.args
        calls.append(CrfCall(_our_loss(crf, labels, mask), emissions.detach().requires_grad_()))
    return calls


def _our_loss(crf: Any, labels: Tensor, mask: Tensor) -> Callable[[Tensor], Tensor]:
    return lambda emissions: crf.negative_log_likelihood(emissions, labels, mask).sum()


def s1_calls(loop: S1Loop) -> list[CrfCall]:
    """Return what S1's loop asks of its CRF in an epoch."""
    return [
        CrfCall(_s1_loss(loop.model.crf, tags, mask), loop.model.emissions(input_ids).detach().requires_grad_())
        for input_ids, tags, mask in loop.loader
    ]


def _s1_loss(crf: Any, tags: Tensor, mask: Tensor) -> Callable[[Tensor], Tensor]:
    return lambda emissions: -crf(emissions, tags, mask=mask, reduction="mean")


def run_all(calls: Sequence[CrfCall]) -> None:
    """Compute loss and gradient of every call, as an epoch does."""
    for call in calls:
        call.run()


def share_row(name: str, epoch: Timing, crf: Timing, *, steps: int) -> dict[str, object]:
    """Return the row of a table.

    Args:
        name: What is trained.
        epoch: Timing of its epochs.
        crf: Timing of the CRF alone, in the same rounds.
        steps: Number of steps of an epoch.
    """
    return {
        "training": name,
        "step": epoch.per(steps),
        "its CRF": crf.per(steps),
        "share of the CRF, %": share(crf, epoch),
    }


def share(part: Timing, whole: Timing) -> Sample:
    """Return how many per cent of the whole a part takes, round by round."""
    return Sample(tuple(100 * of_part / of_whole for of_part, of_whole in zip(part.values, whole.values, strict=True)))
