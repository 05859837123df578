"""The measurement of the first answer runs, and says what a process took."""

from pathlib import Path

import pytest
from support.exported_models import export_tiny

from malmoi.benchmarks.measurement import Sample
from malmoi.benchmarks.start_up import measure, run_cold
from malmoi.data.user_error import UserError


@pytest.mark.long
def test_each_command_is_measured_with_torch_and_without(saved_model: Path, tmp_path: Path) -> None:
    rows = measure(1, export_tiny(saved_model, tmp_path / "exported"))
    commands = ["malmoi tag", "malmoi space", "malmoi classify"]
    assert [(row["command"], row["engine"]) for row in rows] == [
        *((command, "torch") for command in commands),
        *((command, "onnx") for command in commands),
        ("malmoi tag DIR", "onnx"),
    ]
    for row in rows:
        for name in ("seconds", "cpu_seconds", "megabytes"):
            value = row[name]
            assert isinstance(value, Sample)
            assert value.median > 0
        assert ("torch_takes" in row) == (row["engine"] == "onnx")


def test_a_command_that_fails_is_no_measurement() -> None:
    with pytest.raises(UserError, match=r"^malmoi tag x ended with 3\.$"):
        run_cold("raise SystemExit(3)", ["tag", "x"])
