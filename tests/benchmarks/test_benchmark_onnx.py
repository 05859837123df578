"""The measurement of exported taggers."""

import json
from pathlib import Path

import pytest

from malmoi.benchmarks import onnx


@pytest.mark.long
def test_four_ways_are_timed_and_their_names_counted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    onnx.main(["--single", "2", "--sentences", "33", "--rounds", "2", "--threads", "1", "--output_dir", str(tmp_path)])
    rows = json.loads((tmp_path / "onnx.json").read_text(encoding="utf-8"))["rows"]
    timed = [row for row in rows if "model call" in row]
    assert [(row["model call"], row["batch"]) for row in timed] == [
        (name, batch) for batch in (1, 32) for name in (onnx.PYTORCH, onnx.PLAIN, onnx.FLOAT32, onnx.INT8)
    ]
    assert all(row["a sentence"]["median"] > 0 for row in timed)
    assert timed[0]["as fast as PyTorch"]["median"] == 1
    named = {row["model"]: row for row in rows if "model" in row}
    assert named[onnx.FLOAT32]["other tags than PyTorch"] == 0
    assert named[onnx.FLOAT32]["entity F1, %"] == named[onnx.PYTORCH]["entity F1, %"] > 50
    # a sure model may have the same tags in eight bits; that its numbers are others is tested with the graph
    assert named[onnx.INT8]["other tags than PyTorch"] < 0.01 * named[onnx.INT8]["tags"]
    assert "Names of the validation set" in capsys.readouterr().out
