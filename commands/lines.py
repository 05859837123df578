"""Texts to work on, from the command line, a file or standard input, and answers, one per line.

However large the input is, only one chunk of it is held at once.
"""

import sys
from collections.abc import Callable, Iterable, Iterator
from io import BufferedReader
from typing import NamedTuple

from malmoi.commands.progress import progress_bar
from malmoi.commands.text_input import STANDARD_INPUT, TextInput
from malmoi.data.text_lines import DataFormatError, text_line

CHUNK_BYTES = 128 * 1024
"""How much is read at once, at most: about a thousand sentences, which lie well together in batches of one length."""
ADVICE = ", or give --encoding cp949"


class Chunk(NamedTuple):
    """Some lines of a stream.

    Args:
        lines: The lines, without their line ends.
        end: How many bytes of the stream have been read so far.
    """

    lines: list[str]
    end: int


def answer_texts(source: TextInput, answer: Callable[[list[str]], Iterable[str]]) -> None:
    """Write one line for each text, or for each line of the files, in their order.

    The lines of a chunk are written together, so that a file holds whole lines when the command is stopped by Ctrl-C.
    What is typed, or comes through a slow pipe, is answered as it comes. Line ends are line feeds, whatever those of
    the input are.

    Args:
        source: Where the texts come from.
        answer: Gives the line to write for each text.

    Raises:
        DataFormatError: If a line of a file is not in its encoding; those before it are answered.
    """
    if not source.files:
        _write(answer(source.texts))
    for name in source.files:
        from_input = name == STANDARD_INPUT
        with (
            open(0 if from_input else name, "rb", closefd=not from_input) as file,
            progress_bar(file) as advance,
        ):
            end = 0
            chunks = line_chunks(file, "standard input" if from_input else name, encoding=source.encoding)
            for lines, end in chunks:
                _write(answer(lines))
                advance(end, len(lines))
        if not end and not from_input:
            print(f"malmoi: {name}: the file is empty.", file=sys.stderr)


def line_chunks(file: BufferedReader, name: str, *, encoding: str = "utf-8") -> Iterator[Chunk]:
    """Yield the lines of a stream, as many at once as can be read without waiting for more of them.

    Args:
        file: The stream.
        name: What to call it in an error.
        encoding: Its encoding.

    Raises:
        DataFormatError: If a line is not in this encoding; those before it have been yielded then.
    """
    number = end = 0
    begun: list[bytes] = []  # the parts of a line whose end has not been read
    while block := file.read1(CHUNK_BYTES):
        end += len(block)
        first, *others = block.split(b"\n")
        begun.append(first)
        if others:
            whole = [b"".join(begun), *others[:-1]]
            begun = [others[-1]]
            yield from _decoded(whole, number, end, name, encoding)
            number += len(whole)
    if last := b"".join(begun):
        yield from _decoded([last], number, end, name, encoding)


def _decoded(raw_lines: list[bytes], number: int, end: int, name: str, encoding: str) -> Iterator[Chunk]:
    """Yield one chunk of lines, the first of which comes after `number` others; up to the first that is no text."""
    lines: list[str] = []
    try:
        for raw in raw_lines:
            lines.append(text_line(raw, name, number + len(lines) + 1, encoding=encoding, advice=ADVICE))
    except DataFormatError:
        yield Chunk(lines, end)
        raise
    yield Chunk(lines, end)


def _write(lines: Iterable[str]) -> None:
    """Write lines in one go: a signal between two writes cannot leave half a line."""
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    sys.stdout.flush()
