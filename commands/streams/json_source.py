"""Files with a JSON object on each line, one of whose fields is the text."""

from collections.abc import Iterator
from io import BufferedReader
from typing import Any

from malmoi.commands.streams.raw_lines import decoded_line, raw_lines
from malmoi.commands.streams.rows import BadRow, Layout, Part, Position, Row, RowFault
from malmoi.commands.streams.text_column import as_spelled, tells_text, text_column
from malmoi.data.json_fields import has_place_for_document
from malmoi.data.json_text import JsonText, kind_of
from malmoi.data.notice import list_names
from malmoi.data.text_lines import DataFormatError
from malmoi.data.user_error import UserError

DEEPEST = 100


def layout_of_json(file: BufferedReader, name: str, *, encoding: str, named: str | None) -> Layout:
    """Return what the first object of a file that may have a text tells; `Layout()` if there is no object.

    Args:
        file: The file, at its beginning.
        name: What messages call it.
        encoding: Its encoding.
        named: What the user says is the field with the texts.

    Raises:
        UserError: If the file holds one list, or it cannot be told which field holds the texts.
    """
    without: UserError | None = None
    for lines, start, _, _ in raw_lines(file):
        for number, raw in enumerate(lines, start=start.number + 1):
            line = decoded_line(raw, name, number, encoding)
            if isinstance(line, BadRow) or not line.strip():
                continue
            if line.lstrip().startswith("["):
                raise DataFormatError(
                    name, number, "expected a JSON object on each line, got a list; write its objects a line each."
                )
            try:
                fields = _object(line, name, number)
            except RowFault:
                continue
            # rows may differ, so that what the user says need not be in this one
            if named:
                return _layout(as_spelled(named, fields), fields)
            texts = [field for field, value in fields.items() if _may_be_text(field, value)]
            try:
                return _layout(text_column(f"{name}, line {number}", [*fields], texts, named=None), fields)
            except UserError as error:
                if texts:
                    raise
                without = without or error  # a row that lacks its text; another one tells the field
    if without:
        raise without
    return Layout() if named is None else Layout(named)


def _layout(text: str, fields: dict[str, Any]) -> Layout:
    others = {field: value for field, value in fields.items() if field != text}
    return Layout(text, tuple(fields), has_documents=has_place_for_document(others))


def _may_be_text(field: str, value: object) -> bool:
    """Tell whether a field is one of text, which null stands in only where the name of the field tells it."""
    return isinstance(value, str) or (value is None and tells_text(field))


def rows_of_json(file: BufferedReader, name: str, column: str, *, encoding: str, start: Position) -> Iterator[Part]:
    """Yield the objects of a file, as many at once as can be read without waiting for more. Blank lines are none.

    Args:
        file: The file, at the place.
        name: What messages call it.
        column: The field with the texts.
        encoding: Its encoding.
        start: The place from which it is read.
    """
    for lines, before, position, done in raw_lines(file, start):
        rows: list[Row | BadRow] = []
        for number, raw in enumerate(lines, start=before.number + 1):
            line = decoded_line(raw, name, number, encoding)
            if isinstance(line, BadRow):
                rows.append(line)
            elif line.strip():
                rows.append(_row(line, raw, name, number, column))
        yield Part(rows, position, done)


def _row(line: str, raw: bytes, name: str, number: int, column: str) -> Row | BadRow:
    try:
        fields = _object(line, name, number)
        column = as_spelled(column, fields)
        if column not in fields:
            raise RowFault(f"expected a text in the field {column!r}, but there are {list_names([*fields])}.")
        if not isinstance(fields[column], str):
            raise RowFault(f"expected a text in the field {column!r}, got {kind_of(fields[column])}.")
    except RowFault as fault:
        return BadRow(number, str(fault), raw)
    return Row(number, fields[column], fields)


def _object(line: str, name: str, number: int) -> dict[str, Any]:
    """Return the object of a line.

    Raises:
        RowFault: If it holds anything else.
    """
    try:
        text = JsonText(line, name, line=number)
        value = text.value()
        text.end()
    except DataFormatError as error:
        raise RowFault(str(error).removeprefix(f"{name}, line {number}: ")) from None
    if not isinstance(value, dict):
        raise RowFault(f"expected a JSON object, got {kind_of(value)}.")
    if line.count("[") + line.count("{") > DEEPEST and _is_deeper(value, DEEPEST):
        raise RowFault(f"expected at most {DEEPEST} brackets within each other.")
    return value


def _is_deeper(value: Any, levels: int) -> bool:
    """Tell whether lists and objects stand within each other on more levels: other programs give up at some."""
    held = [value]
    for _ in range(levels):
        inner = [each for found in held for each in (found.values() if isinstance(found, dict) else found)]
        held = [each for each in inner if isinstance(each, (dict, list))]
    return bool(held)
