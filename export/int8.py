"""Weights of the LSTM as whole numbers of 8 bits: a smaller graph, and a faster one."""

import logging
import tempfile
from pathlib import Path

import numpy as np
import onnx
from onnx import numpy_helper
from onnxruntime.quantization import QuantType, quantize_dynamic

from malmoi.data.user_error import UserError

QUANTIZED = "LSTM"
"""The operator whose weights are quantized: nearly all of the arithmetic."""


def quantize(graph: onnx.ModelProto) -> onnx.ModelProto:
    """Return a graph whose LSTM has weights of 8 bits, with a scale for each matrix, and quantizes what it reads.

    Raises:
        UserError: If the graph has no LSTM.
    """
    if not any(node.op_type == QUANTIZED for node in graph.graph.node):
        raise UserError("--int8 is for models with an LSTM, which this one does not have.")
    with tempfile.TemporaryDirectory() as folder:
        before, after = Path(folder) / "float32.onnx", Path(folder) / "int8.onnx"
        onnx.save(_with_plain_weights(graph), before)
        disabled = logging.root.manager.disable
        logging.disable(max(disabled, logging.WARNING))  # it recommends a preparation that this graph does not need
        try:
            quantize_dynamic(before, after, op_types_to_quantize=[QUANTIZED], weight_type=QuantType.QInt8)
        finally:
            logging.disable(disabled)
        quantized = onnx.load(after)
    quantized.ir_version = graph.ir_version
    del quantized.metadata_props[:]
    quantized.metadata_props.extend(graph.metadata_props)
    return quantized


def _with_plain_weights(graph: onnx.ModelProto) -> onnx.ModelProto:
    """Return a copy of a graph in which the weights of the LSTM are stored in float32."""
    copy = onnx.ModelProto()
    copy.CopyFrom(graph)
    stored = {tensor.name: tensor for tensor in copy.graph.initializer}
    casts = {node.output[0]: node for node in copy.graph.node if node.op_type == "Cast"}
    for node in [node for node in copy.graph.node if node.op_type == QUANTIZED]:
        for name in node.input:
            if name in casts and casts[name].input[0] in stored:
                weights = numpy_helper.to_array(stored[casts[name].input[0]]).astype(np.float32)
                copy.graph.initializer.append(numpy_helper.from_array(weights, name))
                copy.graph.initializer.remove(stored[casts[name].input[0]])
                copy.graph.node.remove(casts[name])
    return copy
