"""What an engine adds must be told apart from start-up, and a price from what was measured."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow.parquet
import pytest
from support.engines import require_engine

from malmoi.benchmarks import cluster
from malmoi.benchmarks.cluster import Measured, Meter, Spent, cost_rows, measure, speed_rows, write_texts
from malmoi.benchmarks.cluster_engines import ENGINES, PLAIN, Job, alone
from malmoi.data.user_error import UserError

BUSY = "import time\nwhile time.process_time() < 1: pass\ntime.sleep({rest})"


def test_sentences_lie_in_as_many_files_once(tmp_path: Path) -> None:
    sentences = [f"{number}" for number in range(103)]
    texts = write_texts(sentences, tmp_path, share=0.1, files=4)
    assert texts.counts == (10, 103)
    assert texts.difference == 93
    for folder, count in zip((texts.few, texts.many), texts.counts):
        assert len(list(folder.iterdir())) == 4
        assert pyarrow.parquet.read_table(folder)["text"].to_pylist() == sentences[:count]


def test_the_time_of_processes_that_have_ended_counts() -> None:
    with Meter() as meter:
        before = meter.spent()
        subprocess.run([sys.executable, "-c", BUSY.format(rest=1.5)], check=True)
        passed = meter.spent().since(before)
    assert 0.9 < passed.processor < 2
    assert passed.clock > 2.4


def test_ways_take_turns_and_start_up_is_told_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now, order = [0.0], []

    def way(name: str, each: float) -> object:
        @contextmanager
        def start(model: str | None, workers: int) -> Iterator[Job]:
            order.append(name)
            now[0] += 7  # to start

            def job(source: Path, target: Path) -> None:
                assert not target.exists()
                target.mkdir()
                now[0] += each * pyarrow.parquet.read_table(source).num_rows

            yield job

        return start

    monkeypatch.setattr(cluster, "ENGINES", {"malmoi alone": way("malmoi alone", 1.0), "other": way("other", 1.5)})
    monkeypatch.setattr(Meter, "spent", lambda self: Spent(now[0], 2 * now[0]))
    texts = write_texts(["가"] * 20, tmp_path, share=0.2, files=2)
    measured = measure(texts, None, workers=1, rounds=2, folder=tmp_path)
    assert order == ["malmoi alone", "other", "other", "malmoi alone"]
    assert measured["other"] == [Measured(Spent(13, 26), Spent(24, 48))] * 2
    row = speed_rows(measured, texts.difference)[1]
    assert row["way"] == "other"
    assert row["processor time"].median == row["time on the clock"].median == 1.5  # type: ignore[attr-defined]
    assert row["sentences per second of processor"].median == pytest.approx(2 / 3)  # type: ignore[attr-defined]
    with pytest.raises(UserError, match="`--rounds` must be at least 1, got 0"):
        measure(texts, None, workers=1, rounds=0, folder=tmp_path)


def test_costs_are_core_hours_times_what_the_reader_pays() -> None:
    measured = {"way": [Measured(Spent(1, 1), Spent(2, 3))] * 2, PLAIN: [Measured(Spent(1, 1), Spent(1, 1))] * 2}
    row, _ = cost_rows(speed_rows(measured, 2000), cores=[100], prices=[0.05])
    assert row["core hours"] == pytest.approx(277.78, abs=0.01)
    assert row["hours on 100 cores"] == pytest.approx(2.7778, abs=0.0001)
    assert row["at 0.05 per core hour"] == pytest.approx(13.89, abs=0.01)


def test_too_few_sentences_are_an_error() -> None:
    with pytest.raises(UserError, match="`--sentences` must be at least 80, got 79"):
        cluster.main(["--sentences", "79"])


@pytest.mark.long
def test_processes_alone_tag_every_file(tmp_path: Path) -> None:
    texts = write_texts(["손흥민은 춘천에서 태어났다."] * 50, tmp_path, share=0.1, files=2)
    with alone(None, 1) as job:
        job(texts.many, tmp_path / "names")
    found = pyarrow.parquet.read_table(tmp_path / "names")["entities"].to_pylist()
    assert [[entity["text"] for entity in entities] for entities in found] == [["손흥민", "춘천"]] * 50


@pytest.mark.long
@pytest.mark.engines
def test_tables_are_printed_and_written(tmp_path: Path) -> None:
    for package in ("ray", "pyspark"):
        require_engine(package)
    flags = ["--sentences", "80", "--rounds", "1", "--price", "0.03", "--output_dir", str(tmp_path)]
    command = [sys.executable, "-m", "malmoi.benchmarks.cluster", *flags]
    result = subprocess.run(command, capture_output=True, text=True, timeout=600)
    assert result.returncode == 0, result.stderr
    assert "core hours = 10^9 / sentences per second of processor / 3600" in result.stdout
    written = json.loads((tmp_path / "cluster.json").read_text(encoding="utf-8"))
    assert [row["way"] for row in written["rows"]] == list(ENGINES)
    assert [row["way"] for row in written["settings"]["costs"]] == list(ENGINES)
