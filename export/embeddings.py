"""The embeddings of tokens and of hashed n-grams, as `modeling/bilstm.py` has them."""

import numpy as np
import spox.opset.ai.onnx.v18 as op
from spox import Var

from malmoi.export.constants import array_of, ints, number, part, rows
from malmoi.modeling.bilstm import NgramEmbeddings
from malmoi.modeling.lexicon import HASH_MODULUS, HASH_MULTIPLIER


def embed(embeddings: NgramEmbeddings, input_ids: Var) -> list[Var]:
    """Return the embeddings of tokens and of the n-grams that end there, each `(length, batch, size)`.

    Args:
        embeddings: The layer.
        input_ids: Token ids, `(length, batch)`.
    """
    parts = [rows(array_of(embeddings.word_embeddings.weight), input_ids)]
    for size, table in zip(embeddings.ngram_sizes, embeddings.ngram_embeddings):
        buckets = op.mod(_hash(input_ids, size), number(embeddings.ngram_vocab_size))
        parts.append(rows(array_of(table.weight), buckets))  # type: ignore[arg-type]
    return parts


def _hash(input_ids: Var, size: int) -> Var:
    """Return the hash of the n-gram that ends at each position, `(length, batch)`; before the text stands -1."""
    begun = op.pad(input_ids, ints(size - 1, 0, 0, 0), number(-1))
    hashed = None
    for shift in range(size):
        ids = op.add(part(begun, shift, shift - size + 1 or None, axis=0), number(2))
        summed = ids if hashed is None else op.add(hashed, ids)
        hashed = op.mod(op.mul(summed, op.const(HASH_MULTIPLIER, np.int64)), number(HASH_MODULUS))
    assert hashed is not None
    return hashed
