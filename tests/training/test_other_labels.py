"""Taggers from elsewhere, whose labels are not those of the data, are evaluated by the names that they find."""

import json
from pathlib import Path

import pytest
from support.tiny_models import bert_tokenizer, knowing_bert_tagger, save

from malmoi.commands.evaluate import evaluate_model
from malmoi.data.user_error import UserError

LINES = ["<손흥민:PS>은 <춘천:LC>에서 태어났다.", "비가 와서 <서울:LC>로 갔다!", "<그는:PS> 집에 있었다 abc."]
NAMES = {"손": 0, "##흥": 1, "##민": 1, "춘": 2, "##천": 3, "서": 2, "##울": 3}
"""Which label each token has: it begins or continues a PS, or an LC."""
SCHEMES = {
    "BIO": ["B-PS", "I-PS", "B-LC", "I-LC"],
    "suffixes": ["PS-B", "PS-I", "LC-B", "LC-I"],
    "I alone": ["I-PS", "I-PS", "I-LC", "I-LC"],
    "bare": ["PS", "PS", "LC", "LC"],
    "BIOES": ["B-PS", "I-PS", "B-LC", "E-LC"],
}


def evaluate(tmp_path: Path, labels: list[str], capsys: pytest.CaptureFixture[str]) -> dict[str, float]:
    tokenizer = bert_tokenizer()
    label_of = {token: labels[number] for token, number in NAMES.items()}
    model = knowing_bert_tagger(tokenizer, [*dict.fromkeys(labels), "O"], label_of)
    evaluate_model(
        str(save(tmp_path / "model", model, tokenizer)),
        data_dir=tmp_path,
        reader="inline-marks",
        split="validation",
        batch_size=2,
        every_figure=True,
        as_json=True,
        trust_remote_code=False,
    )
    figures: dict[str, float] = json.loads(capsys.readouterr().out)["figures"]
    return figures


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    for name in ("train", "validation"):
        (tmp_path / f"{name}.txt").write_text("\n".join(LINES) + "\n", encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize("scheme", SCHEMES)
def test_the_names_that_are_found_count_whatever_the_labels_are(
    corpus: Path, scheme: str, capsys: pytest.CaptureFixture[str]
) -> None:
    figures = evaluate(corpus, SCHEMES[scheme], capsys)
    assert figures["entity_precision"] == 1
    assert figures["entity_recall"] == pytest.approx(3 / 4)
    assert figures["f1/LC"] == 1
    assert figures["recall/PS"] == pytest.approx(1 / 2)
    assert figures["loss"] > 0


def test_types_that_the_model_lacks_are_named(corpus: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(UserError, match=r"The data has the labels B-LC, I-LC, first in .*, which the model lacks"):
        evaluate(corpus, ["PS", "PS", "OG", "OG"], capsys)
