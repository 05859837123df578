"""Every size, draw and way to begin is one training, and its figures are those of its report."""

import json
from pathlib import Path
from typing import Any

import pytest

from malmoi.benchmarks import few_sentences
from malmoi.data.user_error import UserError


@pytest.fixture
def trainings(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What would be trained; F1 grows with the number of sentences, and with a body."""
    asked: list[dict[str, Any]] = []

    def train(recipe: str, **given: Any) -> dict[str, Any]:
        asked.append({"recipe": recipe, **given})
        figure = given["train_fraction"] / 2 + 0.1 * ("model_name_or_path" in given) + given["seed"] / 100
        return {"figures": {"entity_f1": figure}, "seconds_total": 10.0 * given["seed"]}

    monkeypatch.setattr(few_sentences, "train", train)
    monkeypatch.setattr(few_sentences, "_count", lambda recipe, data_dir: 1000)
    return asked


def test_a_row_for_every_size_and_way_to_begin(
    tmp_path: Path, trainings: list[dict[str, Any]], capsys: pytest.CaptureFixture[str]
) -> None:
    sizes = ["--sizes", "100", "1000", "--draws", "2", "--threads", "1"]
    few_sentences.main(["--data_dir", "klue", "--body", "a-body", *sizes, "--output_dir", str(tmp_path)])
    assert [(given["train_fraction"], given["seed"]) for given in trainings] == [
        (0.1, 1), (0.1, 1), (0.1, 2), (0.1, 2), (1.0, 1), (1.0, 1), (1.0, 2), (1.0, 2)
    ]  # fmt: skip
    assert [given.get("model_name_or_path") for given in trainings] == [None, "a-body"] * 4
    rows = json.loads((tmp_path / "few_sentences.json").read_text(encoding="utf-8"))["rows"]
    assert [(row["sentences"], row["begun"], row["entity_f1"]) for row in rows] == [
        (100, "from scratch", 6.5), (100, "from the body", 16.5),
        (1000, "from scratch", 51.5), (1000, "from the body", 61.5),
    ]  # fmt: skip
    assert rows[0]["of each draw"] == [6.0, 7.0]
    assert rows[0]["training, seconds"] == 15.0
    assert (tmp_path / "few_sentences.png").read_bytes().startswith(b"\x89PNG")
    assert "from the body" in capsys.readouterr().out


def test_more_sentences_than_there_are(trainings: list[dict[str, Any]]) -> None:
    with pytest.raises(UserError, match="from 1 to 1000, got 1001"):
        few_sentences.main(["--data_dir", "klue", "--body", "a-body", "--sizes", "1001", "--threads", "1"])
    assert not trainings
