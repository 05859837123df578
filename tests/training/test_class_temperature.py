"""The temperature of the probabilities of classes: fitted on half of the texts, measured on the others, and kept."""

import json
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.exported_models import export_tiny
from support.tiny_models import SENTENCES, bert_tokenizer, save, tiny_bert_classifier

from malmoi.commands.evaluate import evaluate_model
from malmoi.data.user_error import UserError
from malmoi.inference.classifier import Classifier
from malmoi.inference.engine import tempered
from malmoi.metrics.calibration import ERROR
from malmoi.service.served_models import find_models, load_served_model

OPTIONS: dict[str, Any] = {"reader": "labelled-texts", "split": "validation", "batch_size": 32, "every_figure": False}
CLASSES = ["나쁨", "보통", "좋음"]
RIGHT = 0.7


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A classifier that is too sure of itself."""
    tokenizer = bert_tokenizer()
    network = tiny_bert_classifier(tokenizer)
    network.classifier.weight.data *= 4
    return save(tmp_path / "saved", network, tokenizer)


@pytest.fixture
def data(tmp_path: Path, model: Path) -> Path:
    """Texts to seven in ten of which it gives the right class."""
    chance = random.Random(0)
    words = sorted({word for sentence in SENTENCES for word in sentence.split()})
    texts = [" ".join(chance.choices(words, k=chance.randint(1, 6))) for _ in range(240)]
    lines = []
    for text, found in zip(texts, Classifier(model)(texts)):
        others = [name for name in CLASSES if name != found.label]
        lines.append(f"{found.label if chance.random() < RIGHT else chance.choice(others)}\t{text}")
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "train.txt").write_text("".join(f"{name}\t글 {name}\n" for name in CLASSES), encoding="utf-8")
    (folder / "validation.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


def evaluated(model: Path | str, data: Path, capsys: pytest.CaptureFixture[str], **options: Any) -> dict[str, Any]:
    capsys.readouterr()
    evaluate_model(str(model), data_dir=data, **OPTIONS, as_json=True, trust_remote_code=False, **options)
    report: dict[str, Any] = json.loads(capsys.readouterr().out)
    return report


def test_a_temperature_is_fitted_measured_and_written(
    model: Path, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    exact = Classifier(model)(SENTENCES)
    before = json.loads((model / "config.json").read_text(encoding="utf-8"))
    plain = evaluated(model, data, capsys)
    assert plain["reliability"]["texts"] == 240
    assert plain["reliability"]["right"] == plain["figures"]["accuracy"]
    report = evaluated(model, data, capsys, fit_temperature=True)
    fitted = report["temperature"]
    assert fitted["kept"] is True
    assert fitted["class_temperature"] > 1.5
    assert fitted[f"{ERROR}_after"] < fitted[f"{ERROR}_before"]
    assert (fitted["fitted_on_texts"], fitted["measured_on_texts"]) == (120, 120)
    after = json.loads((model / "config.json").read_text(encoding="utf-8"))
    assert after == {**before, "class_temperature": fitted["class_temperature"]}
    # the figures are those of the model as it is now
    now = evaluated(model, data, capsys)["reliability"]
    assert report["reliability"] == now
    assert now[ERROR] < plain["reliability"][ERROR]
    for name in plain["definitions"]:
        assert report["figures"][name] == plain["figures"][name]
    again = evaluated(model, data, capsys, fit_temperature=True)["temperature"]
    assert again["class_temperature"] == pytest.approx(fitted["class_temperature"], rel=0.01)
    # whatever answers with the model divides by it, once
    expected = tempered(np.array([[*found.scores.values()] for found in exact]), again["class_temperature"])
    exported = export_tiny(model, tmp_path / "exported")
    [source] = find_models([str(model)], trust_remote_code=False)
    for answers in (
        Classifier(model)(SENTENCES),
        Classifier(exported)(SENTENCES),
        [*load_served_model(source).answer(SENTENCES, None)],
    ):
        assert [found.label for found in answers] == [found.label for found in exact]
        np.testing.assert_allclose([[*found.scores.values()] for found in answers], expected, atol=1e-4)
        assert [found.score for found in answers] == [found.scores[found.label] for found in answers]


def test_it_is_that_of_the_smallest_loss(model: Path, data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    temperature = evaluated(model, data, capsys, fit_temperature=True)["temperature"]["class_temperature"]
    config = json.loads((model / "config.json").read_text(encoding="utf-8"))
    (model / "config.json").write_text(json.dumps({**config, "class_temperature": 1.0}), encoding="utf-8")
    rows = [line.split("\t") for line in (data / "validation.txt").read_text(encoding="utf-8").splitlines()][::2]
    answers = Classifier(model)([text for _, text in rows])
    scores = np.log([[*found.scores.values()] for found in answers])
    gold = [CLASSES.index(name) for name, _ in rows]

    def loss(temperature: float) -> float:
        each = scores / temperature
        return float((np.log(np.exp(each).sum(1)) - each[np.arange(len(gold)), gold]).mean())

    assert loss(temperature) <= min(map(loss, np.geomspace(0.2, 20, 400))) + 1e-5


def test_it_is_said(model: Path, data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    evaluate_model(str(model), data_dir=data, **OPTIONS, as_json=False, trust_remote_code=False, fit_temperature=True)
    said = capsys.readouterr().out
    temperature = json.loads((model / "config.json").read_text(encoding="utf-8"))["class_temperature"]
    assert (
        f"Temperature {temperature:g} was fitted on 120 texts; for the 120 texts of the other half, {ERROR} goes"
        in said
    )
    assert f"It is written into {model / 'config.json'} as `class_temperature`." in said
    assert "Probabilities of classes, in % (expected_calibration_error" in said
    assert "Right is a text with the class of the data" in " ".join(said.split())


def test_what_cannot_be_fitted_is_said(model: Path, data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = (model / "config.json").read_bytes()
    (data / "validation.txt").write_text("좋음\t비가\n" * 99, encoding="utf-8")
    with pytest.raises(UserError, match="needs at least 50 texts in each half of the data, but there are only 49"):
        evaluated(model, data, capsys, fit_temperature=True)
    assert (model / "config.json").read_bytes() == before


@pytest.mark.parametrize("temperature", [0, -1, "warm", True, None])
def test_a_temperature_that_is_none_is_refused(model: Path, temperature: object) -> None:
    config = json.loads((model / "config.json").read_text(encoding="utf-8"))
    (model / "config.json").write_text(json.dumps({**config, "class_temperature": temperature}), encoding="utf-8")
    with pytest.raises(
        UserError, match=r"`class_temperature` in config.json must be a number from 0.001 to 1000, got"
    ):
        Classifier(model)
