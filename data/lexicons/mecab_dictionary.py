"""Read a compiled dictionary of MeCab, `sys.dic`, which holds words in a trie and their features as text.

The layout (little-endian): ten unsigned integers of 32 bits (magic, version, type, number of entries, two sizes of
context, bytes of the trie, of the tokens and of the features, zero), the character set in 32 bytes, and then

- the trie, a double array of pairs (base, check): from a node with base `b`, the byte `c` leads to the unit
  `b + c + 1` if that one's check is `b`. The unit `b` itself says, if its check is `b` and its base is negative, that
  a word ends here, and which tokens it has: `-base - 1` is the first of them times 256, plus their number;
- the tokens of 16 bytes: contexts, part of speech, cost, and where their feature begins;
- the features, each with a NUL at its end: `NNP,인명,T,손흥민,*,*,*,*`.

See Aoe (1989), https://doi.org/10.1109/32.31365, for double arrays.
"""

import struct
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from malmoi.data.user_error import UserError

HEADER = struct.Struct("<10I32s")
TOKEN = np.dtype([("contexts", "<u2", 2), ("part_of_speech", "<u2"), ("cost", "<i2"), ("feature", "<u4"), ("", "<u4")])
UNIT = np.dtype("<i4")
MAGIC = 0xEF718F77  # exclusive or with the length of the file


class DictionaryEntry(NamedTuple):
    """An entry of a dictionary: a word as it is written, its part of speech and its semantic class."""

    word: str
    part_of_speech: str
    semantic_class: str


def read_entries(data: bytes) -> Iterator[DictionaryEntry]:
    """Yield the entries of a compiled dictionary, in the order of their tokens.

    Args:
        data: The content of `sys.dic`.

    Raises:
        UserError: If it is no such dictionary in UTF-8.
    """
    if len(data) < HEADER.size:
        raise UserError("Expected a compiled dictionary of MeCab, got a file that is too short for one.")
    magic, _, _, count, _, _, *sizes, _, charset = HEADER.unpack_from(data)
    if magic ^ MAGIC != len(data) or len(data) != HEADER.size + sum(sizes):
        raise UserError("Expected a compiled dictionary of MeCab, got a file with another beginning or length.")
    if charset.rstrip(b"\0").lower() not in (b"utf-8", b"utf8"):
        raise UserError(f"Expected a dictionary in UTF-8, got one in {charset.rstrip(bytes(1))!r}.")
    tokens_at = HEADER.size + sizes[0]
    features_at = tokens_at + sizes[1]
    words = _words(np.frombuffer(data, UNIT, sizes[0] // UNIT.itemsize, HEADER.size).reshape(-1, 2), count)
    tokens = np.frombuffer(data, TOKEN, count, tokens_at)
    for word, offset in zip(words, tokens["feature"].tolist()):
        feature = data[features_at + offset : data.index(b"\0", features_at + offset)].decode()
        part_of_speech, semantic_class, _ = feature.split(",", 2)
        yield DictionaryEntry(word, part_of_speech, semantic_class)


def _words(units: NDArray[np.int32], count: int) -> list[str]:
    """Return the word of each token.

    Args:
        units: The double array, `(units, 2)`.
        count: The number of tokens.
    """
    base, check = units.T
    nodes = np.flatnonzero(base > 0)
    node_with_base = np.zeros(len(units) + 1, np.int64)
    node_with_base[base[nodes]] = nodes
    ends = np.flatnonzero((base < 0) & (check == np.arange(len(units))))
    # from the ends of all words at once back to the root, unit 0, a byte a step
    node = node_with_base[ends]
    columns = []
    while node.any():
        above = check[node]  # the base of the node before
        columns.append(np.where(node > 0, node - above - 1, 0).astype(np.uint8))
        node = np.where(node > 0, node_with_base[above], 0)
    keys = np.stack(columns[::-1], axis=1)  # (words, bytes of the longest), with NULs before shorter ones
    values = -base[ends].astype(np.int64) - 1
    words = [""] * count
    for key, first, number in zip(keys, (values >> 8).tolist(), (values & 255).tolist()):
        words[first : first + number] = [key.tobytes().lstrip(b"\0").decode()] * number
    return words
