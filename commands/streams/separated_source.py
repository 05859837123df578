"""CSV and TSV: a heading, and rows whose columns are separated by commas, semicolons, tabs or vertical bars.

Every column is text as it stands. A row may be several lines, where a column in quotes holds line ends.
"""

import csv
from collections.abc import Iterator
from io import BufferedReader
from itertools import islice
from typing import NamedTuple

from malmoi.commands.streams.raw_lines import CHUNK_BYTES, decoded_line, raw_lines
from malmoi.commands.streams.rows import BadRow, Layout, Part, Position, Row
from malmoi.commands.streams.text_column import FLAG, text_column
from malmoi.data.column_headings import may_head_texts
from malmoi.data.delimited_columns import (
    check_different,
    columns_of_any_length,
    has_quotes,
    read_heading,
    shielded,
    unshielded,
)
from malmoi.data.notice import shorten
from malmoi.data.text_lines import DataFormatError
from malmoi.data.user_error import UserError

LONGEST = 1 << 24
"""Characters in a column, at most: a quote that is never closed must not read the rest of a file into memory."""


class Separators(NamedTuple):
    """How the columns of a file are told apart.

    Args:
        delimiter: What stands between them.
        quoted: Whether quotes are quotes.
        heading_lines: How many lines come before the rows.
    """

    delimiter: str
    quoted: bool
    heading_lines: int


def layout_of_separated(file: BufferedReader, name: str, *, encoding: str, named: str | None) -> Layout:
    """Return the columns of a file; none if it is empty.

    Args:
        file: The file, at its beginning.
        name: What messages call it.
        encoding: Its encoding.
        named: What the user says is the column with the texts.

    Raises:
        UserError: If the heading is none, or may be a text itself, or it cannot be told which column holds the texts.
    """
    if not file.peek(1):
        return Layout()
    columns = read_heading(_lines_of_heading(file, name, encoding), name).columns
    if columns.count("") > 1:  # as Excel writes them behind the last one
        columns = [column or f"column {place}" for place, column in enumerate(columns, start=1)]
    check_different(columns, name)
    # in a file without a heading the first text stands in its place, and would be lost
    if named is None and len(columns) == 1 and not may_head_texts(columns[0]):
        raise UserError(
            f"{name}: expected a heading with a name that tells the texts, such as `text`, but the first line is "
            f"{shorten(columns[0])}; if it is a heading, name the column by {FLAG}, and if there is none, give the "
            "lines as a .txt file."
        )
    return Layout(text_column(name, columns, columns, named=named), tuple(columns))


def separators(file: BufferedReader, name: str, *, encoding: str, width: int) -> Separators:
    """Return how the columns of a file are told apart; for one with tabs all of it is looked at.

    Args:
        file: The file, at its beginning.
        name: What messages call it.
        encoding: Its encoding.
        width: How many columns it has.
    """
    heading = read_heading(_lines_of_heading(file, name, encoding), name)
    if heading.delimiter != "\t":
        return Separators(heading.delimiter, True, heading.lines)
    file.seek(0)
    lines = (line for _, line in _decoded_lines(file, name, encoding) if isinstance(line, str))
    return Separators(heading.delimiter, has_quotes(islice(lines, heading.lines, None), width), heading.lines)


def _lines_of_heading(file: BufferedReader, name: str, encoding: str) -> Iterator[str]:
    for number, line in _decoded_lines(file, name, encoding):
        if isinstance(line, BadRow):
            raise DataFormatError(name, number, line.reason)
        yield line


def _decoded_lines(file: BufferedReader, name: str, encoding: str) -> Iterator[tuple[int, str | BadRow]]:
    """Yield the lines of a file, which is at its beginning, with their numbers."""
    for raw in raw_lines(file):
        for number, each in enumerate(raw.lines, start=1 + raw.start.number):
            yield number, decoded_line(each, name, number, encoding)


def rows_of_separated(
    file: BufferedReader, name: str, layout: Layout, form: Separators, *, encoding: str, start: Position
) -> Iterator[Part]:
    """Yield the rows below the heading, without empty ones; their numbers are those of their first lines.

    Args:
        file: The file, at the place.
        name: What messages call it.
        layout: Its columns.
        form: How they are told apart.
        encoding: Its encoding.
        start: The place from which it is read: its beginning, or between two rows.
    """
    lines = _TakenLines(file, start, encoding)
    reader = csv.reader(
        map(shielded, lines),
        delimiter=form.delimiter,
        quoting=csv.QUOTE_MINIMAL if form.quoted else csv.QUOTE_NONE,
        strict=True,
    )
    if not start.number:
        for _ in range(form.heading_lines):
            next(lines, None)
        lines.take()
    rows: list[Row | BadRow] = []
    begun = lines.position
    while True:
        before = lines.position
        reason, cells = "", []
        with columns_of_any_length(LONGEST):
            try:
                cells = unshielded(next(reader))
            except StopIteration:
                break
            except csv.Error as error:
                reason = f"expected columns as CSV has them, with quotes in pairs, but {error}."
        raw = lines.take()
        if cells or reason:
            rows.append(_row(cells, reason, raw, before.number + 1, name, layout, encoding))
        if lines.position.offset - begun.offset >= CHUNK_BYTES:
            yield Part(rows, lines.position, lines.position.offset)
            rows, begun = [], lines.position
    if rows:
        yield Part(rows, lines.position, lines.position.offset)


def _row(
    cells: list[str], reason: str, raw: bytes, number: int, name: str, layout: Layout, encoding: str
) -> Row | BadRow:
    for index, line in enumerate(raw.split(b"\n")):
        decoded = decoded_line(line, name, number + index, encoding)
        if isinstance(decoded, BadRow):
            return BadRow(number, decoded.reason, raw)
    if not reason and len(cells) != len(layout.columns):
        reason = f"expected {len(layout.columns)} columns as in the heading, got {len(cells)}."
    if reason:
        return BadRow(number, reason, raw)
    fields = dict(zip(layout.columns, cells))
    return Row(number, fields[layout.text], fields)


class _TakenLines(Iterator[str]):
    """The lines of a file as the reader of CSV takes them, which is not one more than it needs for a row."""

    def __init__(self, file: BufferedReader, start: Position, encoding: str):
        self._file = file
        self._encoding = encoding
        self._taken: list[bytes] = []
        self.position = start

    def __next__(self) -> str:
        """Return a line."""
        raw = self._file.readline()
        if not raw:
            raise StopIteration
        self._taken.append(raw)
        self.position = Position(self.position.offset + len(raw), self.position.number + 1)
        # what is no text, or has a NUL, is found once its row is whole
        return raw.decode(self._encoding, errors="replace").replace("\0", "\ufffd")

    def take(self) -> bytes:
        """Return the lines of the row that has been read, without the last line end."""
        raw = b"".join(self._taken)
        self._taken = []
        return raw.removesuffix(b"\n").removesuffix(b"\r")
