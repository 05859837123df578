"""Linear-chain CRF compiled for the CPU by numba (https://numba.pydata.org), where it is installed.

The arithmetic of a CRF is small; what costs is calling a library hundreds of times for it, and every batch of numbers
that goes to memory and back. Here one call walks through all sentences and keeps what it needs of one near the
processor.

This file travels with every saved model, so it imports nothing but torch and its neighbours; numba only when used.
"""

import functools
import math
from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import Tensor

from .crf_backend import IGNORED_LABEL, CrfBackend
from .crf_gold import less_gold
from .crf_log_space import expectations as log_space_expectations
from .crf_scaled_scores import largest_emission_spread

# Rows of tags are filled up to a multiple of this: the compiler's wide loops take so many numbers at a time.
LANES = 16
NUMBERS_IN_A_BLOCK = 16384  # 128 KiB: stays near the processor

# arrays as numba sees them
Array = Any


def supports(device: torch.device, num_tags: int) -> bool:
    """Tell whether the device is a CPU and numba is installed."""
    return device.type == "cpu" and _kernels() is not None


class Kernels(NamedTuple):
    """What numba compiles."""

    lower_scores: Callable[..., None]
    walk_both_ways: Callable[..., None]
    walk_best_paths: Callable[..., None]


@functools.cache
def _kernels() -> Kernels | None:
    """Return the compiled functions; `None` where numba is missing."""
    try:
        from .crf_numba_kernels import lower_scores, walk_best_paths, walk_both_ways
    except ImportError:
        return None
    return Kernels(lower_scores, walk_both_ways, walk_best_paths)


def expectations(
    emissions: Tensor, lengths: Tensor, start: Tensor, transitions: Tensor, end: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Return log-partition function, probabilities of tags and expected numbers of steps.

    For the arguments and what is returned see `crf_log_space.expectations`.
    """
    labels = lengths.new_full(emissions.shape[:2], IGNORED_LABEL)
    results, left_out = _walk_both_ways(emissions, labels, lengths, start, transitions, end)
    if len(left_out):
        exact = log_space_expectations(emissions[left_out], lengths[left_out], start, transitions, end)
        _fill_in(results, left_out, exact)
    return results


def loss_and_gradients(
    emissions: Tensor, labels: Tensor, lengths: Tensor, start: Tensor, transitions: Tensor, end: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Return the negative log-likelihood of labels and its gradients, as `crf_gold.less_gold` does."""
    results, left_out = _walk_both_ways(emissions, labels, lengths, start, transitions, end)
    if len(left_out):
        rows = (emissions[left_out], labels[left_out], lengths[left_out], start, transitions, end)
        _fill_in(results, left_out, less_gold(*log_space_expectations(rows[0], *rows[2:]), *rows))
    return results


def viterbi(emissions: Tensor, lengths: Tensor, start: Tensor, transitions: Tensor, end: Tensor) -> Tensor:
    """Return the best tags of compacted sentences, `(batch, length)`; -100 past the end of a sentence.

    For the arguments see `crf_log_space.expectations`.
    """
    batch, length, tags = emissions.shape
    width = -(-tags // LANES) * LANES
    best = lengths.new_full((batch, length), IGNORED_LABEL)
    inputs = _arrays(emissions, lengths, start.double(), transitions.double(), end.double())
    memory = torch.full((length + width, width), -math.inf, dtype=torch.float64).split([length, width])
    _compiled().walk_best_paths(*inputs, best.numpy(), *_arrays(*memory))
    return best


def _compiled() -> Kernels:
    kernels = _kernels()
    assert kernels is not None, "`supports` is asked first"
    return kernels


def _walk_both_ways(
    emissions: Tensor, labels: Tensor, lengths: Tensor, start: Tensor, transitions: Tensor, end: Tensor
) -> tuple[tuple[Tensor, Tensor, Tensor], Tensor]:
    """Return loss, gradients, and the sentences left out because their scores lie too far apart for weights."""
    batch, length, tags = emissions.shape
    width = -(-tags // LANES) * LANES
    spread = largest_emission_spread(start, transitions, end)
    highest = torch.empty(batch, dtype=torch.float64)
    too_far_apart = torch.empty(batch, dtype=torch.bool)
    loss = emissions.new_empty(batch)
    unary = torch.empty_like(emissions, memory_format=torch.contiguous_format)
    pairs = emissions.new_empty(batch, tags, tags)
    scores = _arrays(emissions, labels, lengths, start.double(), transitions.double(), end.double())
    results = _arrays(highest, too_far_apart, loss, unary, pairs)
    working = torch.zeros(2 * (length + 4) + 3 * width, width, dtype=torch.float64)
    forward, outgoing, matrices = working.split([length + 4, length + 4, 3 * width])
    memory = _arrays(forward, outgoing, matrices.view(3, width, width))
    block = max(1, NUMBERS_IN_A_BLOCK // (length * width))
    weights = torch.zeros(min(block, batch), length, width, dtype=torch.float64)
    kernels = _compiled()
    for first in range(0, batch, block):
        rows = (first, min(first + block, batch))
        kernels.lower_scores(rows, scores[0], scores[2], spread, *results[:2], weights.numpy())
        weights.exp_()  # torch knows a wide instruction for this
        kernels.walk_both_ways(rows, *scores, *results, weights.numpy(), *memory)
    return (loss, unary, pairs), too_far_apart.nonzero()[:, 0]


def _fill_in(results: tuple[Tensor, ...], rows: Tensor, exact: tuple[Tensor, ...]) -> None:
    for result, value in zip(results, exact):
        result[rows] = value.to(result.dtype)


def _arrays(*tensors: Tensor) -> list[Array]:
    return [tensor.detach().contiguous().numpy() for tensor in tensors]


NUMBA = CrfBackend("numba", supports, expectations, loss_and_gradients, viterbi)

__all__ = ["NUMBA"]
