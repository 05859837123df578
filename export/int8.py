"""Weights of the LSTM and of linear layers as whole numbers of 8 bits: a smaller graph, and a faster one."""

import logging
import tempfile
from pathlib import Path

import onnx
from onnxruntime.quantization import QuantType, quantize_dynamic

QUANTIZED = ["LSTM"]
"""Operators whose weights are quantized; other products are small, or no products of weights."""


def quantize(graph: onnx.ModelProto) -> onnx.ModelProto:
    """Return a graph whose LSTM has weights of 8 bits, a scale for each matrix, and quantizes what it reads itself."""
    with tempfile.TemporaryDirectory() as folder:
        before, after = Path(folder) / "float32.onnx", Path(folder) / "int8.onnx"
        onnx.save(graph, before)
        logging.disable(logging.WARNING)  # it recommends a preparation that this graph does not need
        try:
            quantize_dynamic(before, after, op_types_to_quantize=QUANTIZED, weight_type=QuantType.QInt8)
        finally:
            logging.disable(logging.NOTSET)
        return onnx.load(after)
