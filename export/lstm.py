"""The layers of a bidirectional LSTM, without packing: the operator itself stops where a sentence ends."""

import numpy as np
import spox.opset.ai.onnx.v18 as op
from spox import Var
from torch import nn

from malmoi.export.constants import Array, array_of, ints, weight

GATES = (0, 3, 1, 2)
"""Where torch has the gates that ONNX wants as input, output, forget, cell."""


def run_lstm(lstm: nn.LSTM, inputs: Var, lengths: Var) -> Var:
    """Return hidden states, `(length, batch, hidden_size)`, 0 behind the end of a sentence.

    Args:
        lstm: The layers, of both directions.
        inputs: What it reads, `(length, batch, input_size)`.
        lengths: Length of each sentence, int32, `(batch,)`.
    """
    for layer in range(lstm.num_layers):
        of_inputs, of_states = (weight(_both(lstm, f"{name}_l{layer}")) for name in ("weight_ih", "weight_hh"))
        biases = np.concatenate([_both(lstm, f"{name}_l{layer}") for name in ("bias_ih", "bias_hh")], axis=1)
        states, _, _ = op.lstm(
            inputs,
            of_inputs,
            of_states,
            op.constant(value=biases),
            lengths,
            direction="bidirectional",
            hidden_size=lstm.hidden_size,
        )
        # (length, direction, batch, size) -> (length, batch, both)
        inputs = op.reshape(op.transpose(states, perm=(0, 2, 1, 3)), ints(0, 0, 2 * lstm.hidden_size))
    return inputs


def _both(lstm: nn.LSTM, name: str) -> Array:
    """Return the weights of both directions with their gates in the order of ONNX, `(2, 4 * hidden_size, ...)`."""
    directions = [array_of(getattr(lstm, name + suffix)) for suffix in ("", "_reverse")]
    return np.stack([np.concatenate([np.split(each, 4)[gate] for gate in GATES]) for each in directions])
