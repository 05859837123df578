"""Answers as columns: one row for each text, nulls for nulls, and one sentence for what does not fit."""

import sys
from importlib import import_module
from pathlib import Path

import pyarrow as pa
import pytest
import torch
from support.engines import save_tagger
from support.tiny_models import bert_tokenizer, save, tiny_bert_classifier, tiny_spacing_bilstm
from transformers import PreTrainedTokenizerFast

from malmoi.data.user_error import UserError
from malmoi.inference.answer_rows import COLUMNS, ENTITY, ModelChoice, RowAnswerer, check_columns
from malmoi.inference.classifier import Classification, Classifier
from malmoi.inference.loading import CLASSES
from malmoi.inference.models_by_task import TEXT_MODELS
from malmoi.inference.spacer import Spacer
from malmoi.inference.tagger import Entity, Tagger

TEXTS = ["손흥민은 춘천에서 태어났다.", None, "", "비가 와서 집에 있었다."]


def test_columns_are_named_as_the_answers_are() -> None:
    assert ENTITY.names == list(Entity._fields)
    assert {*COLUMNS["sentence-classification"].names} < {*Classification._fields}
    assert {task: model.__name__ for task, model in TEXT_MODELS.items()} == CLASSES
    assert COLUMNS.keys() == TEXT_MODELS.keys()


def test_every_text_gets_its_names_and_null_gets_null(tmp_path: Path) -> None:
    tagger = save_tagger(tmp_path / "tagger")
    rows = RowAnswerer(ModelChoice(str(tagger)), threads=1)(TEXTS)
    found = iter(Tagger(tagger)([text for text in TEXTS if text is not None]))
    expected = [None if text is None else [entity._asdict() for entity in next(found)] for text in TEXTS]
    assert rows.schema == COLUMNS["named-entities"]
    assert rows["entities"].to_pylist() == expected
    assert [entity["text"] for entity in expected[0] or []] == ["손흥민", "춘천"]
    assert expected[1:3] == [None, []]


def test_every_text_gets_its_spaces(tmp_path: Path, syllable_tokenizer: PreTrainedTokenizerFast) -> None:
    folder = save(tmp_path / "spacer", tiny_spacing_bilstm(syllable_tokenizer), syllable_tokenizer)
    rows = RowAnswerer(ModelChoice(str(folder), "word-spacing"), threads=1)(TEXTS)
    spaced = [None if text is None else Spacer(folder)(text).text for text in TEXTS]
    assert rows.to_pylist() == [{"spaced": text} for text in spaced]


def test_every_text_gets_its_class(tmp_path: Path) -> None:
    folder = save(tmp_path / "classifier", tiny_bert_classifier(bert_tokenizer()), bert_tokenizer())
    rows = RowAnswerer(ModelChoice(str(folder), "sentence-classification"), threads=1)(TEXTS).to_pylist()
    assert rows[1] == {"label": None, "score": None, "cut": None}
    for text, row in zip(TEXTS, rows):
        if text is not None:
            found = Classifier(folder)(text)
            assert row == {"label": found.label, "score": pytest.approx(found.score, abs=1e-5), "cut": found.cut}


def test_no_rows_are_columns_without_rows(saved_model: Path) -> None:
    assert RowAnswerer(ModelChoice(str(saved_model)), threads=1)([]).schema == COLUMNS["named-entities"]


def test_what_is_no_text_is_an_error(saved_model: Path) -> None:
    with pytest.raises(UserError, match="Expected a text as number 2 of the texts, got 7"):
        RowAnswerer(ModelChoice(str(saved_model)), threads=1)(["비", None, 7])  # type: ignore[list-item]


def test_it_uses_as_many_threads_as_it_may(saved_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = torch.get_num_threads()
    monkeypatch.setenv("OMP_NUM_THREADS", str(before))
    try:
        RowAnswerer(ModelChoice(str(saved_model)), threads=3)
        assert torch.get_num_threads() == 3
    finally:
        torch.set_num_threads(before)


@pytest.mark.parametrize(
    ("columns", "task", "words"),
    [
        (["id", "text"], "translation", "`task` must be one of named-entities, word-spacing, .* got 'translation'"),
        (["id", "review"], "named-entities", "The table has no column 'text'; it has id, review."),
        (["text", "label"], "sentence-classification", "has a column 'label', .* rename it first"),
    ],
)
def test_columns_that_do_not_fit_are_an_error(columns: list[str], task: str, words: str) -> None:
    with pytest.raises(UserError, match=words):
        check_columns(columns, text_column="text", task=task)


@pytest.mark.parametrize(("adapter", "package", "extra"), [("ray_data", "ray", "ray"), ("spark", "pyspark", "spark")])
def test_an_engine_that_is_missing_is_named_with_its_extra(
    adapter: str, package: str, extra: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, f"malmoi.inference.{adapter}", raising=False)
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(ImportError, match=rf"pip install 'malmoi\[{extra}\]'"):
        import_module(f"malmoi.inference.{adapter}")


def test_the_choice_of_a_model_is_by_default_that_of_the_package_for_names() -> None:
    assert ModelChoice() == (None, "named-entities", 32)
    assert pa.types.is_list(COLUMNS[ModelChoice().task].field("entities").type)
