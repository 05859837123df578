"""Files with one text per line and its class before it, as in `positive<TAB>재미있게 봤습니다.`."""

from itertools import chain
from pathlib import Path

from datasets import DatasetDict

from malmoi.data.classified_dataset import (
    ClassifiedText,
    check_no_tags,
    class_name,
    classified_dataset,
    ordered_classes,
)
from malmoi.data.column_headings import (
    CLASS_HEADING,
    FASTTEXT_CLASS,
    TEXT_HEADING,
    head_class_and_text,
    heads_classes,
    heads_texts,
)
from malmoi.data.notice import list_names, notify, shorten
from malmoi.data.quoted_columns import Columns, split_columns
from malmoi.data.splits.files import named_files, say_other_files
from malmoi.data.text_lines import DataFormatError, check_line_ends, first_lines, read_lines
from malmoi.data.token_columns import look_like_columns
from malmoi.data.user_error import UserError

EXPECTED = "a class, a tab and a text"


def read_labelled_texts(data_dir: Path | None) -> DatasetDict:
    """Return the texts of a folder, those of `train`, `validation` and `test` for which there are files.

    The classes are those of `train.txt`, or of all files where that is not there, in the order of `ordered_classes`;
    names that look the same are one class. Empty lines and a heading are skipped, and quotes are read as
    `split_columns` says.

    Args:
        data_dir: Folder with `train.txt`, `validation.txt` (or `val.txt`, `dev.txt`) and `test.txt`, of which those
            may be missing that are not needed; or one file, of the split that its name tells, otherwise for training.

    Raises:
        DataFormatError: If a file is malformed; it names the file, the line and what was expected.
        UserError: If no folder is given.
    """
    if data_dir is None:
        raise UserError(f"Give the folder that holds train.txt, with {EXPECTED} in each line, by --data_dir.")
    paths = named_files(data_dir)
    if not paths:
        raise DataFormatError(data_dir, None, "expected a folder with train.txt, or one .txt file.")
    if data_dir.is_dir():
        say_other_files(paths)
    rows = {split: _read_file(path) for split, path in paths.items()}
    for split in ["train"] if "train" in paths else paths:
        _check_order(paths[split], rows[split])
    classes = ordered_classes(row.first for row in rows.get("train") or chain.from_iterable(rows.values()))
    if "train" in paths and len(classes) < 2:
        raise DataFormatError(
            paths["train"], None, f"expected texts of at least two classes, got {list_names(classes)}."
        )
    for split, path in paths.items():
        for row in rows[split]:
            if row.first not in classes:
                raise DataFormatError(
                    path,
                    row.number,
                    f"expected one of the classes of {paths['train'].name}, {list_names(classes)}, got "
                    f"{shorten(row.first)}.",
                )
    return DatasetDict(
        {
            split: classified_dataset(
                (
                    ClassifiedText(id=f"{path.stem}-{row.number}", text=row.second, label=row.first)
                    for row in rows[split]
                ),
                classes,
            )
            for split, path in paths.items()
        }
    )


def holds_labelled_texts(data_dir: Path) -> bool:
    """Tell whether each of the first lines of `train.txt`, or of what there is, has one tab, the class before it.

    A line that begins with a class of fastText may have a space instead; reading says what was expected.
    """
    path = next(iter(named_files(data_dir).values()), None)
    lines = [] if path is None else first_lines(path)
    has_class = all("\t" in line or line.startswith(FASTTEXT_CLASS) for line in lines)
    classes = {line.partition("\t" if "\t" in line else " ")[0] for line in lines}
    if not lines or not has_class or look_like_columns(lines):
        return False
    is_fasttext = all(line.startswith(FASTTEXT_CLASS) for line in lines)
    return is_fasttext or len(classes) <= max(2, len(lines) // 2)


def _read_file(path: Path) -> list[Columns]:
    """Return the lines with a class and a text, without a heading."""
    check_line_ends(path)
    lines = [(number, line) for number, line in read_lines(path) if line.strip()]
    rows = []
    for number, label, text in split_columns(path, lines, expected=EXPECTED):
        # an invisible character alone is no text either
        if not (class_name(label) and class_name(text)):
            raise DataFormatError(path, number, f"expected {EXPECTED}, got {shorten(label)} and {shorten(text)}.")
        rows.append(Columns(number, class_name(label), text))
    if rows and _is_heading(path, rows):
        notify(f"{path}, line {rows[0].number}: the heading {shorten(lines[0][1])} was left out.")
        rows = rows[1:]
    if not rows:
        raise DataFormatError(path, None, "expected texts, found none.")
    return rows


def _is_heading(path: Path, rows: list[Columns]) -> bool:
    """Tell whether the first row heads the columns.

    Raises:
        DataFormatError: If it heads them the other way round.
    """
    number = rows[0].number
    # in quotes, whether the other rows have them or not
    label, text = (class_name(column.strip('"')) for column in rows[0][1:])
    if heads_texts(label) and heads_classes(text):
        raise DataFormatError(path, number, f"expected {EXPECTED}, but the heading says {label!r} before {text!r}.")
    if CLASS_HEADING.fullmatch(label) and TEXT_HEADING.fullmatch(text):
        return True
    if not (heads_classes(label) or head_class_and_text(label, text)):
        return False
    # a class may well be called so, but hardly for one text alone
    return label not in {row.first for row in rows[1:]}


def _check_order(path: Path, rows: list[Columns]) -> None:
    check_no_tags(path, (row.first for row in rows))
    check_no_tags(path, (row.second for row in rows), kind="texts")
    if len({row.first for row in rows}) > len({row.second for row in rows}):
        raise DataFormatError(
            path,
            None,
            f"expected {EXPECTED} in each line, but the first columns differ more than the second ones, as if the "
            f"text stood first; line {rows[0].number} has {shorten(rows[0].first)} before {shorten(rows[0].second)}.",
        )
