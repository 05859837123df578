"""What reading in pieces changes is counted, and a process of its own says what a text costs."""

import json
from pathlib import Path

import pytest

from malmoi.benchmarks import documents
from malmoi.benchmarks.documents import TINY, Sizes, compare_contexts, long_text, measure_memory
from malmoi.data.user_error import UserError


def test_a_text_is_one_line_of_the_length_that_is_asked_for(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("비가 온다\n\n집에 있다\n", encoding="utf-8")
    assert long_text(tmp_path, 11) in ("비가 온다 집에 있다", "집에 있다 비가 온다")
    assert len(long_text(tmp_path, 40)) == 40
    assert "\n" not in long_text(None, 1000)
    with pytest.raises(UserError, match=r"expected files of text \(\.txt, \.txt\.xz\)"):
        long_text(tmp_path / "none", 10)


def test_with_more_context_less_differs() -> None:
    rows = list(compare_contexts(long_text(None, 1500), Sizes(contexts=(2, 150))))
    assert [(row["answers"], row["context"]) for row in rows] == [
        (task, context) for task in ("names", "spaces") for context in (2, 150)
    ]
    for little, more in (rows[:2], rows[2:]):
        assert little["differ"] > more["differ"]
        assert little["labels differ"] > more["labels differ"]
        assert little["probability differs by at most"] > more["probability differs by at most"]


@pytest.mark.long
def test_it_measures_everything(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    documents.main(["--tiny", "--rounds", "1", "--threads", "1", "--output_dir", str(tmp_path)])
    rows = json.loads((tmp_path / "documents.json").read_text(encoding="utf-8"))["rows"]
    memory = [row for row in rows if row["table"] == "Peak memory"]
    assert [(row["engine"], row["answers"], row["characters"]) for row in memory] == [
        (engine, task, characters)
        for engine in ("torch", "onnx")
        for task in ("names", "spaces", "class")
        for characters in TINY.memory
    ]
    with_torch, without = (
        [row["peak memory, MiB"] for row in memory if row["engine"] == name] for name in ("torch", "onnx")
    )
    assert min(with_torch) > 300 > max(without) > min(without) > 50
    assert "whole/pieces" in capsys.readouterr().out


def test_a_process_that_fails_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(documents.sys, "executable", "false")
    with pytest.raises(RuntimeError, match="names of 500 characters failed"):
        next(measure_memory("가", TINY, threads=1))
