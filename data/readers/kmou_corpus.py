"""The original files of the NER corpus of Korea Maritime and Ocean University (https://github.com/kmounlp/NER).

A file is a sequence of blocks with an empty line between them: three lines that begin with `## ` (number, sentence,
sentence with marks), then a row per morpheme (surface, morphemes, part of speech, BIO tag). The marks are the truth:
the tags of the rows lose names that end within a row, as in 2.8 % of the sentences. How many sentences have other
names in their rows is therefore said, so that nobody edits the rows in vain. The corpus is licensed for non-commercial
use only.
"""

from collections.abc import Iterator
from pathlib import Path

from datasets import DatasetDict

from malmoi.data.alignment import tags_to_spans
from malmoi.data.marked_alignment import common_start
from malmoi.data.marked_text import MarkedText, marked_splits
from malmoi.data.notice import notify, shorten
from malmoi.data.readers.kmou_lines import KMOU_LABELS, KMOU_TYPES, kmou_folder, kmou_sentence
from malmoi.data.splits.files import as_on_disk
from malmoi.data.text_lines import DataFormatError, check_line_ends, first_lines, read_lines

DIVISION = "split.tsv"
HEADER = "file\tpart"
SPLITS = {"train": "train", "val": "validation", "test": "test"}  # by the part that the division names
SPACE_ROW = ["_", "_", "_"]


def read_kmou_corpus(data_dir: Path | None) -> DatasetDict:
    """Return the `train`, `validation` and `test` sentences of the files that `split.tsv` lists.

    Args:
        data_dir: Folder with `split.tsv` (columns `file` and `part`, the latter train, val or test) and the files,
            which lie in its folder `corpus` or beside `split.tsv`. Files that `split.tsv` does not list are left out.

    Raises:
        DataFormatError: If a file is missing or malformed; it names the file, the line and what was expected.
        UserError: If no folder is given.
    """
    folder = kmou_folder(data_dir)
    if not (folder / DIVISION).is_file():
        raise DataFormatError(folder, None, f"expected a folder with {DIVISION} and the files that it lists.")
    corpus = folder / "corpus" if (folder / "corpus").is_dir() else folder
    sentences: dict[str, list[MarkedText]] = {}
    disagreeing: list[str] = []
    for name, split in _read_division(folder / DIVISION).items():
        for number, sentence, tags in _read_file(as_on_disk(corpus / name)):
            sentences.setdefault(split, []).append(sentence)
            if tags_to_spans(tags) != sentence.spans:
                disagreeing.append(f"{name}, line {number}")
    if disagreeing:
        notify(
            f"{corpus}: the tags of the rows give other names than the marks above them in {len(disagreeing):,} of "
            f"{sum(map(len, sentences.values())):,} sentences, first in {disagreeing[0]}; the marks are read, not the "
            "rows."
        )
    return marked_splits(
        {split: sentences[split] for split in SPLITS.values() if split in sentences}, types=KMOU_TYPES
    )


def holds_kmou_corpus(data_dir: Path) -> bool:
    """Tell whether a folder holds files of the corpus and its division."""
    return first_lines(data_dir / DIVISION, 1) == [HEADER]


def _read_division(path: Path) -> dict[str, str]:
    """Return the split of each file."""
    check_line_ends(path)
    splits: dict[str, str] = {}
    for number, line in read_lines(path):
        if number == 1:
            if line != HEADER:
                raise DataFormatError(path, number, f"expected the header {HEADER!r}, got {shorten(line)}.")
            continue
        name, _, part = line.partition("\t")
        if part not in SPLITS:
            raise DataFormatError(
                path, number, f"expected a file name, a tab and one of {', '.join(SPLITS)}, got {shorten(line)}."
            )
        if name in splits:
            raise DataFormatError(path, number, f"expected each file once, got {name} again.")
        splits[name] = SPLITS[part]
    if not splits:
        raise DataFormatError(path, None, "expected files, found none.")
    return splits


def _read_file(path: Path) -> Iterator[tuple[int, MarkedText, list[str]]]:
    """Yield the number of the first line of each sentence, the sentence, and the tags that its rows say."""
    count = 0
    for count, block in enumerate(_read_blocks(path), start=1):
        yield block[0][0], *_read_block(path, block, sentence_id=f"{path.stem}-{count}")
    if count == 0:
        raise DataFormatError(path, None, "expected sentences, found none.")


def _read_blocks(path: Path) -> Iterator[list[tuple[int, str]]]:
    block: list[tuple[int, str]] = []
    for number, line in read_lines(path):
        if line:
            block.append((number, line))
        elif block:
            yield block
            block = []
    if block:
        yield block


def _read_block(path: Path, block: list[tuple[int, str]], *, sentence_id: str) -> tuple[MarkedText, list[str]]:
    # the head is told by its place: a row may begin with # too
    head, rows = block[:3], block[3:]
    if len(head) < 3 or not all(line.startswith("## ") for _, line in head):
        raise DataFormatError(
            path, block[0][0], "expected three lines that begin with '## ': number, sentence, sentence with marks."
        )
    _, (text_number, text), (marked_number, marked) = ((number, line[3:]) for number, line in head)
    read_rows = [_read_row(path, number, line) for number, line in rows]
    surface = "".join(row for row, _ in read_rows)
    if surface != text:
        same = common_start(surface, text)
        raise DataFormatError(
            path,
            text_number,
            f"expected the sentence that the rows spell, but from character {same + 1} on it is "
            f"{text[same : same + 20]!r} and the rows are {surface[same : same + 20]!r}.",
        )
    # the characters of a row are one name, or none
    tags = [tag if index == 0 else tag.replace("B-", "I-") for row, tag in read_rows for index in range(len(row))]
    return kmou_sentence(path, marked_number, sentence_id=sentence_id, text=text, marked=marked), tags


def _read_row(path: Path, number: int, line: str) -> tuple[str, str]:
    """Return the characters of a row and its tag."""
    columns = line.split("\t")
    if len(columns) != 4:
        raise DataFormatError(
            path, number, f"expected surface, morphemes, part of speech and tag, got {len(columns)} columns."
        )
    if columns[3] not in KMOU_LABELS:
        raise DataFormatError(
            path, number, f"expected one of the tags {', '.join(KMOU_LABELS)}, got {shorten(columns[3])}."
        )
    return " " if columns[:3] == SPACE_ROW else columns[0], columns[3]
