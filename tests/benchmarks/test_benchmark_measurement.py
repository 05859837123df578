"""Times must be compared within a round, and results must be the same file for the same numbers."""

import io
import json
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from malmoi.benchmarks.benchmark_data import data_flags, read_data, take, typical
from malmoi.benchmarks.measurement import (
    Elapsed,
    Ratio,
    Timing,
    installed_versions,
    machine,
    machine_line,
    print_table,
    ratio,
    set_threads,
    time_alternately,
    write_results,
)
from malmoi.data.user_error import UserError
from malmoi.reports import processor


class Clock:
    """A clock that stands still until somebody works."""

    def __init__(self) -> None:
        self.now = 0.0

    def work(self, name: str, seconds: float, calls: list[str]) -> Callable[[], None]:
        def do() -> None:
            calls.append(name)
            self.now += seconds

        return do


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    stopped = Clock()
    monkeypatch.setattr(time, "perf_counter", lambda: stopped.now)
    return stopped


def test_candidates_take_turns_and_every_other_round_goes_backwards(clock: Clock) -> None:
    calls: list[str] = []
    candidates = {name: clock.work(name, seconds, calls) for name, seconds in (("a", 1.0), ("b", 3.0))}
    timings = time_alternately(candidates, rounds=3, warmup=2)
    assert calls == ["a", "a", "b", "b", "a", "b", "b", "a", "a", "b"]
    assert list(timings) == ["a", "b"]
    assert timings["a"].seconds == [1.0] * 3
    assert timings["b"].seconds == [3.0] * 3


def test_a_candidate_may_take_its_own_time(clock: Clock) -> None:
    timing = time_alternately({"a": lambda: Elapsed(0.5), "b": lambda: 0.5}, rounds=2)
    assert timing["a"].seconds == [0.5, 0.5]
    assert timing["b"].seconds == [0.0, 0.0]


def test_at_least_one_round_and_one_thread_must_be_asked_for() -> None:
    with pytest.raises(UserError, match="`rounds` must be at least 1, got 0"):
        time_alternately({"a": int}, rounds=0)
    with pytest.raises(UserError, match="`--threads` must be at least 1, got 0"):
        set_threads(0)


def test_a_slow_moment_of_the_machine_does_not_change_the_ratio() -> None:
    ours, peer = Timing((1.0, 10.0, 1.0)), Timing((4.0, 40.0, 4.0))
    assert ratio(peer, ours).values == (4.0, 4.0, 4.0)
    assert str(ratio(peer, ours)) == "4x (4–4)"
    with pytest.raises(ValueError, match="shorter"):
        ratio(peer, Timing((1.0,)))


@given(st.lists(st.floats(1e-6, 1e6), min_size=1, max_size=9))
def test_median_and_quartiles_are_those_of_numpy(values: list[float]) -> None:
    timing = Timing(tuple(values))
    found = [timing.low, timing.median, timing.high]
    assert found == pytest.approx(np.percentile(values, (25, 50, 75)).tolist())


def test_times_become_times_of_one_thing_and_rates() -> None:
    timing = Timing((2.0, 4.0))
    assert timing.per(8).seconds == [0.25, 0.5]
    assert timing.rate(8).values == (4.0, 2.0)
    assert str(timing.per(1000)) == "3 (2.5–3.5) ms"


def test_results_are_whole_files_with_few_digits(tmp_path: Path) -> None:
    rows = [{"what": "tagging", "time": Timing((1 / 3, 2 / 3)), "ratio": Ratio((2.0,)), "goal": None}]
    settings = {"rounds": 2, "folder": Path("sub"), "sizes": (1, 2.00004)}
    first = write_results("speed", settings, rows, tmp_path / "new").read_bytes()
    assert write_results("speed", settings, rows, tmp_path / "new").read_bytes() == first
    results = json.loads(first)
    assert list(results) == ["benchmark", "machine", "settings", "rows"]
    assert results["settings"] == {"rounds": 2, "folder": "sub", "sizes": [1, 2.0]}
    assert results["rows"] == [
        {
            "what": "tagging",
            "time": {"median": 0.5, "low": 0.4167, "high": 0.5833},
            "ratio": {"median": 2.0, "low": 2.0, "high": 2.0},
            "goal": None,
        }
    ]
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["speed.json"]


def test_a_table_has_a_column_for_every_key_and_empty_cells_where_a_row_lacks_it() -> None:
    console = Console(file=io.StringIO(), width=40)
    print_table([{"what": "a", "ratio": Ratio((1234.5,))}, {"what": "b", "goal": 4}], title="Speed", console=console)
    assert isinstance(console.file, io.StringIO)
    lines = console.file.getvalue().splitlines()
    assert lines[0].strip() == "Speed"
    cells = [[cell.strip() for cell in line.strip("┃│").replace("┃", "│").split("│")] for line in lines if "│" in line]
    assert cells == [["a", "1,234x (1,234–1,234)", ""], ["b", "", "4"]]
    assert all(name in lines[2] for name in ("what", "ratio", "goal"))


def test_the_machine_is_described_with_what_is_installed() -> None:
    facts = machine()
    assert facts["torch"] == torch.__version__
    assert facts["torch_threads"] == torch.get_num_threads()
    assert facts["pytorch-crf"] == "0.7.2"
    assert facts["cpu"]
    assert installed_versions(["torch", "no-such-package"]) == {"torch": torch.__version__}
    assert f"{facts['cpu_count']} cores, 1 threads" in machine_line()
    assert f"torch {torch.__version__}" in machine_line()


def test_the_processor_is_named_where_the_system_has_no_list_of_them(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(processor, "PROCESSORS", tmp_path / "none")
    assert machine()["cpu"]


def test_few_items_stand_for_all_by_their_lengths() -> None:
    lengths = [(7 * number) % 100 for number in range(100)]
    few = typical(range(100), lengths, 10)
    assert sorted(lengths[number] for number in few) == [5, 15, 25, 35, 45, 55, 65, 75, 85, 95]
    assert few == typical(range(100), lengths, 10)
    assert sorted(typical("abc", [1, 2, 3], 9)) == ["a", "b", "c"]


def test_sentences_are_drawn_and_repeated_where_there_are_too_few() -> None:
    dataset = read_data(None)["validation"]
    drawn = take(dataset, 250)["id"]
    assert len(drawn) == 250
    assert len(set(drawn[:100])) == 100
    assert drawn[:50] == drawn[100:150] == take(dataset, 50)["id"]
    assert data_flags(None) == ["--reader", "inline-marks"]
    assert data_flags(Path("klue")) == ["--data_dir", "klue"]


def test_a_folder_without_training_sentences_is_refused(tmp_path: Path) -> None:
    (tmp_path / "klue-ner-v1.1_dev.tsv").write_text("## a\t<손:PS>\n손\tB-PS\n", encoding="utf-8")
    with pytest.raises(UserError, match="there is no training file"):
        read_data(tmp_path)
