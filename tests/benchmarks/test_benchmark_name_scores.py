import json
from pathlib import Path

import pytest
from datasets import Dataset, DatasetDict
from support.marked_lines import TRAIN_LINES

from malmoi.benchmarks import name_scores
from malmoi.data.readers import read_splits
from malmoi.inference.loading import load_model
from malmoi.reports.name_reliability import AnsweredSentences


@pytest.fixture
def dev(tmp_path: Path) -> Dataset:
    """Sentences with many names."""
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "train.txt").write_text("<손흥민:PS>은 왔다.\n", encoding="utf-8")
    (folder / "validation.txt").write_text("\n".join(TRAIN_LINES * 80) + "\n", encoding="utf-8")
    return read_splits("inline-marks", folder, task="named-entities")["validation"]


def test_three_scores_are_measured_on_the_same_names(
    saved_model: Path,
    dev: Dataset,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(name_scores, "read_data", lambda data_dir: DatasetDict(validation=dev))
    arguments = ["--data_dir", "klue", "--models", str(saved_model), "--threads", "1", "--output_dir", str(tmp_path)]
    name_scores.main(arguments)
    assert "How true scores of names are" in capsys.readouterr().out
    mean, exact, cooled = json.loads((tmp_path / "name_scores.json").read_text(encoding="utf-8"))["rows"]
    assert cooled["score"].startswith("the same, temperature ")
    assert mean["names"] == exact["names"] == cooled["names"] > 50
    assert mean["right, %"] == exact["right, %"] == cooled["right, %"]
    assert exact["mean, %"] < mean["mean, %"]
    assert cooled["log-loss"] < exact["log-loss"]


def test_the_mean_over_tokens_is_that_of_the_labels_of_the_name(saved_model: Path, dev: Dataset) -> None:
    answered = AnsweredSentences(load_model(str(saved_model), "named-entities"), dev.select(range(24)), batch_size=4)
    measured = [score for score, _ in name_scores.means_over_tokens(answered)]
    assert measured
    means = iter(measured)
    for names, answer in zip(answered.found(), answered.answers):
        for span, _ in names:
            scores = [
                score
                for score, (start, end) in zip(answer.scores, answer.offsets)
                if span.start <= start and end <= span.end
            ]
            assert next(means) == pytest.approx(sum(scores) / len(scores))
    assert next(means, None) is None
