"""Write a compiled dictionary of MeCab: the other way round than `malmoi.data.lexicons.mecab_dictionary` reads it."""

import struct
from collections.abc import Sequence
from itertools import groupby

MAGIC = 0xEF718F77
Units = dict[int, tuple[int, int]]


def sys_dic(entries: Sequence[tuple[str, str]], *, charset: bytes = b"UTF-8") -> bytes:
    """Return the content of a `sys.dic` with these words and features, entries of the same word side by side."""
    features, tokens = b"", b""
    for number, (_, feature) in enumerate(entries):
        tokens += struct.pack("<HHHhII", 1, 2, 3, -number, len(features), 0)
        features += feature.encode() + b"\0"
    values, first = {}, 0
    for word, group in groupby(entries, key=lambda entry: entry[0]):
        number = len(list(group))
        assert word.encode() not in values
        values[word.encode()] = first * 256 + number
        first += number
    trie = _double_array(values)
    sizes = (len(trie), len(tokens), len(features))
    length = 72 + sum(sizes)
    header = struct.pack("<10I32s", MAGIC ^ length, 102, 0, len(entries), 7, 8, *sizes, 0, charset)
    return header + trie + tokens + features


def _double_array(values: dict[bytes, int]) -> bytes:
    units: Units = {0: (0, 0)}
    _place(0, values, units, bases=set())
    return b"".join(struct.pack("<2i", *units.get(index, (0, 0))) for index in range(max(units) + 1))


def _place(node: int, values: dict[bytes, int], units: Units, *, bases: set[int]) -> None:
    """Give a node the units of what follows it, and these theirs."""
    following: dict[int, dict[bytes, int]] = {}
    for key, value in sorted(values.items()):
        following.setdefault(key[0] + 1 if key else 0, {})[key[1:]] = value
    base = 1
    while base in bases or any(base + code in units for code in following):
        base += 1
    bases.add(base)
    units[node] = (base, units[node][1])
    for code, rest in following.items():
        units[base + code] = (-rest[b""] - 1 if code == 0 else 0, base)
    for code, rest in following.items():
        if code:
            _place(base + code, rest, units, bases=bases)
