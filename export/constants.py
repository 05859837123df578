"""Constants of a graph: small ones of steps, and weights in the smallest type that loses nothing."""

from typing import Any

import numpy as np
import spox.opset.ai.onnx.v18 as op
from numpy.typing import NDArray
from spox import Var
from torch import Tensor

Array = NDArray[Any]


def ints(*values: int) -> Var:
    """Return whole numbers as a vector, such as axes or a shape."""
    return op.const(list(values), np.int64)


def number(value: int) -> Var:
    """Return a whole number."""
    return op.const(value, np.int64)


def array_of(weight: Tensor) -> Array:
    """Return a weight as an array in float32."""
    array: Array = weight.detach().float().cpu().numpy()
    return array


def stored(weight: Array) -> Array:
    """Return a weight in float16 if every number of it is one, otherwise as it is.

    The models of the package are saved in float16: their graphs are half as large, and the same.
    """
    with np.errstate(over="ignore"):
        half = weight.astype(np.float16)
    return half if np.array_equal(half.astype(weight.dtype), weight) else weight


def weight(array: Array) -> Var:
    """Return a weight in float32, whatever it is stored in."""
    kept = op.constant(value=stored(array))
    return kept if kept.unwrap_tensor().dtype == np.float32 else op.cast(kept, to=np.float32)


def rows(table: Array, index: Var) -> Var:
    """Return the rows of a table of weights, in float32; only these are converted to it."""
    found = op.gather(op.constant(value=stored(table)), index)
    return found if found.unwrap_tensor().dtype == np.float32 else op.cast(found, to=np.float32)


def size(values: Var, axis: int) -> Var:
    """Return the size of an axis, as a vector of one number."""
    return op.shape(values, start=axis, end=axis + 1)


def part(values: Var, start: int, stop: int | None = None, *, axis: int, step: int = 1) -> Var:
    """Return a slice of an axis."""
    end = stop if stop is not None else (np.iinfo(np.int64).min if step < 0 else np.iinfo(np.int64).max)
    return op.slice(values, ints(start), ints(int(end)), ints(axis), ints(step))


def positions(count: Var) -> Var:
    """Return the numbers from 0 to below a count, which is a vector of one number."""
    return op.range(number(0), op.squeeze(count, ints(0)), number(1))
