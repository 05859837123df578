"""Which column of a file holds the texts."""

import difflib
import re
import unicodedata
from collections.abc import Collection, Sequence

from malmoi.data.column_headings import BODY_OR_ANSWER, TEXT_HEADING, TITLE_OR_QUESTION
from malmoi.data.notice import list_names
from malmoi.data.user_error import UserError

FLAG = "--text_column"
SUREST = ("text", "sentence", "document")


def text_column(name: str, columns: Sequence[str], texts: Collection[str], *, named: str | None) -> str:
    """Return the column with the texts: what the user says, one whose name tells it, or the only one that can be it.

    Args:
        name: What messages call the file.
        columns: All columns.
        texts: Those that hold text.
        named: What the user says.

    Raises:
        UserError: If there is no such column, or it could be one of several.
    """
    if named is not None:
        named = as_spelled(named, columns)
        if named not in columns:
            nearest = difflib.get_close_matches(named, columns, n=1, cutoff=0.4)
            meant = f"did you mean {nearest[0]!r}? It has" if nearest else "it has"
            raise UserError(f"{FLAG}: {name} has no column {named!r}; {meant} {list_names(columns)}.")
        if named not in texts:
            raise UserError(f"{FLAG}: {name}: expected a column with texts, but {named!r} holds something else.")
        return named
    fitting = [column for column in columns if column in texts]
    for column in SUREST:
        if column in fitting:
            return column
    telling = [column for column in fitting if tells_text(column)]
    if telling and all(_is(TITLE_OR_QUESTION, column) for column in telling):
        telling += [column for column in fitting if _is(BODY_OR_ANSWER, column)]
    found = telling or fitting
    if len(found) != 1:
        seen = f"several may be it: {list_names(found)}" if found else f"it has {list_names(columns)}"
        raise UserError(f"{name}: expected a column with texts, but {seen}; say which by {FLAG}.")
    return found[0]


def as_spelled(named: str, columns: Collection[str]) -> str:
    """Return a name as it is spelled among the columns, where a Mac may have written it in parts (NFD).

    Args:
        named: What the user says.
        columns: All columns; if none of them has the name, it is returned as it is.
    """
    if named in columns:
        return named
    composed = {unicodedata.normalize("NFC", column): column for column in columns}
    return composed.get(unicodedata.normalize("NFC", named), named)


def tells_text(column: str) -> bool:
    """Tell whether the name of a column says that it holds texts."""
    return _is(TEXT_HEADING, column)


def _is(heading: re.Pattern[str], column: str) -> bool:
    return heading.fullmatch(unicodedata.normalize("NFC", column)) is not None
