"""Dictionary features, as `modeling/lexicon.py` has them, in bulk: words of all lengths at once."""

import numpy as np
import spox.opset.ai.onnx.v18 as op
from spox import Var

from malmoi.export.constants import array_of, ints, number, part, positions, size, weight
from malmoi.export.lexicon_tables import BUCKET, WordTables, word_tables
from malmoi.modeling.lexicon import (
    HASH_MODULUS,
    HASH_MULTIPLIER,
    NO_CHARACTER,
    OF_SIZE,
    OTHER_CHARACTER,
    PLACES,
    SHORTEST_ACROSS_SPACE,
    SPACE,
    Lexicon,
)

FAR = 2**62
"""More spaces than any text has."""


def look_up(lexicon: Lexicon, input_ids: Var, mask: Var) -> Var:
    """Return the embedded features, `(batch, length, lexicon_embedding_size)`.

    Args:
        lexicon: The layer.
        input_ids: Token ids, `(batch, length)`.
        mask: Which positions hold a token, `(batch, length)`.
    """
    characters = _characters(lexicon, input_ids, mask)
    is_space = op.equal(characters, number(SPACE))
    written = op.and_(op.greater(characters, number(NO_CHARACTER)), op.not_(is_space))
    # the text without its spaces to the front of each row; one more column takes what is no part of it
    count = size(characters, 1)
    place = op.cumsum(op.cast(written, to=np.int64), number(1))
    place = op.where(written, op.sub(place, number(1)), count)
    room = op.expand(number(0), op.concat([size(characters, 0), op.add(count, ints(1))], axis=0))
    passed = op.cumsum(op.cast(is_space, to=np.int64), number(1))
    text, spaces = (
        op.scatter_elements(room, place, op.where(written, values, number(0)), axis=1)
        for values in (characters, passed)
    )
    tables = word_tables(lexicon)
    words = _find(tables, text, spaces, positions(count))
    words = op.gather_nd(words, op.unsqueeze(place, ints(2)), batch_dims=1)
    return _embed(lexicon, tables, words)


def _characters(lexicon: Lexicon, input_ids: Var, mask: Var) -> Var:
    """Return the characters of tokens, `(batch, length * characters of a token)`; nothing where there is no token."""
    table = lexicon.token_characters.cpu().numpy()
    other = np.full_like(table[:1], NO_CHARACTER)
    other[0, 0] = OTHER_CHARACTER
    table = np.concatenate([table, other, np.full_like(table[:1], NO_CHARACTER)])
    row = op.where(mask, op.min([input_ids, number(len(table) - 2)]), number(len(table) - 1))
    characters = op.cast(op.gather(op.const(table), row), to=np.int64)
    width = op.mul(size(input_ids, 1), ints(table.shape[1]))
    return op.reshape(characters, op.concat([size(input_ids, 0), width], axis=0))


def _find(tables: WordTables, text: Var, spaces: Var, starts: Var) -> Var:
    """Return the words over each character, as rows of the classes, `(batch, characters + 1, words)`; see `_over`.

    Args:
        tables: The words.
        text: Code points, `(batch, characters + 1)`; what is behind a text is 0.
        spaces: How many spaces stand before each character, `(batch, characters + 1)`.
        starts: Where a word may begin, `(characters,)`.
    """
    lengths = len(tables.widths)
    behind = ints(0, 0, 0, lengths - 1)
    windows = op.add(op.unsqueeze(starts, ints(1)), op.const(np.arange(lengths)[None]))
    near = op.gather(op.pad(spaces, behind, number(FAR)), windows, axis=1)
    near = op.abs(op.sub(near, op.unsqueeze(part(spaces, 0, -1, axis=1), ints(2))))
    limits = [0 if length < SHORTEST_ACROSS_SPACE else FAR // 2 for length in range(1, lengths + 1)]
    near = op.less_or_equal(near, op.const(limits, np.int64))
    hashed = _hash(op.gather(op.pad(text, behind), windows, axis=1), lengths)
    bucket = op.add(op.div(hashed, op.const(tables.widths)), op.const(tables.buckets))
    hashed = op.cast(hashed, to=np.int32)
    index, hashes = op.gather(op.const(tables.first), bucket), op.const(tables.hashes)
    step = BUCKET // 2
    while step:
        further = op.add(index, op.const(step, np.int32))
        index = op.where(op.less_or_equal(op.gather(hashes, further), hashed), further, index)
        step //= 2
    hit = op.and_(near, op.equal(op.gather(hashes, index), hashed))
    words = op.where(hit, op.cast(op.gather(op.const(tables.classes), index), to=np.int64), number(0))
    words = op.reshape(words, op.concat([size(text, 0), ints(-1)], axis=0))
    # before the first character there are no words, which the last row, of no character, has too
    words = op.pad(words, ints(0, lengths * lengths, 0, 0))
    begins = [(lengths - shift) * lengths + length - 1 for _, length, shift in _over(lengths)]
    places = op.add(op.unsqueeze(op.mul(starts, number(lengths)), ints(1)), op.const([begins], np.int64))
    places = op.concat([places, op.const(np.zeros((1, len(begins))), np.int64)], axis=0)
    return op.gather(words, places, axis=1)


def _hash(windows: Var, lengths: int) -> Var:
    """Return the hash of the first character, of the first two, and so on, of windows, `(batch, starts, lengths)`.

    It is a sum of the characters, each times a power of the multiplier. In two halves of its bits, no sum leaves the
    53 bits that float64 holds exactly, so that one product of matrices does it.
    """
    powers = [[0] * lengths for _ in range(lengths)]
    for length in range(lengths):
        for place in range(length + 1):
            powers[place][length] = pow(HASH_MULTIPLIER, length - place + 1, HASH_MODULUS)
    high, low = (np.array(powers) >> 16).astype(float), (np.array(powers) & 0xFFFF).astype(float)
    codes = op.cast(op.add(windows, number(2)), to=np.float64)
    halves = op.cast(op.matmul(codes, op.const(np.concatenate([high, low], axis=1))), to=np.int64)
    upper, lower = op.split(halves, num_outputs=2, axis=2)
    return op.mod(op.add(op.mul(upper, number(1 << 16)), lower), number(HASH_MODULUS))


def _over(lengths: int) -> list[tuple[int, int, int]]:
    """Return the words that may lie over a character: its place in them, their length, characters before it."""
    found = []
    for length in range(1, lengths + 1):
        begin, inside, end = OF_SIZE[min(length, len(OF_SIZE)) - 1]
        for shift in range(length):
            found.append((begin if shift == 0 else end if shift == length - 1 else inside, length, shift))
    return found


def _embed(lexicon: Lexicon, tables: WordTables, words: Var) -> Var:
    """Return the embedded features, `(batch, length, lexicon_embedding_size)`, of the words over each character."""
    width = lexicon.config.lexicon_token_length
    over = _over(len(tables.widths))
    of_place = np.zeros((len(PLACES), len(over)), dtype=np.float32)
    of_place[[place for place, _, _ in over], range(len(over))] = 1
    classes = tables.rows.shape[1]
    found = op.matmul(op.const(of_place), op.gather(op.const(tables.rows), words))
    found = op.min([found, op.const(1.0, np.float32)])
    # (batch, characters, places, classes) -> (batch, length, characters of a token, marks)
    marks = op.reshape(found, op.concat([size(words, 0), ints(-1, width, len(PLACES) * classes)], axis=0))
    marks = op.reduce_max(marks, ints(2), keepdims=0) if width > 1 else op.squeeze(marks, ints(2))
    projected = op.matmul(marks, weight(array_of(lexicon.projection.weight).T))
    return op.relu(op.add(projected, weight(array_of(lexicon.projection.bias))))
