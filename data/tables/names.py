"""Rows of a dataset with names in them, as tags of tokens or as spans of a text."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from datasets import ClassLabel

from malmoi.data.alignment import Span
from malmoi.data.classified_dataset import class_name
from malmoi.data.marked_text import MarkedText
from malmoi.data.notice import notify, shorten
from malmoi.data.tables.columns import NameColumns, element, is_span_list, name_columns, span_keys
from malmoi.data.tables.rows import NULL_ADVICE, SourceRows
from malmoi.data.tables.source import Splits
from malmoi.data.tables.tokens import find_form, from_tokens
from malmoi.data.text_lines import DataFormatError
from malmoi.data.text_offsets import span_within

NAME = "text"
"""What a span says that it is, to compare: its key, as in JSON lines."""


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
    blank: list[int] = []
    for number, text, found, row_id, document in columns.read(rows):
        if text is None:
            missing = f"expected a text in the column {columns.texts!r}, but there is a null{NULL_ADVICE}."
            raise rows.error(number, missing)
        if not class_name(text):
            blank.append(number)
            continue
        if found is None:
            raise rows.error(number, f"expected spans in the column {columns.labels!r}, but there is a null.")
        spans = _one_by_one(rows, number, found, (*keys, NAME)) if as_lists and keys else found
        yield MarkedText(
            id=row_id or f"{split}-{number}",
            text=text,
            spans=[_span(rows, number, text, span, keys, to_name) for span in spans],
            path=f"{rows.name}, {rows.unit} {number}",
            document=document,
        )
    if blank:
        notify(f"{rows.name}: {len(blank):,} rows without text are left out, the first is {rows.unit} {blank[0]}.")


def _one_by_one(
    rows: SourceRows, number: int, lists: Mapping[str, Sequence[Any] | None], keys: Sequence[str]
) -> list[dict[str, Any]]:
    """Return the spans of a row that holds a list of all starts, one of all ends and so on."""
    filled = {key: values for key in keys if (values := lists.get(key)) is not None}
    if len({*map(len, filled.values())}) > 1:
        lengths = ", ".join(f"{len(values)} in {key!r}" for key, values in filled.items())
        raise rows.error(number, f"expected lists with a value for each span, got {lengths}.")
    return [dict(zip(filled, values)) for values in zip(*filled.values())]


def _span(
    rows: SourceRows,
    number: int,
    text: str,
    span: Any,
    keys: tuple[str, str, str] | None,
    to_name: Callable[[int], str] | None,
) -> Span:
    is_mapping = isinstance(span, dict) and keys is not None
    values: Sequence[Any] = [span.get(key) for key in keys] if is_mapping and keys else span
    try:
        start, end, label = values
        if None in (start, end, label):
            raise ValueError
        start, end = _offset(start), _offset(end)
        if not isinstance(label, (str, int, float)):
            raise TypeError
        label = to_name(label) if to_name is not None and isinstance(label, int) else str(label)
    except (TypeError, ValueError):
        raise rows.error(number, f"expected a span [start, end, type], got {shorten(repr(span))}.") from None
    return span_within(
        text,
        start,
        end,
        label,
        path=f"{rows.name}, {rows.unit} {number}",
        line=None,
        name=span.get(NAME) if is_mapping else None,
    )


def _offset(value: Any) -> Any:
    """Return an offset as a number: a list of one kind holds offsets as texts beside the type."""
    return float(value) if isinstance(value, str) else value
