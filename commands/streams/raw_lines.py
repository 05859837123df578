"""The lines of a stream as bytes, as many at once as can be read without waiting for more of them."""

import codecs
from collections.abc import Iterator
from io import BufferedReader
from typing import NamedTuple

from malmoi.commands.streams.rows import BEGINNING, BadRow, Position
from malmoi.data.text_lines import DataFormatError, text_line

CHUNK_BYTES = 128 * 1024
"""How much is read at once, at most: about a thousand sentences, which lie well together in batches of one length."""
ADVICE = ", or give --encoding cp949"


class RawLines(NamedTuple):
    """Some lines of a stream.

    Args:
        lines: The lines, without their line feeds.
        start: The place before the first of them.
        position: The place behind the last of them.
        done: How many bytes of the stream have been read so far.
    """

    lines: list[bytes]
    start: Position
    position: Position
    done: int


def raw_lines(file: BufferedReader, start: Position = BEGINNING) -> Iterator[RawLines]:
    """Yield the lines of a stream from a place on.

    Args:
        file: The stream, which is there already.
        start: The place.
    """
    position = start
    done = start.offset
    begun: list[bytes] = []  # the parts of a line whose end has not been read
    while block := file.read1(CHUNK_BYTES):
        done += len(block)
        first, *others = block.split(b"\n")
        begun.append(first)
        if others:
            whole = [b"".join(begun), *others[:-1]]
            begun = [others[-1]]
            before, position = position, Position(done - len(others[-1]), position.number + len(whole))
            yield RawLines(whole, before, position, done)
    last = b"".join(begun)
    if last and (position != BEGINNING or last != codecs.BOM_UTF8):  # what an editor writes into an empty file
        yield RawLines([last], position, Position(done, position.number + 1), done)


def decoded_line(raw: bytes, name: str, number: int, encoding: str) -> str | BadRow:
    """Return a line as text, or what is wrong with it.

    Args:
        raw: The line without its line feed.
        name: What messages call its file.
        number: Its number.
        encoding: The encoding of the file.

    Raises:
        DataFormatError: If the whole file is no such text.
    """
    try:
        return text_line(raw, name, number, encoding=encoding, advice=ADVICE)
    except DataFormatError as error:
        before = f"{name}, line {number}: "
        if not str(error).startswith(before):
            raise
        return BadRow(number, str(error).removeprefix(before), raw)
