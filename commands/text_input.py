"""Where the texts come from that a command works on: the command line, files, or standard input."""

import codecs
import os
from pathlib import Path
from typing import NamedTuple

from malmoi.data.unread_formats import advice_on
from malmoi.data.user_error import UserError

STANDARD_INPUT = "-"
ESCAPED = rb"\u0041"
"""What is six characters in a text, and one in the source of Python, which has encodings of its own."""


class TextInput(NamedTuple):
    """Texts, or files with texts.

    Args:
        texts: The texts, if there are no files.
        files: The files and folders, in their order; `-` is standard input.
        encoding: How the files are written.
    """

    texts: list[str]
    files: list[str]
    encoding: str


def text_input(texts: list[str] | None, files: list[str] | None, encoding: str | None) -> TextInput:
    """Return where texts come from, if it is one place that can be read.

    Args:
        texts: The texts of the command line; a single `-` stands for standard input.
        files: The files of `--input`.
        encoding: The encoding of the files, UTF-8 if none is given.

    Raises:
        UserError: If it is not one place, or if a file cannot be one of texts.
    """
    if texts == [STANDARD_INPUT] and not files:
        texts, files = None, [STANDARD_INPUT]
    elif texts and STANDARD_INPUT in texts:
        raise UserError("Give either texts or - for standard input, not both.")
    if bool(texts) == bool(files):
        raise UserError("Give either texts or --input FILE.")
    if files is None or not files:
        if encoding is not None:
            raise UserError(f"--encoding {encoding} says how the file of --input is written, but there is no --input.")
        return TextInput([as_typed(text) for text in texts or []], [], "utf-8")
    if files.count(STANDARD_INPUT) > 1:
        raise UserError("Standard input (--input -) can be read only once.")
    for file in files:
        _check_file(file)
    return TextInput([], files, _checked_encoding(encoding or "utf-8"))


def as_typed(text: str) -> str:
    """Return an argument as UTF-8: under another locale, such as C, Python keeps its bytes as surrogates."""
    try:
        return os.fsencode(text).decode("utf-8") if not text.isascii() else text
    except UnicodeError:
        return text


def _check_file(file: str) -> None:
    """Check that a file or folder is there, and that its name promises texts."""
    path = Path(file)
    if file == STANDARD_INPUT or path.is_dir():
        return
    if not path.exists():
        raise UserError(f"{file}: there is no such file.")
    suffix = path.suffix.lower()
    advice = "save it as CSV" if suffix == ".arrow" else advice_on(suffix)
    if advice:
        raise UserError(f"{file}: expected a file with texts, but {suffix} is another format; {advice}.")


def _checked_encoding(encoding: str) -> str:
    """Return the name of an encoding in which a line can be told by its line feed, and shown if it is no text."""
    convert = ""
    try:
        if codecs.lookup(encoding).name.startswith("utf"):
            convert = f"; convert the file: `iconv -f {encoding} -t utf-8 OLD > NEW`"
        b"\xff".decode(encoding, errors="backslashreplace")
        if all(text.decode(encoding) == text.decode() for text in (*map(bytes, zip(range(128))), ESCAPED)):
            return encoding
    except (LookupError, UnicodeError):
        pass
    raise UserError(
        f"--encoding: expected an encoding of text files such as utf-8 or cp949, got {encoding!r}{convert}."
    )
