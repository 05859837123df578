import json
from pathlib import Path

import pytest
from datasets import DatasetDict
from support.klue_name_lines import described

from malmoi.benchmarks import marked_names
from malmoi.data.alignment import Span
from malmoi.data.tagged_dataset import bio_labels, tagged_dataset

TEXT = "이천 SK가 왔다."


def test_answers_are_compared_with_the_names_of_the_corpus(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    tags = ["B-LC", "I-LC", "O", "B-OG", "I-OG", *"O" * 6]
    dev = tagged_dataset([{"id": "0", "text": TEXT, "tags": tags}], bio_labels(["LC", "OG"]))
    answers = {"poor": [Span(0, 2, "OG")], "good": [Span(0, 2, "LC"), Span(3, 5, "OG"), Span(7, 8, "OG")]}
    for kind, names in answers.items():
        (tmp_path / kind).write_text(f"{described('0', TEXT, names)}\n", encoding="utf-8")
    monkeypatch.setattr(marked_names, "read_data", lambda data_dir: DatasetDict(validation=dev))
    monkeypatch.setattr(marked_names, "ANSWERS", {kind: tmp_path / kind for kind in answers})
    marked_names.main(["--data_dir", "klue", "--output_dir", str(tmp_path)])
    assert "Agreement with the names of KLUE" in capsys.readouterr().out
    poor, good = json.loads((tmp_path / "marked_names.json").read_text(encoding="utf-8"))["rows"]
    assert poor == {
        **{"names": "poor", "sentences": 1, "names in KLUE": 2},
        **{"entity_f1": 0.0, "precision": 0.0, "recall": 0.0},
    }
    assert (good["entity_f1"], good["precision"], good["recall"]) == (80.0, 66.67, 100.0)


def test_the_sentences_are_those_of_dev_and_no_training() -> None:
    files = [file.read_text(encoding="utf-8").splitlines() for file in marked_names.ANSWERS.values()]
    ids = [{line.split("\t")[0] for line in lines if not line.startswith("#")} for lines in files]
    assert ids[0] == ids[1]
    assert len(ids[0]) == 80
    assert not any(name in marked_names.MARKED.read_text(encoding="utf-8") for name in ids[0])
