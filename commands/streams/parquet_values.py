"""Values of Parquet as Python objects, of which JSON and CSV are written; there are some that Python has not."""

from typing import Any

import pyarrow as pa

from malmoi.commands.streams.rows import RowFault

FAULTS = (ArithmeticError, LookupError, NotImplementedError, ValueError, pa.ArrowException)
"""What the conversion raises: for a date behind the year 9999, bytes that are no UTF-8, an unknown time zone."""


def rows_of_batch(batch: Any) -> list[dict[str, Any] | RowFault]:
    """Return the rows of a `pyarrow.RecordBatch`, and for one that Python cannot hold what is wrong with it."""
    try:
        rows: list[dict[str, Any] | RowFault] = batch.to_pylist()
        return rows
    except FAULTS:
        return [_row(batch, index) for index in range(batch.num_rows)]


def values_of_row(batch: Any, index: int) -> dict[str, Any]:
    """Return the values of a row, without those that Python cannot hold."""
    values = {}
    for name in batch.schema.names:
        try:
            values[name] = _value(batch, index, name)
        except FAULTS:
            continue
    return values


def _row(batch: Any, index: int) -> dict[str, Any] | RowFault:
    values = {}
    for name in batch.schema.names:
        try:
            values[name] = _value(batch, index, name)
        except FAULTS as error:
            reason = (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")
            return RowFault(
                f"the column {name!r} has a value that can be written neither as JSON nor as CSV ({reason}); "
                "--format parquet keeps it."
            )
    return values


def _value(batch: Any, index: int, name: str) -> Any:
    return batch.column(name)[index].as_py()
