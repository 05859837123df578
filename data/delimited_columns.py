"""Lines with commas, semicolons or tabs between their columns: which sign it is, and whether quotes are quotes."""

import csv
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from malmoi.data.text_lines import OLD_MAC, DataFormatError

DELIMITERS = (",", ";", "\t")


def delimiter_of(heading: str) -> str:
    """Return what stands between the columns: the sign that the heading has most of."""
    return max(DELIMITERS, key=heading.count)


def column_names(heading: str, name: Path | str) -> list[str]:
    """Return the names of the columns in the first line of a file.

    Args:
        heading: The line.
        name: What messages call the file.

    Raises:
        DataFormatError: If its columns are not as CSV has them.
    """
    if not heading.strip():
        return []
    if "\r" in heading and '"' not in heading:
        raise DataFormatError(name, 1, f"expected names of columns as CSV has them, but {OLD_MAC}.")
    with columns_of_any_length():
        try:
            columns = next(csv.reader([heading], delimiter=delimiter_of(heading)))
        except csv.Error as error:
            raise DataFormatError(name, 1, f"expected names of columns as CSV has them, but {error}.") from None
    return [column.strip() for column in columns]


def has_quotes(lines: Iterable[str], width: int) -> bool:
    """Tell whether quotes in a file with tabs are those of CSV.

    Args:
        lines: All lines of the file.
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
def columns_of_any_length(limit: int = sys.maxsize) -> Iterator[None]:
    """Lift the limit of Python's CSV reader, 131,072 characters in a column, as long as rows are read.

    Args:
        limit: The limit in its place.
    """
    before = csv.field_size_limit(limit)
    try:
        yield
    finally:
        csv.field_size_limit(before)
