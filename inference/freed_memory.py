"""What becomes of memory that is free again: the C library keeps it for what comes next, or gives it back."""

import ctypes
import functools
import sys
from collections.abc import Callable

TRIM_THRESHOLD, MMAP_THRESHOLD = -1, -3
"""How `mallopt` of glibc calls its settings (https://man7.org/linux/man-pages/man3/mallopt.3.html)."""
KEPT = 128 * 2**20
"""So many bytes at the end of what the library has may be free."""
LARGEST_KEPT = 32 * 2**20
"""Larger pieces are the system's own and go back at once; glibc allows no more."""


def give_back_memory() -> None:
    """Let the C library give back what it keeps for later, where it can be asked to.

    The tensors of a piece of a long text leave gaps of sizes into which those of the next do not fit: without this,
    memory would grow by a fifth over the first pieces.
    """
    _of_glibc("malloc_trim")(0)


def keep_freed_memory() -> None:
    """Let the C library keep what is freed for the next tensors, where it can be asked to.

    By default it gives the tensors of a batch back to the system, which hands the same pages over anew, emptied, for
    the next batch. It is a setting of the whole process, so it is for programs, not for a library.
    """
    set_option = _of_glibc("mallopt")
    set_option(TRIM_THRESHOLD, KEPT)
    set_option(MMAP_THRESHOLD, LARGEST_KEPT)


@functools.cache
def _of_glibc(name: str) -> Callable[..., object]:
    """Return a function of glibc, or what does nothing where there is none."""
    if sys.platform != "linux":
        return lambda *_: None
    return getattr(ctypes.CDLL(None), name, lambda *_: None)
