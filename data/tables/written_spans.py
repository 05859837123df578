"""Columns of CSV that hold lists of spans: written as JSON, or as Python shows them, such as `[[0, 3, 'PS']]`."""

import ast
import json
from collections.abc import Sequence
from typing import Any

from datasets import List, Value
from datasets.features.features import FeatureType

from malmoi.data.tables.columns import SPANS, span_keys

EXAMPLE = '[[0, 3, "PS"]]'
LISTS = List(List(Value("string")))


def span_feature(name: str, cells: Sequence[str]) -> FeatureType | None:
    """Return what the spans of a column are, as `datasets` would say it; `None` if it holds no spans.

    A column is one of spans if all its cells are lists of them, or if it is called so and a cell begins as a list.

    Args:
        name: What the column is called.
        cells: Its first cells.
    """
    written = [cell for cell in cells if cell.strip()]
    lists = [parsed_spans(cell) for cell in written if cell.lstrip().startswith("[")]
    first = next((span for spans in lists if spans for span in spans), None)
    if SPANS.fullmatch(name) is None and (first is None or None in lists or len(lists) < len(written)):
        return None
    if not isinstance(first, dict):
        return LISTS if lists else None
    keys = span_keys({str(key): Value("string") for key in first})
    return LISTS if keys is None else List({key: Value("string") for key in keys})


def parsed_spans(cell: str) -> list[Any] | None:
    """Return the spans in a cell, none if it is empty; `None` if it holds anything else."""
    if not cell.strip():
        return []
    for parse in (json.loads, ast.literal_eval):
        try:
            found = parse(cell.strip())
        except (ValueError, SyntaxError, RecursionError, MemoryError):
            continue
        return (
            found if isinstance(found, list) and all(isinstance(span, (list, tuple, dict)) for span in found) else None
        )
    return None
