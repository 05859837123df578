"""The words of a lexicon in a form in which a few operators of ONNX find them.

The words of each length lie in the order of their hashes, and an index tells where those with the same first bits
begin. From there a few halvings find a hash: `torch.searchsorted` has no counterpart among the operators.
"""

import itertools
from typing import NamedTuple

import numpy as np

from malmoi.export.constants import Array
from malmoi.modeling.lexicon import Lexicon

BUCKET = 16
"""How many words may have the same first bits of their hashes, at most: a power of two."""
HASH_BITS = 31


class WordTables(NamedTuple):
    """The words of a lexicon."""

    hashes: Array
    """Hashes of all words, length after length, in order; `BUCKET` of the largest number behind each length, int32."""
    classes: Array
    """Row of the table of classes for each of them, 0 where there is no word."""
    rows: Array
    """Which classes a word has, 0 or 1, float32, `(combinations, classes)`; none for the first."""
    first: Array
    """Where the hashes of each bucket begin, int32."""
    buckets: Array
    """Where the buckets of each length begin, int64, `(lengths,)`."""
    widths: Array
    """How many hashes, as numbers, each bucket of a length spans, int64, `(lengths,)`."""


def word_tables(lexicon: Lexicon) -> WordTables:
    """Return the words of a lexicon in a form in which they are found by a few operators."""
    sizes = list(lexicon.config.lexicon_sizes) or [0]
    combinations, numbers = np.unique(lexicon.word_classes.cpu().numpy().astype(np.int64), return_inverse=True)
    bits = np.arange(len(lexicon.config.lexicon_classes))
    rows = np.vstack([np.zeros((1, len(bits))), (combinations[:, None] >> bits) & 1]).astype(np.float32)
    of_sizes = np.cumsum([0, *sizes])
    all_hashes = lexicon.word_hashes.cpu().numpy()
    hashes: list[Array] = []
    classes: list[Array] = []
    first: list[Array] = []
    buckets, widths, begin = [], [], 0
    for start, stop in itertools.pairwise(of_sizes):
        own, bits_of_bucket = all_hashes[start:stop].astype(np.int64), 0
        while np.bincount(own >> (HASH_BITS - bits_of_bucket), minlength=1).max() > BUCKET:
            bits_of_bucket += 1
        buckets.append(sum(map(len, first)))
        widths.append(1 << (HASH_BITS - bits_of_bucket))
        edges = np.arange(1 << bits_of_bucket) << (HASH_BITS - bits_of_bucket)
        first.append(begin + np.searchsorted(own, edges))
        hashes += [own, np.full(BUCKET, np.iinfo(np.int32).max)]
        classes += [numbers[start:stop] + 1, np.zeros(BUCKET, dtype=np.int64)]
        begin += len(own) + BUCKET
    row_type = np.uint8 if len(rows) <= 256 else np.int32
    return WordTables(
        np.concatenate(hashes).astype(np.int32),
        np.concatenate(classes).astype(row_type),
        rows,
        np.concatenate(first).astype(np.int32),
        np.array(buckets, dtype=np.int64),
        np.array(widths, dtype=np.int64),
    )
