"""Texts to work on, from the command line, a file or standard input, and answers, one per line."""

import sys
from collections.abc import Iterator
from pathlib import Path

from malmoi.data.text_lines import decode_lines


def input_lines(texts: list[str], input_file: str | None) -> Iterator[str]:
    """Yield the texts, or the lines of a file; `-` is standard input.

    Raises:
        DataFormatError: If a line is not UTF-8.
    """
    if input_file is None:
        yield from texts
    elif input_file == "-":
        yield from decode_lines(sys.stdin.buffer, "standard input")
    else:
        with Path(input_file).open("rb") as file:
            yield from decode_lines(file, input_file)


def write_unchanged() -> None:
    """Make standard output UTF-8 with line feeds everywhere, so that texts come out as they went in."""
    sys.stdout.reconfigure(encoding="utf-8", newline="\n")  # type: ignore[union-attr]
