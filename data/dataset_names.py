"""Rows of a dataset with names in them, as tags of tokens or as spans of a text."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, NamedTuple

from datasets import ClassLabel

from malmoi.data.alignment import Span, token_labels_to_spans
from malmoi.data.dataset_columns import (
    DOCUMENT,
    IDENTIFIER,
    aside_column,
    element,
    is_span_list,
    is_whole_number,
    span_keys,
    tag_or_span_column,
    text_column,
    token_column,
)
from malmoi.data.dataset_source import Splits
from malmoi.data.label_scheme import LabelScheme, read_label_scheme
from malmoi.data.marked_text import MarkedText
from malmoi.data.notice import notify, shorten
from malmoi.data.source_rows import SourceRows
from malmoi.data.user_error import UserError

SINGLE_CHARACTERS = 0.75
"""Tokens so many of which are single characters are syllables, with nothing between them."""
FIRST_ROWS = 1000
"""In so many rows it is looked how long tokens are."""


class Columns(NamedTuple):
    """What the columns of sentences with names are called."""

    texts: str
    labels: str
    id: str | None
    document: str | None

    def read(self, rows: SourceRows) -> Iterator[tuple[int, Any, Any, str | None, str | None]]:
        """Yield number, text, labels, id and document of each row."""
        names = list(dict.fromkeys(name for name in self if name is not None))
        for numbers, batch in rows.read(names):
            nothing = [None] * len(numbers)
            ids = nothing if self.id is None else batch[self.id]
            documents = nothing if self.document is None else batch[self.document]
            for number, text, labels, row_id, document in zip(
                numbers, batch[self.texts], batch[self.labels], ids, documents
            ):
                yield number, text, labels, _written(row_id), _written(document)


def _written(value: Any) -> str | None:
    return None if value is None else str(value)


def marked_texts(
    splits: Splits, *, text_name: str | None, label_name: str | None, token_separator: str | None
) -> dict[str, Iterator[MarkedText]]:
    """Return the sentences of each split, to be read once.

    Args:
        splits: The rows of the dataset.
        text_name: What the user says is the column of texts or tokens.
        label_name: What the user says is the column of tags or spans.
        token_separator: What stands between tokens. By default nothing between characters, and a space between words.

    Raises:
        UserError: If there are no such columns; reading them, if a row is malformed: it names the row.
    """
    parts = [rows for each in splits.values() for rows in each]
    columns = {rows.name: _columns(rows, text_name=text_name, label_name=label_name) for rows in parts}
    tagged = {rows.name for rows in parts if not is_span_list(rows.features[columns[rows.name].labels])}
    scheme, separator = None, ""
    if tagged:
        sources = [rows for rows in parts if rows.name in tagged]
        scheme = read_label_scheme(_tags_that_occur(sources, columns))
        separator = _separator(sources, columns) if token_separator is None else token_separator
    return {
        split: (
            sentence
            for rows in each
            for sentence in (
                _from_tags(split, rows, columns[rows.name], scheme, separator)
                if scheme is not None and rows.name in tagged
                else _from_spans(split, rows, columns[rows.name])
            )
        )
        for split, each in splits.items()
    }


def _columns(rows: SourceRows, *, text_name: str | None, label_name: str | None) -> Columns:
    features = rows.features
    labels = tag_or_span_column(features, rows.name, named=label_name)
    if is_span_list(features[labels]):
        texts = text_column(features, rows.name, named=text_name, without=[labels], has_documents=True)
    else:
        texts = token_column(features, rows.name, named=text_name, without=[labels])
        held = element(features[labels])
        if is_whole_number(held):
            raise UserError(
                f"{rows.name}: the tags in {labels!r} are numbers without names; name them in their order by "
                f"`dataset.cast_column({labels!r}, List(ClassLabel(names=[...])))` of datasets."
            )
    taken = (texts, labels)
    return Columns(
        texts,
        labels,
        id=aside_column(features, IDENTIFIER, without=taken),
        document=aside_column(features, DOCUMENT, without=taken),
    )


def _tags_that_occur(sources: Iterable[SourceRows], columns: dict[str, Columns]) -> list[str]:
    """Return the names of the tags: of a `ClassLabel` all that it has, of texts those that occur."""
    tags: dict[str, None] = {}
    for rows in sources:
        name = columns[rows.name].labels
        held = element(rows.features[name])
        if isinstance(held, ClassLabel):
            tags |= dict.fromkeys(held.names)
        else:
            for _, batch in rows.read([name]):
                tags |= dict.fromkeys(tag for row in batch[name] for tag in row or () if tag is not None)
    return list(tags)


def _separator(sources: Iterable[SourceRows], columns: dict[str, Columns]) -> str:
    """Return what stands between tokens, and say what that was told by."""
    lengths: list[int] = []
    has_spaces = False
    for rows in sources:
        for _, tokens, *_ in islice(columns[rows.name].read(rows), FIRST_ROWS):
            lengths += [len(token) for token in tokens or () if token]
            has_spaces = has_spaces or any(token and token.isspace() for token in tokens or ())
    single = sum(length == 1 for length in lengths) >= SINGLE_CHARACTERS * len(lengths)
    separator = "" if has_spaces or single else " "
    told = "spaces are tokens" if has_spaces else "tokens are single characters" if single else "tokens are words"
    notify(f"the text is put together from its tokens with {separator!r} between them, as {told} (--token_separator).")
    return separator


def _from_tags(
    split: str, rows: SourceRows, columns: Columns, scheme: LabelScheme, separator: str
) -> Iterator[MarkedText]:
    held = element(rows.features[columns.labels])
    to_name = held.int2str if isinstance(held, ClassLabel) else None
    for number, tokens, tags, row_id, document in columns.read(rows):
        _check_list(rows, number, tokens, columns.texts, "tokens")
        _check_list(rows, number, tags, columns.labels, "tags")
        if len(tokens) != len(tags):
            raise rows.error(number, f"expected a tag for each token, got {len(tokens)} tokens and {len(tags)} tags.")
        if "" in tokens:
            raise rows.error(number, f"expected tokens with characters, but token {tokens.index('') + 1} has none.")
        if not tokens:
            raise rows.error(number, "expected a sentence, got no token.")
        offsets: list[tuple[int, int]] = []
        end = -len(separator)
        for token in tokens:
            start = end + len(separator)
            end = start + len(token)
            offsets.append((start, end))
        labels = scheme.to_bio([_tag_name(rows, number, tag, to_name) for tag in tags], offsets)
        yield MarkedText(
            id=row_id or f"{split}-{number}",
            text=separator.join(tokens),
            spans=[span for span, _ in token_labels_to_spans(labels, offsets)],
            path=f"{rows.name}, {rows.unit} {number}",
            document=document,
        )


def _tag_name(rows: SourceRows, number: int, tag: Any, to_name: Callable[[int], str] | None) -> str:
    if to_name is None:
        return str(tag)
    try:
        return to_name(tag)
    except ValueError:
        raise rows.error(number, f"expected tags with names, but {tag} has none.") from None


def _check_list(rows: SourceRows, number: int, values: Any, column: str, what: str) -> None:
    """Check that a row has a list in this column, without a gap."""
    if values is None or any(value is None for value in values):
        raise rows.error(number, f"expected {what} in the column {column!r}, but there is a null.")


def _from_spans(split: str, rows: SourceRows, columns: Columns) -> Iterator[MarkedText]:
    feature = rows.features[columns.labels]
    as_lists = isinstance(feature, dict)
    held = feature if as_lists else element(feature)
    keys = span_keys(held)
    type_feature = None if keys is None else held[keys[2]]
    if as_lists:
        type_feature = element(type_feature)
    to_name = type_feature.int2str if isinstance(type_feature, ClassLabel) else None
    for number, text, found, row_id, document in columns.read(rows):
        if text is None:
            raise rows.error(number, f"expected a text in the column {columns.texts!r}, but there is a null.")
        if found is None:
            raise rows.error(number, f"expected spans in the column {columns.labels!r}, but there is a null.")
        spans = (
            list(zip(*(found[key] or () for key in keys), strict=False)) if as_lists and keys is not None else found
        )
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
        return Span(int(start), int(end), str(label) if to_name is None else to_name(label))
    except (TypeError, ValueError):
        raise rows.error(number, f"expected a span [start, end, type], got {shorten(repr(span))}.") from None
