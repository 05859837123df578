"""Files with one sentence per line and its names marked inline, as in `<손흥민:PS>은 <춘천:LC>에서 태어났다`.

What a mark is, and how an angle bracket that is text is written, `malmoi.data.inline_marks` says.
"""

from pathlib import Path
from typing import NamedTuple

from datasets import DatasetDict

from malmoi.data.alignment import Span
from malmoi.data.classified_dataset import class_name
from malmoi.data.inline_marks import parse_marks
from malmoi.data.marked_text import MarkedText, marked_splits
from malmoi.data.notice import list_names
from malmoi.data.readers.conll import SUFFIXES as COLUMNS
from malmoi.data.readers.jsonl import SUFFIXES as JSON
from malmoi.data.splits.files import named_files, say_other_files, split_of_file
from malmoi.data.tables.comma_separated import SUFFIXES as COMMA_SEPARATED
from malmoi.data.text_lines import DataFormatError, check_line_ends, first_lines, read_lines
from malmoi.data.token_columns import MOST, look_like_columns

MANY_TYPES = 5
"""So many types, for half as many names at most, are names in the place of types."""
OTHER_FORM = "\u241e"  # stands before the marked sentence in files of the KMOU corpus
OTHER_SUFFIXES = (*COLUMNS, *JSON)
"""What the names of files of other forms end in."""
SAMPLE_CORPUS = Path(__file__).parents[1] / "samples"


class MarkedLine(NamedTuple):
    """A line with marks: its number, the sentence and the names in it."""

    number: int
    line: str
    text: str
    spans: list[Span]


def read_inline_marks(data_dir: Path | None) -> DatasetDict:
    """Return the `train`, `validation` and `test` sentences of a folder with a file for each.

    The entity types are those that occur; those that look the same are one. Empty lines are skipped.

    Args:
        data_dir: Folder with `train.txt`, `validation.txt` (or `val.txt`, `dev.txt`) and `test.txt`, of which files
            may be missing, or one file. Without it the sample corpus of this package is read.

    Raises:
        DataFormatError: If a file is malformed; it names the file, the line and what was expected.
    """
    data_dir = SAMPLE_CORPUS if data_dir is None else data_dir
    paths = _files(data_dir)
    if not paths:
        raise DataFormatError(data_dir, None, "expected a folder with train.txt and validation.txt.")
    if data_dir.is_dir():
        say_other_files(paths)
    lines = {split: _read_file(path) for split, path in paths.items()}
    types = frozenset(span.label for rows in lines.values() for row in rows for span in row.spans)
    names = {row.text[slice(*span[:2])] for rows in lines.values() for row in rows for span in row.spans}
    if len(types) >= MANY_TYPES and len(types) > 2 * len(names):
        raise DataFormatError(
            data_dir,
            None,
            f"expected marks <name:TYPE>, but there are more types ({list_names(sorted(types), shown=3)}) than names "
            f"({list_names(sorted(names), shown=3)}), as if the type stood first.",
        )
    # only now the types are known by which a mark that is not closed is told from text
    for split, path in paths.items():
        for row in lines[split]:
            _parse_line(path, row.number, row.line, types=types)
    return marked_splits(
        {
            split: [
                MarkedText(f"{path.stem}-{row.number}", row.text, row.spans, path, row.number) for row in lines[split]
            ]
            for split, path in paths.items()
        }
    )


def holds_inline_marks(data_dir: Path) -> bool:
    """Tell whether a file has a mark in one of its first lines, or what only looks like one in most of them."""
    paths = [path for path in _files(data_dir).values() if not _is_another_form(path)]
    lines = [line for path in paths for line in first_lines(path)]
    if look_like_columns(lines):  # of which comments may have marks
        return False
    faulty = 0
    for line in lines:
        try:
            if parse_marks(line)[1]:
                return OTHER_FORM not in line
        except ValueError:
            faulty += "\t" not in line and OTHER_FORM not in line
    # who writes every mark with the same fault is told so, and trains no word spacing on marks; tags of HTML in a file
    # of another form are no marks
    return bool(lines) and faulty >= MOST * len(lines) and all(path.suffix.lower() == ".txt" for path in paths)


def _is_another_form(path: Path) -> bool:
    """Tell whether a file is called as those of other forms, in whose texts something may look like a mark.

    A file whose first line has a mark has no heading, and so no columns, whatever it is called.
    """
    suffix = path.suffix.lower()
    return suffix in OTHER_SUFFIXES or (suffix in COMMA_SEPARATED and not any(map(has_names, first_lines(path, 1))))


def has_names(line: str) -> bool:
    """Tell whether a line has a mark."""
    try:
        return bool(parse_marks(line)[1])
    except ValueError:
        return False


def _files(data_dir: Path) -> dict[str, Path]:
    """Return the file of each split; a single file may have any name, also one that does not end in `.txt`."""
    if data_dir.is_file():
        return {split_of_file(data_dir): data_dir}
    return named_files(data_dir)


def _read_file(path: Path) -> list[MarkedLine]:
    check_line_ends(path)
    rows = [_parse_line(path, number, line, types=frozenset()) for number, line in read_lines(path) if line.strip()]
    if not any(row.spans for row in rows):
        raise DataFormatError(path, None, "expected at least one sentence with a mark <name:TYPE>.")
    return rows


def _parse_line(path: Path, number: int, line: str, *, types: frozenset[str]) -> MarkedLine:
    try:
        text, spans = parse_marks(line, types=types)
    except ValueError as error:
        raise DataFormatError(path, number, str(error)) from None
    # editors and keyboards write one word in several ways
    spans = [span._replace(label=class_name(span.label)) for span in spans]
    if not all(span.label for span in spans):
        raise DataFormatError(path, number, "expected a type that can be seen in each mark <name:TYPE>.")
    return MarkedLine(number, line, text, spans)
