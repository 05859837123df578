"""Which columns of a dataset hold what a task needs: told by what they hold first, and by their names second."""

import difflib
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

from datasets import ClassLabel, Features, LargeList, List, Value
from datasets.features.features import FeatureType, Json

from malmoi.data.column_headings import (
    BODY_OR_ANSWER,
    CLASS_HEADING,
    DOCUMENT_HEADING,
    TEXT_HEADING,
    TITLE_OR_QUESTION,
)
from malmoi.data.notice import list_names
from malmoi.data.tables.rows import SourceRows
from malmoi.data.user_error import UserError

TEXT_FLAG, LABEL_FLAG = "--text_column", "--label_column"
TOKENS = re.compile(r"(token|word|syllable|morph(eme)?|character|char|eojeol)s?|토큰|어절|음절|형태소", re.IGNORECASE)
TAGS_OR_SPANS = re.compile(
    r"((named_?entity|entity|ner|bio|iob|slot)_?)?(tag|label|span|annotation)s?(_?ids?)?|ner|bio|iob|entit(y|ies)"
    r"|개체명|태그|라벨|레이블",
    re.IGNORECASE,
)
SPANS = re.compile(r".*(span|entit(y|ies)|annotation).*", re.IGNORECASE)
IDENTIFIER = re.compile(r"(id|guid|uid|idx|index|sentence_id|text_id)", re.IGNORECASE)
INDEX_OF_PANDAS = re.compile(r"Unnamed: \d+|__index_level_\d+__")
"""What the index of a frame is called that was written with it, and read as a column."""
SENTENCES = re.compile(r"(text|sentence)s?|텍스트|문장", re.IGNORECASE)
"""The texts themselves: a column `document` beside them names what they are part of."""
START, END, TYPE = (
    re.compile(r"(start|begin)(_?(offset|char|pos|index))?|offset_start|char_start", re.IGNORECASE),
    re.compile(r"(end|stop)(_?(offset|char|pos|index))?|offset_end|char_end", re.IGNORECASE),
    re.compile(r"type|label|tag|category|class|(entity|ner)(_?(type|label|group|tag))?", re.IGNORECASE),
)


class SeveralColumns(UserError):
    """Columns of which each may be the one that is looked for."""


class NameColumns(NamedTuple):
    """What the columns of sentences with names are called."""

    texts: str
    """That of the texts or tokens."""
    labels: str
    """That of the spans or tags."""
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
                yield number, text, labels, written_name(row_id), written_name(document)


def written_name(value: Any) -> str | None:
    """Return an id or the name of a document as text; `None` if a row has none, or a blank one.

    pandas writes a whole number as `3.0` where other rows have none.
    """
    if value is None or value != value:
        return None
    written = str(int(value) if isinstance(value, float) and value.is_integer() else value)
    return written if written.strip() else None


def name_columns(rows: SourceRows, *, text_name: str | None, label_name: str | None) -> NameColumns:
    """Return the columns of sentences with names.

    Args:
        rows: The rows.
        text_name: What the user says is the column of texts or tokens.
        label_name: What the user says is the column of tags or spans.

    Raises:
        UserError: If there are no such columns, or tags are numbers without names.
    """
    features = rows.features
    labels = tag_or_span_column(features, rows.name, named=label_name)
    if is_span_list(features[labels]):
        texts = text_column(features, rows.name, named=text_name, without=[labels], has_documents=True)
    else:
        texts = token_column(features, rows.name, named=text_name, without=[labels])
        if is_whole_number(element(features[labels])):
            raise UserError(
                f"{rows.name}: the tags in {labels!r} are numbers without names; name them in their order by "
                f"`dataset.cast_column({labels!r}, List(ClassLabel(names=[...])))` of datasets."
            )
    taken = (texts, labels)
    return NameColumns(
        texts,
        labels,
        id=aside_column(features, IDENTIFIER, without=taken),
        document=aside_column(features, DOCUMENT_HEADING, without=taken),
    )


def text_column(
    features: Features, source: str, *, named: str | None, without: Iterable[str] = (), has_documents: bool = False
) -> str:
    """Return the column with the texts.

    Args:
        features: The kinds of the columns.
        source: What messages name.
        named: What the user says it is.
        without: Columns that hold something else.
        has_documents: Whether a column `document` rather names what a sentence is part of; it does beside one that is
            called `text` or `sentence`.

    Raises:
        UserError: If there is not one; a `SeveralColumns` if there are several.
    """
    names = [name for name, feature in features.items() if is_text(feature) and name not in without]
    has_documents |= any(map(SENTENCES.fullmatch, names))
    headings = [
        name
        for name in names
        if TEXT_HEADING.fullmatch(name) and not (has_documents and DOCUMENT_HEADING.fullmatch(name))
    ]
    if all(map(TITLE_OR_QUESTION.fullmatch, headings)):
        headings += filter(BODY_OR_ANSWER.fullmatch, names)
    return _only(
        features,
        source,
        named=named,
        flag=TEXT_FLAG,
        holds=is_text,
        expected="a column with texts",
        preferred=(lambda name: name in headings, lambda name: not _is_aside(name)),
        without=without,
    )


def token_column(features: Features, source: str, *, named: str | None, without: Iterable[str]) -> str:
    """Return the column with the tokens of each sentence; see `text_column`."""
    return _only(
        features,
        source,
        named=named,
        flag=TEXT_FLAG,
        holds=lambda feature: is_text(element(feature)),
        expected="a column with the tokens of each sentence (lists of texts)",
        preferred=(lambda name: bool(TOKENS.fullmatch(name)),),
        without=without,
    )


def tag_or_span_column(features: Features, source: str, *, named: str | None) -> str:
    """Return the column with a tag for each token, or with names as spans of the text; see `text_column`."""
    # texts in lists are tokens as often as tags, and a list of numbers is anything: these need a name that says so
    sure = {
        name for name, feature in features.items() if is_span_list(feature) or isinstance(element(feature), ClassLabel)
    }
    return _only(
        features,
        source,
        named=named,
        flag=LABEL_FLAG,
        holds=lambda feature: is_span_list(feature) or is_tag_list(feature),
        expected="a column with tags or spans (lists)",
        preferred=(
            lambda name: bool(TAGS_OR_SPANS.fullmatch(name)) and (name in sure or not SPANS.fullmatch(name)),
            lambda name: name in sure,
        ),
        needs_preference=True,
    )


def class_column(features: Features, source: str, *, named: str | None) -> str:
    """Return the column with the class of each text; see `text_column`.

    Where no other is called so, it may hold floats: pandas makes them of whole numbers of which one is missing.
    """
    return _only(
        features,
        source,
        named=named,
        flag=LABEL_FLAG,
        holds=lambda feature: is_class(feature) or is_float(feature),
        expected="a column with classes",
        preferred=(
            lambda name: bool(CLASS_HEADING.fullmatch(name)) and is_class(features[name]),
            lambda name: isinstance(features[name], ClassLabel),
            lambda name: bool(CLASS_HEADING.fullmatch(name)),
        ),
        needs_preference=True,
    )


def aside_column(features: Features, pattern: re.Pattern[str], *, without: Iterable[str]) -> str | None:
    """Return the first other column with such a name that holds a value in each row; `None` if there is none."""
    found = (name for name in features if pattern.fullmatch(name) and name not in without)
    return next((name for name in found if is_single(features[name])), None)


def span_keys(feature: FeatureType) -> tuple[str, str, str] | None:
    """Return what the start, the end and the type of a span are called in it; `None` if it is no mapping of these."""
    names = list(feature) if isinstance(feature, dict) else []
    found = [[name for name in names if pattern.fullmatch(name)] for pattern in (START, END, TYPE)]
    return (found[0][0], found[1][0], found[2][0]) if all(len(each) == 1 for each in found) else None


def element(feature: FeatureType) -> FeatureType | None:
    """Return what the lists of a column hold; `None` if it holds no lists."""
    return feature.feature if isinstance(feature, (List, LargeList)) else None


def is_text(feature: FeatureType | None) -> bool:
    """Tell whether a column holds texts."""
    return isinstance(feature, Value) and feature.dtype in ("string", "large_string", "string_view")


def is_whole_number(feature: FeatureType | None) -> bool:
    """Tell whether a column holds whole numbers."""
    return isinstance(feature, Value) and feature.dtype.startswith(("int", "uint"))


def is_float(feature: FeatureType | None) -> bool:
    """Tell whether a column holds numbers that need not be whole."""
    return isinstance(feature, Value) and feature.dtype.startswith("float")


def is_single(feature: FeatureType) -> bool:
    """Tell whether a column holds single values, such as texts, numbers and dates."""
    return isinstance(feature, ClassLabel) or (isinstance(feature, Value) and feature.dtype != "null")


def is_class(feature: FeatureType) -> bool:
    """Tell whether a column may hold classes: names, numbers, or true and false."""
    of_values = isinstance(feature, (ClassLabel, Json)) or (isinstance(feature, Value) and feature.dtype == "bool")
    return of_values or is_text(feature) or is_whole_number(feature)


def is_tag_list(feature: FeatureType) -> bool:
    """Tell whether a column may hold the tags of tokens."""
    held = element(feature)
    return isinstance(held, ClassLabel) or is_text(held) or is_whole_number(held)


def is_span_list(feature: FeatureType) -> bool:
    """Tell whether a column may hold spans: lists of mappings or of lists, or a mapping of lists."""
    held = element(feature)
    if isinstance(feature, dict):
        return span_keys(feature) is not None and all(element(each) is not None for each in feature.values())
    return span_keys(held) is not None or isinstance(held, Json) or element(held) is not None or _is_nothing(held)


def _is_nothing(feature: FeatureType | None) -> bool:
    """Tell whether a column holds empty lists alone."""
    return isinstance(feature, Value) and feature.dtype == "null"


def unknown_columns(features: Features, source: str, *, text_name: str | None) -> list[str]:
    """Return the columns beside the texts that may hold what is to be learned, for all that their names tell.

    Ids, documents, the index of a frame and other texts are called so; dates and images are no answers to a text.

    Args:
        features: The kinds of the columns.
        source: What messages name.
        text_name: What the user says is the column of texts.

    Raises:
        UserError: If there is not one column of texts.
    """
    texts = text_column(features, source, named=text_name)
    return [
        name
        for name, feature in features.items()
        if name != texts
        and (is_class(feature) or is_float(feature) or is_tag_list(feature) or is_span_list(feature))
        and not any(pattern.fullmatch(name) for pattern in (IDENTIFIER, DOCUMENT_HEADING, INDEX_OF_PANDAS))
        and not (is_text(feature) and TEXT_HEADING.fullmatch(name))
    ]


def _is_aside(name: str) -> bool:
    return bool(IDENTIFIER.fullmatch(name) or DOCUMENT_HEADING.fullmatch(name) or CLASS_HEADING.fullmatch(name))


def _only(
    features: Features,
    source: str,
    *,
    named: str | None,
    flag: str,
    holds: Callable[[FeatureType], bool],
    expected: str,
    preferred: tuple[Callable[[str], bool], ...],
    without: Iterable[str] = (),
    needs_preference: bool = False,
) -> str:
    """Return the one column that fits.

    Args:
        features: The kinds of the columns.
        source: What messages name.
        named: What the user says it is.
        flag: How the user says it.
        holds: Tells whether a column may be the one by what it holds.
        expected: What it should hold, in words.
        preferred: Tell by the name which of several columns is meant, the surest first.
        without: Columns that hold something else.
        needs_preference: Whether a column whose name tells nothing is none.
    """
    if named is not None:
        if named not in features:
            nearest = difflib.get_close_matches(named, list(features), n=1, cutoff=0.4)
            meant = f"did you mean {nearest[0]!r}? It has" if nearest else "it has"
            raise UserError(f"{flag}: {source} has no column {named!r}; {meant} {list_names(list(features))}.")
        if not holds(features[named]):
            raise UserError(f"{flag}: {source}: expected {expected}, but {named!r} holds {describe(features[named])}.")
        return named
    fitting = [name for name, feature in features.items() if name not in without and holds(feature)]
    for prefers in preferred:
        names = [name for name in fitting if prefers(name)]
        if len(names) > 1:
            raise SeveralColumns(f"{source}: {list_names(names)} may all be {expected}; say which by {flag}.")
        if names:
            return names[0]
    if len(fitting) == 1 and not needs_preference:
        return fitting[0]
    telling = " under a name that tells it" if fitting else ""
    columns = list_names([f"{name} ({describe(feature)})" for name, feature in features.items()])
    raise UserError(f"{source}: expected {expected}{telling}, got {columns}; say which is meant by {flag}.")


def describe(feature: FeatureType) -> str:
    """Return what a column holds in few words."""
    held = element(feature)
    if held is not None:
        return f"lists of {describe(held)}"
    if isinstance(feature, ClassLabel):
        return "classes"
    if isinstance(feature, Value):
        words = "texts" if is_text(feature) else "whole numbers" if is_whole_number(feature) else feature.dtype
        return {"bool": "true or false", "null": "nothing"}.get(words, words)
    return "mappings" if isinstance(feature, dict) else type(feature).__name__
