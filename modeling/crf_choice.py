"""Which way to compute a linear-chain CRF is taken.

This file travels with every saved model, so it imports nothing but torch and its neighbours.
"""

import warnings

import torch

from .crf_backend import CrfBackend
from .crf_numba import NUMBA
from .crf_torch import TORCH
from .crf_triton import TRITON

FASTEST_FIRST = (TRITON, NUMBA, TORCH)
IMPLEMENTATIONS = ("auto", *(backend.name for backend in FASTEST_FIRST))


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


__all__ = ["IMPLEMENTATIONS", "choose_backend"]
