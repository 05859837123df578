"""Rows in Python: a list of dictionaries, or of texts alone, or such a list for each split."""

import re
from collections.abc import Iterator, Mapping, Sequence
from numbers import Integral, Real
from typing import Any, NamedTuple

import numpy as np
from datasets import Features, List, Value
from datasets.features.features import FeatureType, Json

from malmoi.data.json_text import kind_of
from malmoi.data.notice import list_names
from malmoi.data.splits.files import names_of_splits
from malmoi.data.tables.columns import describe
from malmoi.data.tables.rows import BATCH, RowBatch, SourceRows
from malmoi.data.text_lines import DataFormatError

KINDS = {str: "string", bool: "bool", Integral: "int64", Real: "float64"}
"""What `datasets` calls the values of a column; the first that fits, also those of numpy."""
HALF_CHARACTER = re.compile("[\ud800-\udfff]")
FIELDS_OF_A_NAME = {"start", "end", "label"}
"""By these a tuple with named fields is a name that a tagger has found, and no list."""


EXPECTED = 'dictionaries such as {"text": "비가 왔다.", "entities": [[0, 2, "PS"]]}'
THE_LIST = "the list"


class ListedRows(NamedTuple):
    """The rows of a list as dictionaries, and what messages name it."""

    name: str
    rows: Sequence[Mapping[str, Any]]


def are_lists(dataset: object) -> bool:
    """Tell whether a dataset is a list, or a mapping of lists."""
    if isinstance(dataset, Mapping):
        return bool(dataset) and all(isinstance(rows, (list, tuple)) for rows in dataset.values())
    return isinstance(dataset, (list, tuple))


def rows_of_lists(dataset: object) -> dict[str, ListedRows]:
    """Return the rows of one list, which is for training, or of lists by what they are for.

    Raises:
        UserError: If a list is empty, or a row is neither a dictionary nor a text, or is not such as the first one is.
    """
    if not isinstance(dataset, Mapping):
        assert isinstance(dataset, Sequence)
        return {"train": _checked(dataset, THE_LIST)}
    names = names_of_splits({str(name): len(rows) for name, rows in dataset.items()}, THE_LIST)
    lists = {str(name): rows for name, rows in dataset.items()}
    return {split: _checked(lists[name], f"{THE_LIST} {name!r}") for split, name in names.items()}


def _checked(rows: Sequence[Any], name: str) -> ListedRows:
    if not rows:
        raise DataFormatError(name, None, f"expected {EXPECTED}, but it is empty.")
    for number, row in enumerate(rows, start=1):
        if fault := _fault(row, rows[0]):
            raise DataFormatError(f"{name}, row {number}", None, fault)
    return ListedRows(name, [{"text": row} for row in rows] if isinstance(rows[0], str) else rows)


def _fault(row: Any, first: Any) -> str | None:
    """Return what is wrong with a row, if anything: all are texts or all are dictionaries with common keys."""
    if isinstance(first, str):
        if not isinstance(row, str):
            return f"expected a text, as the first row is, got {kind_of(plain(row))}."
    elif not isinstance(row, Mapping):
        return f"expected a dictionary, got {kind_of(plain(row))}."
    elif not row:
        return "expected a dictionary with a text, got an empty one."
    elif odd := [key for key in row if not isinstance(key, str)]:
        return f"expected texts as keys, got {kind_of(odd[0])}."
    elif row.keys().isdisjoint(first):
        return f"expected keys as the first row has, {list_names([*first])}, got {list_names([*row]) or 'none'}."
    if _has_half_character(row):
        return r"expected whole characters, but a text holds half of one, such as \ud83d alone."
    return None


def _has_half_character(value: Any) -> bool:
    if isinstance(value, str):
        return HALF_CHARACTER.search(value) is not None
    if isinstance(value, np.ndarray):
        return _has_half_character(value.tolist())
    parts = value.values() if isinstance(value, Mapping) else value if isinstance(value, (list, tuple)) else ()
    # one search over all texts of a list takes a tenth of the time of one for each
    joined = "\n".join(part for part in parts if isinstance(part, str))
    return HALF_CHARACTER.search(joined) is not None or any(
        _has_half_character(part) for part in parts if isinstance(part, Mapping) or is_list(part)
    )


def rows_of_dictionaries(rows: Sequence[Mapping[str, Any]], name: str) -> SourceRows:
    """Return the rows of a list of dictionaries. What a dictionary lacks is a null.

    Args:
        rows: The dictionaries.
        name: What messages name.
    """
    columns = list(dict.fromkeys(key for row in rows for key in row))
    found = {column: _feature_of([row.get(column) for row in rows]) for column in columns}
    features = Features({column: feature for column, feature in found.items() if feature is not None})

    def read(columns: list[str]) -> Iterator[RowBatch]:
        for start in range(0, len(rows), BATCH):
            values = {column: [plain(row.get(column)) for row in rows[start : start + BATCH]] for column in columns}
            numbers = range(start + 1, min(start + BATCH, len(rows)) + 1)
            for column in columns:
                for number, value in zip(numbers, values[column]):
                    if (odd := _of_another_kind(features[column], value)) is not None:
                        raise source.error(
                            number, f"expected {describe(features[column])} in {column!r}, got {kind_of(odd)}."
                        )
            yield RowBatch(numbers, values)

    source = SourceRows(name=name, features=features, read=read)
    return source


def is_list(value: object) -> bool:
    """Tell whether a value is a list, or what stands for one: pandas makes arrays of the lists in Parquet."""
    return isinstance(value, (list, tuple)) or (isinstance(value, np.ndarray) and value.ndim > 0)


def plain(value: Any) -> Any:
    """Return a value as JSON would have it, where there is such a one.

    That is lists for tuples and arrays, what Python has for the values of numpy, and an object by its fields for a
    name that a tagger has found.
    """
    if isinstance(value, (np.ndarray, np.generic)):
        value = value.tolist()
    if isinstance(value, tuple) and set(fields := getattr(value, "_fields", ())) >= FIELDS_OF_A_NAME:
        return {key: plain(element) for key, element in zip(fields, value)}
    if isinstance(value, (list, tuple)):
        return [plain(element) for element in value]
    if isinstance(value, Mapping):
        return {key: plain(element) for key, element in value.items()}
    if isinstance(value, Integral) and not isinstance(value, (bool, int)):
        return int(value)
    return value


def _feature_of(values: Sequence[Any]) -> FeatureType | None:
    """Return the kind of the first value that is there; `None` if there is none, or no column of ours holds such."""
    value = plain(next((value for value in values if value is not None), None))
    if isinstance(value, Mapping):
        fields = {str(key): _feature_of([element]) for key, element in value.items()}
        return {key: feature for key, feature in fields.items() if feature is not None}
    if isinstance(value, list):
        lists = (each for each in values if is_list(each))
        element = plain(next((element for each in lists for element in each if element is not None), None))
        if isinstance(element, list):
            return List(Json())  # such as [start, end, type], which are of several kinds
        return List(_feature_of([element]) or Value("null"))
    return next((Value(name) for kind, name in KINDS.items() if isinstance(value, kind)), None)


def _of_another_kind(feature: FeatureType, value: Any) -> Any:
    """Return the value, or that of its elements, that is not what a column holds; `None` if all is."""
    if value is None or not isinstance(feature, List):
        return None if value is None or _kind(_feature_of([value])) == _kind(feature) else value
    if not isinstance(value, list):
        return value
    expected = _kind(feature.feature)
    return next((each for each in value if each is not None and _kind(_feature_of([each])) != expected), None)


def _kind(feature: FeatureType | None) -> object:
    """Return what tells kinds of values apart: those of JSON's lists are of any."""
    if isinstance(feature, (List, Json)):
        return Json
    return feature.dtype if isinstance(feature, Value) else type(feature)
