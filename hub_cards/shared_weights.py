"""Let a graph find its weights in the file of the saved model beside it, so that a folder holds them once.

A safetensors file is a header and then the numbers of one tensor after another, which ONNX can refer to as external
data by their place. What the graph has in another order, such as the gates of an LSTM, is put together from pieces;
runtimes do so once, when they load it. What the file does not hold stays in the graph.
"""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import onnx
from onnx import TensorProto

PROBE = 2048
"""How many bytes are looked for at once; tensors that are smaller stay in the graph."""


class Piece(NamedTuple):
    """Some bytes of a tensor.

    Args:
        start: Where they begin in the tensor.
        end: Where they end.
        place: Where they begin in the file; `None` if they are not there.
    """

    start: int
    end: int
    place: int | None


def share_weights(graph: onnx.ModelProto, weights: Path) -> None:
    """Replace what a file of weights holds in a graph by its place there.

    Args:
        graph: The graph, which is to lie beside the file.
        weights: The file.
    """
    stored = weights.read_bytes()
    nodes = []
    for tensor in [each for each in graph.graph.initializer if len(each.raw_data) >= PROBE]:
        pieces = find_pieces(tensor.raw_data, stored, np.dtype(onnx.helper.tensor_dtype_to_np_dtype(tensor.data_type)))
        if all(piece.place is None for piece in pieces):
            continue
        graph.graph.initializer.remove(tensor)
        if len(pieces) == 1:
            graph.graph.initializer.append(_stored(tensor, pieces[0], weights.name, list(tensor.dims), tensor.name))
            continue
        names = [f"{tensor.name}_{index}" for index in range(len(pieces))]
        size = len(tensor.raw_data) // int(np.prod(tensor.dims))
        for name, piece in zip(names, pieces):
            flat = [(piece.end - piece.start) // size]
            graph.graph.initializer.append(_stored(tensor, piece, weights.name, flat, name))
        shape = onnx.numpy_helper.from_array(np.array(tensor.dims, dtype=np.int64), f"{tensor.name}_shape")
        graph.graph.initializer.append(shape)
        nodes.append(onnx.helper.make_node("Concat", names, [f"{tensor.name}_flat"], axis=0))
        nodes.append(onnx.helper.make_node("Reshape", [f"{tensor.name}_flat", shape.name], [tensor.name]))
    others = list(graph.graph.node)
    del graph.graph.node[:]
    graph.graph.node.extend([*nodes, *others])  # in an order in which they can be computed


def find_pieces(wanted: bytes, stored: bytes, dtype: "np.dtype[np.generic]") -> list[Piece]:
    """Return the pieces of which a tensor consists, as long as can be found, in their order.

    Args:
        wanted: The bytes of the tensor.
        stored: The bytes of the file.
        dtype: The type of its numbers, which are whole in each piece.
    """
    of_wanted, of_stored = np.frombuffer(wanted, np.uint8), np.frombuffer(stored, np.uint8)
    pieces: list[Piece] = []
    start = done = 0
    while start < len(wanted):
        probe = wanted[start : start + PROBE]
        place = stored.find(probe) if len(probe) == PROBE else -1
        while place >= 0 and place % dtype.itemsize:
            place = stored.find(probe, place + 1)
        if place < 0:
            start = min(start + PROBE, len(wanted))
            continue
        reach = min(len(wanted) - start, len(stored) - place)
        alike = _alike(of_wanted[start : start + reach], of_stored[place : place + reach])
        before = _alike(of_wanted[done:start][::-1], of_stored[max(0, place - (start - done)) : place][::-1])
        alike, before = (count - count % dtype.itemsize for count in (alike, before))
        if start - before > done:
            pieces.append(Piece(done, start - before, None))
        pieces.append(Piece(start - before, start + alike, place - before))
        start = done = start + alike
    if done < len(wanted):
        pieces.append(Piece(done, len(wanted), None))
    return pieces


def _alike(first: np.ndarray, second: np.ndarray) -> int:
    """Return how many bytes two stretches have in common from their beginning on."""
    length = min(len(first), len(second))
    others = np.flatnonzero(first[:length] != second[:length])
    return int(others[0]) if len(others) else length


def _stored(tensor: TensorProto, piece: Piece, file: str, dims: list[int], name: str) -> TensorProto:
    """Return a piece of a tensor as one of its own."""
    made = TensorProto(name=name, data_type=tensor.data_type, dims=dims)
    if piece.place is None:
        made.raw_data = tensor.raw_data[piece.start : piece.end]
        return made
    made.data_location = TensorProto.EXTERNAL
    where = {"location": file, "offset": piece.place, "length": piece.end - piece.start}
    for key, value in where.items():
        made.external_data.add(key=key, value=str(value))
    return made
