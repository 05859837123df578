"""Rows in Python: a list of dictionaries, or of texts alone, or such a list for each split."""

import re
from collections.abc import Iterator, Mapping, Sequence
from numbers import Integral
from typing import Any, NamedTuple

from datasets import Features, List, Value
from datasets.features.features import FeatureType, Json

from malmoi.data.json_text import kind_of
from malmoi.data.splits.files import names_of_splits
from malmoi.data.tables.columns import describe
from malmoi.data.tables.rows import BATCH, RowBatch, SourceRows
from malmoi.data.text_lines import DataFormatError

HALF_CHARACTER = re.compile("[\ud800-\udfff]")


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
        UserError: If a list is empty, or a row is neither a dictionary nor a text, or is not what the first one is.
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
    are_texts = isinstance(rows[0], str)
    for number, row in enumerate(rows, start=1):
        place = f"{name}, row {number}"
        if not isinstance(row, str if are_texts else Mapping):
            expected = "a text, as the first row is" if are_texts else "a dictionary"
            raise DataFormatError(place, None, f"expected {expected}, got {kind_of(plain(row))}.")
        values = row.values() if isinstance(row, Mapping) else [row]
        if any(isinstance(value, str) and HALF_CHARACTER.search(value) for value in values):
            raise DataFormatError(
                place, None, r"expected whole characters, but a text holds half of one, such as \ud83d alone."
            )
        if not are_texts and (odd := [key for key in row if not isinstance(key, str)]):
            raise DataFormatError(place, None, f"expected texts as keys, got {kind_of(odd[0])}.")
    return ListedRows(name, [{"text": row} for row in rows] if are_texts else rows)


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


def plain(value: Any) -> Any:
    """Return a value as JSON would have it, where there is such a one: lists for tuples, whole numbers of Python."""
    if isinstance(value, (list, tuple)):
        return [plain(element) for element in value]
    if isinstance(value, Mapping):
        return {key: plain(element) for key, element in value.items()}
    if isinstance(value, Integral) and not isinstance(value, (bool, int)):  # also those of numpy
        return int(value)
    return value


def _feature_of(values: Sequence[Any]) -> FeatureType | None:
    """Return the kind of the first value that is there; `None` if there is none, or it is of no use here."""
    value = next((value for value in values if value is not None), None)
    if isinstance(value, str):
        return Value("string")
    if isinstance(value, bool):
        return Value("bool")
    if isinstance(value, Integral):
        return Value("int64")
    if isinstance(value, Mapping):
        fields = {str(key): _feature_of([element]) for key, element in value.items()}
        return {key: feature for key, feature in fields.items() if feature is not None}
    if isinstance(value, (list, tuple)):
        elements = [element for each in values if isinstance(each, (list, tuple)) for element in each]
        if elements and isinstance(elements[0], (list, tuple)):
            return List(Json())  # such as [start, end, type], which are of several kinds
        return List(_feature_of(elements) or Value("null"))
    return None


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
