"""Data in which nothing is found: what was left out of them is the reason, and the error says it."""

import json
from pathlib import Path

import pytest

from malmoi.data.readers import READERS
from malmoi.data.text_lines import DataFormatError

CANCELLED = {"data": {"text": "서울에 갔다."}, "annotations": [{"result": [], "was_cancelled": True}]}
OTHER_KIND = {
    "data": {"text": "서울에 갔다."},
    "annotations": [{"result": [{"type": "hypertextlabels", "value": {"start": 0, "end": 2}}]}],
}


@pytest.mark.parametrize(
    ("form", "task", "file", "row", "said"),
    [
        (
            *("label-studio", "named-entities", "train.json", CANCELLED),
            "expected texts with an annotation, found none; tasks without an annotation are left out: 2.",
        ),
        (
            *("label-studio", "named-entities", "train.json", OTHER_KIND),
            "expected names in the sentences, found none; results of the type hypertextlabels are not read: 2.",
        ),
        (
            *("label-studio", "sentence-classification", "train.json", OTHER_KIND),
            "expected texts with a choice, found none; results of the type hypertextlabels are not read: 2; tasks "
            "whose annotation has no choice are left out: 2.",
        ),
        (
            *("jsonl", "named-entities", "train.jsonl", {"text": "서울에", "answer": "reject"}),
            "expected texts, found none; rows whose `answer` is not accept are left out: 2.",
        ),
        (
            *("jsonl", "named-entities", "train.jsonl", {"text": "서울에", "names": [[0, 2, "LC"]]}),
            "expected names in the sentences, found none; rows without any of the fields entities, ents, spans, "
            "labels, label have no names: 2.",
        ),
        (
            *("nikl", "named-entities", "train.json", {"document": [{"sentence": [{"form": " "}, {"form": ""}]}]}),
            "expected sentences, found none; sentences with an empty form are left out: 4.",
        ),
    ],
)
def test_an_error_says_what_was_left_out(
    form: str, task: str, file: str, row: dict, said: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    rows = {"document": row["document"] * 2} if form == "nikl" else [row, row]
    lines = [rows] if form == "nikl" else rows
    (tmp_path / file).write_text("\n".join(json.dumps(line, ensure_ascii=False) for line in lines))
    with pytest.raises(DataFormatError) as refusal:
        READERS[form].read(tmp_path, **({"task": task} if len(READERS[form].tasks) > 1 else {}))
    assert str(refusal.value) == f"{tmp_path / file}: {said}"
    assert not caplog.messages  # it is said once
