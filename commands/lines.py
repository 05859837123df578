"""Texts to work on, from the command line, a file or standard input, and answers, one per line.

However large the input is, only one chunk of it is held at once.
"""

import sys
from collections.abc import Callable, Iterable, Iterator
from io import BufferedReader
from typing import NamedTuple

from malmoi.commands.progress import progress_bar
from malmoi.data.text_lines import DataFormatError, decode_line

CHUNK_BYTES = 128 * 1024
"""How much is read at once, at most: about a thousand sentences, which lie well together in batches of one length."""
STANDARD_INPUT = "-"


class Chunk(NamedTuple):
    """Some lines of a stream.

    Args:
        lines: The lines, without their line feeds.
        end: How many bytes of the stream have been read so far.
    """

    lines: list[str]
    end: int


def answer_texts(texts: list[str], input_file: str | None, answer: Callable[[list[str]], Iterable[str]]) -> None:
    """Write one line for each text, or for each line of a file, in their order.

    The lines of a chunk are written together, so that a file holds whole lines when the command is stopped by Ctrl-C.
    What is typed, or comes through a slow pipe, is answered as it comes.

    Args:
        texts: The texts, if there is no file.
        input_file: The file; `-` is standard input.
        answer: Gives the line to write for each text.

    Raises:
        DataFormatError: If a line of the file is not UTF-8; those before it are answered.
    """
    # UTF-8 and line feeds everywhere, so that texts come out as they went in
    sys.stdout.reconfigure(encoding="utf-8", newline="\n")  # type: ignore[union-attr]
    if input_file is None:
        _write(answer(texts))
        return
    from_input = input_file == STANDARD_INPUT
    with (
        open(0 if from_input else input_file, "rb", closefd=not from_input) as file,
        progress_bar(file) as advance,
    ):
        for chunk in line_chunks(file, "standard input" if from_input else input_file):
            _write(answer(chunk.lines))
            advance(chunk.end, len(chunk.lines))


def line_chunks(file: BufferedReader, name: str) -> Iterator[Chunk]:
    """Yield the lines of a UTF-8 stream, as many at once as can be read without waiting for more of them.

    Args:
        file: The stream.
        name: What to call it in an error.

    Raises:
        DataFormatError: If a line is not UTF-8; those before it have been yielded then.
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
            yield from _decoded(whole, number, end, name)
            number += len(whole)
    if last := b"".join(begun):
        yield from _decoded([last], number, end, name)


def _decoded(raw_lines: list[bytes], number: int, end: int, name: str) -> Iterator[Chunk]:
    """Yield one chunk of lines, the first of which comes after `number` others; up to the first that is not UTF-8."""
    lines: list[str] = []
    try:
        for raw in raw_lines:
            lines.append(decode_line(raw, name, number + len(lines) + 1))
    except DataFormatError:
        yield Chunk(lines, end)
        raise
    yield Chunk(lines, end)


def _write(lines: Iterable[str]) -> None:
    """Write lines in one go: a signal between two writes cannot leave half a line."""
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    sys.stdout.flush()
