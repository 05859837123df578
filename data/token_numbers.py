"""Columns in which tokens are numbered, and what CoNLL-U numbers beside its words.

In CoNLL-U (https://universaldependencies.org/format.html) a token that is several words, as `2-3`, stands on a line
before its words, and an empty node, as `1.1`, stands for a word that is not in the text.
"""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from malmoi.data.classified_dataset import class_name
from malmoi.data.notice import shorten
from malmoi.data.text_lines import DataFormatError
from malmoi.data.token_columns import MOST, Columns, token_lines

NUMBER = re.compile(r"(?P<first>[0-9]{1,9})(?:-(?P<last>[0-9]{1,9})|\.(?P<node>[0-9]{1,9}))?")
NO_TAG = "_"
"""What CoNLL-U writes in the columns of a multiword token."""


class Token(NamedTuple):
    """A token of a text, or the end of a sentence, which has no columns."""

    line: int
    row: list[str]
    """The columns of its line."""
    tags: list[str]
    """Its tag, or those of its words if it has none of its own."""
    document: int
    """The number of its document, counted from 1; 0 before the first."""


def are_numbered(paths: Iterable[Path], columns: Columns) -> bool:
    """Tell whether the first column numbers the tokens.

    It does where most of the tokens of a file count on from the one before them, or from 0 or 1 where a sentence
    begins.

    Raises:
        DataFormatError: If it does, but a token has no number.
    """
    found = [_numbering(path, columns) for path in paths]
    if not any(is_numbered for is_numbered, _ in found):
        return False
    fault = next((fault for _, fault in found if fault is not None), None)
    if fault is not None:
        raise fault
    return True


def _numbering(path: Path, columns: Columns) -> tuple[bool, DataFormatError | None]:
    """Tell whether a file numbers its tokens; with the error for the first that has no number."""
    rows = counting = 0
    fault: DataFormatError | None = None
    expected, begins = -1, True
    for line, row, _ in token_lines(path, columns):
        if not row:
            begins = True
            continue
        rows += 1
        if (match := NUMBER.fullmatch(row[0])) is None:
            fault = fault or DataFormatError(
                path, line, f"expected the number of a token in column 1, as other lines have, got {shorten(row[0])}."
            )
        else:
            first = int(match["first"])
            counting += first == expected or (begins and first in (0, 1)) or match["node"] is not None
            expected = first if match["last"] else first + 1  # a range comes before its first word
        begins = False
    return rows > 0 and counting >= MOST * rows, fault


def text_tokens(path: Path, columns: Columns, *, tag_column: int, is_numbered: bool) -> Iterator[Token]:
    """Yield the tokens that the text of a file has, and the end of each sentence.

    Args:
        path: The file.
        columns: How its lines are divided.
        tag_column: The column of the tags, counted from 0.
        is_numbered: Whether the first column numbers the tokens.

    Raises:
        DataFormatError: If a line has more or fewer columns, or the words of a token are not there.
    """
    whole: Token | None = None  # whose words are still to come
    expected = last = 0
    for line, row, document in token_lines(path, columns):
        match = NUMBER.fullmatch(row[0]) if row and is_numbered else None
        if match and match["node"]:
            continue
        if whole is not None:
            if match is None or match[0] != str(expected):
                raise DataFormatError(
                    path,
                    line,
                    f"expected the word {expected} of the token {whole.row[0]} in line {whole.line}, got "
                    f"{shorten(row[0]) if row else 'the end of the sentence'}.",
                )
            whole.tags.append(row[tag_column])
            expected += 1
            if expected > last:
                yield _with_own_tag(path, whole, class_name(whole.row[tag_column]))
                whole = None
        elif match and match["last"]:
            expected, last = int(match["first"]), int(match["last"])
            if last < expected:
                raise DataFormatError(path, line, f"expected the numbers of words as in 2-3, got {match[0]}.")
            whole = Token(line, row, [], document)
        else:
            yield Token(line, row, [row[tag_column]] if row else [], document)


def _with_own_tag(path: Path, whole: Token, own: str) -> Token:
    """Return a token of several words with its own tag, if it has one.

    Raises:
        DataFormatError: If its words say something else.
    """
    if own == NO_TAG:
        return whole
    told = [tag for tag in map(class_name, whole.tags) if tag != NO_TAG]
    if told and (own == "O") != all(tag == "O" for tag in told):
        raise DataFormatError(
            path,
            whole.line,
            f"expected one tag for the token {whole.row[0]} and its words, got {own} and {', '.join(told)}.",
        )
    return whole._replace(tags=[own])
