"""Linear-chain CRF as Triton kernels (https://triton-lang.org) for a GPU: one program walks through one sentence.

To launch something for every step of a recursion takes longer than the step. Here transitions and message stay in the
registers of a program from the first position to the last. Messages are in log space, where scores of any size can be
summed; what is taken off them to keep them near 0 is added up in float64. The recursions are those of Rabiner (1989,
https://doi.org/10.1109/5.18626).
"""

import functools
import warnings
from collections.abc import Iterator
from typing import Any, NamedTuple

import torch
from torch import Tensor

from .crf_backend import IGNORED_LABEL, CrfBackend
from .crf_gold import weigh_gradients

# A program keeps several matrices of tags by tags in registers; the next power of two would not fit.
MAX_TAGS = 128
ENTRIES_PER_THREAD = 32  # of each matrix
THREADS_PER_WARP = 32


def supports(device: torch.device, num_tags: int) -> bool:
    """Tell whether the kernels run on the device and take so many tags."""
    return device.type == "cuda" and num_tags <= MAX_TAGS and _kernels() is not None and _compiles()


class Kernels(NamedTuple):
    """What Triton compiles."""

    forward: Any
    backward: Any
    viterbi: Any
    max_marginals: Any


@functools.cache
def _kernels() -> Kernels | None:
    """Return the kernels; `None` where Triton is missing."""
    try:
        from .crf_triton_kernels import backward_kernel, forward_kernel, viterbi_kernel
        from .crf_triton_max_marginals import max_marginals_kernel
    except ImportError:
        return None
    return Kernels(forward_kernel, backward_kernel, viterbi_kernel, max_marginals_kernel)


@functools.cache
def _compiles() -> bool:
    """Tell whether Triton can compile here, for which it needs a C compiler."""
    from .crf_triton_kernels import find_compiler

    try:
        find_compiler()
    except Exception as error:
        warnings.warn(f"The CRF computes without Triton, which cannot compile here: {error}", stacklevel=2)
        return False
    return True


def expectations(
    emissions: Tensor, lengths: Tensor, start: Tensor, transitions: Tensor, end: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Return log-partition function, probabilities of tags and expected numbers of steps.

    See `crf_log_space.expectations`. Where all tag sequences of a sentence are forbidden, the first is minus infinity
    and the others are 0.
    """
    labels = lengths.new_full(emissions.shape[:2], IGNORED_LABEL)
    return loss_and_gradients(emissions, labels, lengths, start, transitions, end)


def loss_and_gradients(
    emissions: Tensor, labels: Tensor, lengths: Tensor, start: Tensor, transitions: Tensor, end: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Return the negative log-likelihood of labels and its gradients, as `crf_gold.less_gold` does.

    Labels of -100 count nothing. Log partition and score of the labels are subtracted in float64, so that of large
    scores a small difference is left.
    """
    batch, length, tags = emissions.shape
    loss, messages = emissions.new_zeros(batch), emissions.new_empty(emissions.shape)
    unary, pairs = emissions.new_zeros(emissions.shape), emissions.new_zeros(batch, tags, tags)
    if messages.numel():
        kernels = _kernels()
        assert kernels is not None
        emissions, labels, lengths, start, end = _contiguous(emissions, labels, lengths, start, end)
        steps, reversed_steps = _contiguous(transitions, transitions.t())
        with torch.cuda.device_of(emissions):  # Triton launches on the current device
            kernels.forward[(batch,)](
                emissions, labels, lengths, start, steps, end, messages, loss, length, **_compilation(tags)
            )
            kernels.backward[(batch,)](
                emissions, labels, lengths, reversed_steps, end, messages, unary, pairs, length, **_compilation(tags)
            )
    return loss, unary, pairs


def viterbi(emissions: Tensor, lengths: Tensor, start: Tensor, transitions: Tensor, end: Tensor) -> Tensor:
    """Return the best tags of compacted sentences, `(batch, length)`; -100 past the end of a sentence.

    Wherever several tags are equally good, it is the one with the lowest index. For the arguments see
    `crf_log_space.expectations`.
    """
    batch, length, tags = emissions.shape
    best = torch.full((batch, length), IGNORED_LABEL, dtype=torch.long, device=emissions.device)
    came_from = torch.empty(emissions.shape, dtype=torch.uint8, device=emissions.device)
    if came_from.numel():
        kernels = _kernels()
        assert kernels is not None
        scores = _contiguous(emissions, lengths, start, transitions, end)
        with torch.cuda.device_of(emissions):
            kernels.viterbi[(batch,)](*scores, came_from, best, length, **_compilation(tags))
    return best


def viterbi_and_max_marginals(
    emissions: Tensor, lengths: Tensor, start: Tensor, transitions: Tensor, end: Tensor
) -> tuple[Tensor, Tensor]:
    """Return the best tags, as `viterbi` does, and max-marginals; see `CrfBackend`."""
    best = viterbi(emissions, lengths, start, transitions, end)
    scores = torch.full(emissions.shape, -torch.inf, dtype=emissions.dtype, device=emissions.device)
    if scores.numel():
        kernels = _kernels()
        assert kernels is not None
        messages = torch.empty(emissions.shape, dtype=torch.float64, device=emissions.device)
        inputs = _contiguous(emissions, lengths, start, transitions, transitions.t(), end)
        with torch.cuda.device_of(emissions):
            kernels.max_marginals[(emissions.size(0),)](
                *inputs, messages, scores, emissions.size(1), **_compilation(emissions.size(2))
            )
    return best, scores


def _contiguous(*tensors: Tensor) -> Iterator[Tensor]:
    """Lay the tensors out as the kernels read them."""
    return (tensor.contiguous() for tensor in tensors)


def _compilation(tags: int) -> dict[str, int]:
    """Return what the kernels are compiled for: number of tags, the power of two around it, and number of warps."""
    width = 1 << (tags - 1).bit_length()
    warps = max(1, width * width // (ENTRIES_PER_THREAD * THREADS_PER_WARP))
    return {"TAGS": tags, "WIDTH": width, "num_warps": warps}


TRITON = CrfBackend(
    "triton", supports, expectations, loss_and_gradients, weigh_gradients, viterbi, viterbi_and_max_marginals
)

__all__ = ["TRITON"]
