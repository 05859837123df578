"""Read files of word vectors with gensim: word2vec, GloVe and fastText, recognised by what they hold.

They are checked first: at a malformed file gensim would stop without saying where, or never. Nothing is unpickled.
"""

import re
import struct
import sys
import warnings
import zlib
from importlib.util import find_spec
from os import SEEK_CUR
from pathlib import Path
from typing import Any, BinaryIO

import torch
from torch import Tensor

from malmoi.data.text_lines import DataFormatError, decode_lines
from malmoi.data.user_error import UserError

FORMATS = "word2vec (text or binary), GloVe text, and fastText (.vec or .bin)"
HEAD_BYTES = 1 << 16
FASTTEXT_MAGIC = struct.pack("<i", 793712314)  # https://github.com/facebookresearch/fastText/blob/main/src/fasttext.cc
REFUSED = {
    b"\x80": "a pickle, which is never loaded",
    b"PK\x03\x04": "a zip archive, such as torch writes around a pickle, which is never loaded",
    b"\x93NUMPY": "a NumPy array, which names no words",
    b"\x1f\x8b": "compressed, but its name does not end in .gz",
    b"\xef\xbb\xbf": "text with a byte order mark",
}
HEADER = re.compile(rb"(\d{1,12})[ \t]+(\d{1,6})[ \t]*\r?\n")
CONTROL_CHARACTER = re.compile(rb"[\x00-\x08\x0e-\x1f]")  # in numbers that are not text, in no text


def read_word_vectors(path: Path) -> tuple[dict[str, int], Tensor]:
    """Return the row of each word, and the vectors, `(words, width)`, of a file.

    Raises:
        UserError: If gensim is missing.
        DataFormatError: If the file is malformed, or in none of the formats.
    """
    if find_spec("gensim") is None:
        if sys.version_info >= (3, 14):
            raise UserError(
                "Reading word vectors from a file needs gensim, which there is for Python 3.10 to 3.13 only."
            )
        raise UserError("Reading word vectors from a file needs gensim: `pip install malmoi[embeddings]`.")
    from gensim import utils
    from gensim.models import KeyedVectors
    from gensim.models.fasttext import load_facebook_vectors

    try:
        with utils.open(str(path), "rb") as file:  # it decompresses
            head = file.read(HEAD_BYTES)
            file.seek(0)
            _refuse_other_formats(path, head)
            header = HEADER.match(head)
            if head.startswith(FASTTEXT_MAGIC):
                _check_fasttext(file, path)
                read = load_facebook_vectors(str(path))
            elif header and CONTROL_CHARACTER.search(head):
                _check_binary(file, path, *_counts(path, header))
                read = KeyedVectors.load_word2vec_format(str(path), binary=True)
            else:
                _check_text(file, path, _counts(path, header) if header else None)
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore", ResourceWarning)  # gensim leaves a file without header open
                    read = KeyedVectors.load_word2vec_format(str(path), no_header=header is None)
    except UserError:
        raise
    except (AssertionError, EOFError, OSError, OverflowError, ValueError, struct.error, zlib.error) as error:
        raise DataFormatError(path, None, f"the file is damaged or cut off ({error}).") from error
    return read.key_to_index, torch.from_numpy(read.vectors)


def _refuse_other_formats(path: Path, head: bytes) -> None:
    """Raise `DataFormatError` if a file that begins like this is in none of the formats."""
    if not head:
        raise DataFormatError(path, None, "the file is empty.")
    for beginning, what in REFUSED.items():
        if head.startswith(beginning):
            raise DataFormatError(path, None, f"the file is {what}. Formats that are read: {FORMATS}.")
    if CONTROL_CHARACTER.search(head) and not HEADER.match(head) and not head.startswith(FASTTEXT_MAGIC):
        raise DataFormatError(path, None, f"the format is unknown. Formats that are read: {FORMATS}.")


def _counts(path: Path, header: re.Match[bytes]) -> tuple[int, int]:
    """Return the number of vectors and their width as a header states them."""
    count, width = int(header[1]), int(header[2])
    if not count or not width:
        raise DataFormatError(path, 1, f"expected a number of vectors and a width above 0, got {count} and {width}.")
    return count, width


def _check_text(file: BinaryIO, path: Path, counts: tuple[int, int] | None) -> None:
    """Raise `DataFormatError` at the first line that is not a word and its numbers.

    gensim would stop without the line, or spread a single number over a whole vector.
    """
    lines = enumerate(decode_lines(file, path), start=1)
    if counts:
        next(lines)
    count, width = counts or (None, None)
    why = "as the header says" if counts else "as in line 1"
    read = 0
    for number, line in lines:
        word, *values = line.rstrip(" \t\r\v\f").split(" ")
        if not word or not values:
            raise DataFormatError(path, number, f"expected a word and its numbers, got {line[:40]!r}.")
        width = width or len(values)
        if len(values) != width:
            expected = f"expected {width + 1} columns {why}, a word without spaces and its numbers"
            raise DataFormatError(path, number, f"{expected}, but got {len(values) + 1}.")
        try:
            list(map(float, values))
        except ValueError as error:
            raise DataFormatError(path, number, f"expected numbers after the word, but {error}.") from None
        read += 1
    if count not in (None, read):
        raise DataFormatError(path, 1, f"the header promises {count} vectors, but {read} follow.")


def _check_binary(file: BinaryIO, path: Path, count: int, width: int) -> None:
    """Raise `DataFormatError` at the first vector that is cut off or whose word is not UTF-8.

    gensim would reserve memory for as many vectors as the header promises.
    """
    file.readline()
    for number in range(1, count + 1):
        word = _read_until(file, b" ")
        if word is None or len(file.read(4 * width)) < 4 * width:
            raise DataFormatError(path, None, f"the header promises {count} vectors, but number {number} is cut off.")
        try:
            word.decode("utf-8")
        except UnicodeDecodeError:
            raise DataFormatError(path, None, f"the word of vector {number} is not UTF-8: {word!r}.") from None
    if file.read(2).strip():
        raise DataFormatError(path, 1, f"the header promises {count} vectors, but more follow.")


def _check_fasttext(file: BinaryIO, path: Path) -> None:
    """Raise `DataFormatError` if a fastText model is cut off, or is not one of words and plain numbers.

    gensim would never stop reading a dictionary that is cut off. The layout is that of `FastText::saveModel`.
    """
    with path.open("rb") as raw:
        if raw.read(len(FASTTEXT_MAGIC)) != FASTTEXT_MAGIC:  # gensim reads the matrix past the decompression
            raise DataFormatError(path, None, "the file is a compressed fastText model; unpack it first.")
    *_, width = _unpack(file, "<3i")
    _unpack(file, "<11id")
    words, _, labels, _, pruned = _unpack(file, "<3i2q")
    if labels:
        raise DataFormatError(path, None, "the file is a fastText classifier; expected a fastText model of words.")
    for _ in range(words):
        if _read_until(file, b"\0") is None:
            raise EOFError("in the dictionary")
        _unpack(file, "<qb")
    if pruned > 0 or _unpack(file, "<?")[0]:
        raise DataFormatError(path, None, "the file is a quantised fastText model (.ftz); expected the full one.")
    rows, columns = _unpack(file, "<2q")
    if columns != width or not 0 < rows * columns * 4 < 1 << 62:
        raise EOFError(f"{rows} vectors of width {columns}, but the header says {width}")
    file.seek(rows * columns * 4 - 1, SEEK_CUR)
    if not file.read(1):
        raise EOFError(f"it should hold {rows} vectors")


def _unpack(file: BinaryIO, layout: str) -> tuple[Any, ...]:
    """Read numbers; `struct.error` if the file ends before."""
    return struct.unpack(layout, file.read(struct.calcsize(layout)))


def _read_until(file: BinaryIO, end: bytes) -> bytes | None:
    """Return the bytes before an end mark; `None` if the file ends before."""
    read = bytearray()
    while (byte := file.read(1)) != end:
        if not byte:
            return None
        read += byte
    return bytes(read)
