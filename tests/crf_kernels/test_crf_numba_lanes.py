"""Arithmetic with eight numbers at once, beside that of numpy."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

pytest.importorskip("numba")

from numba import njit

from malmoi.kernels.crf_numba_lanes import LANES, add_product, exponential, larger, load, smaller, spread, store


@njit
def compute(left: np.ndarray, right: np.ndarray, results: np.ndarray) -> None:
    """Write what each operation gives to a row of its own."""
    a, b = load(left, 0), load(right, 0)
    store(results, 0, a + b)
    store(results, 1, a - b)
    store(results, 2, a * b)
    store(results, 3, a / b)
    store(results, 4, larger(a, b))
    store(results, 5, smaller(a, b))
    store(results, 6, add_product(a, b, spread(2.0)))
    store(results, 7, exponential(a))


def results_of(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    results = np.empty((8, LANES))
    compute(left[None], right[None], results)
    return results


NUMBERS = st.floats(-1e307, 1e307) | st.sampled_from([np.inf, -np.inf, np.nan])
ANY = arrays.arrays(np.float64, LANES, elements=NUMBERS)


@given(ANY, ANY)
def test_each_lane_computes_as_numpy_does(left: np.ndarray, right: np.ndarray) -> None:
    with np.errstate(all="ignore"):
        expected = [
            left + right,
            left - right,
            left * right,
            left / right,
            np.where(left > right, left, right),
            np.where(left < right, left, right),
            left + right * 2.0,
        ]
        np.testing.assert_array_equal(results_of(left, right)[:7], expected)


@given(arrays.arrays(np.float64, LANES, elements=st.floats(-708, 0)))
def test_exponentials_are_exact_to_fifteen_decimals(numbers: np.ndarray) -> None:
    np.testing.assert_allclose(results_of(numbers, numbers)[7], np.exp(numbers), rtol=5e-16, atol=0)


def test_exponentials_of_what_is_out_of_range() -> None:
    numbers = np.array([0.0, -0.0, -1e-320, -709.0, -1e308, -np.inf, np.nan, -708.0])
    least = np.exp(-708.0)
    expected = [1.0, 1.0, 1.0, least, least, least, np.nan, least]
    np.testing.assert_allclose(results_of(numbers, numbers)[7], expected, rtol=5e-16, atol=0)


def test_rows_with_gaps_are_refused() -> None:
    with_gaps = np.zeros((1, 2 * LANES))[:, ::2]
    with pytest.raises(Exception, match="load"):
        compute(with_gaps, with_gaps, np.empty((8, LANES)))
