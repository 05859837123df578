"""Rows of a dataset with names in them, as tags of tokens or as spans of a text."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from datasets import ClassLabel

from malmoi.data.alignment import Span
from malmoi.data.marked_text import MarkedText
from malmoi.data.notice import shorten
from malmoi.data.tables.columns import NameColumns, element, is_span_list, name_columns, span_keys
from malmoi.data.tables.rows import SourceRows
from malmoi.data.tables.source import Splits
from malmoi.data.tables.tokens import find_form, from_tokens
from malmoi.data.text_lines import DataFormatError


def marked_texts(
    splits: Splits, *, text_name: str | None, label_name: str | None, token_separator: str | None
) -> dict[str, Iterator[MarkedText]]:
    """Return the sentences of each split, to be read once.

    Args:
        splits: The rows of the dataset.
        text_name: What the user says is the column of texts or tokens.
        label_name: What the user says is the column of tags or spans.
        token_separator: What the user says stands between tokens.

    Raises:
        UserError: If there are no such columns; reading them, if a row is malformed: it names the row.
    """
    named = {
        split: [(rows, name_columns(rows, text_name=text_name, label_name=label_name)) for rows in each]
        for split, each in splits.items()
    }
    tagged = [
        (rows, columns)
        for each in named.values()
        for rows, columns in each
        if not is_span_list(rows.features[columns.labels])
    ]
    form = find_form(tagged, token_separator=token_separator) if tagged else None

    def sentences(split: str) -> Iterator[MarkedText]:
        count = 0
        for rows, columns in named[split]:
            if form is None or is_span_list(rows.features[columns.labels]):
                read = _from_spans(split, rows, columns)
            else:
                read = from_tokens(split, rows, columns, form)
            for sentence in read:
                count += 1
                yield sentence
        if not count:
            raise DataFormatError(splits[split][0].name, None, "expected sentences, found none.")

    return {split: sentences(split) for split in splits}


def _from_spans(split: str, rows: SourceRows, columns: NameColumns) -> Iterator[MarkedText]:
    feature = rows.features[columns.labels]
    as_lists = isinstance(feature, dict)
    held = feature if as_lists else element(feature)
    keys = span_keys(held)
    type_feature = held[keys[2]] if isinstance(held, dict) and keys is not None else None
    if as_lists:
        type_feature = element(type_feature)
    to_name = type_feature.int2str if isinstance(type_feature, ClassLabel) else None
    for number, text, found, row_id, document in columns.read(rows):
        if text is None:
            raise rows.error(number, f"expected a text in the column {columns.texts!r}, but there is a null.")
        if found is None:
            raise rows.error(number, f"expected spans in the column {columns.labels!r}, but there is a null.")
        spans = list(zip(*(found[key] or () for key in keys), strict=False)) if as_lists and keys else found
        yield MarkedText(
            id=row_id or f"{split}-{number}",
            text=text,
            spans=[_span(rows, number, span, keys, to_name) for span in spans],
            path=f"{rows.name}, {rows.unit} {number}",
            document=document,
        )


def _span(
    rows: SourceRows, number: int, span: Any, keys: tuple[str, str, str] | None, to_name: Callable[[int], str] | None
) -> Span:
    values: Sequence[Any] = [span.get(key) for key in keys] if isinstance(span, dict) and keys is not None else span
    try:
        start, end, label = values
        if label is None:
            raise ValueError
        return Span(int(start), int(end), str(label) if to_name is None else to_name(label))
    except (TypeError, ValueError):
        raise rows.error(number, f"expected a span [start, end, type], got {shorten(repr(span))}.") from None
