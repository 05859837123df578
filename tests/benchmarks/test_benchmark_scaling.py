"""What grows must grow, and what a process held before is no part of its cost."""

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from malmoi.benchmarks import scaling, scaling_work
from malmoi.benchmarks.scaling_work import CANDIDATES, Cost, Shape, costs, costs_apart


@pytest.mark.parametrize("name", CANDIDATES)
def test_every_candidate_can_be_repeated(name: str) -> None:
    work = CANDIDATES[name](Shape(2, 5, 3))
    work()
    work()


def test_costs_are_those_of_this_process_from_the_smallest_on() -> None:
    found = costs({"candidate": "CRF, pytorch-crf", "shapes": [(2, 400, 4), (2, 4, 4)], "threads": 1})
    assert [type(cost) for cost in found] == [Cost, Cost]
    assert 0 < found[0].seconds < found[1].seconds
    assert 0 <= found[0].mebibytes <= found[1].mebibytes


@pytest.mark.long
def test_memory_is_that_of_a_process_of_its_own() -> None:
    shapes = [(8, 64, 4), (64, 512, 32)]
    small, large = costs_apart({"candidate": "CRF, pytorch-crf", "shapes": shapes, "threads": 1})
    # a graph of 512 steps, each with (64, 32, 32) numbers of four bytes
    assert large.mebibytes > 512 * 64 * 32 * 32 * 4 / scaling_work.MIB
    assert small.mebibytes < 0.1 * large.mebibytes


def test_a_process_that_fails_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    failed = subprocess.CompletedProcess([], 1, stdout="", stderr="KeyError: 'nobody'")
    monkeypatch.setattr(scaling_work.subprocess, "run", lambda *args, **options: failed)
    with pytest.raises(RuntimeError, match=r"'nobody', 'shapes': .* failed: KeyError: 'nobody'"):
        costs_apart({"candidate": "nobody", "shapes": [], "threads": 1})


def test_a_row_for_every_size_and_candidate(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def at_once(request: Mapping[str, Any]) -> list[Cost]:
        return [
            Cost(float(number), 10.0 * number) for number in range(len(request.get("shapes") or request["counts"]))
        ]

    monkeypatch.setattr(scaling, "costs_apart", at_once)
    monkeypatch.setattr(scaling, "SENTENCES_OF_TAGGER", 4)
    scaling.main(["--tiny", "--rounds", "1", "--threads", "1", "--output_dir", str(tmp_path)])
    rows = json.loads((tmp_path / "scaling.json").read_text(encoding="utf-8"))["rows"]
    shapes = [shape for shapes in scaling.TINY.shapes.values() for shape in shapes]
    assert len(rows) == len(shapes) * len(CANDIDATES) + len(scaling.TINY.trained) + len(scaling.TINY.tagged)
    assert [row["peak memory, MiB"] for row in rows[-2:]] == [0.0, 10.0]
    assert rows[-1]["time"]["median"] == 1.0
    assert rows[-1]["time per unit"]["median"] == 1 / 8
    assert (tmp_path / "scaling.png").read_bytes()[1:4] == b"PNG"
    assert "what grows" in capsys.readouterr().out


@pytest.mark.long
def test_the_corpus_is_trained_on_and_tagged_in_processes_of_their_own(tmp_path: Path) -> None:
    rows = list(scaling.measure_corpus(scaling.TINY, None, threads=1))
    assert [(row["what is done"], row["to"]) for row in rows] == [
        ("training, an epoch", 8),
        ("tagging", 4),
        ("tagging", 8),
    ]
