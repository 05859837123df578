"""Parquet files, read batch by batch: a row group need not fit into memory."""

from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedReader
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from malmoi.commands.streams.json_values import json_text
from malmoi.commands.streams.parquet_values import values_of_row
from malmoi.commands.streams.rows import BadRow, Layout, Part, Position, Row
from malmoi.commands.streams.text_column import text_column
from malmoi.data.text_lines import DataFormatError

BATCH = 1000
"""So many rows are read at once."""
BUFFER = 1 << 20


def layout_of_parquet(file: BufferedReader, name: str, *, named: str | None) -> Layout:
    """Return the columns of a file.

    Args:
        file: The file.
        name: What messages call it.
        named: What the user says is the column with the texts.

    Raises:
        UserError: If the file is none of Parquet, or it cannot be told which column holds the texts.
    """
    with _whole(name), pq.ParquetFile(file) as opened:
        schema = opened.schema_arrow
    columns = schema.names
    twice = [column for index, column in enumerate(columns) if column in columns[:index]]
    if twice:
        raise DataFormatError(name, None, f"expected a name for each column, got {twice[0]!r} twice.")
    texts = [field.name for field in schema if _is_text(field.type)]
    return Layout(text_column(name, columns, texts, named=named), tuple(columns), schema)


def rows_of_parquet(file: BufferedReader, name: str, layout: Layout, *, size: int, start: Position) -> Iterator[Part]:
    """Yield the rows of a file.

    Args:
        file: The file.
        name: What messages call it.
        layout: Its columns.
        size: Its size in bytes.
        start: The place from which it is read.

    Raises:
        DataFormatError: If the file is damaged.
    """
    with _whole(name), pq.ParquetFile(file, buffer_size=BUFFER) as opened:
        total = opened.metadata.num_rows
        group, before = 0, 0
        while group < opened.num_row_groups and before + opened.metadata.row_group(group).num_rows <= start.number:
            before += opened.metadata.row_group(group).num_rows
            group += 1
        read = before
        for batch in opened.iter_batches(BATCH, row_groups=range(group, opened.num_row_groups)):
            read += batch.num_rows
            if read <= start.number:
                continue
            new = batch.slice(max(0, batch.num_rows - (read - start.number)))
            first = read - new.num_rows + 1
            rows = [_row(new, index, text, first + index, layout) for index, text in enumerate(_texts(new, layout))]
            yield Part(rows, Position(read, read), size * read // total, new)


def _row(batch: Any, index: int, text: str | bytes | None, number: int, layout: Layout) -> Row | BadRow:
    if text is None:
        reason = f"expected a text in the column {layout.text!r}, but there is a null."
        return BadRow(number, reason, json_text(values_of_row(batch, index)))
    if isinstance(text, bytes):
        return BadRow(number, f"expected UTF-8 in the column {layout.text!r}, but it is none.", text)
    return Row(number, text)


def _texts(batch: Any, layout: Layout) -> list[str | bytes | None]:
    """Return the texts of a batch, one that is no UTF-8 as bytes."""
    column = batch.column(layout.text)
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    try:
        return column.to_pylist()
    except UnicodeDecodeError:
        return [value if value is None else _decoded(value) for value in column.cast(pa.large_binary()).to_pylist()]


def _decoded(value: bytes) -> str | bytes:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value


def _is_text(kind: Any) -> bool:
    if pa.types.is_dictionary(kind):
        return _is_text(kind.value_type)
    return pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind)


@contextmanager
def _whole(name: str) -> Iterator[None]:
    """Say which file it is that cannot be read."""
    try:
        yield
    except (OSError, pa.ArrowException) as error:
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")
        raise DataFormatError(name, None, f"expected a whole Parquet file, but it is damaged ({reason}).") from None
