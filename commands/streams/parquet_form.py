"""Answers as Parquet: the columns of the rows with their types, and those of the answers.

A Parquet file is one whole, to which nothing can be added. So rows are written behind each other as streams of Arrow,
each after its length, and become a Parquet file at the end.
"""

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from malmoi.commands.streams.forms import AnsweredRow, Form
from malmoi.commands.streams.rows import BadRow, Piece
from malmoi.commands.streams.tasks import answer_columns

LENGTH = struct.Struct("<Q")
GROUP_ROWS, GROUP_BYTES = 100_000, 32 * 1024 * 1024
"""About so much becomes a row group."""


class ParquetForm(Form):
    """Columns with types."""

    endings = (".parquet",)

    def write(
        self, piece: Piece, answered: list[AnsweredRow], *, keeps_bad: bool
    ) -> tuple[tuple[bytes, ...], list[BadRow]]:
        """Return rows as a stream of Arrow, after its length; the columns alone if there is no row."""
        if not answered and not piece.is_last:
            return (b"",), []
        table = self._given(piece, answered)
        names = answer_columns(self.task.columns, table.column_names)
        values = [self.task.values(row.answer) for row in answered]
        for index, (name, kind) in enumerate(zip(names, self.task.arrow_types())):
            table = table.append_column(pa.field(name, kind), _column([row[index] for row in values], kind))
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, table.schema, options=pa.ipc.IpcWriteOptions(compression="zstd")) as stream:
            stream.write_table(table)
        content = sink.getvalue()
        return (LENGTH.pack(content.size) + content.to_pybytes(),), []

    def _given(self, piece: Piece, answered: list[AnsweredRow]) -> Any:
        """Return the columns that the rows have without their answers."""
        columns = piece.layout.columns or (piece.layout.text,)
        if piece.part.batch is not None:
            table = _rows(piece.part.batch, [row.at for row in answered])
        elif piece.layout.schema is not None:
            table = piece.layout.schema.empty_table()
        else:
            given = [row.fields or {piece.layout.text: row.text} for _, row, _ in answered]
            table = pa.table({name: pa.array([row[name] for row in given], pa.string()) for name in columns})
        numbers = [row.number for _, row, _ in answered]
        for index, (name, value) in enumerate(self.placed(piece, 0, dict.fromkeys(columns)).items()):
            place = (
                pa.array([value] * len(numbers), pa.string())
                if isinstance(value, str)
                else pa.array(numbers, pa.int64())
            )
            table = table.add_column(index, name, place)
        return table


def write_parquet(streams: Path, path: Path) -> None:
    """Make a Parquet file of what `ParquetForm` has written.

    Args:
        streams: The file with the streams.
        path: The file to write.
    """
    tables = _tables(streams)
    first = next(tables)
    held = [first]
    with pq.ParquetWriter(path, first.schema) as writer:
        for table in tables:
            held.append(table)
            if sum(t.num_rows for t in held) >= GROUP_ROWS or sum(t.nbytes for t in held) >= GROUP_BYTES:
                writer.write_table(pa.concat_tables(held))
                held = []
        if held:
            writer.write_table(pa.concat_tables(held))


def _tables(streams: Path) -> Iterator[Any]:
    with streams.open("rb") as file:
        while length := file.read(LENGTH.size):
            with pa.ipc.open_stream(file.read(LENGTH.unpack(length)[0])) as stream:
                yield stream.read_all()


def _rows(batch: Any, numbers: list[int]) -> Any:
    """Return rows of a batch, in slices: rows of some types, such as string views, cannot be taken one by one."""
    slices: list[list[int]] = []
    for number in numbers:
        if slices and number == sum(slices[-1]):
            slices[-1][1] += 1
        else:
            slices.append([number, 1])
    return pa.Table.from_batches([batch.slice(*each) for each in slices], batch.schema)


def _column(values: list[Any], kind: Any) -> Any:
    if pa.types.is_map(kind):
        values = [list(value.items()) for value in values]
    return pa.array(values, kind)
