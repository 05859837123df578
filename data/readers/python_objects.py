"""Lists of dictionaries in Python that hold what a line of JSON would.

A dictionary with a `text` and names or a class beside it, as `{"text": "비가 왔다.", "entities": [[0, 2, "PS"]]}`, is
what the reader `jsonl` expects on a line. Any other is a row as the reader `dataset` has them, in whatever columns.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from datasets import DatasetDict

from malmoi.data.column_headings import CLASS_HEADING
from malmoi.data.readers.jsonl import (
    CLASS_FIELDS,
    NAME_FIELDS,
    SPAN_FIELDS,
    TEXT_FIELDS,
    JsonRow,
    PlacedObject,
    json_rows,
    json_splits,
)
from malmoi.data.remarks import Remarks
from malmoi.data.tables.columns import SPANS, TAGS_OR_SPANS, TOKENS
from malmoi.data.tables.python_rows import ListedRows, are_lists, is_list, plain, rows_of_lists

PARTS = (list, Mapping)
"""What spans are, as JSON has them."""


def are_objects(dataset: object) -> bool:
    """Tell whether a dataset is lists of dictionaries such as the reader `jsonl` expects on a line."""
    rows = _dictionaries(dataset)
    keys = {key for row in rows for key in row}
    return (
        not (keys.isdisjoint(TEXT_FIELDS) or keys.isdisjoint((*SPAN_FIELDS, *CLASS_FIELDS)))
        # beside names, Prodigy and spaCy say where tokens stand
        and not any(TOKENS.fullmatch(key) and _is_list_of(str, row[key]) for row in rows for key in row)
    )


def read_objects(dataset: object, *, task: str) -> DatasetDict:
    """Return the sentences or texts of lists of dictionaries as `read_jsonl` does.

    Raises:
        UserError: If a row is malformed: it is named by its number, counted from 1.
    """
    remarks = Remarks()
    splits = {split: _placed(split, listed, remarks) for split, listed in rows_of_lists(dataset).items()}
    return json_splits(splits, remarks, task=task)


def _placed(split: str, listed: ListedRows, remarks: Remarks) -> Iterator[JsonRow]:
    objects = (
        PlacedObject(f"{listed.name}, row {number}", None, f"{split}-{number}", plain(row))
        for number, row in enumerate(listed.rows, start=1)
    )
    return json_rows(objects, listed.name, remarks)


def task_of_lists(dataset: object, *, label_column: str | None) -> str:
    """Return the task that lists of rows are for by what these hold: names, a class, or a text alone.

    Args:
        dataset: The lists.
        label_column: What the user says is the column of tags, spans or classes.
    """
    fields = [(key, value) for row in _dictionaries(dataset) for key, value in row.items()]
    if are_objects(dataset):
        has_names = any(
            key in NAME_FIELDS or (key in SPAN_FIELDS and _is_list_of(PARTS, value)) for key, value in fields
        )
        return "named-entities" if has_names else "sentence-classification"
    lists = {key for key, value in fields if is_list(value)}
    if any(
        key == label_column or any(name.fullmatch(key) for name in (TOKENS, TAGS_OR_SPANS, SPANS)) for key in lists
    ):
        return "named-entities"
    has_class = label_column is not None or any(CLASS_HEADING.fullmatch(key) for key, _ in fields)
    return "sentence-classification" if has_class else "word-spacing"


def _is_list_of(kind: type | tuple[type, ...], value: Any) -> bool:
    return is_list(value) and isinstance(plain(next(iter(value), None)), kind)


def _dictionaries(dataset: object) -> list[Mapping[str, Any]]:
    """Return the rows of lists that are dictionaries with texts as keys: all, as reading makes sure."""
    lists: list[Any] = []
    if are_lists(dataset):
        lists = list(dataset.values()) if isinstance(dataset, Mapping) else [dataset]
    rows = [row for rows in lists for row in rows if isinstance(row, Mapping)]
    return [row for row in rows if all(isinstance(key, str) for key in row)]
