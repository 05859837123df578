"""Files with one text per line and nothing else, for language models."""

import re
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

from datasets import Dataset, DatasetDict, Features, Value

from malmoi.data.column_headings import FASTTEXT_CLASS
from malmoi.data.text_lines import DataFormatError, check_line_ends, first_lines, read_lines

SUFFIXES = (".txt", ".txt.xz")
BEGINNINGS = {"train": re.compile("train"), "validation": re.compile("val|dev(?![a-z])"), "test": re.compile("test")}
"""What the names of the files of each split begin with, in small letters."""


def read_plain_text(data_dir: Path | None, *, lines: int | None = None) -> DatasetDict:
    """Return the `train`, `validation` and `test` texts of a folder; empty lines are skipped.

    Args:
        data_dir: Folder with text files, or with such files packed by xz, whose names begin with `train`,
            `validation`, `val` or `dev`, and `test`, in capitals or not. There may be several of each; all but those
            of `train` may be missing.
        lines: How many lines of each training file are read, from its beginning; `None` for all.

    Raises:
        DataFormatError: If a file is malformed; it names the file, the line and what was expected.
    """
    if data_dir is None:
        raise DataFormatError("plain-text", None, "expected a folder with texts, by --data_dir.")
    files = _files(data_dir)
    if not files["train"]:
        raise DataFormatError(
            data_dir, None, "expected a folder with text files (.txt, .txt.xz) whose names begin with train."
        )
    return DatasetDict(
        {
            split: text_dataset(
                chain.from_iterable(_read_file(path, lines if split == "train" else None) for path in paths)
            )
            for split, paths in files.items()
            if paths
        }
    )


def holds_plain_text(data_dir: Path) -> bool:
    """Tell whether a folder holds a text file for training without tabs and classes in its first lines."""
    files = training_files(data_dir)
    lines = [line for path in files for line in first_lines(path)]
    return bool(files) and not any("\t" in line or line.startswith(FASTTEXT_CLASS) for line in lines)


def training_files(data_dir: Path) -> list[Path]:
    """Return the text files of a folder that are for training."""
    return _files(data_dir)["train"]


def _files(folder: Path) -> dict[str, list[Path]]:
    """Return the files of each split."""
    texts = [path for path in sorted(folder.glob("*")) if path.name.lower().endswith(SUFFIXES) and path.is_file()]
    return {split: [path for path in texts if begin.match(path.name.lower())] for split, begin in BEGINNINGS.items()}


def text_dataset(texts: Iterator[tuple[str, str]]) -> Dataset:
    """Build a dataset with the columns `id` and `text`."""
    rows = list(texts)
    columns = {"id": [row[0] for row in rows], "text": [row[1] for row in rows]}
    return Dataset.from_dict(columns, features=Features({"id": Value("string"), "text": Value("string")}))


def _read_file(path: Path, lines: int | None) -> Iterator[tuple[str, str]]:
    """Yield the ids and texts of a file."""
    check_line_ends(path)
    count, name = 0, path.name.split(".")[0]
    for number, line in read_lines(path):
        if lines is not None and number > lines:
            break
        if line.strip():
            count += 1
            yield f"{name}-{number}", line
    if not count:
        raise DataFormatError(path, None, "expected texts, found none.")
