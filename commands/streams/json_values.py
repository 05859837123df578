"""Values of columns as JSON, whatever a table can hold."""

import base64
import json
import math
from datetime import date, datetime, time
from typing import Any


def json_text(value: Any) -> str:
    """Return a value as JSON in one line.

    Dates and times are written as ISO 8601 does it, bytes in base64, and what is no number as null; every other value
    that JSON does not have, such as a decimal number, is its text.
    """
    try:
        return json.dumps(value, ensure_ascii=False, allow_nan=False, default=_written)
    except ValueError:
        return json.dumps(with_numbers_alone(value), ensure_ascii=False, default=_written)


def _written(value: Any) -> str:
    if isinstance(value, (date, datetime, time)):
        return value.isoformat()
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    return str(value)


def with_numbers_alone(value: Any) -> Any:
    """Return a value with null in the place of every number that JSON has not: infinite ones, and what is none."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: with_numbers_alone(each) for key, each in value.items()}
    return [with_numbers_alone(each) for each in value] if isinstance(value, (list, tuple)) else value


def cell_text(value: Any) -> str:
    """Return a value as a cell of CSV: a text as it stands, nothing for null, everything else as JSON has it.

    What JSON has not, a number that is none or is infinite, is `nan` or `inf`.
    """
    if isinstance(value, str):
        return value
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return "" if value is None else json_text(value).removeprefix('"').removesuffix('"')
