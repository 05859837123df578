"""Which reader a file has, by its kind."""

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from io import BufferedReader
from typing import NamedTuple

from malmoi.commands.streams.files_read import fingerprint
from malmoi.commands.streams.raw_lines import CHUNK_BYTES
from malmoi.commands.streams.rows import (
    BEGINNING,
    WHOLE_FILE,
    BadRow,
    InputFile,
    Layout,
    Part,
    Piece,
    Position,
    Row,
)
from malmoi.commands.text_input import STANDARD_INPUT
from malmoi.data.user_error import UserError


class Reading(NamedTuple):
    """How files are read.

    Args:
        encoding: How those of text are written.
        text_column: What the user says is the column with the texts.
        keeps_bad: Whether a file that cannot be read is left out; otherwise it is the end.
    """

    encoding: str = "utf-8"
    text_column: str | None = None
    keeps_bad: bool = False


def layout_of(file: InputFile, reading: Reading) -> Layout:
    """Return what the rows of a file have in common.

    Args:
        file: The file.
        reading: How it is read.

    Raises:
        UserError: If it is not what its name promises, or it cannot be told which column holds the texts.
    """
    if _is_pipe(file):  # of which nothing may be read ahead
        return Layout() if reading.text_column is None else Layout(reading.text_column)
    if file.kind in ("line", "document"):
        return Layout()
    with opened(file) as stream:
        if file.kind == "parquet":
            from malmoi.commands.streams.parquet_source import layout_of_parquet

            return layout_of_parquet(stream, file.name, named=reading.text_column)
        if file.kind == "csv":
            from malmoi.commands.streams.separated_source import layout_of_separated

            return layout_of_separated(stream, file.name, encoding=reading.encoding, named=reading.text_column)
        from malmoi.commands.streams.json_source import layout_of_json

        return layout_of_json(stream, file.name, encoding=reading.encoding, named=reading.text_column)


def pieces_of(file: InputFile, reading: Reading, start: Position) -> Iterator[Piece]:
    """Yield the rows of a file from a place on; the last piece is an empty one.

    Args:
        file: The file.
        reading: How it is read.
        start: The place.

    Raises:
        UserError: If it cannot be read and is not left out; what is read until then has been yielded.
    """
    last = None
    try:
        for last in _whole_pieces(file, reading, start):
            yield last
    except (UserError, OSError) as error:
        if not reading.keeps_bad:
            raise
        if isinstance(error, OSError):
            error = UserError(f"{file.name}: it cannot be read ({error.strerror or error}).")
        fault = BadRow(WHOLE_FILE, str(error), b"")
        if last is None:
            yield Piece(file, Layout(), Part([fault], start, start.offset), is_last=True, is_unread=True)
        else:
            rest = Part([fault], last.part.position, last.part.done)
            yield last._replace(part=rest, is_last=True, is_first=False)


def _whole_pieces(file: InputFile, reading: Reading, start: Position) -> Iterator[Piece]:
    """Yield the rows of a file that can be read to its end; see `pieces_of`."""
    layout = layout_of(file, reading)
    position, done = start, 0
    begins = start == BEGINNING
    with opened(file) as stream:
        if file.size is not None and file.path != STANDARD_INPUT:
            file = file._replace(size=os.fstat(stream.fileno()).st_size, fingerprint=fingerprint(stream))
        for part in _parts(stream, file, layout, reading, start):
            position, done = part.position, part.done
            if file.kind == "json" and _is_pipe(file) and not layout.columns:
                layout = layout._replace(columns=_first_columns(part))
                is_unread = not layout.columns
            else:
                is_unread = False
            yield Piece(file, layout, part, is_last=False, is_unread=is_unread, is_first=begins and not is_unread)
            begins = begins and is_unread
    if not done and not start.offset and file.path != STANDARD_INPUT:
        lacks = "it has columns, but no row" if layout.columns else "the file is empty"
        print(f"malmoi: {file.name}: {lacks}.", file=sys.stderr)
    yield Piece(file, layout, Part([], position, done), is_last=True)


def jobs_of(files: Sequence[InputFile], reading: Reading, start: Position) -> Iterator[list[Piece]]:
    """Yield the rows of files in jobs of about `CHUNK_BYTES`, so that small files are answered together.

    Args:
        files: The files, in their order.
        reading: How they are read.
        start: The place from which the first of them is read.
    """
    job: list[Piece] = []
    size = 0
    try:
        for file in files:
            for piece in pieces_of(file, reading, start):
                job.append(piece)
                size += sum(len(row.text) if isinstance(row, Row) else len(row.raw) for row in piece.part.rows)
                # a pipe may be slow: what has come is answered
                if size >= CHUNK_BYTES // 4 or file.size is None:
                    yield job
                    job, size = [], 0
            start = BEGINNING
    except (UserError, OSError):
        if job:  # what was read before the fault is answered
            yield job
        raise
    if job:
        yield job


def check_layouts(files: Sequence[InputFile], reading: Reading) -> None:
    """Check that files have the same columns, so that their rows can stand in one table.

    Raises:
        UserError: If they have not.
    """
    first = None
    for file in files:
        try:
            layout = layout_of(file, reading)
        except (UserError, OSError):
            if not reading.keeps_bad:
                raise
            continue
        first = (file, layout) if first is None else first
        if (file.kind == "document") != (first[0].kind == "document") or layout[1:] != first[1][1:]:
            raise UserError(
                f"{first[0].name} and {file.name} have different columns, so that one table cannot hold both; give a "
                "folder as --output, or --format jsonl."
            )


def _is_pipe(file: InputFile) -> bool:
    return file.path == STANDARD_INPUT or file.size is None


def _first_columns(part: Part) -> tuple[str, ...]:
    """Return the columns of the first row that has any."""
    return next((tuple(row.fields) for row in part.rows if isinstance(row, Row) and row.fields), ())


def opened(file: InputFile) -> AbstractContextManager[BufferedReader]:
    """Open a file."""
    from_input = file.path == STANDARD_INPUT
    return open(0 if from_input else file.path, "rb", closefd=not from_input)


def _parts(
    stream: BufferedReader, file: InputFile, layout: Layout, reading: Reading, start: Position
) -> Iterator[Part]:
    if file.kind == "parquet":
        from malmoi.commands.streams.parquet_source import rows_of_parquet

        return rows_of_parquet(stream, file.name, layout, size=file.size or 0, start=start)
    if file.kind == "document":
        from malmoi.commands.streams.text_source import whole_text

        return whole_text(stream, file.name, encoding=reading.encoding, start=start)
    if file.kind == "csv":
        from malmoi.commands.streams.separated_source import rows_of_separated, separators

        if not layout.columns:
            return iter(())
        form = separators(stream, file.name, encoding=reading.encoding, width=len(layout.columns))
        stream.seek(start.offset)
        return rows_of_separated(stream, file.name, layout, form, encoding=reading.encoding, start=start)
    if start.offset:
        stream.seek(start.offset)
    if file.kind == "json":
        from malmoi.commands.streams.json_source import rows_of_json

        return rows_of_json(stream, file.name, layout.text, encoding=reading.encoding, start=start)
    from malmoi.commands.streams.text_source import lines_of_text

    return lines_of_text(stream, file.name, encoding=reading.encoding, start=start)
