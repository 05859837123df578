"""Read text files line by line, and say where something is wrong."""

import codecs
import lzma
import re
from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

from malmoi.data.user_error import UserError

BYTE_ORDER_MARK = "\ufeff"
OTHER_MARKS = {
    codecs.BOM_UTF32_LE: "UTF-32",  # which begins as UTF-16 does
    codecs.BOM_UTF32_BE: "UTF-32",
    codecs.BOM_UTF16_LE: "UTF-16",
    codecs.BOM_UTF16_BE: "UTF-16",
}
"""What files in another encoding of Unicode begin with."""
OLD_MAC = "the file has carriage returns alone, as old Macs end lines; convert it: `tr '\\r' '\\n' < OLD > NEW`"
LFS_POINTER = b"version https://git-lfs.github.com/spec/"
"""What a file begins with in whose place Git LFS has left a note where its content is."""
PIECE = 1 << 16
"""So many bytes of a file that need not be divided into lines are read at once."""
HANGUL = re.compile("[가-힣ㄱ-ㅣ]")


class DataFormatError(UserError):
    """A data file that does not hold what it should: which file, which line, what was expected."""

    def __init__(self, path: Path | str, line: int | None, message: str):
        super().__init__(f"{path}{'' if line is None else f', line {line}'}: {message}")
        self.path, self.line, self.message = path, line, message

    def __reduce__(self) -> tuple[type["DataFormatError"], tuple[Path | str, int | None, str]]:
        """Return what makes the same error in another process, which would otherwise get none that it can read."""
        return type(self), (self.path, self.line, self.message)


def is_file_or_pipe(path: Path) -> bool:
    """Tell whether there is something to read, be it a pipe such as a shell makes of `<(command)`."""
    return path.is_file() or path.is_fifo()


def open_file(path: Path) -> BinaryIO:
    """Open a file for reading, or what has come through a pipe: once, so that it is kept to be read again."""
    return BytesIO(_piped(path, path.stat().st_ino)) if path.is_fifo() else path.open("rb")


@cache
def _piped(path: Path, number: int) -> bytes:
    """Return what comes through the pipe that has this number in the system: names such as `/dev/fd/63` recur."""
    return path.read_bytes()


def decode_lines(file: BinaryIO, name: Path | str) -> Iterator[str]:
    """Yield the lines of a UTF-8 stream without their line feeds, otherwise untouched.

    Only a line feed ends a line: other characters that Unicode counts as line ends are part of the text.

    Raises:
        DataFormatError: If a line is not UTF-8.
    """
    for number, raw in enumerate(file, start=1):
        yield _decode(raw.removesuffix(b"\n"), name, number, encoding="utf-8", advice="")


def text_line(raw: bytes, name: Path | str, number: int, *, encoding: str = "utf-8", advice: str = "") -> str:
    """Return a line of a text file without what editors add to it.

    That is a byte order mark at the beginning of the file and the carriage return of a line end of Windows. Whatever
    reads texts reads them by this function, so that a text is the same in training and later.

    Args:
        raw: The line without its line feed.
        name: The file that it comes from.
        number: Its number there, counted from 1.
        encoding: The encoding of the file.
        advice: What else than a conversion helps if the file is not in UTF-8.

    Raises:
        DataFormatError: If it is not text in this encoding.
    """
    other = next((found for mark, found in OTHER_MARKS.items() if number == 1 and raw.startswith(mark)), None)
    if other is not None:
        convert = f"`iconv -f {other.lower()} -t utf-8 OLD > NEW`"
        raise DataFormatError(name, None, f"expected UTF-8, but the file is {other}; convert it: {convert}.")
    line = _decode(raw, name, number, encoding=encoding, advice=advice)
    if "\0" in line:
        place = line.index("\0") + 1
        raise DataFormatError(name, number, f"expected text, but character {place} of the line is a NUL.")
    return (line.removeprefix(BYTE_ORDER_MARK) if number == 1 else line).removesuffix("\r")


def _decode(raw: bytes, name: Path | str, number: int, *, encoding: str, advice: str) -> str:
    try:
        return raw.decode(encoding)
    except UnicodeDecodeError as error:
        shown = "UTF-8" if encoding == "utf-8" else encoding
        found = f"byte {error.start + 1} of the line is {raw[error.start]:#04x}"
        if encoding == "utf-8" and _looks_like_cp949(raw):
            found += f"; the file looks like CP949 (EUC-KR): convert it by `iconv -f cp949 -t utf-8 OLD > NEW`{advice}"
        raise DataFormatError(name, number, f"expected {shown}, but {found}.") from None


def _looks_like_cp949(raw: bytes) -> bool:
    """Tell whether a line that is not UTF-8 is Korean in CP949: at least half of what is not ASCII is Hangul."""
    try:
        foreign = [character for character in raw.decode("cp949") if not character.isascii()]
    except UnicodeDecodeError:
        return False
    return 2 * len(HANGUL.findall("".join(foreign))) >= len(foreign)


def first_lines(path: Path, count: int = 200) -> list[str]:
    """Return the first lines of a data file that are not empty, up to one that cannot be read."""
    lines: list[str] = []
    try:
        for _, line in read_lines(path):
            if line.strip():
                lines.append(line)
                if len(lines) == count:
                    break
    except (DataFormatError, OSError):
        pass  # what reads the file will say so
    return lines


def read_lines(path: Path) -> Iterator[tuple[int, str]]:
    """Yield the lines of a data file, which xz may have packed, with their numbers, counted from 1.

    A byte order mark, and carriage returns before line feeds, are dropped.

    Raises:
        DataFormatError: If the file is missing, damaged, empty or not UTF-8.
    """
    if not is_file_or_pipe(path):
        raise DataFormatError(path, None, "there is no such file.")
    check_fetched(path)
    number = 0
    try:
        with lzma.open(path) if path.suffix.lower() == ".xz" else open_file(path) as file:
            for raw in file:
                if number == 0 and raw == codecs.BOM_UTF8:  # what an editor writes into an empty file
                    continue
                number += 1
                yield number, text_line(raw.removesuffix(b"\n"), path, number)
    except (lzma.LZMAError, EOFError) as error:
        raise DataFormatError(
            path, None, f"the file is damaged or cut off, or was not packed by xz ({error})."
        ) from None
    if number == 0:
        raise DataFormatError(path, None, "the file is empty.")


def check_fetched(path: Path) -> None:
    """Check that a data file is there itself, and not what a repository cloned without Git LFS has in its place.

    Raises:
        DataFormatError: If it is not.
    """
    if path.is_file():
        with path.open("rb") as file:
            beginning = file.read(len(LFS_POINTER))
        if beginning == LFS_POINTER:
            raise DataFormatError(
                path, None, "its content was not fetched, the file is a pointer of Git LFS: run `git lfs pull` there."
            )


def check_line_ends(path: Path) -> None:
    """Check that a file of lines, packed by xz or not, is not one line with carriage returns for the ends of others.

    Raises:
        DataFormatError: If it is.
    """
    if path.is_file():
        first = b""
        is_packed = path.suffix.lower() == ".xz"
        with suppress(lzma.LZMAError, EOFError), lzma.open(path) if is_packed else path.open("rb") as file:
            first = file.readline()
        is_utf16 = b"\0" in first  # whose bytes are no line ends; reading it says so
        if not is_utf16 and not first.endswith(b"\n") and b"\r" in first.removesuffix(b"\r"):
            raise DataFormatError(path, None, f"expected lines that end in line feeds, but {OLD_MAC}.")


def read_pieces(path: Path) -> Iterator[str]:
    """Yield the text of a data file in pieces, as for a file whose lines may be of any length.

    A byte order mark and the line feed at the end are dropped; carriage returns are not.

    Raises:
        DataFormatError: As `read_lines` says.
    """
    check_fetched(path)
    decoder = codecs.getincrementaldecoder("utf-8-sig")()
    is_first, held = True, ""
    try:
        with lzma.open(path) if path.suffix.lower() == ".xz" else path.open("rb") as file:
            while True:
                raw = file.read(PIECE)
                piece = decoder.decode(raw, final=not raw)
                if "\0" in piece or (is_first and not raw):
                    break
                if not raw:
                    return
                piece, held = held + piece, ""
                if piece.endswith("\n"):
                    piece, held = piece[:-1], "\n"
                yield piece
                is_first = False
    except (lzma.LZMAError, EOFError, UnicodeDecodeError, FileNotFoundError, IsADirectoryError):
        pass
    for _ in read_lines(path):  # which finds the place
        pass
