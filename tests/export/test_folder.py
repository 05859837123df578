"""What an export leaves: a whole folder, or none."""

import json
from pathlib import Path

import onnxruntime
import pytest
import torch
import yaml
from support.tiny_graphs import classifier, tagger
from support.tiny_models import bert_tokenizer, save, tiny_bert_tagger
from transformers import PreTrainedModel, PreTrainedTokenizerFast

from malmoi.data.user_error import UserError
from malmoi.export import exported_model
from malmoi.export.exported_card import exported_card
from malmoi.export.exported_model import GRAPH, export_model
from malmoi.export.graph import build_graph
from malmoi.export.parity import Parity
from malmoi.inference.exported_folder import read_exported_folder

SENTENCES = ["손흥민은 춘천에서 태어났다.", "비", "그는 서울로 갔다!", ""]


@pytest.fixture
def saved(tmp_path: Path, syllable_tokenizer: PreTrainedTokenizerFast) -> Path:
    model = tagger(vocab_size=len(syllable_tokenizer))
    model.config.malmoi_task = "named-entities"
    folder = save(tmp_path / "model", model, syllable_tokenizer)
    (folder / "README.md").write_text("# 모델\n", encoding="utf-8")
    return folder


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_folder_holds_what_answers_and_no_code(saved: Path, tmp_path: Path) -> None:
    exported = export_model(saved, tmp_path / "new" / "onnx", sentences=SENTENCES)
    folder = tmp_path / "new" / "onnx"
    assert names(folder) == ["README.md", "config.json", GRAPH, "tokenizer.json", "tokenizer_config.json"]
    assert {name: (folder / name).stat().st_size for name in names(folder)} == exported.sizes
    assert exported.parity.sentences == 3  # the empty one has no tokens
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    assert config["malmoi_task"] == "named-entities"
    assert config["id2label"] == {"0": "B-PS", "1": "I-PS", "2": "B-LC", "3": "I-LC", "4": "O"}
    assert config["malmoi_max_length"] is None  # an LSTM reads any number of tokens
    assert "auto_map" not in config
    assert "custom_pipelines" not in config
    onnxruntime.InferenceSession(folder / GRAPH, providers=["CPUExecutionProvider"])
    assert names(tmp_path / "new") == ["onnx"]


@pytest.mark.parametrize("int8", [False, True])
def test_the_card_is_that_of_the_model_and_says_so(int8: bool) -> None:
    head = {"license": "mit", "library_name": "transformers", "model-index": [{"name": "a"}], "widget": ["가"]}
    card = exported_card(f"---\n{yaml.safe_dump(head, allow_unicode=True)}---\n\n# 모델\n\n---\n", int8=int8)
    _, written, body = card.split("---\n", 2)
    assert yaml.safe_load(written) == {"license": "mit", "library_name": "onnx", "widget": ["가"]}
    assert body.startswith("\n> This folder holds the graph that `malmoi export` made of the model below")
    assert body.endswith("\n\n# 모델\n\n---\n")
    assert ("weights of 8 bits" in body) == int8
    for without_head in ("# 모델\n", "---\n: : :\n---\n# 모델\n", "---\n# 모델\n"):
        assert exported_card(without_head, int8=int8).endswith(f"\n\n{without_head}")


def test_a_classifier_is_exported_too(tmp_path: Path, syllable_tokenizer: PreTrainedTokenizerFast) -> None:
    model = save(tmp_path / "model", classifier(vocab_size=len(syllable_tokenizer)), syllable_tokenizer)
    assert export_model(model, tmp_path / "onnx", sentences=SENTENCES).parity.answers == 3


def test_a_limit_counts_that_stands_under_no_other_name(saved: Path, tmp_path: Path) -> None:
    """GPT-2 has its limit as `n_positions`, which only its own class knows to be that."""
    export_model(saved, tmp_path / "onnx", sentences=SENTENCES)
    path = tmp_path / "onnx" / "config.json"
    assert read_exported_folder(path.parent, None).max_length is None
    config = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps(config | {"malmoi_max_length": 32}), encoding="utf-8")
    assert read_exported_folder(path.parent, None).max_length == 32


@pytest.mark.slow
def test_an_encoder_is_exported_with_its_limit(tmp_path: Path) -> None:
    tokenizer = bert_tokenizer()
    model = save(tmp_path / "model", tiny_bert_tagger(tokenizer, ["B-PS", "I-PS", "O"]), tokenizer)
    exported = export_model(model, tmp_path / "onnx", sentences=[*SENTENCES, "그는 서울로 갔다! " * 20])
    assert exported.parity.sentences == 5  # special tokens are tokens
    config = json.loads((tmp_path / "onnx" / "config.json").read_text(encoding="utf-8"))
    assert config["malmoi_max_length"] == 32
    assert config["malmoi_task"] == "named-entities"


@pytest.mark.slow
def test_what_torch_cannot_write_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise torch.onnx.errors.OnnxExporterError("no such operator\nand much more")

    monkeypatch.setattr(torch.onnx, "export", fail)
    with pytest.raises(UserError, match=r"torch knows no graph for BertForTokenClassification: no such operator$"):
        build_graph(tiny_bert_tagger(bert_tokenizer(), ["B-PS", "I-PS", "O"]))


@pytest.mark.slow
def test_what_torch_advises_its_developers_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise torch.onnx.errors.OnnxExporterError(
            "Failed to export. \x1b[96mThis is step 1/3\x1b[0m. Next steps:\n- ..."
        )

    monkeypatch.setattr(torch.onnx, "export", fail)
    with pytest.raises(UserError, match=r"no graph for BertForTokenClassification: Failed to export\.$"):
        build_graph(tiny_bert_tagger(bert_tokenizer(), ["B-PS", "I-PS", "O"]))


@pytest.mark.parametrize("int8", [False, True])
def test_a_folder_is_a_string_and_sentences_are_read_once(saved: Path, tmp_path: Path, int8: bool) -> None:
    exported = export_model(saved, str(tmp_path / "onnx"), sentences=iter(SENTENCES), int8=int8)
    assert exported.parity.sentences == 3
    assert GRAPH in names(tmp_path / "onnx")


@pytest.mark.parametrize("sentences", [[], [""]])
def test_a_graph_that_was_not_checked_is_not_written(saved: Path, tmp_path: Path, sentences: list[str]) -> None:
    with pytest.raises(UserError, match="no sentence on which the graph could be checked"):
        export_model(saved, tmp_path / "onnx", sentences=sentences)
    assert names(tmp_path) == ["model"]


def test_an_empty_folder_is_filled(saved: Path, tmp_path: Path) -> None:
    (tmp_path / "onnx").mkdir()
    export_model(saved, tmp_path / "onnx", sentences=SENTENCES)
    assert GRAPH in names(tmp_path / "onnx")


@pytest.mark.parametrize("kind", ["full", "file", "link"])
def test_what_is_there_is_left_alone(saved: Path, tmp_path: Path, kind: str) -> None:
    target = tmp_path / "onnx"
    if kind == "full":
        target.mkdir()
        (target / "mine.txt").touch()
    elif kind == "file":
        target.touch()
    else:
        (tmp_path / "elsewhere").mkdir()
        target.symlink_to(tmp_path / "elsewhere")
    before = names(tmp_path)
    with pytest.raises(UserError, match="expected a folder that does not exist, or is empty"):
        export_model(saved, target, sentences=SENTENCES)
    assert names(tmp_path) == before


def test_a_graph_that_answers_otherwise_is_not_written(
    saved: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def with_other_weights(model: PreTrainedModel, **_: object) -> object:
        with torch.no_grad():
            model.classifier.bias[0] += 1
        graph = build_graph(model)
        with torch.no_grad():
            model.classifier.bias[0] -= 1
        return graph

    monkeypatch.setattr(exported_model, "build_graph", with_other_weights)
    with pytest.raises(UserError, match="nothing was written, as the graph would answer otherwise"):
        export_model(saved, tmp_path / "onnx", sentences=SENTENCES)
    assert names(tmp_path) == ["model"]


def test_what_8_bits_change_is_told(saved: Path, tmp_path: Path) -> None:
    parity = export_model(saved, tmp_path / "onnx", sentences=SENTENCES, int8=True).parity
    assert parity.largest > 0
    assert isinstance(parity, Parity)
