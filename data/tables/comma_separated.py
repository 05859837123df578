"""Files of rows with commas, semicolons, tabs or vertical bars between their columns, under a heading: CSV and TSV.

Every column is text as it stands, but one with lists of spans: a review `null` is no missing value, and a label `01`
no number.
"""

import csv
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from datasets import Features, Value
from datasets.features.features import FeatureType

from malmoi.data.delimited_columns import (
    Heading,
    check_different,
    columns_of_any_length,
    has_quotes,
    read_heading,
    shielded,
    unshielded,
)
from malmoi.data.notice import shorten
from malmoi.data.tables.rows import BATCH, RowBatch, SourceRows
from malmoi.data.tables.written_spans import EXAMPLE, parsed_spans, span_feature
from malmoi.data.text_lines import DataFormatError, check_line_ends, read_lines

SUFFIXES = (".csv", ".tsv")
SAMPLE = 100
"""So many rows tell which columns hold lists of spans, and more of a column in which none of these has any."""
NO_SPANS = {"", "[]"}


class Beginning(NamedTuple):
    """What is known of a file before its rows are read."""

    heading: Heading
    telling: list[list[str]]
    """Rows that tell which columns hold lists of spans."""
    spans: dict[str, FeatureType]
    """The columns that do, by these rows."""

    def empty_columns(self) -> set[str]:
        """Return the columns in which no row has anything."""
        columns = enumerate(self.heading.columns)
        return {name for place, name in columns if {row[place].strip() for row in self.telling} <= NO_SPANS}


def rows_of_files(paths: Sequence[Path]) -> dict[Path, SourceRows]:
    """Return the rows of the CSV or TSV files of one data set; their numbers are those of the lines where they begin.

    The delimiter is the one that the heading has most of, or that a line `sep=;` before it says. Columns may stand in
    quotes, and hold line breaks then. In files with tabs, a quote is a quote, unless quotes are doubled within a
    column in quotes as CSV does it, or a line has too few or many columns without them. Columns without a name, which
    Excel writes behind the last one, are left out.

    A column that is empty in one file, as where none of its texts has a name, is one of spans if it is in another.

    Raises:
        DataFormatError: If a file is empty or not UTF-8, or its heading has a column twice; reading it, if a row has
            more or fewer columns than the heading.
    """
    beginnings = {path: _beginning(path) for path in paths}
    spans = {name: feature for each in beginnings.values() for name, feature in each.spans.items()}
    return {
        path: _rows(
            path,
            each.heading,
            each.spans | {name: spans[name] for name in each.empty_columns() & (spans.keys() - each.spans.keys())},
        )
        for path, each in beginnings.items()
    }


def _beginning(path: Path) -> Beginning:
    heading = read_beginning(path)
    if not any(heading.columns):
        raise DataFormatError(path, 1, "expected a heading with a name for each column, got an empty line.")
    check_different(heading.columns, path)
    telling = _telling_rows(path, heading)
    spans = {
        name: feature
        for place, name in enumerate(heading.columns)
        if name and (feature := span_feature(name, [row[place] for row in telling])) is not None
    }
    return Beginning(heading, telling, spans)


def _rows(path: Path, beginning: Heading, spans: Mapping[str, FeatureType]) -> SourceRows:
    heading = beginning.columns

    def read(columns: list[str]) -> Iterator[RowBatch]:
        places = [heading.index(name) for name in columns]
        rows: list[tuple[int, list[str]]] = []
        for row in _data_rows(path, beginning):
            rows.append(row)
            if len(rows) == BATCH:
                yield batch(rows, columns, places)
                rows = []
        if rows:
            yield batch(rows, columns, places)

    def batch(rows: list[tuple[int, list[str]]], columns: list[str], places: list[int]) -> RowBatch:
        cells: dict[str, list[Any]] = {
            name: [_spans(path, number, name, row[place]) for number, row in rows]
            if name in spans
            else [row[place] for _, row in rows]
            for name, place in zip(columns, places)
        }
        return RowBatch([number for number, _ in rows], cells)

    return SourceRows(
        name=str(path),
        features=Features({name: spans.get(name, Value("string")) for name in heading if name}),
        read=read,
        unit="line",
        is_headed_by_line=bool(heading[0]),  # pandas leaves the column of its index without a name
    )


def read_beginning(path: Path) -> Heading:
    """Return the heading of a file, with the names of its columns in Unicode's form NFC.

    Raises:
        DataFormatError: If there is none, it is not UTF-8, or not as CSV has it.
    """
    check_line_ends(path)
    heading = read_heading((line for _, line in read_lines(path)), path)
    return heading._replace(columns=[unicodedata.normalize("NFC", name) for name in heading.columns])


def _data_rows(path: Path, heading: Heading) -> Iterator[tuple[int, list[str]]]:
    """Yield the rows below the heading, without empty ones, with the numbers of their first lines."""

    def lines() -> Iterator[str]:
        return (line for _, line in islice(read_lines(path), heading.lines, None))

    width = len(heading.columns)
    quoted = heading.delimiter != "\t" or has_quotes(lines(), width)
    reader = csv.reader(
        (shielded(line) + "\n" for line in lines()),
        delimiter=heading.delimiter,
        quoting=csv.QUOTE_MINIMAL if quoted else csv.QUOTE_NONE,
        strict=True,
    )
    number = heading.lines + 1
    with columns_of_any_length():
        try:
            for row in reader:
                if row:
                    if len(row) != width:
                        raise DataFormatError(
                            path, number, f"expected {width} columns as in the heading, got {len(row)}."
                        )
                    yield number, unshielded(row)
                number = heading.lines + reader.line_num + 1
        except csv.Error as error:
            raise DataFormatError(
                path, number, f"expected columns as CSV has them, with quotes in pairs, but {error}."
            ) from None


def _telling_rows(path: Path, heading: Heading) -> list[list[str]]:
    """Return the first rows, and behind them the first with anything in a column that has empty lists in these."""
    rows = _data_rows(path, heading)
    first = [row for _, row in islice(rows, SAMPLE)]
    undecided = {place for place in range(len(heading.columns)) if {row[place].strip() for row in first} <= NO_SPANS}
    while undecided and (found := next(rows, None)) is not None:
        _, row = found
        if told := {place for place in undecided if row[place].strip() not in NO_SPANS}:
            first.append(row)
            undecided -= told
    return first


def _spans(path: Path, number: int, name: str, cell: str) -> list[Any]:
    found = parsed_spans(cell)
    if found is None:
        raise DataFormatError(
            path, number, f"expected a list of spans such as {EXAMPLE} in the column {name!r}, got {shorten(cell)}."
        )
    return found
