r"""Lines of two columns with a tab between them, with or without quotes.

Programs that write CSV, such as pandas and Excel, put a column in quotes if it holds a quote or a tab, and double
its quotes: `positive<TAB>"so ""good"" that it hurts"`. Files written in other ways have no quoting, and a quote in
them is a quote.
"""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from malmoi.data.notice import shorten
from malmoi.data.text_lines import DataFormatError

COLUMN = r'("(?:[^"]|"")*"|[^"\t]*)'
QUOTED_LINE = re.compile(rf"{COLUMN}\t{COLUMN}")


class Columns(NamedTuple):
    """The two columns of a line, and its number."""

    number: int
    first: str
    second: str


def split_columns(path: Path, lines: Iterable[tuple[int, str]], *, expected: str) -> list[Columns]:
    """Return the two columns of each line, without the quotes of a file that has CSV's.

    A file has them if a column in quotes holds doubled quotes or a tab, or if every second column is in quotes.

    Args:
        path: The file, for messages.
        lines: Its lines with their numbers.
        expected: What a line should hold, for messages.

    Raises:
        DataFormatError: If a line has not two columns, or if only some lines have CSV's quotes.
    """
    lines = list(lines)
    quoted = [QUOTED_LINE.fullmatch(line) for _, line in lines]
    sure = next((number for (number, _), match in zip(lines, quoted) if match and _is_surely_quoted(match)), None)
    if sure is None and not (len(lines) > 1 and all(match and match[2].startswith('"') for match in quoted)):
        for number, line in lines:
            if line.count("\t") != 1:
                raise DataFormatError(path, number, f"expected {expected}, got {shorten(line)}.")
        return [Columns(number, *line.split("\t")) for number, line in lines]
    rows = []
    for (number, line), match in zip(lines, quoted):
        if match is None:
            raise DataFormatError(
                path,
                number,
                f"expected {expected}, with quotes as CSV writes them (line {sure} has them) and without line breaks "
                f"in a text, got {shorten(line)}.",
            )
        rows.append(Columns(number, _unquote(match[1]), _unquote(match[2])))
    return rows


def _is_surely_quoted(match: re.Match[str]) -> bool:
    """Tell whether a column in quotes holds what it needs them for."""
    return any(column.startswith('"') and ('""' in column[1:-1] or "\t" in column) for column in match.groups())


def _unquote(column: str) -> str:
    return column[1:-1].replace('""', '"') if column.startswith('"') else column
