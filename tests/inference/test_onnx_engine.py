"""Exported models compute as their models do, and say in one sentence what is wrong with a folder."""

import copy
import json
import pickle
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from support.exported_models import HARD_TEXTS, export_tiny, tiny_classifier
from support.tiny_models import save, tiny_spacing_bilstm
from transformers import PreTrainedTokenizerFast

from malmoi.data.user_error import UserError
from malmoi.inference import onnx_engine
from malmoi.inference.classifier import Classifier
from malmoi.inference.onnx_engine import OnnxEngine
from malmoi.inference.spacer import Spacer
from malmoi.inference.tagger import Tagger
from malmoi.models import FOLDER

LONGEST = 24


@pytest.fixture
def exported(saved_model: Path, tmp_path: Path) -> Path:
    return export_tiny(saved_model, tmp_path / "exported")


def set_keys(path: Path, **values: object) -> None:
    path.write_text(json.dumps({**json.loads(path.read_text(encoding="utf-8")), **values}), encoding="utf-8")


@pytest.mark.parametrize("limit", [None, LONGEST])
def test_a_tagger_answers_as_its_model(saved_model: Path, exported: Path, limit: int | None) -> None:
    if limit is not None:
        for folder in (saved_model, exported):
            set_keys(folder / "tokenizer_config.json", model_max_length=limit)
    ours, theirs = Tagger(exported), Tagger(saved_model)
    assert ours.max_length == theirs.max_length == limit
    assert ours.labels == theirs.labels
    assert ours.engine.name_temperature == theirs.engine.name_temperature == 1
    assert ours.engine.windows(HARD_TEXTS) == theirs.engine.windows(HARD_TEXTS)
    assert ours.engine.rows(HARD_TEXTS) == theirs.engine.rows(HARD_TEXTS)
    for batch_size in (1, 32):
        found, expected = ours(HARD_TEXTS, batch_size=batch_size), theirs(HARD_TEXTS)
        assert [[name[:3] for name in names] for names in found] == [
            [name[:3] for name in names] for names in expected
        ]
    assert any(found)
    batches = [[[5, 6, 7]], [[2], [3, 4, 5, 1, 0, 2]]]
    for one, other in zip(ours.engine.score_tokens(batches), theirs.engine.score_tokens(batches), strict=True):
        width = len(batches[0][0])
        np.testing.assert_array_equal(one.predictions[:, :1], other.predictions[:, :1])
        for mine, their in zip(one[1:], other[1:]):
            assert mine.dtype == np.float32
            np.testing.assert_allclose(mine[-1, :width], their[-1, :width], atol=1e-4)
    chain, expected_chain = ours.engine.chain(), theirs.engine.chain()
    assert chain is not None
    assert expected_chain is not None
    for mine, their in zip(chain, expected_chain):
        assert mine.dtype == np.float64
        np.testing.assert_allclose(mine, their, rtol=1e-6)


def test_a_spacer_answers_as_its_model(tmp_path: Path, syllable_tokenizer: PreTrainedTokenizerFast) -> None:
    saved = save(tmp_path / "saved", tiny_spacing_bilstm(syllable_tokenizer), syllable_tokenizer)
    ours, theirs = Spacer(export_tiny(saved, tmp_path / "exported")), Spacer(saved)
    assert ours(HARD_TEXTS) == theirs(HARD_TEXTS)


@pytest.mark.parametrize("side", ["left", "right"])
def test_a_classifier_answers_as_its_model(
    side: str, tmp_path: Path, syllable_tokenizer: PreTrainedTokenizerFast
) -> None:
    saved = tiny_classifier(tmp_path / "saved", syllable_tokenizer, longest=LONGEST)
    set_keys(saved / "tokenizer_config.json", truncation_side=side)
    ours, theirs = Classifier(export_tiny(saved, tmp_path / "exported")), Classifier(saved)
    assert ours.engine.rows(HARD_TEXTS) == theirs.engine.rows(HARD_TEXTS)
    found, expected = ours(HARD_TEXTS), theirs(HARD_TEXTS)
    assert [each.label for each in found] == [each.label for each in expected]
    assert [each.cut for each in found] == [each.cut for each in expected] == [False] * 7 + [True]
    for one, other in zip(found, expected):
        assert one.scores == pytest.approx(other.scores, abs=1e-4)
    assert ours.engine.chain() is None


def test_special_tokens_around_a_text_stay_when_it_is_cut(
    tmp_path: Path, wordpiece_tokenizer: PreTrainedTokenizerFast
) -> None:
    saved = tiny_classifier(tmp_path / "saved", wordpiece_tokenizer, longest=LONGEST)
    ours, theirs = Classifier(export_tiny(saved, tmp_path / "exported")), Classifier(saved)
    assert ours.engine.rows(HARD_TEXTS) == theirs.engine.rows(HARD_TEXTS)
    assert ours.engine.windows(HARD_TEXTS) == theirs.engine.windows(HARD_TEXTS)


def test_batches_are_answered_side_by_side_as_alone(exported: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tagger = Tagger(exported)
    monkeypatch.setattr(onnx_engine, "processors", lambda: 1)
    alone = tagger(HARD_TEXTS, batch_size=1)
    monkeypatch.setattr(onnx_engine, "processors", lambda: 3)
    assert tagger(HARD_TEXTS, batch_size=1) == alone


def test_a_folder_of_both_kinds_runs_on_what_is_asked_for(saved_model: Path, exported: Path) -> None:
    shutil.copyfile(exported / "model.onnx", saved_model / "model.onnx")
    assert Tagger(saved_model).on_torch
    assert Tagger(saved_model, engine="torch").on_torch
    assert not Tagger(saved_model, engine="onnx").on_torch
    assert not Tagger(exported).on_torch
    assert Tagger(exported, device="cpu")("").__class__ is list
    with pytest.raises(UserError, match=r"^An exported model has no model of transformers; load the folder that it"):
        _ = Tagger(exported).tokenizer


def test_options_that_an_exported_model_has_not(saved_model: Path, exported: Path) -> None:
    for options, told in (
        ({"bf16": True}, "bf16"),
        ({"device": "cuda:1"}, "device cuda:1"),
        ({"words": {"PS": ["가"]}, "bf16": True}, "words and bf16"),
    ):
        with pytest.raises(UserError, match=f"an exported model runs on the CPU as it is, without {told}; load the f"):
            Tagger(exported, **options)  # type: ignore[arg-type]
    with pytest.raises(UserError, match=r"^`engine` must be torch or onnx, got 'tf'\.$"):
        Tagger(exported, engine="tf")
    with pytest.raises(UserError, match=r"saved: expected the folder of an exported model, with a model\.onnx in it"):
        Tagger(saved_model, engine="onnx")


def test_without_the_runtime_it_says_what_to_install(exported: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(onnx_engine, "find_spec", lambda name: None)
    with pytest.raises(UserError, match=r"an exported model needs ONNX Runtime; install it by pip install 'malmoi\["):
        Tagger(exported)


def damage_chain(written: str) -> Callable[[Path], None]:
    def damage(folder: Path) -> None:
        graph = onnx.load(folder / "model.onnx")
        [chain] = [each for each in graph.metadata_props if each.key == "malmoi_chain"]
        chain.value = written
        onnx.save(graph, folder / "model.onnx")

    return damage


def without(name: str) -> Callable[[Path], None]:
    return lambda folder: (folder / name).unlink()


def with_text(name: str, text: str) -> Callable[[Path], Any]:
    return lambda folder: (folder / name).write_text(text, encoding="utf-8")


def with_key(name: str, key: str, value: object) -> Callable[[Path], None]:
    return lambda folder: set_keys(folder / name, **{key: value})


FAULTS: list[tuple[Callable[[Path], Any], str]] = [
    (without("config.json"), r"config\.json: there is no such file, so the folder holds no exported model\."),
    (without("tokenizer.json"), r"tokenizer\.json: there is no such file"),
    (without("tokenizer_config.json"), r"tokenizer_config\.json: there is no such file"),
    (with_text("config.json", "{"), r"config\.json: expected a JSON object"),
    (with_text("tokenizer.json", "{}"), r"tokenizer\.json: the file is damaged \("),
    (with_text("model.onnx", "no graph"), r"model\.onnx: the file is damaged, or no graph that can be run \("),
    (lambda folder: (folder / "model.onnx").write_bytes((folder / "model.onnx").read_bytes()[:-99]), "is damaged"),
    (with_key("config.json", "id2label", {"0": "O", "1": "B-PS", "2": "I-PS"}), r"it names 3 labels, but the graph h"),
    (with_key("config.json", "id2label", {"0": "x", "2": "y"}), r"expected `id2label` to give each number from 0 on"),
    (with_key("config.json", "id2label", {"0": "LABEL_0", "1": "B-PS"}), r"config\.json: the labels follow no scheme"),
    (with_key("config.json", "malmoi_task", "summary"), r"expected `malmoi_task` to be one of named-entities, word-"),
    (
        with_key("config.json", "malmoi_task", "word-spacing"),
        r"this is a model for word-spacing|expected the labels B",
    ),
    (with_key("config.json", "max_position_embeddings", "many"), r"expected a number of tokens for `max_position_emb"),
    (
        with_key("config.json", "name_temperature", 0),
        r"`name_temperature` in config\.json must be a number from 0\.001 to 1000, got '0'",
    ),
    (with_key("tokenizer_config.json", "model_max_length", "x"), r"tokenizer_config\.json: expected a whole number"),
    (damage_chain("[]"), r"model\.onnx: the scores of its CRF are damaged \("),
    (damage_chain('{"start": [0], "transitions": [[0]], "end": [0]}'), r"the scores of its CRF are for 1 labels, not"),
]


@pytest.mark.parametrize(("damage", "told"), FAULTS)
def test_a_fault_of_a_folder_is_one_sentence(damage: Callable[[Path], Any], told: str, exported: Path) -> None:
    damage(exported)
    with pytest.raises(UserError, match=told) as raised:
        Tagger(exported)
    assert "\n" not in str(raised.value)


def test_a_model_for_another_task(exported: Path) -> None:
    with pytest.raises(UserError, match="this is a model for named-entities; use `malmoi tag`, or `Tagger` in Python"):
        Spacer(exported)


def test_tokens_that_the_graph_does_not_know(exported: Path) -> None:
    engine = OnnxEngine(exported)
    with pytest.raises(UserError, match=r"model\.onnx: it cannot take tokens of tokenizer\.json \("):
        engine.score_tokens([[[10_000]]])


def test_a_graph_for_another_task_is_refused(
    exported: Path, tmp_path: Path, syllable_tokenizer: PreTrainedTokenizerFast
) -> None:
    saved = tiny_classifier(tmp_path / "classifier", syllable_tokenizer, longest=LONGEST)
    classifier = export_tiny(saved, tmp_path / "other")
    shutil.copyfile(classifier / "model.onnx", exported / "model.onnx")
    with pytest.raises(
        UserError, match="expected a graph from input_ids and attention_mask to predictions, marginals"
    ):
        Tagger(exported)


@pytest.mark.parametrize("made_anew", [copy.deepcopy, lambda tagger: pickle.loads(pickle.dumps(tagger))])
def test_a_copy_answers_alike_also_elsewhere(
    made_anew: Callable[[Tagger], Tagger], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(FOLDER)
    tagger = Tagger("named-entities", engine="onnx")
    monkeypatch.chdir(tmp_path)
    text = "손흥민은 춘천에서 태어났다."
    assert made_anew(tagger)(text) == tagger(text) != []
