"""The measurements must run, and what they compare must differ in nothing but the setting."""

import subprocess
import sys

import pytest
import torch

from malmoi.benchmarks import memory
from malmoi.benchmarks.memory import (
    MAX_LENGTH,
    SETTINGS,
    Measurement,
    collate,
    make_texts,
    measure_apart,
    table_row,
)


def run(*flags: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "malmoi.benchmarks.memory", "--hidden", "64", "--steps", "2", *flags]
    return subprocess.run(command, capture_output=True, text=True, timeout=300)


def test_all_settings_but_the_first_see_as_many_texts_in_a_step() -> None:
    assert {number: setting.texts_per_step for number, setting in SETTINGS.items()} == {
        1: 2,
        **dict.fromkeys(range(2, 7), 32),
    }


def test_texts_are_the_same_every_time_and_as_long_as_announced() -> None:
    texts = make_texts(2000)
    lengths = [len(ids) for ids in texts["input_ids"]]
    assert texts["input_ids"][:] == make_texts(2000)["input_ids"][:]
    assert lengths[0] == max(lengths) == MAX_LENGTH
    assert min(lengths) == 3
    assert 19 < sum(lengths) / len(lengths) < 22


def test_texts_are_padded_to_the_longest_or_as_asked() -> None:
    rows = [{"input_ids": [5, 6], "labels": 0}, {"input_ids": [7], "labels": 1}]
    batch = collate(rows, padded_length=None)
    assert batch["input_ids"].tolist() == [[5, 6], [7, 0]]
    assert batch["attention_mask"].tolist() == [[1, 1], [1, 0]]
    assert batch["labels"].tolist() == [0, 1]
    assert collate(rows, padded_length=4)["input_ids"].shape == torch.Size([2, 4])


def test_times_are_given_relative_to_the_reference_by_step_and_by_text() -> None:
    row = table_row(1, Measurement(2.0, 3.0), Measurement(9.0, 4.0))
    assert row == "| 1 | padded to 512, batch 2 | 2 | 2.00 | 3.00 | 0.75 | 12.00 |"


@pytest.mark.slow
def test_a_table_is_printed_and_what_does_not_fit_is_skipped() -> None:
    result = run("--settings", "2", "6", "--max_memory", "2.5")
    assert result.returncode == 0, result.stderr
    machine, _, header, _, *rows = result.stdout.splitlines()
    assert f"torch {torch.__version__}" in machine
    assert header.startswith("| | setting | texts per step | peak GiB | seconds per step | relative to 3 |")
    assert rows[0] == "| 2 | padded to 512, batch 32 | 32 | skipped: over 2.5 GiB | | | |"
    assert rows[1].endswith("| 1.00 | 1.00 |")
    assert [row[:4] for row in rows] == ["| 2 ", "| 3 ", "| 6 "]
    assert all(float(row.split("|")[4]) > 0.1 for row in rows[1:])


@pytest.mark.slow
def test_a_reference_that_does_not_fit_ends_the_measurement() -> None:
    result = run("--settings", "3", "--max_memory", "1.2")
    assert result.returncode == 1
    assert "Setting 3, to which the others are compared, needs more than 1.2 GiB." in result.stderr


def test_another_failure_is_not_taken_for_missing_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    failed = subprocess.CompletedProcess([], 1, stdout="", stderr="ValueError: no such optimizer")
    monkeypatch.setattr(memory.subprocess, "run", lambda *args, **options: failed)
    with pytest.raises(RuntimeError, match="Setting 3 failed: ValueError: no such optimizer"):
        measure_apart(3, steps=1, hidden_size=64, max_memory=1.0)
