"""Datasets of the library `datasets`: of the Hub, saved, as Parquet, CSV, TSV, JSON or Arrow files, or in Python.

There, lists of dictionaries are datasets, too.
"""

import csv
from pathlib import Path

from datasets import DatasetDict

from malmoi.data.column_headings import CLASS_HEADING, TEXT_HEADING
from malmoi.data.json_text import first_object, holds_one_object
from malmoi.data.marked_text import marked_splits
from malmoi.data.notice import list_names, without_notices
from malmoi.data.readers.jsonl import holds_jsonl
from malmoi.data.readers.python_objects import are_objects, read_objects
from malmoi.data.remarks import Remarks
from malmoi.data.splits.files import first_file, split_of, visible_files
from malmoi.data.tables.classes import class_splits
from malmoi.data.tables.columns import (
    SPANS,
    TAGS_OR_SPANS,
    TOKENS,
    SeveralColumns,
    class_column,
    tag_or_span_column,
    unknown_columns,
)
from malmoi.data.tables.comma_separated import SUFFIXES as COMMA_SEPARATED
from malmoi.data.tables.comma_separated import read_beginning
from malmoi.data.tables.names import marked_texts
from malmoi.data.tables.source import JSON, dataset_splits, is_saved
from malmoi.data.tables.texts import spacing_splits
from malmoi.data.unique_ids import with_unique_ids
from malmoi.data.user_error import UserError

KNOWN_BY_NAME = (".parquet", ".arrow")


def read_dataset(
    data_dir: Path | None,
    *,
    task: str,
    dataset: object = None,
    text_column: str | None = None,
    label_column: str | None = None,
    token_separator: str | None = None,
) -> DatasetDict:
    """Return the splits of a dataset: sentences with names, texts with classes, or texts to be spaced.

    Names are tags of tokens, or spans of a text. What columns are told by, `malmoi.data.tables.columns` says.

    Args:
        data_dir: Folder or file of the dataset, if `dataset` does not say what it is.
        task: What it is read for.
        dataset: A `Dataset` or `DatasetDict`, a list of rows or one for each split, its name on the Hub, or its folder
            or file.
        text_column: The column with the texts, or the tokens.
        label_column: The column with the tags, spans or classes.
        token_separator: What stands between tokens.

    Raises:
        UserError: If it cannot be read, has no such columns, or a row is malformed: it names file or split and row.
    """
    source = data_dir if dataset is None else dataset
    if source is None:
        raise UserError("Say which dataset is read: its name on the Hub, or its folder or file, by --dataset.")
    if data_dir is not None and dataset is not None:
        raise UserError(f"Two data sets are given, --dataset and --data_dir {data_dir}; leave out one of them.")
    said = (text_column, label_column, token_separator)
    if task != "word-spacing" and said == (None, None, None) and are_objects(source):
        return read_objects(source, task=task)
    if task == "named-entities":
        splits = dataset_splits(source)
        sentences = marked_texts(
            splits, text_name=text_column, label_name=label_column, token_separator=token_separator
        )
        return marked_splits({split: with_unique_ids(rows, Remarks()) for split, rows in sentences.items()})
    for flag, value in (("token_separator", token_separator), ("label_column", label_column)):
        if value is not None and not (flag == "label_column" and task == "sentence-classification"):
            raise UserError(f"--{flag} is for other tasks than {task}.")
    if task == "sentence-classification":
        return class_splits(dataset_splits(source), text_name=text_column, label_name=label_column)
    return spacing_splits(dataset_splits(source), text_name=text_column)


def task_of_dataset(
    data_dir: Path | None,
    *,
    dataset: object = None,
    text_column: str | None = None,
    label_column: str | None = None,
    token_separator: str | None = None,
) -> str | None:
    """Return the task that the columns of a dataset are for: spans or tags are for names, a class is for classes.

    Columns that are called so, but hold something else, are for names, too, and several that may all be meant are for
    their task: both are refused there rather than left out. A text alone is to be spaced; beside columns of which
    nothing is known it may as well have a class.

    Args:
        data_dir: Folder or file of the dataset, if `dataset` does not say what it is.
        dataset: As for `read_dataset`.
        text_column: The column with the texts, or the tokens.
        label_column: The column with the tags, spans or classes.
        token_separator: What stands between tokens, which only names have.

    Returns:
        `None` if they are none of these.

    Raises:
        UserError: If there is no such dataset, or it cannot be read, or nothing tells what its columns are.
    """
    if token_separator is not None:
        return "named-entities"
    with without_notices():  # of which reading says the same
        rows = next(iter(dataset_splits(data_dir if dataset is None else dataset).values()))[0]
    for task, column in (("named-entities", tag_or_span_column), ("sentence-classification", class_column)):
        try:
            column(rows.features, rows.name, named=label_column)
            return task
        except SeveralColumns:
            return task
        except UserError:
            continue
    names = {*rows.features} - {text_column}
    if any(TAGS_OR_SPANS.fullmatch(name) or SPANS.fullmatch(name) for name in names):
        return "named-entities"
    if label_column is not None:  # texts alone have no labels; what is wrong with it, the other tasks say
        return None
    try:
        unknown = unknown_columns(rows.features, rows.name, text_name=text_column)
    except SeveralColumns:
        raise
    except UserError:
        return None
    if unknown:
        raise UserError(
            f"{rows.name}: nothing tells what {list_names(unknown)} {'is' if len(unknown) == 1 else 'are'} beside the "
            "texts; say what the data are for: --task word-spacing for the texts alone, or --task "
            "sentence-classification, with --label_column for the classes."
        )
    return "word-spacing"


def holds_dataset(data_dir: Path) -> bool:
    """Tell whether a folder was saved by `datasets`, or holds Parquet or Arrow files, or CSV or JSON of known columns.

    JSON with a text and names or a class beside it is what the reader `jsonl` reads.
    """
    if data_dir.is_dir() and is_saved(data_dir):
        return True
    files = [data_dir] if data_dir.is_file() else visible_files(data_dir, (*KNOWN_BY_NAME, *COMMA_SEPARATED))
    return any(
        path.suffix.lower() in KNOWN_BY_NAME or (path.suffix.lower() in COMMA_SEPARATED and _has_heading(path))
        for path in files
    ) or (not holds_jsonl(data_dir) and _has_columns(first_file(data_dir, JSON)))


def _has_columns(path: Path | None) -> bool:
    """Tell whether the first object of a file has tokens and their tags, or a text and its class or names."""
    # one object that is all of a file tells of the data rather than being a row of them, unless its name says so
    if path is None or (split_of(path.stem) is None and holds_one_object(path)):
        return False
    row = first_object(path) or {}
    if "annotation_id" in row:  # Label Studio's
        return False
    tokens, tags = (
        any(isinstance(row[key], list) and pattern.fullmatch(key) for key in row)
        for pattern in (TOKENS, TAGS_OR_SPANS)
    )
    has_text = any(isinstance(row[key], str) and TEXT_HEADING.fullmatch(key) for key in row)
    has_label = any(CLASS_HEADING.fullmatch(key) or TAGS_OR_SPANS.fullmatch(key) for key in row)
    return (tokens and tags) or (has_text and has_label)


def _has_heading(path: Path) -> bool:
    """Tell whether a file begins with the name of a column of texts, alone or beside one of classes or spans."""
    try:
        names = read_beginning(path).columns
    except (UserError, OSError, csv.Error):
        return False
    texts = [name for name in names if TEXT_HEADING.fullmatch(name)]
    labels = [name for name in names if CLASS_HEADING.fullmatch(name) or SPANS.fullmatch(name)]
    return bool(texts) and (len(names) == 1 or bool(labels))
