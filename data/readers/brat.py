"""Documents of brat (https://brat.nlplab.org/standoff.html): a text in `NAME.txt`, its names in `NAME.ann`.

Each line of a text is a sentence. A name is a line `T1<TAB>PS 0 3<TAB>손흥민`: offsets count the characters of the
file, and the text behind them is compared. One that goes on in the next line stands there in pieces, as in
`T1<TAB>OG 0 2;3 7<TAB>한국 전력공사`; its lines are one sentence. Other lines (relations, events, attributes, notes)
are not read.
"""

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from itertools import accumulate, chain, pairwise
from pathlib import Path
from typing import NamedTuple

from datasets import DatasetDict

from malmoi.data.alignment import Span
from malmoi.data.classified_dataset import class_name
from malmoi.data.marked_text import MarkedText, marked_splits
from malmoi.data.notice import shorten
from malmoi.data.remarks import Remarks
from malmoi.data.splits.files import as_on_disk, first_file, split_files, visible_files
from malmoi.data.text_lines import DataFormatError, first_lines, read_lines, text_line
from malmoi.data.text_offsets import is_same_text
from malmoi.data.unique_ids import with_unique_ids
from malmoi.data.user_error import UserError

EXPECTED = "a folder with the .txt and .ann files of brat"
PIECE = r"[0-9]{1,18} [0-9]{1,18}"
NAME = re.compile(rf"T\d+\t(\S+) ({PIECE}(?:;{PIECE})*)\t(.*)")
OTHER = re.compile(r"(?:[EAMRN]\d+|\*|#\d*)\t")
MARK = "\ufeff"
JOINED = "names that go on in the next line make one sentence of these lines, with a space for the line break"


class BratName(NamedTuple):
    """A name of a document."""

    pieces: tuple[tuple[int, int], ...]
    """Start and end of what stands of it in each line, as offsets of its file."""
    label: str
    name: str
    line: int

    @property
    def places(self) -> str:
        """Where it stands, in words."""
        return ", ".join(f"from {start} to {end}" for start, end in self.pieces)


class Place(NamedTuple):
    """A part of a line."""

    line: int
    start: int
    end: int


class BratText(NamedTuple):
    """The lines of a document, and where each begins in the file."""

    lines: list[str]
    starts: list[int]

    def places(self, name: BratName) -> list[Place]:
        """Return where the pieces of a name stand; the line -1 is before the text."""
        places = []
        for start, end in name.pieces:
            line = bisect_right(self.starts, start) - 1
            places.append(Place(line, start - self.starts[line], end - self.starts[line]))
        return places


def read_brat(data_dir: Path | None) -> DatasetDict:
    """Return the lines of the documents of a folder as sentences, each with its document.

    Empty lines are skipped. Texts without a file of annotations are left out; this is said.

    Args:
        data_dir: The folder, or one `.ann` or `.txt` file.

    Raises:
        DataFormatError: If a file is malformed; it names the file, the line and what was expected.
        UserError: If no folder is given.
    """
    if data_dir is None:
        raise UserError(f"Give {EXPECTED}, by --data_dir.")
    source = _annotations_of(data_dir)
    files = split_files(source, (".ann",), expected=EXPECTED)
    remarks = Remarks()
    if source.is_dir():
        for path in visible_files(source, (".txt",)):
            if not as_on_disk(path.with_suffix(".ann")).is_file():
                remarks.add("texts without a file .ann are left out", path, None)
    rows = {split: with_unique_ids(_read(source, paths, remarks), remarks) for split, paths in files.items()}
    return marked_splits(rows, remarks)


def holds_brat(data_dir: Path) -> bool:
    """Tell whether a folder holds a file of annotations beside its text."""
    path = first_file(_annotations_of(data_dir), (".ann",))
    if path is None or not as_on_disk(path.with_suffix(".txt")).is_file():
        return False
    return all(OTHER.match(line) or re.match(r"T\d+\t", line) for line in first_lines(path))


def _annotations_of(source: Path) -> Path:
    """Return the annotations of a single text; a folder as it is."""
    is_text = source.suffix.lower() == ".txt" and source.is_file()
    return as_on_disk(source.with_suffix(".ann")) if is_text else source


def _read(source: Path, paths: Iterable[Path], remarks: Remarks) -> Iterator[MarkedText]:
    count = 0
    for path in paths:
        document = path.name if path == source else path.relative_to(source).as_posix()
        for row in _sentences(path, document.removesuffix(".ann"), remarks):
            count += 1
            yield row
    if not count:
        raise remarks.nothing_found(source, "sentences")


def _sentences(path: Path, document: str, remarks: Remarks) -> Iterator[MarkedText]:
    """Yield the lines of a document with the names in them."""
    names = _names(path, remarks)
    text_path = as_on_disk(path.with_suffix(".txt"))
    text = _fitting(path, names, _ways_to_count(text_path))
    begins = [*accumulate((len(line) + 1 for line in text.lines), initial=0)]
    whole = " ".join(text.lines)
    spans: list[list[Span]] = [[] for _ in text.lines]
    goes_on: set[int] = set()  # the lines in whose end a name does not
    end = 0
    for row in names:
        places = text.places(row)
        pieces = [(begins[place.line] + place.start, begins[place.line] + place.end) for place in places]
        _check_pieces(path, row, whole, pieces, after=end)
        end = pieces[-1][1]
        spans[places[0].line].append(Span(pieces[0][0], end, row.label))
        if places[-1].line > places[0].line:
            goes_on.update(range(places[0].line, places[-1].line))
            remarks.add(JOINED, path, row.line)
    first = 0
    for number, after in enumerate(begins[1:], start=1):
        if number - 1 in goes_on:
            continue
        start, sentence = begins[first], whole[begins[first] : after - 1]
        found = [Span(span.start - start, span.end - start, span.label) for span in chain(*spans[first:number])]
        if found or class_name(sentence):
            yield MarkedText(f"{document}-{first + 1}", sentence, found, text_path, first + 1, document)
        first = number


def _check_pieces(path: Path, row: BratName, text: str, pieces: list[tuple[int, int]], *, after: int) -> None:
    """Check that a name begins behind the one before it, and that its pieces are those of one name.

    Raises:
        DataFormatError: If it does not, or something else than spaces stands between them.
    """
    if pieces[0][0] < after:
        raise DataFormatError(
            path,
            row.line,
            f"expected names that do not overlap, but {row.label} {shorten(row.name)} begins within another.",
        )
    for (_, end), (start, _) in pairwise(pieces):
        if start < end or text[end:start].strip():
            raise DataFormatError(
                path,
                row.line,
                "expected a name in one piece, or in pieces with nothing but spaces and line breaks between them, got "
                f"{row.label} {shorten(row.name)} {row.places}.",
            )


def _names(path: Path, remarks: Remarks) -> list[BratName]:
    """Return the names that a file of annotations has, in the order of the text."""
    names = []
    for number, line in read_lines(path) if path.stat().st_size else ():
        if match := NAME.fullmatch(line):
            pieces = [piece.split(" ") for piece in match[2].split(";")]
            names.append(BratName(tuple((int(a), int(b)) for a, b in pieces), match[1], match[3], number))
        elif OTHER.match(line):
            remarks.add("lines of brat that are no names are not read", path, number)
        elif line.strip():
            raise DataFormatError(
                path, number, f"expected a line of brat, such as T1, tab, PS 0 3, tab, 손흥민, got {shorten(line)}."
            )
    return sorted(names)


def _ways_to_count(path: Path) -> list[BratText]:
    """Return the lines of a text with the offsets that programs give them.

    Some count a byte order mark, some do not; and so they do with the carriage returns of Windows.
    """
    if not path.is_file():
        raise DataFormatError(path, None, "there is no such file beside the annotations.")
    raw = path.read_bytes().split(b"\n")
    lines = [text_line(line, path, number) for number, line in enumerate(raw, start=1)]
    marks = int(raw[0].startswith(MARK.encode()))
    returns = [int(line.endswith(b"\r")) for line in raw]
    return [
        BratText(
            lines,
            [
                *accumulate(
                    (len(line) + 1 + with_returns * extra for line, extra in zip(lines, returns)), initial=first
                )
            ][:-1],
        )
        for first in sorted({0, marks})
        for with_returns in ((1, 0) if any(returns) else (0,))
    ]


def _fitting(path: Path, names: list[BratName], ways: list[BratText]) -> BratText:
    """Return the text with the offsets by which every name is where the annotations say.

    Raises:
        DataFormatError: If there are none; it is said of the first way to count.
    """
    for text in ways:
        if all(_is_there(text, row) for row in names):
            return text
    text = ways[0]
    row = next(row for row in names if not _is_there(text, row))
    found = _text_at(text, row)
    if found is None:
        raise DataFormatError(
            path,
            row.line,
            f"expected a name within one line of the text, got {row.label} {shorten(row.name)} {row.places}.",
        )
    raise DataFormatError(
        path,
        row.line,
        f"expected the {row.label} {shorten(row.name)} {row.places}, but the text has {shorten(found)} there.",
    )


def _is_there(text: BratText, row: BratName) -> bool:
    """Tell whether a name stands where the annotations say."""
    found = _text_at(text, row)
    return found is not None and is_same_text(found, row.name.removesuffix("\r"))


def _text_at(text: BratText, row: BratName) -> str | None:
    """Return what stands where a name should, its pieces with a space between; `None` if one is not within a line."""
    pieces = []
    for line, start, end in text.places(row):
        if line < 0 or not start < end <= len(text.lines[line]):
            return None
        pieces.append(text.lines[line][start:end].removesuffix("\r"))
    return " ".join(pieces)
