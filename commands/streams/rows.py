"""Texts on their way from a file to an answer."""

from collections.abc import Mapping
from typing import Any, NamedTuple

TEXT = "text"
"""What the text of a row is called where its file has no name for it."""

TYPED = "typed"
"""The kind of what is no file: texts of the command line."""


class InputFile(NamedTuple):
    """A file with texts.

    Args:
        number: Which of the files it is, counted from 0.
        path: Where it is; `-` is standard input.
        name: What messages call it.
        relative: What it is called within its folder, and what its answers are called in another one.
        place: What answers call it that stand beside those of other files.
        kind: What a row is: `line`, `document`, `json`, `csv` or `parquet`, or `typed`.
        size: How many bytes it has; `None` if that cannot be told.
        fingerprint: What tells whether it is the same, once it is read; `None` for what cannot be read again.
    """

    number: int
    path: str
    name: str
    relative: str
    place: str
    kind: str
    size: int | None
    fingerprint: str | None = None


class Position(NamedTuple):
    """A place between two rows of a file, from which it can be read on.

    Args:
        offset: Bytes before it; rows in Parquet.
        number: The number of the last line, or row, before it.
    """

    offset: int = 0
    number: int = 0


BEGINNING = Position()


class Row(NamedTuple):
    """A text.

    Args:
        number: Of the line in which it begins, or of the row, counted from 1.
        text: The text.
        fields: All columns of its row, the text among them; `None` if it has no others.
    """

    number: int
    text: str
    fields: Mapping[str, Any] | None = None


WHOLE_FILE = 0
"""The number of what is no row: the file itself, which cannot be read, or not any further."""


class BadRow(NamedTuple):
    """What should be a text, and is none.

    Args:
        number: Of the line in which it begins, or of the row, counted from 1; or `WHOLE_FILE`.
        reason: What was expected, and what is there.
        raw: What stands in the file; of a row that was read, and cannot be answered or written, its text.
    """

    number: int
    reason: str
    raw: bytes | str


class Part(NamedTuple):
    """Some rows of a file, one after the other.

    Args:
        rows: The rows.
        position: Where the file goes on.
        done: How many bytes of the file have been read so far, for the progress.
        batch: The same rows as a `pyarrow.RecordBatch`, if the file is one of Parquet.
    """

    rows: list[Row | BadRow]
    position: Position
    done: int
    batch: Any = None


class Layout(NamedTuple):
    """What the rows of a file have in common.

    Args:
        text: The column with the texts.
        columns: All columns in their order; empty if every row has its own, or none but the text.
        schema: The `pyarrow.Schema` of a Parquet file.
        has_documents: Whether the first row has a place for what it is part of.
    """

    text: str = TEXT
    columns: tuple[str, ...] = ()
    schema: Any = None
    has_documents: bool = False


class Piece(NamedTuple):
    """Some rows, and the file that they are from.

    Args:
        file: The file.
        layout: What its rows have in common.
        part: The rows.
        is_last: Whether the file ends here.
        is_unread: Whether the layout of the file could not be read, or of a pipe not yet: then nothing is written.
        is_first: Whether the file begins here.
    """

    file: InputFile
    layout: Layout
    part: Part
    is_last: bool
    is_unread: bool = False
    is_first: bool = False


class RowFault(Exception):
    """A row cannot be read, or its answer cannot be written in the form that is asked for."""
