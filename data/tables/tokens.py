"""Rows of a dataset whose names are tags of tokens: how the tags write names, and how tokens become a text again."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from datasets import ClassLabel

from malmoi.data.alignment import OUTSIDE, spans_of_joined_tokens
from malmoi.data.classified_dataset import class_name
from malmoi.data.marked_text import MarkedText
from malmoi.data.notice import notify
from malmoi.data.tables.columns import NameColumns, element
from malmoi.data.tables.rows import SourceRows
from malmoi.data.tag_schemes import TagScheme, TagSequences
from malmoi.data.text_lines import DataFormatError
from malmoi.modeling.name_edges import CHARACTER

CHARACTERS, SPACES = 0.4, 0.05
"""Nothing stands between tokens of which more are single characters, or white space; the reader `conll` says why."""


class TokenForm(NamedTuple):
    """How tokens and tags are read."""

    scheme: TagScheme
    separator: str


def find_form(sources: list[tuple[SourceRows, NameColumns]], *, token_separator: str | None) -> TokenForm:
    """Return how the tokens and tags of all splits are to be read, and say it.

    Args:
        sources: The rows with the names of their columns.
        token_separator: What the user says stands between tokens. By default nothing between syllables or where spaces
            are tokens themselves, and otherwise a space.

    Raises:
        DataFormatError: If the tags follow no scheme, or a row is malformed; it names the row.
    """
    tags, count, characters, spaces = TagSequences(), 0, 0, 0
    for rows, columns in sources:
        for number, tokens, names, *_ in token_rows(rows, columns):
            previous = OUTSIDE
            for name in names:
                tags.add(previous, name, rows.name, number)
                previous = name
            count += len(tokens)
            characters += sum(len(token) == 1 or CHARACTER.fullmatch(token) is not None for token in tokens)
            spaces += sum(token.isspace() for token in tokens)
    rows, columns = sources[0]
    if not count:
        raise DataFormatError(rows.name, None, "expected sentences, found none.")
    scheme = tags.scheme(column=f"in the column {columns.labels!r}")
    separator = "" if characters > CHARACTERS * count or spaces > SPACES * count else " "
    separator = separator if token_separator is None else token_separator
    between = {"": "nothing stands", " ": "a space stands"}.get(separator, f"{separator!r} stands")
    other = "''" if separator else "' '"
    why = f", by what they look like (otherwise --token_separator {other})" if token_separator is None else ""
    misplaced = ""
    if scheme.first_misplaced is not None:
        place, number = scheme.first_misplaced
        misplaced = (
            f"; tags that go on with a name that has not begun ({scheme.misplaced:,}, first in {place}, row {number}) "
            "are read as its beginning"
        )
    notify(f"the tags in {columns.labels!r} are {scheme.name}, and {between} between tokens{why}{misplaced}.")
    return TokenForm(scheme, separator)


def token_rows(
    rows: SourceRows, columns: NameColumns
) -> Iterator[tuple[int, list[str], list[str], str | None, str | None]]:
    """Yield number, tokens, names of tags, id and document of each row.

    Raises:
        DataFormatError: If a row has nulls or no tokens, or not as many tags as tokens; it names the row.
    """
    held = element(rows.features[columns.labels])
    names = held.names if isinstance(held, ClassLabel) else None
    for number, tokens, tags, row_id, document in columns.read(rows):
        _check_list(rows, number, tokens, columns.texts, "tokens")
        _check_list(rows, number, tags, columns.labels, "tags")
        if len(tokens) != len(tags):
            raise rows.error(number, f"expected a tag for each token, got {len(tokens)} tokens and {len(tags)} tags.")
        if not tokens:
            raise rows.error(number, "expected a sentence, got no token.")
        if "" in tokens:
            raise rows.error(number, f"expected tokens with characters, but token {tokens.index('') + 1} has none.")
        if names is not None:
            for tag in tags:
                if not 0 <= tag < len(names):
                    raise rows.error(number, f"expected tags with names, but {tag} has none.")
            tags = [names[tag] for tag in tags]
        yield number, tokens, list(map(class_name, tags)), row_id, document


def _check_list(rows: SourceRows, number: int, values: list[Any] | None, column: str, what: str) -> None:
    """Check that a row has a list in this column, without a gap."""
    if values is None or any(value is None for value in values):
        raise rows.error(number, f"expected {what} in the column {column!r}, but there is a null.")


def from_tokens(split: str, rows: SourceRows, columns: NameColumns, form: TokenForm) -> Iterator[MarkedText]:
    """Yield the sentences of a split."""
    for number, tokens, tags, row_id, document in token_rows(rows, columns):
        yield MarkedText(
            id=row_id or f"{split}-{number}",
            text=form.separator.join(tokens),
            spans=spans_of_joined_tokens(tokens, form.scheme.names(tags), gap=len(form.separator)),
            path=f"{rows.name}, {rows.unit} {number}",
            document=document,
        )
