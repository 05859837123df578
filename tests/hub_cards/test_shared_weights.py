"""A graph that refers to the weights beside it computes what the whole graph does."""

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.property_tests import examples

from malmoi.hub_cards.shared_weights import PROBE, Piece, find_pieces, share_weights

NUMBERS = np.random.default_rng(0)
STORED = NUMBERS.integers(0, 256, 8 * PROBE, dtype=np.uint8).tobytes()
OTHERS = NUMBERS.integers(0, 256, 8 * PROBE, dtype=np.uint8).tobytes()


@settings(max_examples=examples(100))
@given(
    parts=st.lists(
        st.tuples(st.booleans(), st.integers(0, 3 * PROBE), st.integers(0, 4 * PROBE)), min_size=1, max_size=5
    ),
    dtype=st.sampled_from(["u1", "<f2", "<i4"]),
)
def test_pieces_make_up_the_whole(parts: list[tuple[bool, int, int]], dtype: str) -> None:
    size = np.dtype(dtype).itemsize
    wanted = b"".join(
        (STORED if known else OTHERS)[start * size : start * size + length * size] for known, start, length in parts
    )
    pieces = find_pieces(wanted, STORED, np.dtype(dtype))
    ends = [0, *(piece.end for piece in pieces)]
    assert [piece.start for piece in pieces] == ends[:-1]
    assert ends[-1] == len(wanted)
    for start, end, place in pieces:
        assert start < end
        assert (end - start) % size == 0
        if place is not None:
            assert place % size == 0
            assert STORED[place : place + end - start] == wanted[start:end]
    # what is long enough is found
    if len(parts) == 1 and parts[0][0] and len(wanted) >= PROBE:
        assert pieces == [Piece(0, len(wanted), parts[0][1] * size)]


def test_a_graph_computes_the_same_from_the_file_beside_it(tmp_path: Path) -> None:
    rows = NUMBERS.normal(size=(8, 2000)).astype(np.float16)
    words = np.arange(3000, dtype=np.int32)[::-1].copy()
    own = NUMBERS.normal(size=(2, 2000)).astype(np.float16)
    (tmp_path / "model.safetensors").write_bytes(b"head" + rows.tobytes() + words.tobytes())
    tensors = {
        "whole": words,
        "in_another_order": rows[[3, 0, 1, 7]].reshape(2, 2, 2000),
        "with_more": np.concatenate([own, rows[:2]]),
        "elsewhere": own,
        "small": np.ones(3, dtype=np.float16),
    }
    graph = onnx.helper.make_model(
        onnx.helper.make_graph(
            [onnx.helper.make_node("Identity", [name], [f"out_{name}"]) for name in tensors],
            "graph",
            [],
            [
                onnx.helper.make_tensor_value_info(
                    f"out_{name}", onnx.helper.np_dtype_to_tensor_dtype(array.dtype), array.shape
                )
                for name, array in tensors.items()
            ],
            [onnx.numpy_helper.from_array(array, name) for name, array in tensors.items()],
        ),
        opset_imports=[onnx.helper.make_opsetid("", 18)],
        ir_version=9,
    )
    share_weights(graph, tmp_path / "model.safetensors")
    kept = sum(
        len(tensor.raw_data) for tensor in graph.graph.initializer if tensor.data_type != onnx.TensorProto.INT64
    )
    assert kept == 2 * own.nbytes + tensors["small"].nbytes
    (tmp_path / "model.onnx").write_bytes(graph.SerializeToString())
    found = onnxruntime.InferenceSession(tmp_path / "model.onnx", providers=["CPUExecutionProvider"]).run(None, {})
    for output, expected in zip(found, tensors.values(), strict=True):
        np.testing.assert_array_equal(output, expected)


@pytest.mark.parametrize("length", [0, 1, PROBE - 1])
def test_what_is_shorter_than_what_is_looked_for_stays(length: int) -> None:
    expected = [Piece(0, length, None)] if length else []
    assert find_pieces(STORED[:length], STORED, np.dtype("u1")) == expected
