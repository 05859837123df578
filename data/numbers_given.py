"""Numbers that a user gives: those of Python, and those of NumPy, such as counts and thresholds from a table."""

from numbers import Integral, Real


def is_whole_number(value: object) -> bool:
    """Tell whether a value is a whole number; neither `True` nor 1.0 is one."""
    return isinstance(value, Integral) and not isinstance(value, bool)


def is_number(value: object) -> bool:
    """Tell whether a value is a number; `True` is none."""
    return isinstance(value, Real) and not isinstance(value, bool)
