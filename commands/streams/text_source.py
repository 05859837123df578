"""Files of plain text: each line is a text, or the whole file is one."""

from collections.abc import Iterator
from io import BufferedReader

from malmoi.commands.streams.raw_lines import decoded_line, raw_lines
from malmoi.commands.streams.rows import BEGINNING, BadRow, Part, Position, Row
from malmoi.data.text_lines import BYTE_ORDER_MARK


def lines_of_text(
    file: BufferedReader, name: str, *, encoding: str = "utf-8", start: Position = BEGINNING
) -> Iterator[Part]:
    """Yield the lines of a file, as many at once as can be read without waiting for more of them.

    Args:
        file: The file, at the place.
        name: What messages call it.
        encoding: Its encoding.
        start: The place from which it is read.

    Raises:
        DataFormatError: If it is in UTF-16.
    """
    for lines, before, position, done in raw_lines(file, start):
        rows: list[Row | BadRow] = []
        for number, raw in enumerate(lines, start=before.number + 1):
            line = decoded_line(raw, name, number, encoding)
            rows.append(line if isinstance(line, BadRow) else Row(number, line))
        yield Part(rows, position, done)


def whole_text(file: BufferedReader, name: str, *, encoding: str, start: Position) -> Iterator[Part]:
    """Yield a file as one text: its characters as they stand, line ends too, without a byte order mark.

    Args:
        file: The file.
        name: What messages call it.
        encoding: Its encoding.
        start: Whether it has been read: then nothing is yielded.

    Raises:
        DataFormatError: If it is in UTF-16.
    """
    if start.offset:
        return
    raw = file.read()
    position = Position(max(len(raw), 1), 1)
    yield Part([_document(raw, name, encoding)], position, len(raw))


def _document(raw: bytes, name: str, encoding: str) -> Row | BadRow:
    try:
        text = raw.decode(encoding).removeprefix(BYTE_ORDER_MARK)
    except UnicodeDecodeError as error:
        return _no_text(raw, error.start, name, encoding)
    if "\0" in text:
        return _no_text(raw, raw.index(b"\0"), name, encoding)
    return Row(1, text)


def _no_text(raw: bytes, place: int, name: str, encoding: str) -> BadRow:
    """Return what is wrong with a document: what is wrong with the line of this place, in the same words."""
    number = raw.count(b"\n", 0, place) + 1
    line = raw[raw.rfind(b"\n", 0, place) + 1 :].split(b"\n", 1)[0]
    fault = decoded_line(line, name, number, encoding)
    assert isinstance(fault, BadRow)
    return BadRow(1, f"line {number}: {fault.reason}", raw)
