"""From a finished run to a model of the package."""

import json
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from support.tiny_runs import train_body, train_demo

from malmoi.data.counted import counted
from malmoi.data.readers import read_splits
from malmoi.data.user_error import UserError
from malmoi.hub_cards import bundle as module
from malmoi.hub_cards.bundle import MOST_DIFFERENCE, bundle
from malmoi.hub_cards.bundled_reliability import MEASURED_ON, measure_reliability
from malmoi.hub_cards.usage import examples
from malmoi.inference.loading import LANGUAGE_MODEL, load_model
from malmoi.inference.tagger import Tagger
from malmoi.metrics.calibration import ERROR

pytestmark = pytest.mark.slow
TEXTS = ["손흥민은 춘천에서 태어났다.", "비가 왔다."]
CORPUS = """
name: sentences of a test
license: cc0-1.0
domain: sentences
weights_license: {license}
weights_license_name: not-for-all
weights_note: None.
"""


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory, marked_corpus: Path) -> Path:
    return train_demo(tmp_path_factory.mktemp("runs") / "demo", data_dir=marked_corpus)


def corpus(tmp_path: Path, license_of_weights: str = "apache-2.0") -> str:
    (tmp_path / "corpus.yaml").write_text(CORPUS.format(license=license_of_weights), encoding="utf-8")
    return str(tmp_path / "corpus.yaml")


def test_a_bundled_model_answers_as_its_run(finished: Path, tmp_path: Path) -> None:
    folder = bundle(finished, texts=TEXTS, corpus=corpus(tmp_path), output_dir=tmp_path / "made")
    assert {path.name for path in folder.iterdir()} == {
        *("README.md", "config.json", "model.onnx", "model.safetensors", "recipe.yaml", "report.json"),
        *("tokenizer.json", "tokenizer_config.json"),
    }
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    assert config["dtype"] == "float32"
    stored, trained = load_file(folder / "model.safetensors"), load_file(finished / "model.safetensors")
    assert stored.keys() == trained.keys()
    for name, tensor in stored.items():
        if "crf." in name or not trained[name].is_floating_point():
            assert torch.equal(tensor, trained[name])
        else:
            assert tensor.dtype == torch.float16
    for text in TEXTS:
        theirs = Tagger(finished)(text)
        for engine in ("torch", "onnx"):
            assert [entity[:3] for entity in Tagger(folder, engine=engine)(text)] == [each[:3] for each in theirs]
    card = (folder / "README.md").read_text(encoding="utf-8")
    assert "malmoi tag " in card
    assert "trust_remote_code" not in card
    # and once more, in its own place
    assert bundle(finished, corpus=corpus(tmp_path), output_dir=folder, half=False) == folder
    assert {tensor.dtype for tensor in load_file(folder / "model.safetensors").values()} == {torch.float32}
    assert [path.name for path in tmp_path.iterdir() if path.is_dir()] == ["made"]


def test_how_true_probabilities_are_is_measured_where_no_temperature_was_fitted(
    finished: Path, tmp_path: Path, marked_corpus: Path
) -> None:
    of_run = json.loads((finished / "report.json").read_text(encoding="utf-8"))
    assert of_run["reliability"]["names"] > 0
    folder = bundle(finished, corpus=corpus(tmp_path), output_dir=tmp_path / "made")
    before = (folder / "README.md").read_text(encoding="utf-8")
    error = measure_reliability(folder, marked_corpus, corpus=corpus(tmp_path))
    report = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    measured = report.pop("reliability")
    of_run.pop("reliability")
    assert report == of_run
    assert measured["measured_on"] == MEASURED_ON
    assert measured[ERROR] == error
    rows = read_splits("inline-marks", marked_corpus, task=Tagger.task)["validation"]
    found = Tagger(folder, engine="torch")([*rows["text"]][1::2])
    assert measured["names"] == sum(map(len, found))
    after = (folder / "README.md").read_text(encoding="utf-8")
    assert f"({MEASURED_ON}), the model finds {counted(measured['names'], 'name')} and calls" in after
    start, end = "## Probabilities", "## Training data"
    assert [after.partition(start)[0], after.partition(end)[2]] == [
        before.partition(start)[0],
        before.partition(end)[2],
    ]
    other = Path(shutil.copytree(marked_corpus, tmp_path / "other"))
    [file] = [path for path in other.iterdir() if path.stem.startswith(("dev", "valid"))]
    file.write_text("\n".join(file.read_text(encoding="utf-8").splitlines()[1:]), encoding="utf-8")
    with pytest.raises(UserError, match=r"its validation split is not the one that .*report\.json is about"):
        measure_reliability(folder, other, corpus=corpus(tmp_path))


def test_what_cannot_come_with_the_package(finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "made"
    with pytest.raises(UserError, match="Weights that are trained on KMOU NER have the licence kmou-ner-non-comm"):
        bundle(finished, corpus="kmou-ner", output_dir=target)
    with pytest.raises(UserError, match="sentences of a test have the licence not-for-all and cannot come with"):
        bundle(finished, corpus=corpus(tmp_path, "other"), output_dir=target)
    monkeypatch.setattr(module, "MOST_BYTES", 1000)
    with pytest.raises(UserError, match="bytes, more than the 1,000 of a model"):
        bundle(finished, corpus=corpus(tmp_path), output_dir=target)
    assert not target.exists()
    target.mkdir()
    with pytest.raises(UserError, match="expected no folder, or one that holds a model of the package"):
        bundle(finished, corpus=corpus(tmp_path), output_dir=target)


def test_half_precision_that_changes_an_answer_is_refused(finished: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    shutil.copytree(finished, run, ignore=shutil.ignore_patterns("checkpoint-*"))
    weights = load_file(run / "model.safetensors")
    labels = len(json.loads((run / "config.json").read_text(encoding="utf-8"))["id2label"])
    bias = next(name for name, tensor in weights.items() if tensor.shape == (labels,) and "crf." not in name)
    # nothing but scores that are zero in half precision
    for name in (bias, *(name for name in weights if "crf." in name)):
        weights[name] = torch.zeros_like(weights[name])
    scores = bias.replace("bias", "weight")
    weights[scores] = 1e-9 * torch.randn(weights[scores].shape, generator=torch.Generator().manual_seed(0))
    save_file(weights, run / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(UserError, match=r"in half precision \d+ of \d+ texts are answered otherwise"):
        bundle(run, texts=TEXTS, corpus=corpus(tmp_path), output_dir=tmp_path / "made")
    bundle(run, texts=TEXTS, corpus=corpus(tmp_path), output_dir=tmp_path / "made", half=False)


@pytest.fixture(scope="module")
def body(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return train_body(tmp_path_factory.mktemp("runs") / "body", TEXTS * 8)


@torch.no_grad()
def test_a_bundled_body_has_the_states_of_its_run(body: Path, tmp_path: Path) -> None:
    folder = bundle(body, corpus="open-korean-texts", output_dir=tmp_path / "made")
    stored, trained = load_file(folder / "model.safetensors"), load_file(body / "model.safetensors")
    assert stored.keys() == trained.keys()
    assert {tensor.dtype for tensor in stored.values()} == {torch.float16}
    (ours, tokenizer), (theirs, _) = (load_model(place, LANGUAGE_MODEL) for place in (folder, body))
    for text in TEXTS:
        encoded = tokenizer(text, return_tensors="pt")
        before, after = theirs(**encoded).last_hidden_state, ours(**encoded).last_hidden_state
        assert 0 < (before - after).abs().max() < MOST_DIFFERENCE
    card = (folder / "README.md").read_text(encoding="utf-8")
    assert "# The language model of malmoi" in card
    assert "malmoi train klue-ner-from-body --model_name_or_path bundled:language-model --reader inline-marks" in card
    assert "license: cc-by-sa-4.0" in card
    assert "trust_remote_code" not in card
    [example] = examples(card)
    assert "BiLstmModel.from_pretrained(place)" in example


@pytest.mark.parametrize(
    ("name", "factor", "told"),
    [
        ("embeddings.word_embeddings.weight", 1e7, "half precision cannot hold embeddings.word_embeddings.weight"),
        # so large that rounding alone moves states
        ("lstm.weight_ih_l0", 1e4, r"in half precision a hidden state of '.*' differs by \d\.\d{4}, more than the"),
    ],
)
def test_a_body_that_half_precision_cannot_hold_is_refused(
    name: str, factor: float, told: str, body: Path, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    shutil.copytree(body, run, ignore=shutil.ignore_patterns("checkpoint-*"))
    weights = load_file(run / "model.safetensors")
    weights[name] *= factor
    save_file(weights, run / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(UserError, match=told):
        bundle(run, corpus="open-korean-texts", output_dir=tmp_path / "made")
    assert not (tmp_path / "made").exists()
    bundle(run, texts=TEXTS, corpus="open-korean-texts", output_dir=tmp_path / "made", half=False)
