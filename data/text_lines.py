"""Read text files line by line, and say where something is wrong."""

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from malmoi.data.user_error import UserError


class DataFormatError(UserError):
    """A data file that does not hold what it should: which file, which line, what was expected."""

    def __init__(self, path: Path | str, line: int | None, message: str):
        super().__init__(f"{path}{'' if line is None else f', line {line}'}: {message}")


def decode_lines(file: BinaryIO, name: Path | str) -> Iterator[str]:
    """Yield the lines of a UTF-8 stream without their line feeds, otherwise untouched.

    Only a line feed ends a line: other characters that Unicode counts as line ends are part of the text.

    Raises:
        DataFormatError: If a line is not UTF-8.
    """
    for number, raw in enumerate(file, start=1):
        yield decode_line(raw.removesuffix(b"\n"), name, number)


def decode_line(raw: bytes, name: Path | str, number: int) -> str:
    """Return a line of a UTF-8 stream as text.

    Args:
        raw: The line.
        name: The file that it comes from.
        number: Its number there, counted from 1.

    Raises:
        DataFormatError: If it is not UTF-8.
    """
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise DataFormatError(
            name, number, f"expected UTF-8, but byte {error.start + 1} of the line is {raw[error.start]:#04x}."
        ) from None


def read_lines(path: Path) -> Iterator[tuple[int, str]]:
    """Yield the lines of a data file with their numbers, counted from 1.

    A byte order mark, and carriage returns before line feeds, are dropped.

    Raises:
        DataFormatError: If the file is missing, empty or not UTF-8.
    """
    if not path.is_file():
        raise DataFormatError(path, None, "there is no such file.")
    number = 0
    with path.open("rb") as file:
        for number, line in enumerate(decode_lines(file, path), start=1):
            yield number, (line.removeprefix("\ufeff") if number == 1 else line).removesuffix("\r")
    if number == 0:
        raise DataFormatError(path, None, "the file is empty.")
