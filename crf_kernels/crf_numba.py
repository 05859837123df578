"""Linear-chain CRF compiled for the CPU by numba (https://numba.pydata.org), where it is installed.

The arithmetic of a CRF is small; what costs is calling a library hundreds of times for it, and every batch of numbers
that goes to memory and back. Here one call walks through all sentences, eight at a time, and keeps the sums of a step
in registers. A sentence alone takes as long as eight.
"""

import functools
import warnings
from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from .crf_backend import IGNORED_LABEL, CrfBackend
from .crf_gold import less_gold
from .crf_log_space import expectations as log_space_expectations
from .crf_scaled_scores import largest_emission_spread

# arrays as numba sees them
Array = Any


def supports(device: torch.device, num_tags: int) -> bool:
    """Tell whether the device is a CPU and numba is installed."""
    return device.type == "cpu" and _kernels() is not None


class Kernels(NamedTuple):
    """What numba compiles, and the sizes of the memory that it works in.

    Args:
        lanes: How many sentences walk side by side.
        tags_at_a_time: The size of a row of tags, `width`, is a multiple of this.
        walk_both_ways: As in `crf_numba_kernels`.
        walk_best_paths: As in `crf_numba_best_paths`.
        walk_max_marginals: Likewise.
        weigh_gradients: As in `crf_numba_weights`.
    """

    lanes: int
    tags_at_a_time: int
    walk_both_ways: Callable[..., int]
    walk_best_paths: Callable[..., None]
    walk_max_marginals: Callable[..., None]
    weigh_gradients: Callable[..., None]


@functools.cache
def _kernels() -> Kernels | None:
    """Return the compiled functions; `None` where numba is missing, or cannot compile them, which is said."""
    try:
        from .crf_numba_best_paths import walk_best_paths, walk_max_marginals
        from .crf_numba_kernels import walk_both_ways
        from .crf_numba_lanes import LANES
        from .crf_numba_steps import TAGS_AT_A_TIME, try_lanes
        from .crf_numba_weights import weigh_gradients

        try_lanes(torch.ones(1, LANES, dtype=torch.float64, device="cpu").numpy())
    except ImportError:
        return None
    except Exception as error:  # the type of lanes is made of parts of numba that may change, unlike saved models
        reason = str(error).strip().partition("\n")[0]
        warnings.warn(
            f"The CRF computes without numba, which cannot compile here: {type(error).__name__}: {reason}",
            stacklevel=2,
        )
        return None
    return Kernels(LANES, TAGS_AT_A_TIME, walk_both_ways, walk_best_paths, walk_max_marginals, weigh_gradients)


def expectations(
    emissions: Tensor, lengths: Tensor, start: Tensor, transitions: Tensor, end: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Return log-partition function, probabilities of tags and expected numbers of steps.

    For the arguments and what is returned see `crf_log_space.expectations`.
    """
    labels = lengths.new_full(emissions.shape[:2], IGNORED_LABEL)
    results, left_out = _walk_both_ways(emissions, labels, lengths, start, transitions, end)
    if left_out is not None:
        exact = log_space_expectations(emissions[left_out], lengths[left_out], start, transitions, end)
        _fill_in(results, left_out, exact)
    return results


def loss_and_gradients(
    emissions: Tensor, labels: Tensor, lengths: Tensor, start: Tensor, transitions: Tensor, end: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Return the negative log-likelihood of labels and its gradients, as `crf_gold.less_gold` does."""
    results, left_out = _walk_both_ways(emissions, labels, lengths, start, transitions, end)
    if left_out is not None:
        rows = (emissions[left_out], labels[left_out], lengths[left_out], start, transitions, end)
        _fill_in(results, left_out, less_gold(*log_space_expectations(rows[0], *rows[2:]), *rows))
    return results


def weigh_gradients(
    unary: Tensor, pairs: Tensor, lengths: Tensor, gradient: Tensor
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return gradients by emissions, start, transitions and end; see `crf_gold.weigh_gradients`."""
    emissions = torch.empty_like(unary, memory_format=torch.contiguous_format)
    start, transitions, end = (
        unary.new_empty(unary.size(2)),
        pairs.new_empty(pairs.shape[1:]),
        unary.new_empty(unary.size(2)),
    )
    _compiled().weigh_gradients(*_arrays(unary, pairs, lengths, gradient, emissions, start, transitions, end))
    return emissions, start, transitions, end


def viterbi(emissions: Tensor, lengths: Tensor, start: Tensor, transitions: Tensor, end: Tensor) -> Tensor:
    """Return the best tags of compacted sentences, `(batch, length)`; -100 past the end of a sentence.

    For the arguments see `crf_log_space.expectations`.
    """
    batch, length, tags = emissions.shape
    kernels, width = _kernels_and_width(tags)
    best = lengths.new_full((batch, length), IGNORED_LABEL)
    kernels.walk_best_paths(
        *_arrays(emissions, _whole_groups(lengths, kernels.lanes), start, transitions, end.double(), best),
        _memory(length + 1, width, kernels.lanes),
        _memory(2, tags, width),
    )
    return best


def viterbi_and_max_marginals(
    emissions: Tensor, lengths: Tensor, start: Tensor, transitions: Tensor, end: Tensor
) -> tuple[Tensor, Tensor]:
    """Return the best tags, as `viterbi` does, and max-marginals; see `CrfBackend`."""
    batch, length, tags = emissions.shape
    kernels, width = _kernels_and_width(tags)
    best = lengths.new_full((batch, length), IGNORED_LABEL)
    scores = torch.full_like(emissions, -torch.inf, memory_format=torch.contiguous_format)
    kernels.walk_max_marginals(
        *_arrays(emissions, _whole_groups(lengths, kernels.lanes), start, transitions, end.double(), best, scores),
        _memory(length + 3, width, kernels.lanes),
        _memory(2, tags, width),
    )
    return best, scores


def _walk_both_ways(
    emissions: Tensor, labels: Tensor, lengths: Tensor, start: Tensor, transitions: Tensor, end: Tensor
) -> tuple[tuple[Tensor, Tensor, Tensor], Tensor | None]:
    """Return loss and gradients, and which sentences are left out as their scores lie too far apart for weights."""
    batch, length, tags = emissions.shape
    kernels, width = _kernels_and_width(tags)
    loss = emissions.new_empty(batch)
    unary = torch.empty_like(emissions, memory_format=torch.contiguous_format)
    pairs = emissions.new_empty(batch, tags, tags)
    too_far_apart = torch.empty(batch, dtype=torch.bool, device="cpu")
    how_many = kernels.walk_both_ways(
        *_arrays(emissions, labels, _whole_groups(lengths, kernels.lanes), start, transitions, end),
        *_arrays(loss, unary, pairs),
        largest_emission_spread(start, transitions, end),
        too_far_apart.numpy(),
        _memory(3, length, width, kernels.lanes),
        _memory(4, tags, width),
        _memory(length + 2 + kernels.tags_at_a_time**2, kernels.lanes),
    )
    return (loss, unary, pairs), too_far_apart.nonzero()[:, 0] if how_many else None


def _compiled() -> Kernels:
    kernels = _kernels()
    assert kernels is not None, "`supports` is asked first"
    return kernels


def _kernels_and_width(tags: int) -> tuple[Kernels, int]:
    kernels = _compiled()
    return kernels, -(-tags // kernels.tags_at_a_time) * kernels.tags_at_a_time


def _whole_groups(lengths: Tensor, lanes: int) -> Tensor:
    """Return lengths with empty sentences up to a multiple of `lanes`."""
    return nn.functional.pad(lengths, (0, -len(lengths) % lanes))


def _memory(*shape: int) -> Array:
    """Return memory for float64; that of torch begins where a wide register is loaded at once, unlike numpy's."""
    return torch.empty(shape, dtype=torch.float64, device="cpu").numpy()


def _fill_in(results: tuple[Tensor, ...], rows: Tensor, exact: tuple[Tensor, ...]) -> None:
    for result, value in zip(results, exact):
        result[rows] = value.to(result.dtype)


def _arrays(*tensors: Tensor) -> list[Array]:
    return [tensor.detach().contiguous().numpy() for tensor in tensors]


NUMBA = CrfBackend(
    "numba", supports, expectations, loss_and_gradients, weigh_gradients, viterbi, viterbi_and_max_marginals
)

__all__ = ["NUMBA"]
