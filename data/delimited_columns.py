"""Lines with commas, semicolons, tabs or vertical bars between columns: which sign it is, and what quotes are."""

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from malmoi.data.text_lines import OLD_MAC, DataFormatError

DELIMITERS = (",", ";", "\t", "|")
SAID_DELIMITER = re.compile(r'"?sep=([^\w\s"]|\t)"?', re.IGNORECASE)
"""The line before a heading by which Excel is told what stands between columns."""
IN_QUOTES = re.compile(r'"(?:[^"]|"")*"')
CARRIAGE_RETURN = "\ud800"
"""Stands for one within a line, where Python's reader of CSV would have a row end; no decoded text has it."""
MOST_CHARACTERS = 2**31 - 1
"""What Python's reader of CSV takes for its longest limit wherever it runs: on Windows its number has 32 bits."""
MOST_LINES = 50
"""A heading has no more lines; names in quotes may hold line ends."""


class Heading(NamedTuple):
    """The beginning of a file, before its rows.

    Args:
        columns: The names of the columns; none if there is an empty line in the place of a heading.
        delimiter: What stands between columns: the sign that the heading has most of, or that the line before it says.
        lines: How many lines it takes.
    """

    columns: list[str]
    delimiter: str
    lines: int


def shielded(line: str) -> str:
    """Return a line in which Python's reader of CSV finds no end but that of the line; `unshielded` undoes it."""
    content = line.rstrip("\r\n")
    return content.replace("\r", CARRIAGE_RETURN) + line[len(content) :]


def unshielded(cells: Iterable[str]) -> list[str]:
    """Return the cells of a row that was read from shielded lines as they stand in the file."""
    return [cell.replace(CARRIAGE_RETURN, "\r") for cell in cells]


def read_heading(lines: Iterable[str], name: Path | str) -> Heading:
    """Return the heading of a file; no more of its lines are taken than it may have.

    Args:
        lines: The lines of the file, without their line feeds.
        name: What messages call the file.

    Raises:
        DataFormatError: If its columns are not as CSV has them.
    """
    rest = iter(lines)
    first = next(rest, "")
    said = SAID_DELIMITER.fullmatch(first)
    if said is not None:
        first = next(rest, "")
    before = 0 if said is None else 1
    if not first.strip():
        return Heading([], DELIMITERS[0], before + 1)
    if "\r" in first and '"' not in first:
        raise DataFormatError(name, before + 1, f"expected names of columns as CSV has them, but {OLD_MAC}.")
    taken = [first]
    while sum(line.count('"') for line in taken) % 2 and len(taken) < MOST_LINES:
        if (line := next(rest, None)) is None:
            break
        taken.append(line)
    delimiter = _delimiter_of("\n".join(taken)) if said is None else said[1]
    with columns_of_any_length():
        try:
            reader = csv.reader([f"{line}\n" for line in taken], delimiter=delimiter, strict=True)
            columns, count = next(reader), reader.line_num
        except csv.Error:  # a quote that is one, as in `3" screen`
            try:
                columns, count = next(csv.reader([first], delimiter=delimiter)), 1
            except csv.Error as error:
                raise DataFormatError(
                    name, before + 1, f"expected names of columns as CSV has them, but {error}."
                ) from None
    return Heading([column.strip() for column in columns], delimiter, before + count)


def check_different(columns: Sequence[str], name: Path | str) -> None:
    """Check that no two columns have the same name; several may have none.

    Args:
        columns: The columns of a heading.
        name: What messages call the file.

    Raises:
        DataFormatError: If two have.
    """
    twice = [column for index, column in enumerate(columns) if column and column in columns[:index]]
    if twice:
        raise DataFormatError(name, 1, f"expected a heading with a name for each column, got {twice[0]!r} twice.")


def _delimiter_of(heading: str) -> str:
    counts = {sign: IN_QUOTES.sub("", heading).count(sign) for sign in DELIMITERS}
    # a bar may stand in a name that has others beside it: `label (0|1|2),text`
    found = [sign for sign in DELIMITERS if counts[sign] and sign != "|"] or DELIMITERS
    return max(found, key=counts.__getitem__)


def has_quotes(lines: Iterable[str], width: int) -> bool:
    """Tell whether quotes in a file with tabs are those of CSV.

    Args:
        lines: The lines of the file below its heading.
        width: How many columns it has.
    """
    for line in lines:
        cells = line.split("\t")
        if line and len(cells) != width:
            return '"' in line
        if any(cell.startswith('"') and cell.endswith('"') and '""' in cell[1:-1] for cell in cells):
            return True
    return False


@contextmanager
def columns_of_any_length(limit: int = MOST_CHARACTERS) -> Iterator[None]:
    """Lift the limit of Python's CSV reader, 131,072 characters in a column, as long as rows are read.

    Args:
        limit: The limit in its place.
    """
    before = csv.field_size_limit(limit)
    try:
        yield
    finally:
        csv.field_size_limit(before)
