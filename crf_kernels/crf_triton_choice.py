"""Which way to compute a linear-chain CRF is taken where there is only Triton: in the repository for the Hub.

`hub_layout` puts this file there in the place of `crf_choice`.
"""

import os

import torch

from .crf_backend import CrfBackend
from .crf_triton import MAX_TAGS, TRITON, supports

IMPLEMENTATIONS = ("auto", TRITON.name)
"""What can compute; both are Triton."""


def choose(implementation: str, device: torch.device, num_tags: int) -> CrfBackend:
    """Return the Triton kernels.

    Args:
        implementation: `"auto"` or `"triton"`.
        device: Where the emissions are: a GPU, or a CPU if Triton interprets (`TRITON_INTERPRET=1`).
        num_tags: Number of tags.

    Raises:
        ValueError: If there is no implementation of that name, or there are too many tags.
        RuntimeError: If Triton does not run on the device.
    """
    if implementation not in IMPLEMENTATIONS:
        raise ValueError(f"`implementation` must be one of {', '.join(IMPLEMENTATIONS)}, got {implementation!r}.")
    if num_tags > MAX_TAGS:
        raise ValueError(f"The Triton kernels take at most {MAX_TAGS} tags, got {num_tags}.")
    interpreted = device.type == "cpu" and os.environ.get("TRITON_INTERPRET") == "1"
    if not interpreted and not supports(device, num_tags):
        raise RuntimeError(f"These kernels need a GPU and Triton with a C compiler; the emissions are on {device}.")
    return TRITON


__all__ = ["IMPLEMENTATIONS", "choose"]
