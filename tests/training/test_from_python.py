"""What is called from Python is what the commands do, and tells at once what is wrong."""

import json
from pathlib import Path
from typing import Any

import numpy
import pytest
from datasets import DatasetDict
from support.command_line import malmoi as command
from support.recipe_flags import as_flags
from support.tiny_runs import SETTINGS
from transformers import IntervalStrategy

import malmoi
from malmoi.data.inline_marks import parse_marks
from malmoi.recipes.overrides import with_settings
from malmoi.recipes.recipe import load_recipe
from malmoi.training.train import run


def test_training_from_python_is_the_training_of_the_command_line(marked_corpus: Path, tmp_path: Path) -> None:
    settings = {**SETTINGS, "ngram_sizes": [2, 3], "learning_rate": 2e-3, "lr_scheduler_type": "linear"}
    flags = as_flags(settings)
    folders = ["--data_dir", str(marked_corpus), "--output_dir", str(tmp_path / "flags")]
    by_flags = run(load_recipe("demo", [*flags, *folders]))
    report = malmoi.train("demo", data_dir=marked_corpus, output_dir=tmp_path / "python", **settings)
    for part in ("settings", "losses", "best", "data", "tokenizer", "parameters"):
        assert report[part] == by_flags[part], part
    assert (
        json.loads((tmp_path / "python" / "report.json").read_text(encoding="utf-8"))["figures"] == report["figures"]
    )
    assert malmoi.Tagger(tmp_path / "python")(["손흥민은 왔다."]) == malmoi.Tagger(tmp_path / "flags")(
        ["손흥민은 왔다."]
    )


def test_a_recipe_that_was_loaded_can_be_changed(tmp_path: Path) -> None:
    recipe = malmoi.load_recipe("demo")
    given = {
        "seed": numpy.int64(7),
        "learning_rate": numpy.float32(0.5),
        "embeddings": tmp_path,
        "save_strategy": IntervalStrategy.EPOCH,
        "ngram_sizes": (2, 3),
        "early_stopping_patience": None,
        "lr_scheduler_kwargs": {"num_cycles": 2},
    }
    changed = with_settings(recipe, given)
    assert changed.flags == {
        "seed": 7,
        "learning_rate": 0.5,
        "embeddings": str(tmp_path),
        "save_strategy": "epoch",
        "ngram_sizes": [2, 3],
        "early_stopping_patience": None,
        "lr_scheduler_kwargs": {"num_cycles": 2},
    }
    json.dumps(changed.flags)
    assert (recipe.flags, changed.settings, changed.name) == ({}, recipe.settings, "demo")


@pytest.mark.parametrize(
    ("recipe", "settings", "message"),
    [
        ("demo", {"learning_rat": 1e-3}, "^Unknown setting 'learning_rat'; did you mean 'learning_rate'\\?$"),
        ("dmo", {}, "no recipe 'dmo'; did you mean 'demo'\\?"),
        (Path("nowhere.yaml"), {}, "nowhere.yaml: there is no such file"),
        ("demo", {"task": "word-spcing"}, "Unknown task 'word-spcing'; did you mean 'word-spacing'\\?"),
        ("demo", {"task": "sentence-classification", "model_type": "bilstm"}, "Unknown setting 'name_replacement_"),
        ("demo", {"seed": object()}, "`seed` must be a text, a number, .* got object"),
        ("demo", {"hidden_size": "wide"}, "hidden_size"),
        ("demo", {"fp16": True, "use_cpu": True}, "`fp16` has no effect on CPU"),
        ("demo", {"data_dir": "nowhere"}, "nowhere"),
    ],
)
def test_wrong_settings_are_told_in_one_sentence(
    recipe: str | Path, settings: dict[str, object], message: str, tmp_path: Path
) -> None:
    with pytest.raises(malmoi.UserError, match=message):
        malmoi.train(recipe, output_dir=tmp_path / "run", **settings)
    assert not [*tmp_path.glob("run/*")]


def rows_of(path: Path) -> list[dict[str, Any]]:
    """Return marked sentences as a list of dictionaries."""
    marked = [parse_marks(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return [{"text": text, "entities": [[*span] for span in spans]} for text, spans in marked]


@pytest.fixture(scope="module")
def rows(marked_corpus: Path) -> dict[str, list[dict[str, Any]]]:
    return {split: rows_of(marked_corpus / f"{split}.txt") for split in ("train", "validation")}


def test_data_in_python_are_those_of_the_files(rows: dict[str, Any], marked_corpus: Path, tmp_path: Path) -> None:
    data = malmoi.read_data(marked_corpus)
    assert isinstance(data, DatasetDict)
    assert {split: each.num_rows for split, each in data.items()} == {"train": 24, "validation": 3}
    assert data["train"][0]["text"] == "손흥민은 춘천에서 태어났다."
    assert data["train"][0]["entities"][1] == {"start": 5, "end": 7, "label": "LC"}
    others = [malmoi.read_data(each) for each in (rows, data, {split: iter(each) for split, each in rows.items()})]
    data.save_to_disk(tmp_path / "saved")
    others += [malmoi.read_data(tmp_path / "saved"), malmoi.read_data(str(tmp_path / "saved"), reader="dataset")]
    for other in others:
        for split, each in data.items():
            assert [(row["text"], row["entities"]) for row in other[split]] == [
                (row["text"], row["entities"]) for row in each
            ]
    # no split is cut from another
    assert malmoi.read_data(row for row in rows["train"])["train"].num_rows == 24


def test_what_is_read_may_be_said(tmp_path: Path) -> None:
    lines = "나 B-PS 대명사\n는 O 조사\n"
    (tmp_path / "train.txt").write_text(lines, encoding="utf-8")
    data = malmoi.read_data(tmp_path / "train.txt", reader="conll", tag_column=2, token_separator="")
    assert data["train"]["text"][:] == ["나는"]
    spaced = malmoi.read_data([{"text": "비가 왔다.", "label": "비"}], task="word-spacing")
    assert spaced["train"][:] == {"id": ["train-1"], "text": ["비가 왔다."]}
    trimmed = malmoi.read_data([{"text": "손흥민이 왔다.", "entities": [[0, 4, "PS"]]}] * 20, trim_josa=True)
    assert trimmed["train"][0]["entities"] == [{"start": 0, "end": 3, "label": "PS"}]


@pytest.mark.parametrize(
    ("source", "said", "message"),
    [
        ("nowhere", {}, "^nowhere: there is no such f"),
        ("nowhere", {"reader": "conll"}, "^nowhere: expected a folder "),
        (Path("nowhere/at-all"), {}, "^nowhere/at-all: there is no such f"),
        ("nowhere/at-all.csv", {}, "nowhere/at-all.csv: there is no such file or folder"),
        ([], {}, "^the list: expected dictionaries such as"),
        ([{"text": "가", "entities": [[0, 2, "PS"]]}], {}, "^the list, row 1: expected a name within the text"),
        ([{"text": "가 나"}], {"task": "spacing"}, "^--task must be one of named-entities, "),
        ([{"text": "가 나"}], {"trim_josa": True}, "^`trim_josa` is for named-entities, but the task is word-spacing"),
        ([{"text": "가 나"}], {"reader": "jsonl"}, "^`dataset` is for the reader dataset, but `reader` is jsonl"),
        (7, {}, "`dataset` must be a Dataset or a DatasetDict of datasets, a list of dictionaries, .* got int"),
    ],
)
def test_what_cannot_be_read_is_told_in_one_sentence(source: Any, said: dict[str, Any], message: str) -> None:
    with pytest.raises(malmoi.UserError, match=message):
        malmoi.read_data(source, **said)


def test_rows_are_no_recipe(rows: dict[str, Any]) -> None:
    for call in (malmoi.train, malmoi.tune):
        with pytest.raises(
            malmoi.UserError, match=r"^Expected the name or path of a recipe, got list; data are given by"
        ):
            call(rows["train"])  # type: ignore[operator]


def test_from_a_list_of_dictionaries_to_figures(rows: dict[str, Any], marked_corpus: Path, tmp_path: Path) -> None:
    report = malmoi.train("demo", dataset=rows, output_dir=tmp_path / "list", **SETTINGS)
    assert report["data"]["source"] == "a dict in Python"
    of_files = malmoi.train("demo", data_dir=marked_corpus, output_dir=tmp_path / "files", **SETTINGS)
    of_data = malmoi.train("demo", dataset=malmoi.read_data(rows), output_dir=tmp_path / "data", **SETTINGS)
    for other in (of_files, of_data):
        assert other["losses"] == report["losses"]
        assert other["data"]["fingerprint"] == report["data"]["fingerprint"]
    errors, predictions = tmp_path / "errors.html", tmp_path / "predictions.jsonl"
    measured = malmoi.evaluate(tmp_path / "list", dataset=rows, errors=errors, predictions=str(predictions))
    assert measured["figures"]["entity_f1"] == report["figures"]["entity_f1"]
    assert measured["data"]["split"] == "validation"
    assert errors.stat().st_size > 10_000
    assert len(predictions.read_text(encoding="utf-8").splitlines()) == 3
    printed, _ = command("evaluate", tmp_path / "list", "--data_dir", marked_corpus, "--json")
    by_command = json.loads(printed)
    defined = by_command["definitions"]
    assert defined == measured["definitions"]
    assert {name: by_command["figures"][name] for name in defined} == {
        name: measured["figures"][name] for name in defined
    }


def test_a_model_is_measured_on_the_part_that_there_is(rows: dict[str, Any], saved_model: Path) -> None:
    test = rows["validation"]
    alone = malmoi.evaluate(saved_model, dataset={"test": test}, against=saved_model)
    assert (alone["data"]["split"], alone["data"]["texts"]) == ("test", {"test": 3})
    assert alone["against"]["model"] == alone["model"] == str(saved_model)
    both = malmoi.evaluate(saved_model, dataset={"train": rows["train"], "validation": test}, split="train")
    assert both["data"]["texts"] == {"train": 24}
    with pytest.raises(malmoi.UserError, match=r"^a dict in Python: there is no split 'dev', only train, validation"):
        malmoi.evaluate(saved_model, dataset=rows, split="dev")
    with pytest.raises(malmoi.UserError, match=r"^Give a model, or --task for a model of the package: named-entities"):
        malmoi.evaluate()


@pytest.mark.parametrize("size", [0, -1, 1.5, "64", True])
def test_texts_are_answered_some_at_once(size: Any) -> None:
    with pytest.raises(
        malmoi.UserError, match=rf"^`batch_size` must be a whole number of at least 1, got {size!r}\.$"
    ):
        malmoi.evaluate("run", data_dir="data", batch_size=size)


def test_a_model_is_given_by_its_name_alone() -> None:
    with pytest.raises(malmoi.UserError, match=r"^`model` must be the folder or name of a model, got int\.$"):
        malmoi.evaluate(3)  # type: ignore[arg-type]
    with pytest.raises(malmoi.UserError, match=r"^`against` must be the folder or name of a model, got list\.$"):
        malmoi.evaluate("run", against=["other"])  # type: ignore[arg-type]


@pytest.mark.slow
def test_without_a_model_that_of_the_package_is_measured() -> None:
    rows = [{"text": "손흥민은 춘천에서 태어났다.", "entities": [[0, 3, "PS"], [5, 7, "LC"]]}]
    assert malmoi.evaluate(dataset={"test": rows})["model"] == "bundled:named-entities"
    texts = {"test": ["비가 왔다.", "오늘은 날씨가 좋다."]}
    assert malmoi.evaluate(dataset=texts)["task"] == "word-spacing"
