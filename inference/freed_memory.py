"""Give memory that is free back to the system."""

import ctypes
import functools
import sys
from collections.abc import Callable


def give_back_memory() -> None:
    """Let the C library give back what it keeps for later, where it can be asked to.

    The tensors of a piece of a long text leave gaps of sizes into which those of the next do not fit: without this,
    memory would grow by a fifth over the first pieces.
    """
    _trim()(0)


@functools.cache
def _trim() -> Callable[[int], object]:
    """Return `malloc_trim` of glibc, or what does nothing where there is none."""
    if sys.platform != "linux":
        return lambda kept: None
    return getattr(ctypes.CDLL(None), "malloc_trim", lambda kept: None)
