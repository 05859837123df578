"""Fast ways to compute a linear-chain CRF: compiled by numba for the CPU, as Triton kernels for a GPU, in PyTorch."""

from malmoi.kernels.crf_backend import CrfBackend, CrfRecursions
from malmoi.kernels.crf_choice import IMPLEMENTATIONS, choose

INTERFACE = 1
"""The version of `choose` and of what it returns; a saved model uses no other than the one that it was saved with."""

__all__ = ["IMPLEMENTATIONS", "INTERFACE", "CrfBackend", "CrfRecursions", "choose"]
