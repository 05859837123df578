"""One vector for a text, from the states of its tokens, as `modeling/modeling_bilstm.py` pools them."""

import numpy as np
import spox.opset.ai.onnx.v18 as op
from spox import Var

from malmoi.export.constants import array_of, ints, weight
from malmoi.modeling.modeling_bilstm import AttentionPooling, MaxPooling

LOWEST = float(np.finfo(np.float32).min)
"""Not minus infinity: a text without tokens would become not-a-number."""


def pool(layer: AttentionPooling | MaxPooling, hidden: Var, mask: Var) -> Var:
    """Return one vector per text, `(batch, hidden_size)`; 0 for a text without tokens.

    Args:
        layer: What pools.
        hidden: Hidden states, `(length, batch, hidden_size)`.
        mask: Which positions hold a token, `(length, batch)`.
    """
    inside = op.unsqueeze(mask, ints(2))
    lowest, nothing = op.const(LOWEST, np.float32), op.const(0.0, np.float32)
    if isinstance(layer, MaxPooling):
        greatest = op.reduce_max(op.where(inside, hidden, lowest), ints(0), keepdims=0)
        return op.where(op.greater(greatest, lowest), greatest, nothing)
    scores = op.matmul(op.tanh(hidden), weight(array_of(layer.query.weight).T))
    weights = op.where(inside, op.softmax(op.where(inside, scores, lowest), axis=0), nothing)
    return op.reduce_sum(op.mul(weights, hidden), ints(0), keepdims=0)
