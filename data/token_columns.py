"""Files with one token a line in columns: which lines are tokens, where sentences and documents end.

Columns are divided by tabs if the first line with a token has one, otherwise by spaces. An empty line ends a
sentence; `-DOCSTART-` and `# newdoc` begin a document, and `# newdoc id = …` does, or goes on with the one of that
name. A line that begins with `# ` or `## ` is a comment, but in columns divided by spaces `# O` is the token `#`. A
`#` or `##` alone is one too where a sentence may begin.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from malmoi.data.column_headings import head_word_and_tag
from malmoi.data.tag_schemes import OUTSIDE_SIGNS, SEEMING_OUTSIDE_SIGNS, has_letter, is_tag
from malmoi.data.text_lines import DataFormatError, check_line_ends, read_lines

DOCUMENT = "-DOCSTART-"
NEW_DOCUMENT = "# newdoc"
_DOCUMENT_ID = re.compile(rf"{NEW_DOCUMENT}\s+id\s*=\s*(.*\S)\s*")
COMMENTS = ("# ", "## ")
LINE_END = re.compile(r"[\r\n]")
"""What a name may hold that stands in a line, such as that of a file."""
CSV_COLUMN = re.compile(r'"(?:[^"]|"")+"')
"""A column in quotes as CSV writes it: those within are doubled."""
MOST_TYPES = 30
"""So many types without a letter may stand in the first lines of a file that is taken for one of columns."""


MOST = 2 / 3
"""So many of these lines must look so."""


class Columns(NamedTuple):
    """How the lines of files are divided."""

    tabs: bool
    width: int
    """How many there are."""
    path: Path
    line: int
    """The line that shows it."""
    quoted: bool = False
    """Whether columns may stand in the quotes of CSV, as where pandas has written a token with a quote in it."""

    def split(self, line: str) -> list[str]:
        """Return the columns of a line with a token."""
        found = split_columns(line, tabs=self.tabs)
        return [*map(_unquoted, found)] if self.quoted else found

    def __str__(self) -> str:
        """Return what is expected, in words."""
        return f"{self.width} columns divided by {'a tab' if self.tabs else 'spaces'}, as in line {self.line}"


def _unquoted(column: str) -> str:
    """Return what CSV holds in a column; one without quotes as it is."""
    return column[1:-1].replace('""', '"') if CSV_COLUMN.fullmatch(column) else column


def split_columns(line: str, *, tabs: bool) -> list[str]:
    """Return the columns of a line: between single tabs, or between any number of spaces."""
    return line.split("\t") if tabs else [column for column in line.split(" ") if column]


def find_columns(paths: Iterable[Path]) -> Columns:
    """Return how the first line with a token is divided.

    Raises:
        DataFormatError: If no file has a token, or the line has one column alone.
    """
    path: Path | None = None
    for path in paths:
        check_line_ends(path)
        for number, line in read_lines(path):
            if line.strip("# ") and not (line.startswith(COMMENTS) or is_document(line)):
                tabs = "\t" in line
                count = len(split_columns(line, tabs=tabs))
                if count < 2:
                    raise DataFormatError(
                        path, number, "expected two or more columns, a token and its tag, divided by tabs or spaces."
                    )
                return Columns(tabs, count, path, number)
    raise DataFormatError(path or "", None, "expected sentences, found none.")


def token_lines(path: Path, columns: Columns) -> Iterator[tuple[int, list[str], int]]:
    """Yield the number of each line with a token, its columns, and the number of its document; 0 before the first.

    After each sentence comes a line without columns. A heading is skipped.

    Raises:
        DataFormatError: If a line has more or fewer columns.
    """
    document = begun = number = 0
    is_open = False
    of_names: dict[str, int] = {}
    heading = heading_of(path, columns)
    for number, line in read_lines(path):
        if heading is not None and number == heading[0]:
            continue
        is_empty = not line.strip()
        if is_empty or (line[0] in "-#" and is_document(line)):
            if is_open:
                yield number, [], document
                is_open = False
            if not is_empty:
                named = _DOCUMENT_ID.fullmatch(line)
                document = begun + 1 if named is None else of_names.setdefault(named[1], begun + 1)
                begun = max(begun, document)
            continue
        if line.startswith("#") and (is_comment(line, columns) or (not is_open and not line.strip("#"))):
            continue
        found = columns.split(line)
        if len(found) != columns.width:
            other = "" if path == columns.path else f" of {columns.path.name}"
            raise DataFormatError(path, number, f"expected {columns}{other}, got {len(found)}.")
        yield number, found, document
        is_open = True
    if is_open:
        yield number + 1, [], document


def heading_of(path: Path, columns: Columns) -> tuple[int, str] | None:
    """Return the number and the text of the first line that is no comment, if it heads the columns."""
    for number, line in read_lines(path):
        if line.strip("# ") and not (line.startswith(COMMENTS) or is_document(line)):
            cells = columns.split(line)
            is_heading = len(cells) == columns.width and head_word_and_tag(cells[:-1], cells[1:])
            return (number, line) if is_heading else None
    return None


def is_document(line: str) -> bool:
    """Tell whether a line begins a document."""
    return line.startswith(NEW_DOCUMENT) or (line.startswith(DOCUMENT) and line.split()[0] == DOCUMENT)


def document_line(name: str | None) -> str:
    """Return the line that begins a document, or goes on with it.

    Args:
        name: Its name; `None` for one that has none, and is another each time.
    """
    if name is None:
        return f"{NEW_DOCUMENT}\n"
    return f"{NEW_DOCUMENT} id = {' '.join(re.split(LINE_END, name))}\n"


def is_comment(line: str, columns: Columns) -> bool:
    """Tell whether a line is a comment and no token."""
    if not line.startswith(COMMENTS):
        return False
    found = columns.split(line)
    return columns.tabs or len(found) != columns.width or not is_tag(found[-1])


def look_like_columns(lines: list[str]) -> bool:
    """Tell whether most of the first lines of a file are tokens in columns, the last of them a tag.

    A few may be faulty, with a column too many or a tag that is none: their reader says what is wrong with them.

    Args:
        lines: The lines, without empty ones.
    """
    rows = [_filled_columns(line) for line in lines if not (line.startswith(COMMENTS) or is_document(line))]
    if not rows:
        return False
    width, _ = Counter(map(len, rows)).most_common(1)[0]
    tags = [row[-1].strip() for row in rows if len(row) == width]
    if width < 2 or len(tags) < MOST * len(rows):
        return False
    signs = SEEMING_OUTSIDE_SIGNS if any(map(has_letter, tags)) else frozenset()
    if sum(is_tag(tag) or tag in signs for tag in tags) >= MOST * len(rows):
        return True
    # types without a letter
    outside = sum(tag in OUTSIDE_SIGNS for tag in tags)
    types = {tag for tag in tags if tag not in OUTSIDE_SIGNS}
    return 2 * outside >= len(tags) and len(types) <= MOST_TYPES and not any(map(has_letter, types))


def _filled_columns(line: str) -> list[str]:
    """Return the columns of a line up to the last that is not empty, whatever divides those of the others."""
    return split_columns(line.rstrip("\t"), tabs=True) if "\t" in line else split_columns(line, tabs=False)
