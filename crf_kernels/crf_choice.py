"""Which way to compute a linear-chain CRF is taken."""

import warnings

import torch

from .crf_backend import CrfBackend, CrfRecursions
from .crf_numba import NUMBA
from .crf_pytorch_crf import PYTORCH_CRF
from .crf_torch import TORCH
from .crf_triton import TRITON

FASTEST_FIRST = (TRITON, NUMBA, TORCH)
IMPLEMENTATIONS = ("auto", TORCH.name, NUMBA.name, TRITON.name, PYTORCH_CRF.name)
"""What can compute: the fastest that is at hand, our PyTorch, numba on a CPU, Triton on a GPU, that library."""


def choose(implementation: str, device: torch.device, num_tags: int) -> CrfRecursions:
    """Return what computes the CRF.

    Args:
        implementation: `"pytorch-crf"` for that library, otherwise as in `choose_backend`.
        device: Where the emissions are.
        num_tags: Number of tags.

    Raises:
        ValueError: If there is no implementation of that name.
    """
    if implementation not in IMPLEMENTATIONS:
        raise ValueError(f"`implementation` must be one of {', '.join(IMPLEMENTATIONS)}, got {implementation!r}.")
    if implementation == PYTORCH_CRF.name:
        return PYTORCH_CRF
    return choose_backend(implementation, device, num_tags)


def choose_backend(implementation: str, device: torch.device, num_tags: int) -> CrfBackend:
    """Return what computes the CRF; PyTorch, with a warning, if what was asked for cannot be used.

    Args:
        implementation: `"torch"`, `"numba"`, `"triton"`, or `"auto"` for the fastest that is at hand.
        device: Where the emissions are.
        num_tags: Number of tags.
    """
    for backend in FASTEST_FIRST:
        if implementation in ("auto", backend.name) and backend.supports(device, num_tags):
            return backend
    warnings.warn(
        f"The CRF computes with PyTorch, which is slower: {implementation} is not installed, or is of no use for "
        f"{num_tags} tags on {device.type}.",
        stacklevel=2,
    )
    return TORCH


__all__ = ["IMPLEMENTATIONS", "choose", "choose_backend"]
