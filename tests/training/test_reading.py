"""Which reader reads the data, what it is told, and what is said of it."""

from pathlib import Path

import pytest
from datasets import DatasetDict

from malmoi.data.classified_dataset import ClassifiedText, classified_dataset
from malmoi.data.readers import read_splits
from malmoi.data.readers.reading_options import ReadingOptions
from malmoi.recipes.recipe import Recipe, RecipeError, load_recipe
from malmoi.training.reading import (
    is_recognised,
    options_as_in_training,
    reader_of_training,
    recognised,
    recognised_reader,
)
from malmoi.training.recipe_arguments import parse_recipe
from malmoi.training.tasks import TASKS

COLUMNS = "서울 B-LC\n에서 O\n\n홍길동이 B-PS\n왔다 O\n"


def found(recipe: Recipe) -> tuple[str, bool]:
    """Return the reader of a recipe and whether it is recognised."""
    arguments, _, _ = parse_recipe(recipe)
    return reader_of_training(recipe, arguments), is_recognised(recipe, arguments)


def test_a_folder_is_recognised_unless_the_user_says_what_it_is(tmp_path: Path) -> None:
    (tmp_path / "train.txt").write_text(COLUMNS, encoding="utf-8")
    data = ["--data_dir", str(tmp_path)]
    assert found(load_recipe("demo", data)) == ("conll", True)
    assert found(load_recipe("klue-ner-bi-lstm-crf", data)) == ("conll", True)
    assert found(load_recipe("demo", [*data, "--reader", "inline-marks"])) == ("inline-marks", False)
    assert found(load_recipe("demo", [])) == ("inline-marks", False)
    assert found(load_recipe("demo", ["--data_dir", str(tmp_path / "missing")])) == ("inline-marks", False)
    own = tmp_path / "own.yaml"
    own.write_text("task: named-entities\nreader: klue-ner\n", encoding="utf-8")
    assert found(load_recipe(str(own), data)) == ("klue-ner", False)
    own.write_text("task: named-entities\n", encoding="utf-8")
    assert found(load_recipe(str(own), data)) == ("conll", True)


def test_several_formats_or_none_ask_for_the_flag(tmp_path: Path) -> None:
    (tmp_path / "train.txt").write_text("<서울:LC>에 갔다.\n", encoding="utf-8")
    (tmp_path / "split.tsv").write_text("file\tpart\na.txt\ttrain\n", encoding="utf-8")
    with pytest.raises(RecipeError, match=r"may be read by inline-marks, kmou-corpus; say which by --reader\."):
        recognised_reader(tmp_path, ("named-entities",), preferred="klue-ner")
    assert recognised_reader(tmp_path, ("named-entities",), preferred="kmou-corpus") == "kmou-corpus"
    (tmp_path / "empty").mkdir()
    with pytest.raises(RecipeError, match=r"in no known format; say which by --reader: brat, conll, .*inline-marks"):
        recognised_reader(tmp_path / "empty", ("named-entities",))


def test_any_text_is_one_for_a_language_model_only_where_nothing_else_fits(tmp_path: Path) -> None:
    for name in ("train", "validation"):
        (tmp_path / f"{name}.txt").write_text("<서울:LC>에 갔다.\n", encoding="utf-8")
    every = tuple(TASKS)
    assert recognised_reader(tmp_path, every) == "inline-marks"
    assert recognised_reader(tmp_path, ("language-model",)) == "plain-text"
    for name in ("train", "validation"):
        (tmp_path / f"{name}.txt").write_text("서울에 갔다.\n", encoding="utf-8")
    assert recognised_reader(tmp_path, every) == "plain-sentences"
    (tmp_path / "validation.txt").unlink()
    (tmp_path / "train.txt").rename(tmp_path / "train-1.txt")
    assert recognised_reader(tmp_path, every) == "plain-text"


def test_one_line_says_what_was_recognised(tmp_path: Path) -> None:
    (tmp_path / "train.conll").write_text(COLUMNS, encoding="utf-8")
    (tmp_path / "dev.conll").write_text(COLUMNS, encoding="utf-8")
    splits = read_splits("conll", tmp_path, task="named-entities")
    assert recognised(tmp_path, "conll", splits) == (
        f"{tmp_path} is read as conll (otherwise --reader): 2 train, 2 validation sentences, 2 types (LC, PS)."
    )
    spaces = read_splits("plain-sentences", None, task="word-spacing")
    assert recognised("texts", "plain-sentences", spaces).endswith("440 train, 100 validation sentences.")
    classes = classified_dataset([ClassifiedText(id="1", text="좋다", label="좋음")], ["좋음"])
    assert recognised("texts", "labelled-texts", DatasetDict({"test": classes})).endswith(
        "1 test texts, 1 class (좋음)."
    )


def test_an_evaluation_reads_as_the_training_did_unless_told_otherwise() -> None:
    report = {"data": {"reader": "conll"}, "settings": {"tag_column": 2, "token_separator": None, "annotator": "a"}}
    told = ReadingOptions(tag_column=2)
    assert options_as_in_training(report, "conll", ReadingOptions()) == told
    assert options_as_in_training(report, "conll", ReadingOptions(token_separator="")) == ReadingOptions(
        tag_column=2, token_separator=""
    )
    assert options_as_in_training(report, "conll", ReadingOptions(tag_column=3)) == ReadingOptions(tag_column=3)
    assert options_as_in_training(report, "inline-marks", ReadingOptions()) == ReadingOptions()
    assert options_as_in_training({}, "conll", told) == told
